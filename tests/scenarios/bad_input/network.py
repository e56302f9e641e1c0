"""A network to be mistreated, and the witness who says afterwards that nothing came of it.

Its nodes are real processes. Beside the four authorities genesis knows a regulator's observer that never runs: whoever
holds its certificate may connect, and misbehave in its name.
"""

from __future__ import annotations

import itertools
import json
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from hypothesis import HealthCheck, settings

from clients.verify import Trust
from node.devnet import Devnet, Member, create
from node.keystore import load_key
from node.mempool import CODES as POOL_CODES
from node.network import Credentials
from registry.codec import digest, encode
from registry.genesis import Genesis
from registry.inclusion import InclusionReceipt
from registry.keys import Signer
from registry.money import WHOLE
from registry.parties import Party
from registry.reasons import SUSPENDED, UNKNOWN_PARTY
from registry.receipts import Receipt
from registry.transactions.claims import Fund, Offer, Reserve
from registry.transactions.envelope import CODES, EACH, draft, sign, subject_id, transaction_id
from registry.transactions.operations import Operation
from registry.transactions.receivables import Register, debtor_commitment
from tests.cast import AUTHORITIES, EXP_CN, EXP_VN, IMP_AE, IMP_DE, TERMS, key_of, party_of
from tests.holding_off import Forgiving

OBSERVER = "reg"  # its node is in genesis, and never started
REGULATOR = "lei:984500REGULATOR00122"
NEWCOMERS = ("lei:984500USIMPORT000143", "lei:984500DKIMPORT000156")  # in nobody's books yet
F_BR = "lei:984500BRBANK00000175"  # a financier that is no authority
F_CN, F_SG, F_DE, F_GB = (party for party, _ in AUTHORITIES.values())

FINAL_WITHIN_S = 15.0
POLL_S = 0.005
VALID_MS = 600_000
DETAIL_CHARS_MAX = 400  # a sentence, not a dump
SUBMISSION_CODES = frozenset(CODES) | set(POOL_CODES) | {UNKNOWN_PARTY, SUSPENDED}


def hard(examples: int) -> settings:
    """Settings of a property whose every example costs the network something; its witness stands around all of them."""
    checks = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=examples, deadline=None, suppress_health_check=checks)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def a_network(folder: Path) -> Devnet:
    """Four authorities, an observer, and parties of every role; not started yet."""
    members = [
        Member(name=name, party=party_of(party, country, "authority", "financier"), role="authority")
        for name, (party, country) in AUTHORITIES.items()
    ]
    members.append(Member(name=OBSERVER, party=party_of(REGULATOR, "DE", "regulator"), role="observer"))
    parties: list[Party] = [
        party_of(EXP_CN, "CN", "exporter"),
        party_of(EXP_VN, "VN", "exporter"),
        party_of(IMP_DE, "DE", "debtor"),
        party_of(IMP_AE, "AE", "debtor"),
        party_of(F_BR, "BR", "financier"),
    ]
    return create(folder, members=members, parties=parties, kind=Forgiving)


def invoice(tag: str, **changes: Any) -> Register:
    """A registration like no other; `salt_of(tag)` opens its commitment to IMP_DE."""
    fields: dict[str, Any] = {
        "kind": "invoice",
        "fingerprints": (("exact", digest(b"exact " + tag.encode())), ("number", digest(b"number " + tag.encode()))),
        "commitment": digest(b"commitment"),
        "debtor_commitment": debtor_commitment(salt=salt_of(tag), identifier=IMP_DE),
        "seller_country": "CN",
        "debtor_country": "DE",
        "laws": ("CN",),
        "currency": "EUR",
        "due_month": 202607,
        "grade": "document",
    }
    return Register(**(fields | changes))


def salt_of(tag: str) -> bytes:
    return digest(b"salt " + tag.encode())


@dataclass(frozen=True, slots=True)
class Agreed:
    """What all four authorities say, once nothing waits any more."""

    height: int
    state_root: str


@dataclass(slots=True)
class Network:
    """The running network as an attacker, a member or its operator gets at it."""

    devnet: Devnet
    http: httpx.Client
    _turn: Iterator[str] = field(default_factory=lambda: itertools.cycle(AUTHORITIES))
    _tags: Iterator[int] = field(default_factory=itertools.count)

    @property
    def genesis(self) -> Genesis:
        return self.devnet.genesis

    def address(self, name: str) -> tuple[str, int]:
        """Where the API of a node listens."""
        host, _, port = self.devnet.url(name).removeprefix("http://").rpartition(":")
        return host, int(port)

    def peer_address(self, name: str) -> tuple[str, int]:
        """Where a node listens for other nodes."""
        entry = next(each for each in self.genesis.authorities if each.party == AUTHORITIES[name][0])
        host, _, port = entry.address.rpartition(":")
        return host, int(port)

    def by_certificate(self) -> list[str]:
        """The names of the authorities, in the order that decides which of two simultaneous connections stays."""
        names = {party: name for name, (party, _) in AUTHORITIES.items()}
        return [
            names[each.party] for each in sorted(self.genesis.authorities, key=lambda each: each.transport_certificate)
        ]

    def credentials(self, name: str) -> Credentials:
        """The genuine certificate and key of a member's node."""
        home = self.devnet.folder / name
        key = load_key(home / "keys" / "transport.json", (home / "passphrase").read_bytes().strip(), kind="transport")
        return Credentials(key.public, key.secret)

    def tag(self) -> str:
        """A text that was not used before."""
        return f"tag {next(self._tags)}"

    # --- requests ---------------------------------------------------------------------------------------------------

    def ask(self, method: str, path: str, *, node: str = "f-cn", **request: Any) -> httpx.Response:
        """A request of the node's operator, to whom nothing is closed."""
        headers = {"authorization": f"Bearer {self.devnet.operator_token(node)}"} | request.pop("headers", {})
        return self.http.request(method, self.devnet.url(node) + path, headers=headers, **request)

    def submit(self, wires: Sequence[bytes], *, node: str | None = None) -> list[dict[str, str]]:
        """One result for each wire: what it is, or one typed, human error."""
        body, headers = encode(list(wires)), {"content-type": "application/msgpack"}
        answer = self.ask("POST", "/v1/transactions", node=node or next(self._turn), content=body, headers=headers)
        assert answer.status_code == 202, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        assert len(results) == len(wires)
        for result in results:
            if "inclusion" in result:  # while it waits
                assert InclusionReceipt.from_json(result.pop("inclusion")).holds(self.genesis.id)
            if set(result) != {"transaction_id"}:
                assert set(result) == {"code", "field", "detail"}, result
                assert result["code"] in SUBMISSION_CODES, result
                assert result["field"], result
                human(result["detail"])
        return results

    def finals(self, ids: Sequence[str], operations: int, *, node: str = "f-sg") -> list[tuple[Receipt, ...]]:
        """The receipts of final transactions, each with this many operations, verified against genesis."""
        answer = self.ask("POST", "/v1/receipts", node=node, json={"ids": list(ids), "wait_s": FINAL_WITHIN_S})
        assert answer.status_code == 200, answer.text
        trust = Trust(self.genesis)
        found = zip(ids, answer.json(), strict=True)
        return [trust.receipts(bytes.fromhex(id_), operations, each).receipts for id_, each in found]

    def do(self, signers: str | Sequence[str], *operations: Operation, mode: str = EACH) -> tuple[Receipt, ...]:
        """Submit one transaction and wait for its receipts."""
        (result,) = self.submit([self.wire(signers, *operations, mode=mode)])
        return self.finals([result["transaction_id"]], len(operations))[0]

    # --- transactions -----------------------------------------------------------------------------------------------

    def payload(self, signers: str | Sequence[str], *operations: Operation, mode: str = EACH) -> bytes:
        """What these parties would sign, with a fresh nonce."""
        keys = [key.public_key for key in keys_of(signers)]
        return draft(self.genesis.id, keys, secrets.token_bytes(16), now_ms() + VALID_MS, operations, mode)

    def wire(self, signers: str | Sequence[str], *operations: Operation, mode: str = EACH) -> bytes:
        """A good transaction of these parties."""
        return sign(self.payload(signers, *operations, mode=mode), self.genesis.id, keys_of(signers))

    def registered(self, tag: str) -> bytes:
        """A receivable of EXP_CN on IMP_DE; its id."""
        return done(self.do(EXP_CN, invoice(tag)))

    def offered(self, receivable: bytes, to: str, share: int = WHOLE) -> bytes:
        """An offer by EXP_CN; the claim's id."""
        return done(self.do(EXP_CN, Offer(receivable, to, share, TERMS, now_ms() + VALID_MS)))

    def funded(self, receivable: bytes, by: str, share: int = WHOLE) -> bytes:
        """A funded claim; its id."""
        claim = self.offered(receivable, by, share)
        assert [each.code for each in self.do(by, Reserve(claim, VALID_MS), Fund(claim))] == ["ok", "ok"]
        return claim

    # --- the whole --------------------------------------------------------------------------------------------------

    def agreed(self, names: Iterable[str] = AUTHORITIES) -> Agreed:
        """Wait until nothing is pending and all of these say the same."""
        names = tuple(names)
        deadline = time.monotonic() + FINAL_WITHIN_S
        while True:
            found = [self.devnet.status(name) for name in names]
            tips = {(status["height"], status["block_hash"], status["state_root"]) for status in found}
            if len(tips) == 1 and not any(status["mempool"] for status in found):
                return Agreed(found[0]["height"], found[0]["state_root"])
            assert time.monotonic() < deadline, found
            time.sleep(POLL_S)

    def ledger(self, first: int, last: int) -> list[str]:
        """The ids of all transactions in these blocks."""
        blocks = [self.ask("GET", f"/v1/blocks/{height}").json() for height in range(first, last + 1)]
        return [id_ for block in blocks for id_ in block["transactions"]]

    def log(self, name: str, since: int = 0) -> list[dict[str, Any]]:
        """A node's log after its first `since` bytes; anything but one JSON object a line is an error.

        A line that the node is writing just now is not one yet.
        """
        whole, newline, _ = self.devnet.log_path(name).read_bytes()[since:].rpartition(b"\n")
        return [json.loads(line) for line in whole.split(b"\n")] if newline else []

    def log_size(self, name: str) -> int:
        return self.devnet.log_path(name).stat().st_size

    def reasons(self, name: str, since: int) -> list[str]:
        """Why a node closed connections, in its own words."""
        return [str(entry["reason"]) for entry in self.log(name, since) if "reason" in entry]


class Witness:
    """Knows what the ledger was before a test, hears what may come of it, and checks that nothing else has."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._before = network.agreed()
        self._logs = {name: network.log_size(name) for name in AUTHORITIES}
        self._pids = {name: network.devnet.pid(name) for name in AUTHORITIES}
        self._stands: list[str] = []
        self._changes = False

    def refused(self, *ids: str) -> None:
        """These stand on the ledger with their refusals, and change nothing."""
        self._stands += ids

    def effective(self, *ids: str) -> None:
        """These stand on the ledger and change it."""
        self._stands += ids
        self._changes = True

    def check(self) -> None:
        """Everything as it must be, and the network still does its work."""
        network = self._network
        now = network.agreed()
        assert sorted(network.ledger(self._before.height + 1, now.height)) == sorted(self._stands)
        assert (now.state_root != self._before.state_root) == self._changes
        (result,) = network.submit([network.wire(EXP_CN, invoice(network.tag()))])
        for name in AUTHORITIES:
            assert [receipt.code for receipt in network.finals([result["transaction_id"]], 1, node=name)[0]] == ["ok"]
            assert network.devnet.is_running(name), name
            assert network.devnet.pid(name) == self._pids[name]
            loud = [entry for entry in network.log(name, self._logs[name]) if entry["level"] in ("error", "critical")]
            assert loud == [], name


def human(text: str) -> None:
    """One sentence or so, of words, that shows nothing of the inside."""
    assert 0 < len(text) <= DETAIL_CHARS_MAX, text
    assert text.isprintable(), text
    assert "Traceback" not in text, text
    assert " at 0x" not in text, text


def problem(answer: httpx.Response) -> dict[str, Any]:
    """The RFC 9457 problem that an answer is."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found: dict[str, Any] = answer.json()
    assert (
        {"type", "title", "status", "detail", "code"}
        <= set(found)
        <= {
            "type",
            "title",
            "status",
            "detail",
            "code",
            "field",
        }
    )
    assert found["status"] == answer.status_code
    assert found["type"] == f"urn:nemodat:problem:{found['code']}"
    human(found["detail"])
    return found


def keys_of(signers: str | Sequence[str]) -> list[Signer]:
    return [key_of(party) for party in ([signers] if isinstance(signers, str) else signers)]


def done(receipts: tuple[Receipt, ...]) -> bytes:
    (receipt,) = receipts
    assert receipt.code == "ok", receipt
    return receipt.subject


def id_of(payload: bytes) -> str:
    return transaction_id(payload).hex()


def created(payload: bytes, operation: int) -> str:
    """The id that what an operation creates would have."""
    return subject_id(transaction_id(payload), operation).hex()
