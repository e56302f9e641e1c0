"""What is vouched for about parties. The party's own record lists those that count (`parties.Attested`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from registry.records.core import SubjectId
from registry.records.row import Lists

__all__ = ["Attestation"]


@dataclass(frozen=True, slots=True)
class Attestation:
    """`author` vouches for a check of `party`: see `transactions.attestations.Attest` for the fields.

    `state` is "given" or "withdrawn"; whether it is over is a matter of `expires_ms` and the time.
    """

    PREFIX: ClassVar = b"attestation/"
    LISTS: ClassVar[Lists] = {}

    id: SubjectId
    party: str
    author: str
    kind: str
    provider: bytes | str
    result_digest: bytes
    issued_ms: int
    expires_ms: int
    warning: str
    state: str

    def state_at(self, now_ms: int) -> str:
        """The state at block time `now_ms`: the stored one, or "expired"."""
        return "expired" if self.state == "given" and self.expires_ms < now_ms else self.state

    def concerns(self) -> None:
        """Whoever deals with a party may see who vouches for it."""
        return
