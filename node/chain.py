"""The chain of one node: joins what consensus decides to what the registry executes, and makes it durable.

    build    make a block on the tip                      execute, take the roots
    check    is somebody else's block good?               execute, compare the roots
    commit   a certified block becomes final here         execute (unless done above), compare, one synced batch

All calls come from one thread; readers take snapshots of the store (see `views`). The outcome of a block is remembered
by its hash from `build` or `check` to `commit`, so that a block is executed once. State is only ever that of the tip:
after a crash at any moment the store shows the last batch whole or not at all, and `open` goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from consensus.authorities import AuthoritySet
from consensus.blocks import BLOCK_SIZE_MAX, HEADER_SIZE_MAX, TRANSACTIONS_MAX, VERSION, Block, Header
from consensus.errors import ConsensusError
from consensus.light import verify_header
from consensus.votes import Certificate
from node.authorities import (
    MemberNode,
    authority_set,
    judge_of,
    member_nodes,
    network_of,
    set_of,
    stored_set,
    touches_members,
)
from node.cache import OpenedCache, StateCache
from node.errors import GenesisMismatch, Inconsistent, StoreError, UpgradeNeeded
from node.index import block_entries
from node.layout import (
    AUTHORITIES,
    BLOCK,
    CONSENSUS,
    GENESIS_KEY,
    HEIGHT,
    JOINING_KEY,
    LAYOUT_VERSION,
    PAGE,
    TIP_KEY,
    TRANSACTION,
    VERSION_KEY,
    HeightRecord,
    at_height,
    log_key,
    read_state,
    state_puts,
)
from node.recovery import Tip, initialise, read_tip
from node.store import Store
from registry.codec import decode, encode
from registry.errors import CodecError, InvalidBlock, TransactionError
from registry.genesis import Genesis
from registry.ledger import BlockContext, Outcome, execute
from registry.merkle import tree
from registry.merkle.hashing import path_of
from registry.merkle.log import CompactRange, completed_nodes, entry_hash
from registry.merkle.pages import PageCache
from registry.order import DRAWN_FROM, in_order, seed_of
from registry.parties import Party
from registry.reasons import REASONS
from registry.records import Network
from registry.rules.parties import signing_party
from registry.state import NETWORK_KEY, key_key, party_key
from registry.transactions.envelope import Transaction, admissible

__all__ = ["CLOCK_TOLERANCE_MS", "Chain", "Committed", "Tip"]

CLOCK_TOLERANCE_MS = 2_000  # a fresh proposal further from this node's clock is not notarized (consensus.md 4)
PARTIES_DECODED_MAX = 4_096  # by their stored bytes
PATHS_MAX = 16_384  # of state keys: more than a block reads and writes, each asked for several times
EXECUTED_MAX = 4  # blocks of the next height whose outcome is remembered: one per leader and retry
_OVERHEAD_BYTES = HEADER_SIZE_MAX + 64  # of a block beside its transactions
_WIRE_OVERHEAD_BYTES = 5  # MessagePack's longest head of a byte string


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A block that has just become final on this node's disk; `transactions` are the ids, in order."""

    height: int
    block_hash: bytes
    timestamp_ms: int
    outcome: Outcome
    transactions: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class _Executed:
    """The outcome of a block on the tip, ready to be compared with a header and written."""

    transactions: tuple[Transaction, ...]
    outcome: Outcome
    update: tree.TreeUpdate
    next_authorities: AuthoritySet


class Chain:
    """See the module. Made by `Chain.open`."""

    def __init__(
        self,
        store: Store,
        genesis: Genesis,
        tip: Tip,
        history: CompactRange,
        recent: tuple[bytes, ...],
        *,
        known_version: int = VERSION,
    ) -> None:
        self._known_version = known_version
        self._store = store
        self._genesis = genesis
        self._path_of = lru_cache(PATHS_MAX)(path_of)
        self._state = StateCache(partial(read_state, store, path_of=self._path_of))
        self._pages = PageCache(lambda key: store.get(PAGE + key))
        self._opened = OpenedCache(genesis.id)
        self._history = history  # of all header hashes up to the tip's
        self._recent = recent  # its last leaves below the tip's: of these the order of the next block is drawn
        self._executed: dict[bytes, _Executed] = {}
        self._judge = judge_of(genesis.id)
        self.tip = tip
        self.authorities = self._set_after({})
        """In force at the height above the tip."""
        self.members: tuple[MemberNode, ...] = member_nodes(self._state.get)
        """The nodes let in, as of the tip."""

    @classmethod
    def open(cls, store: Store, genesis: Genesis, *, known_version: int = VERSION) -> Chain:
        """The chain in this store; an empty store begins at genesis. The software knows versions to `known_version`.

        Raises `GenesisMismatch` for another network's store, `StoreDamaged` or `Inconsistent` if tip, state and
        history do not belong together, `UpgradeNeeded` if the next block is of a version that is not known.
        """
        if store.get(JOINING_KEY) is not None:
            raise StoreError('the data folder holds a part of a state: start the node with sync = "snapshot"')
        if store.get(GENESIS_KEY) is None:
            initialise(store, genesis)
        found = store.get(GENESIS_KEY)
        if found != genesis.id:
            raise GenesisMismatch(
                f"the data folder belongs to the network {(found or b'').hex()}, the genesis file says"
                f" {genesis.id.hex()}: use the right genesis file, or another data_dir"
            )
        if store.get(VERSION_KEY) != LAYOUT_VERSION:
            raise StoreError("the data folder was written by another version of nemodat: use that version")
        tip, history, recent = read_tip(store, genesis)
        chain = cls(store, genesis, tip, history, recent, known_version=known_version)
        if tree.root(chain._pages) != tip.state_root:
            raise Inconsistent(f"height {tip.height}: the state tree on disk is not the one the header names")
        named = authority_set(genesis).digest if tip.header is None else tip.header.next_authorities
        if chain.authorities.digest != named:
            raise Inconsistent(f"height {tip.height}: the authorities on disk are not those the header names")
        chain._version()
        return chain

    @property
    def network(self) -> Network:
        """The network's record, as of the tip."""
        stored = self._state.get(NETWORK_KEY)
        assert stored is not None, "the state of a genesis has the network's record"
        return network_of(stored)

    def read(self, key: bytes) -> bytes | None:
        """The value under a state key, as of the tip."""
        return self._state.get(key)

    # --- transactions -----------------------------------------------------------------------------------------------

    def opened(self, wire: bytes) -> Transaction:
        """The transaction in these bytes, signatures verified once. Raises `TransactionError`."""
        return self._opened.open(wire)

    def is_final(self, transaction_id: bytes) -> bool:
        """Whether a final block has this transaction."""
        return self._store.get(TRANSACTION + transaction_id) is not None

    def admitted(self, transaction: Transaction, *, now_ms: int) -> str:
        """The party that a transaction counts for, if it may wait for a block here: closed by default, unknown keys
        cost nothing. It is the first signer's.

        Raises `TransactionError`: `unknown_party`, `suspended`, `replayed`, `expired` or `too_far_ahead` (by the later
        of this node's clock, milliseconds UTC, and the tip's time), or `unknown_operation` in the version in force.
        """
        parties: list[str] = []
        for index, key in enumerate(transaction.signers):
            party = signing_party(self._owner_of(key), key, transaction, self.authorities)
            if isinstance(party, str):
                raise TransactionError(party, f"signers[{index}]", REASONS[party])
            parties.append(party.id)
        timestamp_ms, version = max(now_ms, self.tip.timestamp_ms), self.network.version_at(self.tip.height + 1)
        admissible(transaction, timestamp_ms=timestamp_ms, version=version, seen=self.is_final)
        return parties[0]

    # --- blocks -----------------------------------------------------------------------------------------------------

    def build(self, transactions: Sequence[Transaction], *, proposer: bytes, now_ms: int) -> Block:
        """A block on the tip of those transactions that may stand in it; its outcome is remembered.

        Given in the order in which they are to be taken, they stand in the order of `registry.order`. If they are more
        work than a block may be, the last in that order wait; the first that was given never does.
        """
        timestamp_ms = max(now_ms, self.tip.timestamp_ms + 1)
        chosen = self._choose(transactions, timestamp_ms)
        executed = self._execute(self._in_order(chosen), timestamp_ms)
        if chosen and chosen[0] not in executed.transactions:
            executed = self._execute(chosen[:1], timestamp_ms)
        header = self._header(executed, proposer=proposer, timestamp_ms=timestamp_ms)
        block = Block(header, _wires(executed))
        self._remember(block.hash, executed)
        return block

    def check(self, block: Block, *, now_ms: int | None) -> str | None:
        """Why this block may not follow the tip, or None if it may. `now_ms` None leaves out the clock rule.

        Executes the block unless that was done; a good one's outcome is remembered.
        """
        header = block.header
        if now_ms is not None and abs(header.timestamp_ms - now_ms) > CLOCK_TOLERANCE_MS:
            return f"timestamp_ms: {header.timestamp_ms - now_ms} ms from this node's clock"
        known = self._executed.get(block.hash)
        if known is not None and block.transactions == _wires(known):
            return None
        if (reason := self._check_header(header) or self._check_size(block)) is not None:
            return reason
        try:
            transactions = [self.opened(wire) for wire in block.transactions]
            if sum(len(each.operations) for each in transactions) > self._genesis.parameters.block_operations_max:
                return "transactions: more operations than genesis allows in a block"
            if transactions != self._in_order(transactions):
                return "transactions: not in the order that the ledger's rule gives them"
            executed = self._execute(transactions, header.timestamp_ms)
            if len(executed.transactions) < len(transactions):
                return "transactions: more work than a block may be"
        except TransactionError as error:
            return f"transactions: {error}"
        except InvalidBlock as error:
            return f"transactions: {error}"
        mine = self._header(executed, proposer=header.proposer, timestamp_ms=header.timestamp_ms)
        for root in ("transactions_root", "results_root", "state_root", "history_root", "next_authorities"):
            if getattr(mine, root) != getattr(header, root):
                return f"{root}: {getattr(header, root).hex()}, executed here it is {getattr(mine, root).hex()}"
        self._remember(block.hash, executed)
        return None

    def commit(self, block: Block, certificate: bytes, *, puts: Mapping[bytes, bytes | None]) -> Committed:
        """Make a block final, with its FINALIZE certificate (canonical bytes) and `puts` (whole keys under `c/`).

        One atomic synced batch: after it everything is there, before it nothing. Raises `Inconsistent` if the block is
        not the next one, not certified, or comes out differently here: the node must halt.
        """
        proof = self._check_final(block, certificate)
        reason = self.check(block, now_ms=None)
        if reason is not None:
            raise Inconsistent(f"height {block.header.height}: a certified block is refused here: {reason}")
        assert all(key.startswith(CONSENSUS) for key in puts), "only the engine's record is written with a block"
        executed = self._executed[block.hash]
        assert block.transactions == _wires(executed), "what was executed is what is written"
        header = block.header
        leaf = entry_hash(block.hash)
        history = self._history.append(leaf)
        batch = self._batch(block, certificate, executed)
        batch.update((log_key(level, index), node) for level, index, node in completed_nodes(self._history, leaf))
        batch[TIP_KEY] = encode([header.height, history.encode()])
        batch.update(puts)
        self._store.write(batch, sync=True)
        self._state.commit(executed.outcome.writes)
        self._pages.commit(executed.update.pages)
        self._executed.clear()
        self._history = history
        if self.tip.height:
            self._recent = (*self._recent, entry_hash(self.tip.block_hash))[-DRAWN_FROM:]
        self.authorities = executed.next_authorities
        if touches_members(executed.outcome.writes):
            self.members = member_nodes(self._state.get)
        self.tip = Tip(
            height=header.height,
            block_hash=block.hash,
            header=header,
            certificate=proof,
            state_root=header.state_root,
            timestamp_ms=header.timestamp_ms,
        )
        return Committed(
            height=header.height,
            block_hash=block.hash,
            timestamp_ms=header.timestamp_ms,
            outcome=executed.outcome,
            transactions=tuple([transaction.id for transaction in executed.transactions]),
        )

    # --- inside -----------------------------------------------------------------------------------------------------

    def _choose(self, transactions: Sequence[Transaction], timestamp_ms: int) -> list[Transaction]:
        """Those that may stand in a block of this time, as many as fit, in order."""
        operations_left = self._genesis.parameters.block_operations_max
        bytes_left = min(self._genesis.parameters.block_bytes_max, BLOCK_SIZE_MAX) - _OVERHEAD_BYTES
        chosen: dict[bytes, Transaction] = {}
        version = self._version()

        def seen(transaction_id: bytes) -> bool:
            return transaction_id in chosen or self.is_final(transaction_id)

        for transaction in transactions:
            try:
                admissible(transaction, timestamp_ms=timestamp_ms, version=version, seen=seen)
            except TransactionError:
                continue  # who waits for it hears of that from the pool, where it expires
            operations_left -= len(transaction.operations)
            bytes_left -= len(transaction.wire) + _WIRE_OVERHEAD_BYTES
            if operations_left < 0 or bytes_left < 0 or len(chosen) == TRANSACTIONS_MAX:
                break
            chosen[transaction.id] = transaction
        return list(chosen.values())

    def _in_order(self, transactions: Sequence[Transaction]) -> list[Transaction]:
        """The order in which these stand in the block above the tip."""
        seed = seed_of(self._genesis.id, self.tip.height + 1, self._recent)

        def party_of(key: bytes) -> str | None:
            party = self._owner_of(key)
            return None if party is None else party.id

        return in_order(seed, transactions, party_of)

    def _execute(self, transactions: Sequence[Transaction], timestamp_ms: int) -> _Executed:
        """What these, as many as a block has room for, do to the state of the tip. Raises `InvalidBlock`."""
        context = BlockContext(self._genesis.id, self.tip.height + 1, timestamp_ms)
        outcome = execute(self._state.get, context, transactions, self.is_final, self._judge)
        update = tree.update(self._pages, outcome.writes, self._path_of)
        done = tuple(transactions[: outcome.executed])
        return _Executed(done, outcome, update, self._set_after(outcome.writes))

    def _set_after(self, writes: Mapping[bytes, bytes | None]) -> AuthoritySet:
        """The set in force at the height after a block that writes this to the state of the tip."""
        network = writes.get(NETWORK_KEY) or self._state.get(NETWORK_KEY)
        assert network is not None, "the state of a genesis has the network's record"
        return set_of(network)

    def _version(self) -> int:
        """The protocol version of the block above the tip. Raises `UpgradeNeeded` if it is not known here."""
        height = self.tip.height + 1
        version = self.network.version_at(height)
        if version > self._known_version:
            raise UpgradeNeeded(
                f"from height {height} on this network makes blocks of protocol version {version}, this software knows"
                f" versions up to {self._known_version}: install a newer version of nemodat and start the node again"
            )
        return version

    def _header(self, executed: _Executed, *, proposer: bytes, timestamp_ms: int) -> Header:
        """The only header that a block with this outcome can have on the tip."""
        return Header(
            version=self._version(),
            genesis_id=self._genesis.id,
            height=self.tip.height + 1,
            parent=self.tip.block_hash,
            proposer=proposer,
            timestamp_ms=timestamp_ms,
            transactions_root=executed.outcome.transactions_root,
            results_root=executed.outcome.results_root,
            state_root=executed.update.root,
            history_root=self._history.root(),
            authorities=self.authorities.digest,
            next_authorities=executed.next_authorities.digest,
        )

    def _check_header(self, header: Header) -> str | None:
        """Why a header may not follow the tip, as far as that shows without executing."""
        if header.genesis_id != self._genesis.id:
            return "genesis_id: another chain's"
        if header.version != (version := self._version()):
            return f"version: {header.version}, in force is {version}"
        if header.height != self.tip.height + 1 or header.parent != self.tip.block_hash:
            return f"parent: does not follow the tip at height {self.tip.height}"
        if header.timestamp_ms <= self.tip.timestamp_ms:
            return "timestamp_ms: not later than the parent's"
        if header.proposer not in self.authorities:
            return "proposer: not an authority of this height"
        if header.authorities != self.authorities.digest:
            return "authorities: not the set in force"
        return None

    def _check_size(self, block: Block) -> str | None:
        size = len(block.encode())
        if size > self._genesis.parameters.block_bytes_max:
            return f"block: {size} bytes, genesis allows {self._genesis.parameters.block_bytes_max}"
        return None

    def _check_final(self, block: Block, certificate: bytes) -> Certificate:
        """The certificate, if it makes this block final. Raises `Inconsistent`."""
        try:
            proof = Certificate.from_value(decode(certificate))
            verify_header(self._genesis.id, self.authorities, block.header, proof)
        except (ConsensusError, CodecError) as error:
            raise Inconsistent(f"height {block.header.height}: committed without a certificate: {error}") from error
        return proof

    def _batch(self, block: Block, certificate: bytes, executed: _Executed) -> dict[bytes, bytes | None]:
        """Block, certificate, state, tree pages, receipts and indexes."""
        height, outcome = block.header.height, executed.outcome
        record = HeightRecord(block.hash, block.header.encode(), certificate)
        batch = state_puts(outcome.writes, self._path_of)
        batch.update([(PAGE + key, page) for key, page in executed.update.records()])
        batch.update(block_entries(height, executed.transactions, outcome.results, outcome.events))
        batch[at_height(BLOCK, height)] = block.encode()
        batch[at_height(HEIGHT, height)] = record.encode()
        if executed.next_authorities != self.authorities:
            batch[at_height(AUTHORITIES, height)] = stored_set(executed.next_authorities)
        return batch

    def _remember(self, block_hash: bytes, executed: _Executed) -> None:
        self._executed[block_hash] = executed
        if len(self._executed) > EXECUTED_MAX:
            del self._executed[next(iter(self._executed))]

    def _owner_of(self, key: bytes) -> Party | None:
        party_id = self._state.get(key_key(key))
        if party_id is None:
            return None
        party = self._state.get(party_key(_party_id(party_id)))
        assert party is not None, "a party with a key is in the state"
        return _party(party)


def _wires(executed: _Executed) -> tuple[bytes, ...]:
    return tuple([transaction.wire for transaction in executed.transactions])


@lru_cache(maxsize=PARTIES_DECODED_MAX)
def _party_id(stored: bytes) -> str:
    """The party id that is stored under a key."""
    name = decode(stored)
    assert isinstance(name, str), "a key in the state names its party"
    return name


@lru_cache(maxsize=PARTIES_DECODED_MAX)
def _party(stored: bytes) -> Party:
    """The party of these stored bytes."""
    return Party.decode(decode(stored))
