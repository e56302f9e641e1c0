"""Authorities change, misbehave, leave (consensus.md 5). What a block decides is in force from the next height on.

The set is never empty and has at most `AUTHORITIES_MAX` members; each has another consensus key, and a key that was
once an authority's (or anybody's, for any use) never comes back. Evidence is kept for good, and takes the seat of the
accused while at least four authorities remain and can govern; otherwise it is recorded, and people decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from registry.codec import digest
from registry.events import Event
from registry.genesis import AUTHORITIES_MAX, AuthorityEntry, Genesis, ObserverEntry
from registry.limits import NODES_MAX
from registry.reasons import (
    ALREADY_DONE,
    BAD_STATE,
    DUPLICATE,
    KEY_UNPROVEN,
    LIMIT_REACHED,
    NO_QUORUM,
    NOT_AUTHORISED,
    NOT_FOUND,
    NOT_PROVEN,
    SUSPENDED,
    UNKNOWN_PARTY,
)
from registry.records import ConsensusKey, Misbehaviour, Network, NodeEntry, Seat
from registry.rules.possession import possessed
from registry.rules.verdicts import Call, Effects, Refusal, Verdict, together
from registry.state import NETWORK_KEY, Put, State, key_key, put_of
from registry.transactions.authorities import (
    AdmitNode,
    DismissNode,
    ReportMisbehaviour,
    SeatAuthority,
    UnseatAuthority,
)

__all__ = ["CHANGES", "can_govern", "founding_puts", "quorum", "report"]

Puts: TypeAlias = tuple[Put, ...]

REMAIN_MIN: Final = 4  # authorities that evidence must leave: with fewer, one more faulty one could halt or fork


def quorum(authorities: int) -> int:
    """How many approvals of so many authorities are enough: n - f with f = (n-1) // 3, as in consensus."""
    return authorities - (authorities - 1) // 3


def can_govern(state: State, authorities: Iterable[str]) -> bool:
    """Whether a quorum of these would be unsuspended, so that any change, also a reinstatement, can still be made."""
    parties = [state.coming_party(party) for party in authorities]
    unsuspended = [party for party in parties if party is not None and not party.suspended]
    return len(unsuspended) >= quorum(len(parties))


def founding_puts(genesis: Genesis) -> Puts:
    """The records of the authorities and nodes of genesis, and the network's own."""
    entries: tuple[AuthorityEntry | ObserverEntry, ...] = (*genesis.authorities, *genesis.observers)
    nodes = [_node(entry) for entry in entries]
    seats = [
        Seat(entry.party, entry.consensus_key, digest(entry.transport_certificate)) for entry in genesis.authorities
    ]
    network = Network(genesis.name, tuple(seats), tuple(node.id for node in nodes))
    keys = [(key_key(seat.consensus_key), seat.party) for seat in seats]
    held = [put_of(ConsensusKey(seat.consensus_key, seat.party, 1, 0)) for seat in seats]
    return ((NETWORK_KEY, network), *keys, *held, *map(put_of, nodes))


def report(call: Call, operation: ReportMisbehaviour) -> Verdict:
    """Record evidence once for each key, and unseat the accused if that leaves enough.

    Alone in its transaction: each costs everybody two signatures to verify, so each costs its sender one.
    """
    if len(call.transaction.operations) != 1:
        return Refusal(LIMIT_REACHED)
    accusation = call.judge(operation.evidence)
    key = None if accusation is None else call.state.coming(ConsensusKey, accusation.key)
    if accusation is None or key is None or accusation.height > call.height or not key.was_in_force(accusation.height):
        return Refusal(NOT_PROVEN)
    if call.state.find(Misbehaviour, key.id) is not None:
        return Refusal(ALREADY_DONE, key.id)
    network = call.state.coming_network()
    left = tuple([seat for seat in network.seats if seat.consensus_key != key.id])
    removed = (
        len(left) < len(network.seats)
        and len(left) >= REMAIN_MIN
        and can_govern(call.state, [seat.party for seat in left])
    )
    record = Misbehaviour(key.id, key.party, accusation.height, operation.evidence, call.sender.id, removed)
    hearers = together(*network.authorities, key.party)
    events = (Event("misbehaviour", key.id, hearers, key.party),)
    if not removed:
        return Effects(key.id, puts=(put_of(record),), events=events)
    return Effects(
        key.id,
        puts=(put_of(record),),
        later=((NETWORK_KEY, replace(network, seats=left)), _retired(call, key.id)),
        events=(*events, Event("authority_unseated", key.id, hearers, key.party)),
    )


def _seated(call: Call, change: SeatAuthority) -> Puts | Refusal:
    """Add an authority, or replace key, certificate and address of one."""
    state, network = call.state, call.state.coming_network()
    party, before = state.coming_party(change.party), network.seat_of(change.party)
    if party is None:
        return Refusal(UNKNOWN_PARTY)
    if "authority" not in party.roles:
        return Refusal(NOT_AUTHORISED)
    if before is None and party.suspended:
        return Refusal(SUSPENDED)
    node = _with_node(call, network, change)
    if isinstance(node, Refusal):
        return node
    seat = Seat(party.id, change.consensus_key, node.id)
    if seat == before and node == state.coming(NodeEntry, node.id):
        return Refusal(ALREADY_DONE)
    new_key = before is None or before.consensus_key != change.consensus_key
    if new_key and state.taken(key_key(change.consensus_key)):
        return Refusal(DUPLICATE)
    if new_key and not possessed(call, change.consensus_key, party.id, change.NAME, change.proof):
        return Refusal(KEY_UNPROVEN)
    seats = tuple([seat if each == before else each for each in network.seats])
    changed = replace(network, seats=seats if before else (*seats, seat), nodes=_nodes(network, node))
    if len(changed.seats) > AUTHORITIES_MAX or len(changed.nodes) > NODES_MAX:
        return Refusal(LIMIT_REACHED)
    puts: list[Put] = [(NETWORK_KEY, changed), put_of(node)]
    if new_key:
        puts.append((key_key(change.consensus_key), party.id))
        puts.append(put_of(ConsensusKey(change.consensus_key, party.id, call.height + 1, 0)))
    if new_key and before is not None:
        puts.append(_retired(call, before.consensus_key))
    return tuple(puts)


def _unseated(call: Call, change: UnseatAuthority) -> Puts | Refusal:
    """Remove an authority. Its node stays in `Network.nodes`."""
    network = call.state.coming_network()
    seat = network.seat_of(change.party)
    if seat is None:
        return Refusal(NOT_FOUND)
    left = tuple([each for each in network.seats if each != seat])
    if not left or not can_govern(call.state, [each.party for each in left]):
        return Refusal(NO_QUORUM)
    return (NETWORK_KEY, replace(network, seats=left)), _retired(call, seat.consensus_key)


def _node_admitted(call: Call, change: AdmitNode) -> Puts | Refusal:
    """Let a node in, or note another address of it."""
    network = call.state.coming_network()
    if call.state.coming_party(change.party) is None:
        return Refusal(UNKNOWN_PARTY)
    node = _with_node(call, network, change)
    if isinstance(node, Refusal):
        return node
    if node.id in network.nodes and node == call.state.coming(NodeEntry, node.id):
        return Refusal(ALREADY_DONE)
    changed = replace(network, nodes=_nodes(network, node))
    if len(changed.nodes) > NODES_MAX:
        return Refusal(LIMIT_REACHED)
    return (NETWORK_KEY, changed), put_of(node)


def _node_dismissed(call: Call, change: DismissNode) -> Puts | Refusal:
    """Let a node in no more. An authority's is replaced or unseated first."""
    network = call.state.coming_network()
    known = call.state.coming(NodeEntry, change.node) if change.node in network.nodes else None
    if known is None or known.party != change.party:
        return Refusal(NOT_FOUND)
    if any(seat.node == change.node for seat in network.seats):
        return Refusal(BAD_STATE)
    return ((NETWORK_KEY, replace(network, nodes=tuple([node for node in network.nodes if node != change.node]))),)


def _with_node(call: Call, network: Network, change: SeatAuthority | AdmitNode) -> NodeEntry | Refusal:
    """The node of a change, which must not be another party's."""
    node = NodeEntry(digest(change.certificate), change.party, change.certificate, change.address)
    known = call.state.coming(NodeEntry, node.id) if node.id in network.nodes else None
    return Refusal(DUPLICATE) if known is not None and known.party != node.party else node


def _nodes(network: Network, node: NodeEntry) -> tuple[bytes, ...]:
    return network.nodes if node.id in network.nodes else (*network.nodes, node.id)


def _retired(call: Call, key: bytes) -> Put:
    """The key is in force at this height for the last time."""
    held = call.state.coming(ConsensusKey, key)
    assert held is not None, "a seat's key is on record"
    return put_of(replace(held, until_height=call.height))


def _node(entry: AuthorityEntry | ObserverEntry) -> NodeEntry:
    return NodeEntry(digest(entry.transport_certificate), entry.party, entry.transport_certificate, entry.address)


# Each change of authorities and nodes: what it puts, and the event that says that it is in force.
CHANGES: Final[Mapping[type[Any], tuple[Callable[[Call, Any], Puts | Refusal], str]]] = MappingProxyType(
    {
        SeatAuthority: (_seated, "authority_seated"),
        UnseatAuthority: (_unseated, "authority_unseated"),
        AdmitNode: (_node_admitted, "node_admitted"),
        DismissNode: (_node_dismissed, "node_dismissed"),
    }
)
