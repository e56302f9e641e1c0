"""The sets of authorities, and the nodes let in, as the ledger's state and this node's store have them.

The set in force is the one that the state after the block below names (`registry.records.Network`). The store keeps
each change under its height, with header and certificate beside it: what a light client follows from genesis on.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from consensus.authorities import Authority, AuthoritySet
from consensus.blocks import Header
from consensus.errors import ConsensusError, EvidenceError
from consensus.evidence import Evidence, verify_signatures
from consensus.light import Change
from consensus.votes import Certificate
from node.errors import StoreDamaged
from node.layout import AUTHORITIES, HEIGHT, HeightRecord, at_height, read_list
from node.store import Reader
from registry.codec import Value, decode, encode
from registry.errors import CodecError
from registry.genesis import Genesis
from registry.records import Network, NodeEntry, decode_record
from registry.rules.verdicts import Accusation, Judge
from registry.state import NETWORK_KEY, Read, State

__all__ = [
    "MemberNode",
    "authority_set",
    "changes_after",
    "judge_of",
    "member_nodes",
    "network_of",
    "set_at",
    "set_of",
    "stored_set",
    "touches_members",
]

SETS_DECODED_MAX = 16


@dataclass(frozen=True, slots=True)
class MemberNode:
    """A node that this network lets in. `consensus_key` is that of the authority whose node it is, else empty."""

    party: str
    certificate: bytes
    address: str
    consensus_key: bytes


def authority_set(genesis: Genesis) -> AuthoritySet:
    """The authorities of genesis in their order, named by party id: the same set that light clients make of it."""
    return AuthoritySet(tuple(Authority(entry.party, entry.consensus_key) for entry in genesis.authorities))


@lru_cache(maxsize=SETS_DECODED_MAX)
def network_of(network: bytes) -> Network:
    """The stored record of the network."""
    return decode_record(Network, network)


@lru_cache(maxsize=SETS_DECODED_MAX)  # every block asks, and hardly any changes it
def set_of(network: bytes) -> AuthoritySet:
    """The set that the stored record of the network names."""
    seats = decode_record(Network, network).seats
    return AuthoritySet(tuple(Authority(seat.party, seat.consensus_key) for seat in seats))


def member_nodes(read: Read) -> tuple[MemberNode, ...]:
    """The nodes let in by the state that `read` shows: those of authorities in the order of their seats first."""
    state = State(read)
    network = state.network()
    seats = {seat.node: seat for seat in network.seats}
    found: list[MemberNode] = []
    for node in (*seats, *(node for node in network.nodes if node not in seats)):
        entry = state.find(NodeEntry, node)
        assert entry is not None, "a node that is let in is on record"
        key = seats[node].consensus_key if node in seats else b""
        found.append(MemberNode(entry.party, entry.certificate, entry.address, key))
    return tuple(found)


def touches_members(writes: Mapping[bytes, bytes | None]) -> bool:
    """Whether a block that writes this, keys sorted, may let in other nodes, or change the set."""
    keys = list(writes)
    place = bisect_left(keys, NodeEntry.PREFIX)
    return NETWORK_KEY in writes or (place < len(keys) and keys[place].startswith(NodeEntry.PREFIX))


def stored_set(authorities: AuthoritySet) -> bytes:
    """A set as it is kept under `a/`."""
    members: Value = [[member.name, member.public_key] for member in authorities]
    return encode(members)


def set_at(store: Reader, genesis: Genesis, height: int) -> AuthoritySet:
    """The set in force at a height that is final here, or the next one. Raises `StoreDamaged`."""
    latest: bytes | None = None
    for key, value in store.scan(AUTHORITIES):
        if int.from_bytes(key[len(AUTHORITIES) :], "big") >= height:
            break
        latest = value
    return authority_set(genesis) if latest is None else _read_set(latest)


def changes_after(reader: Reader, height: int) -> Iterator[Change]:
    """The changes of the set made at heights above `height`, oldest first. Raises `StoreDamaged`."""
    for key, value in reader.scan(AUTHORITIES, start=at_height(AUTHORITIES, height + 1)):
        record = HeightRecord.decode(reader.get(HEIGHT + key[len(AUTHORITIES) :]) or b"")
        try:
            certificate = Certificate.from_value(decode(record.certificate))
            yield Change(Header.decode(record.header), certificate, _read_set(value))
        except (ConsensusError, CodecError) as error:
            raise StoreDamaged(f"the stored change of authorities {key!r}: {error}") from error


def judge_of(genesis_id: bytes) -> Judge:
    """What evidence proves on this chain; that the key was an authority's at that height is the ledger's to know."""

    def judge(data: bytes) -> Accusation | None:
        try:
            evidence = Evidence.decode(data)
            verify_signatures(genesis_id, evidence)
        except EvidenceError:
            return None
        return Accusation(evidence.accused, evidence.height)

    return judge


def _read_set(data: bytes) -> AuthoritySet:
    rows = read_list(data, "set of authorities")
    try:
        return AuthoritySet(tuple(Authority(name, public_key) for name, public_key in rows))
    except (ConsensusError, TypeError, ValueError) as error:
        raise StoreDamaged(f"the stored set of authorities: {error}") from error
