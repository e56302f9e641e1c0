"""Search certificates and state proofs: they prove presence and absence, and nothing else passes."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.certificates import (
    CertificateError,
    Finding,
    build_search_certificate,
    build_state_proof,
    check_search_certificate,
    check_state_proof,
)
from registry.merkle.pages import PageCache
from registry.merkle.proofs import prove
from registry.merkle.tree import rebuild
from registry.records import Receivable, decode_record
from registry.state import print_key, receivable_key
from tests.registry.world import World, mark, name_id

SEARCHED = (("exact", mark("exact a")), ("exact", mark("exact unknown")), ("number", mark("number a")))


class Pages:
    """The state tree of a world."""

    def __init__(self, state: dict[bytes, bytes]) -> None:
        self.state = state
        made = rebuild(state.items())
        self.root = made.root
        self.source = PageCache({key: page for key, page in made.records() if page is not None}.get)

    def finding(self, kind: str, fingerprint: bytes) -> Finding:
        key = print_key(kind, fingerprint)
        return Finding(kind, fingerprint, self.state.get(key), prove(self.source, key))


@pytest.fixture(scope="module")
def world() -> tuple[World, bytes, Pages]:
    world = World()
    receivable = world.registered("a")
    for index in range(40):
        world.registered(f"other {index}")
    return world, receivable, Pages(world.state)


@pytest.fixture(scope="module")
def certificate(world: tuple[World, bytes, Pages]) -> dict[str, Any]:
    return build_search_certificate(
        genesis_id=world[0].genesis.id,
        requester=name_id("F_SG"),
        purpose="Prüfung vor Ankauf 尽职调查",
        height=world[0].height,
        timestamp_ms=world[0].now_ms,
        findings=[world[2].finding(kind, value) for kind, value in SEARCHED],
        header=b"header",
        finality=b"finality",
        changes=(b"change",),
    )


def test_certificate_survives_json_and_proves_presence_and_absence(
    world: tuple[World, bytes, Pages], certificate: dict[str, Any]
) -> None:
    read = check_search_certificate(json.loads(json.dumps(certificate)), world[2].root)
    assert [finding.matches for finding in read.findings] == [(world[1],), (), (world[1],)]
    assert read.matches == {"block": (world[1],), "review": (world[1],)}
    assert (read.height, read.timestamp_ms) == (world[0].height, world[0].now_ms)
    assert len(read.number) == 32
    assert set(certificate) == {
        "format", "number", "genesis_id", "requester", "purpose", "height",
        "timestamp_ms", "results", "not_searched", "header", "finality", "changes",
    }  # fmt: skip


def test_certificate_says_what_was_not_searched(certificate: dict[str, Any]) -> None:
    assert certificate["not_searched"][:3] == ["gov", "particulars", "window"]
    assert "official registers" in certificate["not_searched"]


def test_another_root_is_refused(world: tuple[World, bytes, Pages], certificate: dict[str, Any]) -> None:
    with pytest.raises(CertificateError, match=r"results\[0\]\.proof"):
        check_search_certificate(certificate, mark("another root"))


def test_a_hidden_match_is_refused(world: tuple[World, bytes, Pages], certificate: dict[str, Any]) -> None:
    """Who leaves the match out cannot prove absence, whatever number it puts on the result."""
    findings = [world[2].finding(kind, value) for kind, value in SEARCHED]
    findings[0] = Finding(findings[0].kind, findings[0].fingerprint, None, findings[0].proof)
    forged = build_search_certificate(
        genesis_id=world[0].genesis.id,
        requester="x",
        purpose="x",
        height=1,
        timestamp_ms=1,
        findings=findings,
        header=b"",
        finality=b"",
        changes=(),
    )
    with pytest.raises(CertificateError, match="absence"):
        check_search_certificate(forged, world[2].root)


@pytest.mark.parametrize("field", ["number", "genesis_id", "requester", "purpose", "height", "timestamp_ms"])
def test_every_field_belongs_to_the_number(
    world: tuple[World, bytes, Pages], certificate: dict[str, Any], field: str
) -> None:
    changed = copy.deepcopy(certificate)
    changed[field] = changed[field] + 1 if isinstance(changed[field], int) else changed[field][::-1]
    with pytest.raises(CertificateError, match="number"):
        check_search_certificate(changed, world[2].root)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("results", 0, "matches"), [], r"results\[0\]\.matches"),
        (("results", 0, "level"), "review", r"results\[0\]\.level"),
        (("results", 0, "kind"), "colour", r"results\[0\]\.level"),
        (("results", 0, "fingerprint"), "00", r"results\[0\]\.fingerprint"),
        (("results", 0, "fingerprint"), "G" * 64, r"results\[0\]\.fingerprint"),
        (("results", 0, "value"), "80", r"results\[0\]\.value"),
        (("results", 0, "proof"), "c0", r"results\[0\]\.proof"),
        (("results", 0), {}, r"results\[0\]"),
        (("results",), None, "results"),
        (("not_searched",), [], "not_searched"),
        (("purpose",), "two\nlines", "purpose"),
        (("purpose",), "x" * 201, "purpose"),
        (("height",), True, "height"),
        (("height",), 1.0, "height"),
        (("header",), "AA", "header"),
        (("format",), "nemodat-search-certificate-v2", "format"),
    ],
)
def test_malformed_certificates_name_the_field(
    world: tuple[World, bytes, Pages],
    certificate: dict[str, Any],
    path: tuple[Any, ...],
    value: Any,
    field: str,
) -> None:
    changed = copy.deepcopy(certificate)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(CertificateError, match=field):
        check_search_certificate(changed, world[2].root)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=8,
    )
)
def test_whatever_json_comes_one_typed_error(value: Any) -> None:
    with pytest.raises(CertificateError):
        check_search_certificate(value, bytes(32))
    with pytest.raises(CertificateError):
        check_state_proof(value, bytes(32))


def test_state_proof_of_a_record_and_of_nothing(world: tuple[World, bytes, Pages]) -> None:
    chain, receivable, pages = world
    for key, value in ((receivable_key(receivable), chain.state[receivable_key(receivable)]), (b"claim/x", None)):
        proof = build_state_proof(
            key=key, value=value, proof=prove(pages.source, key), height=chain.height, header=b"h", finality=b"f"
        )
        read = check_state_proof(json.loads(json.dumps(proof)), pages.root)
        assert (read.key, read.value, read.height, read.header, read.finality) == (key, value, chain.height, b"h", b"f")
    assert decode_record(Receivable, chain.state[receivable_key(receivable)]).id == receivable


def test_state_proof_of_another_value_is_refused(world: tuple[World, bytes, Pages]) -> None:
    chain, receivable, pages = world
    key = receivable_key(receivable)
    for value in (None, b"\x90"):
        proof = build_state_proof(
            key=key, value=value, proof=prove(pages.source, key), height=chain.height, header=b"h", finality=b"f"
        )
        with pytest.raises(CertificateError, match="proof"):
            check_state_proof(proof, pages.root)
