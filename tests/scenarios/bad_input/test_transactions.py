"""Transactions that can never enter a block, sent to real nodes: each has one typed error, and nothing comes of it."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.keystore import load_key
from registry.codec import Value, digest, encode
from registry.errors import FieldError, TransactionError
from registry.keys import DOMAIN_TRANSACTION, Signer, SigningKey
from registry.limits import OPERATIONS_MAX, VALIDITY_MAX_MS, WIRE_BYTES_MAX
from registry.money import WHOLE
from registry.transactions.envelope import EACH, open_transaction, seal, sign
from registry.transactions.operations import OPERATIONS, Operation, operation_value
from tests.cast import AUTHORITIES, EXP_CN, EXP_VN, IMP_DE, key_of, party_of
from tests.registry.test_envelope import EXAMPLES
from tests.scenarios.bad_input.msgpack_forms import longer, strange
from tests.scenarios.bad_input.network import (
    VALID_MS,
    Network,
    Witness,
    created,
    done,
    hard,
    id_of,
    invoice,
    now_ms,
)

pytestmark = pytest.mark.processes

STRANGER = SigningKey.from_seed(digest(b"nobody's key"))
Fields = list[Any]


def fields_of(network: Network, *operations: Operation, signer: Signer | None = None) -> Fields:
    """The fields of a good payload: version, chain id, signers, nonce, valid_until_ms, mode, operations."""
    rows = [operation_value(operation) for operation in operations or (invoice(network.tag()),)]
    key = (signer or key_of(EXP_CN)).public_key
    return [1, network.genesis.id, [key], secrets.token_bytes(16), now_ms() + VALID_MS, EACH, rows]


def signed(network: Network, payload: bytes, *signers: Signer) -> bytes:
    return sign(payload, network.genesis.id, signers or (key_of(EXP_CN),))


def changed(fields: Fields, place: int, value: Any) -> bytes:
    return encode([*fields[:place], value, *fields[place + 1 :]])


def bad_envelopes(network: Network) -> dict[str, tuple[bytes, str, str]]:
    """Of each kind one: its bytes, and the code and field of its error."""
    chain, seller = network.genesis.id, key_of(EXP_CN)
    fields = fields_of(network)
    payload = encode(fields)
    two = changed(fields, 2, [seller.public_key, key_of(IMP_DE).public_key])
    beside = changed(fields, 2, [seller.public_key, STRANGER.public_key])
    home = network.devnet.folder / "f-gb"
    passphrase = (home / "passphrase").read_bytes().strip()
    consensus = load_key(home / "keys" / "consensus.json", passphrase, kind="consensus").signing_key
    elsewhere = digest(b"another network")
    misspelt = party_of("lei:984500USIMPORT000144", "US", "debtor")
    return {
        "no signature": (seal(payload, []), "unsigned", "signatures"),
        "one of two signatures": (signed(network, two, seller), "unsigned", "signatures"),
        "two of one signature": (signed(network, payload, seller, key_of(IMP_DE)), "unsigned", "signatures"),
        "signed by another": (signed(network, payload, key_of(EXP_VN)), "bad_signature", "signatures[0]"),
        "signatures in the wrong order": (
            signed(network, two, key_of(IMP_DE), seller),
            "bad_signature",
            "signatures[0]",
        ),
        "signed as something else": (
            seal(payload, [seller.sign(b"NEMODAT-v1-vote", chain, payload)]),
            "bad_signature",
            "signatures[0]",
        ),
        "signed for another network": (
            seal(payload, [seller.sign(DOMAIN_TRANSACTION, elsewhere, payload)]),
            "bad_signature",
            "signatures[0]",
        ),
        "made for another network": (
            sign(changed(fields, 1, elsewhere), elsewhere, [seller]),
            "wrong_chain",
            "chain_id",
        ),
        "another version": (signed(network, changed(fields, 0, 2)), "wrong_version", "version"),
        "expired": (signed(network, changed(fields, 4, now_ms() - 1_000)), "expired", "valid_until_ms"),
        "expired long ago": (signed(network, changed(fields, 4, 0)), "expired", "valid_until_ms"),
        "too far ahead": (
            signed(network, changed(fields, 4, now_ms() + VALIDITY_MAX_MS + 60_000)),
            "too_far_ahead",
            "valid_until_ms",
        ),
        "in ten thousand years": (signed(network, changed(fields, 4, 2**48 + 1)), "malformed", "valid_until_ms"),
        "a strange mode": (signed(network, changed(fields, 5, "some")), "malformed", "mode"),
        "nothing to do": (signed(network, changed(fields, 6, [])), "malformed", "operations"),
        "too much to do": (
            signed(network, changed(fields, 6, [["revoke", 0]] * (OPERATIONS_MAX + 1))),
            "malformed",
            "operations",
        ),
        "an unknown operation": (
            signed(network, changed(fields, 6, [["steal", 0]])),
            "unknown_operation",
            "operations[0]",
        ),
        "a party with wrong check digits": (
            signed(network, changed(fields, 6, [["propose", ["admit", misspelt.encode(), [bytes(64)] * 2]]])),
            "malformed",
            "operations[0].change.party.identifiers[0]",
        ),
        "a stranger": (
            signed(network, encode(fields_of(network, signer=STRANGER)), STRANGER),
            "unknown_party",
            "signers[0]",
        ),
        "a stranger beside a party": (signed(network, beside, seller, STRANGER), "unknown_party", "signers[1]"),
        "a consensus key": (
            signed(network, encode(fields_of(network, signer=consensus)), consensus),
            "unknown_party",
            "signers[0]",
        ),
        "too large": (bytes(WIRE_BYTES_MAX + 1), "too_large", "transaction"),
        "nothing": (b"", "malformed", "transaction"),
        "text": (b"BEGIN TRANSACTION; COMMIT;", "malformed", "transaction"),
        "no payload": (encode([[], [bytes(64)]]), "malformed", "transaction"),
        "a short signature": (seal(payload, [bytes(63)]), "malformed", "signatures[0]"),
    }


def test_each_has_its_own_error_and_the_good_one_among_them_stands(network: Network, witness: Witness) -> None:
    bad = bad_envelopes(network)
    for node in AUTHORITIES:
        payload = network.payload(EXP_CN, invoice(network.tag()))
        wires = [wire for wire, _, _ in bad.values()]
        results = network.submit([*wires[:9], signed(network, payload), *wires[9:]], node=node)
        assert results.pop(9) == {"transaction_id": id_of(payload)}
        found = {name: (result["code"], result["field"]) for name, result in zip(bad, results, strict=True)}
        assert found == {name: (code, field) for name, (_, code, field) in bad.items()}
        witness.effective(id_of(payload))


def test_a_replayed_transaction_stands_once(network: Network, witness: Witness) -> None:
    payload = network.payload(EXP_CN, invoice(network.tag()))
    wire = signed(network, payload)
    witness.effective(id_of(payload))
    with ThreadPoolExecutor(4) as threads:  # at all nodes in the same moment, and twice in one submission
        answers = list(threads.map(lambda node: network.submit([wire, wire], node=node), AUTHORITIES))
    for _ in range(2):
        assert answers == [[{"transaction_id": id_of(payload)}] * 2] * 4
        (receipts,) = network.finals([id_of(payload)], 1)
        assert done(receipts).hex() == created(payload, 0)
        answers = [network.submit([wire, wire], node=node) for node in AUTHORITIES]  # and when it is final


def test_what_expires_while_it_waits_is_final_or_forgotten(network: Network, witness: Witness) -> None:
    lives_ms = [*range(400, 40, -40), *range(40, 0, -2)]
    payloads = []
    for node, life_ms in zip(itertools.cycle(AUTHORITIES), lives_ms, strict=False):
        payload = changed(fields_of(network), 4, now_ms() + life_ms)
        (result,) = network.submit([signed(network, payload)], node=node)
        if "code" in result:
            assert (result["code"], result["field"]) == ("expired", "valid_until_ms")
        else:
            payloads.append(payload)
    network.agreed()  # nothing waits any more, at no node
    ids = [id_of(payload) for payload in payloads]
    answers = network.ask("POST", "/v1/receipts", json={"ids": ids}).json()
    assert {answer["status"] for answer in answers} <= {"final", "unknown"}
    witness.effective(*(answer["transaction_id"] for answer in answers if answer["status"] == "final"))


def test_no_other_encoding_of_a_signed_transaction_is_read(network: Network, witness: Witness) -> None:
    for name in OPERATIONS:
        refuses_all_forms(network, name)


def refuses_all_forms(network: Network, name: str) -> None:
    fields = fields_of(network, EXAMPLES[name])  # type: ignore[arg-type]
    payloads = [*longer(fields), *strange(fields)]
    assert len(payloads) > 50
    wires = [signed(network, payload) for payload in payloads]
    whole: list[Value] = [encode(fields), [bytes(64)]]
    wires += [*longer(whole), *strange(whole)]
    places = ["payload"] * len(payloads) + ["transaction"] * (len(wires) - len(payloads))
    small = [(wire, place) for wire, place in zip(wires, places, strict=True) if len(wire) <= WIRE_BYTES_MAX]
    results = network.submit([wire for wire, _ in small])
    assert [(result["code"], result["field"]) for result in results] == [("malformed", place) for _, place in small]


edits = st.lists(
    st.tuples(st.sampled_from(["set", "insert", "drop", "cut", "double"]), st.integers(0, 2**16), st.integers(0, 255)),
    min_size=1,
    max_size=3,
)


def edited(data: bytes, changes: Sequence[tuple[str, int, int]]) -> bytes:
    """The bytes after some accidents."""
    for what, where, value in changes:
        at = where % max(1, len(data))
        before, here, after = data[:at], data[at : at + 1], data[at + 1 :]
        data = {
            "set": before + bytes([value]) + after,
            "insert": before + bytes([value]) + here + after,
            "drop": before + after,
            "cut": before,
            "double": before + here * (value + 1) + after,
        }[what]
    return data


def expected(wire: bytes, chain: bytes) -> tuple[str, str] | None:
    """Code and field of what the library says about these bytes; None if they are a transaction."""
    try:
        open_transaction(wire, chain)
    except TransactionError as error:
        return error.code, error.field
    return None


@hard(25)
@given(st.lists(st.tuples(st.sampled_from(sorted(EXAMPLES)), st.booleans(), edits), min_size=30, max_size=60))
def test_damaged_bytes_are_refused_by_the_network_as_by_the_library(
    network: Network, witness: Witness, accidents: list[tuple[str, bool, Any]]
) -> None:
    wires = []
    for name, under_signature, changes in accidents:
        payload = encode(fields_of(network, EXAMPLES[name]))  # type: ignore[arg-type]
        if under_signature:
            wires.append(signed(network, edited(payload, changes)))
        else:
            wires.append(edited(signed(network, payload), changes))
    errors = {wire: expected(wire, network.genesis.id) for wire in wires}
    bad = [wire for wire in wires if errors[wire] is not None]
    results = network.submit(bad)
    assert [(result["code"], result["field"]) for result in results] == [errors[wire] for wire in bad]


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.sampled_from([-1, 0, WHOLE + 1, 2**64 - 1, "", "lei:", "ok\n", b"", bytes(31), bytes(33), [], [[]]])
    | st.text(max_size=12)
    | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=8,
)


@hard(20)
@given(st.lists(junk, min_size=20, max_size=20))
def test_a_field_of_a_wrong_type_is_named_and_the_batch_around_it_does_nothing(
    network: Network, witness: Witness, values: list[Value]
) -> None:
    turn = itertools.cycle(values)
    wires, fields = [], []
    for name, kind in OPERATIONS.items():
        row = operation_value(EXAMPLES[name])  # type: ignore[arg-type]
        for place, (field, read) in enumerate(kind.FIELDS, start=1):
            value = next(turn)
            try:
                read(value, field)
            except FieldError:
                good = operation_value(invoice(network.tag()))
                batch = [good, [*row[:place], value, *row[place + 1 :]], good]
                wires.append(signed(network, changed(fields_of(network), 6, batch)))
                fields.append(f"operations[1].{field}")
    results = network.submit(wires)
    for result, field in zip(results, fields, strict=True):
        assert result["code"] == "malformed"
        assert result["field"].startswith(field)


def refuses(read: Callable[[Value, str], Any], value: Value, field: str) -> bool:
    try:
        read(value, field)
    except FieldError:
        return True
    return False


def test_every_field_of_every_operation_refuses_every_simple_wrong_value(network: Network, witness: Witness) -> None:
    wrong: list[Value] = [None, True, -1, 2**63, 2**64 - 1, "", "a" * 5_000, b"", bytes(33), [[]], [None] * 1_100]
    wires, fields = [], []
    for name, kind in OPERATIONS.items():
        row = operation_value(EXAMPLES[name])  # type: ignore[arg-type]
        for place, (field, read) in enumerate(kind.FIELDS, start=1):
            refused = [value for value in wrong if refuses(read, value, field)]
            assert len(refused) >= len(wrong) - 1, field  # one of them may be a good value: none, or true
            for value in refused:
                bad = [*row[:place], value, *row[place + 1 :]]
                wires.append(signed(network, changed(fields_of(network), 6, [bad])))
                fields.append(f"operations[0].{field}")
    for first in range(0, len(wires), 400):
        part = slice(first, first + 400)
        for result, field in zip(network.submit(wires[part]), fields[part], strict=True):
            assert (result["code"], result["field"].startswith(field)) == ("malformed", True), (result, field)
