"""Parties under one id, whatever a document names them by: two ids for one firm are the main way to miss a duplicate.

Fingerprints are made of the ids under which parties are on the ledger. An id that nobody there has stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clients import reads
from clients.exchange import Procedure
from clients.session import Session
from registry.fingerprint import Particulars

__all__ = ["canonical"]


def canonical(
    session: Session, many: Sequence[Particulars], *, known: dict[str, str] | None = None
) -> Procedure[tuple[Particulars, ...]]:
    """The particulars with parties under the ids that the ledger has them by, each looked up once, proved.

    `known` has the ids looked up before, and gets those looked up now: for whoever does this many times in a row.
    """
    known = {} if known is None else known
    known.update({"": "", session.party: session.party})
    for particulars in many:
        for named in (particulars.seller, particulars.debtor):
            if named not in known:
                known[named] = (yield from reads.party_named(session, named)) or named
    return tuple([replace(one, seller=known[one.seller], debtor=known[one.debtor]) for one in many])
