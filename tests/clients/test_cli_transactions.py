"""What a command left undecided is kept, and resumed instead of repeated; by command, against real nodes."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from clients.cli.context import Undecided
from clients.dossier import Dossier
from clients.session import Session, compose, signed
from clients.submission import submission_from_json, submission_to_json
from registry.money import WHOLE
from registry.transactions.claims import Release
from tests.cast import EXP_CN, Cast, key_of
from tests.clients.liar import lying
from tests.clients.test_cli import LOOK, Desk, complaint, registered
from tests.registry.world import genesis, mark

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def desk(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("undecided"), cast)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is kept where the command was typed."""
    monkeypatch.chdir(tmp_path)


def test_a_credit_note_whose_answer_was_lost_is_resumed_and_counts_once(desk: Desk, tmp_path: Path) -> None:
    made = registered(desk, tmp_path / "sold")
    note = tmp_path / "credit-note.txt"
    note.write_text("credit note CN-1")
    words = ("receivable", "adjust", made.dossier, "--amount", "1.00", "--document", note)
    with lying(desk.cast.devnet.url("f-cn")) as relay:
        relay.lie = lambda path, answer: b"cut off" if path.startswith("/v1/transactions/") else answer
        said = complaint(desk.by(EXP_CN, *words, urls=[relay.url]))
    (kept,) = tmp_path.glob("*.transaction")
    assert f"nemodat transaction resume {kept.name}" in said
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    done = desk.by(EXP_CN, "transaction", "resume", kept).json
    assert done == desk.by(EXP_CN, "transaction", "resume", kept).json, "as often as one likes"
    assert [outcome["subject"] for outcome in done["outcomes"]] == [made.id]
    assert kept.stem.endswith(done["transaction"])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_credit_note_that_is_cut_off_after_it_was_sent_is_resumed_and_counts_once(
    desk: Desk, tmp_path: Path, how: signal.Signals
) -> None:
    """A process of its own, ended while it waits for the answer of the node that has the transaction already."""
    made = registered(desk, tmp_path / "sold")
    note = tmp_path / "credit-note.txt"
    note.write_text("credit note CN-1")
    words = ("receivable", "adjust", made.dossier, "--amount", "1.00", "--document", note)
    sent, may_answer = threading.Event(), threading.Event()

    def wait(path: str, answer: Any) -> Any:
        if path == "/v1/transactions":
            sent.set()
            assert may_answer.wait(60)
        return answer

    with lying(desk.cast.devnet.url("f-cn")) as relay:
        relay.lie = wait
        environment = {**os.environ, "COLUMNS": "200", **desk.settings(EXP_CN, [relay.url])}
        command = [sys.executable, "-m", "node.cli", *map(str, words)]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert sent.wait(60)
                (kept,) = tmp_path.glob("*.transaction")
                assert stat.S_IMODE(kept.stat().st_mode) == 0o600
                process.send_signal(how)
                _, said = process.communicate(timeout=60)
            finally:
                may_answer.set()
                process.kill()
    assert process.returncode != 0
    if how == signal.SIGINT:
        assert f"nemodat transaction resume {kept.name}" in said
    assert kept.exists()
    done = desk.by(EXP_CN, "transaction", "resume", kept).json
    assert done == desk.by(EXP_CN, "transaction", "resume", kept).json
    assert [outcome["subject"] for outcome in done["outcomes"]] == [made.id]
    left = desk.by(EXP_CN, "receivable", "show", made.id).json["collectible"]
    amount_minor = Dossier.from_json(made.dossier.read_text()).particulars.amount_minor
    assert round((WHOLE - left) * amount_minor / WHOLE) == 100, "once"


def test_nothing_is_sent_that_cannot_be_kept(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is what is known kept: the file is gone when the outcome is."""
    made = registered(desk, tmp_path / "sold")
    note = tmp_path / "credit-note.txt"
    note.write_text("credit note CN-1")
    words = ("receivable", "adjust", made.dossier, "--amount", "1.00", "--document", note)
    with lying(desk.cast.devnet.url("f-cn")) as relay, monkeypatch.context() as full:

        def write(path: Path, data: bytes) -> None:
            raise OSError(28, "No space left on device", str(path))

        full.setattr("clients.cli.context.write_private", write)
        assert "No space left" in complaint(desk.by(EXP_CN, *words, urls=[relay.url]))
        assert "/v1/transactions" not in relay.asked
    assert desk.by(EXP_CN, *words).code == 0
    assert not list(tmp_path.glob("*.transaction"))


def test_what_is_given_up_in_parts_is_typed_again_after_an_interruption(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is given up already is refused then; who only resumed what was sent would leave the rest undone."""
    monkeypatch.setattr("clients.pools.OPERATIONS_MAX", 1)
    words = ("pool", "release", *(mark(f"no claim {number}").hex() for number in range(12)))
    with lying(desk.cast.devnet.url("f-cn")) as relay:
        relay.lie = lambda path, answer: b"cut off" if path.startswith("/v1/transactions/") else answer
        cut_off = complaint(desk.by(EXP_CN, *words, urls=[relay.url]))
    assert "transaction resume" not in cut_off
    assert not list(tmp_path.glob("*.transaction"))
    again = desk.by(EXP_CN, *words)
    assert (again.code, again.out.count("not_found")) == (LOOK, 12)


def test_every_transaction_of_a_command_that_is_undecided_is_named() -> None:
    key, undecided = key_of(EXP_CN), Undecided()
    session = Session(genesis=genesis(), party=EXP_CN, signer=key)
    sent = [signed(session, [Release(mark(f"claim {number}"))]) for number in range(3)]
    for submission in sent:
        undecided.sending(submission)
    undecided.settled(sent[1])
    said = undecided.said("no node answered")
    names = [f"nemodat-{submission.transaction_id.hex()}.transaction" for submission in sent]
    assert [name in said for name in names] == [Path(name).exists() for name in names] == [True, False, True]


def test_what_a_rule_refuses_is_said_at_once_and_nothing_is_kept(desk: Desk, tmp_path: Path) -> None:
    made = registered(desk, tmp_path / "sold")
    assert "refused" in complaint(desk.by(EXP_CN, "claim", "release", made.id))
    assert not list(tmp_path.glob("*.transaction"))


def test_what_never_took_effect_may_be_typed_again(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    genesis, key = desk.cast.devnet.genesis, key_of(EXP_CN)
    hour_ago = time.time_ns() - 3_600_000_000_000
    with monkeypatch.context() as past:
        past.setattr("clients.session.time.time_ns", lambda: hour_ago)
        draft = compose(genesis, [Release(bytes(32))], signers=[key.public_key])
    submission = draft.sealed(genesis, {key.public_key: draft.sign(genesis, key)})
    kept = tmp_path / "old.transaction"
    kept.write_text(submission_to_json(submission))
    assert submission_from_json(kept.read_text(), genesis.id) == submission
    assert "never took effect" in complaint(desk.by(EXP_CN, "transaction", "resume", kept))
    kept.write_text("{}")
    assert "not a transaction" in complaint(desk.by(EXP_CN, "transaction", "resume", kept))
