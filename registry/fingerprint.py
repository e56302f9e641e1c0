"""Fingerprints of receivables: what is compared, on which level, and the one function that makes it unguessable.

The kinds and their fields are those of `registry.md` 7, the byte form of an input is that of `privacy.md` 2. All of
this is computed by clients before they sign; execution on the ledger only ever compares 32-byte fingerprints.

`debtor_number` is an addition to them. The others miss an invoice that comes back under another id of its seller, or
dated in another year, if it has no due date. With it, whatever single field of an invoice with seller, debtor, number
and issue date is changed, the copy holds a fingerprint of the original (`scripts/duplicates-benchmark`).

Parties enter by their mandatory id (see `registry.parties`), never by name; whoever calls this resolves aliases first.
A kind whose fields are not known is left out, and `absent_kinds` says so: a search certificate must name it.
"""

from __future__ import annotations

import datetime
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from registry.codec import tagged_digest
from registry.errors import FieldError
from registry.identifiers import split_identifier
from registry.normalise import NORM_VERSION, ORDER_PREFIXES, canonical_number, compact, skeleton

__all__ = [
    "ACCOUNT",
    "BLANKET_KIND",
    "FINGERPRINT_SIZE",
    "KEY_SIZE",
    "LEVELS",
    "REGISTERED_KINDS",
    "SEARCHED_LEVELS",
    "SEVERITIES",
    "SEVERITY_OF",
    "Level",
    "Particulars",
    "absent_kinds",
    "account_fingerprint",
    "blanket_mark",
    "evaluate",
    "inputs",
    "register_fingerprints",
    "search_fingerprints",
    "search_inputs",
    "severity_of",
]

Level: TypeAlias = Literal["block", "review"]

LEVELS: Mapping[str, Level] = MappingProxyType(
    {
        "gov": "block",
        "exact": "block",
        "number": "review",
        "particulars": "review",
        "window": "review",
        "debtor_side": "review",
        "debtor_number": "review",
        "order": "review",
        "transport": "review",
    }
)

# How much a match by a kind says, for the people who look at it: what to look at first.
SEVERITIES = ("certain", "high", "medium", "low")
SEVERITY_OF: Mapping[str, str] = MappingProxyType(
    {
        "gov": "certain",
        "exact": "certain",
        "number": "high",
        "particulars": "high",
        "debtor_number": "high",
        "debtor_side": "medium",
        "transport": "medium",
        "order": "low",
        "window": "low",
    }
)
ACCOUNT = "account"  # seller and debtor: which blankets cover a receivable. A registration may carry it; not indexed
BLANKET_KIND = "blanket"  # a seller's mark: which blankets stand over its receivables. Searched, never registered
REGISTERED_KINDS = (*LEVELS, ACCOUNT)
SEARCHED_LEVELS: Mapping[str, Level] = MappingProxyType({**LEVELS, BLANKET_KIND: "review"})

FINGERPRINT_SIZE = 32  # bytes
KEY_SIZE = 32  # bytes
NUMBER_CHARS_MAX = 200  # characters of an invoice, order, transport or government number as written
ORDERS_MAX = 32  # per receivable
TRANSPORTS_MAX = 32  # per receivable
GOVERNMENT_IDS_MAX = 4  # per receivable
AMOUNT_MINOR_MAX = 10**18  # minor units
BUCKET_DAYS = 10

_TAG = b"NEMODAT-fp-v1"
_EPOCH = datetime.date(1970, 1, 1)
_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNTRY = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What identifies one receivable, as its document writes it; raw values, nothing normalised yet.

    `seller` and `debtor` are identifiers `scheme:VALUE` in canonical form; `amount_minor` is what is payable, in minor
    units of `currency` (ISO 4217); `government_ids` are `CC:id`, the country and its e-invoice id. Seller, debtor and
    number may be "" and dates None where they are not known (a buyer-led payable has no invoice number, say).
    Raises `FieldError` on construction if a field has a wrong form or size.
    """

    seller: str
    debtor: str
    number: str
    currency: str
    amount_minor: int
    issue_date: datetime.date | None
    due_date: datetime.date | None = None
    orders: tuple[str, ...] = ()
    transports: tuple[str, ...] = ()
    government_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, identifier in (("seller", self.seller), ("debtor", self.debtor)):
            if identifier:
                split_identifier(name, identifier)
        if self.number:
            _require_number("number", self.number)
        if not _CURRENCY.fullmatch(self.currency):
            raise FieldError("currency", "must be three capital letters (ISO 4217)")
        if isinstance(self.amount_minor, bool) or not isinstance(self.amount_minor, int):
            raise FieldError("amount_minor", "must be a whole number of minor units")
        if not 0 < self.amount_minor <= AMOUNT_MINOR_MAX:
            raise FieldError("amount_minor", f"must be 1 to {AMOUNT_MINOR_MAX} minor units")
        for name, day in (("issue_date", self.issue_date), ("due_date", self.due_date)):
            if day is not None and type(day) is not datetime.date:
                raise FieldError(name, "must be a date without a time")
        _require_numbers("orders", self.orders, ORDERS_MAX)
        _require_numbers("transports", self.transports, TRANSPORTS_MAX)
        _require_numbers("government_ids", self.government_ids, GOVERNMENT_IDS_MAX)
        for index, text in enumerate(self.government_ids):
            country, colon, value = text.partition(":")
            if not (_COUNTRY.fullmatch(country) and colon and compact(value)):
                raise FieldError(f"government_ids[{index}]", "must be a country code, a colon and the id")


def inputs(particulars: Particulars) -> tuple[tuple[str, bytes], ...]:
    """What a registration puts on the ledger: (kind, input), in the order of `LEVELS`, each input once."""
    return _inputs(particulars, window_offsets=(0,))


def search_inputs(particulars: Particulars) -> tuple[tuple[str, bytes], ...]:
    """What a search asks for: as `inputs`, with the windows before and after as well."""
    return _inputs(particulars, window_offsets=(-1, 0, 1))


def absent_kinds(particulars: Particulars) -> tuple[str, ...]:
    """The kinds that cannot be computed because a field they need is not known."""
    present = {kind for kind, _ in inputs(particulars)}
    return tuple(kind for kind in LEVELS if kind not in present)


def evaluate(key: bytes, data: bytes) -> bytes:
    """The 32-byte fingerprint of one input. INTERIM: HMAC-SHA-256 under the network key that genesis carries.

    Whoever holds the genesis file can guess invoices against it (`privacy.md` 1). This is the only function that
    changes when the threshold VOPRF of `privacy.md` 2 takes its place. Raises `FieldError` for a key of another size.
    """
    if len(key) != KEY_SIZE:
        raise FieldError("fingerprint_key", f"must have {KEY_SIZE} bytes")
    return hmac.digest(key, data, "sha256")


def severity_of(kinds: Iterable[str]) -> str:
    """The greatest severity among kinds of fingerprint; by none a match is found if its link was taken back: high."""
    return min((SEVERITY_OF[kind] for kind in kinds), key=SEVERITIES.index, default="high")


def account_fingerprint(key: bytes, *, seller: str, debtor: str) -> bytes:
    """What says on which debtor a seller's receivable is, to those who have a blanket over just that: 32 bytes.

    Under the network's key like every fingerprint, because parties' ids are public: anybody could guess a plain hash.
    """
    return evaluate(key, _frame(ACCOUNT, (seller, debtor)))


def blanket_mark(seller: str) -> bytes:
    """Under which fingerprint of kind `blanket` a seller is searched: 32 bytes.

    A plain digest: that a party is the registrant of its receivables stands openly in each of them.
    """
    return tagged_digest(b"NEMODAT-v1-blanket", seller.encode())


def register_fingerprints(key: bytes, particulars: Particulars) -> tuple[tuple[str, bytes], ...]:
    """(kind, fingerprint) for a registration."""
    return tuple((kind, evaluate(key, data)) for kind, data in inputs(particulars))


def search_fingerprints(key: bytes, particulars: Particulars) -> tuple[tuple[str, bytes], ...]:
    """(kind, fingerprint) for a search: three of kind `window`."""
    return tuple((kind, evaluate(key, data)) for kind, data in search_inputs(particulars))


def _inputs(particulars: Particulars, *, window_offsets: Sequence[int]) -> tuple[tuple[str, bytes], ...]:
    rows = _rows(particulars, window_offsets)
    # a field that is not known leaves its kind out
    return tuple(dict.fromkeys((kind, _frame(kind, fields)) for kind, fields in rows if all(fields)))


def _rows(p: Particulars, window_offsets: Sequence[int]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The table of `registry.md` 7 and `debtor_number`: kind and fields; "" stands for a field that is not known."""
    money = (p.currency, str(p.amount_minor))
    issued, due = _iso(p.issue_date), _iso(p.due_date)
    for text in p.government_ids:
        country, _, value = text.partition(":")
        yield "gov", (country, compact(value))
    yield "exact", (p.seller, p.debtor, skeleton(p.number), *money, issued)
    yield "number", (p.seller, canonical_number(p.number), issued[:4])
    yield "particulars", (p.seller, p.debtor, *money, issued)
    if p.issue_date is not None:
        bucket = (p.issue_date - _EPOCH).days // BUCKET_DAYS
        for offset in window_offsets:
            yield "window", (p.seller, p.debtor, *money, str(bucket + offset))
    yield "debtor_side", (p.debtor, *money, due)
    yield "debtor_number", (p.debtor, *money, skeleton(p.number))
    for text in p.orders:
        yield "order", (p.seller, p.debtor, canonical_number(text, prefixes=ORDER_PREFIXES))
    for text in p.transports:
        yield "transport", (compact(text),)


def _frame(kind: str, fields: Iterable[str]) -> bytes:
    """`privacy.md` 2: the tag, then kind, norm version and fields, each after its length in 2 bytes big-endian."""
    parts = [part.encode() for part in (kind, NORM_VERSION, *fields)]
    return _TAG + b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def _iso(day: datetime.date | None) -> str:
    return "" if day is None else day.isoformat()


def _require_number(field: str, text: str) -> None:
    if not isinstance(text, str) or len(text) > NUMBER_CHARS_MAX:
        raise FieldError(field, f"must be text of at most {NUMBER_CHARS_MAX} characters")
    if not compact(text):
        raise FieldError(field, "has no letter and no digit")


def _require_numbers(field: str, texts: tuple[str, ...], count_max: int) -> None:
    if len(texts) > count_max:
        raise FieldError(field, f"{len(texts)} given, at most {count_max} are taken")
    for index, text in enumerate(texts):
        _require_number(f"{field}[{index}]", text)
