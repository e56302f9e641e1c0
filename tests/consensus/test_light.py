"""The light client: from genesis through every change of the set to any header, and what it refuses on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consensus.authorities import AuthoritySet
from consensus.errors import CertificateError
from consensus.light import Change, Reign, extend, follow, in_force, verify_header
from consensus.votes import Certificate, Kind
from tests.consensus.fixtures import GENESIS_ID, finality_of, header_of, set_of

FIRST, SECOND, THIRD = set_of(0, 1, 2, 3), set_of(0, 1, 2, 3, 4), set_of(0, 9, 2, 3, 4)


def change(height: int, before: AuthoritySet, after: AuthoritySet) -> Change:
    made = header_of(height, before, after)
    return Change(made, finality_of(made, before), after)


CHANGES = (change(10, FIRST, SECOND), change(20, SECOND, THIRD))


def test_a_reader_with_genesis_alone_comes_to_the_newest_set() -> None:
    reigns = follow(GENESIS_ID, FIRST, CHANGES)
    assert reigns == (Reign(1, FIRST), Reign(11, SECOND), Reign(21, THIRD))
    heights = {1: FIRST, 10: FIRST, 11: SECOND, 20: SECOND, 21: THIRD, 10**6: THIRD}
    assert {height: in_force(reigns, height) for height in heights} == heights
    newest = header_of(50, THIRD)
    verify_header(GENESIS_ID, in_force(reigns, 50), newest, finality_of(newest, THIRD))


def test_a_change_is_read_back_from_its_bytes() -> None:
    for each in CHANGES:
        assert Change.decode(each.encode()) == each


def test_two_changes_may_follow_each_other_at_once() -> None:
    reigns = follow(GENESIS_ID, FIRST, [change(10, FIRST, SECOND), change(11, SECOND, THIRD)])
    assert [in_force(reigns, height) for height in (10, 11, 12)] == [FIRST, SECOND, THIRD]


def test_a_member_may_come_and_leave_again() -> None:
    reigns = follow(GENESIS_ID, FIRST, [change(10, FIRST, SECOND), change(20, SECOND, FIRST), change(30, FIRST, THIRD)])
    assert [in_force(reigns, height) for height in (10, 20, 30, 31)] == [FIRST, SECOND, FIRST, THIRD]


def forged(**changes: object) -> Change:
    return replace(CHANGES[0], **changes)  # type: ignore[arg-type]


MADE = header_of(10, FIRST, SECOND)
REFUSED = {
    "skipped": (CHANGES[1:], "authorities: the header names another set"),
    "reordered": (CHANGES[::-1], "authorities: the header names another set"),
    "twice": ((CHANGES[0], CHANGES[0]), "height"),
    "another set than the header names": ((forged(authorities=THIRD),), "next_authorities"),
    "certified by another set": ((forged(certificate=finality_of(MADE, THIRD)),), "signatures"),
    "only notarized": ((forged(certificate=finality_of(MADE, FIRST, kind=Kind.NOTARIZE)),), "kind"),
    "a certificate of another block": ((forged(certificate=CHANGES[1].certificate),), "block"),
    "of another chain": ((forged(header=replace(MADE, genesis_id=bytes(32))),), "genesis_id"),
    "no change at all": ((change(10, FIRST, FIRST),), "does not change"),
    "before the one below": ((change(30, FIRST, SECOND), change(20, SECOND, THIRD)), "height"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    changes, reason = REFUSED[case]
    with pytest.raises(CertificateError, match=reason):
        follow(GENESIS_ID, FIRST, changes)


def test_too_few_signatures_change_nothing() -> None:
    made = finality_of(MADE, FIRST)
    short = Certificate(made.kind, made.height, made.view, made.block, bytes([0b011]), made.signatures[:2])
    with pytest.raises(CertificateError):
        extend(GENESIS_ID, follow(GENESIS_ID, FIRST, ()), forged(certificate=short))


def test_a_set_speaks_for_its_own_heights_only() -> None:
    """The keys of a retired set, leaked, make no header of a later height."""
    reigns = follow(GENESIS_ID, FIRST, CHANGES)
    late = header_of(11, FIRST)
    with pytest.raises(CertificateError, match="another set"):
        verify_header(GENESIS_ID, in_force(reigns, 11), late, finality_of(late, FIRST))


def test_who_knows_not_all_changes_gets_an_error_and_no_wrong_answer() -> None:
    newest = header_of(50, THIRD)
    known = follow(GENESIS_ID, FIRST, CHANGES[:1])
    with pytest.raises(CertificateError, match="another set"):
        verify_header(GENESIS_ID, in_force(known, 50), newest, finality_of(newest, THIRD))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0",
        b"\x90",
        b"\x93\x00\x00\x00",
        bytes(30_000),
        CHANGES[0].encode() + b"\x00",
        CHANGES[0].encode()[:-1],
    ],
)
def test_bytes_that_are_no_change(data: bytes) -> None:
    with pytest.raises(CertificateError, match="change"):
        Change.decode(data)
