"""Evidence of misbehaviour on its way to the ledger: kept on disk until it is there, whoever brings it there.

The engine reports it (`consensus.events.Report`); this node signs a transaction of it with its consensus key, which may
sign nothing else, and gossips it like any other. There is one piece for each accused key, so all of it is bounded by
the authorities there ever were. A node that is stopped meanwhile goes on with it when it is started again.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from functools import partial

import structlog

from consensus.evidence import Evidence
from node.chain import Committed
from node.clock import clock_ms
from node.intake import Intake
from node.layout import EVIDENCE
from node.ledger import Ledger
from node.store import Store
from node.worker import Worker
from registry.errors import TransactionError
from registry.keys import SigningKey
from registry.transactions.authorities import ReportMisbehaviour
from registry.transactions.envelope import draft, sign

__all__ = ["Accuser"]

VALID_MS = 10 * 60 * 1000  # of one transaction; another is made when it has not become final by then
AGAIN_AFTER_S = 30.0  # until a report that came to nothing is made anew

_log = structlog.get_logger(room="accuser")


class Accuser:
    """Brings evidence onto the ledger, under whichever of `signers` is in force."""

    def __init__(
        self,
        *,
        genesis_id: bytes,
        signers: Sequence[SigningKey],
        store: Store,
        ledger: Ledger,
        intake: Intake,
        journal: Worker,
    ) -> None:
        self._genesis_id = genesis_id
        self._signers = signers
        self._store = store
        self._ledger = ledger
        self._intake = intake
        self._journal = journal
        self._pending = {key[len(EVIDENCE) :]: value for key, value in store.scan(EVIDENCE)}
        self._reported_at: dict[bytes, float] = {}
        self._changed = asyncio.Event()
        self._changed.set()
        ledger.listen(self._committed)

    def found(self, evidence: Evidence) -> None:
        """The engine has seen two votes that no honest authority signs together."""
        key = evidence.accused
        if key in self._pending or self._ledger.is_accused(key):
            return
        self._pending[key] = evidence.encode()
        write = partial(self._store.write, {EVIDENCE + key: evidence.encode()}, sync=True)
        self._journal.do(write, lambda _: self._changed.set())

    async def run(self) -> None:
        """Report what is pending, after every block until it is on the ledger."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            for key, evidence in tuple(self._pending.items()):
                if self._ledger.is_accused(key):
                    await self._journal.run(partial(self._store.write, {EVIDENCE + key: None}, sync=True))
                    del self._pending[key]
                else:
                    await self._report(key, evidence)

    async def _report(self, key: bytes, evidence: bytes) -> None:
        now = asyncio.get_running_loop().time()
        in_force = [signer for signer in self._signers if signer.public_key in self._ledger.authorities]
        if not in_force or now - self._reported_at.get(key, -AGAIN_AFTER_S) < AGAIN_AFTER_S:
            return
        self._reported_at[key] = now
        nonce, until_ms = secrets.token_bytes(16), clock_ms() + VALID_MS
        operations = [ReportMisbehaviour(evidence)]
        payload = draft(self._genesis_id, [in_force[0].public_key], nonce, until_ms, operations)
        (result,) = await self._intake.submit([sign(payload, self._genesis_id, in_force[:1])], by="this node")
        if isinstance(result, TransactionError):
            _log.warning("evidence was not taken in, it is tried again", accused=key.hex(), reason=str(result))

    def _committed(self, committed: Committed) -> None:
        if self._pending:
            self._changed.set()
