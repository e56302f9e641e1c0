"""What a block adds to the store besides its state: how its transactions, receipts and events are found again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from node.layout import (
    CLAIMS_OF,
    EVENTS,
    RECEIPTS,
    RECEIVABLES_OF,
    TRANSACTION,
    Place,
    at_height,
    event_key,
    family_prefix,
    party_prefix,
)
from registry.codec import Value, encode
from registry.events import Event
from registry.records import Claim, Receivable
from registry.records.contacts import Contact
from registry.records.families import FAMILIES
from registry.records.row import decode_record
from registry.transactions.envelope import Transaction

__all__ = ["CONTACTS", "block_entries", "event_entries", "read_event", "state_entries"]

CONTACTS = "contacts"  # listed as a family of records is; not one, because a contact shows nobody's identity

# Events that make a receivable or claim one of a party's own. Others (a match, a refusal) name parties that must
# not learn of each other.
_OWN = {
    "registered": RECEIVABLES_OF,
    "confirmed": RECEIVABLES_OF,
    "rejected": RECEIVABLES_OF,
    "offered": CLAIMS_OF,
    "reassigned": CLAIMS_OF,
    **dict.fromkeys(("contact_asked", "contact_sent", "contact_opened"), family_prefix(CONTACTS)),
    **{event: family_prefix(name) for name, family in FAMILIES.items() for event in family.own},
}

# Records that are listed as a party's own: where, and by which of their parties.
_RECORDS: dict[bytes, tuple[bytes, type[Any], Callable[[Any], Iterable[str]]]] = {
    Receivable.PREFIX: (RECEIVABLES_OF, Receivable, lambda record: {record.registrant, record.debtor}),
    Claim.PREFIX: (CLAIMS_OF, Claim, lambda record: {record.assignor, record.holder, *record.holders}),
    Contact.PREFIX: (family_prefix(CONTACTS), Contact, lambda record: {step.by for step in record.steps}),
    **{
        family.record.PREFIX: (family_prefix(name), family.record, lambda record: record.concerns() or ())
        for name, family in FAMILIES.items()
    },
}


def block_entries(
    height: int, transactions: Sequence[Transaction], results: Sequence[bytes], events: Sequence[Event]
) -> dict[bytes, bytes]:
    """All index entries of a block; `results` are its receipts' canonical bytes."""
    puts = {at_height(RECEIPTS, height): encode(results)}
    first = 0
    for index, transaction in enumerate(transactions):
        count = len(transaction.operations)
        puts[TRANSACTION + transaction.id] = Place(height, index, first, count).encode()
        first += count
    assert first == len(results), "one receipt per operation"
    return puts | event_entries(height, events)


def event_entries(height: int, events: Sequence[Event]) -> dict[bytes, bytes]:
    """The events of a block, and how they are found by subject and by party."""
    rows: list[Value] = []
    puts: dict[bytes, bytes] = {}
    for number, event in enumerate(events):
        rows.append([event.kind, event.subject, event.parties, event.detail])
        puts[event_key(event.subject, height, number)] = b""
        kind = _OWN.get(event.kind)
        if kind is not None:
            for party in event.parties:
                puts[party_prefix(kind, party) + event.subject] = b""
    if rows:
        puts[at_height(EVENTS, height)] = encode(rows)
    return puts


def state_entries(entries: Iterable[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """Whose own these records (state key, value) are, by the records alone: for a node that has not seen the events.

    It knows the parties that a record names. The events also name some that it does not name any more: whoever was
    offered a claim that then went to another.
    """
    for key, value in entries:
        for prefix, (kind, record, parties) in _RECORDS.items():
            if key.startswith(prefix):
                for party in parties(decode_record(record, value)):
                    if party:
                        yield party_prefix(kind, party) + key[len(prefix) :], b""


def read_event(row: list[object]) -> Event:
    """The event of one row of `e/<height>`."""
    kind, subject, parties, detail = row
    assert isinstance(kind, str), "a stored event has a kind"
    assert isinstance(subject, bytes), "a stored event has a subject"
    assert isinstance(parties, list), "a stored event lists parties"
    assert isinstance(detail, str), "a stored event has a detail"
    return Event(kind, subject, tuple(parties), detail)
