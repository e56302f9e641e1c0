"""A node that lies: a real HTTP relay in front of a real node, which changes what it answers; and forged finality."""

from __future__ import annotations

import http.client
import http.server
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from consensus.blocks import Header
from consensus.votes import Certificate, Kind, assemble, signed_bytes
from node.devnet import Devnet
from node.keystore import load_key
from registry.codec import decode, encode
from registry.keys import DOMAIN_VOTE, SigningKey

Lie = Callable[[str, Any], Any]
"""(path, the honest answer) -> what is answered instead: JSON, or bytes as they are."""


def honest(path: str, answer: Any) -> Any:
    return answer


@dataclass(slots=True)
class Liar:
    """A relay at `url`. It asks the node once for each path, and tells every caller its own version of the answer."""

    url: str = ""
    lie: Lie = honest
    status: int | None = None
    asked: list[str] = field(default_factory=list)
    known: dict[tuple[str, str], tuple[int, bytes]] = field(default_factory=dict)

    def answer(self, target: str, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        self.asked.append(path)
        plain = path.partition("?wait_s")[0]
        if (method, plain) not in self.known or method == "POST":
            self.known[method, plain] = _forwarded(target, method, path, headers, body)
        status, data = self.known[method, plain]
        told = self.lie(plain, json.loads(data))
        return self.status or status, told if isinstance(told, bytes) else json.dumps(told).encode()


@contextmanager
def lying(target: str) -> Iterator[Liar]:
    """A liar in front of the node at `target`, honest until its `lie` is set."""
    liar = Liar()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, data = liar.answer(target, self.command, self.path, dict(self.headers.items()), body)
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    liar.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield liar
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _forwarded(target: str, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    """As it came, with the Host that was signed."""
    to = urlsplit(target)
    connection = http.client.HTTPConnection(to.hostname or "", to.port, timeout=30)
    try:
        kept = {name: value for name, value in headers.items() if name.lower() != "accept-encoding"}
        connection.request(method, path, body=body or None, headers=kept)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Forger:
    """The authorities' own consensus keys in the wrong hands: whatever a quorum of them would sign."""

    genesis_id: bytes
    keys: tuple[SigningKey, ...]

    @classmethod
    def of(cls, devnet: Devnet) -> Forger:
        by_public = {}
        for member in devnet.members:
            home = Path(devnet.folder) / member.name
            passphrase = (home / "passphrase").read_bytes().strip()
            key = load_key(home / "keys" / "consensus.json", passphrase, kind="consensus").signing_key
            by_public[key.public_key] = key
        return cls(devnet.genesis.id, tuple(by_public[entry.consensus_key] for entry in devnet.genesis.authorities))

    def finality(
        self,
        header: Header,
        *,
        signers: Sequence[int] = (0, 1, 2),
        kind: Kind = Kind.FINALIZE,
        chain: bytes | None = None,
        keys: Sequence[SigningKey] | None = None,
    ) -> str:
        """A certificate for this header in hex."""
        message = signed_bytes(kind, header.height, 0, header.hash)
        signatures = {
            index: (keys or self.keys)[index].sign(DOMAIN_VOTE, chain or self.genesis_id, message) for index in signers
        }
        made = assemble(
            kind=kind, height=header.height, view=0, block=header.hash, signatures=signatures, n=len(self.keys)
        )
        return encode(made.to_value()).hex()


def header_of(answer: dict[str, Any]) -> Header:
    return Header.decode(bytes.fromhex(answer["header"]))


def with_one_signature_less(finality: str) -> str:
    """The certificate without its last signature, bitmap and list in agreement."""
    certificate = Certificate.from_value(decode(bytes.fromhex(finality)))
    *_, last = certificate.signers()
    bitmap = bytearray(certificate.bitmap)
    bitmap[last // 8] &= ~(1 << (last % 8))
    fewer = replace(certificate, bitmap=bytes(bitmap), signatures=certificate.signatures[:-1])
    return encode(fewer.to_value()).hex()


def with_a_signature_twice(finality: str) -> str:
    """As many signatures as before, but one member's stands for two."""
    certificate = Certificate.from_value(decode(bytes.fromhex(finality)))
    first, *rest = certificate.signatures
    return encode(replace(certificate, signatures=(first, first, *rest[1:])).to_value()).hex()


Place = tuple[str | int, ...]


def leaves(value: Any, place: Place = ()) -> Iterator[Place]:
    """Where the texts, numbers and nulls of a JSON value are."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*place, key))
    else:
        yield place


def at(value: Any, place: Place) -> Any:
    for key in place:
        value = value[key]
    return value


def changed(value: Any, place: Place, item: Any) -> Any:
    """A copy with another item at one place."""
    copy = json.loads(json.dumps(value))
    at(copy, place[:-1])[place[-1]] = item
    return copy
