"""Evidence accuses exactly those who contradict themselves, and needs nothing but itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.errors import EvidenceError
from consensus.evidence import Evidence, conflicting, verify_evidence
from consensus.votes import Kind, Vote
from registry.codec import encode
from tests.consensus.fixtures import GENESIS_ID, authorities_of, key_of, vote_of

BLOCKS = (bytes(32), b"1" * 32)
FOUR = authorities_of(4)
subjects = st.tuples(
    st.integers(0, 2), st.sampled_from(Kind), st.integers(1, 2), st.integers(0, 1), st.sampled_from(BLOCKS)
)


def vote(subject: tuple[int, Kind, int, int, bytes]) -> Vote:
    signer, kind, height, view, block = subject
    return vote_of(signer, kind, height, view, None if kind is Kind.NULLIFY else block)


@given(subjects, subjects)
def test_what_conflicts(first: tuple[int, Kind, int, int, bytes], second: tuple[int, Kind, int, int, bytes]) -> None:
    a, b = vote(first), vote(second)
    assert conflicting(a, b) == conflicting(b, a)
    assert not conflicting(a, a)
    if conflicting(a, b):
        evidence = Evidence(a, b)
        assert evidence == Evidence(b, a)
        assert Evidence.decode(evidence.encode()) == evidence
        verify_evidence(GENESIS_ID, FOUR, evidence)
        assert (a.signer, a.height, a.view) == (b.signer, b.height, b.view)
    else:
        with pytest.raises(EvidenceError):
            Evidence(a, b)


@given(st.sets(st.sampled_from(Kind)), st.sampled_from(BLOCKS))
def test_an_honest_view_is_never_evidence(kinds: set[Kind], block: bytes) -> None:
    """R9: NOTARIZE, then FINALIZE or NULLIFY: what an honest node may say in one view."""
    honest = kinds - {Kind.NULLIFY} if Kind.FINALIZE in kinds else kinds
    votes = [vote((0, kind, 1, 0, block)) for kind in honest]
    assert not any(conflicting(a, b) for a in votes for b in votes)


def test_evidence_that_accuses_nobody_is_refused() -> None:
    good = Evidence(vote_of(3, Kind.FINALIZE, 1, 0, BLOCKS[0]), vote_of(3, Kind.NULLIFY, 1, 0, None))
    verify_evidence(GENESIS_ID, FOUR, good)
    with pytest.raises(EvidenceError, match="signature"):
        verify_evidence(bytes(32), FOUR, good)
    with pytest.raises(EvidenceError, match="no authority"):
        verify_evidence(GENESIS_ID, authorities_of(3), good)
    forged = Vote(Kind.NULLIFY, 1, 0, None, key_of(3).public_key, bytes(64))
    with pytest.raises(EvidenceError, match="signature"):
        verify_evidence(GENESIS_ID, FOUR, Evidence(vote_of(3, Kind.FINALIZE, 1, 0, BLOCKS[0]), forged))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        encode([]),
        encode([1, 2]),
        encode([vote_of(3, Kind.NULLIFY, 1, 0, None).to_value()] * 2),
        encode(
            [vote_of(3, Kind.FINALIZE, 1, 0, BLOCKS[0]).to_value(), vote_of(3, Kind.NULLIFY, 1, 0, None).to_value()]
        ),
        bytes(1_000),
    ],
)
def test_bytes_that_are_no_evidence(data: bytes) -> None:
    with pytest.raises(EvidenceError):
        Evidence.decode(data)
