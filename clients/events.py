"""Events that concern the caller, by a cursor: nothing is missed and nothing comes twice, whichever node answers.

They are the node's word; whatever they speak of can be read with proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clients.errors import ProofInvalid
from clients.exchange import Procedure, get
from clients.session import Session

__all__ = ["EventPage", "Heard", "page"]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a block of `height` did; see `registry.events.EVENT_KINDS` for `subject` and `detail` of each kind."""

    kind: str
    severity: str
    height: int
    subject: bytes
    detail: str


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events in order. `following` is the cursor to go on with, and `more` whether there is more already."""

    events: tuple[Heard, ...]
    following: int
    more: bool


def page(session: Session, *, since: int = 0, wait_s: float = 0.0) -> Procedure[EventPage]:
    """The events from height `since` on; if there are none yet, the answer may wait `wait_s` (at most 30).

    Keep `following` once the events are dealt with, and go on from it. Raises `ProofInvalid` if the node gives events
    from before the cursor, out of order, or beyond the next cursor, or says that there is more and does not go on.
    """
    answer = yield from get(f"/v1/events/page?since={since}&wait_s={wait_s:.3f}", wait_s=wait_s)
    try:
        events = tuple([_heard(one) for one in answer["events"]])
        following, more = int(answer["next"]), bool(answer["more"])
    except (KeyError, TypeError, ValueError) as error:
        raise ProofInvalid(f"events: not readable: {error}") from error
    heights = [since, *(one.height for one in events), following]
    if heights != sorted(heights) or (events and events[-1].height >= following):
        raise ProofInvalid("events: not those from the cursor on, in order")
    if more and following <= since:
        raise ProofInvalid("events: more are promised, and the cursor stands still")
    return EventPage(events, following, more)


def _heard(one: dict[str, Any]) -> Heard:
    subject = bytes.fromhex(one["subject"])
    return Heard(str(one["kind"]), str(one["severity"]), int(one["height"]), subject, str(one["detail"]))
