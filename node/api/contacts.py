"""Contacts between the two sides of a match: who is on the other side is not shown before it is opened.

The record on the ledger holds ids of parties, because every node executes it; so before the opening an answer is built
from it without them, and is this node's word. What was opened is a record of its own (`Opening`), shown with proof to
those it names. Regulators and the operator see both sides at any time; when they read those of a contact that is not
open, that is logged: `identities read`, who, which contact.
"""

from __future__ import annotations

from typing import Annotated, Any

import structlog
from fastapi import APIRouter
from fastapi.responses import JSONResponse

from node.api import examples
from node.api.access import Caller, Resource
from node.api.context import TheApi, allowed, digest_in, proof_of, read
from node.api.documentation import After, Id, PartyNamed, answers
from node.api.models import ContactList, OneContact
from node.api.problems import Problem
from node.api.receivables import owner_named
from node.api.records import now_ms_of
from node.api.shapes import record_json
from node.index import CONTACTS
from node.views import View
from registry.fingerprint import severity_of
from registry.limits import CLAIMS_MAX
from registry.records.contacts import Contact, Opening, Step
from registry.records.row import record_key
from registry.rules.contacts import side_of
from registry.state import State

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["contacts"])

PAGE_MAX = 50  # each may read the claims of two receivables

_log = structlog.get_logger(room="api")


@router.get(
    "/contacts",
    summary="A party's own contacts",
    responses=answers(ContactList, examples.CONTACTS, "not_ready"),
)
async def own_contacts(
    api: TheApi,
    caller: Annotated[Caller, allowed(Resource.RECORDS)],
    party: PartyNamed = "me",
    after: After = "",
) -> JSONResponse:
    """The contacts of a party's receivables and claims, a part at a time; overseers may name a party."""
    owner = owner_named(caller, party)
    start = digest_in(after, "after") if after else None
    api.gate.charge(caller, PAGE_MAX)

    def shape(view: View) -> dict[str, Any]:
        page = view.records_of(CONTACTS, owner, after=start, limit=PAGE_MAX)
        contacts = _Contacts(view, caller)
        shown = [contacts.shown(one) for one in page.ids if contacts.sees(one)]
        return {"contacts": shown, "next": None if page.after is None else page.after.hex()}

    return JSONResponse(await read(api, shape))


@router.get(
    "/contacts/{id}",
    summary="One contact",
    responses=answers(OneContact, examples.CONTACT, "not_found", "not_ready"),
)
async def contact(id: Id, api: TheApi, caller: Annotated[Caller, allowed(Resource.RECORDS)]) -> JSONResponse:
    """One contact: for who stands on either side of it, or has asked or answered, and overseers.

    What it says before the opening is this node's word: the record's own proof would show whose the sides are.
    """
    subject = digest_in(id, "id")
    api.gate.charge(caller, CLAIMS_MAX)

    def shape(view: View) -> dict[str, Any]:
        contacts = _Contacts(view, caller)
        if not contacts.sees(subject):
            raise Problem("not_found", "no such contact, or not for this caller", field="id")
        return contacts.shown(subject)

    return JSONResponse(await read(api, shape))


class _Contacts:
    """The contacts of one view, for one caller."""

    def __init__(self, view: View, caller: Caller) -> None:
        self._view = view
        self._caller = caller
        self._state = State(view.state)
        self._now_ms = now_ms_of(view)

    def sees(self, id_: bytes) -> bool:
        """Whether there is such a contact, and the caller may see that there is."""
        contact = self._state.find(Contact, id_)
        if contact is None:
            return False
        if self._caller.sees_all:
            return True
        opening = self._state.find(Opening, id_)
        named = (*opening.asking, *opening.asked) if opening is not None else ()
        involved = (*self._side(contact.receivable), *self._side(contact.about), *(step.by for step in contact.steps))
        return self._caller.name in (*involved, *named)

    def shown(self, id_: bytes) -> dict[str, Any]:
        """The contact as the caller may see it, and the opening with its proof if the caller is one of those opened."""
        contact = self._state.find(Contact, id_)
        assert contact is not None, "`sees` has found it"
        opening = self._state.find(Opening, id_)
        shape = {
            "id": id_.hex(),
            "receivable": contact.receivable.hex(),
            "about": contact.about.hex(),
            "kinds": list(contact.kinds),
            "severity": severity_of(contact.kinds),
            "state": contact.state_at(self._now_ms),
            "until_ms": contact.until_ms,
            "steps": [self._step(step) for step in contact.steps],
        }
        if self._caller.sees_all:
            if opening is None:
                _log.info("identities read", by=self._caller.name, contact=id_.hex())
            sides = {"asking": self._side(contact.receivable), "asked": self._side(contact.about)}
            shape["sides"] = {name: list(side) for name, side in sides.items()}
        answer: dict[str, Any] = {"contact": shape, "opening": None}
        if opening is not None and (self._caller.sees_all or self._caller.name in (*opening.asking, *opening.asked)):
            proof = proof_of(self._view, record_key(opening))
            answer["opening"] = {"record": record_json(opening), "proof": proof}
        return answer

    def _step(self, step: Step) -> dict[str, Any]:
        """What was done; by whom only for overseers, and for the caller itself."""
        named = self._caller.sees_all or step.by == self._caller.name
        return {
            "step": step.step,
            "by": step.by if named else None,
            "text_digest": step.text_digest.hex(),
            "language": step.language,
            "at_ms": step.at_ms,
        }

    def _side(self, receivable: bytes) -> tuple[str, ...]:
        found = self._state.receivable(receivable)
        assert found is not None, "the receivables of a contact are in the state"
        return side_of(self._state, found, self._now_ms)
