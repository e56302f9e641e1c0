"""One value, one encoding: canonical MessagePack, and digests.

A value is None, bool, int (-2**63 .. 2**64-1), str, bytes, or a list of values. Maps, floats, extension types and
timestamps do not exist here: records are lists in a documented order, so there is no key order to agree on. Every
length and number has the shortest form of the MessagePack specification, so equal values have equal bytes; `decode`
re-encodes what it has read and refuses any input that does not come out the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, TypeAlias

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
BYTES_PER_LIST_LEAST = 16  # of longer input, on average: the densest of ours has 22, a hostile one has 1
BYTES_PER_ITEM_LEAST = 4  # likewise: the densest of ours has 8, a hostile one has 1
ITEMS_ALWAYS = 64 * 1024  # so many may stand in one list, however short they are: the longest of ours

_Hook: TypeAlias = "Callable[[list[Value]], list[Value]]"

_SCALARS = frozenset({bytes, int, str, bool, type(None)})
_LISTS = frozenset({list, tuple})  # named tuples and the like are looked at more closely
_pack = msgpack.Packer(use_bin_type=True, autoreset=True).pack


def encode(value: Value) -> bytes:
    """The canonical bytes of `value` (tuples count as lists). Raises `CodecError` for anything that is no value."""
    _check(value)
    try:
        data: bytes = _pack(value)
    except (UnicodeEncodeError, ValueError, OverflowError) as error:
        raise CodecError(f"cannot be encoded: {error}") from error
    return data


def decode(data: bytes, *, size_max: int = SIZE_MAX, items_max: int | None = None) -> Value:
    """The value whose canonical encoding is `data`; sequences come back as lists.

    `size_max`: bytes. `items_max`: how many items all lists have together, for who knows what is to come; what is
    reckoned with otherwise is that long input has few lists and items for its bytes.

    Raises `CodecError` for anything else: too long, too many items, too deep, truncated, trailing bytes, longer forms
    than needed, maps, floats, extension types, text that is not UTF-8.
    """
    size = len(data)
    if size > size_max:
        raise CodecError(f"{size} bytes, at most {size_max} are read")
    longest = max(ITEMS_ALWAYS, size // BYTES_PER_LIST_LEAST) if items_max is None else items_max
    hook: _Hook | None = None
    if items_max is not None:
        hook = None if size <= items_max else _count(lists_max=size, items_max=items_max)
    elif size >= LISTS_COUNTED_FROM:
        items = max(ITEMS_ALWAYS, size // BYTES_PER_ITEM_LEAST)
        hook = _count(lists_max=size // BYTES_PER_LIST_LEAST, items_max=items)
    try:
        value: Value = msgpack.unpackb(
            data, raw=False, use_list=True, max_array_len=longest, max_map_len=0, max_ext_len=0, list_hook=hook
        )
        _check(value)
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
    return hashlib.sha256(b"".join([len(part).to_bytes(4, "big") + part for part in (tag, *parts)])).digest()


def _count(*, lists_max: int, items_max: int) -> _Hook:
    """Stops the reading of more than that: a list costs 64 bytes and a microsecond, however short it is."""
    lists, items = 0, 0

    def count(item: list[Value]) -> list[Value]:
        nonlocal lists, items
        lists += 1
        items += len(item)
        if lists > lists_max or items > items_max:
            raise ValueError(f"more than {lists_max} lists or {items_max} items")
        return item

    return count


def _check(value: Value) -> None:
    """Refuse what has no canonical form, or is nested too deep. All lists of one depth are looked at together."""
    kind = type(value)
    if kind in _SCALARS:
        return
    if kind not in _LISTS:
        _check_lists([value])
    items: Any = value
    depth = 1
    while not _SCALARS.issuperset(map(type, items)):
        lists = [item for item in items if type(item) not in _SCALARS]
        if not _LISTS.issuperset(map(type, lists)):
            _check_lists(lists)
        depth += 1
        if depth > DEPTH_MAX:
            raise CodecError(f"nested deeper than {DEPTH_MAX}")
        items = list(chain.from_iterable(lists))


def _check_lists(values: list[Any]) -> None:
    """Refuse what is neither a scalar nor some kind of list or tuple."""
    for value in values:
        if not isinstance(value, list | tuple) or type(value) is msgpack.ExtType:  # which is a tuple
            raise CodecError(f"{type(value).__name__} has no encoding")
