"""Who decides what is final (consensus.md 5): nodes, consensus keys with the heights they held, proved misbehaviour.

The set of authorities itself is in the network's own record (`core.Network`), in the order in which they lead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from registry.records.row import Lists

__all__ = ["ConsensusKey", "Misbehaviour", "NodeEntry"]


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """A node that others let in: its party, TLS certificate (DER) and "host:port"; `id` is the certificate's SHA-256.

    It is in force while `Network.nodes` lists it. Whether it votes is a matter of the seats.
    """

    PREFIX: ClassVar = b"node/"
    LISTS: ClassVar[Lists] = {}

    id: bytes
    party: str
    certificate: bytes
    address: str


@dataclass(frozen=True, slots=True)
class ConsensusKey:
    """A consensus key and the heights at which it was in force, both ends included; `until_height` 0: it still is.

    Kept for ever: it makes evidence of past heights checkable, and no key comes back.
    """

    PREFIX: ClassVar = b"consensus-key/"
    LISTS: ClassVar[Lists] = {}

    id: bytes
    party: str
    from_height: int
    until_height: int

    def was_in_force(self, height: int) -> bool:
        """Whether it was the key of an authority at this height."""
        return self.from_height <= height and (self.until_height == 0 or height <= self.until_height)


@dataclass(frozen=True, slots=True)
class Misbehaviour:
    """Proof that consensus key `id` of `party` signed two conflicting votes at `height`; whoever reads it checks it.

    `evidence` is canonical (`consensus.evidence`), `removed` says whether the authority lost its seat by it.
    """

    PREFIX: ClassVar = b"misbehaviour/"
    LISTS: ClassVar[Lists] = {}

    id: bytes
    party: str
    height: int
    evidence: bytes
    reported_by: str
    removed: bool

    def concerns(self) -> None:
        """Every member may see who broke the rules that all rely on."""
        return
