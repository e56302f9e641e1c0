"""What a rule sees and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from registry.events import Event
from registry.limits import RELATED_MAX
from registry.parties import Party
from registry.state import Put, State
from registry.transactions.envelope import Transaction, subject_id
from registry.transactions.fields import Ref

__all__ = ["Accusation", "Call", "Effects", "Judge", "Refusal", "Verdict", "first", "together"]


class Accusation(NamedTuple):
    """What evidence proves: this consensus key signed two conflicting votes at this height."""

    key: bytes
    height: int


Judge: TypeAlias = Callable[[bytes], Accusation | None]
"""Evidence -> what it proves, None if nothing. Pure. It is handed in, for the registry knows nothing of votes."""


@dataclass(frozen=True, slots=True)
class Effects:
    """The operation takes effect: what to put now, what from the next height on, and who should hear of it."""

    subject: bytes
    puts: tuple[Put, ...] = ()
    later: tuple[Put, ...] = ()
    related: tuple[bytes, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """The operation is refused with a code of `registry.reasons`; nothing changes."""

    code: str
    subject: bytes = b""
    related: tuple[bytes, ...] = ()
    events: tuple[Event, ...] = ()


Verdict: TypeAlias = Effects | Refusal


class Call(NamedTuple):  # one is made for each operation: as a data class that takes three times as long
    """One operation in its place: the state before it, the block's time, and the parties that signed, in order.

    `place` is the operation's in its transaction, `height` the block's, `chain_id` the chain's (32 bytes); `judge`
    tells what evidence proves, `seen` whether a transaction's id is in an earlier block, or earlier in this one.
    """

    state: State
    now_ms: int
    transaction: Transaction
    place: int
    parties: tuple[Party, ...]
    height: int
    chain_id: bytes
    judge: Judge
    seen: Callable[[bytes], bool]

    @property
    def sender(self) -> Party:
        """The primary signer's party."""
        return self.parties[0]

    def signer(self, party: str) -> Party | None:
        """The party with this id, if it is among the signers."""
        for candidate in self.parties:
            if candidate.id == party:
                return candidate
        return None

    def created_id(self) -> bytes:
        """The id of what this operation creates."""
        return subject_id(self.transaction.id, self.place)

    def resolve(self, ref: Ref) -> bytes:
        """The id that a reference stands for; one to a later operation stands for nothing that exists."""
        return self.transaction.resolve(ref)


def first(ids: Iterable[bytes]) -> tuple[bytes, ...]:
    """These ids without repeats, in order, as many as a receipt lists."""
    return tuple(dict.fromkeys(ids))[:RELATED_MAX]


def together(*parties: str) -> tuple[str, ...]:
    """These parties without repeats, sorted."""
    return tuple(sorted(set(parties)))
