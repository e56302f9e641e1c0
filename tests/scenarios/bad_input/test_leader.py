"""A leader whose consensus key was stolen proposes blocks that may not be; the others pass over it and go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from clients.verify import Trust
from consensus.blocks import Block, Header, transactions_root
from consensus.messages import Bundle, Proposal, encode_message
from consensus.votes import Kind, Vote, signed_bytes
from node.keystore import load_key
from node.network import Channel
from registry.codec import encode
from registry.keys import DOMAIN_VOTE, SigningKey
from registry.merkle import log
from registry.transactions.envelope import seal, sign
from tests.cast import AUTHORITIES, EXP_CN, key_of
from tests.scenarios.bad_input.network import POLL_S, VALID_MS, Network, done, id_of, invoice, now_ms
from tests.scenarios.bad_input.peers import frame, member

pytestmark = pytest.mark.processes

ROBBED = "f-gb"
OTHERS = tuple(name for name in AUTHORITIES if name != ROBBED)
TOLD_WITHIN_S = 10.0


@pytest.fixture
def key(network: Network) -> Iterator[SigningKey]:
    """The consensus key of an authority that does not run meanwhile."""
    home = network.devnet.folder / ROBBED
    passphrase = (home / "passphrase").read_bytes().strip()
    network.devnet.stop(ROBBED)
    yield load_key(home / "keys" / "consensus.json", passphrase, kind="consensus").signing_key
    network.devnet.start(ROBBED)
    network.devnet.wait_ready(ROBBED)
    network.agreed()


def registration(network: Network) -> bytes:
    """The payload of a good transaction."""
    return network.payload(EXP_CN, invoice(network.tag()))


def signed(network: Network, payload: bytes) -> bytes:
    return sign(payload, network.genesis.id, [key_of(EXP_CN)])


def turn_of(network: Network, key: SigningKey) -> Header:
    """Go on until this key leads the next height; the newest final header."""
    authorities = Trust(network.genesis).authorities
    while True:
        newest = Header.decode(bytes.fromhex(network.ask("GET", "/v1/blocks/latest").json()["header"]))
        if authorities.leader(newest.height + 1, 0).public_key == key.public_key:
            network.agreed(OTHERS)
            return newest
        a_final_one(network)


def proposal(network: Network, key: SigningKey, header: Header, transactions: tuple[bytes, ...]) -> bytes:
    """The frame with the leader's signed proposal of this block."""
    block = Block(replace(header, transactions_root=transactions_root(transactions)), transactions)
    said = signed_bytes(Kind.NOTARIZE, header.height, 0, block.hash)
    signature = key.sign(DOMAIN_VOTE, network.genesis.id, said)
    vote = Vote(Kind.NOTARIZE, header.height, 0, block.hash, key.public_key, signature)
    return frame(Channel.CONSENSUS, encode_message(Proposal(vote, block, Bundle(None, ()))))


def a_final_one(network: Network) -> bytes:
    payload = registration(network)
    network.submit([signed(network, payload)], node="f-cn")
    done(network.finals([id_of(payload)], 1)[0])
    return signed(network, payload)


def expired(network: Network) -> bytes:
    fields = [
        1,
        network.genesis.id,
        [key_of(EXP_CN).public_key],
        bytes(16),
        now_ms() - VALID_MS,
        "each",
        [["revoke", 0]],
    ]
    return signed(network, encode(fields))  # type: ignore[arg-type]


BAD_BLOCKS: dict[str, Callable[[Network], tuple[bytes, ...]]] = {
    "transactions: malformed": lambda network: (b"no transaction",),
    "transactions: bad_signature": lambda network: (seal(registration(network), [bytes(64)]),),
    "expired": lambda network: (expired(network),),
    "replayed": lambda network: (a_final_one(network),),
    "state_root: ": lambda network: (),
    "results_root: ": lambda network: (signed(network, registration(network)),),
}


def test_blocks_that_may_not_be_are_passed_over(network: Network, key: SigningKey) -> None:
    for reason, make in BAD_BLOCKS.items():
        transactions = make(network)
        newest = turn_of(network, key)
        header = replace(
            newest,
            height=newest.height + 1,
            parent=newest.hash,
            proposer=key.public_key,
            timestamp_ms=max(now_ms(), newest.timestamp_ms + 1),
            results_root=log.root([]),
            state_root=bytes(32),
        )
        since = {name: network.log_size(name) for name in OTHERS}
        bad = proposal(network, key, header, transactions)
        with ExitStack() as stack:
            stolen = [stack.enter_context(member(network, ROBBED, name)) for name in OTHERS]
            for connection in stolen:
                connection.sendall(bad)
            payload = registration(network)
            network.submit([signed(network, payload)], node="f-de")
            told(network, since, reason)
            for name in OTHERS:
                done(network.finals([id_of(payload)], 1, node=name)[0])
        agreed = network.agreed(OTHERS)
        assert network.ledger(header.height, agreed.height) == [id_of(payload)]
    assert not any(network.devnet.status(name)["accused"] for name in OTHERS)


def told(network: Network, since: dict[str, int], reason: str) -> None:
    """Return when a node's log says why it refused a proposal. Who hears of enough refusals first need not look."""
    deadline = time.monotonic() + TOLD_WITHIN_S
    while True:
        entries = [entry for name, start in since.items() for entry in network.log(name, start)]
        said = [str(entry["reason"]) for entry in entries if entry["event"] == "proposal refused"]
        if any(reason in each for each in said):
            return
        assert time.monotonic() < deadline, (reason, said)
        time.sleep(POLL_S)
