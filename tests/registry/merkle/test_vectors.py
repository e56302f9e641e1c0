"""Golden bytes in vectors.json, for programs in other languages: hex strings, and the encodings as lists.

`python -m tests.registry.merkle.test_vectors` prints the file again. A difference is a change of format.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from registry.merkle import log
from registry.merkle.hashing import path_of
from registry.merkle.pages import PageCache
from registry.merkle.proofs import decode_proof, prove, verify_absence, verify_presence
from registry.merkle.tree import rebuild
from tests.registry.merkle.reference import MemoryPages, reference_root

VECTORS = Path(__file__).with_name("vectors.json")
TREE_SIZES = (0, 1, 2, 9, 40)
LOG_SIZES = (0, 1, 2, 3, 7, 8, 13)


def as_text(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [as_text(item) for item in value] if isinstance(value, list | tuple) else value


def from_text(value: Any) -> Any:
    if isinstance(value, str):
        return bytes.fromhex(value)
    return [from_text(item) for item in value] if isinstance(value, list) else value


def tree_vector(size: int) -> dict[str, Any]:
    entries = {b"key %d" % i: b"value %d" % i for i in range(size)}
    pages = MemoryPages()
    outcome = rebuild(entries.items())
    pages.write(outcome.records())
    source = PageCache(pages.read)
    asked = [*list(entries)[:3], *(b"absent %d" % i for i in range(3))]
    return {
        "entries": [[key.hex(), value.hex()] for key, value in entries.items()],
        "root": outcome.root.hex(),
        "pages": {key.hex(): page.hex() for key, page in sorted(pages.stored.items())},
        "proofs": [
            {
                "key": key.hex(),
                "value": entries[key].hex() if key in entries else None,
                "proof": as_text(prove(source, key).encode()),
            }
            for key in asked
        ],
    }


def log_vector(size: int) -> dict[str, Any]:
    entries = [b"entry %d" % i for i in range(size)]
    grown = log.CompactRange()
    for entry in entries:
        grown = grown.append(log.entry_hash(entry))
    return {
        "entries": as_text(entries),
        "root": log.root(entries).hex(),
        "compact_range": as_text(grown.encode()),
        "inclusion": [as_text(log.prove_inclusion(entries, index)) for index in range(size)],
        "consistency": [as_text(log.prove_consistency(entries, earlier + 1)) for earlier in range(size)],
    }


def build() -> dict[str, Any]:
    return {
        "about": "State tree and log of registry.merkle. Hex strings; a proof is [depth, bitmap, siblings, other].",
        "tree": [tree_vector(size) for size in TREE_SIZES],
        "log": [log_vector(size) for size in LOG_SIZES],
    }


def test_the_code_still_makes_these_bytes():
    assert json.loads(VECTORS.read_text()) == build()


def test_tree_vectors_hold_by_the_definition():
    for vector in json.loads(VECTORS.read_text())["tree"]:
        entries = dict(map(from_text, vector["entries"]))
        root = bytes.fromhex(vector["root"])
        assert root == reference_root({path_of(k): sha256(v).digest() for k, v in entries.items()})
        for proved in vector["proofs"]:
            key = bytes.fromhex(proved["key"])
            proof = decode_proof(from_text(proved["proof"]))
            if proved["value"] is None:
                assert verify_absence(root, key, proof)
            else:
                assert verify_presence(root, key, bytes.fromhex(proved["value"]), proof)


def test_log_vectors_verify():
    vectors = json.loads(VECTORS.read_text())["log"]
    for vector in vectors:
        entries = from_text(vector["entries"])
        root = bytes.fromhex(vector["root"])
        assert log.CompactRange.decode(from_text(vector["compact_range"])).root() == root
        for index, proof in enumerate(from_text(vector["inclusion"])):
            leaf = log.entry_hash(entries[index])
            size = len(entries)
            assert log.verify_inclusion(root=root, leaf_hash=leaf, index=index, size=size, proof=proof)


if __name__ == "__main__":
    print(json.dumps(build(), indent=1))
