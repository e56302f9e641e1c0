"""Events reach those they concern, once they are final; what was missed comes first."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from node.api.limits import STREAMS_EACH_MAX
from node.layout import FIRST_KEY
from registry.codec import encode
from registry.transactions.parties import AddKey, RevokeKey
from tests.conftest import POLL_S
from tests.node.api.conftest import Story
from tests.node.api.live import Live, suspended
from tests.node.api.test_gate import problem
from tests.registry.world import invoice, key_of, mark, name_id


class Stream:
    """The events of one connection."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines

    def next(self) -> dict[str, Any]:
        """The next event, its id and name checked against its data."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if line.startswith(":"):
                continue
            if not line and "data" in fields:
                data: dict[str, Any] = json.loads(fields["data"])
                assert fields["event"] == data["kind"]
                assert fields["id"] == str(data["height"])
                return data
            name, _, value = line.partition(": ")
            fields[name] = value
        raise AssertionError("the stream ended")

    def until(self, subject: str, kind: str) -> list[dict[str, Any]]:
        """Events up to the one of this kind about this subject."""
        seen = [self.next()]
        while (seen[-1]["subject"], seen[-1]["kind"]) != (subject, kind):
            seen.append(self.next())
        return seen


@contextmanager
def listening(live: Live, by: str, query: str = "", headers: Mapping[str, str] | None = None) -> Iterator[Stream]:
    request = live.request("GET", "/v1/events" + query, by=by, headers=headers)
    with httpx.Client(timeout=10) as http:
        answer = http.send(request, stream=True)
        try:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            yield Stream(answer.iter_lines())
        finally:
            answer.close()


def test_an_event_reaches_the_party_it_concerns(live: Live) -> None:
    with listening(live, "EXP_CN") as stream:
        (receipt,) = live.do("EXP_CN", invoice("event 1"))
        event = stream.until(receipt.subject.hex(), "registered")[-1]
        assert set(event) == {"kind", "severity", "height", "subject", "detail"}


def test_overseers_hear_everything_and_whom_it_concerns(live: Live) -> None:
    for by in ("REGULATOR", "operator"):
        with listening(live, by) as stream:
            (receipt,) = live.do("EXP_CN", invoice(f"event 2 {by}"))
            event = stream.until(receipt.subject.hex(), "registered")[-1]
            assert event["parties"] == [name_id("EXP_CN")]


def test_nobody_hears_what_concerns_others(live: Live) -> None:
    with listening(live, "EXP_VN") as stream:
        (other,) = live.do("EXP_CN", invoice("event 3"))
        (own,) = live.do("EXP_VN", invoice("event 4"))
        heard = stream.until(own.subject.hex(), "registered")
        assert other.subject.hex() not in [event["subject"] for event in heard]


def test_what_was_missed_comes_first_and_then_what_is_new(live: Live, story: Story) -> None:
    with listening(live, "F_SG", "?since=0") as stream:
        kinds = [event["kind"] for event in stream.until(story.reserved, "reserved")]
        assert kinds == ["offered", "reserved"]
    with listening(live, "EXP_CN", "?since=1") as stream:
        (receipt,) = live.do("EXP_CN", invoice("event 5"))
        heard = stream.until(receipt.subject.hex(), "registered")
        assert story.receivable in [event["subject"] for event in heard]
        heights = [event["height"] for event in heard]
        assert heights == sorted(heights)
        places = [(event["height"], event["kind"], event["subject"], event["detail"]) for event in heard]
        assert len(places) == len(set(places)), "nothing twice"


def test_many_missed_heights_are_caught_up_on(live: Live) -> None:
    subjects = [live.do("EXP_VN", invoice(f"missed {number}"))[0].subject.hex() for number in range(60)]
    with listening(live, "EXP_VN", "?since=0") as stream:
        heard = [event["subject"] for event in stream.until(subjects[-1], "registered")]
        assert [subject for subject in heard if subject in subjects] == subjects


def test_who_comes_back_goes_on_where_it_was(live: Live) -> None:
    with listening(live, "EXP_CN") as stream:
        (first,) = live.do("EXP_CN", invoice("event 6"))
        height = stream.until(first.subject.hex(), "registered")[-1]["height"]
    (missed,) = live.do("EXP_CN", invoice("event 7"))
    with listening(live, "EXP_CN", headers={"last-event-id": str(height)}) as stream:
        heard = [event["subject"] for event in stream.until(missed.subject.hex(), "registered")]
        assert heard == [first.subject.hex(), missed.subject.hex()]


@pytest.mark.parametrize("since", ["-1", "x", str(2**63)])
def test_a_malformed_start_is_refused(live: Live, since: str) -> None:
    assert problem(live.get(f"/v1/events?since={since}", "EXP_CN"), 400, "malformed")["field"] == "since"
    answer = live.send("GET", "/v1/events", by="EXP_CN", headers={"last-event-id": since})
    assert problem(answer, 400, "malformed")["field"] == "last-event-id"


def test_a_party_that_was_suspended_hears_no_more(live: Live) -> None:
    with listening(live, "EXP_VN") as stream:
        (own,) = live.do("EXP_VN", invoice("event 8"))
        stream.until(own.subject.hex(), "registered")
        with suspended(live, "EXP_VN"):
            alike = invoice("event 9", fingerprints=(("number", mark("number event 8")),))
            assert live.do("EXP_CN", alike)[0].related == (own.subject,)
            with pytest.raises(AssertionError, match="the stream ended"):
                stream.next()


def test_a_stream_ends_when_a_key_of_its_party_was_revoked(live: Live) -> None:
    lost = key_of("EXP_VN lost").public_key
    assert live.do("EXP_VN", AddKey(lost))[0].done
    with listening(live, "EXP_VN lost") as stream:
        (own,) = live.do("EXP_VN", invoice("event 10"))
        stream.until(own.subject.hex(), "registered")
        assert live.do("EXP_VN", RevokeKey(lost))[0].done
        assert live.do("EXP_VN", invoice("event 11"))[0].done
        with pytest.raises(AssertionError, match="the stream ended"):
            stream.next()
    problem(live.get("/v1/status", "EXP_VN lost"), 401, "unknown_party")


def test_a_caller_has_a_bounded_number_of_streams(live: Live) -> None:
    with ExitStack() as streams:
        for _ in range(STREAMS_EACH_MAX):
            streams.enter_context(listening(live, "IMP_AE"))
        problem(live.get("/v1/events", "IMP_AE"), 429, "rate_limited")
        with listening(live, "IMP_DE"):
            pass
    until_all_have_left(live)
    with listening(live, "IMP_AE"):
        pass


def test_who_comes_back_too_late_holds_no_stream(live: Live, story: Story) -> None:
    height = live.service.ledger.tip.height
    live.service.store.write({FIRST_KEY: encode([height, height])}, sync=False)  # as after pruning
    try:
        for _ in range(STREAMS_EACH_MAX + 1):
            problem(live.send("GET", "/v1/events", by="F_DE", headers={"last-event-id": "1"}), 410, "pruned")
        assert live.service.hub.subscribers == 0
        assert live.get(f"/v1/events/page?since={height}", "F_DE").status_code == 200
    finally:
        live.service.store.write({FIRST_KEY: None}, sync=False)


def test_who_left_is_forgotten(live: Live) -> None:
    with listening(live, "EXP_CN"):
        assert live.service.hub.subscribers >= 1
    until_all_have_left(live)


def until_all_have_left(live: Live) -> None:
    deadline = time.monotonic() + 10
    while live.service.hub.subscribers and time.monotonic() < deadline:
        time.sleep(POLL_S)
    assert live.service.hub.subscribers == 0


def pages(live: Live, by: str, since: int) -> Iterator[dict[str, Any]]:
    more = True
    while more:
        page = live.get(f"/v1/events/page?since={since}", by).json()
        yield page
        since, more = page["next"], page["more"]


def test_pages_by_cursor_miss_nothing_and_repeat_nothing(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    subjects = [live.do("EXP_VN", invoice(f"paged {number}"))[0].subject.hex() for number in range(5)]
    whole = list(pages(live, "EXP_VN", 0))
    monkeypatch.setattr("node.api.events.CATCH_UP_EVENTS", 2)
    parts = list(pages(live, "EXP_VN", 0))
    assert len(parts) > len(whole)
    heard = [event for page in parts for event in page["events"]]
    assert heard == [event for page in whole for event in page["events"]]
    assert [event["subject"] for event in heard if event["subject"] in subjects] == subjects
    assert live.get(f"/v1/events/page?since={parts[-1]['next']}", "EXP_VN").json() == {
        "events": [],
        "next": parts[-1]["next"],
        "more": False,
    }


def test_a_page_waits_for_the_first_event(live: Live) -> None:
    *_, last = pages(live, "EXP_VN", 0)
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(live.get, f"/v1/events/page?since={last['next']}&wait_s=10", "EXP_VN")
        (receipt,) = live.do("EXP_VN", invoice("waited for"))
        page = waiting.result(10).json()
    assert [event["subject"] for event in page["events"]] == [receipt.subject.hex()]
    assert page["next"] == page["events"][0]["height"] + 1


def test_a_cursor_from_a_node_that_is_ahead_stays(live: Live) -> None:
    ahead = 10**9
    assert live.get(f"/v1/events/page?since={ahead}", "EXP_VN").json()["next"] == ahead
