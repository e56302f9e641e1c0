"""The ledger: what a block's transactions do to the state. The door of the package.

    execute(state before, block, transactions) -> receipts, writes, events, roots

It is a pure function: whoever executes the same transactions on the same state gets the same bytes, on every machine.
Refusals are receipts. What raises is a block that no honest proposer builds (`InvalidBlock`) and a bug: nothing is
swallowed, because a node that cannot execute must stop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from registry.errors import InvalidBlock, TransactionError
from registry.events import Event
from registry.genesis import Genesis
from registry.limits import BLOCK_WORK_MAX, WORK_MAX
from registry.merkle import log
from registry.parties import Party
from registry.reasons import LIMIT_REACHED, OK, ROLLED_BACK
from registry.receipts import Receipt
from registry.rules import (
    attestations,
    authorities,
    claims,
    contacts,
    disputes,
    double_confirmation,
    expiry,
    external_claims,
    facilities,
    filings,
    governance,
    inclusion,
    notices,
    parties,
    receivables,
)
from registry.rules.verdicts import Call, Judge, Refusal, Verdict
from registry.state import OutOfWork, Put, Read, State, encode_stored
from registry.transactions.attestations import Attest, WithdrawAttestation
from registry.transactions.authorities import ReportMisbehaviour
from registry.transactions.claims import Cover, Discharge, Fund, Offer, Reassign, Release, Reserve, Revoke
from registry.transactions.contacts import AnswerContact, AskContact
from registry.transactions.disputes import (
    AnswerDispute,
    ConcludeDispute,
    DecideDispute,
    EscalateDispute,
    RaiseDispute,
    SettleDispute,
    WithdrawDispute,
)
from registry.transactions.envelope import ALL, Transaction, admissible
from registry.transactions.external_claims import EndExternalClaim, RecordExternalClaim
from registry.transactions.facilities import (
    AmendFacility,
    CarveOutReceivable,
    CertifyBase,
    CloseFacility,
    Draw,
    OpenFacility,
    RenewBlanket,
)
from registry.transactions.filings import ContinueFiling, EndFiling, RecordFiling
from registry.transactions.governance import Approve, Propose
from registry.transactions.inclusion import ReportExclusion
from registry.transactions.notices import Acknowledge, Deem, Notify, ProveReceipt
from registry.transactions.operations import Operation
from registry.transactions.parties import AddKey, Recover, RevokeKey, SetHome, SetReceiveKey
from registry.transactions.receivables import Adjust, Confirm, Distinguish, Expire, Register, Reject

__all__ = ["RULES", "BlockContext", "Event", "Outcome", "execute", "genesis_state"]

Rule = Callable[[Call, Any], Verdict]

RULES: Final[Mapping[type[Operation], Rule]] = MappingProxyType(
    {
        Propose: governance.propose,
        Approve: governance.approve,
        AddKey: parties.add_key,
        RevokeKey: parties.revoke_key,
        SetReceiveKey: parties.set_receive_key,
        SetHome: parties.set_home,
        Recover: parties.recover,
        Attest: attestations.attest,
        WithdrawAttestation: attestations.withdraw,
        Register: receivables.register,
        Confirm: receivables.confirm,
        Reject: receivables.reject,
        Adjust: receivables.adjust,
        Offer: claims.offer,
        Revoke: claims.revoke,
        Reserve: claims.reserve,
        Fund: claims.fund,
        Reassign: claims.reassign,
        Release: claims.release,
        Discharge: claims.discharge,
        RaiseDispute: disputes.raise_,
        AnswerDispute: disputes.answer,
        EscalateDispute: disputes.escalate,
        WithdrawDispute: disputes.withdraw,
        SettleDispute: disputes.settle,
        DecideDispute: disputes.decide,
        ConcludeDispute: disputes.conclude,
        Cover: claims.cover,
        RecordFiling: filings.record_filing,
        ContinueFiling: filings.continue_filing,
        EndFiling: filings.end_filing,
        AskContact: contacts.ask_contact,
        AnswerContact: contacts.answer_contact,
        Notify: notices.notify,
        Acknowledge: notices.acknowledge,
        ProveReceipt: notices.prove_receipt,
        Deem: notices.deem,
        Distinguish: double_confirmation.distinguish,
        OpenFacility: facilities.open_facility,
        AmendFacility: facilities.amend_facility,
        RenewBlanket: facilities.renew_blanket,
        CarveOutReceivable: facilities.carve_out,
        CertifyBase: facilities.certify_base,
        CloseFacility: facilities.close_facility,
        RecordExternalClaim: external_claims.record_external_claim,
        EndExternalClaim: external_claims.end_external_claim,
        ReportMisbehaviour: authorities.report,
        ReportExclusion: inclusion.report,
        Draw: facilities.draw,
        Expire: expiry.expire,
    }
)


@dataclass(frozen=True, slots=True)
class BlockContext:
    """The block that is executed: its chain (32 bytes), height, and time in milliseconds since 1970."""

    chain_id: bytes
    height: int
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a block does.

    `executed`: how many of its transactions were, from the first on: all, or as many as BLOCK_WORK_MAX has room for.
    All that follows is of these. `receipts`: one per operation, in order; `results`: their canonical bytes. `writes`:
    state key -> new value (None would remove it), keys sorted. `transactions_root` and `results_root`: RFC 9162 roots
    over wires and `results`.
    """

    executed: int
    receipts: tuple[Receipt, ...]
    results: tuple[bytes, ...]
    writes: dict[bytes, bytes | None]
    events: tuple[Event, ...]
    transactions_root: bytes
    results_root: bytes


def _proves_nothing(evidence: bytes) -> None:
    """The judge of a ledger that nobody told how votes are verified."""


def execute(
    read: Read,
    context: BlockContext,
    transactions: Sequence[Transaction],
    seen: Callable[[bytes], bool],
    judge: Judge = _proves_nothing,
) -> Outcome:
    """The outcome of a block on the state that `read` shows; `seen` tells whether an id is in an earlier block.

    `judge` tells what evidence of misbehaviour proves (`rules.authorities`); a chain with consensus must give it.
    Raises `InvalidBlock` if a transaction may not stand in this block: expired, too far ahead, replayed, or with an
    operation that a later protocol version brings.
    """
    state = State(read)
    receipts: list[Receipt] = []
    events: list[Event] = []
    here: dict[bytes, bytes] = {}  # id -> wire of what is executed
    network = state.network()  # changes only from the next height on
    version = network.version_at(context.height)

    def seen_or_here(transaction_id: bytes) -> bool:
        return transaction_id in here or seen(transaction_id)

    in_force = tuple([seat.consensus_key for seat in network.seats])
    setting = _Setting(state, context, judge, seen_or_here, in_force)
    for transaction in transactions:
        if here and state.work_done > BLOCK_WORK_MAX - WORK_MAX:
            break
        try:
            admissible(transaction, timestamp_ms=context.timestamp_ms, version=version, seen=seen_or_here)
        except TransactionError as error:
            raise InvalidBlock(f"height {context.height}: transaction {transaction.id.hex()}: {error}") from error
        here[transaction.id] = transaction.wire
        _run(setting, transaction, receipts, events)
    results = tuple([receipt.encode() for receipt in receipts])
    return Outcome(
        executed=len(here),
        receipts=tuple(receipts),
        results=results,
        writes=state.writes(),
        events=tuple(events),
        transactions_root=log.root(list(here.values())),
        results_root=log.root(results),
    )


def genesis_state(genesis: Genesis) -> dict[bytes, bytes]:
    """The state before the first block: the parties of genesis and the network's record, keys sorted."""
    puts: list[Put] = list(authorities.founding_puts(genesis))
    for party in genesis.parties:
        puts += governance.admission_puts(party)
    values = {key: encode_stored(record) for key, record in sorted(puts, key=lambda put: put[0])}
    assert len(values) == len(puts), "genesis gives one id, key or identifier to two parties"
    return values


@dataclass(frozen=True, slots=True)
class _Setting:
    """What all transactions of a block are executed in."""

    state: State
    context: BlockContext
    judge: Judge
    seen: Callable[[bytes], bool]
    in_force: tuple[bytes, ...]  # consensus keys

    def call(self, transaction: Transaction, index: int, signers: tuple[Party, ...]) -> Call:
        """The operation at `index` of a transaction, in its place."""
        context = self.context
        return Call(
            state=self.state,
            now_ms=context.timestamp_ms,
            transaction=transaction,
            place=index,
            parties=signers,
            height=context.height,
            chain_id=context.chain_id,
            judge=self.judge,
            seen=self.seen,
        )


def _run(setting: _Setting, transaction: Transaction, receipts: list[Receipt], events: list[Event]) -> None:
    """Execute one transaction, adding its receipts and events."""
    state = setting.state
    state.allow(WORK_MAX)
    signers = _parties(setting, transaction)
    if isinstance(signers, str):
        receipts += [Receipt(transaction.id, index, signers) for index in range(len(transaction.operations))]
        return
    if transaction.mode == ALL:
        _run_all(setting, transaction, signers, receipts, events)
        return
    for index, operation in enumerate(transaction.operations):
        verdict = _verdict(setting.call(transaction, index, signers), operation)
        receipts.append(_settle(state, transaction, index, verdict))
        events += verdict.events


def _run_all(
    setting: _Setting,
    transaction: Transaction,
    signers: tuple[Party, ...],
    receipts: list[Receipt],
    events: list[Event],
) -> None:
    """All operations or none: the first refusal undoes what came before it and stands with the others' receipts."""
    state = setting.state
    done: list[Receipt] = []
    heard: list[Event] = []
    state.begin()
    for index, operation in enumerate(transaction.operations):
        verdict = _verdict(setting.call(transaction, index, signers), operation)
        receipt = _settle(state, transaction, index, verdict)
        if isinstance(verdict, Refusal):
            state.rollback()
            receipts += [
                receipt if other == index else Receipt(transaction.id, other, ROLLED_BACK)
                for other in range(len(transaction.operations))
            ]
            events += verdict.events
            return
        done.append(receipt)
        heard += verdict.events
    state.commit()
    receipts += done
    events += heard


def _verdict(call: Call, operation: Operation) -> Verdict:
    """What the rule of an operation answers, if it does not read more than its transaction may."""
    try:
        call.state.spend(0)  # all is gone if an earlier operation has used it up
        return RULES[type(operation)](call, operation)
    except OutOfWork:
        return Refusal(LIMIT_REACHED)


def _settle(state: State, transaction: Transaction, index: int, verdict: Verdict) -> Receipt:
    """Apply a verdict and write the receipt of it."""
    if isinstance(verdict, Refusal):
        return Receipt(transaction.id, index, verdict.code, verdict.subject, verdict.related)
    state.put(verdict.puts)
    state.put_later(verdict.later)
    return Receipt(transaction.id, index, OK, verdict.subject, verdict.related)


def _parties(setting: _Setting, transaction: Transaction) -> tuple[Party, ...] | str:
    """The parties of the signers, in order, or the reason why the transaction as a whole is refused."""
    signers: list[Party] = []
    for key in transaction.signers:
        party = parties.signing_party(setting.state.owner_of_key(key), key, transaction, setting.in_force)
        if isinstance(party, str):
            return party
        signers.append(party)
    return tuple(signers)
