"""What the laws say of a receivable on the ledger, by command against real nodes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clients.exporter import Listing
from tests.cast import AUTHORITIES, EXP_CN, TERMS, Cast
from tests.clients.stage import Stage, unlike, until_ms
from tests.clients.test_cli import DONE, LOOK, Desk, complaint

pytestmark = pytest.mark.processes

F_CN, F_SG, F_DE = (AUTHORITIES[name][0] for name in ("f-cn", "f-sg", "f-de"))


@pytest.fixture(scope="module")
def desk(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("law"), cast)


def registered(cast: Cast, listing: Listing) -> tuple[str, str, str]:
    """A receivable, and offers of it to F_CN and to F_SG."""
    with Stage(cast).exporter() as client:
        (made,) = client.register_all([listing])
        offers = [
            client.offer(made.receivable, to=to, share=10**12 // 2, terms=TERMS, valid_until_ms=until_ms()).claim.hex()
            for to in (F_CN, F_SG)
        ]
    return made.receivable.hex(), offers[0], offers[1]


def test_ledger_and_own_knowledge_are_ranked_under_the_receivables_laws(desk: Desk, cast: Cast, tmp_path: Path) -> None:
    receivable, first, second = registered(cast, unlike(laws=("CN", "SG", "DE", "IT")))
    desk.by(F_CN, "claim", "finance", first)
    filed = ("--register", "CN:ZHONGDENG", "--number", "Z-1", "--filed", "2026-05-05")
    assert desk.by(F_CN, "filing", "record", first, *filed).code == DONE
    alone = desk.by(F_CN, "law", "receivable", receivable, "--json").json
    assert [(law["law"], law["winners"]) for law in alone["laws"]] == [(law, [first]) for law in ("CN", "SG", "DE")]
    assert (alone["without_profile"], alone["claims_not_shown"]) == (["IT"], [second])
    assert alone["amount"] == "EUR 100.00"

    facts = tmp_path / "facts.json"
    told = {"id": second, "concluded": "2026-05-02", "funded": "500.00", "notices": [{"received": "2026-05-03"}]}
    mine = {"id": first, "concluded": "2026-05-01", "funded": "500.00"}
    case = {"reference": "A-1", "currency": "EUR", "amount": "1000.00", "as_of": "2126-07-31", "claims": [mine, told]}
    facts.write_text(json.dumps(case))
    ended = desk.by(EXP_CN, "law", "receivable", receivable, "--amounts", facts, "--json")
    found = json.loads(ended.out)
    assert ended.code == LOOK
    # The seller is not shown the filing of F_CN: under CN the notice decides as in SG.
    assert {law["law"]: law["winners"] for law in found["laws"]} == {"CN": [second], "SG": [second], "DE": [first]}
    ended = desk.by(F_CN, "law", "receivable", receivable, "--amounts", facts, "--json")
    assert {law["law"]: law["winners"] for law in json.loads(ended.out)["laws"]} == {
        "CN": [first],
        "SG": [second],
        "DE": [first],
    }
    assert (found["amount"], found["claims_not_shown"]) == ("EUR 1000.00", [])
    assert (found["filings_not_shown"], json.loads(ended.out)["filings_not_shown"]) == ([F_CN, F_SG], [second])


def test_in_words_of_both_languages_and_what_is_wrong(desk: Desk, cast: Cast) -> None:
    receivable, first, _ = registered(cast, unlike(laws=("IT",)))
    assert "none is funded" in complaint(desk.by(F_CN, "law", "receivable", receivable))
    desk.by(F_CN, "claim", "finance", first)
    assert "no profile for any of its candidate laws: IT" in complaint(desk.by(F_CN, "law", "receivable", receivable))
    said = desk.by(F_CN, "law", "receivable", receivable, "--law", "DE")
    assert (said.code, "not shown to this party" in said.out, "Priority:" in said.out) == (DONE, True, True)
    assert "未向本方披露" in desk.by(F_CN, "law", "receivable", receivable, "--law", "DE", "--language", "zh").out
    assert "XX has no profile" in complaint(desk.by(F_CN, "law", "receivable", receivable, "--law", "XX"))
    assert "no such receivable" in complaint(desk.by(F_DE, "law", "receivable", receivable))
