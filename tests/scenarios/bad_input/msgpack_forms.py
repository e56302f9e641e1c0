"""Every other way to write a value in MessagePack: what a lenient reader would take for the same."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from registry.codec import Value, encode

__all__ = ["longer", "strange"]


def longer(value: Value) -> Iterator[bytes]:
    """The value with exactly one item in a longer form than it needs, once for each item and form."""
    yield from _longer_here(value)
    if isinstance(value, list | tuple):
        parts = [encode(item) for item in value]
        head = _head(len(parts))
        for place, item in enumerate(value):
            for form in longer(item):
                yield head + b"".join([*parts[:place], form, *parts[place + 1 :]])


def strange(value: Sequence[Value]) -> Iterator[bytes]:
    """A list with what has no place in canonical bytes: trailing bytes, maps, floats, extensions, depth, cuts."""
    data = encode(value)
    yield from (data + b"\xc0", data + data, data[:-1], data[: len(data) // 2], b"\xc1" + data, b"")
    parts = [encode(item) for item in value]
    yield bytes([0x80 | len(parts)]) + b"".join(b"\xc0" + part for part in parts)  # a map
    for place in range(len(parts)):
        for alien in (
            b"\xca" + struct.pack(">f", 1.0),
            b"\xcb" + struct.pack(">d", float("nan")),
            b"\x81\xa1a\x01",
            b"\xd4\x01\x00",  # an extension
            b"\xd6\xff" + bytes(4),  # a timestamp
            b"\x91" * 17 + b"\xc0",  # deeper than is read
            b"\x91" * 100_000 + b"\xc0",
            b"\xdd\xff\xff\xff\xff",  # four thousand million items
            b"\xc6\xff\xff\xff\xff",  # and as many bytes
            b"\xa2\xff\xfe",  # no UTF-8
            b"\xa3\xed\xa0\x80",  # half a surrogate pair
        ):
            yield _head(len(parts)) + b"".join([*parts[:place], alien, *parts[place + 1 :]])


def _longer_here(value: Value) -> Iterator[bytes]:
    if isinstance(value, bool) or value is None:
        return
    if isinstance(value, int):
        sizes = (("B", 0xCC), ("H", 0xCD), ("I", 0xCE), ("Q", 0xCF), ("b", 0xD0), ("h", 0xD1), ("i", 0xD2), ("q", 0xD3))
        forms = [bytes([mark]) + struct.pack(f">{size}", value) for size, mark in sizes if _fits(size, value)]
    elif isinstance(value, str):
        forms = _sized(value.encode(), ((0xD9, 1), (0xDA, 2), (0xDB, 4)))
    elif isinstance(value, bytes):
        forms = _sized(value, ((0xC4, 1), (0xC5, 2), (0xC6, 4)))
    else:
        body = b"".join(encode(item) for item in value)
        forms = [bytes([mark]) + len(value).to_bytes(size, "big") + body for mark, size in ((0xDC, 2), (0xDD, 4))]
    canonical = encode(value)
    yield from (form for form in forms if form != canonical)


def _sized(data: bytes, forms: Sequence[tuple[int, int]]) -> list[bytes]:
    return [bytes([mark]) + len(data).to_bytes(size, "big") + data for mark, size in forms if len(data) < 256**size]


def _fits(size: str, value: int) -> bool:
    try:
        struct.pack(f">{size}", value)
    except struct.error:
        return False
    return True


def _head(count: int) -> bytes:
    return bytes([0x90 | count]) if count < 16 else b"\xdc" + count.to_bytes(2, "big")
