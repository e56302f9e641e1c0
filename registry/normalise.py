"""norm-v1: one spelling for what people write in many ways. Pinned, because fingerprints must be equal everywhere.

Python's Unicode tables grow with each release, so nothing here asks them about a character that Unicode 3.2 does not
know: `unicodedata.ucd_3_2_0` is the same in every CPython, and case pairs between characters that both exist never
change (Unicode's stability policy). A digest over the result for every code point is pinned in
`tests/registry/test_fingerprint.py`.

Two strengths:

- `compact` and `canonical_number` only undo formatting: width, case, separators, prefixes, leading zeros.
- `skeleton` also folds what looks alike (`registry.md` 7), so that a Greek letter or an O for a 0 changes nothing. Two
  different numbers can share a skeleton; it is only used beside the debtor and the amount. Two things are not folded,
  because honest invoices of one day and amount would become one: the letter that names a part (instalments 417-I and
  417-L), and where a group of digits ends (0001-00000088 and 0018-00000008, of two points of sale).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

__all__ = [
    "INVOICE_PREFIXES",
    "NORM_VERSION",
    "ORDER_PREFIXES",
    "canonical_number",
    "compact",
    "is_clean_text",
    "skeleton",
]

NORM_VERSION = "norm-v1"

# Words before a number that say what it is and not which one; dropped only where a digit follows.
INVOICE_PREFIXES = (
    *("INVOICE", "INV", "NUMBER", "NUMERO", "NUM", "NO", "NR"),
    *("RECHNUNGSNUMMER", "RECHNUNGSNR", "RECHNUNG", "RG"),
    *("FACTURE", "FACTURA", "FATTURA", "FATURA", "FAKTURA"),
    *("发票号码", "发票号", "发票", "發票號碼", "發票號", "發票", "号码", "號碼", "号", "號"),
)
ORDER_PREFIXES = (
    *("PURCHASEORDER", "ORDER", "PO", "NUMBER", "NUMERO", "NUM", "NO", "NR"),
    *("BESTELLUNG", "BESTELLNUMMER", "COMMANDE", "PEDIDO"),
    *("采购订单", "订单号", "订单", "採購訂單", "訂單號", "訂單", "号码", "號碼", "号", "號"),
)

_PINNED = unicodedata.ucd_3_2_0  # the same tables in every CPython
_LETTERS = frozenset({"Lu", "Ll", "Lt", "Lo"})  # not Lm: the katakana prolonging mark is written for a hyphen
_MARKS = frozenset({"Mn", "Mc", "Me", "Cf", "Cn"})  # leave no gap where they stand
# Without a shape, whatever Unicode 3.2 calls them: soft hyphen, zero-width space, Hangul fillers.
_SHAPELESS = frozenset("\u00ad\u200b\u115f\u1160\u3164\uffa0")
_ASCII_RUNS = re.compile("[0-9A-Z]+")
_ROUNDS_MAX = 4  # upper-casing and NFKC settle in two rounds; more would be a defect

# Cyrillic and Greek capitals drawn like a Latin one, and Latin letters with a stroke (they do not decompose).
_LOOK_ALIKES: Mapping[int, int] = MappingProxyType(
    str.maketrans(
        "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" + "АВЕЅІЈКМНОРСТУХҮҺӀЗ" + "ØŁĐĦŦ",
        "ABEZHIKMNOPTYX" + "ABESIJKMHOPCTYXYHI3" + "OLDHT",
    )
)
# registry.md 7: O/0, I/1/L, S/5, B/8, Z/2, G/6.
_PART_LETTERS = "OILSBZG"
_POINT = "."  # between two groups of a skeleton
_DIGIT_ALIKES: Mapping[int, int] = MappingProxyType(str.maketrans(_PART_LETTERS, "0115826"))
# Formatting characters newer than Unicode 3.2: bidi controls, an invisible operator.
_LATER_FORMAT = frozenset("\u061c\u2064\u2066\u2067\u2068\u2069")


def compact(text: str) -> str:
    """`text` in NFKC and upper case, only letters and ASCII digits; zeros and prefixes stay. Idempotent."""
    return _compose("".join(_groups(text)))


def canonical_number(text: str, *, prefixes: Sequence[str] = INVOICE_PREFIXES) -> str:
    """The number that `text` writes: no separators, no leading zeros in any group, no prefix before a digit.

    `INV-2026/000417`, `inv 2026 417` and the full-width form all give `2026417`. Idempotent. Empty only if the text
    has no letter and no digit.
    """
    return _join(_groups(text), _longest_first(tuple(prefixes)))


def skeleton(text: str, *, prefixes: Sequence[str] = INVOICE_PREFIXES) -> str:
    """`canonical_number` after folding look-alikes in the text and in the prefixes, and with its groups kept apart.

    A point stands where two groups would run into one number; a last letter with a digit before it stays a letter.
    """
    groups = [_latin(group) for group in _groups(text)]
    folded = [group.translate(_DIGIT_ALIKES).lstrip("0") or "0" for group in groups]
    if groups and groups[-1][-1] in _PART_LETTERS and _is_digit("".join(folded)[-2:-1]):
        folded[-1] = folded[-1][:-1] + groups[-1][-1]
    return _join(folded, _folded(tuple(prefixes)), between=_POINT)


def is_clean_text(text: str, *, size_max: int) -> bool:
    """Whether `text` may be a name: 1 to `size_max` characters, NFC, no control or formatting characters, trimmed."""
    if not 0 < len(text) <= size_max or text != text.strip():
        return False
    # What Unicode 3.2 does not know (later ideographs) passes unjudged; an ideograph in its place never composes.
    known = "".join("一" if _PINNED.category(character) == "Cn" else character for character in text)
    return (
        _PINNED.is_normalized("NFC", known)
        and not any(_PINNED.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} for character in known)
        and (_SHAPELESS | _LATER_FORMAT).isdisjoint(text)
    )


def _join(groups: Sequence[str], prefixes: tuple[str, ...], *, between: str = "") -> str:
    """The groups in a row without leading zeros, then without prefixes before a digit, for as long as there is one.

    `between` is put where a group that ends in a digit meets one that begins with a digit.
    """
    joined = ""
    for group in groups:
        bare = group.lstrip("0") or "0"
        joined += between + bare if _is_digit(joined[-1:]) and _is_digit(bare[:1]) else bare
    number = _compose(joined)
    while True:
        bare = _without_prefixes(number, prefixes)
        bare = bare.lstrip("0" + _POINT) or bare[:1]
        if bare == number:
            return number
        number = bare


@cache
def _longest_first(prefixes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(prefixes, key=len, reverse=True))


@cache
def _folded(prefixes: tuple[str, ...]) -> tuple[str, ...]:
    return _longest_first(tuple(_latin(prefix).translate(_DIGIT_ALIKES) for prefix in prefixes))


def _without_prefixes(number: str, longest_first: tuple[str, ...]) -> str:
    """`number` after one or more prefixes ("Rechnung Nr."); unchanged if no digit follows them."""
    start = 0
    while number.startswith(longest_first, start):
        start += next(len(prefix) for prefix in longest_first if number.startswith(prefix, start))
        start += number.startswith(_POINT, start)
    return number[start:] if _is_digit(number[start : start + 1]) else number


def _is_digit(character: str) -> bool:
    """Whether this is one ASCII digit; not if it is empty."""
    return "0" <= character <= "9"


def _latin(group: str) -> str:
    """Upper-case letters and digits without marks, what looks like a Latin letter replaced by it."""
    if not group.isascii():
        group = "".join(c for c in _PINNED.normalize("NFKD", group) if _PINNED.category(c) != "Mn")
    return group.translate(_LOOK_ALIKES)


def _groups(text: str) -> list[str]:
    """The runs of letters and digits, upper case; what is invisible does not end a run."""
    if text.isascii():  # nearly always, and far cheaper
        return _ASCII_RUNS.findall(text.upper())
    for _ in range(_ROUNDS_MAX):
        spaced = _spell(text)
        if spaced == text:
            return spaced.split()
        text = spaced
    raise AssertionError(f"norm-v1 does not settle for {text!r}")


def _compose(text: str) -> str:
    """NFKC of joined runs: Hangul letters may compose where a gap was."""
    return text if text.isascii() else _PINNED.normalize("NFKC", text)


def _spell(text: str) -> str:
    """One round: NFKC, upper case, invisible characters dropped, separators as a space, digits as ASCII."""
    known = "".join(c for c in text if _PINNED.category(c) != "Cn")
    upper = "".join(_upper(c) for c in _PINNED.normalize("NFKC", known))
    return "".join(_letter_digit_or_space(c) for c in _PINNED.normalize("NFKC", upper))


def _upper(character: str) -> str:
    upper = character.upper()
    return character if any(_PINNED.category(c) == "Cn" for c in upper) else upper


def _letter_digit_or_space(character: str) -> str:
    if character.isascii():
        return character if character.isalnum() else " "
    category = _PINNED.category(character)
    if category == "Nd":
        return str(_PINNED.decimal(character))
    if character == "〇":
        return "0"
    if category in _MARKS or character in _SHAPELESS:
        return ""
    return character if category in _LETTERS else " "
