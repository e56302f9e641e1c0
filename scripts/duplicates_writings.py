"""How one number is written in many ways, and how it is written wrong."""

from __future__ import annotations

import re
from random import Random

from registry.normalise import canonical_number

__all__ = ["confused", "reformatted", "renumbered", "suffixed", "typed_wrong"]

_SEPARATORS = (" ", "-", ".", "_", "/", "–", "－", " / ")
_PREFIXES = ("INV ", "No. ", "Invoice No. ", "Rechnung Nr. ", "发票号码：", "Nº ")
_SUFFIXES = ("-R1", "/A", " REV", "-2", "(1)", "-KOPIE", "-DUP", ".1")
# What looks like each character: digits and letters of registry.md 7, and Cyrillic and Greek capitals.
_LOOK_ALIKES = {
    "0": "OОΟ", "1": "IlІ", "2": "ZΖ", "5": "SЅ", "6": "G", "8": "BВ",
    "A": "АΑ", "B": "8В", "C": "С", "E": "ЕΕ", "G": "6", "I": "1lІΙ", "J": "Ј",
    "K": "КΚ", "N": "Ν", "T": "ТΤ", "X": "ХΧ",
}  # fmt: skip


def reformatted(rng: Random, number: str) -> str:
    """The same number in another case, width or spacing, with a word before it or zeros in a group."""
    while True:
        way = rng.randrange(5)
        if way == 0:
            changed = number.lower()
        elif way == 1:
            changed = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in number)
        elif way == 2:
            changed = re.sub(r"[-/. ]", rng.choice(_SEPARATORS), number)
        elif way == 3:
            changed = rng.choice(_PREFIXES) + number if number[0].isdigit() else number
        else:
            changed = re.sub(r"\b(?=[0-9])", "0" * rng.randrange(1, 4), number)
        if changed != number:
            return changed


def confused(rng: Random, number: str) -> str:
    """One or two characters replaced by others that look like them."""
    places = [place for place, character in enumerate(number) if character in _LOOK_ALIKES]
    changed = list(number)
    for place in rng.sample(places, min(len(places), rng.choice((1, 1, 2)))):
        changed[place] = rng.choice(_LOOK_ALIKES[number[place]])
    return "".join(changed)


def typed_wrong(rng: Random, number: str) -> str:
    """Two neighbours swapped, a digit replaced, left out or doubled: another number, by one slip."""
    digits = [place for place, character in enumerate(number) if character.isdigit()]
    while True:
        at, way = rng.choice(digits), rng.randrange(4)
        before, digit, after = number[:at], number[at], number[at + 1 :]
        changed = (
            before + after[:1] + digit + after[1:],
            before + str((int(digit) + rng.randrange(1, 10)) % 10) + after,
            before + after,
            before + digit + digit + after,
        )[way]
        if canonical_number(changed) not in ("", canonical_number(number)):
            return changed


def suffixed(rng: Random, number: str) -> str:
    """The number with something behind it that makes it look like a new one."""
    return number + rng.choice(_SUFFIXES)


def renumbered(rng: Random, number: str) -> str:
    """Another number of the same style: its digits after the first ones are drawn anew."""
    last = re.search(r"[0-9]+(?=[^0-9]*$)", number)
    assert last is not None, "every style ends in a running number"
    return number[: last.start()] + str(rng.randrange(10**8, 10**9)) + number[last.end() :]
