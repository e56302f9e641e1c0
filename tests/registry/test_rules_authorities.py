"""Authorities change, misbehave, leave (consensus.md 5): what the ledger's state says of who decides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from registry.codec import digest
from registry.errors import FieldError
from registry.genesis import AUTHORITIES_MAX
from registry.records import ConsensusKey, Misbehaviour, Network, NodeEntry, encode_record
from registry.rules.authorities import can_govern
from registry.state import NETWORK_KEY, State
from registry.transactions.authorities import (
    AdmitNode,
    DismissNode,
    ReportMisbehaviour,
    SeatAuthority,
    UnseatAuthority,
)
from registry.transactions.governance import Admit, Approve, Change, Propose, Suspend, change_from, change_value
from tests.registry.world import AUTHORITIES, World, evidence, invoice, key_of, mark, name_id, party_of

ADDRESS = "node.example:7001"
FIFTH = party_of("FIFTH", "lei:984500USIMPORT000143", "US", ("authority", "financier"))


@pytest.fixture
def world() -> World:
    return World()


def network(world: World) -> Network:
    return State(world.state.get).network()


def seat(name: str, *, party: str | None = None, key: str | None = None) -> SeatAuthority:
    """A change that seats a party, with the consensus key and certificate of this name."""
    public_key = key_of(f"consensus {key or name}").public_key
    return SeatAuthority(party or name_id(name), public_key, name.encode(), ADDRESS)


def held(world: World, name: str) -> tuple[int, int]:
    """The heights at which the consensus key of this name was in force."""
    record = State(world.state.get).find(ConsensusKey, key_of(f"consensus {name}").public_key)
    assert record is not None
    return record.from_height, record.until_height


def refused(world: World, change: Change) -> str:
    return world.one("F_CN", Propose(change)).code


@pytest.fixture
def five(world: World) -> World:
    """A network with a fifth authority, which has followed as an observer before."""
    world.govern(Admit(FIFTH))
    world.govern(AdmitNode(FIFTH.id, b"FIFTH", ADDRESS))
    world.govern(seat("FIFTH", party=FIFTH.id))
    return world


def test_an_authority_is_added_behind_the_others_and_governs_from_the_next_height(five: World) -> None:
    assert network(five).authorities == (*map(name_id, AUTHORITIES), FIFTH.id)
    assert held(five, "FIFTH") == (five.height + 1, 0)
    assert five.heard("authority_seated")[0][2] == FIFTH.id
    proposal = five.one("FIFTH", Propose(UnseatAuthority(name_id("F_CN"), mark("reason")))).subject
    for name in ("F_SG", "F_DE"):
        five.one(name, Approve(proposal))
    assert FIFTH.id in network(five).authorities  # four of five are needed now
    assert five.one("F_GB", Approve(proposal)).code == "ok"
    assert network(five).authorities == (*map(name_id, AUTHORITIES[1:]), FIFTH.id)
    assert five.one("F_CN", Propose(Admit(FIFTH))).code == "not_authorised"


def test_a_consensus_key_is_rotated_in_place_and_never_comes_back(world: World) -> None:
    old = network(world)
    world.govern(seat("F_SG", key="F_SG second"))
    assert network(world).authorities == old.authorities
    assert network(world).seats[1].consensus_key == key_of("consensus F_SG second").public_key
    assert (held(world, "F_SG"), held(world, "F_SG second")) == ((1, world.height), (world.height + 1, 0))
    assert refused(world, seat("F_SG")) == "duplicate"
    assert refused(world, seat("F_DE", key="F_SG")) == "duplicate"
    assert refused(world, seat("F_DE", key="F_CN")) == "duplicate"
    signing_key = key_of("EXP_CN").public_key
    assert refused(world, SeatAuthority(name_id("F_SG"), signing_key, b"F_SG", ADDRESS)) == "duplicate"
    assert world.one("F_CN", Propose(Admit(replace(FIFTH, owner_key=key_of("consensus F_SG").public_key)))).code == (
        "duplicate"
    )


def test_the_key_of_an_authority_that_left_never_comes_back_either(five: World) -> None:
    five.govern(UnseatAuthority(FIFTH.id, mark("reason")))
    assert held(five, "FIFTH")[1] == five.height
    assert refused(five, seat("FIFTH", party=FIFTH.id)) == "duplicate"
    five.govern(seat("FIFTH", party=FIFTH.id, key="FIFTH second"))
    assert network(five).authorities[-1] == FIFTH.id


def test_certificate_and_address_are_replaced_too(world: World) -> None:
    old = network(world)
    world.govern(SeatAuthority(name_id("F_SG"), old.seats[1].consensus_key, b"another certificate", ADDRESS))
    new = network(world)
    assert new.seats[1] == old.seats[1]._replace(node=digest(b"another certificate"))
    assert held(world, "F_SG") == (1, 0)
    assert refused(world, SeatAuthority(name_id("F_SG"), old.seats[1].consensus_key, b"F_CN", ADDRESS)) == "duplicate"
    same = SeatAuthority(name_id("F_SG"), old.seats[1].consensus_key, b"another certificate", ADDRESS)
    assert refused(world, same) == "already_done"
    former = DismissNode(name_id("F_SG"), old.seats[1].node)
    world.govern(former)
    assert old.seats[1].node not in network(world).nodes
    assert refused(world, former) == "not_found"
    assert refused(world, DismissNode(name_id("F_SG"), new.seats[1].node)) == "bad_state"


def test_a_removed_authority_is_still_let_in_and_follows(world: World) -> None:
    node = network(world).seats[3].node
    world.govern(UnseatAuthority(name_id("F_GB"), mark("reason")))
    assert len(network(world).seats) == 3
    assert node in network(world).nodes
    assert refused(world, UnseatAuthority(name_id("F_GB"), mark("reason"))) == "not_found"


def test_the_last_authority_stays(world: World) -> None:
    for left in (3, 2, 1):
        name = AUTHORITIES[left]
        proposal = world.one("F_CN", Propose(UnseatAuthority(name_id(name), mark("reason"))))
        for other in AUTHORITIES[1 : left + 1]:
            world.one(other, Approve(proposal.subject))
    assert network(world).authorities == (name_id("F_CN"),)
    assert refused(world, UnseatAuthority(name_id("F_CN"), mark("reason"))) == "no_quorum"


def test_no_removal_leaves_too_few_that_can_govern(world: World) -> None:
    world.govern(Suspend(name_id("F_GB"), mark("reason")))
    assert refused(world, UnseatAuthority(name_id("F_DE"), mark("reason"))) == "no_quorum"
    world.govern(UnseatAuthority(name_id("F_GB"), mark("reason")))
    assert len(network(world).seats) == 3


def test_who_cannot_be_an_authority(world: World) -> None:
    assert refused(world, seat("F_BR")) == "not_authorised"  # a financier without the role
    assert refused(world, seat("NOBODY", party="lei:NOBODY")) == "unknown_party"
    world.govern(Admit(FIFTH))
    world.govern(Suspend(FIFTH.id, mark("reason")))
    assert refused(world, seat("FIFTH", party=FIFTH.id)) == "suspended"
    assert refused(world, AdmitNode("lei:NOBODY", b"x", ADDRESS)) == "unknown_party"
    assert refused(world, AdmitNode(name_id("EXP_CN"), b"F_CN", ADDRESS)) == "duplicate"


def test_sets_are_bounded(world: World) -> None:
    record = network(world)
    full = replace(
        record,
        seats=record.seats
        + tuple(
            record.seats[0]._replace(party=f"lei:{number}") for number in range(AUTHORITIES_MAX - len(record.seats))
        ),
    )
    world.govern(Admit(FIFTH))
    world.state[NETWORK_KEY] = encode_record(full)
    assert refused(world, seat("FIFTH", party=FIFTH.id)) == "limit_reached"
    world.state[NETWORK_KEY] = encode_record(replace(record, nodes=tuple(map(mark, map(str, range(320))))))
    assert refused(world, AdmitNode(FIFTH.id, b"FIFTH", ADDRESS)) == "limit_reached"


def test_changes_of_one_block_stand_on_each_other(world: World) -> None:
    """Two changes in force at one height: the second is made from what the first leaves."""
    first = world.one("F_CN", Propose(seat("F_SG", key="F_SG second"))).subject
    second = world.one("F_CN", Propose(seat("F_DE", key="F_DE second"))).subject
    both = [world.transaction(name, Approve(first), Approve(second)) for name in ("F_SG", "F_DE")]
    assert [receipt.code for receipt in world.block(both).receipts] == ["ok"] * 4
    keys = [key_of(f"consensus {name}").public_key for name in ("F_CN", "F_SG second", "F_DE second", "F_GB")]
    assert [each.consensus_key for each in network(world).seats] == keys


def test_approvals_of_those_who_left_do_not_count(five: World) -> None:
    proposal = five.one("FIFTH", Propose(Suspend(name_id("F_BR"), mark("reason")))).subject
    five.one("F_CN", Approve(proposal))
    leaving = five.one("F_CN", Propose(UnseatAuthority(FIFTH.id, mark("reason")))).subject
    for name in ("F_SG", "F_DE", "F_GB"):
        five.one(name, Approve(leaving))
    five.one("F_SG", Approve(proposal))
    assert not five.party("F_BR").suspended  # two of four, not three
    five.one("F_DE", Approve(proposal))
    assert five.party("F_BR").suspended


def test_evidence_is_kept_and_takes_the_seat_while_four_remain(five: World) -> None:
    receipt = five.one("F_BR", ReportMisbehaviour(evidence("F_DE", 2)))
    key = key_of("consensus F_DE").public_key
    assert (receipt.code, receipt.subject) == ("ok", key)
    assert name_id("F_DE") not in network(five).authorities
    assert held(five, "F_DE") == (1, five.height)
    record = State(five.state.get).find(Misbehaviour, key)
    assert record == Misbehaviour(key, name_id("F_DE"), 2, evidence("F_DE", 2), name_id("F_BR"), True)
    assert [five.heard(kind)[0][2] for kind in ("misbehaviour", "authority_unseated")] == [name_id("F_DE")] * 2
    again = five.one("F_CN", ReportMisbehaviour(evidence("F_DE", 1)))
    assert (again.code, again.subject) == ("already_done", key)


def test_with_four_it_is_recorded_and_people_decide(world: World) -> None:
    assert world.one("F_CN", ReportMisbehaviour(evidence("F_DE", 1))).code == "ok"
    record = State(world.state.get).find(Misbehaviour, key_of("consensus F_DE").public_key)
    assert record is not None
    assert not record.removed
    assert len(network(world).seats) == 4
    assert not world.heard("authority_unseated")
    world.govern(UnseatAuthority(name_id("F_DE"), mark("reason")))
    assert len(network(world).seats) == 3


def test_evidence_removes_nobody_if_the_rest_could_not_govern(five: World) -> None:
    five.govern(Suspend(name_id("F_GB"), mark("reason")))
    left = [party for party in network(five).authorities if party != name_id("F_DE")]
    assert can_govern(State(five.state.get), left)
    assert five.one("F_CN", ReportMisbehaviour(evidence("F_DE", 1))).code == "ok"
    assert len(network(five).seats) == 4


def test_evidence_must_be_of_a_key_in_force_at_its_height(five: World) -> None:
    since = held(five, "FIFTH")[0]
    for bad in (evidence("FIFTH", since - 1), evidence("F_CN", five.height + 10), evidence("EXP_CN", 1), b"?"):
        assert five.one("F_CN", ReportMisbehaviour(bad)).code == "not_proven"
    assert five.one("F_CN", ReportMisbehaviour(evidence("FIFTH", since))).code == "ok"


def test_evidence_against_a_retired_key_is_recorded_and_takes_no_seat(five: World) -> None:
    until = five.height + 4
    five.govern(seat("F_SG", key="F_SG second"))
    assert held(five, "F_SG") == (1, until)
    assert five.one("F_CN", ReportMisbehaviour(evidence("F_SG", until + 1))).code == "not_proven"
    assert five.one("F_CN", ReportMisbehaviour(evidence("F_SG", until))).code == "ok"
    assert len(network(five).seats) == 5


def test_a_report_stands_alone_in_its_transaction(world: World) -> None:
    report = ReportMisbehaviour(evidence("F_DE", 1))
    assert [receipt.code for receipt in world.do("F_BR", report, report)] == ["limit_reached"] * 2
    assert [receipt.code for receipt in world.do("EXP_CN", invoice("a"), report)] == ["ok", "limit_reached"]
    assert world.one("F_BR", report).code == "ok"


def test_a_suspended_authority_can_still_show_what_it_saw(world: World) -> None:
    world.govern(Suspend(name_id("F_GB"), mark("reason")))
    assert world.one("F_GB", ReportMisbehaviour(evidence("F_DE", 1))).code == "suspended"
    assert world.one("consensus F_GB", ReportMisbehaviour(evidence("F_DE", 1))).code == "ok"


def test_a_consensus_key_signs_reports_alone_and_nothing_else(world: World) -> None:
    by = "consensus F_CN"
    report = ReportMisbehaviour(evidence("F_DE", 1))
    assert world.one(by, invoice("a")).code == "unknown_party"
    assert world.one(by, Propose(Admit(FIFTH))).code == "unknown_party"
    assert [receipt.code for receipt in world.do(by, report, report)] == ["unknown_party"] * 2
    assert world.do((by, "F_CN"), report)[0].code == "unknown_party"
    receipt = world.one(by, report)
    assert receipt.code == "ok"
    record = State(world.state.get).find(Misbehaviour, receipt.subject)
    assert record is not None
    assert record.reported_by == name_id("F_CN")
    world.govern(seat("F_GB", key="F_GB second"))
    assert world.one("consensus F_GB", ReportMisbehaviour(evidence("F_SG", 1))).code == "unknown_party"
    assert world.one("consensus F_GB second", ReportMisbehaviour(evidence("F_SG", 1))).code == "ok"


@pytest.mark.parametrize(
    "change",
    [
        seat("F_SG"),
        UnseatAuthority(name_id("F_SG"), mark("reason")),
        AdmitNode(name_id("F_SG"), b"certificate", ADDRESS),
        DismissNode(name_id("F_SG"), mark("node")),
    ],
)
def test_a_change_is_read_back_from_its_encoding(change: Change) -> None:
    assert change_from(change_value(change), "change") == change
    assert change.subject == name_id("F_SG")


@pytest.mark.parametrize(
    ("index", "value", "field"),
    [
        (1, "F_SG", "change.party"),
        (2, b"short", "change.consensus_key"),
        (3, b"", "change.certificate"),
        (3, bytes(5000), "change.certificate"),
        (4, "no port", "change.address"),
        (4, "host:99999", "change.address"),
    ],
)
def test_bad_fields_are_named(index: int, value: object, field: str) -> None:
    row = change_value(seat("F_SG"))
    row[index] = value  # type: ignore[call-overload]
    with pytest.raises(FieldError) as caught:
        change_from(row, "change")
    assert caught.value.field == field


def test_node_entries_are_found_by_the_digest_of_their_certificate(five: World) -> None:
    entry = State(five.state.get).find(NodeEntry, digest(b"FIFTH"))
    assert entry == NodeEntry(digest(b"FIFTH"), FIFTH.id, b"FIFTH", ADDRESS)
