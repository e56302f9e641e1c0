"""What can go wrong for a participant, by what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.receipts import Receipt

if TYPE_CHECKING:  # only named here: a submission raises these itself
    from clients.submission import Submission

__all__ = [
    "ClientError",
    "NotFinal",
    "ProofInvalid",
    "Refused",
    "Rejected",
    "RequestFailed",
    "Stale",
    "Unreachable",
]


class ClientError(Exception):
    """Base of everything that `clients` raises on purpose.

    `submission` is what was being submitted when it happened, None if nothing was. It may be on the ledger or get there
    later: hand it to the client's `resume` until the outcome is known, and do not make the call again, which would be a
    second transaction.
    """

    submission: Submission | None = None


class Unreachable(ClientError):
    """No node of the list answered."""


class NotFinal(ClientError):
    """Not final within the time given; it may still become final."""

    def __init__(self, submission: Submission, waited_s: float) -> None:
        super().__init__(f"transaction {submission.transaction_id.hex()} is not final after {waited_s:g} s")
        self.submission = submission
        self.transaction_id = submission.transaction_id


class RequestFailed(ClientError):
    """A node answered with a problem (RFC 9457). `status` is HTTP's, `code` the stable code, `detail` in words."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(f"{code} (HTTP {status}): {detail}")
        self.status = status
        self.code = code
        self.detail = detail


class Rejected(ClientError):
    """The transaction cannot enter a block (malformed, expired, unknown key, ...).

    Found before it was sent; or every node said so, which is their word and no proof.
    """

    def __init__(self, code: str, field: str, detail: str) -> None:
        super().__init__(f"{code}: {field}: {detail}" if field else f"{code}: {detail}")
        self.code = code
        self.field = field
        self.detail = detail


class Refused(ClientError):
    """A rule of the registry refused the operation, finally and on the record: `receipt` is the verified evidence.

    Single operations raise this instead of returning it: a refused funding that goes unnoticed would be paid out.
    """

    def __init__(self, receipt: Receipt) -> None:
        related = ", ".join(item.hex() for item in receipt.related)
        super().__init__(f"refused: {receipt.code}" + (f" (see {related})" if related else ""))
        self.receipt = receipt
        self.code = str(receipt.code)
        self.related = receipt.related


class ProofInvalid(ClientError):
    """A node's answer does not verify against the genesis file: do not believe it, and report that node (`node`)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.node = ""

    def __str__(self) -> str:
        return f"{self.node}: not proved: {self.reason}" if self.node else self.reason


class Stale(ClientError):
    """What is proved is too old to act on, and no node that can be reached has anything newer: all are behind.

    Also of a transaction's end that no node can speak of: each is behind its expiry, or began after it may have been.
    """
