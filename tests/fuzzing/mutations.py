"""Changes to honest inputs that a decoder's own structure invites: a value replaced in place, not a byte in the dark.

One function for each form of input. All randomness comes from the `Random` given, which may be Hypothesis's or seeded
by the coverage-guided fuzzer, so every input can be made again.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import msgpack

from registry.codec import decode
from registry.errors import CodecError

__all__ = ["FORMS", "Mutator", "mutated"]

Mutator = Callable[[bytes, Random], bytes]

_NESTED: list[Any] = []
for _ in range(20):
    _NESTED = [_NESTED]

# Ends of ranges, wrong types, wrong sizes; JSON and MessagePack take what they can express.
_COMMON: list[Any] = [
    *(0, 1, -1, 2**31, 2**53 - 1, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -(2**63)),
    *(
        True,
        False,
        None,
        "",
        " ",
        "\x00",
        "a" * 3_000,
        "９",
        "é",
        "e\u0301",
        "\u202e1",
        "0" * 64,
        "ff" * 32,
        "-0",
        "1e9",
    ),
    *([], [[]], [None] * 40, _NESTED, 0.5, float("nan"), float("inf"), {}),
]
_MSGPACK: list[Any] = [*_COMMON, b"", bytes(31), bytes(32), bytes(33), bytes(64), b"\xc0", {"a": 1, b"b": 2}]
_JSON: list[Any] = [*_COMMON, "\ud800", 10**40, -(10**40), 1e308, {"": {}}, ["00" * 32] * 9, "00" * 40_000]
_TEXTS = [
    *("", " ", "-1", "+1", "1e9", "1e400", "NaN", "Infinity", "９", "٣", "0" * 300, "9" * 5_000, "0x10", "1_000"),
    *("2026-02-30", "9999-12-31", "0000-00-00", "2026-05-04T00:00:00Z", "99999-01-01", "20261301"),
    *("&amp;", "&#0;", "&#xD800;", "<x/>", "]]>", "\u202e1", "e\u0301", "\ufeff", "\x00", "\x85", "'", '"', "[", "\n"),
    *("true", "{}", "[[[[", "USD", "XAU", "XXX", "usd", "../../x.xml", "a" * 5_000, "=1+1", "#REF!", "1.0", "1,000,00"),
]
_TOKEN = re.compile(r"[^\s<>\"'=;,|/\[\]{}]+")
_CHANGES_MAX = 3


def mutated(form: str, data: bytes, random: Random) -> bytes:
    """The input with one to three changes in it."""
    for _ in range(random.randint(1, _CHANGES_MAX)):
        data = FORMS[form](data, random)
    return data


def bytes_changed(data: bytes, random: Random) -> bytes:
    """A byte changed, a piece cut out, doubled, or put somewhere else, or the end cut off."""
    place = random.randint(0, len(data))
    end = min(len(data), place + random.randint(1, 40))
    piece = data[place:end]
    change = random.randint(0, 4)
    if change == 0:
        return data[:place] + bytes([random.randint(0, 255)]) + data[place + 1 :]
    if change == 1:
        return data[:place] + data[end:]
    if change == 2:
        return data[:end] + piece * random.randint(1, 9) + data[end:]
    if change == 3:
        other = random.randint(0, len(data))
        return data[:other] + piece + data[other:]
    return data[:place]


def msgpack_changed(data: bytes, random: Random) -> bytes:
    """A value of canonical MessagePack replaced, dropped or doubled; also inside of byte strings that are encodings."""
    try:
        value = decode(data)
    except CodecError:
        return bytes_changed(data, random)
    changed = _changed(value, random, _MSGPACK)
    try:
        packed: bytes = msgpack.packb(changed, use_bin_type=True)
    except (ValueError, OverflowError, TypeError):
        return bytes_changed(data, random)
    return packed


def json_changed(data: bytes, random: Random) -> bytes:
    """A value of a JSON text replaced, dropped or doubled; or a key named twice."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return bytes_changed(data, random)
    if random.randint(0, 7) == 0 and isinstance(value, dict) and value:
        key = random.choice(sorted(value))
        twice = f"{json.dumps(key)}: {json.dumps(random.choice(_JSON))}, ".encode()
        return json.dumps(value).encode().replace(b"{", b"{" + twice, 1)
    return json.dumps(_changed(value, random, _JSON)).encode()


def text_changed(data: bytes, random: Random) -> bytes:
    """A word of a text (XML, CSV, TOML) replaced by one that is none, or by another of the same text."""
    text = data.decode("utf-8", "surrogateescape")
    words = list(_TOKEN.finditer(text))
    if not words or random.randint(0, 3) == 0:
        return bytes_changed(data, random)
    word = random.choice(words)
    other = random.choice(_TEXTS) if random.randint(0, 2) else random.choice(words)[0]
    return (text[: word.start()] + other + text[word.end() :]).encode("utf-8", "surrogateescape")


def zip_changed(data: bytes, random: Random) -> bytes:
    """A member of an archive changed, dropped or named twice; now and then the archive itself."""
    if random.randint(0, 4) == 0:
        return bytes_changed(data, random)
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
            chosen = random.choice(old.namelist())
            drops = random.randint(0, 9) == 0
            for member in old.infolist():
                content = old.read(member)
                if member.filename != chosen:
                    new.writestr(member.filename, content)
                elif not drops:
                    new.writestr(member.filename, text_changed(content, random))
    except Exception:  # noqa: BLE001 - whatever the archive has become by now, its bytes can still be changed
        return bytes_changed(data, random)
    return out.getvalue()


FORMS: Mapping[str, Mutator] = {
    "bytes": bytes_changed,
    "msgpack": msgpack_changed,
    "json": json_changed,
    "text": text_changed,
    "zip": zip_changed,
}


def _changed(value: Any, random: Random, evil: list[Any]) -> Any:
    """A copy of the value with one place in it changed."""
    if isinstance(value, dict) and value and random.randint(0, 5):
        key = random.choice(list(value))
        return value | {key: _changed(value[key], random, evil)}
    if isinstance(value, list | tuple) and value and random.randint(0, 5):
        place = random.randrange(len(value))
        item = value[place]
        change = random.randint(0, 9)
        middle = [] if change == 0 else [item, item] if change == 1 else [_changed(item, random, evil)]
        return [*value[:place], *middle, *value[place + 1 :]]
    if isinstance(value, bytes) and len(value) > 40 and random.randint(0, 5):
        return msgpack_changed(value, random)  # a payload in its wire, a block in its message
    if isinstance(value, str) and len(value) > 80 and random.randint(0, 3):
        try:
            return msgpack_changed(bytes.fromhex(value), random).hex()
        except ValueError:
            return text_changed(value.encode("utf-8", "surrogatepass"), random).decode("utf-8", "replace")
    if isinstance(value, int) and not isinstance(value, bool) and random.randint(0, 1):
        return value + random.choice([1, -1, 2**32, -(2**32)])
    return random.choice(evil)
