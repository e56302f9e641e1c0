"""Every operation by its name, and its encoding: the list [name, fields in order]."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias, cast, get_args

from registry.codec import Value
from registry.errors import FieldError, TransactionError
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
from registry.transactions.governance import Approve, Propose, change_value
from registry.transactions.inclusion import ReportExclusion
from registry.transactions.notices import Acknowledge, Deem, Notify, ProveReceipt
from registry.transactions.parties import AddKey, Recover, RevokeKey, SetHome, SetReceiveKey
from registry.transactions.receivables import Adjust, Confirm, Distinguish, Expire, Register, Reject

__all__ = ["OPERATIONS", "SINCE", "Operation", "newest", "operation_from", "operation_value", "since"]

Operation: TypeAlias = (
    Propose
    | Approve
    | AddKey
    | RevokeKey
    | SetReceiveKey
    | SetHome
    | Recover
    | Attest
    | WithdrawAttestation
    | Register
    | Confirm
    | Reject
    | Adjust
    | Offer
    | Revoke
    | Reserve
    | Fund
    | Reassign
    | Release
    | Discharge
    | RaiseDispute
    | AnswerDispute
    | EscalateDispute
    | WithdrawDispute
    | SettleDispute
    | DecideDispute
    | ConcludeDispute
    | Cover
    | RecordFiling
    | ContinueFiling
    | EndFiling
    | AskContact
    | AnswerContact
    | Notify
    | Acknowledge
    | ProveReceipt
    | Deem
    | Distinguish
    | OpenFacility
    | AmendFacility
    | RenewBlanket
    | CarveOutReceivable
    | CertifyBase
    | CloseFacility
    | RecordExternalClaim
    | EndExternalClaim
    | ReportMisbehaviour
    | ReportExclusion
    | Draw
    | Expire
)

OPERATIONS: Final = MappingProxyType({kind.NAME: kind for kind in cast("tuple[type[Any], ...]", get_args(Operation))})

SINCE: Final[Mapping[type[Any], int]] = MappingProxyType({})
"""The protocol version that brings an operation, or a change that stands in a proposal; of those not here: 1."""


def newest() -> int:
    """The latest version that brings any: in force, nothing is too new."""
    return max(SINCE.values(), default=1)


def since(operation: Operation) -> int:
    """The protocol version below which this operation may stand in no block: older software cannot read it."""
    own = SINCE.get(type(operation), 1)
    return max(own, SINCE.get(type(operation.change), 1)) if isinstance(operation, Propose) else own


def operation_value(operation: Operation) -> list[Value]:
    """The operation as it stands in a payload."""
    if isinstance(operation, Propose):
        return [operation.NAME, change_value(operation.change)]
    return [operation.NAME, *(getattr(operation, name) for name, _ in operation.FIELDS)]


def operation_from(value: Value, field: str) -> Operation:
    """The operation of an encoding; `field` is its place, for errors.

    Raises `FieldError` for a wrong shape and `TransactionError` ("unknown_operation") for a name that is not known.
    """
    if type(value) is not list or not value or type(value[0]) is not str:
        raise FieldError(field, "is a list that starts with the operation's name")
    kind = OPERATIONS.get(value[0])
    if kind is None:
        raise TransactionError("unknown_operation", field, f"{value[0][:40]!r} is no operation")
    if len(value) != len(kind.FIELDS) + 1:
        raise FieldError(field, f"{kind.NAME} has {len(kind.FIELDS)} fields, not {len(value) - 1}")
    try:
        return cast(
            "Operation", kind(*[read(item, name) for (name, read), item in zip(kind.FIELDS, value[1:], strict=True)])
        )
    except FieldError as error:
        raise FieldError(f"{field}.{error.field}", error.reason) from error
