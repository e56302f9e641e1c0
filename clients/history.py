"""Old facts from one fresh certificate: a header that is in the history of the newest one needs no certificate itself.

So a receipt from an archive is proved for as long as the newest authorities are trusted, also when the keys of those
who made the old block final have long leaked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from clients.errors import ClientError, ProofInvalid
from clients.exchange import Call, Procedure
from clients.session import Session
from clients.verify import Trust
from consensus.blocks import Header
from consensus.checkpoints import KeptCheckpoint
from consensus.errors import BlockError
from registry.merkle.log import LOG_LEVELS_MAX, entry_hash, verify_inclusion

__all__ = ["ancestor", "ancestry", "connect", "connected", "verify_ancestor"]


def ancestor(session: Session, height: int) -> Procedure[Header]:
    """The header of a height, proved by the newest one.

    Raises `ProofInvalid`, `RequestFailed` (`pruned`: ask an archive).
    """
    reply = yield ancestry(height)
    answer = reply.json()
    return verify_ancestor(session.trust.header(answer), height, answer)


def ancestry(height: int, within: int | None = None) -> Call:
    """What asks for a header and the proof that it is in the history of the one of `within`, or of the newest."""
    return Call("GET", f"/v1/blocks/{height}/ancestry" + ("" if within is None else f"?within={within}"))


def connect(session: Session, height: int, kept: Iterable[KeptCheckpoint]) -> Procedure[dict[str, Any]]:
    """What proves, offline too, that the header of a height is in the history of the newest of these checkpoints.

    To be kept as JSON, for `connected`. Raises `ClientError` if none is above that height, `ProofInvalid`,
    `RequestFailed` (`pruned`: ask an archive).
    """
    newest = max(kept, key=lambda each: each.height, default=None)
    if newest is None or newest.height <= height:
        raise ClientError(f"block {height} is not older than the checkpoints: it needs no proof but theirs")
    answer = (yield ancestry(height, newest.height)).object()
    verify_ancestor(newest.header, height, answer)
    return {"height": height, "within": newest.height, "ancestor": answer["ancestor"], "path": answer["path"]}


def connected(trust: Trust, proof: dict[str, Any]) -> Trust:
    """What is believed, given what `connect` returned for one of its checkpoints. Raises `ProofInvalid`."""
    height, within = proof.get("height"), proof.get("within")
    for kept in trust.checkpoints:
        if kept.height == within and type(height) is int:
            return trust.proving(verify_ancestor(kept.header, height, proof))
    raise ProofInvalid("ancestry: not that of a checkpoint that is kept")


def verify_ancestor(newer: Header, height: int, answer: object) -> Header:
    """The header of `height` in an answer, which is in the history of `newer`, a verified header.

    `newer` itself is its own ancestor: it needs no path. Raises `ProofInvalid`.
    """
    if not isinstance(answer, dict):
        raise ProofInvalid("ancestry: an object is expected")
    path = answer.get("path")
    if not isinstance(path, list) or len(path) > LOG_LEVELS_MAX:
        raise ProofInvalid("path: a list of hashes is expected")
    try:
        old = Header.decode(bytes.fromhex(answer.get("ancestor", "")))
        proof = [bytes.fromhex(node) for node in path]
    except (BlockError, TypeError, ValueError) as error:
        raise ProofInvalid(f"ancestor: {error}") from error
    if old.height != height:
        raise ProofInvalid(f"ancestor: of height {old.height} where {height} was asked for")
    in_history = verify_inclusion(
        root=newer.history_root,
        leaf_hash=entry_hash(old.hash),
        index=height - 1,
        size=newer.height - 1,
        proof=proof,
    )
    if old.hash != newer.hash and not in_history:
        raise ProofInvalid(f"ancestor: not in the history of block {newer.height}")
    return old
