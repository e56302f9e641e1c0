"""Identifiers of parties as documents write them, brought to the registry's spelling; a wrong one is a warning here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

import pycountry

from registry.documents.invoice import Identifier, Notice, NoticeCode
from registry.errors import FieldError
from registry.identifiers import check_identifier, normalise_identifier

__all__ = ["LOCAL", "country_code", "identifier", "identifier_notices", "is_identity_scheme"]

LOCAL = "local"  # an id that only the other party knows (customer number): says nothing about who it is

# ISO/IEC 6523 International Code Designators, also Peppol's Electronic Address Scheme: the identities among them.
_ICD: Mapping[str, str] = MappingProxyType(
    {
        "0002": "siren",
        "0009": "siret",
        "0060": "duns",
        "0088": "gln",
        "0106": "kvk",
        "0151": "abn",
        "0183": "ch-uid",
        "0184": "dk-cvr",
        "0188": "jp-cn",
        "0192": "no-orgnr",
        "0195": "sg-uen",
        "0199": "lei",
        "0208": "be-cbe",
    }
)
# CII's qualifiers (UNTDID 1153) of the two kinds of tax registration; GST numbers are their countries' tax numbers.
_NAMES: Mapping[str, str] = MappingProxyType({"va": "vat", "fc": "tax", "gst": "tax", "": LOCAL})
_JUDGED = frozenset({"lei", "uscc", "vat", *_ICD.values()})  # what is called so must be well-formed


@cache
def _countries() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries)


def country_code(text: str) -> str | None:
    """The ISO 3166 alpha-2 code that `text` is, whatever its case; None if it is none."""
    code = text.strip().upper()
    return code if code in _countries() else None


def is_identity_scheme(code: str) -> bool:
    """Whether a scheme code names a register of firms (unlike an e-mail address or a routing id)."""
    return code in _ICD


def identifier(scheme: str, value: str, *, country: str | None) -> Identifier:
    """`value` in the registry's one spelling (`registry.identifiers`); as written if it has none.

    A number of a Chinese firm without a scheme is its Unified Social Credit Code if it has that shape.
    """
    name = scheme.strip().lower()
    name = _ICD.get(name) or _NAMES.get(name) or (f"icd-{name}" if name.isdigit() else name)
    spelled = _spelled("tax" if name == LOCAL and country == "CN" else name, value, country)
    if spelled is None or (name == LOCAL and spelled.scheme != "uscc"):
        return Identifier(name, value)
    return spelled


def identifier_notices(identifiers: Iterable[Identifier], *, country: str | None, element: str) -> tuple[Notice, ...]:
    """A warning for each identifier whose form or check digits are wrong, if its scheme has rules for them."""
    notices = []
    for found in identifiers:
        known = found.scheme in _JUDGED or _spelled(found.scheme, found.value, country) == found
        problem = check_identifier(found.scheme, found.value) if known else None
        if problem is not None:
            notices.append(Notice(NoticeCode.BAD_IDENTIFIER, element, problem))
    return tuple(notices)


def _spelled(scheme: str, value: str, country: str | None) -> Identifier | None:
    try:
        spelled = normalise_identifier(f"{scheme}:{value}", country=country or "")
    except FieldError:
        return None
    return Identifier(*spelled.split(":", 1))
