"""How much memory strangers and members can make a node take, computed from its own bounds.

Each row is what may be held at one time, in bytes of input, times what a byte costs once it is Python objects (rounded
up). The sum is what `scripts/fuzz --node` compares the process with.
"""

from __future__ import annotations

from dataclasses import dataclass

from consensus.following import ARRIVED_BYTES_MAX
from node.api import limits
from node.cache import OPENED_BYTES_MAX, STATE_VALUES_MAX
from node.intake import WAITING_BYTES_MAX
from node.mempool import Bounds
from node.network import PAYLOAD_MAX
from node.network.connection import WRITE_BUFFER_HIGH
from node.network.mesh import HANDSHAKES_MAX
from node.network.outbox import OUTBOX_BYTES_MAX
from node.runtime import WAITING_BYTES_MAX as CONSENSUS_BYTES_MAX
from node.store.leveldb import BLOCK_CACHE_BYTES, WRITE_BUFFER_BYTES
from registry.merkle.pages import BRANCHES_CACHED_MAX, BUCKETS_CACHED_MAX

__all__ = ["MIB", "Row", "bound", "rows"]

MIB = 1024 * 1024
READ_BYTES = 256 * 1024  # of a socket, in one go
TLS_BYTES = 2 * READ_BYTES  # of a handshake, or of a connection beside its frames
DECODED = 10  # a transaction of many small operations, as Python objects: `cache.OPENED_BYTES_MAX`
MESSAGE = 13  # a block of the smallest transactions, as Python objects
ANSWER_BYTES = 150 * MIB  # the largest answer while it is made: 25 MB of JSON and the objects that it is of
STATE_VALUE_BYTES = 4 * 1024
NAME_BYTES = 300
NONCE_BYTES = 110


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that may be held, how that is bounded, and its bytes."""

    what: str
    how: str
    bytes: int


def rows(*, peers: int, callers: int) -> tuple[Row, ...]:
    """Everything, for a node with so many other members, and so many callers that sign requests as fast as they may."""
    connection = limits.HEAD_BYTES_MAX + 2 * READ_BYTES
    frame = max(PAYLOAD_MAX.values()) + READ_BYTES
    pool = Bounds().bytes_max
    return (
        Row(
            "HTTP connections before anybody is known",
            "connections x (head + two reads)",
            limits.CONNECTIONS_MAX * connection,
        ),
        Row("bodies of requests", "all bodies x 3: received, joined, decoded", 3 * limits.BODIES_BYTES_MAX),
        Row("answers being made", "reads at once x the largest answer", limits.READS_AT_ONCE * ANSWER_BYTES),
        Row("answers that nobody reads", "all, and one more", limits.UNSENT_BYTES_MAX + 25 * MIB),
        Row("transactions to be verified", "intake", WAITING_BYTES_MAX),
        Row("transactions that wait for a block", f"pool x {DECODED}: wire and objects", pool * DECODED),
        Row("transactions verified lately", f"cache x {DECODED}", OPENED_BYTES_MAX * DECODED),
        Row("TLS handshakes", "handshakes x two reads", HANDSHAKES_MAX * TLS_BYTES),
        Row("incoming frames", "members x a frame", peers * (frame + TLS_BYTES)),
        Row("outgoing frames", "members x outbox", peers * (OUTBOX_BYTES_MAX + WRITE_BUFFER_HIGH)),
        Row("consensus messages", "members x waiting, as they came", peers * CONSENSUS_BYTES_MAX),
        Row("the consensus message being handled", f"a frame x {MESSAGE}", max(PAYLOAD_MAX.values()) * MESSAGE),
        Row("blocks being fetched", "arrived, and an answer of each member", ARRIVED_BYTES_MAX + peers * frame),
        Row("rates of callers and addresses", "names x 2", 2 * limits.NAMES_MAX * NAME_BYTES),
        Row("nonces of requests", "callers x 2 windows", callers * 2 * limits.CALLER_NONCES_MAX * NONCE_BYTES),
        Row("values of the state", "cache", STATE_VALUES_MAX * STATE_VALUE_BYTES),
        Row("store", "LevelDB's buffers and cache", 2 * WRITE_BUFFER_BYTES + BLOCK_CACHE_BYTES),
        Row("state tree", "pages in the cache", BRANCHES_CACHED_MAX * 1_100 + BUCKETS_CACHED_MAX * 700),
    )


def bound(*, peers: int, callers: int) -> int:
    """The sum, in bytes; a node at rest comes on top."""
    return sum(row.bytes for row in rows(peers=peers, callers=callers))
