"""One value, one encoding: canonical MessagePack, and digests.

A value is None, bool, int (-2**63 .. 2**64-1), str, bytes, or a list of values. Maps, floats, extension types and
timestamps do not exist here: records are lists in a documented order, so there is no key order to agree on. Every
length and number has the shortest form of the MessagePack specification, so equal values have equal bytes; `decode`
re-encodes what it has read and refuses any input that does not come out the same.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgpack

from registry.errors import CodecError

__all__ = [
    "DEPTH_MAX",
    "DIGEST_SIZE",
    "SIZE_MAX",
    "CodecError",
    "Value",
    "decode",
    "digest",
    "encode",
    "tagged_digest",
]

Value: TypeAlias = "bool | int | str | bytes | Sequence[Value] | None"

SIZE_MAX = 8 * 1024 * 1024  # bytes; nothing in the protocol is larger
DEPTH_MAX = 16  # nesting; keeps recursion in every reader bounded
DIGEST_SIZE = 32  # bytes
LISTS_COUNTED_FROM = 16 * 1024  # bytes of input; what fewer can hold costs little
BYTES_PER_LIST_LEAST = 8  # of longer input, on average: the densest of ours has 30, a hostile one has 1

_SCALARS = frozenset({bytes, int, str, bool, type(None)})
_pack = msgpack.Packer(use_bin_type=True, autoreset=True).pack


def encode(value: Value) -> bytes:
    """The canonical bytes of `value` (tuples count as lists). Raises `CodecError` for anything that is no value."""
    _check(value, 1)
    try:
        data: bytes = _pack(value)
    except (UnicodeEncodeError, ValueError, OverflowError) as error:
        raise CodecError(f"cannot be encoded: {error}") from error
    return data


def decode(data: bytes, *, size_max: int = SIZE_MAX) -> Value:
    """The value whose canonical encoding is `data`; sequences come back as lists.

    Raises `CodecError` for anything else: too long, too deep, truncated, trailing bytes, longer forms than needed,
    maps, floats, extension types, text that is not UTF-8.
    """
    if len(data) > size_max:
        raise CodecError(f"{len(data)} bytes, at most {size_max} are read")
    hook = None if len(data) < LISTS_COUNTED_FROM else _count_lists(len(data) // BYTES_PER_LIST_LEAST)
    try:
        value: Value = msgpack.unpackb(data, raw=False, use_list=True, max_map_len=0, max_ext_len=0, list_hook=hook)
        _check(value, 1)
        again = _pack(value)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise CodecError(f"not canonical MessagePack: {type(error).__name__}: {error}") from error
    if again != data:
        raise CodecError("not the canonical encoding of its value")
    return value


def digest(data: bytes) -> bytes:
    """SHA-256 of `data`, 32 bytes."""
    return hashlib.sha256(data).digest()


def tagged_digest(tag: bytes, *parts: bytes) -> bytes:
    """SHA-256 over the tag and the parts, each after its length (4 bytes big-endian), so no two inputs run together."""
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in (tag, *parts))).digest()


def _count_lists(most: int) -> Callable[[list[Value]], list[Value]]:
    """Stops the reading of more lists than that: each costs 64 bytes and a microsecond, however short it is."""
    counted = itertools.count(1)

    def count(item: list[Value]) -> list[Value]:
        if next(counted) > most:
            raise ValueError(f"more than {most} lists")
        return item

    return count


def _check(value: Value, depth: int) -> None:
    """Refuse what has no canonical form, or is nested too deep: a list stands at `depth`, its items below it."""
    kind = type(value)
    if kind in _SCALARS:
        return
    if not isinstance(value, list | tuple) or kind is msgpack.ExtType:  # which is a tuple
        raise CodecError(f"{kind.__name__} has no encoding")
    if depth > DEPTH_MAX:
        raise CodecError(f"nested deeper than {DEPTH_MAX}")
    if not _SCALARS.issuperset(map(type, value)):  # most lists hold nothing else
        for item in value:
            if type(item) not in _SCALARS:
                _check(item, depth + 1)
