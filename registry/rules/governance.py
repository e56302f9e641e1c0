"""Governance (registry.md 3): one authority proposes a change, which needs the approval of more than two thirds.

The proposal is its proposer's approval. What a block approves holds from the next height on, so that one block is
executed under one set of parties. Authorities are those of genesis.
"""

from __future__ import annotations

from dataclasses import replace

from registry.codec import decode, encode
from registry.events import Event
from registry.parties import Party
from registry.reasons import ALREADY_DONE, DUPLICATE, NOT_AUTHORISED, NOT_FOUND
from registry.records import Proposal
from registry.rules import contacts
from registry.rules.verdicts import Call, Effects, Refusal, Verdict, together
from registry.state import Put, State, alias_key, key_key, party_key, proposal_key
from registry.transactions.contacts import OpenContact
from registry.transactions.governance import Approve, Change, Propose, change_from, change_value

__all__ = ["admission_puts", "approve", "propose", "quorum"]


def quorum(authorities: int) -> int:
    """How many approvals of so many authorities are enough: n - f with f = (n-1) // 3, as in consensus."""
    return authorities - (authorities - 1) // 3


def admission_puts(party: Party) -> tuple[Put, ...]:
    """The records of a party: itself, and where its keys and identifiers lead."""
    keys: list[Put] = [(key_key(key), party.id) for key in party.sign_keys]
    aliases: list[Put] = [(alias_key(identifier), party.id) for identifier in party.identifiers]
    return ((party_key(party.id), party), *keys, *aliases)


def propose(call: Call, operation: Propose) -> Verdict:
    """Refused unless the sender is an authority and nothing of the new party is taken."""
    if call.sender.id not in call.state.network().authorities:
        return Refusal(NOT_AUTHORISED)
    obstacle = _obstacle(call.state, operation.change)
    if obstacle is not None:
        return obstacle
    change = encode(change_value(operation.change))
    proposal = Proposal(call.created_id(), call.sender.id, change, (call.sender.id,), "open")
    return _count(call, proposal, operation.change)


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
    obstacle = _obstacle(call.state, change)
    if obstacle is not None:
        return replace(obstacle, subject=subject)
    return _count(call, replace(proposal, approvals=(*proposal.approvals, call.sender.id)), change)


def _obstacle(state: State, change: Change) -> Refusal | None:
    """Why the change cannot be made now, None if it can."""
    if isinstance(change, OpenContact):
        return contacts.open_obstacle(state, change)
    return Refusal(DUPLICATE) if _taken(state, change.party) else None


def _count(call: Call, proposal: Proposal, change: Change) -> Verdict:
    """The effects of a proposal with its newest approval: it stays open, or the change is made.

    A party is in force from the next height; an order is executed at once, as it changes nobody's vote or signature.
    """
    network = call.state.network()
    key = proposal_key(proposal.id)
    if len(proposal.approvals) < quorum(len(network.authorities)):
        events = (Event("proposed", proposal.id, together(*network.authorities), change.subject),)
        return Effects(proposal.id, puts=((key, proposal),), events=events)
    if isinstance(change, OpenContact):
        done = contacts.opened(call, change)
        puts = ((key, replace(proposal, state="in_force")), *done.puts)
        return replace(done, subject=proposal.id, puts=puts, related=(change.contact,))
    party = change.party
    events = (Event("admitted", proposal.id, together(*network.authorities, party.id), party.id),)
    in_force = replace(proposal, state="in_force")
    return Effects(proposal.id, puts=((key, in_force),), later=admission_puts(party), events=events)


def _taken(state: State, party: Party) -> bool:
    """Whether an identifier or key of the party is another's: two ids for one firm hide duplicates."""
    return any(state.taken(key) for key, _ in admission_puts(party))
