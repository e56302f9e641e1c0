"""S8: a race within milliseconds, a 2|2 split of four real nodes, replays, and a node that comes back with no disk."""

from __future__ import annotations

import shutil
import threading
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import tomli_w

from clients.errors import ClientError, NotFinal, Refused
from clients.exchange import MSGPACK, Call, Procedure
from clients.session import compose
from clients.transport import Settings, Transport
from node.devnet import Devnet
from registry.codec import encode
from registry.money import WHOLE
from registry.transactions.claims import Reserve
from registry.transactions.envelope import open_transaction, seal
from tests.cast import AUTHORITIES, Cast, key_of, listing, network, offer_to
from tests.wires import Wire

pytestmark = [pytest.mark.processes, pytest.mark.timeout(150)]

SPLIT_S = 20.0  # registry.md 12
SETTLE_S = 40.0
LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Cuttable:
    """Four nodes whose every connection runs over a wire."""

    cast: Cast
    wires: dict[tuple[str, str], Wire]

    def split(self, left: Sequence[str], right: Sequence[str]) -> None:
        for (a, b), wire in self.wires.items():
            if (a in left and b in right) or (a in right and b in left):
                wire.cut()

    def heal(self) -> None:
        for wire in self.wires.values():
            wire.mend()

    def heights(self) -> dict[str, int]:
        return {name: self.cast.devnet.status(name)["height"] for name in AUTHORITIES}

    def state_roots(self) -> dict[str, tuple[int, str]]:
        found = {name: self.cast.devnet.status(name) for name in AUTHORITIES}
        return {name: (status["height"], status["state_root"]) for name, status in found.items()}


@pytest.fixture
def cuttable(tmp_path: Path) -> Iterator[Cuttable]:
    with ExitStack() as stack:
        devnet = stack.enter_context(network(tmp_path / "network"))
        wires = {pair: stack.enter_context(wire) for pair, wire in lay_wires(devnet).items()}
        devnet.start_all()
        yield Cuttable(Cast(devnet), wires)


def lay_wires(devnet: Devnet) -> dict[tuple[str, str], Wire]:
    """One wire per ordered pair, written into the nodes' configurations before they start."""
    addresses = {entry.party: entry.address for entry in devnet.genesis.authorities}
    wires: dict[tuple[str, str], Wire] = {}
    for name in AUTHORITIES:
        path = devnet.config_path(name)
        config = tomllib.loads(path.read_text())
        for other, (party, _) in AUTHORITIES.items():
            if other != name:
                wires[name, other] = Wire(addresses[party])
                config["network"].setdefault("peers", {})[party] = wires[name, other].address
        path.write_text(tomli_w.dumps(config))
    return wires


def until_equal(cuttable: Cuttable) -> str:
    """Waits until all four nodes have one height; their common state root."""
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        seen = set(cuttable.state_roots().values())
        if len(seen) == 1:
            return seen.pop()[1]
        time.sleep(LOOK_EVERY_S)
    raise AssertionError(f"the nodes differ: {cuttable.state_roots()}")


def race(cast: Cast, claims: dict[str, bytes]) -> dict[str, str]:
    """Every financier finances its claim at its own node at once; name -> "ok" or what happened instead."""
    outcome: dict[str, str] = {}
    barrier = threading.Barrier(len(claims))

    def run(name: str, claim: bytes) -> None:
        with cast.financier(name) as client:
            barrier.wait()
            try:
                client.finance(claim)
                outcome[name] = "ok"
            except Refused as refusal:
                outcome[name] = refusal.code
            except (NotFinal, ClientError) as error:
                outcome[name] = type(error).__name__

    threads = [threading.Thread(target=run, args=item) for item in claims.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcome


def test_s8_race_split_replay_and_lost_disk(cuttable: Cuttable) -> None:
    cast = cuttable.cast
    with cast.exporter() as exporter:
        contested = exporter.register(listing("S8-1", 10_000_000)).receivable
        claims = {name: offer_to(exporter, contested, name) for name in ("f-cn", "f-de")}
        split_claims = exporter.register(listing("S8-2", 11_000_000)).receivable
        split_race = {name: offer_to(exporter, split_claims, name) for name in ("f-cn", "f-de")}

    # two reservations within milliseconds at two nodes: one winner
    assert sorted(race(cast, claims).values()) == ["ok", "over_residual"]

    # a 2|2 split: submissions on both sides, nothing becomes final
    until_equal(cuttable)
    cuttable.split(["f-cn", "f-sg"], ["f-de", "f-gb"])
    wires = {name: submit_without_waiting(cast, name, claim) for name, claim in split_race.items()}
    before = cuttable.heights()
    deadline = time.monotonic() + SPLIT_S
    while time.monotonic() < deadline:
        assert cuttable.heights() == before, "something was finalised without a quorum"
        time.sleep(LOOK_EVERY_S)

    # healed: both are decided, one wins
    cuttable.heal()
    codes = sorted(final_code(cast, wire) for wire in wires.values())
    assert codes == ["ok", "over_residual"]
    root = until_equal(cuttable)

    # replays change nothing
    for wire in wires.values():
        for name in AUTHORITIES:
            post(cast, name, wire)
    with cast.exporter() as reader:
        record = reader.receivable(split_claims)
    assert record is not None
    assert sum(live.share for live in record.live) == WHOLE
    assert until_equal(cuttable) == root

    # a node that lost its disk follows to the same state root
    cast.devnet.kill("f-gb")
    shutil.rmtree(cast.devnet.data_dir("f-gb"))
    cast.devnet.start("f-gb")
    cast.devnet.wait_ready("f-gb")
    assert until_equal(cuttable) == root


def submit_without_waiting(cast: Cast, name: str, claim: bytes) -> bytes:
    """A reservation, handed to this financier's own node."""
    genesis, key = cast.devnet.genesis, key_of(AUTHORITIES[name][0])
    made = compose(genesis, [Reserve(claim, 600_000)], signers=[key.public_key])
    wire = seal(made.payload, [made.sign(genesis, key)])
    assert "transaction_id" in post(cast, name, wire)
    return wire


def post(cast: Cast, name: str, wire: bytes) -> dict[str, str]:
    """What this node says of the transaction."""

    def procedure() -> Procedure[dict[str, str]]:
        reply = yield Call("POST", "/v1/transactions", encode([wire]), MSGPACK)
        found: dict[str, str] = reply.json()["results"][0]
        return found

    settings = Settings(urls=(cast.devnet.url(name),), signer=key_of(AUTHORITIES[name][0]))
    with Transport(settings) as transport:
        return transport.run(procedure())


def final_code(cast: Cast, wire: bytes) -> str:
    """The code of a single operation's receipt, as soon as it is final."""
    transaction = open_transaction(wire, cast.devnet.genesis.id)
    deadline = time.monotonic() + SETTLE_S
    with cast.financier("f-sg") as client:
        while time.monotonic() < deadline:
            final = client.transaction(transaction.id, 1)
            if final is not None:
                return final.receipts[0].code
            time.sleep(LOOK_EVERY_S)
    raise AssertionError("not final after the network healed")
