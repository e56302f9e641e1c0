"""Keys (registry.md 3): who signs for a party, and how that changes.

Every key that a party ever signed with stays in the state under `key/`, revoked or not, so none comes back and none
has two owners; whether it is live is what the party's own record says. A receive key is not among them: nothing proves
that it is one's own, so who takes another's keeps nobody from any key (and cannot read what is encrypted under it).

A change holds from the next height on: one block is executed under one set of keys. But a key that is given up or
replaced earlier in the block changes nothing of its party any more: who stole it signs in the block of the recovery
too. A party keeps at least one signing key.

The owner key lies offline and does one thing, `recover`: a transaction of nothing but recoveries is looked up by owner
key, any other by signing key. A suspended party may recover, so that stolen keys can be replaced before it is
reinstated; it stays suspended. An authority's consensus key signs reports of misbehaviour, suspended or not: its node
has no other key, and whoever makes blocks can show what it saw.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace

from registry.events import Event
from registry.parties import SIGN_KEYS_MAX, Party
from registry.reasons import (
    ALREADY_DONE,
    DUPLICATE,
    KEY_UNPROVEN,
    LAST_KEY,
    LIMIT_REACHED,
    NOT_AUTHORISED,
    NOT_FOUND,
    SUSPENDED,
    UNKNOWN_PARTY,
)
from registry.rules.possession import all_possessed, possessed
from registry.rules.verdicts import Call, Effects, Refusal, Verdict
from registry.state import key_key, party_key
from registry.transactions.authorities import ReportMisbehaviour
from registry.transactions.envelope import Transaction
from registry.transactions.parties import AddKey, Recover, RevokeKey, SetHome, SetReceiveKey

__all__ = ["add_key", "recover", "revoke_key", "set_home", "set_receive_key", "signing_party"]


def signing_party(
    owner: Party | None, key: bytes, transaction: Transaction, consensus_keys: Container[bytes]
) -> Party | str:
    """The party for which `key` may sign this transaction, or the code with which the whole is refused.

    `owner` is the party whose key it is or ever was, None if it is nobody's. `consensus_keys` are those in force.
    """
    if owner is not None and key in consensus_keys:
        reports = [type(operation) for operation in transaction.operations] == [ReportMisbehaviour]
        return owner if reports and transaction.signers == (key,) else UNKNOWN_PARTY
    recovery = type(transaction.operations[0]) is Recover and all(
        type(operation) is Recover for operation in transaction.operations
    )
    if owner is None or key not in ((owner.owner_key,) if recovery else owner.sign_keys):
        return UNKNOWN_PARTY
    return SUSPENDED if owner.suspended and not recovery else owner


def add_key(call: Call, operation: AddKey) -> Verdict:
    """The sender gets one more signing key, which nobody ever had, and which it has shown to have."""
    party = _signing_still(call)
    if isinstance(party, Refusal):
        return party
    if len(party.sign_keys) >= SIGN_KEYS_MAX:
        return Refusal(LIMIT_REACHED, operation.key)
    if call.state.taken(key_key(operation.key)):
        return Refusal(DUPLICATE, operation.key)
    if not possessed(call, operation.key, party.id, operation.NAME, operation.proof):
        return Refusal(KEY_UNPROVEN, operation.key)
    changed = replace(party, sign_keys=(*party.sign_keys, operation.key))
    return _changed(changed, "key_added", operation.key, operation.key)


def revoke_key(call: Call, operation: RevokeKey) -> Verdict:
    """One of the sender's signing keys is none any more, for good."""
    party = _signing_still(call)
    if isinstance(party, Refusal):
        return party
    if operation.key not in party.sign_keys:
        return Refusal(NOT_FOUND, operation.key)
    if len(party.sign_keys) == 1:
        return Refusal(LAST_KEY, operation.key)
    changed = replace(party, sign_keys=tuple([key for key in party.sign_keys if key != operation.key]))
    return _changed(changed, "key_revoked", operation.key)


def recover(call: Call, operation: Recover) -> Verdict:
    """The owner key, and it alone, replaces all signing keys by new ones that prove themselves, and maybe the receive
    key."""
    party = _coming(call)
    if call.transaction.signers != (party.owner_key,):
        return Refusal(NOT_AUTHORISED)
    new = (*operation.sign_keys, *operation.receive_key)
    if len(set(new)) != len(new) or any(call.state.taken(key_key(key)) for key in new):
        return Refusal(DUPLICATE)
    if not all_possessed(call, operation.sign_keys, party.id, operation.NAME, operation.proofs):
        return Refusal(KEY_UNPROVEN)
    receive_key = operation.receive_key[0] if operation.receive_key else party.receive_key
    changed = replace(party, sign_keys=operation.sign_keys, receive_key=receive_key)
    return _changed(changed, "recovered", party.owner_key, *operation.sign_keys)


def set_receive_key(call: Call, operation: SetReceiveKey) -> Verdict:
    """Documents for the sender are encrypted under another key from now on, with which nobody ever signed."""
    party = _signing_still(call)
    if isinstance(party, Refusal):
        return party
    if operation.key == party.receive_key:
        return Refusal(ALREADY_DONE, operation.key)
    if call.state.taken(key_key(operation.key)):
        return Refusal(DUPLICATE, operation.key)
    return _changed(replace(party, receive_key=operation.key), "receive_key_set", operation.key)


def set_home(call: Call, operation: SetHome) -> Verdict:
    """Documents for the sender go to another node from now on."""
    party = _signing_still(call)
    if isinstance(party, Refusal):
        return party
    if operation.home == party.home:
        return Refusal(ALREADY_DONE)
    return _changed(replace(party, home=operation.home), "home_set", party.owner_key)


def _coming(call: Call) -> Party:
    """The sender as it will be from the next height, with what this block has changed already."""
    party = call.state.coming_party(call.sender.id)
    assert party is not None, "a party that signs is there"
    return party


def _signing_still(call: Call) -> Party | Refusal:
    """As `_coming`, if one of the signing keys is among those that it will have."""
    party = _coming(call)
    return Refusal(NOT_AUTHORISED) if set(call.transaction.signers).isdisjoint(party.sign_keys) else party


def _changed(party: Party, kind: str, subject: bytes, *new: bytes) -> Effects:
    """The effects of a party's change, and of the `new` keys that it has from then on."""
    keys = [(key_key(key), party.id) for key in new]
    event = Event(kind, subject, (party.id,), party.id)
    return Effects(subject, later=((party_key(party.id), party), *keys), events=(event,))
