"""Parties as documents state them: a name, a country in some spelling, and numbers under some schemes."""

from __future__ import annotations

from collections.abc import Iterable

from registry.documents.identifiers import country_code, identifier, identifier_notices
from registry.documents.invoice import Notice, NoticeCode, Party
from registry.documents.source import bounded
from registry.documents.xml import Cursor

__all__ = ["party_of"]


def party_of(
    node: Cursor, *, name: str | None, country: str | None, identifiers: Iterable[tuple[str, str | None]]
) -> tuple[Party, tuple[Notice, ...]]:
    """The party at `node`, and warnings about its country and numbers.

    `country` as the document writes it; `identifiers` are (scheme, value), those without a value left out.
    """
    code = None if country is None else country_code(country)
    notices: tuple[Notice, ...] = ()
    if country is not None and code is None:
        notices = (Notice(NoticeCode.UNKNOWN_COUNTRY, node.path, f"{country!r} is no ISO 3166 code"),)
    found = bounded(
        (identifier(scheme, value, country=code) for scheme, value in identifiers if value),
        file=node.file,
        element=node.path,
    )
    notices += identifier_notices(found, country=code, element=node.path)
    return Party(name=name or "", country=code, identifiers=found), notices
