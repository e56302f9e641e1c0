"""One value, one encoding: round trips, refusals, hostile input, golden bytes."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry.codec import DEPTH_MAX, Value, decode, digest, encode, tagged_digest
from registry.errors import CodecError
from registry.limits import WIRE_BYTES_MAX
from registry.transactions.operations import operation_value
from tests.registry.test_envelope import EXAMPLES

VECTORS = json.loads((Path(__file__).parent / "vectors" / "codec.json").read_text(encoding="utf-8"))

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
    | st.binary(max_size=300)
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=20), max_leaves=40)


def same(left: Value, right: Value) -> bool:
    """Equal in value and in type: True is not 1 here."""
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


@given(values)
def test_decoding_gives_back_what_was_encoded(value: Value) -> None:
    assert same(decode(encode(value)), value)


@given(values, values)
def test_different_values_have_different_bytes(left: Value, right: Value) -> None:
    assert (encode(left) == encode(right)) == same(left, right)


@given(st.binary(max_size=80))
@example(b"\xcc\x01")
def test_any_bytes_are_the_encoding_of_their_value_or_refused(data: bytes) -> None:
    try:
        value = decode(data)
    except CodecError:
        return
    assert encode(value) == data


@given(values, st.data())
def test_mutated_encodings_are_the_encoding_of_their_value_or_refused(value: Value, data: st.DataObject) -> None:
    mutated = bytearray(encode(value))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(mutated)))
        match data.draw(st.sampled_from(["change", "insert", "cut"])):
            case "change" if place < len(mutated):
                mutated[place] = data.draw(st.integers(0, 255))
            case "insert":
                mutated.insert(place, data.draw(st.integers(0, 255)))
            case _:
                del mutated[place:]
    try:
        again = decode(bytes(mutated))
    except CodecError:
        return
    assert encode(again) == bytes(mutated)


@given(values)
def test_no_encoding_is_the_beginning_of_another(value: Value) -> None:
    data = encode(value)
    with pytest.raises(CodecError):
        decode(data + b"\x00")
    with pytest.raises(CodecError):
        decode(data[:-1])


@pytest.mark.parametrize("vector", VECTORS["accepted"], ids=lambda vector: vector["hex"][:24])
def test_golden_encodings(vector: dict[str, object]) -> None:
    data = bytes.fromhex(str(vector["hex"]))
    value = _from_json(vector["value"])
    assert encode(value) == data
    assert same(decode(data), value)


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda vector: vector["why"])
def test_golden_refusals(vector: dict[str, str]) -> None:
    with pytest.raises(CodecError):
        decode(bytes.fromhex(vector["hex"]))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(1.0, id="float"),
        pytest.param({"a": 1}, id="map"),
        pytest.param({1}, id="set"),
        pytest.param(2**64, id="too large"),
        pytest.param(-(2**63) - 1, id="too small"),
        pytest.param("\ud800", id="lone surrogate"),
        pytest.param(bytearray(b"x"), id="bytearray"),
        pytest.param([[1.5]], id="nested float"),
        pytest.param(msgpack.Timestamp(0), id="timestamp"),
        pytest.param(msgpack.ExtType(1, b""), id="extension"),
    ],
)
def test_what_is_no_value_is_not_encoded(value: object) -> None:
    with pytest.raises(CodecError):
        encode(value)  # type: ignore[arg-type]


def test_tuples_count_as_lists() -> None:
    assert encode((1, ("a", b"b"))) == encode([1, ["a", b"b"]])


def test_nesting_is_bounded_both_ways() -> None:
    deepest: Value = []
    for _ in range(DEPTH_MAX - 1):
        deepest = [deepest]
    assert decode(encode(deepest)) == deepest
    with pytest.raises(CodecError, match="deeper"):
        encode([deepest])
    for levels in (DEPTH_MAX + 1, 1_000, 100_000):
        with pytest.raises(CodecError):
            decode(b"\x91" * (levels - 1) + b"\x90")


@pytest.mark.parametrize("mark", [b"\xdd", b"\xdb", b"\xc6", b"\xdf", b"\xc9"])
def test_huge_declared_lengths_cost_nothing(mark: bytes) -> None:
    with pytest.raises(CodecError):
        decode(mark + struct.pack(">I", 2**32 - 1) + b"\x00" * 64)


def test_nested_huge_declarations_are_refused() -> None:
    size = 64 * 1024
    arrays = b"".join(b"\xdd" + struct.pack(">I", size - 5 * (level + 1)) for level in range(1000))
    with pytest.raises(CodecError):
        decode(arrays + b"\xc0" * (size - len(arrays)))


def test_lists_that_cost_far_more_than_their_bytes_are_refused() -> None:
    """A list of one byte takes 64 in memory and a microsecond: 6 MiB of them held a node up for four seconds."""
    for data in (encode([[]] * 100_000), encode([[[], []]] * 50_000)):
        with pytest.raises(CodecError, match=r"max_array_len|lists"):
            decode(data)
    with pytest.raises(CodecError, match="lists"):
        decode(encode([[[]] * 60_000, bytes(60_000)]))
    dense = [[bytes(32), 1]] * 10_000
    assert decode(encode(dense)) == dense
    assert decode(encode([[]] * 1_000)) == [[]] * 1_000


@pytest.mark.parametrize("value", [[1] * 6_000_000, [[1] * 60_000] * 100], ids=["one list", "many lists"])
def test_items_that_cost_far_more_than_their_bytes_are_refused(value: Value) -> None:
    """Six million items of a byte each held a node up for half a second."""
    with pytest.raises(CodecError, match=r"max_array_len|items"):
        decode(encode(value))
    longest = [bytes(32)] * 65_536  # the cut of a large state, in a manifest
    assert decode(encode(longest)) == longest
    assert decode(encode([0] * 65_536)) == [0] * 65_536


def test_as_many_of_any_operation_as_a_transaction_has_are_no_too_many_lists() -> None:
    for name, operation in EXAMPLES.items():
        value = [operation_value(operation)] * (WIRE_BYTES_MAX // len(encode(operation_value(operation))))
        assert encode(decode(encode(value))) == encode(value), name


def test_who_knows_how_many_items_are_to_come_says_so() -> None:
    value: Value = [1, [2, 3], [bytes(20)]]
    assert decode(encode(value), items_max=6) == value
    with pytest.raises(CodecError, match=r"more than .* 5 items"):
        decode(encode(value), items_max=5)
    with pytest.raises(CodecError, match="max_array_len"):
        decode(encode([1] * 7), items_max=6)


def test_nested_declarations_reserve_no_more_than_the_items_allowed() -> None:
    """6 MiB of lists, each of which says that it goes on to the end: 48 GB of room, had it been taken at its word."""
    size = 6 * 1024 * 1024
    arrays = b"".join(b"\xdd" + struct.pack(">I", size - 5 * (level + 1)) for level in range(1000))
    with pytest.raises(CodecError, match="max_array_len"):
        decode(arrays + b"\xc0" * (size - len(arrays)))


def test_size_is_checked_before_anything_is_read() -> None:
    data = encode([0] * 100)
    assert decode(data, size_max=len(data)) == [0] * 100
    with pytest.raises(CodecError, match=f"{len(data)} bytes"):
        decode(data, size_max=len(data) - 1)


def test_digest_is_sha_256() -> None:
    # FIPS 180-4, the example "abc"
    assert digest(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=4), st.lists(st.binary(max_size=8), min_size=1, max_size=4))
@example([b"a", b"bc"], [b"ab", b"c"])
@example([b"a"], [b"a", b""])
def test_tagged_digests_frame_their_parts(left: list[bytes], right: list[bytes]) -> None:
    assert (tagged_digest(*left) == tagged_digest(*right)) == (left == right)


def test_tagged_digest_golden() -> None:
    expected = digest(b"\x00\x00\x00\x01t" + b"\x00\x00\x00\x02ab" + b"\x00\x00\x00\x00")
    assert tagged_digest(b"t", b"ab", b"") == expected


def _from_json(value: object) -> Value:
    """JSON has no bytes and no large integers: {"bytes": hex} and {"int": text} stand for them."""
    match value:
        case {"bytes": str(text)}:
            return bytes.fromhex(text)
        case {"int": str(text)}:
            return int(text)
        case list(items):
            return [_from_json(item) for item in items]
        case None | bool() | int() | str():
            return value
    raise AssertionError(f"no value of the codec: {value!r}")
