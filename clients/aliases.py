"""Parties under one id, whatever a document names them by: two ids for one firm are the main way to miss a duplicate.

Fingerprints are made of the ids under which parties are on the ledger. An id that nobody there has stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from clients import reads
from clients.exchange import Procedure
from clients.session import Session
from registry.fingerprint import Particulars

__all__ = ["canonical", "ids_of"]


def canonical(
    session: Session, many: Sequence[Particulars], *, known: dict[str, str] | None = None
) -> Procedure[tuple[Particulars, ...]]:
    """The particulars with parties under the ids that the ledger has them by, each looked up once, proved.

    `known` has the ids looked up before, and gets those looked up now: for whoever does this many times in a row.
    """
    known = {} if known is None else known
    yield from ids_of(session, [named for one in many for named in (one.seller, one.debtor)], known=known)
    return tuple([replace(one, seller=known[one.seller], debtor=known[one.debtor]) for one in many])


def ids_of(
    session: Session, identifiers: Iterable[str], *, known: dict[str, str] | None = None
) -> Procedure[dict[str, str]]:
    """Each identifier with the id of the party that has it, or with itself; `known` as for `canonical`."""
    known = {} if known is None else known
    known.update({"": "", session.party: session.party})
    for named in identifiers:
        if named not in known:
            known[named] = (yield from reads.party_named(session, named)) or named
    return known
