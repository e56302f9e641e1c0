"""Checkpoints of regulators' observers: fetched, verified with the keys of genesis, kept, and held against history.

Keys of authorities that have left may leak, and whoever has a quorum of them can sign another past, and a present that
follows from it. A participant that keeps a checkpoint made after they left refuses all of that: `checked` when it meets
a node's history, a `Session` with `checkpoints` (`clients.verify.Trust`) whenever it is shown a header.

What is left to whoever has such keys: to fool readers without a checkpoint, or whose newest one is from before the keys
were retired. The first checkpoints are believed if the history of the node that serves them has them, so they should
come from more than one node, or from the regulator itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import islice

from clients.errors import ClientError, ProofInvalid
from clients.exchange import Call, Procedure
from clients.history import ancestry, verify_ancestor
from clients.session import Session
from consensus.blocks import Header
from consensus.checkpoints import Checkpoint, KeptCheckpoint, check_reigns
from consensus.errors import CheckpointError, ConsensusError
from registry.genesis import Genesis

__all__ = ["CHECKPOINTS_MAX", "checked", "read_checkpoints", "written_checkpoints"]

CHECKPOINTS_MAX = 1_000  # in an answer or a file
FORMAT = "nemodat-checkpoints-v1"


def checked(session: Session, known: Iterable[KeptCheckpoint] = ()) -> Procedure[tuple[KeptCheckpoint, ...]]:
    """All checkpoints that this node has and those that are known already, newest first, each true of its history.

    True of it: the newest header has each checkpointed block in its history, and the authorities that signed it are
    those that follow from each. Raises `ProofInvalid` if a checkpoint is nobody's, or if the node's history contradicts
    one; `RequestFailed` with `pruned` if the node began above one: ask an archive.
    """
    reply = yield Call("GET", "/v1/checkpoints")
    rows = reply.object().get("checkpoints")
    if not isinstance(rows, list) or len(rows) > CHECKPOINTS_MAX:
        raise ProofInvalid("checkpoints: a list is expected")
    wanted = {*(each.checkpoint for each in known), *(_verified(session.genesis, row) for row in rows)}
    found: list[KeptCheckpoint] = []
    for height in sorted({each.height for each in wanted}):
        reply = yield ancestry(height)
        answer = reply.json()
        newest = session.trust.header(answer)
        header = verify_ancestor(newest, height, answer)
        try:
            found += [KeptCheckpoint(each, header) for each in wanted if each.height == height]
            check_reigns(found, session.trust.reigns, below=newest.height)
        except CheckpointError as error:
            raise ProofInvalid(str(error)) from error
    return tuple(sorted(found, key=lambda each: (-each.height, each.checkpoint.signer)))


def read_checkpoints(text: str, genesis: Genesis) -> tuple[KeptCheckpoint, ...]:
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
            return tuple(_kept(genesis, row) for row in rows)
        case _:
            raise ClientError("checkpoints: not a file of them")


def written_checkpoints(kept: Iterable[KeptCheckpoint], genesis: Genesis) -> str:
    """The JSON text that `read_checkpoints` reads back: each checkpoint with the header that it names."""
    rows = [
        {"checkpoint": each.checkpoint.encode().hex(), "header": each.header.encode().hex()}
        for each in islice(kept, CHECKPOINTS_MAX)
    ]
    content = {"format": FORMAT, "genesis_id": genesis.id.hex(), "checkpoints": rows}
    return json.dumps(content, indent=1) + "\n"


def _kept(genesis: Genesis, row: object) -> KeptCheckpoint:
    """A row of the file. Raises `ProofInvalid`."""
    match row:
        case {"checkpoint": checkpoint, "header": str(header)}:
            try:
                return KeptCheckpoint(_verified(genesis, checkpoint), Header.decode(bytes.fromhex(header)))
            except (ConsensusError, ValueError) as error:
                raise ProofInvalid(f"checkpoint: its header: {error}") from error
        case _:
            raise ProofInvalid("checkpoint: a checkpoint and the header that it names are expected")


def _verified(genesis: Genesis, row: object) -> Checkpoint:
    """A checkpoint in hexadecimal that an observer of genesis has signed. Raises `ProofInvalid`."""
    try:
        checkpoint = Checkpoint.decode(bytes.fromhex(row if isinstance(row, str) else ""))
        checkpoint.verify(genesis.id, {entry.checkpoint_key for entry in genesis.observers if entry.checkpoint_key})
    except (CheckpointError, ValueError) as error:
        raise ProofInvalid(f"checkpoint: {error}") from error
    return checkpoint
