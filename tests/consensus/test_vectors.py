"""The bytes that are signed and stored never change by accident."""

from __future__ import annotations

import json
from collections import deque
from hashlib import sha256
from typing import Any

import msgpack
import nacl.exceptions
import nacl.signing
import pytest

from consensus.authorities import Authority, AuthoritySet
from consensus.blocks import Block, Header
from consensus.errors import CertificateError
from consensus.evidence import Evidence, verify_evidence
from consensus.light import Change, follow
from consensus.messages import decode_message, encode_message
from consensus.votes import Certificate
from registry.codec import decode
from tests.consensus.vectors import PATH, vectors

KEPT = json.loads(PATH.read_text())


def test_the_vectors_are_those_in_the_file() -> None:
    assert json.loads(json.dumps(vectors())) == KEPT, "bytes have changed: old nodes would not understand new ones"


def test_the_vectors_read_back() -> None:
    genesis_id = bytes.fromhex(KEPT["genesis_id"])
    members = tuple(Authority(name, bytes.fromhex(key)) for name, key in KEPT["authorities"]["members"])
    authorities = AuthoritySet(members)
    assert authorities.digest.hex() == KEPT["authorities"]["digest"]
    for kept in KEPT["headers"]:
        header = Header.decode(bytes.fromhex(kept["encoded"]))
        assert header.hash.hex() == kept["hash"]
        assert Block.decode(bytes.fromhex(kept["block"])).header == header
    for kept in KEPT["certificates"][:3]:
        certificate = Certificate.from_value(decode(bytes.fromhex(kept["encoded"])))
        certificate.verify(genesis_id, authorities)
        assert list(certificate.signers()) == kept["signers"]
    evidence = Evidence.decode(bytes.fromhex(KEPT["evidence"]["encoded"]))
    verify_evidence(genesis_id, authorities, evidence)
    for data in KEPT["messages"].values():
        assert encode_message(decode_message(bytes.fromhex(data))).hex() == data


def test_the_rules_of_signing_and_hashing_in_a_few_lines_without_our_code() -> None:
    genesis_id = bytes.fromhex(KEPT["genesis_id"])
    for kept, number in zip(KEPT["votes"], (1, 2, 3), strict=True):
        key = nacl.signing.VerifyKey(bytes.fromhex(KEPT["keys"][number]["public_key"]))
        signed = b"NEMODAT-v1-vote" + genesis_id + bytes.fromhex(kept["signed"])
        key.verify(signed, bytes.fromhex(kept["signature"]))
    for kept in KEPT["headers"]:
        encoded, tag = bytes.fromhex(kept["encoded"]), b"NEMODAT-v1-block"
        parts = len(tag).to_bytes(4, "big") + tag + len(encoded).to_bytes(4, "big") + encoded
        assert sha256(parts).hexdigest() == kept["hash"]


def require(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(what)


class FromTheReadme:
    """A light client written from "Following without the blocks" in consensus/README.md, with none of our code."""

    def __init__(self, genesis_id: bytes, members: list[list[Any]]) -> None:
        self.genesis_id = genesis_id
        self.reigns = [(1, members)]

    def change(self, data: bytes) -> None:
        header, certificate, members = msgpack.unpackb(data)
        require(self.reigns[-1][0] <= header[2], "height")
        self.final(header, certificate, self.reigns[-1][1])
        require(self.digest(members) == header[11], "next_authorities")
        require(self.digest(members) != header[10], "does not change")
        self.reigns.append((header[2] + 1, members))

    def header(self, header: list[Any], certificate: list[Any]) -> None:
        members = next(members for height, members in reversed(self.reigns) if height <= header[2])
        self.final(header, certificate, members)

    def final(self, header: list[Any], certificate: list[Any], members: list[list[Any]]) -> None:
        kind, height, view, block, bitmap, signatures = certificate
        encoded, tag = msgpack.packb(header), b"NEMODAT-v1-block"
        named = sha256(len(tag).to_bytes(4, "big") + tag + len(encoded).to_bytes(4, "big") + encoded).digest()
        require(header[1] == self.genesis_id, "genesis_id")
        require(header[10] == self.digest(members), "authorities")
        require((kind, height, block) == (3, header[2], named), "certificate")
        signers = [place for place in range(8 * len(bitmap)) if bitmap[place // 8] >> place % 8 & 1]
        n, quorum = len(members), len(members) - (len(members) - 1) // 3
        require((len(bitmap) == (n + 7) // 8 and len(signers) == len(signatures) >= quorum), "quorum")
        signed = b"NEMODAT-v1-vote" + self.genesis_id + msgpack.packb([kind, height, view, block])
        for place, signature in zip(signers, signatures, strict=True):
            nacl.signing.VerifyKey(members[place][1]).verify(signed, signature)

    @staticmethod
    def digest(members: list[list[Any]]) -> bytes:
        return sha256(msgpack.packb(members)).digest()


def from_the_readme() -> FromTheReadme:
    members = [[name, bytes.fromhex(key)] for name, key in KEPT["light"]["genesis_set"]]
    return FromTheReadme(bytes.fromhex(KEPT["genesis_id"]), members)


def header_in(kept: dict[str, str]) -> tuple[list[Any], list[Any]]:
    return msgpack.unpackb(bytes.fromhex(kept["header"])), msgpack.unpackb(bytes.fromhex(kept["finality"]))


def test_a_light_client_written_from_the_readme_comes_to_the_newest_header() -> None:
    light = KEPT["light"]
    reader = from_the_readme()
    for change in light["changes"]:
        reader.change(bytes.fromhex(change))
    reader.header(*header_in(light))
    assert [height for height, _ in reader.reigns] == light["from_heights"]
    assert [reader.digest(members).hex() for _, members in reader.reigns] == light["digests"]
    for kept in light["refused_headers"].values():
        with pytest.raises(ValueError, match="authorities"):
            reader.header(*header_in(kept))


@pytest.mark.parametrize("case", KEPT["light"]["refused"])
def test_it_refuses_what_ours_refuses(case: str) -> None:
    changes = [bytes.fromhex(change) for change in KEPT["light"]["refused"][case]]
    reader = from_the_readme()
    with pytest.raises((ValueError, nacl.exceptions.BadSignatureError)):
        deque(map(reader.change, changes))
    members = tuple(Authority(name, bytes.fromhex(key)) for name, key in KEPT["light"]["genesis_set"])
    with pytest.raises(CertificateError):
        follow(bytes.fromhex(KEPT["genesis_id"]), AuthoritySet(members), map(Change.decode, changes))
