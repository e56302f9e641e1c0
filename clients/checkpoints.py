"""Checkpoints of regulators' observers: fetched, verified with the keys of genesis, kept, and held against history.

Keys of authorities that have left may leak, and whoever has a quorum of them can sign another past. A participant that
keeps checkpoints notices when it calls `checked`: the newest header must have every one of them in its history. Other
headers are held against those of their own height only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from clients.errors import ClientError, ProofInvalid
from clients.exchange import Call, Procedure
from clients.history import ancestor
from clients.session import Session
from consensus.checkpoints import Checkpoint, check_header
from consensus.errors import CheckpointError
from registry.genesis import Genesis

__all__ = ["CHECKPOINTS_MAX", "checked", "read_checkpoints", "written_checkpoints"]

CHECKPOINTS_MAX = 1_000  # in an answer or a file
FORMAT = "nemodat-checkpoints-v1"


def checked(session: Session, known: Iterable[Checkpoint] = ()) -> Procedure[tuple[Checkpoint, ...]]:
    """All checkpoints that this node has and those that are known already, newest first, each true of its history.

    Raises `ProofInvalid` if a checkpoint is nobody's, or if the node's history contradicts one; `RequestFailed` with
    `pruned` if the node began above one: ask an archive.
    """
    reply = yield Call("GET", "/v1/checkpoints")
    rows = reply.object().get("checkpoints")
    if not isinstance(rows, list) or len(rows) > CHECKPOINTS_MAX:
        raise ProofInvalid("checkpoints: a list is expected")
    offered = [_verified(session.genesis, row) for row in rows]
    found = sorted({*known, *offered}, key=lambda each: (-each.height, each.signer))
    for height in sorted({each.height for each in found}):
        header = yield from ancestor(session, height)
        try:
            check_header(found, header)
        except CheckpointError as error:
            raise ProofInvalid(str(error)) from error
    return tuple(found)


def read_checkpoints(text: str, genesis: Genesis) -> tuple[Checkpoint, ...]:
    """The checkpoints in a file that `written_checkpoints` made, verified. Raises `ClientError`."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ClientError(f"checkpoints: not JSON: {error}") from error
    match content:
        case {"format": "nemodat-checkpoints-v1", "genesis_id": str(genesis_id), "checkpoints": list(rows)}:
            if genesis_id != genesis.id.hex():
                raise ClientError("genesis_id: the checkpoints are of another network")
            if len(rows) > CHECKPOINTS_MAX:
                raise ClientError(f"checkpoints: at most {CHECKPOINTS_MAX} are read")
            return tuple(_verified(genesis, row) for row in rows)
        case _:
            raise ClientError("checkpoints: not a file of them")


def written_checkpoints(checkpoints: Iterable[Checkpoint], genesis: Genesis) -> str:
    """The JSON text that `read_checkpoints` reads back."""
    rows = [checkpoint.encode().hex() for checkpoint in checkpoints][:CHECKPOINTS_MAX]
    content = {"format": FORMAT, "genesis_id": genesis.id.hex(), "checkpoints": rows}
    return json.dumps(content, indent=1) + "\n"


def _verified(genesis: Genesis, row: object) -> Checkpoint:
    """A checkpoint in hexadecimal that an observer of genesis has signed. Raises `ProofInvalid`."""
    try:
        checkpoint = Checkpoint.decode(bytes.fromhex(row if isinstance(row, str) else ""))
        checkpoint.verify(genesis.id, {entry.checkpoint_key for entry in genesis.observers if entry.checkpoint_key})
    except (CheckpointError, ValueError) as error:
        raise ProofInvalid(f"checkpoint: {error}") from error
    return checkpoint
