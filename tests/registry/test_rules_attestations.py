"""Attestations: who gives them, and what a party whose attestations have lapsed cannot do (registry.md 3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.limits import ATTESTATIONS_MAX
from registry.parties import ATTESTATION_KINDS, Attested
from registry.receipts import Receipt
from registry.records import decode_record
from registry.records.attestations import Attestation
from registry.rules.attestations import lapsed
from registry.transactions.attestations import Attest, WithdrawAttestation
from registry.transactions.claims import Fund, Release
from registry.transactions.governance import Admit, Amend
from registry.transactions.receivables import Adjust
from tests.registry.world import STEP_MS, World, invoice, mark, name_id, party_of

LONG_MS = 10**9


@pytest.fixture
def world() -> World:
    return World()


def attested(world: World, by: str, party: str, kind: str = "kyc", *, valid_ms: int = LONG_MS) -> Receipt:
    """What becomes of an attestation that is live for so long after the block that has it."""
    dates = world.now_ms, world.now_ms + STEP_MS + valid_ms
    return world.one(by, Attest(name_id(party), kind, name_id("F_BR"), mark("result"), *dates))


def registers(world: World, tag: str) -> str:
    return world.one("EXP_CN", invoice(tag)).code


def test_the_record_says_who_vouches_for_what(world: World) -> None:
    receipt = attested(world, "F_CN", "EXP_CN")
    record = decode_record(Attestation, world.state[Attestation.PREFIX + receipt.subject])
    assert (record.party, record.author, record.kind) == (name_id("EXP_CN"), name_id("F_CN"), "kyc")
    assert (record.provider, record.result_digest, record.state) == (name_id("F_BR"), mark("result"), "given")
    assert world.party("EXP_CN").attestations == (Attested(receipt.subject, name_id("F_CN"), "kyc", record.expires_ms),)
    assert world.heard("attested") == [(receipt.subject, tuple(sorted((record.party, record.author))), "kyc")]


def test_it_expires_by_time_alone_and_the_record_says_when(world: World) -> None:
    receipt = attested(world, "F_CN", "EXP_CN")
    record = decode_record(Attestation, world.state[Attestation.PREFIX + receipt.subject])
    assert record.state_at(record.expires_ms) == "given"
    assert record.state_at(record.expires_ms + 1) == "expired"
    assert world.one("F_CN", WithdrawAttestation(receipt.subject)).done
    withdrawn = decode_record(Attestation, world.state[Attestation.PREFIX + receipt.subject])
    assert withdrawn.state_at(record.expires_ms + 1) == "withdrawn"


def test_who_may_attest(world: World) -> None:
    for by in ("EXP_VN", "IMP_DE"):
        assert attested(world, by, "EXP_CN").code == "not_authorised"
    assert attested(world, "F_CN", "F_CN").code == "not_authorised"  # nobody vouches for itself
    assert attested(world, "F_BR", "EXP_CN").code == "ok"  # a financier that is no authority
    unknown = Attest("lei:984500USIMPORT000143", "kyc", mark("p"), mark("r"), world.now_ms, world.now_ms + LONG_MS)
    assert world.one("F_CN", unknown).code == "unknown_party"
    for dates in ((world.now_ms - 2, world.now_ms - 1), (world.now_ms + LONG_MS, world.now_ms + 2 * LONG_MS)):
        assert world.one("F_CN", Attest(name_id("EXP_CN"), "kyc", mark("p"), mark("r"), *dates)).code == "bad_dates"


def test_registering_needs_a_live_attestation_of_every_kind_there_is(world: World) -> None:
    assert registers(world, "never attested") == "ok"
    attested(world, "F_CN", "EXP_CN", "kyc", valid_ms=4 * STEP_MS)
    attested(world, "F_CN", "EXP_CN", "aml")
    assert registers(world, "both live") == "ok"
    world.block([], after_ms=5 * STEP_MS)
    assert registers(world, "kyc is over") == "attestation_lapsed"
    attested(world, "F_SG", "EXP_CN", "kyc")  # by another financier
    assert registers(world, "renewed") == "ok"


def test_an_attestation_lapses_after_its_last_millisecond(world: World) -> None:
    attested(world, "F_CN", "EXP_CN", valid_ms=STEP_MS)
    assert registers(world, "at its end") == "ok"
    world.block([], after_ms=1)
    assert registers(world, "after it") == "attestation_lapsed"


@pytest.mark.parametrize("party", ["EXP_CN", "F_CN"])
def test_funding_needs_live_attestations_of_both_sides(world: World, party: str) -> None:
    claim = world.reserved(world.registered("a"), to="F_CN")
    attested(world, "F_SG", party, valid_ms=STEP_MS)
    world.block([], after_ms=3 * STEP_MS)
    assert world.one("F_CN", Fund(claim)).code == "attestation_lapsed"
    attested(world, "F_SG", party)
    assert world.one("F_CN", Fund(claim)).code == "ok"


def test_what_a_lapsed_party_has_stays_and_can_be_ended(world: World) -> None:
    receivable = world.registered("a")
    claim = world.funded(receivable)
    attested(world, "F_SG", "EXP_CN", valid_ms=1)
    world.block([])
    assert world.one("EXP_CN", Adjust(receivable, 1, mark("credit note"))).code == "ok"
    assert world.one("F_CN", Release(claim)).code == "ok"


def test_a_withdrawn_attestation_is_none(world: World) -> None:
    first, second = attested(world, "F_CN", "EXP_CN").subject, attested(world, "F_SG", "EXP_CN").subject
    assert world.one("F_SG", WithdrawAttestation(first)).code == "not_authorised"
    assert world.one("F_CN", WithdrawAttestation(mark("?"))).code == "not_found"
    assert world.one("F_CN", WithdrawAttestation(first)).code == "ok"
    assert world.one("F_CN", WithdrawAttestation(first)).code == "already_done"
    assert registers(world, "one is left") == "ok"
    assert world.one("F_SG", WithdrawAttestation(second)).code == "ok"
    assert registers(world, "none is left") == "attestation_lapsed"
    assert decode_record(Attestation, world.state[Attestation.PREFIX + first]).state == "withdrawn"


def test_several_attestations_of_one_block_all_count(world: World) -> None:
    dates = world.now_ms, world.now_ms + LONG_MS
    by = [
        world.transaction(name, Attest(name_id("EXP_CN"), kind, mark("p"), mark("r"), *dates))
        for name in ("F_CN", "F_SG")
        for kind in ATTESTATION_KINDS
    ]
    assert {receipt.code for receipt in world.block(by).receipts} == {"ok"}
    assert len(world.party("EXP_CN").attestations) == 2 * len(ATTESTATION_KINDS)


def test_the_newest_of_an_author_and_kind_counts(world: World) -> None:
    attested(world, "F_CN", "EXP_CN")
    newest = attested(world, "F_CN", "EXP_CN").subject
    assert [entry.attestation for entry in world.party("EXP_CN").attestations] == [newest]


def test_a_party_is_attested_by_so_many(world: World) -> None:
    """Nine financiers say all they can; the record holds `ATTESTATIONS_MAX` of it, and says so."""
    world.govern(Amend(name_id("EXP_VN"), add_roles=("financier",)))
    world.govern(Amend(name_id("IMP_DE"), add_roles=("financier",)))
    world.govern(Amend(name_id("IMP_AE"), add_roles=("financier",)))
    world.govern(Admit(party_of("NEW", "lei:984500USIMPORT000143", "US", ("financier",))))
    financiers = ("F_CN", "F_SG", "F_DE", "F_GB", "F_BR", "EXP_VN", "IMP_DE", "IMP_AE", "NEW")
    codes = [attested(world, by, "EXP_CN", kind).code for by in financiers for kind in ATTESTATION_KINDS]
    assert codes == ["ok"] * ATTESTATIONS_MAX + ["limit_reached"] * (len(codes) - ATTESTATIONS_MAX)
    assert attested(world, "F_CN", "EXP_CN").code == "ok"  # a newer one takes the place of its older one


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["F_CN", "F_SG"]),
        st.sampled_from(["kyc", "aml"]),
        st.integers(1, 4 * STEP_MS),
        st.integers(0, 9),
        st.booleans(),
    ),
    max_size=12,
)


@given(ACTS)
def test_a_party_has_lapsed_when_a_kind_has_no_live_one(acts: list[tuple[str, str, int, int, bool]]) -> None:
    """Against an account of its own: the newest word of each author on each kind."""
    world = World()
    newest: dict[tuple[str, str], tuple[bytes, int]] = {}
    for by, kind, valid_ms, pick, withdraw in acts:
        mine = [key for key in newest if key[0] == by]
        if withdraw and mine:
            chosen = mine[pick % len(mine)]
            world.one(by, WithdrawAttestation(newest[chosen][0]))
            newest[chosen] = newest[chosen][0], 0
        else:
            receipt = attested(world, by, "EXP_CN", kind, valid_ms=valid_ms)
            newest[by, kind] = receipt.subject, world.now_ms + valid_ms
        kinds = {kind for _, kind in newest}
        live = {kind for (_, kind), (_, until_ms) in newest.items() if until_ms >= world.now_ms}
        assert lapsed(world.party("EXP_CN"), world.now_ms) == (kinds != live)
