"""The load: transactions signed beforehand, and workers that keep a fixed number of them in flight."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from clients.exchange import MSGPACK, Call, Procedure, posted
from clients.transport import AsyncTransport, Settings
from registry.codec import encode
from registry.genesis import Genesis
from registry.keys import SigningKey
from registry.money import WHOLE
from registry.receipts import Receipt
from registry.transactions.claims import Offer, Reserve
from registry.transactions.envelope import draft, sign, subject_id, transaction_id
from registry.transactions.operations import Operation
from registry.transactions.receivables import Register

VALIDITY_MS = 55 * 60 * 1000
RESERVE_MS = 15 * 60 * 1000
READ_BACK = 200  # transactions asked for at once
PRINT_KINDS = ("exact", "number", "particulars", "window", "debtor_side", "debtor_number")  # an ordinary invoice's


@dataclass(frozen=True, slots=True)
class Signed:
    """One transaction as it travels, and how many operations it carries."""

    id: bytes
    wire: bytes
    operations: int


@dataclass(slots=True)
class Load:
    """What a drive measured. Latencies run from the submission of a request to its last final answer, in ms."""

    operations: int = 0
    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    submitted: list[Signed] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return self.operations / self.seconds if self.seconds else 0.0


def registrations(count: int) -> Iterator[Register]:
    """Registrations with random fingerprints and commitments, six fingerprints each."""
    for _ in range(count):
        noise = secrets.token_bytes(32)
        yield Register(
            kind="invoice",
            fingerprints=tuple((kind, hashlib.sha256(kind.encode() + noise).digest()) for kind in PRINT_KINDS),
            commitment=noise,
            debtor_commitment=hashlib.sha256(noise).digest(),
            seller_country="CN",
            debtor_country="DE",
            laws=(),
            currency="USD",
            due_month=202703,
            grade="document",
        )


def offers_on(receivables: Sequence[bytes], *, each: int, to: str) -> Iterator[Offer]:
    """`each` offers of equal shares on every receivable, to one financier."""
    until = now_ms() + VALIDITY_MS
    for receivable in receivables:
        for _ in range(each):
            yield Offer(receivable, to, WHOLE // each, bytes(32), until)


def reservations(claims: Sequence[bytes]) -> Iterator[Reserve]:
    """One reservation per claim."""
    for claim in claims:
        yield Reserve(claim, RESERVE_MS)


def sign_each(
    genesis: Genesis, keys: Sequence[SigningKey], operations: Iterator[Operation], *, per_signature: int
) -> list[Signed]:
    """Sign the operations in transactions of `per_signature`, the keys taking turns."""
    signed: list[Signed] = []
    batch: list[Operation] = []
    valid_until_ms = now_ms() + VALIDITY_MS
    for operation in operations:
        batch.append(operation)
        if len(batch) == per_signature:
            signed.append(_sign(genesis, keys[len(signed) % len(keys)], batch, valid_until_ms))
            batch = []
    if batch:
        signed.append(_sign(genesis, keys[len(signed) % len(keys)], batch, valid_until_ms))
    return signed


def claims_on(signed: Sequence[Signed]) -> list[bytes]:
    """The ids of what these transactions create, one per operation."""
    return [subject_id(item.id, index) for item in signed for index in range(item.operations)]


def _sign(genesis: Genesis, key: SigningKey, operations: list[Operation], valid_until_ms: int) -> Signed:
    payload = draft(genesis.id, [key.public_key], secrets.token_bytes(16), valid_until_ms, operations)
    return Signed(transaction_id(payload), sign(payload, genesis.id, [key]), len(operations))


async def drive(
    urls: Sequence[str], signer: SigningKey, signed: Sequence[Signed], *, workers: int, per_request: int, seconds: float
) -> Load:
    """Submit for at most `seconds`: a worker sends a request, waits until its last transaction is final, and repeats.

    So at most `workers * per_request` transactions are in flight. The clock runs from the first submission to the
    moment when everything submitted is final.
    """
    chunks = [signed[start : start + per_request] for start in range(0, len(signed), per_request)]
    queue = iter(enumerate(chunks))
    load = Load()
    started = time.monotonic()

    async def work(worker: int) -> None:
        settings = Settings(urls=(urls[worker % len(urls)], *urls), signer=signer, timeout_s=60.0)
        async with AsyncTransport(settings) as transport:
            while time.monotonic() - started < seconds:
                found = next(queue, None)
                if found is None:
                    return
                _, chunk = found
                sent = time.monotonic()
                await transport.run(_submit(chunk))
                await transport.run(_until_final(chunk[-1]))
                load.latencies_ms.append((time.monotonic() - sent) * 1000)
                load.submitted += chunk
                load.operations += sum(item.operations for item in chunk)

    await asyncio.gather(*(work(worker) for worker in range(workers)))
    load.seconds = time.monotonic() - started
    return load


def _submit(chunk: Sequence[Signed]) -> Procedure[None]:
    reply = yield Call("POST", "/v1/transactions", encode([item.wire for item in chunk]), MSGPACK)
    bad = [result for result in reply.json()["results"] if "code" in result]
    if bad:
        raise RuntimeError(f"{len(bad)} transactions were not taken: {bad[0]}")


def _until_final(item: Signed) -> Procedure[None]:
    while True:
        reply = yield Call("GET", f"/v1/transactions/{item.id.hex()}?wait_s=10", wait_s=10)
        if reply.json()["status"] == "final":
            return


def _receipts(ids: Sequence[str]) -> Procedure[list[dict[str, Any]]]:
    reply = yield posted("/v1/receipts", {"ids": ids, "wait_s": 20})
    answers: list[dict[str, Any]] = reply.json()
    return answers


async def outcomes(url: str, signer: SigningKey, signed: Sequence[Signed]) -> Counter[str]:
    """How many operations ended with which code, read back from the ledger. Raises if one is not final."""
    counted: Counter[str] = Counter()
    async with AsyncTransport(Settings(urls=(url,), signer=signer, timeout_s=60.0)) as transport:
        for start in range(0, len(signed), READ_BACK):
            ids = [item.id.hex() for item in signed[start : start + READ_BACK]]
            for answer in await transport.run(_receipts(ids)):
                if answer["status"] != "final":
                    raise RuntimeError(f"transaction {answer['transaction_id']} is {answer['status']}")
                counted.update(
                    str(Receipt.decode(bytes.fromhex(entry["receipt"])).code) for entry in answer["receipts"]
                )
    return counted


def now_ms() -> int:
    return time.time_ns() // 1_000_000
