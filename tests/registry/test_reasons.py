"""Every reason code is produced by some rule, and every code a rule gives is documented."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from registry import reasons
from registry.codec import decode, encode
from registry.money import WHOLE
from registry.parties import Party
from registry.reasons import REASONS
from registry.receipts import Receipt
from registry.state import party_key
from registry.transactions.claims import Fund, Offer, Release, Reserve
from registry.transactions.contacts import AskContact
from registry.transactions.governance import Approve
from registry.transactions.receivables import Confirm
from tests.registry.world import World, invoice, mark, name_id, salt_of

RULES_FOLDER = Path(reasons.__file__).parent / "rules"


def suspended(world: World) -> Receipt:
    key = party_key(name_id("EXP_CN"))
    world.state[key] = encode(replace(Party.decode(decode(world.state[key])), suspended=True).encode())
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


def encumbered(world: World) -> Receipt:
    receivable = world.registered("a")
    world.reserved(receivable)
    return world.one("EXP_CN", invoice("b", supersedes=receivable))


def asked_about_another(world: World) -> Receipt:
    own, other = world.registered("a"), world.registered("b", by="EXP_VN")
    return world.one("EXP_CN", AskContact(own, other, mark("text"), "en"))


CASES: dict[str, Callable[[World], Receipt]] = {
    "ok": lambda world: world.one("EXP_CN", invoice("a")),
    "already_done": released_twice,
    "bad_state": lambda world: world.one("F_CN", Fund(world.offered(world.registered("a")))),
    "duplicate": twice,
    "encumbered": encumbered,
    "expired": lapsed,
    "grade_unproven": lambda world: world.one("EXP_CN", invoice("a", grade="tax_verified")),
    "limit_reached": limit_reached,
    "no_match": asked_about_another,
    "not_authorised": lambda world: world.one("F_CN", invoice("a")),
    "not_debtor": not_debtor,
    "not_found": lambda world: world.one("F_CN", Approve(mark("?"))),
    "not_holder": lambda world: world.one("F_SG", Release(world.reserved(world.registered("a")))),
    "not_offered": lambda world: world.one("F_SG", Reserve(world.offered(world.registered("a")), 1)),
    "offer_expired": offer_expired,
    "other_particulars": other_particulars,
    "over_parent": over_parent,
    "over_residual": over_residual,
    "rolled_back": lambda world: world.do("EXP_CN", invoice("a"), invoice("a"), mode="all")[0],
    "suspended": suspended,
    "unacknowledged_match": unacknowledged_match,
    "unknown_party": lambda world: world.one("stranger", invoice("a")),
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
