"""Bad gossip, and words in consensus that nobody signed, from an authority whose certificate was stolen."""

from __future__ import annotations

import itertools
import secrets
import ssl
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.blocks import Block, Header, transactions_root
from consensus.messages import (
    BlockRequest,
    Body,
    Bundle,
    Decided,
    DecidedRequest,
    HeldVotes,
    Message,
    Proposal,
    Resend,
    VotesRequest,
    encode_message,
)
from consensus.votes import Certificate, Kind, Vote
from node.network import Channel
from registry.codec import encode
from registry.transactions.claims import Revoke
from registry.transactions.envelope import seal, sign
from tests.cast import AUTHORITIES, EXP_CN, key_of
from tests.scenarios.bad_input.network import (
    Network,
    Witness,
    hard,
    id_of,
    invoice,
)
from tests.scenarios.bad_input.peers import (
    INSIDER,
    OUTSIDER,
    Stage,
    frame,
    member,
    sent,
)
from tests.scenarios.bad_input.test_transactions import bad_envelopes

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("witness", "healed")]

TURNS = itertools.count()  # whom a node has ended it lets in again after a while: another node is next
FLOOD_VOTES = 8_000
RECORD_BYTES = 16_000  # of TLS: what is read in one go
CONTROL, CONSENSUS, SYNC, TRANSACTIONS = map(int, Channel)


# --- gossip ---------------------------------------------------------------------------------------------------------


def test_good_transactions_among_bad_ones_in_gossip_are_taken(network: Network, witness: Witness, stage: Stage) -> None:
    payload = network.payload(EXP_CN, invoice(network.tag()))
    bad = [wire for wire, _, _ in bad_envelopes(network).values() if len(wire) < 1_000]
    wires = [*bad[:10], sign(payload, network.genesis.id, [key_of(EXP_CN)]), *bad[10:]]
    gossip = frame(TRANSACTIONS, encode(wires))
    assert len(gossip) < RECORD_BYTES
    with stage.connection(INSIDER, gossip):
        witness.effective(id_of(payload))
        network.finals([id_of(payload)], 1, node=stage.thieves[INSIDER])
    assert any(entry["event"] == "bad transactions in gossip" for entry in network.log(stage.node, stage.since))


def test_who_gossips_too_much_that_is_bad_is_ended(network: Network, stage: Stage) -> None:
    payload = network.payload(EXP_CN, Revoke(0))
    gossip = frame(TRANSACTIONS, encode([seal(payload, [secrets.token_bytes(64)]) for _ in range(50)]))
    assert len(gossip) < RECORD_BYTES
    stage.provoke(INSIDER, gossip, "passes on bad transactions")


def test_what_is_final_is_not_taken_again_by_gossip(network: Network, stage: Stage, witness: Witness) -> None:
    payload = network.payload(EXP_CN, invoice(network.tag()))
    wire = sign(payload, network.genesis.id, [key_of(EXP_CN)])
    network.submit([wire])
    witness.effective(id_of(payload))
    network.finals([id_of(payload)], 1, node=stage.node)
    for node in AUTHORITIES:
        if node != stage.thieves[INSIDER]:
            with member(network, stage.thieves[INSIDER], node) as tls:
                sent(tls, [frame(TRANSACTIONS, encode([wire] * 50))] * 20)


# --- consensus ------------------------------------------------------------------------------------------------------


def a_block(network: Network, height: int, transactions: tuple[bytes, ...] = ()) -> Block:
    """A block that nobody voted for, over a state that nobody has."""
    header = Header(
        genesis_id=network.genesis.id,
        height=height,
        parent=secrets.token_bytes(32),
        proposer=network.genesis.authorities[3].consensus_key,
        timestamp_ms=int(time.time() * 1000),
        transactions_root=transactions_root(transactions),
        results_root=bytes(32),
        state_root=secrets.token_bytes(32),
        history_root=bytes(32),
        authorities=bytes(32),
        next_authorities=bytes(32),
    )
    return Block(header, transactions)


@st.composite
def messages(draw: st.DrawFn, network: Network, tip: int) -> Message:
    """Messages of the right form, near the height in progress, whose signatures are nobody's."""
    height = draw(st.sampled_from([1, max(1, tip), tip + 1, tip + 1, tip + 1, tip + 2, tip + 1_000, 2**53 - 1]))
    view = draw(st.sampled_from([0, 0, 1, 2, 50, 2**53 - 1]))
    signature = st.binary(min_size=64, max_size=64)
    signers = st.sampled_from([each.consensus_key for each in network.genesis.authorities] + [bytes(32)])
    block = a_block(network, height, tuple(draw(st.lists(st.binary(min_size=1, max_size=20), max_size=2))))
    kind = draw(st.sampled_from(list(Kind)))
    subject = None if kind is Kind.NULLIFY else draw(st.sampled_from([block.hash, bytes(32)]))
    vote = Vote(kind, height, view, subject, draw(signers), draw(signature))

    def certificate(of: Kind, about: bytes | None) -> Certificate:
        members = draw(st.sampled_from([b"\x0f", b"\x07", b"\x01", b"\xff", b"\x0f\x00"]))
        count = draw(st.sampled_from([bin(members[0]).count("1"), 0, 3]))
        return Certificate(of, height, view, about, members, tuple(draw(signature) for _ in range(count)))

    skips = tuple(certificate(Kind.NULLIFY, None) for _ in range(draw(st.integers(0, 2))))
    bundle = Bundle(certificate(Kind.NOTARIZE, block.hash) if draw(st.booleans()) else None, skips)
    own = Vote(Kind.NOTARIZE, height, view, block.hash, draw(signers), draw(signature))
    choices: list[Message] = [
        vote,
        Proposal(own, block, bundle),
        certificate(kind, subject),
        Resend(height, (vote,), bundle),
        Decided(block, certificate(Kind.FINALIZE, block.hash)),
        Body(block),
        HeldVotes(height, (vote, own)),
        DecidedRequest(height),
        BlockRequest(height, block.hash),
        VotesRequest(height),
    ]
    return draw(st.sampled_from(choices))


@hard(40)
@given(data=st.data())
def test_words_that_nobody_signed_decide_nothing(network: Network, stage: Stage, data: st.DataObject) -> None:
    tip = network.devnet.status(stage.node)["height"]
    said = data.draw(st.lists(messages(network, tip), min_size=1, max_size=12))
    frames = b"".join(frame(CONSENSUS, encode_message(each)) for each in said)
    with stage.at(next(TURNS)).connection(INSIDER, frames) as tls:
        assert tls.recv(5)


@hard(40)
@given(
    who=st.sampled_from([OUTSIDER, INSIDER]),
    frames=st.lists(st.tuples(st.integers(0, 5), st.binary(max_size=200)), min_size=1, max_size=5),
)
def test_any_frames_of_a_member(stage: Stage, who: str, frames: list[tuple[int, bytes]]) -> None:
    data = b"".join(frame(channel, payload) for channel, payload in frames)
    with stage.at(next(TURNS)).connection(who, data) as tls:
        assert tls.recv(5)


def test_a_flood_of_words_holds_nobody_up(network: Network, stage: Stage, witness: Witness) -> None:
    height = network.devnet.status(stage.node)["height"] + 1
    signers = [each.consensus_key for each in network.genesis.authorities]
    votes = [
        Vote(Kind.NULLIFY, height, view, None, signer, secrets.token_bytes(64))
        for view in range(2)
        for signer in signers
        for _ in range(FLOOD_VOTES // 8)
    ]
    flood = b"".join(frame(CONSENSUS, encode_message(vote)) for vote in votes)
    payload = network.payload(EXP_CN, invoice(network.tag()))
    with stage.connection(INSIDER) as tls:
        sent(tls, [flood])
        network.submit([sign(payload, network.genesis.id, [key_of(EXP_CN)])], node=stage.node)
        witness.effective(id_of(payload))
        network.finals([id_of(payload)], 1, node=stage.node)


def test_the_words_of_others_sent_again_out_of_turn_decide_nothing(
    network: Network, stage: Stage, witness: Witness
) -> None:
    """What a node says is kept and said again to the others, in another's name, later and in reverse."""
    heard = b""
    with stage.connection(INSIDER) as tls:
        payload = network.payload(EXP_CN, invoice(network.tag()))
        network.submit([sign(payload, network.genesis.id, [key_of(EXP_CN)])], node=stage.node)
        witness.effective(id_of(payload))
        network.finals([id_of(payload)], 1, node=stage.node)
        tls.settimeout(0.2)
        try:
            while part := tls.recv(65_536):
                heard += part
        except (TimeoutError, ssl.SSLError, ConnectionError):
            pass
    frames = list(cut(heard))
    for node in ("f-sg", "f-de"):
        with member(network, stage.thieves[INSIDER], node) as tls:
            sent(tls, [frame(channel, content) for channel, content in frames[::-1] if channel != CONTROL] * 3)


def cut(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The whole frames in these bytes."""
    while len(data) >= 5 and len(data) >= 4 + (size := int.from_bytes(data[:4], "big")):
        yield data[4], data[5 : 4 + size]
        data = data[4 + size :]
