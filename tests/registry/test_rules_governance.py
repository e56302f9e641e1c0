"""Governance: admission by more than two thirds of the authorities, in force at the next height (registry.md 3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.parties import Party
from registry.rules.governance import quorum
from registry.transactions.envelope import Transaction
from registry.transactions.governance import Admit, Approve, Propose
from tests.registry.world import World, created, invoice, key_of, mark, name_id, party_of

NEW = party_of("NEW", "lei:984500USIMPORT000143", "US", ("exporter",))


@pytest.fixture
def world() -> World:
    return World()


def proposed(world: World, party: Party = NEW, by: str = "F_CN") -> bytes:
    receipt = world.one(by, Propose(Admit(party)))
    assert receipt.code == "ok", receipt
    return receipt.subject


def by_new(world: World, tag: str = "a") -> Transaction:
    """A registration signed by the new party."""
    return world.transaction("NEW", invoice(tag))


@pytest.mark.parametrize(("authorities", "needed"), [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5), (7, 5), (10, 7)])
def test_quorum_is_more_than_two_thirds(authorities: int, needed: int) -> None:
    assert quorum(authorities) == needed
    assert 3 * needed > 2 * authorities


def test_a_party_is_in_force_one_height_after_its_last_approval(world: World) -> None:
    proposal = proposed(world)
    world.one("F_SG", Approve(proposal))
    assert not world.has_party(NEW.id)
    outcome = world.block([world.transaction("F_DE", Approve(proposal)), by_new(world)])
    assert [receipt.code for receipt in outcome.receipts] == ["ok", "unknown_party"]
    assert world.heard("admitted")[0][2] == NEW.id
    assert world.has_party(NEW.id)
    assert world.block([by_new(world)]).receipts[0].code == "ok"


def test_each_authority_counts_once(world: World) -> None:
    proposal = proposed(world)
    assert world.one("F_CN", Approve(proposal)).code == "already_done"  # proposing was approving
    assert world.one("F_SG", Approve(proposal)).code == "ok"
    assert world.one("F_SG", Approve(proposal)).code == "already_done"
    assert not world.has_party(NEW.id)
    assert world.one("F_DE", Approve(proposal)).code == "ok"
    assert world.one("F_GB", Approve(proposal)).code == "already_done"  # in force


def test_only_authorities_govern(world: World) -> None:
    for name in ("F_BR", "EXP_CN", "IMP_DE"):
        assert world.one(name, Propose(Admit(NEW))).code == "not_authorised"
    proposal = proposed(world)
    assert world.one("F_BR", Approve(proposal)).code == "not_authorised"
    assert world.one("F_SG", Approve(mark("?"))).code == "not_found"


def test_the_role_of_an_authority_makes_nobody_an_authority(world: World) -> None:
    """Authorities are those of genesis; the role in a party's record alone approves nothing."""
    proposal = proposed(world, replace(NEW, roles=("authority",)))
    world.one("F_SG", Approve(proposal))
    world.one("F_DE", Approve(proposal))
    assert world.one("NEW", Propose(Admit(NEW))).code == "not_authorised"


@pytest.mark.parametrize(
    "change",
    [
        {"id": name_id("EXP_CN"), "identifiers": (name_id("EXP_CN"),)},
        {"identifiers": (NEW.id, name_id("EXP_CN"))},
        {"sign_keys": (key_of("EXP_CN").public_key,)},
        {"sign_keys": (key_of("NEW").public_key, key_of("F_CN").public_key)},
    ],
)
def test_identifiers_and_keys_of_others_are_taken(world: World, change: dict[str, object]) -> None:
    party = replace(NEW, **change)  # type: ignore[arg-type]
    assert world.one("F_CN", Propose(Admit(party))).code == "duplicate"


def test_of_two_proposals_for_one_party_the_first_in_force_wins(world: World) -> None:
    first = proposed(world)
    second = proposed(world, replace(NEW, name="NEW under another name"), by="F_SG")
    world.block([world.transaction("F_SG", Approve(first)), world.transaction("F_CN", Approve(second))])
    outcome = world.block([world.transaction("F_DE", Approve(second)), world.transaction("F_DE", Approve(first))])
    assert [receipt.code for receipt in outcome.receipts] == ["ok", "duplicate"]
    assert world.one("F_GB", Approve(first)).code == "duplicate"
    assert world.block([by_new(world)]).receipts[0].code == "ok"


def test_an_admission_that_is_rolled_back_leaves_no_trace(world: World) -> None:
    proposal = proposed(world)
    world.one("F_SG", Approve(proposal))
    receipts = world.do("F_DE", Approve(proposal), Approve(mark("?")), mode="all")
    assert [receipt.code for receipt in receipts] == ["rolled_back", "not_found"]
    assert not world.has_party(NEW.id)
    assert world.one("F_DE", Approve(proposal)).code == "ok"
    assert world.has_party(NEW.id)


def test_a_proposal_can_be_approved_in_the_transaction_that_makes_it(world: World) -> None:
    keys = ("F_CN", "F_SG")
    transaction = world.transaction(keys, Propose(Admit(NEW)), Approve(0))
    receipts = world.block([transaction]).receipts
    assert [receipt.code for receipt in receipts] == ["ok", "already_done"]  # the primary signer proposes and approves
    assert receipts[0].subject == created(transaction)
