"""Claims outside the network, by command and SDK against real nodes: recorded, imported, looked at, ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from clients import external, reads
from clients.cli.context import percent
from registry.money import WHOLE
from registry.records.external_claims import ExternalClaim
from tests.cast import AUTHORITIES, EXP_CN, IMP_DE, Cast
from tests.clients.stage import Stage
from tests.clients.test_cli import DONE, LOOK, Desk, complaint, offered, registered
from tests.registry.documents.corpus import CORPUS, needs_corpus

pytestmark = pytest.mark.processes

F_CN, F_SG, F_DE, F_GB = (AUTHORITIES[name][0] for name in ("f-cn", "f-sg", "f-de", "f-gb"))


@pytest.fixture(scope="module")
def desk(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("external"), cast)


def test_a_claim_outside_is_recorded_looked_at_before_funding_and_ended(desk: Desk, cast: Cast, tmp_path: Path) -> None:
    made = registered(desk, tmp_path / "1")
    claim = offered(desk, tmp_path, made.id, "f-cn", "--share", "80%")
    extract = tmp_path / "extract.pdf"
    extract.write_bytes(b"Zhongdeng: all receivables of the seller are pledged")
    words = ("external", "record", made.id, "--source", "CN:ZHONGDENG", "--document", extract)
    done = desk.by(F_CN, *words, "--assignee", F_GB, "--entered", "2026-05-04", "--share", "50%").json
    outside = done["external"]
    assert done["assignee"] == F_GB
    assert complaint(desk.by(F_DE, *words)) == "refused: not_authorised"
    searched = desk.by(F_DE, *words, "--dossier", made.dossier, "--assignee", "vat:DE136695976").json["external"]
    told = desk.by(IMP_DE, *words, "--dossier", made.dossier, "--grade", "debtor_confirmed").json["external"]
    assert complaint(desk.by(EXP_CN, *words, "--grade", "debtor_confirmed")) == "refused: grade_unproven"

    shown = desk.by(F_CN, "external", "show", outside).json
    assert (shown["assignee"], shown["recorded_as"], shown["state"]) == (F_GB, "financier", "stands")
    assert (shown["entered"], shown["concluded"]) == ("2026-05-04T00:00:00+00:00", "not known")
    assert outside in desk.by(F_GB, "external", "list").out  # the member that it is of
    assert "no such external claim" in complaint(desk.by(F_SG, "external", "show", outside))
    listed = desk.by(F_CN, "external", "list", "--receivable", made.id).out
    assert all(one in listed for one in (outside, searched, told, percent(WHOLE // 2)))

    looked = desk.by(F_CN, "receivable", "matches", made.id)
    assert (looked.code, outside in looked.out, F_GB in looked.out) == (LOOK, True, False)
    assert complaint(desk.by(F_CN, "claim", "finance", claim)).startswith("refused: unacknowledged_match")
    with Stage(cast).financier("f-cn") as client:
        found = client.call(external.to_look_at, bytes.fromhex(made.id))
        assert [one.id.hex() for one in found] == [outside, searched, told]
        assert [one.capacity for one in found] == ["financier", "searcher", "debtor"]
        record = client.call(reads.record, ExternalClaim, bytes.fromhex(outside))
        assert record in client.call(external.of_receivable, bytes.fromhex(made.id))

    ended = ("--ground", "mistaken", "--evidence", extract)
    assert complaint(desk.by(F_CN, "external", "end", searched, *ended)) == "refused: not_authorised"
    assert desk.by(F_GB, "external", "end", outside, *ended).json["ended"] == outside
    assert desk.by(F_DE, "external", "end", searched, *ended).json["ground"] == "mistaken"
    assert desk.by(F_CN, "claim", "finance", claim, "--acknowledged", told).json["funded"] == claim

    ranked = desk.by(F_CN, "law", "receivable", made.id, "--law", "DE", "--json").json
    assert [one["claim"] for one in ranked["laws"][0]["priority"]] == [told, claim]
    assert "asserted_only" in [one["code"] for one in ranked["laws"][0]["warnings"]]


@needs_corpus
def test_a_real_aec_is_imported_once_by_who_has_it(desk: Desk, tmp_path: Path) -> None:
    made = registered(desk, tmp_path / "1", (CORPUS / "cl-sii/sii-dte/DTE--76399752-9--33--25568.xml").read_bytes())
    record = CORPUS / "cl-sii/sii-rtc/AEC--76399752-9--33--25568--SEQ-1.xml"
    words = ("external", "import", record, "--receivable", made.id, "--entered", "2019-04-04")
    planned = desk.by(EXP_CN, *words, "--dry-run")
    assert (planned.code, "would be recorded" in planned.out) == (DONE, True)
    assert desk.by(EXP_CN, "external", "list", "--receivable", made.id).out.count("CL:RPETC") == 0
    for party in (EXP_CN, F_SG):  # the seller; and a financier that was given the document, and nothing else
        done = desk.by(party, *words)
        assert (done.code, "tax:CL763899926" in done.out, "100%" in done.out) == (DONE, True, True)
    again = desk.by(EXP_CN, *words)
    assert (again.code, "already_done" in again.out) == (DONE, True)
    refused = desk.by(IMP_DE, *words)  # the debtor would open its commitment: --dossier
    assert (refused.code, "not_authorised" in refused.out) == (LOOK, True)

    other = registered(desk, tmp_path / "2")
    plain = desk.by(EXP_CN, "external", "import", tmp_path / "2" / "invoice.xml", "--receivable", other.id)
    assert "records no assignment" in complaint(plain)
    with Stage(desk.cast).exporter() as seller:
        first, second = seller.call(external.of_receivable, bytes.fromhex(made.id))
    assert (first.capacity, second.capacity, first.assignee) == ("registrant", "searcher", second.assignee)
    assert (first.source, first.share, first.grade, first.concluded_ms) == (
        "CL:RPETC",
        WHOLE,
        "document",
        1554379792000,
    )
    opened = desk.by(EXP_CN, "external", "show", first.id.hex(), "--document", record).json
    assert opened["opens"] == ["tax:CL763899926"]
    wrong = desk.by(EXP_CN, "external", "show", first.id.hex(), "--document", made.dossier)
    assert "is not the document" in complaint(wrong)
