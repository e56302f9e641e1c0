"""Every reason code is produced by some rule, and every code a rule gives is documented."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from registry import reasons
from registry.money import WHOLE
from registry.reasons import REASONS
from registry.receipts import Receipt
from registry.transactions.attestations import Attest
from registry.transactions.authorities import ReportMisbehaviour
from registry.transactions.claims import Fund, Offer, Release, Reserve
from registry.transactions.contacts import AskContact
from registry.transactions.disputes import ConcludeDispute, RaiseDispute
from registry.transactions.facilities import CertifyBase, OpenFacility, Scope
from registry.transactions.governance import Approve, Propose, Suspend
from registry.transactions.notices import Acknowledge, Deem, Notify, ProveReceipt
from registry.transactions.operations import Operation
from registry.transactions.parties import AddKey, RevokeKey
from registry.transactions.receivables import Confirm
from tests.registry.world import World, invoice, key_of, mark, name_id, salt_of

RULES_FOLDER = Path(reasons.__file__).parent / "rules"


def suspended(world: World) -> Receipt:
    world.govern(Suspend(name_id("EXP_CN"), mark("reason")))
    return world.one("EXP_CN", invoice("a"))


def no_quorum(world: World) -> Receipt:
    world.govern(Suspend(name_id("F_GB"), mark("reason")))
    return world.one("F_CN", Propose(Suspend(name_id("F_DE"), mark("reason"))))


def kyc(world: World, *, issued_ms: int, valid_ms: int) -> Receipt:
    dates = world.now_ms + issued_ms, world.now_ms + valid_ms
    return world.one("F_CN", Attest(name_id("EXP_CN"), "kyc", mark("provider"), mark("result"), *dates))


def attestation_lapsed(world: World) -> Receipt:
    kyc(world, issued_ms=0, valid_ms=1_500)
    world.block([])
    return world.one("EXP_CN", invoice("a"))


def over_parent(world: World) -> Receipt:
    parent = world.registered("order")
    world.registered("a", parents=((parent, WHOLE, WHOLE),))
    return world.one("EXP_CN", invoice("b", parents=((parent, 1, WHOLE),)))


def over_residual(world: World) -> Receipt:
    receivable = world.registered("a")
    world.funded(receivable, to="F_CN")
    return world.one("F_SG", Reserve(world.offered(receivable, to="F_SG"), 1))


def unacknowledged_match(world: World) -> Receipt:
    tags = [world.registered(tag, fingerprints=(("number", mark("n")),)) for tag in "ab"]
    return world.one("F_CN", Fund(world.reserved(tags[1])))


def twice(world: World) -> Receipt:
    world.registered("a")
    return world.one("EXP_CN", invoice("a"))


def lapsed(world: World) -> Receipt:
    claim = world.offered(world.registered("a"))
    world.one("F_CN", Reserve(claim, 1))
    world.block([])
    return world.one("F_CN", Fund(claim))


def released_twice(world: World) -> Receipt:
    claim = world.reserved(world.registered("a"))
    world.one("F_CN", Release(claim))
    return world.one("F_CN", Release(claim))


def limit_reached(world: World) -> Receipt:
    parent = world.registered("0")
    for level in range(1, 8):
        parent = world.registered(str(level), parents=((parent, WHOLE, WHOLE),))
    return world.one("EXP_CN", invoice("8", parents=((parent, WHOLE, WHOLE),)))


def offer_expired(world: World) -> Receipt:
    receivable = world.registered("a")
    return world.one("EXP_CN", Offer(receivable, name_id("F_CN"), 1, mark("terms"), 0))


def not_debtor(world: World) -> Receipt:
    receivable = world.registered("a")
    return world.one("IMP_DE", Confirm(receivable, mark("?"), name_id("IMP_DE"), mark("?"), WHOLE, mark("text")))


def other_particulars(world: World) -> Receipt:
    receivable = world.registered("a")
    shown = Confirm(receivable, salt_of("a"), name_id("IMP_DE"), mark("another invoice"), WHOLE, mark("text"))
    return world.one("IMP_DE", shown)


def raised(world: World) -> tuple[bytes, bytes]:
    """A receivable that its debtor disputes, and the dispute."""
    receivable = world.registered("a")
    standing = ("debtor", salt_of("a"), name_id("IMP_DE"))
    receipt = world.one("IMP_DE", RaiseDispute(receivable, standing, "set_off", WHOLE, mark("text"), "en"))
    return receivable, receipt.subject


def disputed(world: World) -> Receipt:
    receivable, _ = raised(world)
    return world.one("EXP_CN", Offer(receivable, name_id("F_CN"), 1, mark("terms"), world.now_ms + 10**6))


def out_of_time(world: World) -> Receipt:
    return world.one("EXP_CN", ConcludeDispute(raised(world)[1]))


def encumbered(world: World) -> Receipt:
    receivable = world.registered("a")
    world.reserved(receivable)
    return world.one("EXP_CN", invoice("b", supersedes=receivable))


def asked_about_another(world: World) -> Receipt:
    own, other = world.registered("a"), world.registered("b", by="EXP_VN")
    return world.one("EXP_CN", AskContact(own, other, mark("text"), "en"))


def impossible_time(world: World) -> Receipt:
    receivable, late = world.registered("a"), world.now_ms + 3_600_000
    return world.one("EXP_CN", Offer(receivable, name_id("F_CN"), 1, mark("terms"), late, concluded_ms=late))


def received(world: World, *, days: int) -> Receipt:
    """Deem what a debtor in Chile provably received, so many days after it did."""
    receivable = world.registered("a", seller_country="CL", debtor_country="CL")
    notice = world.one("F_CN", Notify(world.funded(receivable), "courier", "en", mark("text"), mark("account"))).subject
    world.one("F_CN", ProveReceipt(notice, world.now_ms, mark("slip")))
    world.block([], after_ms=days * 86_400_000)
    return world.one("F_CN", Deem(notice))


def noticed(world: World, operation: Callable[[bytes], Operation], by: str, **changes: object) -> Receipt:
    """An operation on the notice of a funded claim."""
    claim = world.funded(world.registered("a", **changes))
    return world.one(by, operation(world.one("F_CN", Notify(claim, "post", "en", mark("t"), mark("account"))).subject))


def double_confirmed(world: World) -> Receipt:
    prints = (("debtor_side", mark("one debt")),)
    owed = [world.registered("a", fingerprints=prints), world.registered("b", by="EXP_VN", fingerprints=prints)]
    for receivable, tag in zip(owed, "ab", strict=True):
        shown = mark(f"commitment {tag}")
        world.one("IMP_DE", Confirm(receivable, salt_of(tag), name_id("IMP_DE"), shown, WHOLE, mark("text")))
    return world.one("F_CN", Fund(world.reserved(owed[1], by="EXP_VN"), (owed[0],)))


def facility(world: World, to: str = "F_GB") -> bytes:
    scope = Scope((), mark("filing"), world.now_ms + 86_400_000)
    opened = OpenFacility(name_id("EXP_CN"), name_id(to), mark("terms"), mark("rules"), scope)
    return world.do(("EXP_CN", to), opened)[0].subject


def under_blanket(world: World) -> Receipt:
    facility(world)
    return world.one("F_SG", Reserve(world.offered(world.registered("a"), to="F_SG"), 1))


def certified_for_tomorrow(world: World) -> Receipt:
    return world.do(("EXP_CN", "F_GB"), CertifyBase(facility(world), 21000101, mark("base"), "covered"))[0]


CASES: dict[str, Callable[[World], Receipt]] = {
    "ok": lambda world: world.one("EXP_CN", invoice("a")),
    "already_done": released_twice,
    "attestation_lapsed": attestation_lapsed,
    "bad_dates": lambda world: kyc(world, issued_ms=60_000, valid_ms=120_000),
    "bad_date": certified_for_tomorrow,
    "blanket": under_blanket,
    "bad_state": lambda world: world.one("F_CN", Fund(world.offered(world.registered("a")))),
    "duplicate": twice,
    "encumbered": encumbered,
    "expired": lapsed,
    "grade_unproven": lambda world: world.one("EXP_CN", invoice("a", grade="tax_verified")),
    "impossible_time": impossible_time,
    "last_key": lambda world: world.one("EXP_CN", RevokeKey(key_of("EXP_CN").public_key)),
    "limit_reached": limit_reached,
    "no_match": asked_about_another,
    "no_parent": lambda world: world.one("EXP_CN", invoice("a", kind="instalment")),
    "not_authorised": lambda world: world.one("F_CN", invoice("a")),
    "not_debtor": not_debtor,
    "not_found": lambda world: world.one("F_CN", Approve(mark("?"))),
    "not_holder": lambda world: world.one("F_SG", Release(world.reserved(world.registered("a")))),
    "not_offered": lambda world: world.one("F_SG", Reserve(world.offered(world.registered("a")), 1)),
    "no_quorum": no_quorum,
    "offer_expired": offer_expired,
    "other_particulars": other_particulars,
    "over_parent": over_parent,
    "over_residual": over_residual,
    "rolled_back": lambda world: world.do("EXP_CN", invoice("a"), invoice("a"), mode="all")[0],
    "suspended": suspended,
    "unacknowledged_match": unacknowledged_match,
    "disputed": disputed,
    "out_of_time": out_of_time,
    "unknown_party": lambda world: world.one("stranger", invoice("a")),
    "double_confirmed": double_confirmed,
    "no_deemed_acceptance": lambda world: noticed(world, Deem, "F_CN"),
    "not_received": lambda world: noticed(world, Deem, "F_CN", seller_country="CL", debtor_country="CL"),
    "other_notice": lambda world: noticed(
        world,
        lambda notice: Acknowledge(notice, name_id("IMP_DE"), mark("?"), mark("account"), False, salt_of("a")),
        "IMP_DE",
    ),
    "key_unproven": lambda world: world.one("EXP_CN", AddKey(mark("a key of another's"))),
    "not_proven": lambda world: world.one("F_CN", ReportMisbehaviour(b"no evidence")),
    "too_early": lambda world: received(world, days=8),
}


@pytest.mark.parametrize("code", sorted(REASONS))
def test_every_code_is_produced(code: str) -> None:
    assert CASES[code](World()).code == code


def test_the_list_is_closed() -> None:
    names = {name for name in reasons.__all__ if name != "REASONS"}
    assert {getattr(reasons, name) for name in names} == set(REASONS)
    assert all(getattr(reasons, name) == name.lower() for name in names)
    assert all(meaning.endswith(".") for meaning in REASONS.values())


def test_rules_refuse_only_with_codes_of_the_list() -> None:
    """No rule makes up a code: the first argument of every `Refusal` is a name from `reasons`, or an obstacle's."""
    for path in RULES_FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal":
                assert isinstance(node.args[0], ast.Name), ast.unparse(node)
                assert node.args[0].id in {*reasons.__all__, "obstacle"}, ast.unparse(node)
