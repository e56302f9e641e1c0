"""Who keeps a checkpoint refuses what leaked keys of a retired set sign, at every height: below it, at it and above."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from clients import reads
from clients.base import Client
from clients.changes import following
from clients.checkpoints import checked, read_checkpoints, written_checkpoints
from clients.cli import certificates, context
from clients.errors import ClientError, ProofInvalid
from clients.exchange import Procedure, Reply
from clients.history import ancestor
from clients.session import Session
from clients.verify import Trust
from consensus.authorities import AuthoritySet
from consensus.blocks import Header
from consensus.checkpoints import Checkpoint, KeptCheckpoint, cosign
from consensus.errors import CheckpointError
from consensus.light import Change, Reign
from node.store import MemoryStore
from node.views import open_view
from registry.codec import encode
from registry.keys import SigningKey
from registry.merkle.log import prove_inclusion, root
from registry.transactions.authorities import SeatAuthority, UnseatAuthority
from registry.transactions.governance import Admit
from tests.clients.test_light import searched
from tests.consensus.fixtures import GENESIS_ID, finality_of, header_of, set_of
from tests.node.test_authorities import FIFTH, Following
from tests.node.test_checkpoints import KEY, supervised
from tests.registry.world import AUTHORITIES, genesis, key_of, mark, name_id

OLD, NEW, OTHERS = set_of(0, 1, 2, 3), set_of(4, 5, 6, 7), set_of(0, 1, 8, 9)
RETIRED = 50  # the last height of OLD: its keys leak later
HEIGHT = 100  # of the checkpoint
OBSERVER = SigningKey.from_seed(b"o" * 32)
GENESIS: Any = SimpleNamespace(
    id=GENESIS_ID,
    observers=(SimpleNamespace(checkpoint_key=OBSERVER.public_key),),
    authorities=[SimpleNamespace(party=one.name, consensus_key=one.public_key) for one in OLD],
    parameters=SimpleNamespace(heartbeat_ms=2**52),  # the blocks here are of 1970
)


def with_history(header: Header, below: list[bytes]) -> Header:
    """The same header over this history: the hashes of all blocks below it."""
    return replace(header, history_root=root(below))


def kept(header: Header) -> KeptCheckpoint:
    return KeptCheckpoint(cosign(GENESIS_ID, header, OBSERVER), header)


def shown(header: Header, authorities: AuthoritySet) -> dict[str, Any]:
    """The header as a node shows it, signed by a quorum of a set."""
    finality = encode(finality_of(header, authorities).to_value())
    return {"header": header.encode().hex(), "finality": finality.hex()}


def history_of(headers: dict[int, Header], size: int) -> list[bytes]:
    """What a header's `history_root` covers: these headers at their heights, any others between them."""
    return [headers[height].hash if height in headers else b"%d" % height for height in range(1, size + 1)]


LOW = {20: header_of(20, OLD), 99: header_of(99, NEW)}
CHECKPOINT = kept(with_history(header_of(HEIGHT, NEW), history_of(LOW, HEIGHT - 1)))
LAST = header_of(RETIRED, OLD, NEW)
CHANGE = Change(LAST, finality_of(LAST, OLD), NEW)


# --- one header ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("height", [1, 49, 51, 99, 100, 101, 5000])
@pytest.mark.parametrize("reigns", [(Reign(1, OLD),), (Reign(1, OLD), Reign(RETIRED + 1, NEW))])
def test_what_a_retired_set_signs_is_refused_at_every_height(height: int, reigns: tuple[Reign, ...]) -> None:
    """Also for who has not heard of the change yet: the set that the checkpoint leads to is another one."""
    forged = shown(replace(header_of(height, OLD), state_root=mark("forged")), OLD)
    careful = Trust(GENESIS, reigns=reigns, checkpoints=(CHECKPOINT,))
    with pytest.raises(ProofInvalid):
        careful.header(forged)


def test_what_the_set_in_force_signs_above_a_checkpoint_is_believed() -> None:
    careful = Trust(GENESIS, checkpoints=(CHECKPOINT,)).following([CHANGE.encode()])
    for header in (CHECKPOINT.header, header_of(HEIGHT + 1, NEW), header_of(5000, NEW)):
        assert careful.header(shown(header, NEW)) == header


def test_a_checkpoint_of_the_very_block_that_retires_a_set_is_enough() -> None:
    """It names the next set, so what the retired one signs above it is refused."""
    careful = Trust(GENESIS, checkpoints=(kept(LAST),))
    with pytest.raises(ProofInvalid, match="contradicts"):
        careful.header(shown(header_of(RETIRED + 1, OLD), OLD))
    led = careful.following([CHANGE.encode()])
    assert led.header(shown(header_of(RETIRED + 1, NEW), NEW)).height == RETIRED + 1


def test_a_forged_change_leads_nobody_past_a_checkpoint() -> None:
    """OLD's leaked keys name others: at any height, with nothing else forged, or back to NEW before the checkpoint."""
    careful = Trust(GENESIS, checkpoints=(CHECKPOINT,))
    forged = Change(header_of(30, OLD, OTHERS), finality_of(header_of(30, OLD, OTHERS), OLD), OTHERS)
    misled = careful.following([forged.encode()])
    with pytest.raises(ProofInvalid, match="contradicts"):
        misled.header(shown(header_of(5000, OTHERS), OTHERS))
    back = Change(header_of(40, OTHERS, NEW), finality_of(header_of(40, OTHERS, NEW), OTHERS), NEW)
    led = misled.following([back.encode()])
    with pytest.raises(ProofInvalid, match="older than the checkpoint"):
        led.header(shown(header_of(35, OTHERS), OTHERS))
    late = Change(header_of(200, OTHERS, OLD), finality_of(header_of(200, OTHERS, OLD), OTHERS), OLD)
    with pytest.raises(ProofInvalid, match="another set"):
        led.following([late.encode()])


def test_a_checkpoint_before_the_retirement_does_not_bind_what_comes_after() -> None:
    """What the README says that a checkpoint cannot do: new ones must be kept while the keys have not leaked."""
    careful = Trust(GENESIS, checkpoints=(kept(header_of(RETIRED - 10, OLD)),))
    assert careful.header(shown(header_of(5000, OLD), OLD)).height == 5000


def test_nor_does_one_let_what_comes_after_rewrite_what_was_before() -> None:
    """Keys of the set in force at the checkpoint leak: a forged tip with a forged past proves nothing below it."""
    node, careful = lying_node(), session(kept(with_history(header_of(RETIRED - 10, OLD), [])))
    node.old[30] = (replace(header_of(30, OLD), state_root=mark("forged")), OLD)
    node.history[29] = node.old[30][0].hash
    node.newest = with_history(node.newest, node.history)
    assert asked(node, careful, reads.header(careful, None)) == node.newest
    with pytest.raises(ProofInvalid, match="not in the history of block 40"):
        asked(node, careful, reads.header(careful, 30))


def test_a_checkpoint_is_kept_with_its_own_header_only() -> None:
    with pytest.raises(CheckpointError, match="contradicts"):
        KeptCheckpoint(CHECKPOINT.checkpoint, replace(CHECKPOINT.header, state_root=mark("another")))
    with pytest.raises(CheckpointError, match="height"):
        KeptCheckpoint(CHECKPOINT.checkpoint, header_of(HEIGHT + 1, NEW))


# --- a session, and a node that answers it ---------------------------------------------------------------------------

TIP = 120


class Node:
    """A node whose chain is of these headers: what it is asked for is answered from them."""

    def __init__(self, *, newest: Header, signed_by: AuthoritySet, history: list[bytes], changes: list[Change]) -> None:
        self.newest = with_history(newest, history)
        self.signed_by = signed_by
        self.history = history
        self.changes = changes
        self.old: dict[int, tuple[Header, AuthoritySet]] = {}
        self.checkpoints: list[Checkpoint] = []
        self.asked: list[str] = []

    def run(self, procedure: Procedure[Any]) -> Any:
        try:
            call = next(procedure)
            while True:
                self.asked.append(call.path)
                call = procedure.send(Reply(200, json.dumps(self._answer(call.path)).encode()))
        except StopIteration as end:
            return end.value

    def _answer(self, path: str) -> dict[str, Any]:
        if path == "/v1/checkpoints":
            return {"checkpoints": [each.encode().hex() for each in self.checkpoints]}
        if path.startswith("/v1/authorities/changes?after="):
            after = int(path.partition("=")[2])
            return {
                "changes": [each.encode().hex() for each in self.changes if each.header.height > after],
                "next": None,
            }
        height, _, within = path.removeprefix("/v1/blocks/").partition("/ancestry")
        if "/ancestry" in path:
            old, _ = self.old[int(height)]
            below = self.history[: int(within.removeprefix("?within=")) - 1] if within else self.history
            proof = prove_inclusion(below, int(height) - 1)
            return shown(self.newest, self.signed_by) | {
                "ancestor": old.encode().hex(),
                "path": [each.hex() for each in proof],
            }
        return shown(self.newest, self.signed_by) if height == "latest" else shown(*self.old[int(height)])


def honest_node() -> Node:
    headers = LOW | {HEIGHT: CHECKPOINT.header}
    node = Node(newest=header_of(TIP, NEW), signed_by=NEW, history=history_of(headers, TIP - 1), changes=[CHANGE])
    node.old = {height: (header, OLD if height <= RETIRED else NEW) for height, header in headers.items()}
    return node


def lying_node() -> Node:
    """It has OLD's keys and keeps the change back. Its forged tip has the true checkpointed block in its history."""
    forged = replace(header_of(99, OLD), state_root=mark("forged"))
    headers = {99: forged, HEIGHT: CHECKPOINT.header}
    node = Node(newest=header_of(TIP, OLD), signed_by=OLD, history=history_of(headers, TIP - 1), changes=[])
    node.old = {99: (forged, OLD), HEIGHT: (CHECKPOINT.header, NEW)}
    return node


def session(*checkpoints: KeptCheckpoint) -> Session:
    return Session(genesis=GENESIS, party="lei:R", signer=key_of("EXP_CN"), checkpoints=checkpoints)


def asked(node: Node, session: Session, procedure: Procedure[Any]) -> Any:
    return node.run(following(session, procedure))


def test_a_session_proves_what_is_older_than_its_checkpoints_by_itself() -> None:
    node, careful = honest_node(), session(CHECKPOINT)
    for height in (20, 99):
        assert asked(node, careful, reads.header(careful, height)) == node.old[height][0]
    assert f"/v1/blocks/20/ancestry?within={HEIGHT}" in node.asked
    node.asked.clear()
    assert asked(node, careful, reads.header(careful, 99)).height == 99
    assert asked(node, careful, reads.header(careful, HEIGHT)) == CHECKPOINT.header
    assert asked(node, careful, reads.header(careful, None)) == node.newest
    assert not any("ancestry" in path for path in node.asked), "it was proved before"


def test_a_session_without_checkpoints_asks_for_no_more_than_before() -> None:
    node, trusting = honest_node(), session()
    assert asked(node, trusting, reads.header(trusting, 99)).height == 99
    assert node.asked == ["/v1/blocks/99", "/v1/authorities/changes?after=0"]


@pytest.mark.parametrize("height", [99, None])
def test_a_node_with_leaked_keys_fools_who_has_no_checkpoint_and_nobody_else(height: int | None) -> None:
    trusting, careful = session(), session(CHECKPOINT)
    assert asked(lying_node(), trusting, reads.header(trusting, height)).authorities == OLD.digest
    with pytest.raises(ProofInvalid):
        asked(lying_node(), careful, reads.header(careful, height))
    honest = honest_node()
    assert asked(honest, careful, reads.header(careful, height)).authorities == NEW.digest, "it is no worse off"


def test_a_forged_change_that_leads_nowhere_is_not_followed() -> None:
    """Otherwise the honest node asked next could not lead this session to the set in force."""
    node, careful = lying_node(), session(CHECKPOINT)
    made = header_of(30, OLD, OTHERS)
    node.changes, node.newest, node.signed_by = (
        [Change(made, finality_of(made, OLD), OTHERS)],
        header_of(TIP, OTHERS),
        OTHERS,
    )
    with pytest.raises(ProofInvalid, match="do not lead to"):
        asked(node, careful, reads.header(careful, None))
    assert asked(honest_node(), careful, reads.header(careful, None)).height == TIP


def test_a_forged_old_block_has_no_place_in_the_true_history() -> None:
    node, careful = honest_node(), session(CHECKPOINT)
    node.old[20] = (replace(header_of(20, OLD), state_root=mark("forged")), OLD)
    with pytest.raises(ProofInvalid, match="not in the history of block 100"):
        asked(node, careful, reads.header(careful, 20))


def test_an_answer_with_very_many_old_headers_is_refused_before_anything_is_asked() -> None:
    careful = session(CHECKPOINT)
    many = [header_of(height, OLD).encode().hex() for height in range(1, 70)]

    def listed() -> Procedure[Any]:
        reply = yield from reads.get("/list")
        return reply

    wrapped = following(careful, listed())
    next(wrapped)
    body = json.dumps([{"header": each} for each in many]).encode()
    with pytest.raises(ProofInvalid, match="older than the checkpoints"):
        wrapped.send(Reply(200, body))


def test_the_history_of_a_tip_that_leaked_keys_signed_confirms_no_checkpoint() -> None:
    """It may hold the true checkpointed block: what betrays it is who signed the tip."""
    liar, unwary = lying_node(), session()
    assert asked(liar, unwary, ancestor(unwary, HEIGHT)) == CHECKPOINT.header
    for known, offered in (((CHECKPOINT,), []), ((), [CHECKPOINT.checkpoint])):
        node, reader = lying_node(), session()
        node.checkpoints = offered
        with pytest.raises(ProofInvalid, match="contradicts"):
            asked(node, reader, checked(reader, known))
    reader = session()
    assert asked(honest_node(), reader, checked(reader, (CHECKPOINT,))) == (CHECKPOINT,)


# --- a search certificate, offline -----------------------------------------------------------------------------------


class Network:
    """A true chain under its third set with a checkpoint of its tip, and one that the founders' keys forged."""

    def __init__(self) -> None:
        true = Following(MemoryStore())
        true.govern(Admit(FIFTH))
        true.govern(SeatAuthority(FIFTH.id, key_of("consensus FIFTH").public_key, b"FIFTH", "fifth.example:7001"))
        true.govern(UnseatAuthority(name_id("F_GB"), mark("reason")), AUTHORITIES[1:4])
        self.certificates = {"true, before": searched(open_view(true.store))}
        self.true = true
        true.block()
        view = open_view(true.store)
        header = Header.decode(bytes.fromhex(view.block(view.height)["header"]))
        self.checkpoint = KeptCheckpoint(cosign(genesis().id, header, KEY), header)
        self.certificates["true, of it"] = searched(view)
        true.block()
        self.certificates["true, after"] = searched(open_view(true.store))
        forged = Following(MemoryStore())
        for height in range(1, header.height + 4):
            forged.block()
            self.certificates[f"forged, {height - header.height:+d}"] = searched(open_view(forged.store))


@pytest.fixture(scope="module")
def network() -> Network:
    return Network()


def outcomes(network: Network, trust: Trust) -> Iterator[tuple[str, str]]:
    for name, certificate in network.certificates.items():
        try:
            trust.search_certificate(certificate)
            yield name, "valid"
        except ProofInvalid as error:
            yield name, str(error)


def test_a_certificate_that_leaked_keys_made_holds_for_who_has_no_checkpoint_only(network: Network) -> None:
    assert {told for _, told in outcomes(network, Trust(supervised()))} == {"valid"}
    careful = dict(outcomes(network, Trust(supervised(), checkpoints=(network.checkpoint,))))
    believed = {name for name, told in careful.items() if told == "valid"}
    assert believed == {"true, of it", "true, after"}
    for name, told in careful.items():
        if name == "true, before" or name.startswith("forged, -"):
            assert "older than the checkpoint" in told
        elif name.startswith("forged, +"):
            assert "contradicts" in told


def test_the_command_holds_a_certificate_against_kept_checkpoints_offline(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "load_genesis", lambda path: supervised())
    keep, genesis_file = tmp_path / "checkpoints.json", tmp_path / "genesis.toml"
    keep.write_text(written_checkpoints((network.checkpoint,), supervised()))
    app = typer.Typer()
    app.command()(certificates.verify)

    def verify(name: str, *more: str) -> tuple[int, str]:
        file = tmp_path / "certificate.json"
        file.write_text(json.dumps(network.certificates[name]))
        ended = CliRunner().invoke(app, [str(file), "--genesis", str(genesis_file), *more])
        return ended.exit_code, " ".join((ended.stdout + ended.stderr).split())

    with_checkpoints = ("--checkpoints", str(keep))
    for name in ("forged, +1", "true, after"):
        code, told = verify(name)
        assert (code, "VALID" in told) == (0, True), told
    code, told = verify("true, after", *with_checkpoints)
    assert (code, "VALID" in told, f"block {network.checkpoint.header.height}" in told) == (0, True, True), told
    for name, why in (("forged, +1", "contradicts"), ("forged, +0", "contradicts"), ("true, before", "older than")):
        code, told = verify(name, *with_checkpoints)
        assert (code, "VALID" in told, why in told) == (1, False, True), told
    code, told = verify("true, after", "--checkpoints", str(tmp_path / "none.json"))
    assert (code, "none.json" in told) == (1, True)
    keep.write_text(written_checkpoints((), supervised()))
    code, told = verify("true, after", *with_checkpoints)
    assert (code, "no checkpoint" in told) == (1, True), "an empty file would guard against nothing"


class AskedOf:
    """A client that has its answers from the true chain, or from another one."""

    def __init__(self, chain: Following) -> None:
        self.genesis = supervised()
        self.chain = chain

    def __call__(self, **settings: Any) -> AskedOf:
        return self

    def __enter__(self) -> AskedOf:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def call(self, procedure: Any, *arguments: Any) -> Any:
        asking = procedure(session(), *arguments)
        try:
            call = next(asking)
            found = re.fullmatch(r"/v1/blocks/(\d+)/ancestry\?within=(\d+)", call.path)
            assert found is not None
            answer = open_view(self.chain.store).ancestry(int(found[1]), int(found[2]))
            asking.send(Reply(200, json.dumps(answer).encode()))
        except StopIteration as end:
            return end.value


def test_an_older_certificate_is_connected_by_a_node_once_and_holds_offline_from_then_on(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "load_genesis", lambda path: supervised())
    monkeypatch.setattr(certificates, "unguarded_access", lambda *settings: {})
    monkeypatch.setattr(certificates, "FinancierClient", AskedOf(network.true))
    keep, proof = tmp_path / "checkpoints.json", tmp_path / "ancestry.json"
    keep.write_text(written_checkpoints((network.checkpoint,), supervised()))
    file = tmp_path / "certificate.json"
    online = ("--genesis", "g", "--url", "http://127.0.0.1:1", "--party", "lei:R", "--key", "k", "-o", str(proof))
    offline = ("--genesis", "g", "--ancestry", str(proof))

    def run(command: str, name: str, *more: str) -> tuple[int, str]:
        file.write_text(json.dumps(network.certificates[name]))
        ended = CliRunner().invoke(certificates.app, [command, str(file), *more])
        return ended.exit_code, " ".join((ended.stdout + ended.stderr).split())

    guarded = ("--checkpoints", str(keep))
    below = network.checkpoint.height - 1
    code, told = run("connect", "true, before", *online, *guarded)
    assert (code, json.loads(told)["checkpoint_height"]) == (0, below + 1), told
    code, told = run("verify", "true, before", *offline, *guarded)
    assert (code, f"VALID as of height {below}" in told) == (0, True), told
    for command, more in (("connect", online), ("verify", offline)):
        code, told = run(command, "forged, -1", *more, *guarded)
        assert (code, f"block {below} is another one in the history" in told) == (1, True), told
    code, told = run("connect", "true, after", *online, *guarded)
    assert (code, "needs no proof" in told) == (1, True), told
    assert run("verify", "true, before", *offline)[0] == 2, "a proof leads to a checkpoint"
    for changed in ({"within": below}, {"path": []}, {"ancestor": "00"}, {"height": "1"}):
        proof.write_text(json.dumps(json.loads(proof.read_text()) | changed))
        code, told = run("verify", "true, before", *offline, *guarded)
        assert (code, "ancest" in told) == (1, True), (changed, told)


def test_a_file_named_in_the_environment_guards_every_command(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context, "load_genesis", lambda path: supervised())
    monkeypatch.setattr(context, "_signer", lambda key: key_of("EXP_CN"))
    file = tmp_path / "checkpoints.json"
    file.write_text(written_checkpoints((network.checkpoint,), supervised()))

    def guard() -> tuple[KeptCheckpoint, ...]:
        settings = context.access(tmp_path / "genesis.toml", ["http://127.0.0.1:1"], "lei:R", tmp_path / "key.json")
        with Client(**settings) as client:
            return client.make(lambda session: session.trust.checkpoints)

    monkeypatch.delenv(context.CHECKPOINTS_VARIABLE, raising=False)
    assert guard() == ()
    monkeypatch.setenv(context.CHECKPOINTS_VARIABLE, str(file))
    assert guard() == (network.checkpoint,)
    file.write_text(written_checkpoints((), supervised()))
    with pytest.raises(ClientError, match="no checkpoint is in it"):
        guard()


@pytest.mark.parametrize(
    "row", ["00", {"checkpoint": "00", "header": "00"}, {"checkpoint": CHECKPOINT.checkpoint.encode().hex()}, 1, None]
)
def test_a_row_of_the_file_that_is_no_kept_checkpoint_is_refused(network: Network, row: object) -> None:
    text = json.dumps(json.loads(written_checkpoints((network.checkpoint,), supervised())) | {"checkpoints": [row]})
    with pytest.raises(ProofInvalid, match="checkpoint"):
        read_checkpoints(text, supervised())


def test_a_checkpoint_is_read_back_with_its_own_header_only(network: Network) -> None:
    content = json.loads(written_checkpoints((network.checkpoint,), supervised()))
    assert read_checkpoints(json.dumps(content), supervised()) == (network.checkpoint,)
    (row,) = content["checkpoints"]
    other = replace(network.checkpoint.header, next_authorities=mark("leaked"))
    forged = content | {"checkpoints": [row | {"header": other.encode().hex()}]}
    with pytest.raises(ProofInvalid, match="contradicts"):
        read_checkpoints(json.dumps(forged), supervised())
