"""Claims outside this ledger: who may record one, what it asks of who funds, how it ends. It decides nothing."""

from __future__ import annotations

import pytest

from registry.events import severity_of
from registry.limits import EXTERNAL_CLAIMS_BY_MAX, EXTERNAL_CLAIMS_MAX, EXTERNAL_LOOKED_AT_MAX
from registry.money import WHOLE
from registry.records import decode_record
from registry.records.external_claims import ExternalClaim, ExternalClaims
from registry.rules.external_claims import to_look_at
from registry.state import State
from registry.transactions.claims import Discharge, Fund, Release
from registry.transactions.external_claims import EndExternalClaim, RecordExternalClaim, Shown
from registry.transactions.facilities import OpenFacility, Scope
from registry.transactions.governance import Admit
from registry.transactions.receivables import NO_DIGEST, Confirm
from tests.registry.world import STEP_MS, World, invoice, mark, name_id, party_of, salt_of

AS_DEBTOR: Shown = ("debtor", salt_of("a"), name_id("IMP_DE"))
SEARCHED: Shown = ("fingerprint", "exact", mark("exact a"))


@pytest.fixture
def world() -> World:
    return World()


def said(receivable: bytes, shown: Shown = (), **changes: object) -> RecordExternalClaim:
    """That RPETC knows of an assignment of all of it."""
    fields: dict[str, object] = {"source": "CL:RPETC", "reference": mark("AEC"), "assignee": mark("ST CAPITAL")}
    return RecordExternalClaim(receivable, shown, **(fields | changes))  # type: ignore[arg-type]


def recorded(world: World, receivable: bytes, by: str = "EXP_CN", **changes: object) -> bytes:
    receipt = world.one(by, said(receivable, **changes))  # type: ignore[arg-type]
    assert receipt.code == "ok", receipt
    return receipt.subject


def found(world: World, claim: bytes) -> ExternalClaim:
    return decode_record(ExternalClaim, world.state[ExternalClaim.PREFIX + claim])


def listed(world: World, receivable: bytes) -> ExternalClaims:
    return decode_record(ExternalClaims, world.state[ExternalClaims.PREFIX + receivable])


def ended(claim: bytes, ground: str = "released") -> EndExternalClaim:
    return EndExternalClaim(claim, ground, mark("letter"))


def test_the_seller_records_what_another_register_says_and_all_concerned_hear_of_it(world: World) -> None:
    receivable = world.registered("a")
    world.funded(receivable, to="F_CN", percent=10)
    world.offered(receivable, to="F_SG", percent=10)
    claim = recorded(world, receivable, concluded_ms=1, entered_ms=2, share=WHOLE // 2, grade="document")
    parties = tuple(sorted(map(name_id, ("EXP_CN", "F_CN", "F_SG"))))
    assert world.heard("external_claim_recorded") == [(claim, parties, "CL:RPETC")]
    assert severity_of("external_claim_recorded") == "warning"
    record = found(world, claim)
    assert (record.receivable, record.by, record.capacity) == (receivable, name_id("EXP_CN"), "registrant")
    assert (record.source, record.reference, record.assignee) == ("CL:RPETC", mark("AEC"), mark("ST CAPITAL"))
    assert (record.share, record.concluded_ms, record.entered_ms) == (WHOLE // 2, 1, 2)
    assert (record.grade, record.recorded_ms, record.stands) == ("document", world.now_ms, True)
    assert listed(world, receivable).claims == ((claim, name_id("EXP_CN"), True),)


def test_who_may_record_one_and_as_whom(world: World) -> None:
    receivable = world.registered("a")
    world.offered(receivable, to="F_SG")
    world.one(("EXP_CN", "F_GB"), facility(world))
    allowed: dict[str, tuple[Shown, str]] = {
        "EXP_CN": ((), "registrant"),
        "IMP_DE": (AS_DEBTOR, "debtor"),
        "F_SG": ((), "financier"),
        "F_GB": ((), "financier"),
        "F_DE": (SEARCHED, "searcher"),
    }
    for by, (shown, capacity) in allowed.items():
        assert found(world, recorded(world, receivable, by, shown=shown)).capacity == capacity, by
    refused: list[tuple[str, Shown, str]] = [
        ("F_DE", (), "not_authorised"),
        ("F_DE", ("fingerprint", "exact", mark("another invoice")), "not_authorised"),
        ("EXP_VN", SEARCHED, "not_authorised"),  # no financier: registering shows a seller what is there
        ("IMP_AE", (), "not_authorised"),
        ("IMP_AE", AS_DEBTOR, "not_debtor"),
        ("IMP_DE", ("debtor", mark("?"), name_id("IMP_DE")), "not_debtor"),
        ("stranger", (), "unknown_party"),
    ]
    for by, shown, code in refused:
        assert world.one(by, said(receivable, shown)).code == code, (by, shown)


def facility(world: World) -> OpenFacility:
    scope = Scope((), mark("filing"), world.now_ms + 86_400_000)
    return OpenFacility(name_id("EXP_CN"), name_id("F_GB"), mark("terms"), mark("rules"), scope)


def test_a_financier_whose_time_is_over_has_no_word_any_more(world: World) -> None:
    receivable = world.registered("a")
    world.one("F_CN", Release(world.funded(receivable, to="F_CN")))
    world.offered(receivable, to="F_SG")
    world.block([], after_ms=2 * 86_400_000)
    for by in ("F_CN", "F_SG"):
        assert world.one(by, said(receivable)).code == "not_authorised"


def test_a_regulator_changes_nothing(world: World) -> None:
    regulator = "lei:984500USIMPORT000143"
    world.govern(Admit(party_of("REGULATOR", regulator, "DE", ("regulator",))))
    assert world.one("REGULATOR", said(world.registered("a"), SEARCHED)).code == "not_authorised"


def test_the_debtor_alone_confirms_it_and_nobody_proves_it(world: World) -> None:
    receivable = world.registered("a")
    for grade in ("tax_verified", "customs_verified"):
        assert world.one("IMP_DE", said(receivable, AS_DEBTOR, grade=grade)).code == "grade_unproven"
    assert world.one("EXP_CN", said(receivable, grade="debtor_confirmed")).code == "grade_unproven"
    claim = recorded(world, receivable, "IMP_DE", shown=AS_DEBTOR, source="notice", grade="debtor_confirmed")
    assert found(world, claim).grade == "debtor_confirmed"


def test_a_debtor_that_is_known_or_registered_its_own_debt_opens_nothing(world: World) -> None:
    receivable = world.registered("a")
    shown = mark("commitment a")
    world.one("IMP_DE", Confirm(receivable, salt_of("a"), name_id("IMP_DE"), shown, WHOLE, mark("text")))
    assert found(world, recorded(world, receivable, "IMP_DE", source="notice")).capacity == "debtor"
    payable = world.registered("p", by="IMP_DE", kind="payable")
    assert found(world, recorded(world, payable, "IMP_DE", source="notice")).capacity == "debtor"


def test_it_is_about_something_that_is_there_and_has_happened(world: World) -> None:
    receivable = world.registered("a")
    soon = world.now_ms + 10 * STEP_MS
    assert world.one("EXP_CN", said(mark("?"))).code == "not_found"
    assert world.one("EXP_CN", said(receivable, concluded_ms=soon)).code == "impossible_time"
    assert world.one("EXP_CN", said(receivable, entered_ms=soon)).code == "impossible_time"
    assert world.one("EXP_CN", said(receivable, assignee="lei:984500USIMPORT000143")).code == "unknown_party"
    world.one("F_CN", Discharge(world.funded(receivable, percent=100), WHOLE))
    assert world.one("EXP_CN", said(receivable)).code == "bad_state"


def test_funding_says_of_every_one_that_it_was_looked_at(world: World) -> None:
    receivable = world.registered("a")
    claim = world.reserved(receivable)
    outside = [recorded(world, receivable, reference=mark(number)) for number in "12"]
    refused = world.one("F_CN", Fund(claim))
    assert (refused.code, refused.related) == ("unacknowledged_match", tuple(outside))
    assert world.heard("refused_claim")[0][2] == "unacknowledged_match"
    refused = world.one("F_CN", Fund(claim, (outside[0],)))
    assert (refused.code, refused.related) == ("unacknowledged_match", (outside[1],))
    assert world.one("F_CN", Fund(claim, tuple(outside))).code == "ok"


def test_it_is_acknowledged_in_one_list_with_the_matches(world: World) -> None:
    other = world.registered("a", fingerprints=(("number", mark("n")),))
    receivable = world.registered("b", fingerprints=(("number", mark("n")),))
    outside = recorded(world, receivable)
    claim = world.reserved(receivable)
    assert world.one("F_CN", Fund(claim)).related == (other, outside)
    assert world.one("F_CN", Fund(claim, (other,))).related == (outside,)
    assert world.one("F_CN", Fund(claim, (other, outside))).code == "ok"


def test_it_decides_nothing(world: World) -> None:
    receivable = world.registered("a")
    before = world.receivable(receivable)
    recorded(world, receivable)
    assert world.receivable(receivable) == before
    world.reserved(receivable, percent=100)


def test_what_stands_on_the_order_is_looked_at_when_the_invoice_is_funded_and_the_other_way_round(world: World) -> None:
    order = world.registered("order")
    one, two = (world.registered(tag, parents=((order, WHOLE // 2, WHOLE),)) for tag in ("one", "two"))
    on_order, on_one = recorded(world, order), recorded(world, one)
    for receivable, looked_at in ((one, (on_one, on_order)), (two, (on_order,)), (order, (on_order, on_one))):
        assert world.one("F_CN", Fund(world.reserved(receivable, percent=1))).related == looked_at


def test_a_correction_does_not_shake_it_off(world: World) -> None:
    receivable = world.registered("a")
    outside = recorded(world, receivable)
    over = recorded(world, receivable, reference=mark("older"))
    world.one("EXP_CN", ended(over))
    corrected = world.one("EXP_CN", invoice("b", supersedes=receivable)).subject
    assert (found(world, outside).receivable, found(world, over).receivable) == (corrected, receivable)
    assert world.one("F_CN", Fund(world.reserved(corrected))).related == (outside,)
    assert world.one("EXP_CN", ended(outside)).code == "ok"
    assert listed(world, corrected).standing == ()


def test_it_is_ended_by_who_recorded_it_or_by_the_member_it_is_of_with_the_ground(world: World) -> None:
    receivable = world.registered("a")
    claim = world.reserved(receivable)
    mine, theirs = (recorded(world, receivable, reference=mark(tag), assignee=name_id("F_BR")) for tag in "12")
    assert world.heard("external_claim_recorded")[0][1] == tuple(sorted(map(name_id, ("EXP_CN", "F_CN", "F_BR"))))
    assert world.one("F_CN", ended(mine)).code == "not_authorised"
    assert world.one("F_CN", ended(mark("?"))).code == "not_found"
    assert world.one("EXP_CN", ended(mine, "mistaken")).code == "ok"
    assert world.heard("external_claim_ended")[0][2] == "mistaken"
    assert world.one("F_BR", ended(theirs, "paid")).code == "ok"
    record = found(world, theirs)
    assert (record.stands, record.ground, record.ended_by) == (False, "paid", name_id("F_BR"))
    assert (record.ended_ms, record.end_digest) == (world.now_ms, mark("letter"))
    assert world.one("EXP_CN", ended(mine)).code == "already_done"
    assert world.one("F_CN", Fund(claim)).code == "ok"


def test_each_speaks_for_itself_and_says_it_once(world: World) -> None:
    receivable = world.registered("a")
    mine = recorded(world, receivable)
    again = world.one("EXP_CN", said(receivable))
    assert (again.code, again.related) == ("already_done", (mine,))
    theirs = recorded(world, receivable, "IMP_DE", shown=AS_DEBTOR)
    world.one("EXP_CN", ended(mine))
    assert listed(world, receivable).standing == (theirs,)
    recorded(world, receivable)  # what was ended may be recorded anew


def test_one_party_cannot_fill_the_list_and_strangers_leave_room_for_seller_and_debtor(world: World) -> None:
    receivable = world.registered("a")
    names = ["F_CN", "F_SG", "F_DE", "F_GB", "F_BR"]
    names += [newcomer(world, index) for index in range(EXTERNAL_CLAIMS_MAX // EXTERNAL_CLAIMS_BY_MAX - 7)]
    for by in names:
        for number in range(EXTERNAL_CLAIMS_BY_MAX):
            recorded(world, receivable, by, shown=SEARCHED, reference=mark(str(number)))
        assert world.one(by, said(receivable, SEARCHED)).code == "limit_reached"
    assert world.one(newcomer(world, len(names)), said(receivable, SEARCHED)).code == "limit_reached"
    for by, shown in (("EXP_CN", ()), ("IMP_DE", AS_DEBTOR)):
        for number in range(EXTERNAL_CLAIMS_BY_MAX):
            recorded(world, receivable, by, shown=shown, reference=mark(str(number)))
        assert world.one(by, said(receivable, shown)).code == "limit_reached"
    assert len(listed(world, receivable).claims) == EXTERNAL_CLAIMS_MAX


def test_what_was_ended_takes_up_no_place(world: World) -> None:
    """Who recorded and ended what there was would keep everybody else out for good."""
    receivable = world.registered("a")
    for number in range(2 * EXTERNAL_CLAIMS_BY_MAX):
        claim = recorded(world, receivable, "F_CN", shown=SEARCHED, reference=mark(str(number)))
        assert world.one("F_CN", ended(claim)).code == "ok"
    assert len(listed(world, receivable).claims) == 1, "the last one, until the next is recorded"
    recorded(world, receivable)


def newcomer(world: World, index: int) -> str:
    """One more financier."""
    name = f"N{index}"
    world.govern(Admit(party_of(name, f"tax:US98765432{index}", "US", ("financier",))))
    return name


def test_of_very_many_in_a_lineage_the_first_are_looked_at(world: World) -> None:
    """No more than one funding can say that it has looked at: it must not be a way to stop business."""
    order = world.registered("order")
    many = [world.registered(str(number), parents=((order, WHOLE // 100, WHOLE),)) for number in range(50)]
    for child in many:
        for number in range(EXTERNAL_CLAIMS_BY_MAX):
            recorded(world, child, reference=mark(str(number)))
    own = recorded(world, order)
    looked_at = to_look_at(State(world.state.get), world.receivable(order))
    assert (len(looked_at), looked_at[0]) == (EXTERNAL_LOOKED_AT_MAX, own)
    assert world.one("F_CN", Fund(world.reserved(order), looked_at)).code == "ok"


def test_who_it_concerns(world: World) -> None:
    receivable = world.registered("a")
    named = found(world, recorded(world, receivable, assignee=name_id("F_BR")))
    assert named.concerns() == tuple(sorted((name_id("EXP_CN"), name_id("F_BR"))))
    unnamed = found(world, recorded(world, receivable, assignee=NO_DIGEST))
    assert (unnamed.concerns(), unnamed.member) == ((name_id("EXP_CN"),), "")
