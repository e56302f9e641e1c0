"""Seeded runs with Byzantine authorities, crashes and bad weather; and mutants, to show that the runs can fail."""

from __future__ import annotations

import importlib
from collections import deque
from contextlib import nullcontext

import pytest

from consensus.authorities import faulty_max
from consensus.simulation.campaign import FAULTS, Plan, plans, run, views_bound
from tests.consensus.mutants import MUTANTS, QUORUM_IS_2F_PLUS_1, Mutant, mutated_campaign

SEEDS = range(1_000, 1_002)
PLANS = list(plans(sizes=(1, 2, 3, 4, 5, 7), seeds=SEEDS))
NAMED = (
    # Seeds that once found a bug, or a mutant that others miss, stay here.
    Plan(1, 1, "none"),
    Plan(4, 3, "twins"),
    Plan(4, 45, "withholder"),
    Plan(5, 32, "equivocator"),
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
        plans = [campaign.Plan(mutant.n, seed, fault) for seed in range(mutant.seeds) for fault in mutant.faults]
        with pytest.raises(campaign.Failed, match="to replay"):
            deque(map(campaign.run, plans), maxlen=0)


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
