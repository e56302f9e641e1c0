"""What the node's README states of its bounds is what its constants say."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

from consensus import messages, ranges
from consensus.messages import Body, Bundle, HeldVotes, Resend, decode_message, encode_message
from consensus.votes import Kind
from node import intake, mempool, runtime
from node.api import limits
from node.network import PAYLOAD_MAX, connection, holdoff, mesh, outbox
from registry.transactions.claims import Revoke
from registry.transactions.envelope import open_transaction
from tests.consensus.fixtures import GENESIS_ID, authorities_of, block_of, certificate_of, vote_of
from tests.fuzzing.memory import DECODED, MESSAGE, MIB, bound, rows
from tests.node.chainworld import registration, transaction_of
from tests.registry.world import genesis, mark

README = Path(__file__).parents[2] / "node" / "README.md"
KIB = 1024


def test_the_readme_states_what_the_constants_add_up_to() -> None:
    text = " ".join(README.read_text().split())
    whole = bound(peers=4, callers=3)
    assert f"{whole / KIB / MIB:.1f} GiB above a node at rest" in text
    peer, caller = bound(peers=5, callers=3) - whole, bound(peers=4, callers=4) - whole
    assert f"Each further peer adds {peer / MIB:.0f} MiB, each caller {caller / MIB:.0f} MiB" in text


def test_more_peers_and_callers_cost_more_and_nothing_is_free() -> None:
    assert all(row.bytes > 0 for row in rows(peers=1, callers=1))
    assert bound(peers=1, callers=1) < bound(peers=2, callers=1) < bound(peers=2, callers=2)


def test_the_table_states_the_constants() -> None:
    table = [line for line in README.read_text().splitlines() if line.startswith("| ")]
    bounds = mempool.Bounds()
    for stated in (
        f"| HTTP connections | {limits.CONNECTIONS_MAX:,} |",
        f"{limits.HEAD_BYTES_MAX // KIB} KiB, {limits.HEADERS_MAX} headers, within {limits.HEAD_WAIT_S:.0f} s",
        f"| requests ahead of their answers | {limits.PIPELINED_MAX} |",
        f"{limits.SUBMISSION_BYTES_MAX // MIB} MiB for submissions, {limits.BODY_BYTES_MAX // KIB} KiB, within "
        f"{limits.BODY_WAIT_S:.0f} s",
        f"| {limits.BODIES_BYTES_MAX // MIB} MiB | caller: {limits.BODIES_EACH_MAX // MIB} MiB",
        f"| {limits.UNSENT_BYTES_MAX // MIB} MiB; the address",
        f"{limits.UNSENT_RATE_MIN // KIB} KiB/s, looked at every {limits.UNSENT_LOOK_S:.0f} s",
        f"caller: {limits.REQUESTS_EACH_MAX} |",
        f"| {limits.STREAMS_MAX}; a listener",
        f"caller: {limits.STREAMS_EACH_MAX} |",
        f"| {limits.WAITS_MAX:,} | caller: {limits.WAITS_EACH_MAX:,} |",
        f"| reads at a time | {limits.READS_AT_ONCE} |",
        f"| {mesh.HANDSHAKES_MAX}, each within {mesh.TLS_HANDSHAKE_TIMEOUT_S:.0f} s |",
        f"| {mesh.CONNECTIONS_MAX}, of which one is used; hello within {connection.HELLO_TIMEOUT_S:.0f} s |",
        f"ping after {connection.PING_AFTER_S:.0f} s, end after {connection.IDLE_TIMEOUT_S:.0f} s",
        f"| frame | {max(PAYLOAD_MAX.values()) // MIB} MiB",
        f"{messages.SMALL_SIZE_MAX // KIB} KiB, bundles {messages.BUNDLE_SIZE_MAX // MIB} MiB, questions and answers "
        f"without blocks or states {ranges.SMALL_MESSAGE_MAX // KIB} KiB |",
        f"| {connection.FRAMES_AT_ONCE}, then others have their turn |",
        f"{holdoff.HELD_OFF_FIRST_S} s, twice as long each time, at most {holdoff.HELD_OFF_MOST_S / 60:.0f} min; "
        f"forgiven after {holdoff.FORGIVEN_AFTER_S / 60:.0f} min |",
        f"| {outbox.OUTBOX_BYTES_MAX // MIB} MiB, oldest gossip",
        f"| {runtime.WAITING_MAX:,} and {runtime.WAITING_BYTES_MAX // MIB} MiB |",
        f"| {intake.WAITING_BYTES_MAX // MIB} MiB | source: {intake.WAITING_EACH_MAX // MIB} MiB",
        f"| {intake.BAD_MAX}, then the connection ends |",
        f"| {bounds.transactions_max:,} and {bounds.bytes_max // MIB} MiB |",
        f"| {mesh.REFUSALS_LOGGED_PER_S}/s, burst {mesh.REFUSALS_LOGGED_BURST} |",
    ):
        assert any(stated in line for line in table), stated


def cost(decode: Callable[[bytes], object], data: bytes) -> float:
    """Bytes of Python objects that a decoded input keeps, for each of its own."""
    decode(data)  # whatever is made once
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = decode(bytes(bytearray(data)))
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept is not None
    return (after - before) / len(data)


def test_what_is_decoded_costs_no_more_than_is_reckoned_with() -> None:
    four = authorities_of(4)
    tiny = block_of(
        four, height=1, parent=GENESIS_ID, proposer=1, transactions=tuple([n.to_bytes(2, "big") for n in range(4096)])
    )
    skips = tuple(certificate_of(Kind.NULLIFY, 1, view, None, (0,), 4) for view in range(256))
    votes = tuple(vote_of(1, Kind.NULLIFY, 1, view, None) for view in range(32))
    said = [Body(tiny), Resend(1, votes, Bundle(None, skips)), HeldVotes(1, votes)]
    costs = [cost(decode_message, encode_message(message)) for message in said]
    assert max(costs) < MESSAGE, costs
    many = tuple(Revoke(mark(str(number))) for number in range(1_000))
    transactions = [transaction_of("EXP_CN", *many), registration(1)]
    costs = [cost(lambda wire: open_transaction(wire, genesis().id), each.wire) for each in transactions]
    assert max(costs) < DECODED, costs
