"""Inclusion receipts: an authority's signed word that a transaction waits at its node.

    signature over DOMAIN_INCLUSION || chain id || canonical [transaction id, height, valid_until_ms]

`height` is that of the newest final block when the authority signed. Receipts of more than f authorities, that is of an
honest one at least, show that every node has been given the transaction; `rules.inclusion` says what follows from that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from registry.codec import DIGEST_SIZE, Value, encode
from registry.errors import FieldError, SignatureInvalid
from registry.keys import DOMAIN_INCLUSION, PUBLIC_KEY_SIZE, SIGNATURE_SIZE, Signer, verify
from registry.limits import HEIGHT_MAX

__all__ = ["InclusionReceipt", "give_receipt"]


@dataclass(frozen=True, slots=True)
class InclusionReceipt:
    """Consensus key `authority` says: this transaction, valid until `valid_until_ms`, waits here at `height`."""

    transaction: bytes
    height: int
    valid_until_ms: int
    authority: bytes
    signature: bytes

    def verify(self, chain_id: bytes) -> None:
        """Return if the signature is the key's, else raise `SignatureInvalid`. Whose the key is, the ledger knows."""
        message = _signed(self.transaction, self.height, self.valid_until_ms)
        verify(self.authority, DOMAIN_INCLUSION, chain_id, message, self.signature)

    def holds(self, chain_id: bytes) -> bool:
        """Whether the signature is the authority's."""
        try:
            self.verify(chain_id)
        except SignatureInvalid:
            return False
        return True

    def to_json(self) -> dict[str, Any]:
        """As the API and files have it: bytes in hexadecimal."""
        return {
            "transaction_id": self.transaction.hex(),
            "height": self.height,
            "valid_until_ms": self.valid_until_ms,
            "authority": self.authority.hex(),
            "signature": self.signature.hex(),
        }

    @classmethod
    def from_json(cls, value: object) -> InclusionReceipt:
        """The receipt in a JSON object. Raises `FieldError` naming the member; nothing is verified."""
        if not isinstance(value, dict):
            raise FieldError("inclusion", "is an object")
        return cls(
            _bytes(value, "transaction_id", DIGEST_SIZE),
            _number(value, "height"),
            _number(value, "valid_until_ms"),
            _bytes(value, "authority", PUBLIC_KEY_SIZE),
            _bytes(value, "signature", SIGNATURE_SIZE),
        )


def give_receipt(
    signer: Signer, chain_id: bytes, transaction: bytes, *, height: int, valid_until_ms: int
) -> InclusionReceipt:
    """The receipt of the authority whose consensus key signs."""
    signature = signer.sign(DOMAIN_INCLUSION, chain_id, _signed(transaction, height, valid_until_ms))
    return InclusionReceipt(transaction, height, valid_until_ms, signer.public_key, signature)


def _signed(transaction: bytes, height: int, valid_until_ms: int) -> bytes:
    value: Value = [transaction, height, valid_until_ms]
    return encode(value)


def _bytes(value: dict[str, Any], field: str, size: int) -> bytes:
    text = value.get(field)
    try:
        data = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        data = b""
    if len(data) != size or data.hex() != text:
        raise FieldError(field, f"{size} bytes in lower-case hexadecimal are expected")
    return data


def _number(value: dict[str, Any], field: str) -> int:
    number = value.get(field)
    if type(number) is not int or not 0 <= number <= HEIGHT_MAX:
        raise FieldError(field, "is an integer from 0 on")
    return number
