"""Answers questions about the states that are held, in the reader's thread; a few of each peer at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from consensus.light import CHANGES_MAX
from node.network import Channel, Mesh, Peer
from node.snapshots.held import HeldStates
from node.snapshots.messages import (
    MANIFEST_BYTES_MAX,
    AskHeld,
    AskManifest,
    AskPart,
    Gone,
    Held,
    ManifestOf,
    PartOf,
    SnapshotMessage,
    encode_snapshot_message,
)
from node.worker import Worker

__all__ = ["StateServer"]

SERVED_MAX = 4  # questions of one peer being answered, over all its connections; those beyond are not


class StateServer:
    """See the module."""

    def __init__(self, held: HeldStates, mesh: Mesh, reader: Worker) -> None:
        self._held = held
        self._mesh = mesh
        self._reader = reader
        self._serving: Counter[bytes] = Counter()

    def received(self, peer: Peer, message: SnapshotMessage) -> None:
        """A message about states; answers belong to nobody here."""
        match message:
            case AskHeld():
                self._send(peer, Held(self._held.offers()))
            case AskManifest(height):
                self._answer(peer, lambda: self._manifest(height))
            case AskPart(height, bits, number):
                self._answer(peer, lambda: self._part(height, bits, number))
            case _:
                pass  # an answer that came after this node had started

    def _answer(self, peer: Peer, read: Callable[[], SnapshotMessage]) -> None:
        if self._serving[peer.id] >= SERVED_MAX:
            return  # reads outlive connections, so they count on; an excess question is no lie, where this node is slow
        self._serving[peer.id] += 1

        def answered(message: SnapshotMessage) -> None:
            self._serving[peer.id] -= 1
            self._serving += Counter()  # without those that have none
            self._send(peer, message)

        self._reader.do(read, answered, source=peer.id.hex())

    def _manifest(self, height: int) -> SnapshotMessage:
        manifest = self._held.manifest(height)
        if manifest is None or len(manifest.changes) > CHANGES_MAX:
            return Gone(height)
        encoded = manifest.encode()
        return ManifestOf(height, encoded) if len(encoded) <= MANIFEST_BYTES_MAX else Gone(height)

    def _part(self, height: int, bits: int, number: int) -> SnapshotMessage:
        entries = self._held.part(height, bits, number)
        return Gone(height) if entries is None else PartOf(height, number, entries)

    def _send(self, peer: Peer, message: SnapshotMessage) -> None:
        self._mesh.send(peer.id, Channel.SYNC, encode_snapshot_message(message))
