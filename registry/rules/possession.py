"""A key that is new to the ledger proves that whoever brings it has its secret.

Keys are public before they are on the ledger: in a proposal that waits for approvals, in a recovery that waits for its
block. A key has one owner for ever, so without proof anybody could take another's next key and keep it out, with the
thief of a signing key foremost: it would be first with the keys that the recovery brings. Keys of genesis need none:
that is a file which every member compares before there is a chain, and nobody is kept out of it by another's haste.
"""

from __future__ import annotations

from collections.abc import Sequence

from registry.keys import proves_possession
from registry.parties import Party
from registry.rules.verdicts import Call

__all__ = ["all_possessed", "newcomer_proven", "possessed"]


def possessed(call: Call, key: bytes, party: str, purpose: str, proof: bytes) -> bool:
    """Whether `proof` is by `key`, for this party, this purpose (`keys.POSSESSION_PURPOSES`) and this chain."""
    return proves_possession(key, call.chain_id, party, purpose, proof)


def all_possessed(call: Call, keys: Sequence[bytes], party: str, purpose: str, proofs: Sequence[bytes]) -> bool:
    """Whether there is a proof for each of the keys, in their order, and no more."""
    pairs = zip(keys, proofs, strict=False)
    return len(keys) == len(proofs) and all(possessed(call, key, party, purpose, proof) for key, proof in pairs)


def newcomer_proven(call: Call, party: Party, proofs: Sequence[bytes]) -> bool:
    """Whether each signing key, and then the owner key, has proved itself for the admission."""
    signing, owner = proofs[: len(party.sign_keys)], proofs[len(party.sign_keys) :]
    return all_possessed(call, party.sign_keys, party.id, "admit_sign", signing) and all_possessed(
        call, (party.owner_key,), party.id, "admit_owner", owner
    )
