"""Governance: admission by more than two thirds of the authorities, in force at the next height (registry.md 3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.codec import decode
from registry.errors import FieldError
from registry.parties import Party
from registry.rules.governance import quorum
from registry.state import alias_key
from registry.transactions.claims import Discharge, Fund, Reassign, Release, Reserve
from registry.transactions.envelope import Transaction
from registry.transactions.governance import (
    Admit,
    Amend,
    Approve,
    Change,
    Propose,
    Reinstate,
    ReplaceOwnerKey,
    Suspend,
    change_from,
)
from registry.transactions.parties import AddKey
from tests.registry.world import PERCENT, World, created, invoice, key_of, mark, name_id, party_of

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


# --- changes of parties that are there


def test_a_suspended_party_signs_nothing_until_it_is_reinstated(world: World) -> None:
    world.govern(Suspend(name_id("EXP_CN"), mark("reason")))
    assert world.heard("suspended")[0][2] == name_id("EXP_CN")
    assert world.one("EXP_CN", invoice("a")).code == "suspended"
    assert world.one("F_CN", Propose(Suspend(name_id("EXP_CN"), mark("again")))).code == "already_done"
    world.govern(Reinstate(name_id("EXP_CN"), mark("cleared")))
    assert world.one("EXP_CN", invoice("a")).code == "ok"
    assert world.one("F_CN", Propose(Reinstate(name_id("EXP_CN"), mark("again")))).code == "already_done"


def test_the_claims_of_a_suspended_party_stay_and_others_act_on_them(world: World) -> None:
    receivable = world.registered("a")
    kept, ended = world.funded(receivable, to="F_BR", percent=50), world.funded(receivable, to="F_CN", percent=50)
    world.govern(Suspend(name_id("EXP_CN"), mark("reason")))
    world.govern(Suspend(name_id("F_BR"), mark("reason")))
    assert world.claim(kept).state == "funded"
    assert world.one("F_BR", Release(kept)).code == "suspended"
    assert world.one(("F_BR", "F_CN"), Reassign(kept, name_id("F_CN"))).code == "suspended"
    assert world.one("F_CN", Discharge(ended, 10 * PERCENT)).code == "ok"
    assert world.one("F_CN", Release(ended)).code == "ok"


def test_nobody_funds_for_a_seller_that_has_been_suspended_since_its_offer(world: World) -> None:
    """As for one whose attestation has lapsed, which funding asks about too."""
    claim = world.offered(world.registered("a"), to="F_SG")
    world.govern(Suspend(name_id("EXP_CN"), mark("fraud")))
    assert world.one("F_SG", Reserve(claim, 600_000)).code == "ok"
    assert world.one("F_SG", Fund(claim)).code == "suspended"
    world.govern(Reinstate(name_id("EXP_CN"), mark("cleared")))
    assert world.one("F_SG", Fund(claim)).code == "ok"


def test_suspensions_leave_a_quorum_of_authorities(world: World) -> None:
    world.govern(Suspend(name_id("F_GB"), mark("reason")))
    assert world.one("F_GB", Propose(Reinstate(name_id("F_GB"), mark("?")))).code == "suspended"
    assert world.one("F_CN", Propose(Suspend(name_id("F_DE"), mark("reason")))).code == "no_quorum"
    world.govern(Reinstate(name_id("F_GB"), mark("cleared")))
    assert world.one("F_GB", Propose(Suspend(name_id("F_DE"), mark("reason")))).code == "ok"


def test_two_suspensions_of_one_block_leave_a_quorum_too(world: World) -> None:
    proposals = [
        world.one("F_CN", Propose(Suspend(name_id(name), mark("reason")))).subject for name in ("F_GB", "F_DE")
    ]
    for proposal in proposals:
        assert world.one("F_SG", Approve(proposal)).code == "ok"
    by = [
        world.transaction(name, Approve(proposal)) for name, proposal in zip(("F_DE", "F_GB"), proposals, strict=True)
    ]
    assert [receipt.code for receipt in world.block(by).receipts] == ["ok", "no_quorum"]


def test_an_amendment_adds_aliases_and_changes_roles_and_name(world: World) -> None:
    vat = "vat:DE136695976"
    world.govern(Amend(name_id("IMP_DE"), "IMP AG", (vat,), ("exporter",), ("debtor",)))
    party = world.party("IMP_DE")
    assert (party.name, party.roles) == ("IMP AG", ("exporter",))
    assert party.identifiers == (name_id("IMP_DE"), vat)
    assert decode(world.state[alias_key(vat)]) == party.id
    assert world.one("IMP_DE", invoice("a")).code == "ok"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (Amend(name_id("IMP_DE")), "already_done"),
        (Amend(name_id("IMP_DE"), identifiers=(name_id("IMP_DE"),)), "already_done"),
        (Amend(name_id("IMP_DE"), identifiers=(name_id("EXP_CN"),)), "duplicate"),
        (Amend(name_id("IMP_DE"), remove_roles=("debtor",)), "bad_state"),
        (Amend(name_id("IMP_DE"), identifiers=tuple(f"duns:{number:09}" for number in range(16))), "limit_reached"),
        (Amend(NEW.id, name="?"), "unknown_party"),
        (Suspend(NEW.id, mark("reason")), "unknown_party"),
        (Reinstate(NEW.id, mark("reason")), "unknown_party"),
        (ReplaceOwnerKey(NEW.id, mark("key")), "unknown_party"),
        (ReplaceOwnerKey(name_id("IMP_DE"), key_of("owner IMP_DE").public_key), "already_done"),
    ],
)
def test_a_change_that_cannot_be_made_is_not_proposed(world: World, change: Change, code: str) -> None:
    assert world.one("F_CN", Propose(change)).code == code


def test_changes_of_one_party_in_one_block_add_up(world: World) -> None:
    changes = [Amend(name_id("EXP_CN"), name="Renamed"), Amend(name_id("EXP_CN"), identifiers=("duns:123456789",))]
    proposals = [world.one("F_CN", Propose(change)).subject for change in changes]
    world.do("F_SG", *map(Approve, proposals))
    world.block(
        [
            world.transaction("F_DE", *map(Approve, proposals)),
            world.transaction("EXP_CN", AddKey(key_of("new key").public_key)),
        ]
    )
    party = world.party("EXP_CN")
    assert (party.name, party.identifiers[-1], party.sign_keys[-1]) == (
        "Renamed",
        "duns:123456789",
        key_of("new key").public_key,
    )


@pytest.mark.parametrize(
    ("value", "field"),
    [
        (["suspend", "EXP", bytes(32)], "change.party"),
        (["suspend", name_id("EXP_CN"), b""], "change.reason_digest"),
        (["suspend", name_id("EXP_CN")], "change"),
        (["amend", name_id("EXP_CN"), " x", [], [], []], "change.name"),
        (["amend", name_id("EXP_CN"), "", ["lei:984500USIMPORT000144"], [], []], "change.identifiers"),
        (["amend", name_id("EXP_CN"), "", [], ["king"], []], "change.add_roles"),
        (["replace_owner_key", name_id("EXP_CN"), bytes(32), bytes(63)], "change.proof"),
        (["replace_owner_key", name_id("EXP_CN"), bytes(31), bytes(64)], "change.owner_key"),
    ],
)
def test_a_change_of_a_wrong_form_names_the_field(value: list[object], field: str) -> None:
    with pytest.raises(FieldError) as caught:
        change_from(value, "change")  # type: ignore[arg-type]
    assert caught.value.field.partition("[")[0] == field
