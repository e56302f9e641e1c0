"""The bytes that are signed and stored never change by accident."""

from __future__ import annotations

import json
from hashlib import sha256

import nacl.signing

from consensus.authorities import Authority, AuthoritySet
from consensus.blocks import Block, Header
from consensus.evidence import Evidence, verify_evidence
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
