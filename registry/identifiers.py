"""Identifiers of firms: `scheme:VALUE` in one canonical spelling, so that one number never has two names.

Two depths of checking, because execution must give the same answer on every node for ever:

- `pinned_problem` uses only what this module fixes: shapes, and the check digits of LEI (ISO 17442, MOD 97-10 of
  ISO 7064) and USCC (GB 32100-2015). Execution and genesis rely on it.
- `check_identifier` adds what python-stdnum knows today about VAT, tax and register numbers. Its answers change with
  its versions, so it serves the edges: warnings on import, and vetting before an admission is signed.

A number that a country uses under two names has one scheme here: China's tax number is its USCC, and `vat` is only
used where VAT numbers carry the country's prefix; elsewhere it is `tax:` with the ISO country code in front.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType

from stdnum import ean
from stdnum.au import abn
from stdnum.be import vat as be_vat
from stdnum.ch import uid
from stdnum.dk import cvr
from stdnum.eu import vat as eu_vat
from stdnum.fr import siren, siret
from stdnum.gb import vat as gb_vat
from stdnum.jp import cn as jp_cn
from stdnum.no import orgnr
from stdnum.sg import uen
from stdnum.util import get_cc_module

from registry.errors import FieldError

__all__ = ["check_identifier", "normalise_identifier", "pinned_problem", "split_identifier"]

TEXT_CHARS_MAX = 200  # characters of an identifier as written, before normalisation

# The states whose VAT numbers carry a prefix: EU (EL is Greece), Northern Ireland, United Kingdom, Norway, Switzerland.
_VAT_STATES = "AT|BE|BG|CHE|CY|CZ|DE|DK|EE|EL|ES|FI|FR|GB|HR|HU|IE|IT|LT|LU|LV|MT|NL|NO|PL|PT|RO|SE|SI|SK|XI"
_VAT_PREFIXES = frozenset(state[:2] for state in _VAT_STATES.split("|"))
_USCC = "[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}"

_SHAPES: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        scheme: re.compile(shape, re.ASCII)
        for scheme, shape in {
            "lei": "[0-9A-Z]{18}[0-9]{2}",
            "uscc": _USCC,
            "vat": f"(?:{_VAT_STATES})[0-9A-Z+*]{{2,16}}",
            "tax": f"(?!CN{_USCC}$)[A-Z]{{2}}[0-9A-Z]{{2,40}}",
            "eori": "[A-Z]{2}[0-9A-Z]{1,15}",
            "gln": "[0-9]{13}",
            "duns": "[0-9]{9}",
            "siren": "[0-9]{9}",
            "siret": "[0-9]{14}",
            "kvk": "[0-9]{8}",
            "abn": "[0-9]{11}",
            "ch-uid": "CHE[0-9]{9}",
            "dk-cvr": "[0-9]{8}",
            "jp-cn": "[0-9]{13}",
            "no-orgnr": "[0-9]{9}",
            "sg-uen": "[0-9A-Z]{9,10}",
            "be-cbe": "[0-9]{10}",
        }.items()
    }
)
# Any other register of ISO/IEC 6523, by its International Code Designator: the shape is all that is known.
_OTHER_SCHEME = re.compile(r"icd-[0-9]{4}", re.ASCII)
_OTHER_SHAPE = re.compile(r"[0-9A-Z]{1,50}", re.ASCII)

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"

_LIBRARY_CHECKS: Mapping[str, Callable[[str], bool]] = MappingProxyType(
    {
        "gln": ean.is_valid,
        "siren": siren.is_valid,
        "siret": siret.is_valid,
        "abn": abn.is_valid,
        "ch-uid": uid.is_valid,
        "dk-cvr": cvr.is_valid,
        "jp-cn": jp_cn.is_valid,
        "no-orgnr": orgnr.is_valid,
        "sg-uen": uen.is_valid,
        "be-cbe": be_vat.is_valid,
    }
)
_TAX_MODULES = ("vat", "tin", "pan")  # what python-stdnum calls the numbers by which a country taxes firms


def normalise_identifier(text: str, *, country: str = "") -> str:
    """The canonical spelling of an identifier: `scheme:VALUE`, without separators, in the one scheme of its number.

    `country` (ISO 3166) completes a VAT or tax number that was written without its prefix. Check digits are not
    judged (`check_identifier` does). Idempotent. Raises `FieldError` if the text has no canonical spelling.
    """
    if len(text) > TEXT_CHARS_MAX:
        raise FieldError("identifier", f"has more than {TEXT_CHARS_MAX} characters")
    head, colon, tail = unicodedata.ucd_3_2_0.normalize("NFKC", text).partition(":")
    if not colon:
        raise FieldError("identifier", "must be a scheme, a colon and the value, such as lei:984500TJEXPORT000197")
    scheme, value = head.strip().lower(), re.sub(r"[^0-9A-Z+*]", "", tail.upper())
    if scheme == "vat":
        scheme, value = _vat(value, country)
    if scheme != "vat":
        value = re.sub(r"[+*]", "", value)
    if scheme == "tax":
        scheme, value = _tax(value, country)
    split_identifier("identifier", f"{scheme}:{value}")
    return f"{scheme}:{value}"


def split_identifier(field: str, identifier: str) -> tuple[str, str]:
    """(scheme, value) of an identifier in canonical spelling. Raises `FieldError` naming `field` for any other text."""
    scheme, _, value = identifier.partition(":")
    shape = _SHAPES.get(scheme) or (_OTHER_SHAPE if _OTHER_SCHEME.fullmatch(scheme) else None)
    if shape is None:
        raise FieldError(field, f"{scheme[:20]!r} is not a known scheme such as lei, uscc, vat or tax")
    if not shape.fullmatch(value):
        raise FieldError(field, f"{value[:60]!r} does not have the form of scheme {scheme}")
    return scheme, value


def pinned_problem(scheme: str, value: str) -> str | None:
    """What is wrong with the check digits of an LEI or USCC in canonical spelling; None for nothing or others."""
    if scheme == "lei" and not _lei_checks(value):
        return f"the check digits of LEI {value} are wrong (ISO 17442)"
    if scheme == "uscc" and value[17] != _uscc_check_character(value[:17]):
        return f"the check character of USCC {value} is wrong (GB 32100-2015)"
    return None


def check_identifier(scheme: str, value: str) -> str | None:
    """What is wrong with an identifier, in words for a person; None if nothing is known to be.

    Judges spelling, the pinned check digits, and whatever python-stdnum knows of the scheme.
    """
    try:
        split_identifier("identifier", f"{scheme}:{value}")
    except FieldError as error:
        return error.reason
    problem = pinned_problem(scheme, value)
    if problem is None and _library_accepts(scheme, value) is False:
        return f"the check digits of {scheme}:{value} are wrong"
    return problem


def _library_accepts(scheme: str, value: str) -> bool | None:
    """python-stdnum's answer, None if it has none."""
    if scheme == "vat":
        return _vat_is_valid(value)
    if scheme == "tax":
        country, number = value[:2], value[2:]
        if country in _VAT_PREFIXES or country == "GR":
            return None  # its VAT rule does not hold for its other tax numbers
        modules = [module for name in _TAX_MODULES if (module := get_cc_module(country, name)) is not None]
        return any(module.is_valid(number) for module in modules) if modules else None
    check = _LIBRARY_CHECKS.get(scheme)
    return None if check is None else bool(check(value))


def _vat_is_valid(value: str) -> bool:
    if value.startswith("CHE"):
        return bool(uid.is_valid(value))
    if value.startswith("NO"):
        return bool(orgnr.is_valid(value[2:]))
    if value.startswith("GB"):
        return bool(gb_vat.is_valid(value[2:]))
    return bool(eu_vat.is_valid(value))


def _vat(value: str, country: str) -> tuple[str, str]:
    """The scheme and full number of something called a VAT number."""
    state = "EL" if country == "GR" else country
    if value.startswith("GR"):
        value = "EL" + value[2:]
    prefixed = value[:2].isalpha() and (state in _VAT_PREFIXES or not state or eu_vat.is_valid(value))
    if state and not prefixed and not value.startswith(state):
        value = state + value
    if value[:2] not in _VAT_PREFIXES:
        return "tax", value
    if re.fullmatch("BE[0-9]{9}", value):
        value = "BE0" + value[2:]  # Belgian numbers of before 2005 lack the leading zero
    # the words that Swiss and Norwegian numbers may carry behind them
    return "vat", re.sub("^(CHE[0-9]{9})(MWST|TVA|IVA|TPV)$|^(NO[0-9]{9})MVA$", r"\1\3", value)


def _tax(value: str, country: str) -> tuple[str, str]:
    """The scheme and full number of a tax number; China's is the USCC."""
    if country and not value.startswith(country):
        value = country + value
    bare = value.removeprefix("CN")
    return ("uscc", bare) if bare != value and re.fullmatch(_USCC, bare) else ("tax", value)


def _lei_checks(value: str) -> bool:
    """MOD 97-10. Its check digits run from 02 to 98: 00, 01 and 99 would give a number a second spelling."""
    number = int("".join(str(int(character, 36)) for character in value))
    return number % 97 == 1 and "02" <= value[18:] <= "98"


def _uscc_check_character(body: str) -> str:
    """GB 32100-2015: weights 3**i modulo 31 over the 17 characters before it."""
    total = sum(_USCC_ALPHABET.index(character) * pow(3, i, 31) for i, character in enumerate(body))
    return _USCC_ALPHABET[-total % 31]
