"""What waits to be sent to one peer, bounded. Pure; no sockets here.

Frames leave by channel, lowest first, in order within a channel: a vote never waits behind gossip. When the bound is
reached the oldest gossip goes: the sender keeps every transaction in its own pool anyway. If it is still exceeded the
peer does not read at all, and the connection is given up; the engine is never made to wait.
"""

from __future__ import annotations

from collections import deque

from node.network.frames import Channel

__all__ = ["FRAME_COST_BYTES", "OUTBOX_BYTES_MAX", "Outbox"]

OUTBOX_BYTES_MAX = 32 * 1024 * 1024  # bytes that may wait for one peer
FRAME_COST_BYTES = 64  # of memory, for each frame that waits, however small it is


class Outbox:
    """Frames that wait for one peer, with their total size bounded by `bytes_max`."""

    __slots__ = ("_bytes_max", "_queues", "dropped", "size")

    def __init__(self, *, bytes_max: int = OUTBOX_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._queues: dict[Channel, deque[bytes]] = {channel: deque() for channel in Channel}
        self.size = 0  # bytes waiting, with what each frame costs beside them
        self.dropped = 0  # gossip frames dropped so far

    def put(self, channel: Channel, frame: bytes) -> bool:
        """Let `frame` wait. False: even without gossip too much waits, the peer is lost."""
        self._queues[channel].append(frame)
        self.size += _size(frame)
        gossip = self._queues[Channel.TRANSACTIONS]
        while self.size > self._bytes_max and gossip:
            self.size -= _size(gossip.popleft())
            self.dropped += 1
        return self.size <= self._bytes_max

    def take(self) -> bytes | None:
        """The frame to send next, or None when nothing waits."""
        for queue in self._queues.values():
            if queue:
                frame = queue.popleft()
                self.size -= _size(frame)
                return frame
        return None


def _size(frame: bytes) -> int:
    return len(frame) + FRAME_COST_BYTES
