"""Compose, sign, submit, wait, verify: the one way a participant's operations reach the ledger."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import cast

from clients.errors import ClientError, NotFinal, ProofInvalid, Refused, Rejected, Stale
from clients.exchange import MSGPACK, Call, Procedure, Reply, get
from clients.submission import Keeper, Submission
from clients.verify import Final, Proved, Trust
from consensus.checkpoints import KeptCheckpoint
from registry.codec import decode, encode
from registry.errors import CodecError, FieldError, TransactionError
from registry.genesis import Genesis
from registry.keys import DOMAIN_TRANSACTION, Signer
from registry.receipts import Receipt
from registry.transactions.envelope import EACH, draft, seal
from registry.transactions.operations import Operation

__all__ = ["Draft", "Session", "accepted", "compose", "offer", "resume", "send", "signed", "submit", "until_final"]

VALIDITY_MS = 10 * 60 * 1000  # how long a composed transaction may still be included
AHEAD_MAX_MS = 60_000  # so far ahead of the clock expiries may run in a burst of transactions
CLOCKS_APART_MS = 60_000  # what requests may be off by as well (RFC 9421 signatures' window)
WAIT_S = 5.0  # one long poll; if it is not final after that, another node is given the transaction too


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who acts, on which chain. `final_within_s` is how long a submission is waited for before `NotFinal`.

    `checkpoints` (`clients.checkpoints`) are held against every header that nodes show, as `verify.Trust` says; the
    proofs that headers older than they are need are fetched as the changes are (`clients.changes`). What is proved of
    the state is as of block `from_height` or a later one, and recent (`fresh`). `keeper` is told of each submission
    before it is sent, and when its outcome is known.
    """

    genesis: Genesis
    party: str
    signer: Signer
    final_within_s: float = 60.0
    checkpoints: tuple[KeptCheckpoint, ...] = ()
    from_height: int = 0
    keeper: Keeper | None = field(default=None, repr=False, compare=False)
    _trust: list[Trust] = field(default_factory=list, repr=False, compare=False)

    @property
    def trust(self) -> Trust:
        """The verifier for this chain, with all changes of the authorities that were followed so far."""
        if not self._trust:
            self._trust.append(Trust(self.genesis, checkpoints=self.checkpoints))
        return self._trust[0]

    def proved(self, key: bytes, proof: object) -> Proved:
        """The proved value of a state key as of now, or its absence. Raises `ProofInvalid`, `Stale`."""
        found = self.trust.state(key, proof)
        self.fresh(found.timestamp_ms)
        if found.height < self.from_height:
            raise Stale(f"proved as of block {found.height}, block {self.from_height} is wanted")
        return found

    def fresh(self, timestamp_ms: int) -> None:
        """Raises `Stale` if the newest block that a node knows is of this time, and too old to act on.

        A quiet network makes a block every `heartbeat_ms`; one of them may be late, and clocks are a little apart. What
        a node that is further behind does not know of may be the very thing that matters.
        """
        age_ms = time.time_ns() // 1_000_000 - timestamp_ms
        if age_ms > 2 * self.genesis.parameters.heartbeat_ms + CLOCKS_APART_MS:
            raise Stale(f"the newest block that it knows is {age_ms // 1000} s old")

    def sending(self, submission: Submission) -> None:
        """Have it kept: it is sent next. Raises what the keeper raises."""
        if self.keeper is not None:
            self.keeper.sending(submission)

    def settled(self, submission: Submission) -> None:
        """What became of it is known."""
        if self.keeper is not None:
            self.keeper.settled(submission)

    def believe(self, trust: Trust) -> None:
        """Believe this from now on: more changes of the authorities, or more old headers that are proved."""
        self._trust[:] = [trust]


@dataclass(frozen=True, slots=True)
class Draft:
    """A transaction that awaits the signatures of `signers`, in that order. `payload` is what they sign."""

    payload: bytes
    signers: tuple[bytes, ...]

    @classmethod
    def of(cls, payload: bytes) -> Draft:
        """The draft with this payload; what else is in it is checked when it is sealed. Raises `ClientError`."""
        try:
            _, _, signers, *_ = cast("list[list[bytes]]", decode(payload))
            return cls(payload, tuple(signers))
        except (CodecError, TypeError, ValueError) as error:
            raise ClientError(f"not the payload of a transaction: {error}") from error

    def sign(self, genesis: Genesis, signer: Signer) -> bytes:
        """This signer's signature. Raises `ClientError` if it is not one of the signers."""
        if signer.public_key not in self.signers:
            raise ClientError("this key is not among the draft's signers")
        return signer.sign(DOMAIN_TRANSACTION, genesis.id, self.payload)

    def sealed(self, genesis: Genesis, signatures: Mapping[bytes, bytes]) -> Submission:
        """The submission, given everybody's signature by public key. Raises `ClientError` naming who is missing."""
        missing = [signer.hex() for signer in self.signers if signer not in signatures]
        if missing:
            raise ClientError(f"signatures are missing of: {', '.join(missing)}")
        return Submission.of(seal(self.payload, [signatures[signer] for signer in self.signers]), genesis.id)


class _Expiries:
    """Expiries that only grow: within a block a party's own transactions stand in their order (`registry.order`)."""

    def __init__(self) -> None:
        self._last_ms = 0
        self._lock = Lock()

    def next_ms(self) -> int:
        """Ten minutes from now, and later than any before, unless the clock was set back."""
        wanted_ms = time.time_ns() // 1_000_000 + VALIDITY_MS
        with self._lock:
            is_set_back = self._last_ms - wanted_ms > AHEAD_MAX_MS
            self._last_ms = wanted_ms if is_set_back else max(self._last_ms + 1, wanted_ms)
            return self._last_ms


_expiries = _Expiries()


def compose(genesis: Genesis, operations: Sequence[Operation], *, signers: Sequence[bytes], mode: str = EACH) -> Draft:
    """A draft with a fresh nonce, valid for ten minutes from now. Raises `Rejected` naming the field that is wrong."""
    try:
        payload = draft(
            chain_id=genesis.id,
            signers=tuple(signers),
            nonce=secrets.token_bytes(16),
            valid_until_ms=_expiries.next_ms(),
            operations=tuple(operations),
            mode=mode,
        )
    except TransactionError as error:
        raise Rejected(error.code, error.field, error.reason) from error
    except FieldError as error:
        raise Rejected("malformed", error.field, error.reason) from error
    return Draft(payload, tuple(signers))


def signed(session: Session, operations: Sequence[Operation], *, mode: str = EACH) -> Submission:
    """These operations under the session's own signature alone. Raises `Rejected`."""
    made = compose(session.genesis, operations, signers=[session.signer.public_key], mode=mode)
    return made.sealed(session.genesis, {session.signer.public_key: made.sign(session.genesis, session.signer)})


def submit(session: Session, operations: Sequence[Operation], *, mode: str = EACH) -> Procedure[Final]:
    """Sign, submit, wait for finality, verify. Raises `Rejected`, `NotFinal`, `Unreachable`, `ProofInvalid`."""
    return (yield from send(session, signed(session, operations, mode=mode)))


def send(session: Session, submission: Submission) -> Procedure[Final]:
    """Submit until it is final, and verify its receipts. Raises `ClientError`, with `submission` to resume."""
    session.sending(submission)
    try:
        yield from offer(submission)
    except ClientError as error:
        error.submission = submission
        raise
    final = yield from until_final(session, submission)
    session.settled(submission)
    return final


def until_final(session: Session, submission: Submission) -> Procedure[Final]:
    """Wait until what was offered is final, and verify its receipts. Raises as `send`.

    Sending again is harmless, so a node that does not get it decided (it is cut off, say) is followed by another one.
    """
    deadline = time.monotonic() + session.final_within_s
    elsewhere = False
    try:
        while (left := deadline - time.monotonic()) > 0:
            if elsewhere:
                yield from offer(submission, elsewhere=True)
            wait_s = min(WAIT_S, left)
            path = f"/v1/transactions/{submission.transaction_id.hex()}?wait_s={wait_s:.3f}"
            answer = yield from get(path, wait_s=wait_s)
            if answer.get("status") == "final":
                return session.trust.receipts(submission.transaction_id, submission.operations, answer)
            elsewhere = True
    except ClientError as error:
        error.submission = submission
        raise
    raise NotFinal(submission, session.final_within_s)


def resume(session: Session, submission: Submission) -> Procedure[Final]:
    """As `send`; raises `Refused` as well, if a rule refused any operation."""
    final = yield from send(session, submission)
    accepted(final)
    return final


def accepted(final: Final) -> Receipt:
    """The receipt of the last operation. Raises `Refused` if a rule refused any of them."""
    for receipt in final.receipts:
        if receipt.code != "ok" and receipt.code != "rolled_back":
            raise Refused(receipt)
    return final.receipts[-1]


def offer(submission: Submission, *, elsewhere: bool = False) -> Procedure[None]:
    """Hand it to one node. Raises `Rejected` when every node has been asked and none takes it."""
    refused_by: set[str] = set()
    while True:
        reply = yield Call("POST", "/v1/transactions", encode([submission.wire]), MSGPACK, elsewhere=elsewhere)
        rejection = _rejection(reply, submission.transaction_id)
        if rejection is None:
            return
        if reply.node in refused_by:
            raise rejection
        refused_by.add(reply.node)
        elsewhere = True


def _rejection(reply: Reply, transaction_id: bytes) -> Rejected | None:
    results = reply.object().get("results")
    if not isinstance(results, list) or len(results) != 1 or not isinstance(results[0], dict):
        raise ProofInvalid("results: one is expected")
    result = results[0]
    if "code" in result:
        return Rejected(str(result["code"]), str(result.get("field", "")), str(result.get("detail", "")))
    if result.get("transaction_id") != transaction_id.hex():
        raise ProofInvalid("transaction_id: the node speaks of another transaction")
    return None
