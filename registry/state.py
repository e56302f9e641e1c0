"""The state: a map from keys to canonical bytes, seen as typed records through an overlay.

    party/<id>                     Party (canonical list)
    key/<public key>               id of the party whose key it is or was: signing, owner or consensus key
    alias/<identifier>             id of the party that has this identifier
    receivable/<id>                Receivable
    claim/<id>                     Claim
    print/<kind>/<fingerprint>     ids of the receivables that hold it, oldest first
    print/blanket/<seller's mark>  ids of the facilities with a blanket over that seller's receivables
    proposal/<id>                  Proposal
    notice/<id>                    Notice
    notified/<claim id>            Notified: the notices of a claim
    filing/<id>                    Filing
    filed/<claim id>               Filed: the filings of a claim
    attestation/<id>               Attestation
    dispute/<id>                   Dispute
    raised/<id of a mark>          Raised: what one opener raised last on one ground
    contact/<id>                   Contact
    contact-opening/<id>           Opening: who is known to whom by a contact
    contacts-about/<receivable>    AskedAbout
    contacts-by/<party>            AskedBy
    distinct/<id of a pair>        Distinction
    facility/<id>                  Facility
    carve-out/<id of a pair>       CarveOut
    credit-note/<id of a pair>     CreditNote: it has lowered a receivable
    external/<id>                  ExternalClaim
    external-of/<receivable>       ExternalClaims: those of a receivable
    network                        Network: the authorities' seats, in order, and the nodes let in
    node/<digest of certificate>   NodeEntry
    consensus-key/<public key>     ConsensusKey: of an authority, now or once
    exclusion/<transaction id>     Exclusion: it was kept out of n blocks although f + 1 authorities had it
    misbehaviour/<public key>      Misbehaviour: what that consensus key provably did

Within a block each record is decoded once, however often it is read, and encoded once, however often it is changed.

Who executes transactions of others gives each a budget (`allow`). What is read is counted against it in units that are
the same on every node, and beyond it reading raises `OutOfWork`: nothing has changed then, for rules only read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar, cast

from registry.codec import decode, encode
from registry.parties import Party
from registry.records import Claim, Network, Proposal, Receivable
from registry.records.row import Identified, Record, decode_record, encode_record, record_key

__all__ = [
    "NETWORK_KEY",
    "OutOfWork",
    "Put",
    "Read",
    "State",
    "Stored",
    "alias_key",
    "claim_key",
    "encode_stored",
    "holders_of",
    "key_key",
    "party_key",
    "print_key",
    "proposal_key",
    "put_of",
    "receivable_key",
]

Read: TypeAlias = Callable[[bytes], bytes | None]  # state key -> stored value, None when there is none
Stored: TypeAlias = Party | Record | str | tuple[bytes, ...]
Put: TypeAlias = tuple[bytes, Stored]  # state key, what shall be there

R = TypeVar("R", bound=Identified)

NETWORK_KEY: Final = b"network"
_ABSENT: Final = object()
_AS_THEY_ARE: Final = (str, tuple)  # stored without a class of their own
_UNBOUNDED: Final = 2**62  # work, until `allow` bounds it
# Decoding costs that much more than finding again, in units of work: a record takes 15 us and 15 us per KB.
_RECORD_DECODED: Final = 12
_BYTES_DECODED: Final = 64  # for one unit more
_HOLDERS_LISTED: Final = 16  # for one unit of work: to go through a list of ids


def party_key(party: str) -> bytes:
    """Where the party with this id is."""
    return b"party/" + party.encode()


def key_key(public_key: bytes) -> bytes:
    """Where the id of the party is whose key this is, or ever was."""
    return b"key/" + public_key


def alias_key(identifier: str) -> bytes:
    """Where the id of the party is that has this identifier."""
    return b"alias/" + identifier.encode()


def receivable_key(receivable: bytes) -> bytes:
    """Where the receivable with this id is."""
    return Receivable.PREFIX + receivable


def claim_key(claim: bytes) -> bytes:
    """Where the claim with this id is."""
    return Claim.PREFIX + claim


def print_key(kind: str, fingerprint: bytes) -> bytes:
    """Where the ids of the receivables with this fingerprint are; absence of this key proves that there is none."""
    return b"print/" + kind.encode() + b"/" + fingerprint


def proposal_key(proposal: bytes) -> bytes:
    """Where the proposal with this id is."""
    return Proposal.PREFIX + proposal


def holders_of(data: bytes) -> tuple[bytes, ...]:
    """The ids in the stored value of a `print_key`."""
    return tuple(cast("list[bytes]", decode(data)))


def encode_stored(record: Stored) -> bytes:
    """The canonical bytes that are stored for a record."""
    if isinstance(record, _AS_THEY_ARE):
        return encode(record)
    return encode(record.encode()) if isinstance(record, Party) else encode_record(record)


def put_of(record: Identified) -> Put:
    """The change that puts a record in its place."""
    return record_key(record), record


class OutOfWork(Exception):
    """A rule would read more than its transaction may."""


class State:
    """A typed view on the state as of the last block, with this block's changes on top of it."""

    __slots__ = ("_allowed", "_changed", "_done", "_later", "_later_before", "_read", "_seen", "_undo", "_work_left")

    def __init__(self, read: Read) -> None:
        self._read = read
        self._seen: dict[bytes, Any] = {}  # decoded records, changed ones included
        self._changed: set[bytes] = set()
        self._later: dict[bytes, Stored] = {}  # what is in force from the next height
        self._undo: list[tuple[bytes, Any, bool]] | None = None  # key, what was seen before, whether it was changed
        self._later_before: dict[bytes, Stored] = {}
        self._done = 0  # work, before the last `allow`
        self._allowed = self._work_left = _UNBOUNDED

    def allow(self, work: int) -> None:
        """From here on, `OutOfWork` is raised by whoever reads more than this: see `limits.WORK_MAX`."""
        self._done = self.work_done
        self._allowed = self._work_left = work

    @property
    def work_done(self) -> int:
        """Of all that have read so far, in the units of `limits.WORK_MAX`."""
        return self._done + self._allowed - self._work_left

    def spend(self, work: int) -> None:
        """Count work done on what was read. Raises `OutOfWork` when there is none left, now and from then on."""
        self._work_left -= work
        if self._work_left < 0:
            raise OutOfWork

    def party(self, party: str) -> Party | None:
        """The party with this id."""
        found: Party | None = self._get(party_key(party), _party)
        return found

    def party_of_key(self, public_key: bytes) -> Party | None:
        """The party that signs with this key now: it was not revoked, and is no key for another use."""
        party = self.owner_of_key(public_key)
        return None if party is None or public_key not in party.sign_keys else party

    def owner_of_key(self, public_key: bytes) -> Party | None:
        """The party whose key this is or was, whatever its use, live or revoked."""
        return self._party_at(key_key(public_key))

    def coming_party(self, party: str) -> Party | None:
        """The party with this id as it will be from the next height on: what changes a party starts from this."""
        coming = self._later.get(party_key(party))
        return cast("Party", coming) if coming is not None else self.party(party)

    def coming_network(self) -> Network:
        """The network's own record as it will be from the next height on."""
        coming = self._later.get(NETWORK_KEY)
        return cast("Network", coming) if coming is not None else self.network()

    def coming(self, kind: type[R], subject: bytes) -> R | None:
        """The record of this kind with this id as it will be from the next height on."""
        coming = self._later.get(kind.PREFIX + subject)
        return cast("R", coming) if coming is not None else self.find(kind, subject)

    def party_of_alias(self, identifier: str) -> Party | None:
        """The party that has this identifier."""
        return self._party_at(alias_key(identifier))

    def find(self, kind: type[R], subject: bytes) -> R | None:
        """The record of this kind with this id."""
        found: R | None = self._get(kind.PREFIX + subject, partial(decode_record, kind))
        return found

    def receivable(self, receivable: bytes) -> Receivable | None:
        """The receivable with this id."""
        found: Receivable | None = self._get(Receivable.PREFIX + receivable, _receivable)
        return found

    def claim(self, claim: bytes) -> Claim | None:
        """The claim with this id."""
        return self.find(Claim, claim)

    def proposal(self, proposal: bytes) -> Proposal | None:
        """The proposal with this id."""
        return self.find(Proposal, proposal)

    def holders(self, kind: str, fingerprint: bytes) -> tuple[bytes, ...]:
        """The receivables that hold this fingerprint, oldest first."""
        return self.holders_at(print_key(kind, fingerprint))

    def holders_at(self, key: bytes) -> tuple[bytes, ...]:
        """The ids in the list under this `print_key`, oldest first."""
        found: tuple[bytes, ...] | None = self._get(key, holders_of, least=0)
        if found is None:
            return ()
        self.spend(len(found) // _HOLDERS_LISTED)
        return found

    def network(self) -> Network:
        """The network's own record, which is there from genesis on."""
        found: Network | None = self._get(NETWORK_KEY, partial(decode_record, Network))
        assert found is not None, "the state has no network record: it is not the state of a genesis"
        return found

    def taken(self, key: bytes) -> bool:
        """Whether something is under this key, or will be from the next height."""
        if key in self._later:
            return True
        seen = self._seen.get(key, _ABSENT)
        return self._read(key) is not None if seen is _ABSENT else seen is not None

    def put(self, puts: Iterable[Put]) -> None:
        """Set these records, effective at once."""
        for key, record in puts:
            if self._undo is not None:
                self._undo.append((key, self._seen.get(key, _ABSENT), key in self._changed))
            self._seen[key] = record
            self._changed.add(key)

    def put_later(self, puts: Iterable[Put]) -> None:
        """Set these records from the next height on; until then only `taken` and `coming_party` know of them.

        Of several changes of one record the last counts, which must have been made from the one before.
        """
        self._later.update(puts)

    def begin(self) -> None:
        """Remember from here on what `rollback` needs."""
        assert self._undo is None, "all-or-nothing does not nest"
        self._undo = []
        self._later_before = self._later.copy()

    def commit(self) -> None:
        """Keep what was put since `begin`."""
        assert self._undo is not None, "commit without begin"
        self._undo = None

    def rollback(self) -> None:
        """Undo what was put since `begin`."""
        assert self._undo is not None, "rollback without begin"
        for key, record, changed in reversed(self._undo):
            if record is _ABSENT:
                del self._seen[key]
            else:
                self._seen[key] = record
            if not changed:
                self._changed.discard(key)
        self._later = self._later_before
        self._undo = None

    def writes(self) -> dict[bytes, bytes | None]:
        """What the block changes: key -> new value, in the order of the keys."""
        assert self._undo is None, "a transaction is still open"
        records = {key: self._seen[key] for key in self._changed} | self._later
        return {key: encode_stored(records[key]) for key in sorted(records)}

    def _get(self, key: bytes, read: Callable[[bytes], Any], *, least: int = _RECORD_DECODED) -> Any:
        record = self._seen.get(key, _ABSENT)
        work = 1
        if record is _ABSENT:
            data = self._read(key)
            record = self._seen[key] = None
            if data is not None:
                record = self._seen[key] = read(data)
                work += least + len(data) // _BYTES_DECODED
        self._work_left -= work
        if self._work_left < 0:
            raise OutOfWork
        return record

    def _party_at(self, key: bytes) -> Party | None:
        party: str | None = self._get(key, _text, least=0)
        return None if party is None else self.party(party)


def _party(data: bytes) -> Party:
    return Party.decode(decode(data))


def _receivable(data: bytes) -> Receivable:
    return decode_record(Receivable, data)


def _text(data: bytes) -> str:
    return cast("str", decode(data))
