"""Seeded runs with Byzantine authorities, crashes and bad weather; and mutants, to show that the runs can fail."""

from __future__ import annotations

import importlib
from collections import deque
from contextlib import nullcontext
from types import ModuleType

import pytest

from consensus.authorities import faulty_max
from consensus.simulation.campaign import FAULTS, Plan, plans, run, views_bound
from consensus.simulation.exhaustive import BYZANTINE, explore
from tests.consensus.mutants import MUTANTS, QUORUM_IS_2F_PLUS_1, Mutant, mutated_campaign

SEEDS = range(1_000, 1_002)
PLANS = list(plans(sizes=(1, 2, 3, 4, 5, 7), seeds=SEEDS))
NAMED = (
    # Seeds that once found a bug, or a mutant that others miss, stay here.
    Plan(1, 1, "none"),
    Plan(2, 44, "none"),  # a block was fetched and decided at the same moment
    Plan(3, 33, "none"),
    Plan(4, 3, "twins"),
    Plan(4, 45, "withholder"),
    Plan(4, 715_889, "lost"),  # the watcher counted observers among those who are asked about lost votes
    Plan(5, 32, "equivocator"),
    Plan(7, 632, "mixed"),  # the watcher was told what is no message
    Plan(10, 601_557, "withholder"),  # a new authority that had been told the last block sat out two seconds of views
)


@pytest.mark.parametrize("plan", [*PLANS, *NAMED], ids=lambda plan: f"{plan.n}-{plan.fault}-{plan.seed}")
def test_a_run_keeps_the_invariants_and_ends(plan: Plan) -> None:
    outcome = run(plan)
    assert outcome.heights >= 2
    assert 1 <= outcome.most_views_to_liveness <= views_bound(faulty_max(plan.n + 2))


def test_every_fault_is_among_the_runs() -> None:
    assert {plan.fault for plan in PLANS} == set(FAULTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_caught(mutant: Mutant) -> None:
    with mutated_campaign(mutant) as campaign:
        seeds = range(mutant.first, mutant.first + mutant.seeds)
        plans = [campaign.Plan(mutant.n, seed, fault) for seed in seeds for fault in mutant.faults]
        with pytest.raises(campaign.Failed, match="to replay"):
            deque(map(campaign.run, plans), maxlen=0)


SEARCHED = {
    # Mutants that one view of four authorities is enough for, with the place of the Byzantine one; power cuts or not.
    "finalize_after_nullify": ("leads_neither", False),
    "two_notarizations_in_a_view": ("leads_first", False),
    "votes_forgotten_at_restart": ("leads_first", True),
}


@pytest.mark.parametrize("name", SEARCHED)
def test_the_search_finds_a_mutant(name: str) -> None:
    byzantine, crashes = SEARCHED[name]
    (mutant,) = [each for each in MUTANTS if each.name == name]
    with mutated_campaign(mutant):
        search = importlib.import_module("consensus.simulation.exhaustive")
        with pytest.raises((search.Broken, AssertionError)):
            search.explore(byzantine, views=1, crashes=crashes)


@pytest.mark.parametrize("byzantine", BYZANTINE)
def test_every_run_through_a_view_with_power_cuts_is_safe(byzantine: str) -> None:
    """R4, R9: and blocks do become final in some of them."""
    explored = explore(byzantine, views=1, crashes=True)
    assert explored.complete
    assert explored.states > 1_000
    assert len(explored.finalized) == (2 if byzantine == "leads_first" else 1)


def test_a_plan_says_how_it_is_written() -> None:
    plan = Plan(4, 17, "twins", phases=2, without=frozenset({"gag", "clogs"}))
    assert str(plan) == "n=4 seed=17 fault=twins phases=2 without=clogs,gag"
    assert Plan.parse(str(plan)) == plan
    for bad in (
        "n=4",
        "seed=1",
        "n=4 seed=1 fault=gremlins",
        "n=0 seed=1",
        "n=4 seed=1 without=rain",
        "n=4 seed=1 x=2",
    ):
        with pytest.raises(ValueError):
            Plan.parse(bad)


def test_a_failing_run_is_shrunk_and_replayed() -> None:
    (mutant,) = [each for each in MUTANTS if each.name == "certificates_not_verified"]
    with mutated_campaign(mutant) as campaign:
        plan = next(
            plan for plan in campaign.plans(sizes=(4,), seeds=range(10), faults=("forger",)) if fails(campaign, plan)
        )
        milder = campaign.shrink(plan)
        assert (milder.phases, -len(milder.without)) <= (plan.phases, 0)
        assert milder != plan
        world, broke = campaign.replay(milder)
        assert broke
        assert world.transcript


def fails(campaign: ModuleType, plan: Plan) -> bool:
    try:
        campaign.run(plan)
    except campaign.Failed:
        return True
    return False


@pytest.mark.parametrize("mutant", [QUORUM_IS_2F_PLUS_1, None], ids=["2f+1", "n-f"])
def test_a_quorum_of_2f_plus_1_forks_five_authorities(mutant: Mutant | None) -> None:
    """R7: two against two, and a fifth whose key runs on both sides."""
    with mutated_campaign(mutant) if mutant else nullcontext():
        world = importlib.import_module("consensus.simulation.world").World(n=5, seed=1, twins=(4,))
        invariants = importlib.import_module("consensus.simulation.invariants")
        world.part((0, 1, 4), (2, 3, 5))
        world.start()
        world.offer_every(300)
        if mutant is None:
            world.run_for(10_000)
            assert not world.invariants.decided, "nobody has a quorum: nobody decides"
        else:
            with pytest.raises(invariants.Broken, match="two blocks are decided"):
                world.run_for(10_000)
