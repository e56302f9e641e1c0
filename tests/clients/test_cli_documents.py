"""`nemodat text` and `nemodat export`, which need no node: as a person types them."""

from __future__ import annotations

import hashlib
import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from clients.cli import app
from clients.cli.stated import Kind
from clients.dossier import Dossier
from registry.outgoing import assignment_from_json, ucc1, zhongdeng
from registry.records import KINDS
from registry.texts import render, text_digest, text_ids
from tests.clients.stage import unlike
from tests.commands import invoke
from tests.registry.documents.builders import ubl
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


ORDER = """number,issue_date,currency,payable,seller_name,seller_country,buyer_name,buyer_country,order_references
PO-1,2026-05-02,EUR,1000.00,A,CN,B,DE,
"""
SIDES = ("--party", "lei:984500TJEXPORT000197", "--debtor", "lei:984500DEIMPORT000108")


def looked_at(file: Path, *words: object, code: int = 0) -> tuple[dict[str, str], str]:
    """The one row of a dry run without a node, and what is said beside it."""
    said, beside = run("receivable", "register", file, *SIDES, "--dry-run", "--json", *words, code=code)
    (row,) = json.loads(said)
    return row, beside


def test_a_dry_run_needs_no_node_and_says_what_it_did_not_look_up(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDER)
    words = ("--kind", "purchase_order", "--law", "CN", "--law", "DE", "--account")
    row, beside = looked_at(tmp_path / "orders.csv", *words)
    assert row["outcome"] == "would be registered"
    assert row["id_or_reason"] == (
        "EUR 1000.00, issued 2026-05-02, A to B, debtor lei:984500DEIMPORT000108, orders PO-1, kind purchase_order, "
        "laws CN DE, tagged for blankets on its debtor, grade self_asserted"
    )
    assert beside.startswith("Without a node")
    said = run("receivable", "register", tmp_path / "orders.csv", *SIDES, code=2)[1]
    assert "--genesis" in said, "what is sent needs one"


def test_every_kind_of_receivable_can_be_named() -> None:
    assert get_args(Kind) == KINDS


def test_an_e_invoice_is_no_order(tmp_path: Path) -> None:
    (tmp_path / "invoice.xml").write_bytes(ubl())
    row, _ = looked_at(tmp_path / "invoice.xml", "--kind", "purchase_order", code=3)
    assert (row["outcome"], row["id_or_reason"]) == (
        "no receivable",
        "an e-invoice is no purchase order: name it as a row of a table",
    )


def test_the_part_of_a_parent_is_by_the_amounts_or_by_hand(tmp_path: Path) -> None:
    (tmp_path / "invoices.csv").write_text(ORDER)
    order = replace(unlike().particulars, amount_minor=160_000)

    def parent_of(**changes: object) -> str:
        made = Dossier(
            receivable=b"\7" * 32,
            particulars=replace(order, **changes),  # type: ignore[arg-type]
            salt=bytes(32),
            debtor_salt=bytes(32),
            document=b"",
        )
        (tmp_path / f"{'07' * 32}.json").write_text(made.to_json())
        return "07" * 32

    def said(*words: object, code: int = 0) -> str:
        return looked_at(tmp_path / "invoices.csv", "--dossiers", tmp_path, *words, code=code)[0]["id_or_reason"]

    assert f"62.5% of {'07' * 32}" in said("--parent", parent_of())
    assert f"60% of {'07' * 32}" in said("--parent", f"{'07' * 32}=60%")
    both = ("--parent", f"{'07' * 32}=60%:25%", "--parent", f"{'08' * 32}=1.5%:75%")
    assert f"60% of {'07' * 32}, 1.5% of {'08' * 32}" in said(*both)
    assert "EUR 1000.00 is no part of EUR 999.99" in said("--parent", parent_of(amount_minor=99_999), code=3)
    assert "a part in EUR of a whole in USD" in said("--parent", parent_of(currency="USD"), code=3)
    for words, complaint in (
        (("--parent", "08" * 32), "say which part, as 0808...=60%: its dossier is not in"),
        (both[:2], "these add up to 25% of it"),
        ((*both[:2], "--parent", "none"), "none or some, not both"),
        (("--law", "Ruritania"), "law: "),
    ):
        _, beside = run("receivable", "register", tmp_path / "invoices.csv", *SIDES, "--dry-run", *words, code=1)
        assert beside.startswith("error: ")
        assert complaint in beside
