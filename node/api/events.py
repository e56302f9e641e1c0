"""Events as they become final, by server-sent events; what was missed is caught up on first.

The id of an event is its height. Who comes back with `Last-Event-ID` gets that height's events again and all later
ones: at least once, never a gap. A listener who reads too slowly is cut off, and comes back the same way.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Collection
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import JSONResponse
from sse_starlette import EventSourceResponse

from node.api import examples
from node.api.access import Caller, Resource
from node.api.context import Api, TheApi, allowed, read
from node.api.documentation import Wait, answers, plain_answers
from node.api.models import EventPage
from node.api.problems import Problem
from node.hub import Heard
from node.layout import EVENTS, at_height
from node.views import View
from registry.events import severity_of

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["events"])

HEIGHT_MAX = 2**53 - 1
CATCH_UP_EVENTS = 1_000  # read at once, and the rest of the block that the last one is in
PING_S = 15
SEND_TIMEOUT_S = 30
# Whose a contact is that is not open yet, overseers read in /v1/contacts, where it is logged.
_NAMELESS = frozenset({"contact_asked", "contact_sent", "contact_declined", "contact_opened"})


@router.get(
    "/events",
    summary="A stream of events",
    response_class=EventSourceResponse,
    responses=plain_answers("text/event-stream", examples.EVENT_STREAM, "busy"),
)
async def events(
    api: TheApi,
    caller: Annotated[Caller, allowed(Resource.EVENTS)],
    since: Annotated[
        int | None, Query(ge=0, le=HEIGHT_MAX, description="Begin with this height's events.", examples=[42])
    ] = None,
    last_event_id: Annotated[
        str, Header(max_length=20, description="The id of the last event that was read.", examples=["42"])
    ] = "",
) -> EventSourceResponse:
    """Events that concern the caller (overseers: all).

    `event` is the kind, `data` has severity (`info`, `warning`, `alarm`), height, subject and detail.
    """
    if last_event_id:
        since = _height(last_event_id)
    parties = _heard_by(caller)
    if since is not None:
        await read(api, lambda view: view.check_events(since))
    live, first = await _listening(api, caller, parties)  # last: only a stream that begins gives its place back
    stream = _stream(api, caller, parties, live=live, first=first, since=since)
    return EventSourceResponse(stream, ping=PING_S, send_timeout=SEND_TIMEOUT_S)


@router.get(
    "/events/page",
    summary="A page of events, by a cursor",
    responses=answers(EventPage, examples.EVENTS, "busy"),
)
async def page(
    api: TheApi,
    caller: Annotated[Caller, allowed(Resource.EVENTS)],
    since: Annotated[
        int,
        Query(
            ge=0,
            le=HEIGHT_MAX,
            description="Begin with this height's events: `next` of the page before.",
            examples=[42],
        ),
    ] = 0,
    wait_s: Wait = 0.0,
) -> JSONResponse:
    """Events that concern the caller (overseers: all), whole heights at a time, in order.

    Ask again with `since` = `next`: nothing is missed and nothing comes twice, on whichever node. `more` says that
    there is more already; otherwise the answer may wait `wait_s` for the first event.
    """
    parties = _heard_by(caller)

    def at_once(view: View) -> tuple[list[Heard], int | None, int]:
        view.check_events(since)
        return _past(view, since, parties)

    api.gate.charge(caller, CATCH_UP_EVENTS)
    _, first = await _listening(api, caller, parties)
    try:
        found, more, reached = await read(api, at_once)
        if not found and more is None and wait_s > 0:
            await asyncio.wait((first,), timeout=wait_s)
            found, more, reached = await read(api, at_once)
    finally:
        first.cancel()
    following = max(since, reached + 1) if more is None else more
    return JSONResponse(
        {"events": [_data(heard, caller) for heard in found], "next": following, "more": more is not None}
    )


def _heard_by(caller: Caller) -> Collection[str] | None:
    """Whose events the caller hears: its own, or (None) all."""
    return None if caller.party is None or caller.sees_all else (caller.party.id,)


async def _listening(
    api: Api, caller: Caller, parties: Collection[str] | None
) -> tuple[AsyncIterator[Heard], asyncio.Future[Heard]]:
    """New events, and the first of them, subscribed: nothing falls between the past that is read now and these."""
    live = _subscribed(api, caller, parties)
    first = asyncio.ensure_future(anext(live))
    await asyncio.sleep(0)
    if first.done() and (error := first.exception()) is not None and not isinstance(error, StopAsyncIteration):
        raise error
    return live, first


async def _subscribed(api: Api, caller: Caller, parties: Collection[str] | None) -> AsyncIterator[Heard]:
    """New events, as one of the caller's streams."""
    with api.streams.hold(caller.name, 1):
        async for heard in api.service.subscribe(parties):
            yield heard


async def _stream(
    api: Api,
    caller: Caller,
    parties: Collection[str] | None,
    *,
    live: AsyncIterator[Heard],
    first: asyncio.Future[Heard],
    since: int | None,
) -> AsyncIterator[dict[str, Any]]:
    caught_up = -1  # events up to this height have been sent
    height = -1  # of the newest event, for which the caller has been looked at again
    try:
        while since is not None and api.gate.stays(caller):
            api.gate.charge(caller, CATCH_UP_EVENTS)
            past, since, caught_up = await read(
                api,
                lambda view, start=since: _past(view, start, parties),  # type: ignore[misc]
            )
            for heard in past:
                yield _shown(heard, caller)
        heard = await first
        while heard.height == height or api.gate.stays(caller):
            height = heard.height
            if height > caught_up:
                yield _shown(heard, caller)
            heard = await anext(live)
    except StopAsyncIteration:
        return
    finally:
        first.cancel()


def _past(view: View, start: int, parties: Collection[str] | None) -> tuple[list[Heard], int | None, int]:
    """Events from height `start`, where to go on (None: that was all), and the height they reach to."""
    found: list[Heard] = []
    seen = 0
    for key, _ in view.reader.scan(EVENTS, start=at_height(EVENTS, start)):
        height = int.from_bytes(key[len(EVENTS) :], "big")
        if seen >= CATCH_UP_EVENTS:
            return found, height, height - 1
        heard = [Heard(height, event) for event in view.events_at(height)]
        seen += len(heard)
        found += [each for each in heard if _concerns(each, parties)]
    return found, None, view.height


def _concerns(heard: Heard, parties: Collection[str] | None) -> bool:
    return parties is None or any(party in parties for party in heard.event.parties)


def _shown(heard: Heard, caller: Caller) -> dict[str, Any]:
    """One server-sent event."""
    data = _data(heard, caller)
    return {"id": str(heard.height), "event": heard.event.kind, "data": json.dumps(data)}


def _data(heard: Heard, caller: Caller) -> dict[str, Any]:
    """One event. Only overseers are told whom it concerns, and of a contact not even they."""
    event = heard.event
    data: dict[str, Any] = {
        "kind": event.kind,
        "severity": severity_of(event.kind),
        "height": heard.height,
        "subject": event.subject.hex(),
        "detail": event.detail,
    }
    if caller.sees_all and event.kind not in _NAMELESS:
        data["parties"] = list(event.parties)
    return data


def _height(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > HEIGHT_MAX:
        raise Problem("malformed", "is the id of an event: a height", field="last-event-id")
    return int(text)
