"""Clients that work while everything breaks. What each sent and was told is final goes to its own file at once.

A history is JSON lines: "sent" before the first byte leaves, "final" with the node's whole answer (header, certificate,
receipts, paths) when it was verified, "unknown" if the client gave up waiting, "rejected", "unproved".
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from chaos_network import DEBTOR, EXPORTERS, HONEST, ChaosNet
from demo_cast import AUTHORITIES, demo_key

from clients.base import Client
from clients.errors import ClientError, ProofInvalid, Rejected
from clients.exchange import Procedure
from clients.exporter import ExporterClient, Listing
from clients.financier import FinancierClient
from clients.session import Session, send, signed
from clients.verify import Final
from registry.fingerprint import Particulars
from registry.money import WHOLE
from registry.transactions.claims import Fund, Offer, Reserve
from registry.transactions.envelope import ALL, subject_id
from registry.transactions.operations import Operation

__all__ = ["History", "Load", "Race"]

FINAL_WITHIN_S = 15.0
OFFER_VALID_MS = 30 * 60 * 1000
RESERVE_MS = 10 * 60 * 1000
PARTIES = {name: party for name, party, *_ in AUTHORITIES}

T = TypeVar("T")


@dataclass(slots=True)
class History:
    """One client's file. A line is on the disk before the client goes on."""

    path: Path
    _file: Any = None

    def __post_init__(self) -> None:
        self._file = self.path.open("a")

    def note(self, what: str, **more: object) -> None:
        """Append a line."""
        self._file.write(json.dumps({"what": what, "at_ms": time.time_ns() // 1_000_000, **more}) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Nothing more comes."""
        self._file.close()


@dataclass(slots=True)
class Race:
    """A receivable offered as a whole to two financiers, and what each was told: "ok", a refusal's code, "unknown"."""

    receivable: bytes
    told: dict[str, str] = field(default_factory=dict)


def overheard(procedure: Procedure[T], hear: Callable[[dict[str, Any]], None]) -> Procedure[T]:
    """The same procedure; `hear` is given every answer that says that something is final."""
    step = partial(next, procedure)
    while True:
        try:
            call = step()
        except StopIteration as end:
            result: T = end.value
            return result
        try:
            reply = yield call
            if call.path.startswith("/v1/transactions/"):
                answer = reply.object()
                if answer.get("status") == "final":
                    hear(answer)
            step = partial(procedure.send, reply)
        except ClientError as error:
            step = partial(procedure.throw, error)


class Load:
    """Workers, each an exporter whose receivables two financiers race for, until `stop`."""

    def __init__(self, net: ChaosNet, folder: Path, *, seed: int, workers: int) -> None:
        self._net = net
        self._folder = folder
        self._seed = seed
        self._over = threading.Event()
        self._numbers = itertools.count(1)
        self._run = time.time_ns()
        self.races: list[Race] = []
        self.broken: list[str] = []
        """What no client may ever see."""
        self._threads = [threading.Thread(target=self._guarded, args=(number,)) for number in range(workers)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let everyone finish what is under way."""
        self._over.set()
        for thread in self._threads:
            if thread.ident is not None:  # a signal may have come before it began
                thread.join()

    def _guarded(self, number: int) -> None:
        try:
            self._work(number)
        except Exception as error:  # noqa: BLE001 - a worker that ended would make the run look calm
            self.broken.append(f"worker {number} ended: {error!r}")

    def _work(self, number: int) -> None:
        chance = random.Random(f"{self._seed} client {number}")
        history = History(self._folder / f"exporter-{number}.jsonl")
        rivals = {name: History(self._folder / f"financier-{number}-{name}.jsonl") for name in HONEST}
        party = EXPORTERS[number % len(EXPORTERS)]
        while not self._over.is_set():
            first, second = chance.sample(HONEST, 2)
            access = self._access(party, chance.choice(HONEST))
            with ExporterClient(self._net.genesis, **access) as exporter:
                registered = self._register(exporter, history, party)
                if registered is None:
                    continue
                claims = self._offer(exporter, history, registered, (first, second))
            if claims is None:
                continue
            race = Race(registered)
            self.races.append(race)
            racing = [
                threading.Thread(target=self._finance, args=(name, claim, rivals[name], race))
                for name, claim in zip((first, second), claims, strict=True)
            ]
            for each in racing:
                each.start()
            for each in racing:
                each.join()
        for written in (history, *rivals.values()):
            written.close()

    def _access(self, party: str, node: str) -> dict[str, Any]:
        names = [node, *(name for name in HONEST if name != node)]
        urls = [self._net.url(name) for name in names]
        return {"urls": urls, "party": party, "signer": demo_key(party), "final_within_s": FINAL_WITHIN_S}

    def _register(self, exporter: ExporterClient, history: History, party: str) -> bytes | None:
        """One receivable; its id, None if it is not known to be registered."""
        number = next(self._numbers)
        particulars = Particulars(
            seller=party,
            debtor=DEBTOR,
            number=f"CHAOS-{self._run}-{number}",
            currency="EUR",
            amount_minor=100_000_000 + number * 1_009,
            issue_date=datetime.date(2026, 1, 1),
            due_date=datetime.date(2027, 1, 1),
        )
        listing = Listing(particulars=particulars, seller_country="CN", debtor_country="DE")
        (batch,) = exporter.prepare([listing])
        history.note("sent", transaction=batch.submission.transaction_id.hex(), operations=1)
        answers: list[dict[str, Any]] = []
        outcome = self._told(
            history,
            batch.submission.transaction_id,
            answers,
            lambda: self._submitted(exporter, batch.submission, answers),
        )
        if outcome is None or outcome.receipts[0].code != "ok":
            return None
        return subject_id(outcome.transaction_id, 0)

    def _submitted(self, client: Client, submission: Any, answers: list[dict[str, Any]]) -> Final:
        def heard(session: Session) -> Procedure[Final]:
            return (yield from overheard(send(session, submission), answers.append))

        return client.call(heard)

    def _offer(
        self, exporter: ExporterClient, history: History, receivable: bytes, names: Sequence[str]
    ) -> tuple[bytes, ...] | None:
        until_ms = time.time_ns() // 1_000_000 + OFFER_VALID_MS
        terms = hashlib.sha256(b"chaos terms").digest()
        offers = [Offer(receivable, PARTIES[name], WHOLE, terms, until_ms) for name in names]
        final = self._do(exporter, history, offers)
        if final is None or any(receipt.code != "ok" for receipt in final.receipts):
            return None
        return tuple(subject_id(final.transaction_id, index) for index in range(len(offers)))

    def _finance(self, name: str, claim: bytes, history: History, race: Race) -> None:
        try:
            with FinancierClient(self._net.genesis, **self._access(PARTIES[name], name)) as client:
                final = self._do(client, history, [Reserve(claim, RESERVE_MS), Fund(claim, ())], mode=ALL)
        except Exception as error:  # noqa: BLE001 - as for workers
            self.broken.append(f"financier {name} ended: {error!r}")
            return
        if final is None:
            race.told[name] = "unknown"
        else:
            codes = [str(receipt.code) for receipt in final.receipts if receipt.code not in ("ok", "rolled_back")]
            race.told[name] = codes[0] if codes else "ok"

    def _do(self, client: Client, history: History, operations: Sequence[Operation], **mode: Any) -> Final | None:
        submission = client.make(signed, operations, **mode)
        history.note("sent", transaction=submission.transaction_id.hex(), operations=len(operations))
        answers: list[dict[str, Any]] = []
        return self._told(
            history, submission.transaction_id, answers, lambda: self._submitted(client, submission, answers)
        )

    def _told(
        self, history: History, transaction: bytes, answers: list[dict[str, Any]], do: Callable[[], Final]
    ) -> Final | None:
        """What came of it, noted; None if that is not known."""
        said = {"transaction": transaction.hex()}
        try:
            final = do()
        except ProofInvalid as error:
            history.note("unproved", **said, reason=str(error))
            self.broken.append(f"an answer was not proved: {error}")
        except Rejected as error:
            history.note("rejected", **said, reason=str(error))
        except ClientError as error:
            history.note("unknown", **said, reason=f"{type(error).__name__}: {error}"[:500])
        else:
            codes = [str(receipt.code) for receipt in final.receipts]
            block = final.block_hash.hex()
            history.note("final", **said, height=final.height, block=block, codes=codes, answer=answers[-1])
            return final
        self._over.wait(0.2)  # not to hammer nodes that are down
        return None
