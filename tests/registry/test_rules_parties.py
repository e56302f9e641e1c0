"""Keys: added, revoked and recovered by height, with one owner for ever (registry.md 3)."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.keys import prove_possession
from registry.parties import SIGN_KEYS_MAX, Party
from registry.transactions.claims import Release
from registry.transactions.governance import Admit, Propose, ReplaceOwnerKey, Suspend
from registry.transactions.operations import Operation
from registry.transactions.parties import AddKey, Recover, RevokeKey, SetHome, SetReceiveKey
from tests.registry.world import MEMBERS, World, genesis, invoice, key_of, mark, name_id, party_of


@pytest.fixture
def world() -> World:
    return World()


def key(name: str) -> bytes:
    return key_of(name).public_key


def proof(name: str, party: str, purpose: str, chain: bytes | None = None) -> bytes:
    """The proof of a key for a member."""
    return prove_possession(key_of(name), genesis().id if chain is None else chain, name_id(party), purpose)


def test_a_key_is_rotated_and_the_old_one_is_nobodys(world: World) -> None:
    assert world.one("EXP_CN", AddKey(key("EXP_CN new"))).code == "ok"
    assert world.one("EXP_CN new", invoice("by the new")).code == "ok"
    assert world.one("EXP_CN new", RevokeKey(key("EXP_CN"))).code == "ok"
    assert world.one("EXP_CN", invoice("by the old")).code == "unknown_party"
    assert world.party("EXP_CN").sign_keys == (key("EXP_CN new"),)


def test_a_change_of_keys_holds_from_the_next_height(world: World) -> None:
    change = world.transaction("EXP_CN", AddKey(key("new")), RevokeKey(key("EXP_CN")))
    by_new, by_old = world.transaction("new", invoice("a")), world.transaction("EXP_CN", invoice("b"))
    assert [receipt.code for receipt in world.block([change, by_new, by_old]).receipts] == [
        *("ok", "ok"),
        "unknown_party",
        "ok",
    ]
    assert world.one("new", invoice("c")).code == "ok"


def test_what_an_earlier_key_signed_stays(world: World) -> None:
    claim = world.funded(world.registered("a"))
    world.do("F_CN", AddKey(key("F_CN new")), RevokeKey(key("F_CN")))
    assert world.claim(claim).state == "funded"
    assert world.one("F_CN new", Release(claim)).code == "ok"


def test_a_party_keeps_a_key_and_has_a_bounded_number(world: World) -> None:
    assert world.one("EXP_CN", RevokeKey(key("EXP_CN"))).code == "last_key"
    more = [AddKey(key(f"more {number}")) for number in range(SIGN_KEYS_MAX)]
    codes = [receipt.code for receipt in world.do("EXP_CN", *more)]
    assert codes == ["ok"] * (SIGN_KEYS_MAX - 1) + ["limit_reached"]
    last = [RevokeKey(sign_key) for sign_key in reversed(world.party("EXP_CN").sign_keys)]  # the signing one last
    assert [receipt.code for receipt in world.do("EXP_CN", *last)][-2:] == ["ok", "last_key"]


@pytest.mark.parametrize("taken", ["EXP_CN", "F_SG", "owner EXP_CN", "owner F_SG", "EXP_CN revoked"])
def test_no_key_is_used_twice(world: World, taken: str) -> None:
    world.do("EXP_CN", AddKey(key("EXP_CN revoked")))
    world.do("EXP_CN", RevokeKey(key("EXP_CN revoked")))
    newcomer = party_of("NEW", "lei:984500USIMPORT000143", "US", ("debtor",))
    for by in ("EXP_CN", "EXP_VN"):
        assert world.one(by, AddKey(key(taken))).code == "duplicate"
        assert world.one(by, SetReceiveKey(key(taken))).code == "duplicate"
        assert world.one(f"owner {by}", Recover((key(taken),))).code == "duplicate"
    for field in ({"owner_key": key(taken)}, {"receive_key": key(taken)}, {"sign_keys": (key(taken),)}):
        party = Party(**({name: getattr(newcomer, name) for name in Party.__slots__} | field))  # type: ignore[arg-type]
        assert world.one("F_CN", Propose(Admit(party))).code == "duplicate"
    assert world.one("F_CN", Propose(ReplaceOwnerKey(name_id("EXP_VN"), key(taken)))).code == "duplicate"


def test_only_ones_own_keys_are_revoked(world: World) -> None:
    for other in (key("F_SG"), key("owner EXP_CN"), mark("nobody's")):
        assert world.one("EXP_CN", RevokeKey(other)).code == "not_found"


def test_documents_are_sent_elsewhere_and_under_another_key(world: World) -> None:
    assert world.one("EXP_CN", SetReceiveKey(mark("x25519"))).code == "ok"
    assert world.one("EXP_CN", SetReceiveKey(mark("x25519"))).code == "already_done"
    assert world.one("EXP_CN", SetHome("https://node.example")).code == "ok"
    assert world.one("EXP_CN", SetHome("https://node.example")).code == "already_done"
    party = world.party("EXP_CN")
    assert (party.receive_key, party.home) == (mark("x25519"), "https://node.example")


def test_whoever_takes_a_key_to_receive_under_keeps_nobody_from_it(world: World) -> None:
    """Nothing proves that a receive key is one's own, so it stands in no other key's way: the taker reads nothing."""
    newcomer = party_of("NEW", "lei:984500USIMPORT000143", "US", ("debtor",), receive_key=mark("x25519 NEW"))
    for wanted in (key("NEW"), key("owner NEW"), newcomer.receive_key, key("next"), mark("x25519 EXP_CN")):
        assert world.one("IMP_AE", SetReceiveKey(wanted)).code == "ok"
    world.govern(Admit(newcomer))
    world.govern(ReplaceOwnerKey(name_id("EXP_VN"), key("next owner")))
    assert world.one("EXP_CN", AddKey(key("next"))).code == "ok"
    assert world.one("EXP_CN", SetReceiveKey(mark("x25519 EXP_CN"))).code == "ok"
    assert world.one("NEW", SetReceiveKey(mark("x25519 NEW 2"))).code == "ok"


def test_a_thief_does_not_keep_the_owner_from_recovering_by_receiving_under_its_next_keys(world: World) -> None:
    """The thief's transaction may stand first in the block: both are the same party's."""
    recovery = world.transaction("owner EXP_CN", Recover((key("a"),), (mark("x25519"),)))
    thief = world.transaction("EXP_CN", SetReceiveKey(key("a")), SetReceiveKey(mark("x25519")))
    assert [receipt.code for receipt in world.block([thief, recovery]).receipts] == ["ok", "ok", "ok"]
    assert world.party("EXP_CN").sign_keys == (key("a"),)
    assert world.party("EXP_CN").receive_key == mark("x25519")


@pytest.mark.parametrize(
    "wrong",
    [
        bytes(range(64)),
        proof("next", "EXP_VN", "add_key"),  # for another party
        proof("next", "EXP_CN", "recover"),  # for another purpose: what waits in a recovery is not used up here
        proof("next", "EXP_CN", "add_key", mark("another chain")),
        proof("EXP_CN", "EXP_CN", "add_key"),  # by another key
    ],
)
def test_a_key_that_does_not_prove_itself_is_not_added(world: World, wrong: bytes) -> None:
    refused = world.one("EXP_CN", AddKey(key("next"), wrong))
    assert (refused.code, refused.subject) == ("key_unproven", key("next"))
    assert world.one("EXP_CN", AddKey(key("next"), proof("next", "EXP_CN", "add_key"))).code == "ok"


def test_a_thief_does_not_keep_the_owner_from_recovering_by_taking_its_next_keys(world: World) -> None:
    """It sees them, and their proofs, in the recovery that waits, and stands before it in the block."""
    seen = proof("a", "EXP_CN", "recover")
    recovery = world.transaction("owner EXP_CN", Recover((key("a"),), (), (seen,)))
    thief = world.transaction("EXP_CN", AddKey(key("a"), seen))
    assert [receipt.code for receipt in world.block([thief, recovery]).receipts] == ["key_unproven", "ok"]
    assert world.party("EXP_CN").sign_keys == (key("a"),)


@pytest.mark.parametrize("proofs", [("a",), ("b", "a"), ("a", "c"), ("a", "b", "c")])
def test_every_key_of_a_recovery_proves_itself(world: World, proofs: tuple[str, ...]) -> None:
    shown = tuple(proof(name, "EXP_CN", "recover") for name in proofs)
    assert world.one("owner EXP_CN", Recover((key("a"), key("b")), (), shown)).code == "key_unproven"
    shown = tuple(proof(name, "EXP_CN", "recover") for name in "ab")
    assert world.one("owner EXP_CN", Recover((key("a"), key("b")), (), shown)).code == "ok"


def test_an_owner_key_that_governance_brings_proves_itself(world: World) -> None:
    change = ReplaceOwnerKey(name_id("EXP_CN"), key("next"), proof("next", "EXP_VN", "replace_owner_key"))
    assert world.one("F_CN", Propose(change)).code == "key_unproven"
    world.govern(ReplaceOwnerKey(name_id("EXP_CN"), key("next"), proof("next", "EXP_CN", "replace_owner_key")))


def test_the_owner_key_replaces_every_signing_key(world: World) -> None:
    world.one("EXP_CN", AddKey(key("thief")))
    world.one("thief", RevokeKey(key("EXP_CN")))
    assert world.one("owner EXP_CN", Recover((key("a"), key("b")), (mark("x25519"),))).code == "ok"
    assert world.one("thief", invoice("stolen")).code == "unknown_party"
    assert world.one("a", invoice("a")).code == world.one("b", invoice("b")).code == "ok"
    assert world.party("EXP_CN").receive_key == mark("x25519")


@pytest.mark.parametrize(
    "operation",
    [AddKey(key("thief's")), RevokeKey(key("a")), SetReceiveKey(mark("thief")), SetHome("https://thief.example")],
)
def test_a_key_that_was_replaced_earlier_in_the_block_changes_nothing_of_the_recovered_party(
    world: World, operation: Operation
) -> None:
    """Both keys have one place in a block's order, so a thief that signs longest stands behind the recovery."""
    recovery = world.transaction("owner EXP_CN", Recover((key("a"), key("b"))))
    by_thief = world.transaction("EXP_CN", operation)
    assert [receipt.code for receipt in world.block([recovery, by_thief]).receipts] == ["ok", "not_authorised"]
    assert world.party("EXP_CN").sign_keys == (key("a"), key("b"))
    assert (world.party("EXP_CN").receive_key, world.party("EXP_CN").home) == (b"", "")


def test_who_signs_with_an_old_key_and_a_new_one_may_go_on(world: World) -> None:
    """What a key gives up itself, it gives up last: behind that only the keys that stay may change anything."""
    world.one("EXP_CN", AddKey(key("kept")))
    steps = (RevokeKey(key("EXP_CN")), SetHome("https://node.example"))
    assert [receipt.code for receipt in world.do(("EXP_CN", "kept"), *steps)] == ["ok", "ok"]
    steps = (RevokeKey(key("kept")), SetReceiveKey(mark("x25519")))
    world.one("kept", AddKey(key("third")))
    assert [receipt.code for receipt in world.do("kept", *steps)] == ["ok", "not_authorised"]


def test_the_owner_key_does_nothing_else_and_nothing_else_recovers(world: World) -> None:
    recover = Recover((key("a"),))
    for operation in (invoice("a"), AddKey(key("a")), SetHome("https://node.example")):
        assert world.one("owner EXP_CN", operation).code == "unknown_party"
        assert {one.code for one in world.do("owner EXP_CN", recover, operation)} == {"unknown_party"}
    assert world.one("EXP_CN", recover).code == "unknown_party"
    assert world.one(("owner EXP_CN", "owner EXP_VN"), recover).code == "not_authorised"
    assert [one.code for one in world.do("EXP_CN", invoice("b"), recover)] == ["ok", "not_authorised"]


def test_a_suspended_party_recovers_and_stays_suspended(world: World) -> None:
    world.govern(Suspend(name_id("EXP_CN"), mark("its keys were stolen")))
    assert world.one("EXP_CN", AddKey(key("thief"))).code == "suspended"
    assert world.one("owner EXP_CN", Recover((key("a"),))).code == "ok"
    assert world.one("a", invoice("a")).code == "suspended"


def test_a_lost_owner_key_is_replaced_by_governance(world: World) -> None:
    world.govern(ReplaceOwnerKey(name_id("EXP_CN"), key("new owner")))
    assert world.one("owner EXP_CN", Recover((key("a"),))).code == "unknown_party"
    assert world.one("new owner", Recover((key("a"),))).code == "ok"


def test_what_is_rolled_back_leaves_keys_as_they_were(world: World) -> None:
    before = world.party("EXP_CN")
    codes = [one.code for one in world.do("EXP_CN", AddKey(key("a")), RevokeKey(mark("?")), mode="all")]
    assert codes == ["rolled_back", "not_found"]
    assert world.party("EXP_CN") == before
    assert world.one("EXP_VN", AddKey(key("a"))).code == "ok"


POOL = ("EXP_CN", "EXP_VN", "IMP_DE", "owner EXP_CN", "owner EXP_VN", *(f"spare {number}" for number in range(6)))
NAMES = st.sampled_from(POOL)
OPERATIONS = st.one_of(
    NAMES.map(lambda name: AddKey(key(name))),
    NAMES.map(lambda name: RevokeKey(key(name))),
    NAMES.map(lambda name: SetReceiveKey(key(name))),
    st.lists(NAMES, min_size=1, max_size=3, unique=True).map(lambda names: Recover(tuple(map(key, names)))),
)
STEPS = st.lists(st.tuples(NAMES, st.lists(OPERATIONS, min_size=1, max_size=3), st.booleans()), max_size=5)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEPS, max_size=5))
def test_whatever_is_done_with_keys(blocks: list[list[tuple[str, list[Operation], bool]]]) -> None:
    """No key that signs is ever two parties', no party is left without, and one that was given up never comes back."""
    world = World()
    given_up: set[bytes] = set()
    held = _held(world)
    for steps in blocks:
        world.block(
            world.transaction(by, *operations, mode="all" if whole else "each") for by, operations, whole in steps
        )
        now = _held(world)
        given_up |= held - now
        assert not now & given_up
        held = now


def _held(world: World) -> set[bytes]:
    """All keys with which parties sign or recover now, having checked them."""
    held: list[bytes] = []
    for name in MEMBERS:
        party = world.party(name)
        assert 1 <= len(party.sign_keys) <= SIGN_KEYS_MAX
        held += [*party.sign_keys, party.owner_key]
    assert len(held) == len(set(held))
    return set(held)
