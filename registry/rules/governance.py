"""Governance (registry.md 3): one authority proposes a change, which needs the approval of more than two thirds.

The proposal is its proposer's approval. What a block approves holds from the next height on, so that one block is
executed under one set of parties. Authorities are those with a seat (`rules.authorities`), and only their approvals
count; a suspended one still counts for the quorum and still makes blocks, but approves nothing, so no suspension may
leave fewer than a quorum of unsuspended ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from registry.codec import decode, encode
from registry.events import Event
from registry.parties import IDENTIFIERS_MAX, Party
from registry.reasons import (
    ALREADY_DONE,
    BAD_STATE,
    DUPLICATE,
    KEY_UNPROVEN,
    LIMIT_REACHED,
    NO_QUORUM,
    NOT_AUTHORISED,
    NOT_FOUND,
    UNKNOWN_PARTY,
)
from registry.records import NodeEntry, Proposal
from registry.rules import authorities, awards, contacts, upgrades
from registry.rules.authorities import quorum
from registry.rules.possession import newcomer_proven, possessed
from registry.rules.verdicts import Call, Effects, Refusal, Verdict, together
from registry.state import Put, alias_key, key_key, party_key, proposal_key
from registry.transactions.contacts import OpenContact
from registry.transactions.governance import (
    Admit,
    Amend,
    Approve,
    Award,
    Change,
    Propose,
    Reinstate,
    ReplaceOwnerKey,
    Suspend,
    change_from,
    change_value,
)
from registry.transactions.upgrades import ScheduleUpgrade

__all__ = ["AT_ONCE", "CHANGES", "admission_puts", "approve", "propose", "quorum"]

Puts: TypeAlias = tuple[Put, ...]


def admission_puts(party: Party) -> Puts:
    """The records of a party: itself, and where the keys that it signs with and its identifiers lead."""
    keys: list[Put] = [(key_key(key), party.id) for key in (*party.sign_keys, party.owner_key)]
    aliases: list[Put] = [(alias_key(identifier), party.id) for identifier in party.identifiers]
    return ((party_key(party.id), party), *keys, *aliases)


def propose(call: Call, operation: Propose) -> Verdict:
    """Refused unless the sender is an authority and the change can be made."""
    if call.sender.id not in call.state.network().authorities:
        return Refusal(NOT_AUTHORISED)
    effects = _effects(call, operation.change)
    if isinstance(effects, Refusal):
        return effects
    change = encode(change_value(operation.change))
    proposal = Proposal(call.created_id(), call.sender.id, change, (call.sender.id,), "open")
    return _count(call, proposal, operation.change, effects)


def approve(call: Call, operation: Approve) -> Verdict:
    """Refused unless the sender is an authority that has not approved yet, and the change can still be made."""
    if call.sender.id not in call.state.network().authorities:
        return Refusal(NOT_AUTHORISED)
    subject = call.resolve(operation.proposal)
    proposal = call.state.proposal(subject)
    if proposal is None:
        return Refusal(NOT_FOUND, subject)
    if proposal.state != "open" or call.sender.id in proposal.approvals:
        return Refusal(ALREADY_DONE, subject)
    change = change_from(decode(proposal.change), "change")
    effects = _effects(call, change)
    if isinstance(effects, Refusal):
        return replace(effects, subject=subject)
    return _count(call, replace(proposal, approvals=(*proposal.approvals, call.sender.id)), change, effects)


def _count(call: Call, proposal: Proposal, change: Change, effects: Effects) -> Verdict:
    """The effects of a proposal with its newest approval: it stays open, or the change is made."""
    seated = call.state.network().authorities
    key = proposal_key(proposal.id)
    if len([party for party in proposal.approvals if party in seated]) < quorum(len(seated)):
        kind = "award_proposed" if isinstance(change, Award) else "proposed"
        events = (Event(kind, proposal.id, together(*seated), change.subject),)
        return Effects(proposal.id, puts=((key, proposal),), events=events)
    in_force = replace(proposal, state="in_force")
    if type(change) in AT_ONCE:  # made at once: the dispute or contact is the effects' own subject
        puts = ((key, in_force), *effects.puts)
        executed = Event("executed", proposal.id, together(*seated), change.subject)
        related, heard = (effects.subject,), (executed, *effects.events)
        return replace(effects, subject=proposal.id, puts=puts, related=related, events=heard)
    event = Event(CHANGES[type(change)][1], proposal.id, _hearers(call, change), change.subject)
    return replace(effects, subject=proposal.id, puts=((key, in_force),), events=(event,))


def _hearers(call: Call, change: Change) -> tuple[str, ...]:
    """The authorities and who is changed; of another protocol version, everybody whose node would stop without it."""
    network = call.state.network()
    if not isinstance(change, ScheduleUpgrade):
        return together(*network.authorities, change.subject)
    nodes = [call.state.find(NodeEntry, node) for node in network.nodes]
    return together(*network.authorities, *(node.party for node in nodes if node is not None))


def _effects(call: Call, change: Change) -> Effects | Refusal:
    """What the change does when it is made, given what the block has changed already, or why it cannot be made.

    A party is changed from the next height. An award ends its dispute, and an order opens its contact, at once:
    neither changes anybody's vote or signature.
    """
    if type(change) in AT_ONCE:
        obstacle, made = AT_ONCE[type(change)]
        refused: Refusal | None = obstacle(call, change)
        return refused or made(call, change)
    puts = CHANGES[type(change)][0](call, change)
    return puts if isinstance(puts, Refusal) else Effects(b"", later=puts)


def _admitted(call: Call, change: Admit) -> Puts | Refusal:
    """Two ids for one firm hide duplicates, and a key has one owner: nothing of the newcomer may be another's, and its
    keys have proved themselves."""
    puts = admission_puts(change.party)
    places = (*(place for place, _ in puts), key_key(change.party.receive_key))
    if any(call.state.taken(place) for place in places):
        return Refusal(DUPLICATE)
    return puts if newcomer_proven(call, change.party, change.proofs) else Refusal(KEY_UNPROVEN)


def _suspended(call: Call, change: Suspend) -> Puts | Refusal:
    """Refused if it is suspended already, or if too few authorities would be left that could lift it."""
    party = call.state.coming_party(change.party)
    if party is None:
        return Refusal(UNKNOWN_PARTY)
    if party.suspended:
        return Refusal(ALREADY_DONE)
    seated = call.state.coming_network().authorities
    left = [one for one in map(call.state.coming_party, seated) if one and not one.suspended and one.id != party.id]
    if party.id in seated and len(left) < quorum(len(seated)):
        return Refusal(NO_QUORUM)
    return ((party_key(party.id), replace(party, suspended=True)),)


def _reinstated(call: Call, change: Reinstate) -> Puts | Refusal:
    """Refused unless the party is suspended."""
    party = call.state.coming_party(change.party)
    if party is None:
        return Refusal(UNKNOWN_PARTY)
    if not party.suspended:
        return Refusal(ALREADY_DONE)
    return ((party_key(party.id), replace(party, suspended=False)),)


def _amended(call: Call, change: Amend) -> Puts | Refusal:
    """Refused if nothing would change, no role be left, or an identifier be another's."""
    party = call.state.coming_party(change.party)
    if party is None:
        return Refusal(UNKNOWN_PARTY)
    roles = [role for role in dict.fromkeys((*party.roles, *change.add_roles)) if role not in change.remove_roles]
    identifiers = tuple([one for one in change.identifiers if one not in party.identifiers])
    amended = replace(
        party,
        name=change.name or party.name,
        identifiers=(*party.identifiers, *identifiers),
        roles=tuple(roles),
    )
    if amended == party:
        return Refusal(ALREADY_DONE)
    if not roles:
        return Refusal(BAD_STATE)
    if len(amended.identifiers) > IDENTIFIERS_MAX:
        return Refusal(LIMIT_REACHED)
    if any(call.state.taken(alias_key(identifier)) for identifier in identifiers):
        return Refusal(DUPLICATE)
    return ((party_key(party.id), amended), *((alias_key(identifier), party.id) for identifier in identifiers))


def _with_owner_key(call: Call, change: ReplaceOwnerKey) -> Puts | Refusal:
    """Refused if the key is, or ever was, somebody's, or has not proved itself."""
    party = call.state.coming_party(change.party)
    if party is None:
        return Refusal(UNKNOWN_PARTY)
    if party.owner_key == change.owner_key:
        return Refusal(ALREADY_DONE)
    if call.state.taken(key_key(change.owner_key)):
        return Refusal(DUPLICATE)
    if not possessed(call, change.owner_key, party.id, change.NAME, change.proof):
        return Refusal(KEY_UNPROVEN)
    replaced = replace(party, owner_key=change.owner_key)
    return ((party_key(party.id), replaced), (key_key(change.owner_key), party.id))


# Each change made at once: what stands in its way, and what it does.
AT_ONCE: Final[Mapping[type[Change], tuple[Callable[[Call, Any], Refusal | None], Callable[[Call, Any], Effects]]]] = (
    MappingProxyType(
        {
            Award: (awards.obstacle, awards.executed),
            OpenContact: (contacts.open_obstacle, contacts.opened),
        }
    )
)
# Each change of a party: what it puts, and the event that says that it is in force.
CHANGES: Final[Mapping[type[Change], tuple[Callable[[Call, Any], Puts | Refusal], str]]] = MappingProxyType(
    {
        Admit: (_admitted, "admitted"),
        Suspend: (_suspended, "suspended"),
        Reinstate: (_reinstated, "reinstated"),
        Amend: (_amended, "amended"),
        ReplaceOwnerKey: (_with_owner_key, "amended"),
        **authorities.CHANGES,
        **upgrades.CHANGES,
    }
)
