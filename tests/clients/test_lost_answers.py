"""Idempotence on real nodes: the answer to a submission is lost, and asking again does it once, whoever is asked."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from clients import contacts, disputes, events, external, filings, notices, parties, pools
from clients import debtor as debtors
from clients import exporter as exporters
from clients import financier as financiers
from clients.errors import Unreachable
from clients.exchange import Procedure
from clients.session import Draft, Session
from clients.verify import Final
from registry.money import WHOLE
from registry.transactions.attestations import Attest
from registry.transactions.external_claims import RecordExternalClaim
from registry.transactions.governance import Amend
from tests.cast import AUTHORITIES, EXP_CN, EXP_VN, TERMS, key_of
from tests.clients.stage import Stage, admit, digest, newcomer, unlike, until_ms

pytestmark = pytest.mark.processes

SAID: dict[str, Any] = {"text": digest("said"), "language": "en"}
F_SG = AUTHORITIES["f-sg"][0]


def losing(procedure: Callable[..., Procedure[Any]]) -> Callable[..., Procedure[Any]]:
    """The procedure, on a connection that breaks when a node has taken the transaction and answers."""

    def lossy(session: Session, *arguments: Any, **named: Any) -> Procedure[Any]:
        made = procedure(session, *arguments, **named)
        call = next(made)
        while True:
            reply = yield call
            lost = call.path == "/v1/transactions"
            call = made.throw(Unreachable("the answer is lost")) if lost else made.send(reply)

    return lossy


def retried(client: Any, other: Any, procedure: Callable[..., Procedure[Any]], *arguments: Any, **named: Any) -> bytes:
    """What the procedure did, found out by asking again, here and elsewhere: the subject."""
    with pytest.raises(Unreachable) as lost:
        client.call(losing(procedure), *arguments, **named)
    submission = lost.value.submission
    assert submission is not None
    first: Final = client.resume(submission)
    for again in (client.resume(submission), other.resume(submission)):
        assert (again.receipts, again.height) == (first.receipts, first.height)
    return first.receipts[-1].subject


def heard(client: Any, since: int) -> Counter[tuple[str, bytes]]:
    """How often the client's party heard what of which subject."""
    found: Counter[tuple[str, bytes]] = Counter()
    while True:
        page = client.call(events.page, since=since)
        found.update((one.kind, one.subject) for one in page.events)
        if not page.events:
            return found
        since = page.following


def test_a_retry_after_a_lost_answer_never_does_anything_twice(stage: Stage) -> None:
    """One procedure of every family; its events are heard once each."""
    party = newcomer("debtor")
    admit(stage, [party])
    now_ms = time.time_ns() // 1_000_000
    with (
        stage.exporter() as seller,
        stage.financier("f-sg") as bank,
        stage.debtor() as debtor,
        stage.exporter(EXP_VN) as rival,
    ):
        since = bank.call(events.page).following
        (prepared,) = seller.prepare([unlike(transports=(f"BL-{now_ms}",))])
        receivable = retried(seller, bank, exporters.submit_prepared, prepared)
        (alike,) = rival.prepare([unlike(seller=EXP_VN, transports=(f"BL-{now_ms}",))])
        theirs = retried(rival, bank, exporters.submit_prepared, alike)
        share = {"share": WHOLE // 2, "terms": TERMS, "valid_until_ms": until_ms()}
        claim = retried(seller, bank, exporters.offer, receivable, to=F_SG, **share)
        assert retried(bank, seller, financiers.reserve, claim) == claim
        assert retried(debtor, seller, debtors.confirm, prepared.dossiers[0]) == receivable
        notice = retried(bank, seller, notices.notify, claim, channel="edi", account=digest("account"), **SAID)
        filed = {"register": "CN:ZHONGDENG", "number": digest("n"), "filed_ms": now_ms - 60_000, "lapses_ms": 0}
        filing = retried(bank, seller, filings.record_filing, claim, **filed)
        stated = RecordExternalClaim(receivable, (), "CL:RPETC", digest("AEC"), digest("another"))
        outside = retried(seller, bank, external.record, stated)
        contact = retried(bank, seller, contacts.ask, receivable, theirs, **SAID)
        raised = {"ground": "third_party_claim", "share": 1, "standing": ("claim", claim), **SAID}
        dispute = retried(bank, seller, disputes.raise_dispute, receivable, **raised)
        facility = pools.opening(seller=EXP_CN, financier=F_SG, terms=TERMS, rules=digest("rules"))
        opened = retried(seller, bank, pools.agree, F_SG, facility, countersign=by(stage, F_SG))
        vouched = Attest(party.id, "kyc", digest("bureau"), digest("result"), now_ms - 60_000, now_ms + 600_000)
        attestation = retried(bank, seller, parties.attest, vouched)
        proposal = retried(bank, seller, parties.propose_change, Amend(party.id, "Another name"))
        once = {
            ("offered", claim),
            ("reserved", claim),
            ("confirmed", receivable),
            ("notified", notice),
            ("filed", filing),
            ("external_claim_recorded", outside),
            ("contact_sent", contact),
            ("dispute_raised", dispute),
            ("facility_opened", opened),
            ("attested", attestation),
            ("proposed", proposal),
        }
        counted = heard(bank, since)
        assert {each: counted[each] for each in once} == dict.fromkeys(once, 1)
        assert heard(seller, since)["registered", receivable] == 1


def by(stage: Stage, party: str) -> Callable[[Draft], dict[bytes, bytes]]:
    """How this party signs what it agrees to."""
    key = key_of(party)
    return lambda draft: {key.public_key: draft.sign(stage.cast.devnet.genesis, key)}
