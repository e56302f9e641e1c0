"""One real node with its API on a loopback port, on an event loop in a thread; tests talk to it like anybody would."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from node.api.app import create_app
from node.certificates import make_certificate
from node.clock import clock_ms
from node.config import ApiConfig
from node.mempool import Bounds
from node.network import Credentials
from node.node import Identity, Node
from node.service import NodeService
from node.store import MemoryStore
from registry.codec import decode, encode
from registry.genesis import AuthorityEntry, Genesis, Parameters
from registry.http_signatures import sign_request
from registry.keys import SigningKey
from registry.parties import Party
from registry.receipts import Receipt
from registry.transactions.envelope import draft, sign, transaction_id
from registry.transactions.governance import Change, Propose, Reinstate, Suspend
from registry.transactions.operations import Operation
from tests.registry.world import MEMBERS, key_of, party_of, proved

TOKEN = "a token for the operator of the test"
FINAL_WITHIN_S = 10


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def regulator() -> Party:
    body = "984500REGULATOR001"
    digits = "".join(str(int(char, 36)) for char in body + "00")
    return party_of("REGULATOR", f"lei:{body}{98 - int(digits) % 97:02d}", "DE", ("regulator",))


@dataclass(frozen=True)
class Live:
    """A running node: where it is, and requests to it."""

    url: str
    service: NodeService
    genesis: Genesis
    http: httpx.Client

    def send(
        self,
        method: str,
        path: str,
        *,
        by: str | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        **signing: Any,
    ) -> httpx.Response:
        """A request, signed by a member, by the operator's token, or by nobody."""
        return self.http.send(self.request(method, path, by=by, body=body, headers=headers, **signing))

    def request(
        self,
        method: str,
        path: str,
        *,
        by: str | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        created_s: int | None = None,
    ) -> httpx.Request:
        """The same, not sent yet."""
        lines = dict(headers or {})
        url = self.url + path
        if by == "operator":
            lines["authorization"] = f"Bearer {TOKEN}"
        elif by is not None:
            created_s = int(time.time()) if created_s is None else created_s
            nonce = secrets.token_hex(16)
            lines |= sign_request(method, url, lines, body, key_of(by), created_s=created_s, nonce=nonce)
        return httpx.Request(method, url, headers=lines, content=body)

    def get(self, path: str, by: str | None) -> httpx.Response:
        return self.send("GET", path, by=by)

    def post(self, path: str, body: bytes, by: str | None, content_type: str = "application/json") -> httpx.Response:
        return self.send("POST", path, by=by, body=body, headers={"content-type": content_type})

    def wire(self, by: str, *operations: Operation) -> bytes:
        """A signed transaction of a member."""
        until_ms = clock_ms() + 600_000
        nonce = secrets.token_bytes(16)
        sender = MEMBERS[by][0] if by in MEMBERS else ""
        operations = tuple(proved(operation, self.genesis.id, sender) for operation in operations)
        payload = draft(self.genesis.id, [key_of(by).public_key], nonce, until_ms, operations)
        return sign(payload, self.genesis.id, [key_of(by)])

    def do(self, by: str, *operations: Operation) -> list[Receipt]:
        """Submit a transaction, wait until it is final, and return its receipts."""
        wire = self.wire(by, *operations)
        answer = self.post("/v1/transactions", encode([wire]), by, "application/msgpack")
        payload = decode(wire)[0]  # type: ignore[index]
        id_ = transaction_id(payload).hex()  # type: ignore[arg-type]
        (result,) = answer.json()["results"]
        assert (result.get("transaction_id"), result.get("code")) == (id_, None), answer.text
        found = self.get(f"/v1/transactions/{id_}?wait_s={FINAL_WITHIN_S}", by).json()
        assert found["status"] == "final", found
        return [Receipt.decode(bytes.fromhex(entry["receipt"])) for entry in found["receipts"]]


def govern(live: Live, change: Change) -> None:
    """A change by the network's only authority, in force when this returns."""
    (receipt,) = live.do("F_CN", Propose(change))
    assert receipt.done, receipt


@contextmanager
def suspended(live: Live, name: str) -> Iterator[None]:
    """A member suspended, and reinstated at the end."""
    party, reason = MEMBERS[name][0], hashlib.sha256(b"a reason").digest()
    govern(live, Suspend(party, reason))
    try:
        yield
    finally:
        govern(live, Reinstate(party, reason))


@contextmanager
def running(folder: Path, *, absent: Sequence[str] = (), **config: Any) -> Iterator[Live]:
    """A network of one authority, which decides alone, and its API; `config` goes into `ApiConfig`.

    With `absent` members as further authorities nothing is ever decided.
    """
    token_file = folder / "token"
    token_file.write_text(TOKEN + "\n")
    token_file.chmod(0o600)
    ports = free_port(), free_port()
    settings = ApiConfig(
        **({"listen": f"127.0.0.1:{ports[1]}", "operator_token_file": token_file} | UNLIMITED | config)
    )
    made: list[Node | BaseException] = []
    ready, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: _run(ports, settings, absent, made, ready, stop), daemon=True)
    thread.start()
    assert ready.wait(20), "the node did not start"
    try:
        node = made[0]
        if isinstance(node, BaseException):
            raise node
        url = f"http://127.0.0.1:{ports[1]}"
        with httpx.Client(timeout=20) as http:
            yield Live(url, node.service, node.service.genesis, http)
    finally:
        stop.set()
        thread.join(20)
        assert not thread.is_alive(), "the node did not stop"


UNLIMITED = {"requests_per_s": 1_000_000, "requests_burst": 1_000_000}


def _run(
    ports: tuple[int, int],
    settings: ApiConfig,
    absent: Sequence[str],
    made: list[Node | BaseException],
    ready: threading.Event,
    stop: threading.Event,
) -> None:
    async def main() -> None:
        identity, genesis = _member(ports[0], absent)
        node = Node(genesis=genesis, identity=identity, store=MemoryStore(), bounds=Bounds(), addresses={})
        app = create_app(node.service, settings)
        await node.start(f"127.0.0.1:{ports[0]}")
        server = _Server(
            uvicorn.Config(app, host="127.0.0.1", port=ports[1], log_config=None, timeout_graceful_shutdown=1)
        )
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        made.append(node)
        ready.set()
        await asyncio.to_thread(stop.wait)
        server.should_exit = True
        await serving
        await node.stop()

    try:
        asyncio.run(main())
    except BaseException as error:  # noqa: BLE001 - raised again in the thread of the test
        made.append(error)
        ready.set()


class _Server(uvicorn.Server):
    """Uvicorn without signal handlers, which only a main thread may have."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _member(port: int, absent: Sequence[str]) -> tuple[Identity, Genesis]:
    transport = hashlib.sha256(b"transport of the api tests").digest()
    consensus = SigningKey.from_seed(hashlib.sha256(b"consensus of the api tests").digest())
    certificate = make_certificate(transport, "node")
    others = tuple(
        AuthorityEntry(
            party=MEMBERS[name][0],
            consensus_key=key_of(f"consensus {name}").public_key,
            transport_certificate=make_certificate(hashlib.sha256(name.encode()).digest(), name),
            address=f"127.0.0.1:{free_port()}",
        )
        for name in absent
    )
    genesis = Genesis(
        name="test",
        created_ms=clock_ms() - 1000,
        authorities=(
            AuthorityEntry(
                party=MEMBERS["F_CN"][0],
                consensus_key=consensus.public_key,
                transport_certificate=certificate,
                address=f"127.0.0.1:{port}",
            ),
            *others,
        ),
        observers=(),
        parties=(*(party_of(name, *entry) for name, entry in MEMBERS.items()), regulator()),
        parameters=Parameters(base_ms=500, heartbeat_ms=60_000),
        fingerprint_key=bytes(32),
    )
    return Identity(name="node", transport=Credentials(certificate, transport), consensus=consensus), genesis
