"""Golden bytes of headers, votes, certificates and messages, for programs in other languages.

`python -m tests.consensus.vectors` writes `vectors.json` anew; the test only reads it. All bytes are lower-case hex.
"""

from __future__ import annotations

import json
from pathlib import Path

from consensus.authorities import AuthoritySet
from consensus.evidence import Evidence
from consensus.light import Change
from consensus.messages import Bundle, Decided, Proposal, Resend, encode_message
from consensus.votes import Certificate, Kind, Vote, signed_bytes
from registry.codec import encode
from tests.consensus.fixtures import (
    GENESIS_ID,
    authorities_of,
    block_of,
    certificate_of,
    finality_of,
    header_of,
    key_of,
    set_of,
    vote_of,
)

__all__ = ["PATH", "vectors"]

PATH = Path(__file__).with_name("vectors.json")


def vectors() -> dict[str, object]:
    """Everything that is in the file."""
    four = authorities_of(4)
    first = block_of(four, height=1, parent=GENESIS_ID, proposer=1, transactions=(b"one", b"two", b"three"))
    second = block_of(four, height=2, parent=first.hash, proposer=2)
    votes = [
        vote_of(1, Kind.NOTARIZE, 1, 0, first.hash),
        vote_of(2, Kind.NULLIFY, 1, 7, None),
        vote_of(3, Kind.FINALIZE, 2, 300, second.hash),
    ]
    certificates = [
        certificate_of(Kind.NOTARIZE, 1, 0, first.hash, (0, 1, 2), 4),
        certificate_of(Kind.NULLIFY, 1, 1, None, (1, 2, 3), 4),
        certificate_of(Kind.FINALIZE, 1, 0, first.hash, (0, 1, 2, 3), 4),
        certificate_of(Kind.FINALIZE, 1, 0, first.hash, (0, 1, 2, 4, 5, 6, 8, 9), 10),
    ]
    evidence = Evidence(vote_of(3, Kind.FINALIZE, 1, 0, first.hash), vote_of(3, Kind.NULLIFY, 1, 0, None))
    proposal = Proposal(vote_of(3, Kind.NOTARIZE, 1, 2, first.hash), first, Bundle(certificates[0], (certificates[1],)))
    return {
        "genesis_id": GENESIS_ID.hex(),
        "keys": [
            {"seed": key_of(number).seed.hex(), "public_key": key_of(number).public_key.hex()} for number in range(10)
        ],
        "authorities": {
            "members": [[member.name, member.public_key.hex()] for member in four],
            "digest": four.digest.hex(),
        },
        "headers": [
            {"encoded": block.header.encode().hex(), "hash": block.hash.hex(), "block": block.encode().hex()}
            for block in (first, second)
        ],
        "votes": [_vote(vote) for vote in votes],
        "certificates": [_certificate(certificate) for certificate in certificates],
        "evidence": {"encoded": evidence.encode().hex(), "accused": evidence.accused.hex()},
        "light": _light(),
        "messages": {
            "proposal": encode_message(proposal).hex(),
            "resend": encode_message(Resend(1, (votes[0],), proposal.bundle)).hex(),
            "decided": encode_message(Decided(first, certificates[2])).hex(),
        },
    }


def _light() -> dict[str, object]:
    """From genesis through two changes of the set to a header; and changes that do not lead anywhere."""
    first, second, third = set_of(0, 1, 2, 3), set_of(0, 1, 2, 3, 4), set_of(0, 9, 2, 3, 4)
    one, two = _change(10, first, second), _change(20, second, third)
    newest = header_of(50, third)
    late = header_of(11, first)
    good = {
        "genesis_set": [[member.name, member.public_key.hex()] for member in first],
        "changes": [one.encode().hex(), two.encode().hex()],
        "from_heights": [1, 11, 21],
        "digests": [each.digest.hex() for each in (first, second, third)],
        "header": newest.encode().hex(),
        "finality": encode(finality_of(newest, third).to_value()).hex(),
    }
    refused = {
        "the first change left out": [two],
        "the changes in another order": [two, one],
        "a change twice": [one, one],
        "another set than the header names": [Change(one.header, one.certificate, third)],
        "certified by another set": [Change(one.header, finality_of(one.header, third), second)],
        "only notarized": [Change(one.header, finality_of(one.header, first, kind=Kind.NOTARIZE), second)],
        "no change at all": [_change(10, first, first)],
    }
    return good | {
        "refused": {name: [change.encode().hex() for change in changes] for name, changes in refused.items()},
        "refused_headers": {
            "of a set that is not in force any more": {
                "header": late.encode().hex(),
                "finality": encode(finality_of(late, first).to_value()).hex(),
            }
        },
    }


def _change(height: int, before: AuthoritySet, after: AuthoritySet) -> Change:
    made = header_of(height, before, after)
    return Change(made, finality_of(made, before), after)


def _vote(vote: Vote) -> dict[str, object]:
    return {
        "kind": vote.kind.name,
        "height": vote.height,
        "view": vote.view,
        "block": None if vote.block is None else vote.block.hex(),
        "signed": signed_bytes(vote.kind, vote.height, vote.view, vote.block).hex(),
        "signature": vote.signature.hex(),
        "encoded": encode(vote.to_value()).hex(),
    }


def _certificate(certificate: Certificate) -> dict[str, object]:
    return {
        "kind": certificate.kind.name,
        "view": certificate.view,
        "signers": list(certificate.signers()),
        "bitmap": certificate.bitmap.hex(),
        "encoded": encode(certificate.to_value()).hex(),
    }


if __name__ == "__main__":
    PATH.write_text(json.dumps(vectors(), indent=1) + "\n")
