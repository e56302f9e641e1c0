"""`nemodat text` and `nemodat export`, which need no node: as a person types them."""

from __future__ import annotations

import hashlib
import json
import stat
from pathlib import Path

import pytest

from clients.cli import app
from registry.outgoing import assignment_from_json, ucc1, zhongdeng
from registry.texts import render, text_digest, text_ids
from tests.commands import invoke
from tests.registry.outgoing.samples import JSON
from tests.registry.texts.samples import sample

VECTORS = Path(__file__).parents[1] / "registry" / "vectors" / "outgoing"
MESSAGE = ("--id", "TJ-417-1", "--date", "2026-05-04")
REPLY = ("--id", "ST-0008", "--date", "2026-05-05", "--replies-to", "TJ-417-1")


def run(*words: object, code: int = 0) -> tuple[str, str]:
    """What a command says on standard output and standard error."""
    done = invoke(app, words, COLUMNS="200")
    assert done.exit_code == code, done.output
    return done.stdout, done.stderr


@pytest.fixture
def assignment(tmp_path: Path) -> Path:
    path = tmp_path / "assignment.json"
    path.write_text(json.dumps(JSON, ensure_ascii=False), encoding="utf-8")
    return path


@pytest.fixture
def parameters(tmp_path: Path) -> Path:
    path = tmp_path / "parameters.json"
    path.write_text(json.dumps(sample("dispute-notice")), encoding="utf-8")
    return path


def test_all_texts_are_listed_in_both_languages() -> None:
    listed, _ = run("text", "list")
    for text_id in text_ids():
        assert text_id in listed
    assert "Notice of dispute" in listed
    assert "争议通知书" in listed


def test_a_text_is_shown_with_its_parameters_or_filled_in(parameters: Path) -> None:
    bare, _ = run("text", "show", "dispute-notice")
    assert "We dispute {share} of the Receivable" in bare
    assert "ground (choice: refusal, defence, counterclaim, set_off, third_party_claim, " in bare
    filled, _ = run("text", "show", "dispute-notice", parameters, "--language", "zh")
    assert filled == render("dispute-notice", "zh", sample("dispute-notice"))


def test_a_digest_is_that_of_the_text_in_its_language(parameters: Path) -> None:
    """SHA-256 of the words as they are shown: what --text pins of a file, and any tool says of it."""
    said, _ = run("text", "digest", "dispute-notice", parameters, "--language", "zh")
    shown, _ = run("text", "show", "dispute-notice", parameters, "--language", "zh")
    assert json.loads(said) == {
        "text": "dispute-notice",
        "version": 1,
        "language": "zh",
        "digest": text_digest("dispute-notice", "zh", sample("dispute-notice")).hex(),
    }
    assert json.loads(said)["digest"] == hashlib.sha256(shown.encode()).hexdigest()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object of strings"),
        ('{"amount": 100}', "not a JSON object of strings"),
        ("{}", "document: is missing"),
        (json.dumps(sample("dispute-notice") | {"colour": "red"}), "colour: is not a parameter"),
    ],
)
def test_what_is_wrong_with_parameters_is_one_line(parameters: Path, content: str, complaint: str) -> None:
    parameters.write_text(content, encoding="utf-8")
    _, said = run("text", "digest", "dispute-notice", parameters, code=1)
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert complaint in said


@pytest.mark.parametrize(
    ("command", "words", "golden"),
    [
        ("tsin006", MESSAGE, "tsin006.xml"),
        ("tsin007", (*REPLY, "--outcome", "funded"), "tsin007.xml"),
        ("tsin008", MESSAGE, "tsin008.xml"),
        ("tsin013", REPLY, "tsin013.xml"),
    ],
)
def test_a_message_is_written(
    assignment: Path, tmp_path: Path, command: str, words: tuple[str, ...], golden: str
) -> None:
    shown, _ = run("export", command, assignment, *words)
    assert shown.encode() == (VECTORS / golden).read_bytes()
    assert run("export", command, assignment, *words, "-o", tmp_path / "out.xml") == ("", "")
    assert (tmp_path / "out.xml").read_bytes() == (VECTORS / golden).read_bytes()


def test_texts_for_registers_are_written_and_what_is_to_be_done_is_said_beside(assignment: Path) -> None:
    known = assignment_from_json(assignment.read_text(encoding="utf-8"))
    assert run("export", "zhongdeng", assignment) == (f"{zhongdeng(known).text}\n", f"{zhongdeng(known).note}\n")
    assert run("export", "zhongdeng", assignment, "--gloss")[0] == f"{zhongdeng(known).gloss}\n"
    assert run("export", "ucc1", assignment) == (f"{ucc1(known).text}\n", f"{ucc1(known).note}\n")


def test_the_fields_of_the_file_are_in_the_help() -> None:
    said, _ = run("export", "--help")
    for name in JSON:
        assert f'"{name}"' in said


def test_what_is_wrong_with_an_assignment_is_named(assignment: Path) -> None:
    assignment.write_text(json.dumps(JSON | {"exponent": 0}), encoding="utf-8")
    assert run("export", "ucc1", assignment, code=1)[1] == "error: exponent: USD has 2 decimals (ISO 4217)\n"
    run("export", "tsin013", assignment, *REPLY, "--objection", "mood", code=2)


def test_what_is_written_with_amounts_in_it_is_its_owners_alone(assignment: Path, tmp_path: Path) -> None:
    written = tmp_path / "tsin008.xml"
    written.write_text("an older one")
    written.chmod(0o644)
    run("export", "tsin008", assignment, "--id", "ST-8", "--date", "2026-05-04", "-o", written)
    breaks = tmp_path / "breaks.xlsx"
    book = tmp_path / "book.csv"
    book.write_text(f"claim,state\n{'01' * 32},funded\n")
    run("reconcile", "books", book, book, "--party", "lei:984500CNFACTOR000128", "-o", breaks)
    assert [stat.S_IMODE(file.stat().st_mode) for file in (written, breaks)] == [0o600, 0o600]


CREDIT_NOTE = (
    "number,issue_date,currency,payable,type_code,preceding_invoice,"
    "seller_name,seller_country,buyer_name,buyer_country\n"
    "CN-77,2026-05-02,EUR,435.00,381,TJ-417,A,CN,B,DE\n"
)


def test_a_credit_note_among_invoices_needs_a_persons_eye(tmp_path: Path) -> None:
    """It is not applied by registering, and what it takes off a funded invoice is not noticed otherwise."""
    (tmp_path / "cn.csv").write_text(CREDIT_NOTE)
    settings = ("--genesis", "genesis.toml", "--url", "http://node.example", "--key", "key.json")
    party = ("--party", "lei:984500TJEXPORT000197", "--debtor", "lei:984500DEIMPORT000108", "--json")
    said, _ = run("receivable", "register", tmp_path / "cn.csv", *settings, *party, code=3)
    assert json.loads(said)[0]["outcome"] == "credit note"
