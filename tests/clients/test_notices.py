"""Confirmed factoring on real nodes: notice, acknowledgement, confirmation with waiver, and the same by command."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from clients import debtor as debtors
from clients import notices, reads
from clients.errors import ClientError, Refused
from registry.money import WHOLE
from registry.records.notices import Notice
from registry.texts import render, text_digest
from registry.transactions.receivables import NO_DIGEST
from tests.cast import AUTHORITIES, EXP_CN, EXP_VN, IMP_DE, Cast
from tests.clients.stage import Stage, digest, offered, unlike, with_particulars
from tests.clients.test_cli import DONE, Desk, complaint, registered
from tests.clients.test_cli import offered as offered_by_command
from tests.registry.texts.samples import sample

pytestmark = pytest.mark.processes

IBAN = "DE89 3704 0044 0532 0130 00"
TEXT = digest("Pay to us: the claim was assigned to us.")
F_SG = AUTHORITIES["f-sg"][0]


def test_from_registration_to_funding_by_confirmed_factoring(stage: Stage) -> None:
    """register -> offer -> notify -> acknowledge -> confirm with waiver -> reserve and fund."""
    with stage.exporter() as exporter, stage.financier("f-sg") as financier, stage.debtor() as debtor:
        registration = exporter.register(unlike())
        dossier = registration.dossier
        account = dossier.account_commitment(IBAN)
        claim = offered(exporter, registration.receivable, "f-sg")

        notice = financier.call(notices.notify, claim, channel="courier", text=TEXT, account=account, language="zh")
        stage.level()
        assert debtor.call(reads.record, Notice, notice) is None, "nobody knows yet who the debtor is"
        sent = financier.call(reads.record, Notice, notice)
        assert (sent.sender, sent.holder, sent.language, sent.received_ms) == (F_SG, F_SG, "zh", 0)
        slip = digest("the courier's slip")
        financier.call(notices.prove_receipt, notice, received_ms=sent.sent_ms, evidence=slip)

        wrong = dossier.account_commitment("GB33BUKB20201555555555")
        with pytest.raises(Refused, match="other_notice"):
            debtor.call(notices.acknowledge, notice, text=TEXT, account=wrong, dossier=dossier, accepts=True)
        debtor.call(notices.acknowledge, notice, text=TEXT, account=account, dossier=dossier)
        debtor.confirm(dossier, text=digest("terms"), waives_defences=True, account=account, language="zh")
        debtor.call(notices.acknowledge, notice, text=TEXT, account=account, accepts=True)
        (own,) = [one for one in debtor.call(reads.own_records, Notice) if one.id == notice]
        assert (own.debtor, own.proved_ms, own.evidence_digest) == (IMP_DE, sent.sent_ms, slip)
        assert sent.sent_ms == own.received_ms < own.acknowledged_ms < own.accepted_ms

        financier.finance(claim)
        record = financier.receivable(registration.receivable)
    assert (record.state, record.waives_defences, record.language) == ("confirmed", True, "zh")
    assert (record.account_digest, record.text_digest) == (account, digest("terms"))
    assert record.confirmed_share == WHOLE
    assert record.confirmed_ms <= time.time_ns() // 1_000_000


def test_the_same_from_asyncio(asyncio_stage: Stage) -> None:
    with asyncio_stage.exporter() as exporter, asyncio_stage.debtor() as debtor:
        registration = exporter.register(unlike())
        claim = offered(exporter, registration.receivable, "f-cn")
        account = registration.dossier.account_commitment(IBAN)
        notice = exporter.call(notices.notify, claim, channel="edi", text=TEXT, account=account)
        debtor.call(notices.acknowledge, notice, text=TEXT, account=account, dossier=registration.dossier, accepts=True)
        debtor.confirm(registration.dossier, waives_defences=True)
        asyncio_stage.level()
        record = exporter.call(reads.record, Notice, notice)
    assert (record.sender, record.holder) == (EXP_CN, AUTHORITIES["f-cn"][0])
    assert record.accepted_ms == record.received_ms > 0


def test_a_notice_is_for_those_it_concerns(stage: Stage) -> None:
    with stage.exporter() as exporter, stage.exporter(EXP_VN) as stranger, stage.financier("f-gb") as another:
        registration = exporter.register(unlike())
        claim = offered(exporter, registration.receivable, "f-sg")
        account = registration.dossier.account_commitment(IBAN)
        notice = exporter.call(notices.notify, claim, channel="registry", text=TEXT, account=account)
        stage.level()
        assert exporter.call(reads.record, Notice, notice).id == notice
        assert [client.call(reads.record, Notice, notice) for client in (stranger, another)] == [None, None]
        assert notice not in {one.id for one in stranger.call(reads.own_records, Notice)}


def test_silence_means_nothing_in_germany(stage: Stage) -> None:
    with stage.exporter() as exporter:
        registration = exporter.register(unlike())
        claim = offered(exporter, registration.receivable, "f-sg")
        notice = exporter.call(notices.notify, claim, channel="email", text=TEXT, account=NO_DIGEST)
        with pytest.raises(Refused, match="no_deemed_acceptance"):
            exporter.call(notices.deem, notice)


def test_two_debts_that_look_like_one_are_told_apart_by_the_debtor(stage: Stage) -> None:
    """Two sellers, one sum, one due date: blocked once both are confirmed, until the debtor says that it owes both."""
    made = unlike()
    twin = with_particulars(unlike(seller=EXP_VN), amount_minor=made.particulars.amount_minor)
    with stage.exporter() as first, stage.exporter(EXP_VN) as second, stage.debtor() as debtor:
        one, two = first.register(made), second.register(twin)
        assert two.matches == (one.receivable,)
        debtor.confirm(one.dossier)
        debtor.confirm(two.dossier)
        claim = offered(second, two.receivable, "f-de")
        with stage.financier("f-de") as financier:
            with pytest.raises(Refused) as refusal:
                financier.finance(claim, acknowledged=[one.receivable])
            assert (refusal.value.code, refusal.value.related) == ("double_confirmed", (one.receivable,))
            debtor.call(debtors.distinguish, one.receivable, two.receivable, text=digest("two purchases"))
            financier.finance(claim, acknowledged=[one.receivable])


def test_the_account_is_the_same_however_it_is_written(stage: Stage) -> None:
    with stage.exporter() as exporter:
        ours, theirs = (exporter.register(unlike()).dossier for _ in range(2))
    assert (
        ours.account_commitment(IBAN)
        == ours.account_commitment("de89370400440532013000")
        != ours.account_commitment("DE89370400440532013001")
    )
    assert ours.account_commitment(IBAN) != theirs.account_commitment(IBAN), "salted: nobody can guess it"
    with pytest.raises(ClientError, match="account"):
        ours.account_commitment(" - ")


# --- by command ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("notices"), cast)


def test_notice_and_confirmation_by_command(desk: Desk, tmp_path: Path) -> None:
    known = registered(desk, tmp_path)
    claim = offered_by_command(desk, tmp_path, known.id, "f-sg")
    text, slip = tmp_path / "notice.txt", tmp_path / "slip.txt"
    words = sample("notice-of-assignment")
    text.write_text(render("notice-of-assignment", "zh", words), encoding="utf-8")
    slip.write_text("delivered")
    shown = ("--dossier", known.dossier, "--account", IBAN, "--text", text)

    sent = desk.by(F_SG, "notice", "send", claim, *shown, "--channel", "courier", "--language", "zh").json
    notice = sent["notice"]
    assert complaint(desk.by(IMP_DE, "notice", "show", notice)).startswith("no such notice")
    assert "time zone" in complaint(
        desk.by(F_SG, "notice", "prove", notice, "--received", "2026-05-04T10:00:00", "--evidence", slip)
    )
    late = desk.by(F_SG, "notice", "prove", notice, "--received", "2126-05-04T10:00:00Z", "--evidence", slip)
    assert complaint(late) == "refused: impossible_time"
    record = desk.by(F_SG, "notice", "show", notice).json
    assert record["text_digest"] == text_digest("notice-of-assignment", "zh", words).hex(), "whoever pins it, and how"
    assert (record["claim"], record["language"], record["received"], record["received_by"]) == (claim, "zh", "", "")
    assert desk.by(F_SG, "notice", "prove", notice, "--received", record["sent"], "--evidence", slip).code == DONE
    assert desk.by(IMP_DE, "notice", "acknowledge", notice, *shown, "--accept").json["accepted"] is True
    confirmed = desk.by(
        IMP_DE,
        *("receivable", "confirm", known.dossier, "--waive-defences", "--account", IBAN),
        *("--text", text, "--language", "zh"),
    )
    assert confirmed.json["confirmed"] == known.id
    held = desk.by(F_SG, "receivable", "show", known.id).json
    assert (held["state"], held["waives_defences"], held["language"]) == ("confirmed", True, "zh")

    record = desk.by(IMP_DE, "notice", "show", notice).json
    assert (record["received"], record["received_by"]) == (record["sent"], "evidence")
    assert record["accepted"] == record["acknowledged"] > record["sent"]
    assert (record["debtor"], record["holder"]) == (IMP_DE, F_SG)
    assert held["account_digest"] == record["account_digest"]
    for party in (F_SG, IMP_DE, EXP_CN):
        assert notice in desk.by(party, "notice", "list").out
    assert complaint(desk.by(F_SG, "receivable", "deem", notice)) == "refused: bad_state"


def test_commands_say_what_is_missing(desk: Desk, tmp_path: Path) -> None:
    nothing = "0" * 64
    assert "not_found" in complaint(desk.by(F_SG, "receivable", "deem", nothing))
    (tmp_path / "why.txt").write_text("two purchases")
    told = desk.by(IMP_DE, "receivable", "distinguish", nothing, "1" * 64, "--statement", tmp_path / "why.txt")
    assert "not_found" in complaint(told)
    assert complaint(desk.by(F_SG, "notice", "show", "zz")).startswith("notice: 64 hexadecimal digits")
