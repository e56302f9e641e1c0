"""Checkpoints in a node: a regulator's observer makes them, every node collects, passes on and serves them.

An observer with a checkpoint key cosigns the first block of each hour of block time, and the first one after it has
started. What comes from others is verified with the keys of genesis and compared with the own chain before it is kept:
one that contradicts it is no business of this node's to judge, but its operator must know: it is the node's alarm, and
in the log once of each signer. One that is ahead of this node waits for its block: of each signer the highest one. The
newest of each signer are kept, and passed on once.
"""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from consensus.blocks import Header
from consensus.checkpoints import Checkpoint, check_header, cosign
from consensus.errors import CheckpointError
from node.layout import CHECKPOINT, HEIGHT, HeightRecord, at_height
from node.ledger import Ledger
from node.network import Channel, Mesh, Peer, ProtocolViolation
from node.recovery import Tip
from node.snapshots.messages import Cosigned, encode_snapshot_message
from node.store import Reader, Store
from registry.genesis import Genesis
from registry.keys import PUBLIC_KEY_SIZE, SigningKey

__all__ = ["KEPT_MAX", "PERIOD_MS", "Checkpoints", "newest_checkpoints"]

PERIOD_MS = 3_600_000  # of block time
KEPT_MAX = 1_000  # of one signer

_log = structlog.get_logger(room="checkpoints")


def newest_checkpoints(reader: Reader, limit: int) -> Iterator[Checkpoint]:
    """The checkpoints that are kept, newest first, at most so many."""
    for count, (_, data) in enumerate(reader.scan(CHECKPOINT, reverse=True)):
        if count == limit:
            return
        yield Checkpoint.decode(data)


class Checkpoints:
    """See the module. `grown` is called in the ledger's thread, the rest on the event loop."""

    def __init__(self, *, genesis: Genesis, store: Store, ledger: Ledger, mesh: Mesh, key: SigningKey | None) -> None:
        self._genesis_id = genesis.id
        self._signers = {each.checkpoint_key: each.party for each in genesis.observers if each.checkpoint_key}
        self._store = store
        self._ledger = ledger
        self._mesh = mesh
        self._key = key
        self._has_signed = False
        self._fresh: list[Checkpoint] = []
        self._early: dict[bytes, tuple[Peer, Checkpoint]] = {}
        self._oldest: dict[bytes, bytes] = {}  # place of the oldest kept, of each signer of whom so many are kept
        self.contradicted: set[bytes] = set()
        """Keys of regulators' observers that cosigned another chain than this node's. Each is said once."""
        ledger.witness(self.grown)
        ledger.listen(lambda _: self._after_commit())

    @property
    def alarm(self) -> str:
        """Whose checkpoint contradicts this node's chain, and what to do; or empty."""
        if not self.contradicted:
            return ""
        who = ", ".join(sorted({self._signers[key] for key in self.contradicted}))
        return (
            f"checkpoint_contradicted: {who} cosigned another ledger than this node's: compare the hash of that height"
            " (it is in the log) with other nodes' and the regulator's; one of these ledgers is forged"
        )

    def grown(self, before: Tip, tip: Tip) -> None:
        """Cosign the new tip, if it is this node's to."""
        if self._key is None or tip.header is None:
            return
        if self._has_signed and tip.timestamp_ms // PERIOD_MS == before.timestamp_ms // PERIOD_MS:
            return
        self._has_signed = True
        checkpoint = cosign(self._genesis_id, tip.header, self._key)
        self._keep(checkpoint)
        self._fresh.append(checkpoint)

    def connected(self, peer: Peer) -> None:
        """Tell a peer the newest of each signer."""
        newest: dict[bytes, bytes] = {}
        for key, data in self._store.scan(CHECKPOINT, reverse=True):
            newest.setdefault(_signer_of(key), data)
            if len(newest) == len(self._signers):
                break
        for data in newest.values():
            self._mesh.send(peer.id, Channel.SYNC, encode_snapshot_message(Cosigned(data)))

    def received(self, peer: Peer, message: Cosigned) -> None:
        """A checkpoint. Raises `ProtocolViolation` for one that no honest node passes on."""
        try:
            checkpoint = Checkpoint.decode(message.checkpoint)
            checkpoint.verify(self._genesis_id, self._signers.keys())
        except CheckpointError as error:
            raise ProtocolViolation(f"checkpoint: {error}") from error
        self._compare(peer, checkpoint)

    def _compare(self, peer: Peer, checkpoint: Checkpoint) -> None:
        record = self._store.get(at_height(HEIGHT, checkpoint.height))
        if record is None:
            self._let_wait(peer, checkpoint)
            return
        if self._store.get(_place(checkpoint)) is not None:
            return
        try:
            check_header((checkpoint,), Header.decode(HeightRecord.decode(record).header))
        except CheckpointError as error:
            if checkpoint.signer not in self.contradicted:  # else any member could fill the disk with it
                self.contradicted.add(checkpoint.signer)
                _log.critical("a regulator's observer saw another ledger", peer=peer.name, reason=str(error))
            return
        if self._keep(checkpoint):
            self._broadcast(checkpoint)

    def _let_wait(self, peer: Peer, checkpoint: Checkpoint) -> None:
        """Unless a higher one of its signer waits, or its header was never here: this node began with a state."""
        _, highest = self._early.get(checkpoint.signer, (peer, checkpoint))
        if checkpoint.height > self._ledger.tip.height and checkpoint.height >= highest.height:
            self._early[checkpoint.signer] = (peer, checkpoint)

    def _after_commit(self) -> None:
        while self._fresh:
            self._broadcast(self._fresh.pop(0))
        waiting, self._early = self._early, {}
        for peer, checkpoint in waiting.values():
            self._compare(peer, checkpoint)

    def _broadcast(self, checkpoint: Checkpoint) -> None:
        payload = encode_snapshot_message(Cosigned(checkpoint.encode()))
        for role in ("authority", "observer"):
            self._mesh.broadcast(Channel.SYNC, payload, role=role)

    def _keep(self, checkpoint: Checkpoint) -> bool:
        """Keep it if it is among the newest of its signer; whether it is."""
        place = _place(checkpoint)
        if place < self._oldest.get(checkpoint.signer, b""):
            return False
        others = [key for key, _ in self._store.scan(CHECKPOINT) if _signer_of(key) == checkpoint.signer]
        of_signer = sorted([*others, place])
        if len(of_signer) >= KEPT_MAX:
            self._oldest[checkpoint.signer] = of_signer[-KEPT_MAX]
        spare = of_signer[:-KEPT_MAX]
        if place in spare:
            return False
        self._store.write({place: checkpoint.encode(), **dict.fromkeys(spare)}, sync=False)
        return True


def _place(checkpoint: Checkpoint) -> bytes:
    return at_height(CHECKPOINT, checkpoint.height) + checkpoint.signer


def _signer_of(place: bytes) -> bytes:
    return place[-PUBLIC_KEY_SIZE:]
