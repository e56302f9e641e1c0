"""What the API sees of a node: submit, wait, read, listen, ask how it is. Knows nothing of HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, TypedDict

from node.checkpoints import Checkpoints
from node.clock import clock_ms
from node.hub import Heard, Hub
from node.intake import Intake, Submitted
from node.ledger import Ledger
from node.network import Mesh
from node.runtime import Runtime
from node.store import Reader, Store
from node.sync import Synchroniser
from node.watch import Watch
from registry.errors import TransactionError
from registry.genesis import Genesis
from registry.inclusion import InclusionReceipt, give_receipt
from registry.keys import Signer

__all__ = ["NodeService", "PeerReport", "Role", "Status"]

Role = Literal["authority", "observer"]
READY_LAG_MAX = 100  # heights behind what enough connected authorities claim


class PeerReport(TypedDict):
    """One other member of the network.

    `votes_in_time` is the part of the latest certificates that hold its vote (0 to 1; observers: None): a member that
    is missing from most is slow. `failed_views` counts the views it led that a quorum gave up since this process began.
    """

    name: str
    role: str
    connected: bool
    height: int | None
    round_trip_ms: float | None
    votes_in_time: float | None
    failed_views: int
    last_error: str


class ViewReport(TypedDict):
    """A view that a quorum gave up: where, whose turn it was, when (ms UTC)."""

    height: int
    view: int
    leader: str
    at_ms: int


class ProtocolReport(TypedDict):
    """Protocol versions: of the next block, the newest that this software knows, and what is scheduled (else null)."""

    version: int
    known: int
    next_version: int | None
    from_height: int | None


class Status(TypedDict):
    """How a node is. `lag` is in heights behind what enough connected authorities claim.

    `alarm` says why it has stopped voting, whose checkpoint contradicts its chain, why it cannot catch up or whom it
    waits for: as many of these as are so, or empty.
    """

    name: str
    role: str
    genesis_id: str
    height: int
    block_hash: str
    state_root: str
    tip_timestamp_ms: int
    tip_age_ms: int
    view: int | None
    voting: bool
    alarm: str
    mempool: int
    mempool_bytes: int
    gossip_dropped: int
    store_engine: str
    lag: int
    sync_blocks_per_s: float
    accused: list[str]
    protocol: ProtocolReport
    view_changes: list[ViewReport]
    peers: list[PeerReport]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeService:
    """The one handle on a running node. There is no `runtime` and no `intake` on one without a consensus key."""

    name: str
    genesis: Genesis
    store: Store
    ledger: Ledger
    mesh: Mesh
    hub: Hub
    sync: Synchroniser
    checkpoints: Checkpoints
    runtime: Runtime | None
    intake: Intake | None
    watch: Watch
    signers: tuple[Signer, ...]
    known_version: int

    @property
    def genesis_id(self) -> bytes:
        """The chain id."""
        return self.genesis.id

    @property
    def role(self) -> Role:
        """Whether this node is an authority's at this height, and has a key to vote with."""
        return "observer" if self.runtime is None or self.mesh.me.role != "authority" else "authority"

    async def submit(self, wires: Sequence[bytes], *, by: str) -> list[Submitted]:
        """Verify, pool and gossip what the caller `by` sends; one id or error each. Idempotent.

        Observers refuse: `read_only`.
        """
        if self.intake is None or self.role == "observer":
            reason = "this node is an observer: submit to an authority"
            return [TransactionError("read_only", "transaction", reason) for _ in wires]
        return await self.intake.submit(wires, by=by)

    async def wait_final(self, transaction_id: bytes, timeout_s: float) -> bool:
        """Whether the transaction is final, or becomes so in time. Raises `TooManyWaiters`."""
        if self.ledger.is_final(transaction_id):
            return True
        return await self.hub.final(transaction_id, timeout_s=timeout_s)

    def is_pending(self, transaction_id: bytes) -> bool:
        """Whether the transaction waits in this node's pool."""
        return transaction_id in self.ledger.pool

    def inclusion(self, transaction_id: bytes) -> InclusionReceipt | None:
        """This authority's receipt for a transaction that waits here; None if none does, or this is no authority.

        A signature takes 0.1 ms: many are made in another thread than the event loop's.
        """
        waiting = self.ledger.pool.get(transaction_id)
        signer = next((each for each in self.signers if each.public_key in self.ledger.authorities), None)
        if waiting is None or signer is None:
            return None
        height, until_ms = self.ledger.tip.height, waiting.valid_until_ms
        return give_receipt(signer, self.genesis_id, transaction_id, height=height, valid_until_ms=until_ms)

    def snapshot(self) -> AbstractContextManager[Reader]:
        """Final state as it is now, for `node.views`."""
        return self.store.snapshot()

    def subscribe(self, parties: Collection[str] | None) -> AsyncIterator[Heard]:
        """Events that concern one of `parties` (None: all) from now on, until the reader falls behind."""
        return self.hub.subscribe(parties)

    def ready(self) -> bool:
        """Whether clients are well served here: in contact with more authorities than may lie, and not far behind."""
        authorities = self.ledger.authorities
        others = [member for member in authorities if member.public_key != self.mesh.me.id]
        in_contact = sum(peer.role == "authority" for peer in self.mesh.connected()) > authorities.f or not others
        return in_contact and self._lag() <= READY_LAG_MAX and not self.sync.alarm

    def status(self) -> Status:
        """How this node is, for operators."""
        tip, runtime, pool = self.ledger.tip, self.runtime, self.ledger.pool
        return {
            "name": self.name,
            "role": self.role,
            "genesis_id": self.genesis_id.hex(),
            "height": tip.height,
            "block_hash": tip.block_hash.hex(),
            "state_root": tip.state_root.hex(),
            "tip_timestamp_ms": tip.timestamp_ms,
            "tip_age_ms": max(0, clock_ms() - tip.timestamp_ms),
            "view": None if runtime is None else runtime.view,
            "voting": runtime is not None and runtime.votes,
            "alarm": self._alarm(),
            "mempool": len(pool),
            "mempool_bytes": pool.size_bytes,
            "gossip_dropped": 0 if self.intake is None else self.intake.dropped,
            "store_engine": self.store.engine,
            "lag": self._lag(),
            "sync_blocks_per_s": self.sync.progress().blocks_per_s,
            "accused": [] if runtime is None else sorted(key.hex() for key in runtime.accused),
            "protocol": self._protocol(),
            "view_changes": self._view_changes(),
            "peers": self._peers(),
        }

    def _alarm(self) -> str:
        stopped = "" if self.runtime is None else self.runtime.alarm
        return "; ".join(filter(None, (stopped, self.checkpoints.alarm, self.sync.alarm)))

    def _lag(self) -> int:
        progress = self.sync.progress()
        return max(0, progress.target - progress.height)

    def _protocol(self) -> ProtocolReport:
        network, height = self.ledger.network, self.ledger.tip.height + 1
        ahead = network.next_from > height
        return {
            "version": network.version_at(height),
            "known": self.known_version,
            "next_version": network.next_version if ahead else None,
            "from_height": network.next_from if ahead else None,
        }

    def _view_changes(self) -> list[ViewReport]:
        names = {peer.id: peer.name for peer in self.mesh.directory.members}
        return [
            {
                "height": each.height,
                "view": each.view,
                "leader": names.get(each.leader, each.leader.hex()),
                "at_ms": each.at_ms,
            }
            for each in self.watch.view_changes
        ]

    def _peers(self) -> list[PeerReport]:
        return [
            {
                "name": status.peer.name,
                "role": status.peer.role,
                "connected": status.connected,
                "height": self.sync.claim(status.peer),
                "round_trip_ms": status.round_trip_ms,
                "votes_in_time": self.watch.votes_in_time(status.peer.id) if status.peer.role == "authority" else None,
                "failed_views": self.watch.failed_views[status.peer.id],
                "last_error": status.last_error,
            }
            for status in self.mesh.status()
        ]
