"""Contacts between the two sides of a match: ask, answer, look at them; and, for authorities, execute an order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from clients.errors import ProofInvalid, RequestFailed
from clients.exchange import Call, Procedure
from clients.recent import recent
from clients.session import Session, accepted, submit
from registry.errors import RegistryError
from registry.fingerprint import SEVERITIES
from registry.receipts import Receipt
from registry.records import decode_record
from registry.records.contacts import CONTACT_STATES, Opening
from registry.transactions.contacts import AnswerContact, AskContact, OpenContact
from registry.transactions.governance import Propose

__all__ = ["Contact", "Did", "accept", "ask", "contact", "contacts_of", "decline", "order"]

_ID = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Did:
    """One step of a contact: "asked", "declined", "accepted" or "ordered". `by` is "" unless this party may know."""

    step: str
    by: str
    text_digest: bytes
    language: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A contact, from the side of `receivable` to the side of `about`; `id` is its token.

    All but `opening` is the node's word, because the record's own proof would show who the sides are. `opening` is
    proved; it is None until the contact is open, and for whom it does not name. `sides` is for overseers, else empty.
    """

    id: bytes
    receivable: bytes
    about: bytes
    kinds: tuple[str, ...]
    severity: str
    state: str
    until_ms: int
    steps: tuple[Did, ...]
    sides: dict[str, tuple[str, ...]]
    opening: Opening | None


def ask(session: Session, receivable: bytes, about: bytes, *, text: bytes, language: str) -> Procedure[Receipt]:
    """Ask whoever stands on `about`, one of `matches.to_acknowledge`, to make contact; `text` is a digest.

    The contact's id is the receipt's subject. Whoever accepts learns who asks. Raises `Refused`.
    """
    operation = AskContact(receivable=receivable, about=about, text_digest=text, language=language)
    return accepted((yield from submit(session, [operation])))


def accept(session: Session, contact: bytes, *, text: bytes, language: str) -> Procedure[Receipt]:
    """Be known to the asker, and know it; nobody else of this side is. Raises `Refused`."""
    operation = AnswerContact(contact=contact, answer="accept", text_digest=text, language=language)
    return accepted((yield from submit(session, [operation])))


def decline(session: Session, contact: bytes, *, text: bytes, language: str) -> Procedure[Receipt]:
    """Stay unknown; others of this side may still accept for themselves. Raises `Refused`."""
    operation = AnswerContact(contact=contact, answer="decline", text_digest=text, language=language)
    return accepted((yield from submit(session, [operation])))


def order(session: Session, contact: bytes, *, regulator: str, text: bytes) -> Procedure[Receipt]:
    """As an authority: propose to execute the order of a regulator that a contact be opened; `text` is its digest.

    The proposal's id is the receipt's subject; the other authorities approve it (`governance.approve`).
    Raises `Refused`.
    """
    change = OpenContact(contact=contact, regulator=regulator, order_digest=text)
    return accepted((yield from submit(session, [Propose(change=change)])))


def contact(session: Session, contact: bytes) -> Procedure[Contact | None]:
    """The contact, or None if there is none that this party may see."""
    try:
        found = yield from recent(Call("GET", f"/v1/contacts/{contact.hex()}"), partial(_contact, session))
    except RequestFailed as problem:
        if problem.status == 404:
            return None
        raise
    if found.id != contact:
        raise ProofInvalid("contact: the answer is another one")
    return found


def contacts_of(session: Session, party: str = "me") -> Procedure[tuple[Contact, ...]]:
    """The contacts of this party's receivables and claims, by id; regulators may name another party."""
    found: list[Contact] = []
    after = ""
    while True:
        page = Call("GET", f"/v1/contacts?party={quote(party, safe=':')}" + (f"&after={after}" if after else ""))
        contacts, following = yield from recent(page, partial(_listed, session))
        found += contacts
        if following is None:
            return tuple(found)
        if not isinstance(following, str) or not _ID.fullmatch(following) or following <= after:
            raise ProofInvalid("next: the id where the list goes on is expected")
        after = following


def _listed(session: Session, answer: Any) -> tuple[list[Contact], object]:
    """The contacts of one answer, and where it says that the list goes on."""
    items = answer.get("contacts") if isinstance(answer, dict) else None
    if not isinstance(items, list):
        raise ProofInvalid("contacts: a list is expected")
    return [_contact(session, item) for item in items], answer.get("next")


def _contact(session: Session, answer: Any) -> Contact:
    try:
        shown, opening = answer["contact"], answer["opening"]
        made = Contact(
            id=_id(shown["id"]),
            receivable=_id(shown["receivable"]),
            about=_id(shown["about"]),
            kinds=tuple(map(str, shown["kinds"])),
            severity=str(shown["severity"]),
            state=str(shown["state"]),
            until_ms=int(shown["until_ms"]),
            steps=tuple(map(_did, shown["steps"])),
            sides={str(side): tuple(map(str, who)) for side, who in shown.get("sides", {}).items()},
            opening=None if opening is None else _opening(session, _id(shown["id"]), opening["proof"]),
        )
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise ProofInvalid(f"contact: not of the form that is expected: {type(error).__name__}: {error}") from error
    if made.severity not in SEVERITIES or made.state not in CONTACT_STATES:
        raise ProofInvalid("contact: a known severity and a known state are expected")
    return made


def _did(step: Any) -> Did:
    return Did(
        step=str(step["step"]),
        by=str(step["by"] or ""),
        text_digest=_id(step["text_digest"]),
        language=str(step["language"]),
        at_ms=int(step["at_ms"]),
    )


def _opening(session: Session, contact: bytes, proof: Any) -> Opening:
    if not isinstance(proof, dict):
        raise ProofInvalid("opening: carries no proof")
    proved = session.proved(Opening.PREFIX + contact, proof)
    if proved.value is None:
        raise ProofInvalid("opening: is shown and proved absent")
    try:
        return decode_record(Opening, proved.value)
    except RegistryError as error:
        raise ProofInvalid(f"opening: the proved value is not a record: {error}") from error


def _id(text: Any) -> bytes:
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise ValueError("64 hexadecimal digits are expected")
    return bytes.fromhex(text)
