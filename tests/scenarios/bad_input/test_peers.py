"""Bad peers at real nodes: strangers, members that misbehave. Each connection ends with a reason, nothing else does."""

from __future__ import annotations

import secrets
import socket
import ssl
from contextlib import ExitStack

import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from consensus.messages import (
    VotesRequest,
    encode_message,
)
from node.certificates import VALID_FROM, VALID_UNTIL, make_certificate
from node.network import PAYLOAD_MAX, Channel, Credentials
from node.network.frames import encode_hello, encode_pong
from node.network.tls import _load_own
from registry.codec import Value, encode
from registry.transactions.envelope import sign
from tests.cast import EXP_CN, key_of
from tests.scenarios.bad_input.network import (
    OBSERVER,
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
    answered,
    client_context,
    closed,
    dial,
    frame,
    member,
    sent,
)
from tests.scenarios.bad_input.test_words import a_block

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("witness", "healed")]

MIB = 1024 * 1024
KEPT_BYTES_MAX = 40 * MIB
SILENT_COUNT = 100


# --- strangers ------------------------------------------------------------------------------------------------------


def test_what_is_no_tls_is_ended(network: Network, stage: Stage) -> None:
    for data in (bytes(100), b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello", b"SSH-2.0-x\r\n"):
        with socket.create_connection(network.peer_address(stage.node), timeout=10) as made:
            made.sendall(data)
            assert closed(made)
        stage.ended_for("TLS: ")


@hard(25)
@given(data=st.binary(min_size=1, max_size=300))
def test_any_bytes_of_a_stranger_end_or_wait(network: Network, stage: Stage, data: bytes) -> None:
    with socket.create_connection(network.peer_address(stage.node), timeout=10) as made:
        sent(made, [data])
        made.shutdown(socket.SHUT_WR)
        assert closed(made)


def stranger(name: str) -> Credentials:
    seed = secrets.token_bytes(32)
    return Credentials(make_certificate(seed, name), seed)


def issued(network: Network) -> tuple[Credentials, bytes]:
    """A stranger's certificate signed with a member's key, as if that were an authority for certificates."""
    issuer, seed = network.credentials(OBSERVER), secrets.token_bytes(32)
    key = Ed25519PrivateKey.from_private_bytes(seed)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.load_der_x509_certificate(issuer.certificate).subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(VALID_FROM)
        .not_valid_after(VALID_UNTIL)
        .sign(Ed25519PrivateKey.from_private_bytes(issuer.seed), algorithm=None)
    )
    return Credentials(certificate.public_bytes(Encoding.DER), seed), issuer.certificate


def test_strangers_with_tls_are_refused(network: Network, stage: Stage) -> None:
    anonymous = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    anonymous.check_hostname, anonymous.verify_mode = False, ssl.CERT_NONE
    old = client_context(network, network.credentials(OBSERVER))
    old.maximum_version = old.minimum_version = ssl.TLSVersion.TLSv1_2
    forged, _ = issued(network)
    lent = client_context(network, network.credentials(OBSERVER))
    _load_own(lent, forged.certificate, Ed25519PrivateKey.from_private_bytes(forged.seed))  # no honest node would
    contexts = {
        "certificate": anonymous,
        "unsupported protocol": old,
        "self-signed": client_context(network, stranger("f-gb")),  # a member's name, another key
        "invalid CA certificate": lent,
    }
    for reason, context in contexts.items():
        try:
            with dial(network, stage.node, context) as tls:
                sent(tls, [encode_hello(network.genesis.id)])
                assert closed(tls)
        except (ssl.SSLError, ConnectionError):
            pass
        stage.ended_for(reason)


def test_silent_strangers_keep_nobody_out(network: Network, stage: Stage, witness: Witness) -> None:
    with ExitStack() as stack:
        for _ in range(SILENT_COUNT):
            stack.enter_context(socket.create_connection(network.peer_address(stage.node), timeout=10))
        payload = network.payload(EXP_CN, invoice(network.tag()))
        network.submit([sign(payload, network.genesis.id, [key_of(EXP_CN)])], node=stage.node)
        witness.effective(id_of(payload))
        network.finals([id_of(payload)], 1, node=stage.node)
    with stage.connection(OUTSIDER) as tls:  # who comes after them gets in
        assert tls.recv(5)


# --- members that misbehave -----------------------------------------------------------------------------------------

CONTROL, CONSENSUS, SYNC, TRANSACTIONS = map(int, Channel)

BAD_HELLOS = {
    "another network": encode_hello(bytes(32)),
    "protocol version 2": frame(CONTROL, encode(["hello", 2, bytes(32)])),
    "the first frame is not a hello": frame(CONTROL, encode(["hullo", 1, bytes(32)])),
    "control frame: ": frame(CONTROL, b"\xc1"),
    "a frame on consensus where control is due": frame(CONSENSUS, b"vote"),
    "unknown channel 71": b"GET / HTTP/1.1\r\n\r\n"[:4] + b"G",
}


def test_a_member_that_does_not_say_hello_is_ended(network: Network, stage: Stage) -> None:
    for turn, (reason, hello) in enumerate(BAD_HELLOS.items()):
        here = stage.at(turn)
        here.let_in(OUTSIDER)
        with member(network, OBSERVER, here.node, hello=hello) as tls:
            assert closed(tls)
        here.ended_for(reason)


def head(channel: int, length: int) -> bytes:
    """The beginning of a frame that says it is so long."""
    return length.to_bytes(4, "big") + bytes([channel])


BAD_FRAMES: dict[str, tuple[str, bytes, str]] = {
    "no channel": (OUTSIDER, head(9, 2), "unknown channel 9"),
    "nothing at all": (OUTSIDER, bytes(5), "frame of 0 bytes on control"),
    "4 GB": (OUTSIDER, head(CONSENSUS, 2**32 - 1), "frame of 4294967295 bytes on consensus"),
    **{
        f"too long on {channel.name}": (
            OUTSIDER,
            head(channel, PAYLOAD_MAX[channel] + 2),
            f"frame of {PAYLOAD_MAX[channel] + 2} bytes on {channel.name.lower()}",
        )
        for channel in Channel
    },
    "hello again": (OUTSIDER, frame(CONTROL, encode(["hello", 1, bytes(32)])), "neither ping nor pong"),
    "not asked for": (OUTSIDER, encode_pong(7), "a pong without a ping"),
    "no value": (OUTSIDER, frame(CONTROL, b"\xc1"), "control frame: "),
    "sync: no value": (OUTSIDER, frame(SYNC, b"\x82"), "sync: not canonical"),
    "sync: no message": (OUTSIDER, frame(SYNC, encode(["tip", -1])), "not a message of this protocol"),
    "sync: backwards": (OUTSIDER, frame(SYNC, encode(["ask", 9, 3])), "not a message of this protocol"),
    "consensus: no value": (INSIDER, frame(CONSENSUS, b"\xc1"), "consensus message: "),
    "consensus: no message": (INSIDER, frame(CONSENSUS, encode([99])), "message number 99 is not known"),
    "consensus: no vote": (INSIDER, frame(CONSENSUS, encode([2, [1, 2, 3]])), "consensus message: "),
    "consensus: no block": (INSIDER, frame(CONSENSUS, encode([6, b"block"])), "consensus message: "),
    "gossip: no value": (INSIDER, frame(TRANSACTIONS, b"\xc1"), "gossip: "),
    "gossip: nothing": (INSIDER, frame(TRANSACTIONS, encode([])), "gossip: a list of 1 to"),
    "gossip: no bytes": (INSIDER, frame(TRANSACTIONS, encode([1])), "gossip: a transaction is bytes"),
}


@pytest.mark.parametrize("who", [OUTSIDER, INSIDER])
def test_a_member_that_breaks_a_rule_is_ended(stage: Stage, who: str) -> None:
    """At one node after the other, for each holds off whom it has ended, longer each time."""
    frames = [(data, reason) for sender, data, reason in BAD_FRAMES.values() if sender == who]
    for turn, (data, reason) in enumerate(frames):
        stage.at(turn).provoke(who, data, reason)


def test_what_only_authorities_say_is_not_heard_from_an_observer(network: Network, stage: Stage) -> None:
    """It may be an authority from the next height on, so it is not ended for it; and it is not answered."""
    with stage.connection(OUTSIDER) as tls:
        tls.sendall(frame(CONSENSUS, encode_message(VotesRequest(1))) + frame(TRANSACTIONS, encode([b"wire"])))
        answered(tls)  # a ping that comes after: the connection lives, and nothing else was said before


def test_frames_that_break_off_are_forgotten(network: Network, stage: Stage) -> None:
    process = psutil.Process(network.devnet.pid(stage.node))
    before = process.memory_info().rss
    for _ in range(20):
        with stage.connection(OUTSIDER) as tls:
            sent(tls, [head(SYNC, 6 * MIB), bytes(5 * MIB)])
    assert process.memory_info().rss - before < KEPT_BYTES_MAX


def test_a_lie_about_the_height_changes_nothing(network: Network, stage: Stage) -> None:
    with stage.connection(OUTSIDER) as tls:
        tls.sendall(frame(SYNC, encode(["tip", 1, 2**53 - 1])))
        answered(tls)  # so the lie has been heard
        assert network.http.get(f"{network.devnet.url(stage.node)}/v1/ready").status_code == 200
        assert network.devnet.status(stage.node)["lag"] < 10


def test_blocks_that_nobody_asked_for_are_not_taken(network: Network, stage: Stage) -> None:
    height = network.agreed().height + 1
    certificate = encode([3, height, 0, bytes(32), b"\x0f", [bytes(64)] * 4])
    answers: list[Value] = [[[a_block(network, height).encode(), certificate]], [], [[b"", b""]]]
    with stage.connection(OUTSIDER) as tls:
        for answer in answers:
            tls.sendall(frame(SYNC, encode(["blocks", height, answer])))
        answered(tls)
