"""A dispute on four real nodes: through the SDK, and as people type it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clients import disputes, reads
from clients.debtor import DebtorClient
from clients.disputes import as_debtor
from clients.errors import ClientError, Refused
from clients.exporter import Registration
from clients.matches import to_acknowledge
from clients.session import submit
from registry.money import WHOLE
from registry.records import Dispute
from registry.transactions.envelope import open_transaction
from registry.transactions.governance import Award
from tests.cast import AUTHORITIES, EXP_CN, EXP_VN, IMP_AE, IMP_DE, Cast, key_of
from tests.clients.stage import Stage, digest, offered, unlike
from tests.clients.test_cli import Desk, complaint, registered

pytestmark = pytest.mark.processes

PERCENT = WHOLE // 100
SAID: dict[str, Any] = {"text": digest("the pallets arrived wet"), "language": "en"}


def set_off(debtor: DebtorClient, registration: Registration, percent: int) -> bytes:
    """The debtor's dispute of so much of a receivable of which it holds the dossier; its id."""
    standing = as_debtor(registration.dossier)
    receipt = debtor.call(
        disputes.raise_dispute,
        registration.receivable,
        ground="set_off",
        share=percent * PERCENT,
        standing=standing,
        **SAID,
    )
    return receipt.subject


def test_raised_funding_refused_settled_and_funded_up_to_what_is_left(stage: Stage) -> None:
    with stage.exporter() as seller, stage.debtor() as debtor, stage.financier("f-sg") as financier:
        registration = seller.register(unlike())
        first = offered(seller, registration.receivable, "f-sg", 80 * PERCENT)
        financier.reserve(first)
        dispute = set_off(debtor, registration, 30)
        with pytest.raises(Refused, match="disputed") as refusal:
            financier.fund(first)
        assert refusal.value.related == (dispute,)
        stage.level()
        # Whoever may read the receivable may read what is in its way, and the opener its own dispute.
        (seen,) = financier.call(disputes.open_disputes, registration.receivable)
        assert seen == debtor.call(reads.record, Dispute, dispute) == seller.call(reads.record, Dispute, dispute)
        (running,) = financier.call(
            to_acknowledge, registration.receivable
        ).disputes  # to be acknowledged once it is answered
        assert (running.id, running.receivable, running.rung) == (dispute, registration.receivable, 0)
        assert (running.ground, running.capacity, running.share) == ("set_off", "debtor", 30 * PERCENT)
        assert (seen.state, seen.opener, seen.share) == ("open", IMP_DE, 30 * PERCENT)
        assert seen in debtor.call(reads.own_records, Dispute)
        seller.call(disputes.answer, dispute, **SAID)

        stage.level()
        genesis = stage.cast.devnet.genesis
        draft = debtor.call(disputes.compose_settlement, dispute, reduction=25 * PERCENT, others=[EXP_CN], **SAID)
        keys = [key_of(party) for party in (IMP_DE, EXP_CN)]
        signatures = {key.public_key: draft.sign(genesis, key) for key in keys}
        seller.resume(draft.sealed(genesis, signatures))

        stage.level()
        record = seller.receivable(registration.receivable)
        assert (record.collectible, record.disputes) == (75 * PERCENT, ())
        assert seller.call(disputes.open_disputes, registration.receivable) == ()
        assert financier.call(to_acknowledge, registration.receivable).disputes == ()
        with pytest.raises(Refused, match="over_residual"):
            financier.fund(first)
        financier.release(first)
        financier.finance(offered(seller, registration.receivable, "f-sg", 75 * PERCENT))


def test_a_dispute_is_nobody_elses_business(stage: Stage) -> None:
    with stage.exporter() as seller, stage.debtor() as debtor:
        registration = seller.register(unlike())
        dispute = set_off(debtor, registration, 10)
    stage.level()
    with stage.debtor(IMP_AE) as other, stage.exporter(EXP_VN) as rival, stage.financier("f-gb") as bank:
        for client in (other, rival, bank):
            assert client.call(reads.record, Dispute, dispute) is None
            assert dispute not in [one.id for one in client.call(reads.own_records, Dispute)]
        with pytest.raises(ClientError, match="no such receivable"):
            bank.call(disputes.open_disputes, registration.receivable)


def test_the_rightful_seller_goes_to_court_and_the_authorities_void_the_squatters_registration(stage: Stage) -> None:
    """EXP_CN has registered what EXP_VN has sold: its fingerprints name EXP_VN, which the ledger cannot see."""
    mine = unlike(seller=EXP_VN)
    with stage.exporter(EXP_VN) as rightful:
        (prepared,) = rightful.prepare([mine])
    copied = open_transaction(prepared.submission.wire, stage.cast.devnet.genesis.id).operations
    with stage.exporter() as squatter:
        squat = squatter.call(submit, copied).receipts[0].subject
    with stage.exporter(EXP_VN) as rightful, stage.exporter() as squatter:
        with pytest.raises(Refused, match="duplicate") as refusal:
            rightful.register(mine)
        assert refusal.value.related == (squat,)
        dispute = rightful.call(
            disputes.raise_as_refused, squat, mine.particulars, ground="squatting", share=WHOLE, **SAID
        ).subject
        squatter.call(disputes.answer, dispute, **SAID)
        rightful.call(disputes.escalate, dispute, **SAID)
        squatter.call(disputes.answer, dispute, **SAID)
        rightful.call(disputes.escalate, dispute, forum="CIETAC", seat="CN", **SAID)
    award = Award(dispute, "voided", 0, digest("award"), "zh")
    with stage.financier("f-cn") as registrar:
        proposal = registrar.call(disputes.propose_award, award)
        for name in ("f-sg", "f-de"):
            with stage.financier(name, "f-cn") as approver:
                approver.approve([proposal])
    with stage.exporter(EXP_VN) as rightful, stage.exporter() as squatter:
        assert squatter.receivable(squat).state == "voided"
        assert rightful.register(mine).matches == ()


@pytest.fixture
def desk(cast: Cast, tmp_path: Path) -> Desk:
    return Desk(tmp_path, cast)


def test_a_dispute_as_people_type_it(desk: Desk, tmp_path: Path) -> None:
    made = registered(desk, tmp_path / "in")
    letter, draft = tmp_path / "letter.txt", tmp_path / "draft.json"
    letter.write_text("The pallets arrived wet.")
    said = ("--text", letter)
    ground = ("--ground", "defence", "--share", "30%")
    assert complaint(desk.by(IMP_DE, "dispute", "raise", made.id, *ground, *said)) == "refused: not_authorised"
    command = ("dispute", "raise", made.id, *ground, *said, "--dossier", made.dossier)
    dispute = desk.by(IMP_DE, *command).json["raised"]
    assert desk.by(IMP_DE, *command, "--claim", made.id).code == 2
    assert complaint(desk.by(IMP_DE, *command)) == f"refused: already_done (see {dispute})"
    listed = desk.by(EXP_CN, "dispute", "list", "--receivable", made.id).out
    assert all(word in listed for word in (dispute, "open", "defence", "30%"))

    assert desk.by(EXP_CN, "dispute", "answer", dispute, *said).json["answered"] == dispute
    shown = desk.by(IMP_DE, "dispute", "show", dispute).json
    assert (shown["stands_for"], shown["state"], shown["capacity"]) == ("respondent", "open", "debtor")
    assert [step["kind"] for step in shown["steps"]] == ["raise", "answer"]
    assert complaint(desk.by(AUTHORITIES["f-gb"][0], "dispute", "show", dispute)).startswith("no such dispute")
    assert desk.by(IMP_DE, "dispute", "escalate", dispute, *said).json["escalated"] == dispute
    assert complaint(desk.by(EXP_CN, "dispute", "conclude", dispute)) == "refused: out_of_time"
    award = ("--outcome", "dismissed", "--award", letter)
    assert complaint(desk.by(AUTHORITIES["f-cn"][0], "dispute", "award", dispute, *award)) == "refused: bad_state"

    settlement = ("--reduction", "12.5%", "--with", EXP_CN, "-o", draft)
    assert desk.by(IMP_DE, "dispute", "settle", dispute, *said, *settlement).json["draft"] == str(draft)
    for misread in (("--reduction", "12%"), ("--reduction", "12.5%", "--outcome", "reduced")):
        assert "nothing was signed" in complaint(desk.by(EXP_CN, "dispute", "accept", dispute, draft, *misread))
    agreed = desk.by(EXP_CN, "dispute", "accept", dispute, draft, "--reduction", "12.5%")
    assert agreed.json["settled"] == dispute
    assert desk.by(IMP_DE, "dispute", "show", dispute).json["state"] == "settled"
    assert complaint(desk.by(IMP_DE, "dispute", "withdraw", dispute, *said)) == "refused: already_done"
    decision = ("--with", EXP_CN, "-o", draft)
    desk.by(IMP_DE, "dispute", "decide", dispute, *award, *decision)
    taken = desk.by(EXP_CN, "dispute", "accept", dispute, draft, "--outcome", "dismissed")
    assert complaint(taken) == "refused: already_done"


def test_an_award_as_authorities_type_it(desk: Desk, tmp_path: Path) -> None:
    made = registered(desk, tmp_path / "in")
    letter = tmp_path / "award.txt"
    letter.write_text("The invoice is owed.")
    said = ("--text", letter)
    own = ("--ground", "no_such_debt", "--dossier", made.dossier)
    dispute = desk.by(IMP_DE, "dispute", "raise", made.id, *own, *said).json["raised"]
    for by, step in ((EXP_CN, ("answer",)), (IMP_DE, ("escalate",)), (EXP_CN, ("answer",))):
        assert desk.by(by, "dispute", *step, dispute, *said).code == 0
    assert desk.by(IMP_DE, "dispute", "escalate", dispute, *said, "--forum", "COURT", "--seat", "DE").code == 0
    shown = desk.by(EXP_CN, "dispute", "show", dispute).json
    assert (shown["waits_for"], shown["forum"], shown["seat"]) == ("award", "COURT", "DE")
    proposer, *approvers = (party for party, _ in AUTHORITIES.values())
    award = ("--outcome", "dismissed", "--award", letter, "--language", "de")
    proposal = desk.by(proposer, "dispute", "award", dispute, *award).json["proposal"]
    listed = desk.by(approvers[0], "party", "proposals").out
    assert any(proposal in line and "award" in line and dispute in line for line in listed.splitlines())
    for approver in approvers[:2]:
        assert desk.by(approver, "party", "approve", proposal).json["approved"] == proposal
    assert desk.by(IMP_DE, "dispute", "show", dispute).json["state"] == "dismissed"
