"""What the first ledger needs: receivables, claims, proposals and the network's own record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple, TypeAlias

from registry.records.row import Lists

__all__ = [
    "CLAIM_STATES",
    "FORMS",
    "GRADES",
    "KINDS",
    "RECEIVABLE_STATES",
    "Claim",
    "Link",
    "Live",
    "Network",
    "Proposal",
    "Receivable",
    "Seat",
    "SubjectId",
]

SubjectId: TypeAlias = bytes  # 32 bytes: names a receivable, claim or proposal

KINDS: Final = ("purchase_order", "shipment", "invoice", "instalment", "payable")
GRADES: Final = ("self_asserted", "document", "tax_verified", "customs_verified", "debtor_confirmed")  # rising
RECEIVABLE_STATES: Final = (
    "registered",
    "part_confirmed",
    "confirmed",
    "deemed",
    "rejected",
    "settled",
    "cancelled",
    "expired",
    "voided",
    "superseded",
)
FORMS: Final = ("factoring", "discounting", "pledge", "reverse_factoring", "forfaiting")  # registry.md 6
CLAIM_STATES: Final = ("offered", "reserved", "funded", "released", "discharged", "revoked", "lapsed")


class Link(NamedTuple):
    """A link between a receivable and its parent, seen from either end: `receivable` is the id at the other end.

    `part_of_parent`: share of the parent that the child fulfils; `part_of_child`: share of the child that comes from
    that parent (WHOLE with one parent).
    """

    receivable: SubjectId
    part_of_parent: int
    part_of_child: int


class Live(NamedTuple):
    """A claim that takes up part of a receivable now: reserved until `until_ms`, or funded (`until_ms` 0)."""

    claim: SubjectId
    share: int
    until_ms: int


def _links(rows: list[Any]) -> tuple[Link, ...]:
    return tuple(map(Link._make, rows))


def _lives(rows: list[Any]) -> tuple[Live, ...]:
    return tuple(map(Live._make, rows))


def _pairs(rows: list[Any]) -> tuple[tuple[str, bytes], ...]:
    return tuple(map(tuple, rows))


@dataclass(frozen=True, slots=True)
class Receivable:
    """A receivable as the ledger knows it: no name, no number, no amount.

    `collectible` is the share that can still be collected: WHOLE, less credit notes, the part the debtor did not
    confirm, and what was paid (`paid`, the sum of discharges). `live` repeats share and state of the reserved and
    funded claims, so that this record alone shows how much of it is taken; `claims` are the ids of all ever offered.
    `parents` and `children` are links, `debtor` is a party id once it has answered or acknowledged a notice and ""
    before. `confirmed_ms` to `text_digest` are the debtor's own confirmation: when (block time), whether it waived its
    defences, the account that it named (all zero for none) and the text it was shown; 0, false and empty before.
    `disputes` are the ids of its open disputes, the few of which the clocks may have run out included. `unlinked` are
    what an earlier registration that this one corrects hung under, and this one does not.
    `registered_ms` is the block's time when it was registered. `lineage_financed` says whether funded claims or
    payments on its ancestors or descendants weigh on it: whoever finds it as a match need not walk its family for that.
    """

    PREFIX: ClassVar = b"receivable/"
    LISTS: ClassVar[Lists] = {
        "laws": tuple,
        "fingerprints": _pairs,
        "parents": _links,
        "children": _links,
        "live": _lives,
        "claims": tuple,
        "references": tuple,
        "disputes": tuple,
        "unlinked": tuple,
    }

    id: SubjectId
    registrant: str
    kind: str
    state: str
    collectible: int
    paid: int
    confirmed_share: int
    commitment: bytes
    debtor_commitment: bytes
    debtor: str
    seller_country: str
    debtor_country: str
    laws: tuple[str, ...]
    currency: str
    due_month: int
    grade: str
    fingerprints: tuple[tuple[str, bytes], ...]
    parents: tuple[Link, ...]
    children: tuple[Link, ...]
    live: tuple[Live, ...]
    claims: tuple[SubjectId, ...]
    references: tuple[bytes, ...]
    confirmed_ms: int = 0
    waives_defences: bool = False
    account_digest: bytes = b""
    language: str = ""
    text_digest: bytes = b""
    disputes: tuple[SubjectId, ...] = ()
    unlinked: tuple[SubjectId, ...] = ()
    registered_ms: int = 0
    lineage_financed: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim (assignment) on a share of a receivable.

    `holder` is the party it was offered to, and after that whoever holds it; `holders` are all that held it, in order,
    from the first funding, `funded_ms` the block's time at that, 0 before. `share` is what is outstanding: it falls by
    discharges. `form` is one of FORMS. With two factors `holder` is the export factor and `import_factor` the other one
    ("" if there is none), which bears the credit risk for the share `covered`. `concluded_ms` is when the parties
    say they agreed, 0 if they do not: evidence, which never outranks the ledger's own order. A reserved claim whose
    `reserved_until_ms` lies before the block's time has lapsed, though its `state` still says reserved. `reserved_ms`
    is the block's time when it was reserved, 0 before.
    """

    PREFIX: ClassVar = b"claim/"
    LISTS: ClassVar[Lists] = {"holders": tuple}

    id: SubjectId
    receivable: SubjectId
    assignor: str
    holder: str
    share: int
    state: str
    terms_digest: bytes
    form: str
    import_factor: str
    covered: int
    concluded_ms: int
    offer_valid_until_ms: int
    reserved_until_ms: int
    funded_ms: int
    holders: tuple[str, ...]
    reserved_ms: int = 0

    def state_at(self, now_ms: int) -> str:
        """The state at block time `now_ms`: the stored one, or "lapsed" after an unused reservation."""
        return "lapsed" if self.state == "reserved" and self.reserved_until_ms < now_ms else self.state


@dataclass(frozen=True, slots=True)
class Proposal:
    """A governance change: `change` is its canonical encoding, `state` "open" or "in_force", approvals in order."""

    PREFIX: ClassVar = b"proposal/"
    LISTS: ClassVar[Lists] = {"approvals": tuple}

    id: SubjectId
    proposer: str
    change: bytes
    approvals: tuple[str, ...]
    state: str

    def concerns(self) -> None:
        """Who governs how is open to every member."""
        return


class Seat(NamedTuple):
    """An authority's place: its party, its Ed25519 consensus key, and the id of its node (`records.NodeEntry`)."""

    party: str
    consensus_key: bytes
    node: bytes


def _seats(rows: list[Any]) -> tuple[Seat, ...]:
    return tuple(map(Seat._make, rows))


@dataclass(frozen=True, slots=True)
class Network:
    """The network's own record: its name, its authorities in the order in which they lead, the nodes let in.

    Blocks are of protocol version `version`, from height `next_from` on (0: none is scheduled) of `next_version`.
    """

    LISTS: ClassVar[Lists] = {"seats": _seats, "nodes": tuple}

    name: str
    seats: tuple[Seat, ...]
    nodes: tuple[bytes, ...]
    version: int = 1
    next_version: int = 0
    next_from: int = 0

    def version_at(self, height: int) -> int:
        """The protocol version of blocks of this height, as far as it is decided."""
        return self.next_version if self.next_from and height >= self.next_from else self.version

    @property
    def authorities(self) -> tuple[str, ...]:
        """The party ids of the authorities, in the order of their seats."""
        return tuple([seat.party for seat in self.seats])

    def seat_of(self, party: str) -> Seat | None:
        """The seat of a party, if it has one."""
        return next((seat for seat in self.seats if seat.party == party), None)
