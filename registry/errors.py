"""Errors of the registry: raised for broken input at an edge, never for a refusal by a rule (those are values)."""

from __future__ import annotations

__all__ = ["CodecError", "FieldError", "InvalidBlock", "RegistryError", "SignatureInvalid", "TransactionError"]


class RegistryError(Exception):
    """Base of everything that `registry` raises on purpose."""


class CodecError(RegistryError):
    """The bytes are not the one canonical encoding of a value, or the value cannot be encoded."""


class FieldError(RegistryError):
    """A field of an input has a wrong type, size or form. `field` names it, `reason` says what is wrong."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class SignatureInvalid(RegistryError):
    """A signature does not verify, or a key or signature has a wrong size."""


class TransactionError(RegistryError):
    """A transaction that can never enter a block: malformed, unsigned, wrong chain, replayed or out of validity.

    `code` is stable and machine-readable (see `registry.transactions.envelope`), `field` names the culprit.
    """

    def __init__(self, code: str, field: str, reason: str) -> None:
        super().__init__(f"{code}: {field}: {reason}")
        self.code = code
        self.field = field
        self.reason = reason


class InvalidBlock(RegistryError):
    """A block whose transactions may not stand in a block at this place; an honest proposer never builds one."""
