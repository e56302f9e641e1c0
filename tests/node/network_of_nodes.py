"""Whole nodes in one event loop: real TLS on loopback, real engine, real ledger, stores in memory."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from consensus.blocks import VERSION
from consensus.engine import Engine
from node.certificates import VALID_FROM, VALID_UNTIL, make_certificate
from node.clock import clock_ms
from node.devnet import free_ports
from node.mempool import Bounds
from node.network import Credentials
from node.node import Identity, Node
from node.store import MemoryStore, Store
from node.views import open_view
from registry.genesis import AuthorityEntry, Genesis, ObserverEntry, Parameters
from registry.keys import SigningKey
from registry.parties import Party
from registry.receipts import Receipt
from registry.transactions.envelope import draft, sign
from registry.transactions.governance import Approve, Change, Propose
from registry.transactions.operations import Operation
from registry.transactions.receivables import Register
from tests.conftest import eventually

_COUNTER = itertools.count(1)


def seed(*parts: object) -> bytes:
    from hashlib import sha256

    return sha256(repr(parts).encode()).digest()


def signing_key(party: str) -> SigningKey:
    return SigningKey.from_seed(seed("sign", party))


def owner_key(party: str) -> SigningKey:
    return SigningKey.from_seed(seed("owner", party))


def party(number: int, *roles: str) -> Party:
    body = f"9845{number:014d}"
    digits = "".join(str(int(char, 36)) for char in body + "00")
    lei = f"lei:{body}{98 - int(digits) % 97:02d}"
    return Party(
        id=lei,
        name=f"Party {number}",
        country="DE",
        identifiers=(lei,),
        roles=roles,
        sign_keys=(signing_key(lei).public_key,),
        owner_key=owner_key(lei).public_key,
    )


def identity_of(name: str, consensus: SigningKey | None) -> Identity:
    transport = seed("transport", name)
    return Identity(name=name, transport=Credentials(make_certificate(transport, name), transport), consensus=consensus)


def forged_certificate(public_key: bytes) -> bytes:
    """A certificate that shows somebody else's Ed25519 key: to make one, its public half is enough."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "observer")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(Ed25519PublicKey.from_public_bytes(public_key))
        .serial_number(1)
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_UNTIL)
        .sign(Ed25519PrivateKey.from_private_bytes(seed("forger")), algorithm=None)
        .public_bytes(Encoding.DER)
    )


@dataclass
class Member:
    """A node that may or may not run."""

    name: str
    identity: Identity
    address: str
    store: Store = field(default_factory=MemoryStore)
    node: Node | None = None
    make_engine: Callable[..., Engine] = Engine


class Net:
    """n authorities and some observers."""

    def __init__(self, authorities: int = 4, observers: int = 0, parameters: Parameters | None = None) -> None:
        ports = free_ports(authorities + observers)
        self.members: list[Member] = []
        for number, port in enumerate(ports):
            name = f"{'authority' if number < authorities else 'observer'} {number}"
            consensus = SigningKey.from_seed(seed("consensus", number)) if number < authorities else None
            self.members.append(Member(name, identity_of(name, consensus), f"127.0.0.1:{port}"))
        parties = [party(number, "authority", "financier") for number in range(authorities)]
        self.exporter = party(100, "exporter")
        self.genesis = Genesis(
            name="test",
            created_ms=clock_ms() - 1000,
            authorities=tuple(
                AuthorityEntry(
                    party=owner.id,
                    consensus_key=member.identity.consensus.public_key,
                    transport_certificate=member.identity.transport.certificate,
                    address=member.address,
                )
                for owner, member in zip(parties, self.members, strict=False)
                if member.identity.consensus is not None
            ),
            observers=tuple(
                ObserverEntry(
                    party=parties[0].id,
                    transport_certificate=member.identity.transport.certificate,
                    address=member.address,
                )
                for member in self.members
                if member.identity.consensus is None
            ),
            parties=(*parties, self.exporter),
            parameters=parameters or Parameters(base_ms=150, heartbeat_ms=60_000),
            fingerprint_key=bytes(32),
        )

    async def start(self, *numbers: int, keep_ms: int | None = None, known_version: int = VERSION) -> None:
        for member in self._chosen(numbers):
            member.node = Node(
                genesis=self.genesis,
                identity=member.identity,
                store=member.store,
                bounds=Bounds(),
                addresses={},
                keep_ms=keep_ms,
                make_engine=member.make_engine,
                known_version=known_version,
            )
            await member.node.start(member.address)

    async def stop(self, *numbers: int, failed: bool = False) -> None:
        """Stop these (without numbers: all), which have `failed` or have not."""
        for member in self._chosen(numbers):
            if member.node is not None:
                await member.node.stop()
                assert member.node.failed.done() is failed, member.node.failed
                member.node = None

    def __getitem__(self, number: int) -> Node:
        node = self.members[number].node
        assert node is not None
        return node

    @property
    def running(self) -> list[Node]:
        return [member.node for member in self.members if member.node is not None]

    def _chosen(self, numbers: Sequence[int]) -> list[Member]:
        return [self.members[number] for number in numbers] if numbers else self.members

    def newcomer(self) -> Member:
        """One more node, with keys of its own, which genesis has not heard of."""
        name = f"newcomer {len(self.members)}"
        consensus = SigningKey.from_seed(seed("consensus", name))
        self.members.append(Member(name, identity_of(name, consensus), f"127.0.0.1:{free_ports(1)[0]}"))
        return self.members[-1]

    async def do(self, sender: str, *operations: Operation, through: int = 0) -> list[Receipt]:
        """A transaction of a party through one node; its receipts, once it is final there."""
        key, nonce = signing_key(sender), secrets.token_bytes(16)
        payload = draft(self.genesis.id, [key.public_key], nonce, clock_ms() + 600_000, list(operations))
        service = self[through].service
        (result,) = await service.submit([sign(payload, self.genesis.id, [key])], by="test")
        assert isinstance(result, bytes), result
        assert await service.wait_final(result, 20.0)
        with service.snapshot() as reader:
            answer = open_view(reader).receipts(result)
        return [Receipt.decode(bytes.fromhex(each["receipt"])) for each in answer["receipts"]]

    async def govern(self, change: Change, *, through: int = 0) -> int:
        """A change by as many authorities as it needs, in the order of their seats; the height it was made at."""
        service = self[through].service
        parties = [member.name for member in service.ledger.authorities]
        (proposed,) = await self.do(parties[0], Propose(change), through=through)
        assert proposed.code == "ok", proposed
        for party_id in parties[1 : service.ledger.authorities.quorum]:
            (receipt,) = await self.do(party_id, Approve(proposed.subject), through=through)
            assert receipt.code == "ok", receipt
        return service.ledger.tip.height

    def registration(self, *, valid_for_ms: int = 600_000) -> bytes:
        """A signed transaction that registers a new receivable of the exporter."""
        key = signing_key(self.exporter.id)
        number = next(_COUNTER)
        operation = Register(
            kind="invoice",
            fingerprints=(("exact", seed("fingerprint", number)),),
            commitment=seed("commitment", number),
            debtor_commitment=seed("debtor", number),
            seller_country="CN",
            debtor_country="DE",
            laws=("DE",),
            currency="EUR",
            due_month=202712,
            grade="document",
        )
        payload = draft(
            self.genesis.id, [key.public_key], secrets.token_bytes(16), clock_ms() + valid_for_ms, [operation]
        )
        return sign(payload, self.genesis.id, [key])

    async def until_height(self, height: int, *, patience_s: float = 20.0) -> None:
        await eventually(
            lambda: all(node.service.ledger.tip.height >= height for node in self.running), patience_s=patience_s
        )

    async def until_agreed(self, *, patience_s: float = 20.0) -> bytes:
        """The state root that all running nodes share."""
        await eventually(
            lambda: len({node.service.ledger.tip.block_hash for node in self.running}) == 1, patience_s=patience_s
        )
        return self.running[0].service.ledger.tip.state_root


@contextlib.asynccontextmanager
async def running(net: Net) -> AsyncIterator[Net]:
    """All members of `net` from start to stop."""
    try:
        await net.start()
        yield net
    finally:
        await asyncio.wait_for(net.stop(), 20)
