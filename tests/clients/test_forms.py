"""What more than two parties do, by command against real nodes: two factors, take-out, syndicate, filings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cast import AUTHORITIES, EXP_CN, IMP_DE, Cast
from tests.clients.test_cli import DONE, LOOK, Desk, complaint, document, offered, registered

pytestmark = pytest.mark.processes

F_CN, F_SG, F_DE = (AUTHORITIES[name][0] for name in ("f-cn", "f-sg", "f-de"))


@pytest.fixture(scope="module")
def desk(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("forms"), cast)


def signed_and_sent(desk: Desk, draft: Path, *parties: str) -> dict[str, object]:
    """Each reads and signs the draft; the last one sends it."""
    for party in parties:
        assert desk.by(party, "draft", "show", draft).code == DONE
        assert desk.by(party, "draft", "sign", draft).json["signers"]
    sent: dict[str, object] = desk.by(parties[-1], "draft", "send", draft).json
    return sent


def test_a_claim_is_taken_out_by_another_financier(desk: Desk, tmp_path: Path) -> None:
    made = registered(desk, tmp_path / "1")
    old = offered(desk, tmp_path, made.id, "f-cn", "--share", "70%")
    assert desk.by(F_CN, "claim", "finance", old).json["funded"] == old
    draft = tmp_path / "take-out.json"
    words = ("--receivable", made.id, "--to", F_SG, "--share", "90%", "--terms", made.dossier, "-o", draft)
    assert len(desk.by(EXP_CN, "claim", "take-out", old, *words).json["to_sign"]) == 2
    assert "signatures are missing" in complaint(desk.by(F_SG, "draft", "send", draft))
    assert "not among the draft's signers" in complaint(desk.by(F_DE, "draft", "sign", draft))
    shown = desk.by(F_SG, "draft", "show", draft).json
    assert [each["operation"] for each in shown["operations"]] == ["release", "offer", "reserve", "fund"]
    assert (shown["operations"][0]["claim"], shown["mode"]) == (old, "all")
    subjects = signed_and_sent(desk, draft, F_CN, F_SG)["subjects"]
    assert isinstance(subjects, list)
    assert desk.by(F_CN, "claim", "show", old).json["state"] == "released"
    taken = desk.by(F_SG, "claim", "show", subjects[1]).json
    assert (taken["state"], taken["holder"]) == ("funded", F_SG)


def test_a_syndicate_funds_one_receivable(desk: Desk, tmp_path: Path) -> None:
    made = registered(desk, tmp_path / "1")
    draft = tmp_path / "syndicate.json"
    parts = ("--part", f"{F_CN}=60%", "--part", f"{F_SG}=40%")
    desk.by(EXP_CN, "claim", "syndicate", made.id, *parts, "--terms", made.dossier, "-o", draft)
    signed_and_sent(desk, draft, F_CN, F_SG)
    assert desk.by(EXP_CN, "receivable", "show", made.id).json["taken"] == 10**12
    bad = desk.by(EXP_CN, "claim", "syndicate", made.id, "--part", F_CN, "--terms", made.dossier)
    assert "PARTY=SHARE" in complaint(bad)


def test_an_import_factor_covers_and_sees_the_claim(desk: Desk, tmp_path: Path) -> None:
    made = registered(desk, tmp_path / "1")
    claim = offered(desk, tmp_path, made.id, "f-cn", "--share", "80%", "--import-factor", F_DE, "--form", "factoring")
    assert desk.by(F_DE, "claim", "cover", claim, "--share", "80%").json["covered"] == claim
    assert desk.by(F_DE, "claim", "show", claim).json["covered"] == 8 * 10**11
    assert complaint(desk.by(F_SG, "claim", "cover", claim, "--share", "0")) == "refused: not_authorised"


def test_a_filing_is_recorded_continued_and_due(desk: Desk, tmp_path: Path) -> None:
    claim = offered(desk, tmp_path, registered(desk, tmp_path / "1").id, "f-sg")
    words = ("--register", "US-NY:UCC1", "--number", "202605201234567", "--filed", "2026-05-20")
    filing = desk.by(F_SG, "filing", "record", claim, *words, "--lapses", "2036-05-20").json["filing"]
    assert desk.by(F_SG, "filing", "due", "--days", "30").code == DONE
    assert filing in desk.by(F_SG, "filing", "list").out
    soon = desk.by(F_SG, "filing", "due", "--days", "3650")
    assert (soon.code, filing in soon.out) == (LOOK, True)
    later = desk.by(F_SG, "filing", "continue", filing, "--number", "2", "--lapses", "2041-05-20")
    assert later.json["continued"] == filing
    assert desk.by(F_SG, "filing", "end", filing, "--number", "3").json["ended"] == filing
    assert complaint(desk.by(F_CN, "filing", "end", filing, "--number", "3")) == "refused: not_holder"


def test_a_correction_takes_the_place_of_a_registration(desk: Desk, tmp_path: Path) -> None:
    data = document()
    made = registered(desk, tmp_path / "1", data)
    file = tmp_path / "corrected.xml"
    file.write_bytes(data)
    words = ("--debtor", IMP_DE, "--supersedes", made.id, "--dossiers", tmp_path / "corrected")
    ended = desk.by(EXP_CN, "receivable", "register", file, *words)
    assert ended.code == DONE, ended
    assert desk.by(EXP_CN, "receivable", "show", made.id).json["state"] == "superseded"
    (dossier,) = (tmp_path / "corrected").glob("*.json")
    assert json.loads(dossier.read_text())["receivable"] == dossier.stem != made.id
