"""A small world for tests of the ledger: four authorities, exporters, debtors, a regulator, and a chain of blocks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from registry.codec import decode, digest, encode
from registry.errors import CodecError
from registry.genesis import AuthorityEntry, Genesis, Parameters
from registry.keys import SigningKey, prove_possession
from registry.ledger import BlockContext, Outcome, execute, genesis_state
from registry.money import WHOLE
from registry.parties import Party
from registry.receipts import Receipt
from registry.records import Claim, Proposal, Receivable, decode_record
from registry.reference import described
from registry.rules.verdicts import Accusation
from registry.state import claim_key, key_key, party_key, proposal_key, receivable_key
from registry.transactions.authorities import SeatAuthority
from registry.transactions.claims import Fund, Offer, Reserve
from registry.transactions.envelope import EACH, Transaction, draft, open_transaction, sign, subject_id
from registry.transactions.fields import NO_PROOF, Ref
from registry.transactions.governance import Admit, Approve, Change, Propose, ReplaceOwnerKey, admission
from registry.transactions.operations import Operation
from registry.transactions.parties import AddKey, Recover
from registry.transactions.receivables import Register, debtor_commitment

PERCENT = WHOLE // 100
START_MS = 1_780_000_000_000
STEP_MS = 1_000

# name -> (identifier, country, roles); the LEIs of registry.md 12
MEMBERS = {
    "F_CN": ("lei:984500CNFACTOR000128", "CN", ("authority", "financier")),
    "F_SG": ("lei:984500SGBANK00000120", "SG", ("authority", "financier")),
    "F_DE": ("lei:984500DEBANK00000124", "DE", ("authority", "financier")),
    "F_GB": ("lei:984500GBBANK00000140", "GB", ("authority", "financier")),
    "F_BR": ("lei:984500BRBANK00000175", "BR", ("financier",)),
    "EXP_CN": ("lei:984500TJEXPORT000197", "CN", ("exporter",)),
    "EXP_VN": ("lei:984500VNEXPORT000180", "VN", ("exporter", "debtor")),
    "IMP_DE": ("lei:984500DEIMPORT000108", "DE", ("debtor",)),
    "IMP_AE": ("lei:984500AEIMPORT000133", "AE", ("debtor",)),
}
AUTHORITIES = ("F_CN", "F_SG", "F_DE", "F_GB")


@cache
def key_of(name: str) -> SigningKey:
    """The signing key of a member, always the same for a name."""
    key = SigningKey.from_seed(digest(b"sign " + name.encode()))
    _MADE[key.public_key] = key
    return key


_MADE: dict[bytes, SigningKey] = {}  # the keys of `key_of`, by their public halves


def proved(operation: Operation, chain_id: bytes, sender: str) -> Operation:
    """The operation with the proofs of the new keys in it, where it has none and the keys are of `key_of`.

    `sender` is the id of the party that brings them. A proof that is wrong on purpose stays.
    """
    match operation:
        case AddKey(key, proof) if key in _MADE and proof == NO_PROOF:
            return AddKey(key, prove_possession(_MADE[key], chain_id, sender, "add_key"))
        case Recover(keys, receive, ()) if set(keys) <= set(_MADE):
            proofs = tuple(prove_possession(_MADE[key], chain_id, sender, "recover") for key in keys)
            return Recover(keys, receive, proofs)
        case Propose(change):
            return Propose(proved_change(change, chain_id))
    return operation


def proved_change(change: Change, chain_id: bytes) -> Change:
    """As `proved`, of a change."""
    match change:
        case Admit(party, ()) if {*party.sign_keys, party.owner_key} <= set(_MADE):
            return admission(party, [_MADE[key] for key in (*party.sign_keys, party.owner_key)], chain_id)
        case ReplaceOwnerKey(party_id, key, proof) if key in _MADE and proof == NO_PROOF:
            return ReplaceOwnerKey(party_id, key, prove_possession(_MADE[key], chain_id, party_id, change.NAME))
        case SeatAuthority(party_id, key, certificate, address, proof) if key in _MADE and proof == NO_PROOF:
            proof = prove_possession(_MADE[key], chain_id, party_id, change.NAME)
            return SeatAuthority(party_id, key, certificate, address, proof)
    return change


def party_of(name: str, identifier: str, country: str, roles: tuple[str, ...], **more: object) -> Party:
    """A party that signs with `key_of(name)`."""
    fields: dict[str, object] = {
        "id": identifier,
        "name": name,
        "country": country,
        "identifiers": (identifier,),
        "roles": roles,
        "sign_keys": (key_of(name).public_key,),
        "owner_key": key_of(f"owner {name}").public_key,
    }
    return Party(**(fields | more))  # type: ignore[arg-type]


@cache
def genesis() -> Genesis:
    """The genesis of this world."""
    return Genesis(
        name="test",
        created_ms=START_MS,
        authorities=tuple(
            AuthorityEntry(
                party=MEMBERS[name][0],
                consensus_key=key_of(f"consensus {name}").public_key,
                transport_certificate=name.encode(),
                address=f"{name.lower().replace('_', '-')}.example:7001",
            )
            for name in AUTHORITIES
        ),
        observers=(),
        parties=tuple(party_of(name, *entry) for name, entry in MEMBERS.items()),
        parameters=Parameters(),
        fingerprint_key=bytes(32),
    )


def name_id(name: str) -> str:
    """The party id of a member."""
    return MEMBERS[name][0]


def invoice(tag: str, **changes: object) -> Register:
    """A registration with fingerprints of its own; `tag` makes it unlike others."""
    fields: dict[str, object] = {
        "kind": "invoice",
        "fingerprints": (("exact", mark(f"exact {tag}")), ("number", mark(f"number {tag}"))),
        "commitment": mark(f"commitment {tag}"),
        "debtor_commitment": debtor_commitment(salt=salt_of(tag), identifier=name_id("IMP_DE")),
        "seller_country": "CN",
        "debtor_country": "DE",
        "laws": ("CN", "DE"),
        "currency": "USD",
        "due_month": 202607,
        "grade": "document",
    }
    return Register(**(fields | changes))  # type: ignore[arg-type]


def mark(text: str) -> bytes:
    """32 bytes that stand for something."""
    return digest(text.encode())


def salt_of(tag: str) -> bytes:
    """The salt under which `invoice(tag)` commits to its debtor."""
    return mark(f"salt {tag}")


class World:
    """A chain without consensus: every block is what the test says, executed on what the last one left."""

    def __init__(self) -> None:
        self.genesis = genesis()
        self.state: dict[bytes, bytes] = dict(genesis_state(self.genesis))
        self.height = 0
        self.now_ms = START_MS
        self.seen: set[bytes] = set()
        self.last: Outcome | None = None
        self._nonce = 0

    def transaction(
        self, signers: str | Sequence[str], *operations: Operation, mode: str = EACH, valid_ms: int = 60_000
    ) -> Transaction:
        """A signed and opened transaction of these members, by name ("F_CN" or several)."""
        names = [signers] if isinstance(signers, str) else list(signers)
        keys = [key_of(name) for name in names]
        self._nonce += 1
        sender = self.state.get(key_key(keys[0].public_key))
        party = "" if sender is None else str(decode(sender))
        operations = tuple(proved(operation, self.genesis.id, party) for operation in operations)
        payload = draft(
            self.genesis.id,
            [key.public_key for key in keys],
            self._nonce.to_bytes(16, "big"),
            self.now_ms + STEP_MS + valid_ms,
            operations,
            mode,
        )
        return open_transaction(sign(payload, self.genesis.id, keys), self.genesis.id)

    def block(self, transactions: Iterable[Transaction], *, after_ms: int = STEP_MS) -> Outcome:
        """Execute one more block and keep what it does."""
        transactions = list(transactions)
        context = BlockContext(self.genesis.id, self.height + 1, self.now_ms + after_ms)
        outcome = execute(self.state.get, context, transactions, self.seen.__contains__, judge)
        self.height, self.now_ms = context.height, context.timestamp_ms
        self.seen |= {transaction.id for transaction in transactions}
        for key, value in outcome.writes.items():
            if value is None:
                del self.state[key]
            else:
                self.state[key] = value
        self.last = outcome
        operations = [operation for transaction in transactions for operation in transaction.operations]
        for operation, receipt in zip(operations, outcome.receipts, strict=True):  # the reference leaves none out
            assert receipt.code == "ok" or receipt.code in described(operation.NAME).reasons, (operation, receipt)
        return outcome

    def do(self, signers: str | Sequence[str], *operations: Operation, mode: str = EACH) -> list[Receipt]:
        """One transaction in a block of its own; its receipts."""
        return list(self.block([self.transaction(signers, *operations, mode=mode)]).receipts)

    def one(self, signers: str | Sequence[str], operation: Operation) -> Receipt:
        """One operation in a block of its own; its receipt."""
        return self.do(signers, operation)[0]

    def govern(self, change: Change) -> bytes:
        """A change by the first quorum of the authorities, in force when this returns; the proposal's id."""
        proposed = self.one("F_CN", Propose(change))
        assert proposed.code == "ok", proposed
        for name in AUTHORITIES[1:]:
            receipt = self.one(name, Approve(proposed.subject))
            assert receipt.code == "ok", receipt
            if decode_record(Proposal, self.state[proposal_key(proposed.subject)]).state == "in_force":
                return proposed.subject
        raise AssertionError("these are no quorum")

    def party(self, name: str) -> Party:
        """The record of a member."""
        return Party.decode(decode(self.state[party_key(name_id(name))]))

    def registered(self, tag: str, *, by: str = "EXP_CN", **changes: object) -> bytes:
        """Register `invoice(tag)`; its id."""
        receipt = self.one(by, invoice(tag, **changes))
        assert receipt.code == "ok", receipt
        return receipt.subject

    def offered(
        self, receivable: bytes, *, to: str = "F_CN", percent: int = 80, by: str = "EXP_CN", days: int = 1
    ) -> bytes:
        """Offer a share to a financier; the claim's id."""
        until = self.now_ms + days * 86_400_000
        receipt = self.one(by, Offer(receivable, name_id(to), percent * PERCENT, mark("terms"), until))
        assert receipt.code == "ok", receipt
        return receipt.subject

    def reserved(self, receivable: bytes, *, to: str = "F_CN", percent: int = 80, by: str = "EXP_CN") -> bytes:
        """Offer and reserve; the claim's id."""
        claim = self.offered(receivable, to=to, percent=percent, by=by)
        receipt = self.one(to, Reserve(claim, 600_000))
        assert receipt.code == "ok", receipt
        return claim

    def funded(
        self,
        receivable: bytes,
        *,
        to: str = "F_CN",
        percent: int = 80,
        by: str = "EXP_CN",
        acknowledged: tuple[Ref, ...] = (),
    ) -> bytes:
        """Offer, reserve and fund; the claim's id."""
        claim = self.reserved(receivable, to=to, percent=percent, by=by)
        receipt = self.one(to, Fund(claim, acknowledged))
        assert receipt.code == "ok", receipt
        return claim

    def receivable(self, receivable: bytes) -> Receivable:
        """The record of a receivable."""
        return decode_record(Receivable, self.state[receivable_key(receivable)])

    def claim(self, claim: bytes) -> Claim:
        """The record of a claim."""
        return decode_record(Claim, self.state[claim_key(claim)])

    def has_party(self, identifier: str) -> bool:
        """Whether this party is on the ledger."""
        return party_key(identifier) in self.state

    def heard(self, kind: str) -> list[tuple[bytes, tuple[str, ...], str]]:
        """The events of a kind in the last block: subject, parties, detail."""
        assert self.last is not None
        return [(event.subject, event.parties, event.detail) for event in self.last.events if event.kind == kind]


def evidence(name: str, height: int) -> bytes:
    """What `judge` takes as proof that the consensus key of this member was misused at a height."""
    return encode([key_of(f"consensus {name}").public_key, height])


def judge(data: bytes) -> Accusation | None:
    """A judge without consensus: it believes what `evidence` makes, and nothing else."""
    try:
        match decode(data):
            case [bytes(key), int(height)]:
                return Accusation(key, height)
    except CodecError:
        pass
    return None


def created(transaction: Transaction, operation: int = 0) -> bytes:
    """The id of what an operation of a transaction creates."""
    return subject_id(transaction.id, operation)
