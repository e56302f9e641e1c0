"""The ledger of the benchmark: `registry.ledger.execute`, block after block, on a state in memory.

What a node does with a transaction is done here too: drafted, signed, opened with its signatures verified, executed.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from dataclasses import replace
from itertools import groupby

from demo_cast import demo_key
from duplicates_firms import Firms
from duplicates_portfolio import Listed

from registry.codec import digest
from registry.fingerprint import register_fingerprints
from registry.genesis import Genesis
from registry.ledger import BlockContext, execute, genesis_state
from registry.limits import NONCE_BYTES
from registry.money import WHOLE
from registry.receipts import Receipt
from registry.records import Receivable
from registry.state import State
from registry.transactions.envelope import Transaction, draft, open_transaction, sign, subject_id
from registry.transactions.operations import Operation
from registry.transactions.receivables import Parent, Register, debtor_commitment

__all__ = ["Book"]

BLOCK = 2000  # registrations in one block
BATCH = 200  # registrations under one signature
STEP_MS = 1000  # from block to block
VALIDITY_MS = 60_000


class Book:
    """A chain without consensus. A fork reads what its origin has and keeps what it does to itself."""

    def __init__(self, genesis: Genesis, firms: Firms) -> None:
        self.genesis = genesis
        self._firms = firms
        self._state: MutableMapping[bytes, bytes] = dict(genesis_state(genesis))
        self._seen: MutableMapping[bytes, None] = {}
        self._height = 0
        self._drafted = 0

    def fork(self) -> Book:
        """A book that begins as this one is now."""
        fork = Book.__new__(Book)
        fork.genesis, fork._firms = self.genesis, self._firms
        fork._height, fork._drafted = self._height, self._drafted
        fork._state, fork._seen = ChainMap({}, self._state), ChainMap({}, self._seen)
        return fork

    @property
    def now_ms(self) -> int:
        """The time of the last block."""
        return self.genesis.created_ms + self._height * STEP_MS

    def register_all(self, listed: Sequence[Listed]) -> Iterator[tuple[int, Register, Receipt]]:
        """Register a portfolio block by block: (place in it, operation, receipt), in the order of execution."""
        ids: dict[int, bytes] = {}
        for start in range(0, len(listed), BLOCK):
            places = range(start, min(start + BLOCK, len(listed)))
            batches: list[tuple[list[int], Transaction]] = []
            by_registrant = sorted(places, key=lambda place: listed[place].registrant)
            for registrant, group in groupby(by_registrant, key=lambda place: listed[place].registrant):
                own = list(group)
                for first in range(0, len(own), BATCH):
                    batch = own[first : first + BATCH]
                    made = self._batch(registrant, batch, listed, ids)
                    ids |= {place: subject_id(made.id, index) for index, place in enumerate(batch)}
                    batches.append((batch, made))
            receipts = iter(self._block([made for _, made in batches]))
            for batch, made in batches:
                for place, operation in zip(batch, made.operations, strict=True):
                    assert isinstance(operation, Register)
                    yield place, operation, next(receipts)

    def registration(self, listed: Listed, parents: tuple[Parent, ...] = ()) -> Register:
        """The operation that registers this, its parties under the ids by which the ledger knows them."""
        written = listed.particulars
        what = replace(written, seller=self._party_id(written.seller), debtor=self._party_id(written.debtor))
        secret = digest(repr(what).encode())
        due = what.due_date
        return Register(
            kind=listed.kind,
            fingerprints=register_fingerprints(self.genesis.fingerprint_key, what),
            commitment=secret,
            debtor_commitment=debtor_commitment(salt=secret, identifier=what.debtor),
            seller_country=self._firms.of(written.seller or written.debtor).country,
            debtor_country=self._firms.of(written.debtor).country,
            laws=(),
            currency=what.currency,
            due_month=due.year * 100 + due.month if due else 0,
            grade="document",
            parents=parents,
        )

    def do(self, party: str, operation: Operation) -> Receipt:
        """One operation in a block of its own."""
        return self._block([self._transaction(party, [operation])])[0]

    def register(self, listed: Listed) -> Receipt:
        """Register one receivable."""
        return self.do(listed.registrant, self.registration(listed))

    def receivable(self, receivable: bytes) -> Receivable:
        """The record of a receivable."""
        found = State(self._state.get).receivable(receivable)
        assert found is not None, "a receipt names a receivable that is not there"
        return found

    def _party_id(self, identifier: str) -> str:
        """The id of the party that has this identifier by the ledger's table of aliases, else the identifier."""
        party = State(self._state.get).party_of_alias(identifier)
        return identifier if party is None else party.id

    def _batch(self, registrant: str, batch: list[int], listed: Sequence[Listed], ids: dict[int, bytes]) -> Transaction:
        here = {place: index for index, place in enumerate(batch)}
        operations: list[Operation] = []
        for place in batch:
            one = listed[place]
            if one.order is None:
                operations.append(self.registration(one))
            else:
                order = here.get(one.order)
                parent = (ids[one.order] if order is None else order, one.part_of_order, WHOLE)
                operations.append(self.registration(one, (parent,)))
        return self._transaction(registrant, operations)

    def _transaction(self, party: str, operations: Sequence[Operation]) -> Transaction:
        chain, key = self.genesis.id, demo_key(party)
        self._drafted += 1
        nonce = self._drafted.to_bytes(NONCE_BYTES, "big")
        payload = draft(chain, [key.public_key], nonce, self.now_ms + VALIDITY_MS, operations)
        return open_transaction(sign(payload, chain, [key]), chain)

    def _block(self, transactions: Iterable[Transaction]) -> tuple[Receipt, ...]:
        transactions = list(transactions)
        self._height += 1
        context = BlockContext(self.genesis.id, self._height, self.now_ms)
        outcome = execute(self._state.get, context, transactions, self._seen.__contains__)
        self._seen.update(dict.fromkeys(transaction.id for transaction in transactions))
        for key, value in outcome.writes.items():
            assert value is not None, "registrations and claims remove nothing"
            self._state[key] = value
        return outcome.receipts
