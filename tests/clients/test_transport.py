"""Failover and retries, against real HTTP servers on loopback."""

from __future__ import annotations

import asyncio
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from clients import transport
from clients.errors import ClientError, ProofInvalid, RequestFailed, Unreachable
from clients.exchange import Call, Procedure, get
from clients.transport import AsyncTransport, Settings, Transport
from registry.http_signatures import verify_request
from registry.keys import SigningKey

KEY = SigningKey.from_seed(bytes(32))
DEAD = "http://127.0.0.1:9"  # the discard port: nothing listens


@contextmanager
def server(*answers: tuple[int, bytes]) -> Iterator[tuple[str, list[str]]]:
    """Answers the given (status, body) in turn, the last for ever; yields its URL and who signed each request."""
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            headers = {name.lower(): value for name, value in self.headers.items()}
            who = verify_request(
                "GET", authority=headers["host"], path=path, query=query, headers=headers, body=b"", now_s=time.time()
            )
            seen.append(who.public_key.hex())
            status, body = answers[min(len(seen), len(answers)) - 1]
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.server_address[1]}", seen
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


def ask(*urls: str) -> object:
    with Transport(Settings(urls=urls, signer=KEY, timeout_s=5), sleep=lambda _: None) as transport:
        return transport.run(get("/v1/health"))


def test_every_request_is_signed_and_the_first_node_that_answers_is_kept() -> None:
    with server((200, b'{"a": 1}')) as (url, seen):
        with Transport(Settings(urls=(DEAD, url), signer=KEY, timeout_s=5), sleep=lambda _: None) as transport:
            assert transport.run(get("/v1/health?x=1")) == {"a": 1}
            assert transport.run(get("/v1/health")) == {"a": 1}
        assert seen == [KEY.public_key.hex()] * 2


def test_a_busy_or_broken_node_is_followed_by_the_next() -> None:
    with server((503, b"")) as (busy, refused), server((200, b"{}")) as (good, _):
        assert ask(busy, good) == {}
        assert len(refused) == 1


def test_a_node_that_recovers_is_asked_again() -> None:
    with server((429, b""), (500, b""), (200, b"{}")) as (url, seen):
        assert ask(url) == {}
        assert len(seen) == 3


def test_when_nobody_answers_the_error_names_every_node() -> None:
    with server((502, b"")) as (url, _), pytest.raises(Unreachable) as failure:
        ask(DEAD, url)
    assert DEAD in str(failure.value)
    assert f"{url}: HTTP 502" in str(failure.value)


def test_a_problem_is_an_error_with_its_code_and_is_not_retried() -> None:
    body = b'{"code": "unknown_party", "detail": "no such party", "status": 403}'
    with server((403, body)) as (url, seen), pytest.raises(RequestFailed) as failure:
        ask(url)
    assert (failure.value.status, failure.value.code) == (403, "unknown_party")
    assert len(seen) == 1


def test_an_answer_that_is_no_json_is_not_believed() -> None:
    with server((200, b"<html>")) as (url, _), pytest.raises(ProofInvalid):
        ask(url)


def test_no_url_at_all_is_said_at_once() -> None:
    with pytest.raises(ClientError, match="URL"):
        Settings(urls=(), signer=KEY)


def test_the_async_transport_does_the_same() -> None:
    async def both(url: str) -> object:
        async with AsyncTransport(Settings(urls=(DEAD, url), signer=KEY, timeout_s=5)) as transport:
            return await transport.run(get("/v1/health"))

    with server((200, b'{"a": 1}')) as (url, _):
        assert asyncio.run(both(url)) == {"a": 1}


def test_a_node_that_turns_the_caller_away_is_followed_by_the_next() -> None:
    body = b'{"code": "signature_expired", "detail": "its clock is wrong"}'
    with server((401, body)) as (wrong, refused), server((200, b"{}")) as (good, _):
        assert ask(wrong, good) == {}
        assert len(refused) == 1


def test_when_all_turn_the_caller_away_the_first_reason_counts_and_nobody_is_asked_twice() -> None:
    first, second = b'{"code": "unknown_party"}', b'{"code": "signature_expired"}'
    with server((401, first)) as (one, seen), server((401, second)) as (two, also):
        with pytest.raises(RequestFailed, match="unknown_party"):
            ask(one, DEAD, two)
        assert (len(seen), len(also)) == (1, 1)


def test_too_much_and_undecodable_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ANSWER_BYTES_MAX", 1000)
    with server((200, b" " * 1001)) as (much, _), server((200, b" " * 998 + b"{}")) as (good, _):
        assert ask(much, good) == {}
        with pytest.raises(Unreachable, match="more than 1000 bytes"):
            ask(much)


def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ANSWER_WITHIN_S", -1.0)
    with server((200, b"{}")) as (url, _), pytest.raises(Unreachable, match="took more than"):
        ask(url)


def test_elsewhere_is_another_node_if_there_is_one() -> None:
    def twice() -> Procedure[list[str]]:
        first = yield Call("GET", "/")
        second = yield Call("GET", "/", elsewhere=True)
        third = yield Call("GET", "/")
        return [first.node, second.node, third.node]

    with server((200, b"{}")) as (one, _), server((200, b"{}")) as (two, _):
        with Transport(Settings(urls=(one, two), signer=KEY)) as both:
            assert both.run(twice()) == [one, two, two]
        with Transport(Settings(urls=(one, one + "/"), signer=KEY)) as alone:
            assert alone.run(twice()) == [one, one, one]


def test_a_procedure_may_handle_that_nobody_answers() -> None:
    def stubborn() -> Procedure[str]:
        try:
            yield Call("GET", "/")
        except Unreachable as error:
            return f"handled: {error}"
        return "answered"

    with Transport(Settings(urls=(DEAD,), signer=KEY), sleep=lambda _: None) as transport_:
        assert transport_.run(stubborn()).startswith("handled: no node answered")
