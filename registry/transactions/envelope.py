"""The envelope: who signs, for which chain, until when, and the operations.

    payload = [1, chain id, [signer public keys], nonce, valid_until_ms, mode, [operations]]
    wire    = [payload bytes, [signatures, one per signer, in order]]

The transaction's id is a digest of the payload, so it is the same whoever carries it and however it is signed.
A signature is over `DOMAIN_TRANSACTION || chain id || payload`.

What fails here never enters a block. `TransactionError.code` is one of `CODES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from registry.codec import Value, decode, encode, tagged_digest
from registry.errors import CodecError, FieldError, SignatureInvalid, TransactionError
from registry.keys import DOMAIN_TRANSACTION, PUBLIC_KEY_SIZE, SIGNATURE_SIZE, Signer, verify
from registry.limits import NONCE_BYTES, OPERATIONS_MAX, SIGNERS_MAX, VALIDITY_MAX_MS, WIRE_BYTES_MAX
from registry.transactions.fields import Ref, time_ms
from registry.transactions.operations import Operation, newest, operation_from, operation_value, since

__all__ = [
    "ALL",
    "CODES",
    "EACH",
    "Transaction",
    "admissible",
    "draft",
    "open_transaction",
    "read_payload",
    "seal",
    "sign",
    "subject_id",
    "transaction_id",
]

VERSION: Final = 1
EACH: Final = "each"  # a batch: every operation stands alone
ALL: Final = "all"  # all operations take effect, or none

CODES: Final = MappingProxyType(
    {
        "malformed": "Not canonical, or a field has a wrong type, size or form.",
        "too_large": "The signed transaction exceeds 512 KiB.",
        "wrong_version": "Another version of the envelope.",
        "wrong_chain": "Signed for another network.",
        "unsigned": "A signature is missing.",
        "bad_signature": "A signature does not verify under its signer's key.",
        "unknown_operation": "The name of an operation is not known, or not yet in the protocol version in force.",
        "expired": "The block's time is later than valid_until_ms.",
        "too_far_ahead": "valid_until_ms lies more than an hour after the block's time.",
        "replayed": "The transaction is in an earlier block, or earlier in this one.",
    }
)


@dataclass(frozen=True, slots=True)
class Transaction:
    """An opened transaction: well formed, of this chain, and signed by every signer.

    `wire` is what travels, `payload` what was signed; `signers` are public keys, the primary one first.
    """

    id: bytes
    wire: bytes
    payload: bytes
    signers: tuple[bytes, ...]
    nonce: bytes
    valid_until_ms: int
    mode: str
    operations: tuple[Operation, ...]

    def resolve(self, ref: Ref) -> bytes:
        """The id that a reference in an operation stands for (an id itself, or the index of an operation here)."""
        return subject_id(self.id, ref) if isinstance(ref, int) else ref


def transaction_id(payload: bytes) -> bytes:
    """The id of the transaction with this payload, 32 bytes."""
    return tagged_digest(b"NEMODAT-v1-txid", payload)


def subject_id(transaction: bytes, operation: int) -> bytes:
    """The id of the receivable, claim or proposal that operation `operation` of a transaction creates, 32 bytes."""
    return tagged_digest(b"NEMODAT-v1-subject", transaction, operation.to_bytes(4, "big"))


def draft(
    chain_id: bytes,
    signers: Sequence[bytes],
    nonce: bytes,
    valid_until_ms: int,
    operations: Sequence[Operation],
    mode: str = EACH,
) -> bytes:
    """The payload to sign. Raises `TransactionError` for whatever `open_transaction` would refuse in it."""
    rows = [operation_value(operation) for operation in operations]
    try:
        payload = encode([VERSION, chain_id, list(signers), nonce, valid_until_ms, mode, rows])
    except CodecError as error:
        raise TransactionError("malformed", "transaction", str(error)) from error
    read_payload(payload, chain_id)
    return payload


def seal(payload: bytes, signatures: Sequence[bytes]) -> bytes:
    """The wire form: the payload with one signature per signer, in the order of the signers."""
    return encode([payload, list(signatures)])


def sign(payload: bytes, chain_id: bytes, signers: Sequence[Signer]) -> bytes:
    """The wire form of a payload, signed by each of `signers`, who must be those named in it, in order."""
    return seal(payload, [signer.sign(DOMAIN_TRANSACTION, chain_id, payload) for signer in signers])


def open_transaction(wire: bytes, chain_id: bytes) -> Transaction:
    """The transaction in `wire`, with every signature verified. Raises `TransactionError`."""
    if len(wire) > WIRE_BYTES_MAX:
        raise TransactionError("too_large", "transaction", f"{len(wire)} bytes, at most {WIRE_BYTES_MAX} are read")
    payload, signatures = _read_wire(wire)
    signers, nonce, valid_until_ms, mode, operations = read_payload(payload, chain_id)
    if len(signatures) != len(signers):
        raise TransactionError("unsigned", "signatures", f"{len(signers)} signers, {len(signatures)} signatures")
    for index, (signer, signature) in enumerate(zip(signers, signatures, strict=True)):
        try:
            verify(signer, DOMAIN_TRANSACTION, chain_id, payload, signature)
        except SignatureInvalid as error:
            raise TransactionError("bad_signature", f"signatures[{index}]", str(error)) from error
    return Transaction(transaction_id(payload), wire, payload, signers, nonce, valid_until_ms, mode, operations)


def admissible(transaction: Transaction, *, timestamp_ms: int, version: int, seen: Callable[[bytes], bool]) -> None:
    """Return if the transaction may stand in a block of this time and protocol version.

    `seen` says whether an id is in an earlier block. Raises `TransactionError` with `expired`, `too_far_ahead`,
    `replayed`, or `unknown_operation` for what a later version brings (as software that knows no such version does).
    """
    until = transaction.valid_until_ms
    if until < timestamp_ms:
        raise TransactionError("expired", "valid_until_ms", f"{until} is before the block's time {timestamp_ms}")
    if until > timestamp_ms + VALIDITY_MAX_MS:
        raise TransactionError("too_far_ahead", "valid_until_ms", f"more than {VALIDITY_MAX_MS} ms ahead")
    if seen(transaction.id):
        raise TransactionError("replayed", "transaction", f"{transaction.id.hex()} is on the ledger already")
    if version >= newest():
        return
    for index, operation in enumerate(transaction.operations):
        if (needed := since(operation)) > version:
            reason = f"{operation.NAME} comes with protocol version {needed}, in force is {version}"
            raise TransactionError("unknown_operation", f"operations[{index}]", reason)


def _read_wire(wire: bytes) -> tuple[bytes, list[bytes]]:
    value = _canonical(wire, "transaction")
    if type(value) is not list or len(value) != 2 or type(value[0]) is not bytes or type(value[1]) is not list:
        raise TransactionError("malformed", "transaction", "is [payload, [signatures]]")
    signatures = []
    for index, signature in enumerate(value[1][: SIGNERS_MAX + 1]):
        if type(signature) is not bytes or len(signature) != SIGNATURE_SIZE:
            raise TransactionError("malformed", f"signatures[{index}]", f"is {SIGNATURE_SIZE} bytes")
        signatures.append(signature)
    return value[0], signatures


def read_payload(payload: bytes, chain_id: bytes) -> tuple[tuple[bytes, ...], bytes, int, str, tuple[Operation, ...]]:
    """Signers, nonce, valid_until_ms, mode and operations of what is to be signed. Raises `TransactionError`."""
    value = _canonical(payload, "payload")
    if type(value) is not list or len(value) != 7:
        raise TransactionError("malformed", "payload", "is a list of seven fields")
    version, chain, keys, nonce, valid_until_ms, mode, rows = value
    if version != VERSION or type(version) is not int:
        raise TransactionError("wrong_version", "version", f"is not {VERSION}")
    if chain != chain_id:
        raise TransactionError("wrong_chain", "chain_id", "is another network's")
    if type(nonce) is not bytes or len(nonce) != NONCE_BYTES:
        raise TransactionError("malformed", "nonce", f"is {NONCE_BYTES} bytes")
    if type(mode) is not str or mode not in (EACH, ALL):
        raise TransactionError("malformed", "mode", f'is "{EACH}" or "{ALL}"')
    try:
        return _signers(keys), nonce, time_ms(valid_until_ms, "valid_until_ms"), mode, _operations(rows)
    except FieldError as error:
        raise TransactionError("malformed", error.field, error.reason) from error


def _signers(value: Value) -> tuple[bytes, ...]:
    if type(value) is not list or not 1 <= len(value) <= SIGNERS_MAX:
        raise FieldError("signers", f"are 1 to {SIGNERS_MAX} public keys")
    keys = []
    for index, key in enumerate(value):
        if type(key) is not bytes or len(key) != PUBLIC_KEY_SIZE:
            raise FieldError(f"signers[{index}]", f"is {PUBLIC_KEY_SIZE} bytes")
        keys.append(key)
    if len(set(keys)) != len(keys):
        raise FieldError("signers", "names a key twice")
    return tuple(keys)


def _operations(value: Value) -> tuple[Operation, ...]:
    if type(value) is not list or not 1 <= len(value) <= OPERATIONS_MAX:
        raise FieldError("operations", f"are 1 to {OPERATIONS_MAX}")
    return tuple([operation_from(row, f"operations[{index}]") for index, row in enumerate(value)])


def _canonical(data: bytes, field: str) -> Value:
    try:
        return decode(data, size_max=WIRE_BYTES_MAX)
    except CodecError as error:
        raise TransactionError("malformed", field, str(error)) from error
