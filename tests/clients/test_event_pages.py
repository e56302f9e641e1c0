"""The cursor of events in the SDK: what a node may answer, without a node."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clients.errors import ProofInvalid
from clients.events import EventPage, page
from clients.exchange import Reply
from clients.session import Session
from tests.registry.world import genesis, key_of, name_id


def answered(since: int, **answer: Any) -> EventPage:
    """What the SDK makes of a node's answer."""
    procedure = page(Session(genesis=genesis(), party=name_id("F_CN"), signer=key_of("F_CN")), since=since)
    call = next(procedure)
    assert call.path == f"/v1/events/page?since={since}&wait_s=0.000"
    with pytest.raises(StopIteration) as stop:
        procedure.send(Reply(200, json.dumps(answer).encode()))
    found: EventPage = stop.value.value
    return found


def event(height: int) -> dict[str, Any]:
    return {"kind": "funded", "severity": "info", "height": height, "subject": "00" * 32, "detail": "1"}


def test_a_page_and_where_to_go_on() -> None:
    found = answered(3, events=[event(3), event(3), event(5)], next=6, more=True)
    assert [one.height for one in found.events] == [3, 3, 5]
    assert (found.following, found.more) == (6, True)


@pytest.mark.parametrize(
    ("events", "following"),
    [([event(2)], 4), ([event(5), event(4)], 6), ([event(5)], 5), ([], 2), ([{"kind": "x"}], 4)],
)
def test_what_is_no_page_from_the_cursor_on_is_refused(events: list[Any], following: int) -> None:
    with pytest.raises(ProofInvalid, match="events"):
        answered(3, events=events, next=following, more=False)


def test_more_without_getting_on_would_be_asked_for_for_ever() -> None:
    with pytest.raises(ProofInvalid, match="events"):
        answered(7, events=[], next=7, more=True)
    assert answered(7, events=[], next=9, more=True).following == 9, "a stretch in which nothing concerns the caller"
    assert answered(7, events=[], next=7, more=False).events == ()
