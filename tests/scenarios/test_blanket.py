"""S7: a blanket that is in the way until it lapses, through the SDK on real nodes, and the laws before and after.

The filing of the story lasts five years, the blanket of these nodes some seconds. Both end at the same instant here.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from typing import Any

import pytest

from clients import pools, reads
from clients.errors import Refused
from clients.filings import record_filing
from clients.financier import FinancierClient
from clients.law import rank_receivable
from clients.notices import acknowledge, notify
from clients.session import Draft
from registry.fingerprint import BLANKET_KIND
from registry.law.case import Case, Claim, Contract, Filing, Knowledge
from registry.law.families import Effect
from registry.law.ranking import Answer, Opinion
from registry.law.shipped import shipped_profiles
from registry.money import Money
from registry.transactions.facilities import Scope
from tests.cast import AUTHORITIES, TERMS, Cast, key_of, listing, offer_to
from tests.clients.stage import Stage, admit, digest, newcomer

pytestmark = pytest.mark.processes

STANDS_MS = 10_000
LAPSES_WITHIN_S = 60.0
LAWS = ("US-NY", "SG", "VN")
F_GB, F_SG = AUTHORITIES["f-gb"][0], AUTHORITIES["f-sg"][0]


def block_time(client: Any) -> int:
    """The ledger's own time, ms UTC."""
    now_ms: int = client.call(reads.header, None).timestamp_ms
    return now_ms


def financed_at_last(financier: FinancierClient, claim: bytes, until_ms: int) -> None:
    """Ask for funding until no blanket is in the way. Each refusal is an entry: so block time goes on."""
    deadline = time.monotonic() + LAPSES_WITHIN_S
    while True:
        try:
            financier.finance(claim)
            break
        except Refused as refusal:
            if refusal.code != "blanket":
                raise
        assert time.monotonic() < deadline, "not in time"
    funded = financier.claim(claim)
    assert funded is not None
    assert funded.funded_ms > until_ms


def answers(opinion: Opinion) -> Mapping[str, Answer]:
    return {answer.profile.code: answer for answer in opinion.answers}


def orders(opinion: Opinion) -> Mapping[str, list[str]]:
    names = {claim.id: claim.claimant for claim in opinion.case.claims}
    found = answers(opinion)
    return {law: [names[each.claim] for each in found[law].order.standings] for law in LAWS}


def test_s7_a_blanket_is_in_the_way_until_it_lapses_and_the_laws_differ_afterwards(cast: Cast) -> None:
    stage = Stage(cast)
    seller, overseer = newcomer("exporter", country="VN"), newcomer("regulator")
    admit(stage, [seller, overseer])
    made = listing("VN-7781", 9_000_000, currency="USD", seller=seller.id)
    made = dataclasses.replace(made, seller_country="VN")

    def countersigned(draft: Draft) -> dict[bytes, bytes]:
        return {key_of(F_GB).public_key: draft.sign(cast.devnet.genesis, key_of(F_GB))}

    with (
        cast.exporter(seller.id) as exporter,
        cast.financier("f-sg") as f_sg,
        cast.debtor() as debtor,
        stage.regulator(overseer.id) as regulator,
    ):
        sold = exporter.register(made)
        claim = offer_to(exporter, sold.receivable, "f-sg")
        until_ms = block_time(exporter) + STANDS_MS
        scope = Scope((), digest("UCC-1 of F_GB"), until_ms)
        asked = {"seller": seller.id, "financier": F_GB, "terms": TERMS, "rules": digest("rules")}
        opening = pools.opening(**asked, blanket=scope)
        blanket = exporter.call(pools.agree, F_GB, opening, countersign=countersigned).subject
        began_ms = exporter.call(pools.facility, blanket).blanket_since_ms

        # while it stands: found by a search, and refused
        cast.level()
        with pytest.raises(Refused) as refused:
            f_sg.finance(claim)
        assert (refused.value.code, refused.value.related) == ("blanket", (blanket,))
        certificate = f_sg.search(made.particulars, purpose="before funding")
        found = [result for result in certificate["results"] if result["kind"] == BLANKET_KIND]
        assert [result["matches"] for result in found] == [[blanket.hex()]]

        # once it has lapsed: the same offer is funded, filed, notified
        financed_at_last(f_sg, claim, until_ms)
        took_ms = began_ms + 1  # as in the story, F_SG agreed with the seller while the blanket stood
        f_sg.call(record_filing, claim, register="US-NY:UCC1", number=digest("UCC-1 of F_SG"), filed_ms=took_ms)
        shown = {"text": digest("notice of S7"), "account": digest("account of F_SG")}
        notice = f_sg.call(notify, claim, channel="courier", **shown)
        cast.level()
        debtor.call(acknowledge, notice, dossier=sold.dossier, **shown)
        cast.level()

        # what no ledger knows of it: F_GB's filing on the official register, and what F_SG knew
        filing = Filing(register="ucc-1", number="1", at_ms=began_ms, lapses_ms=until_ms)
        facts = (
            Claim(id=blanket.hex(), claimant=F_GB, concluded_ms=began_ms, blanket=True, filings=(filing,)),
            Claim(
                id=claim.hex(),
                claimant=F_SG,
                concluded_ms=took_ms,
                funded=Money("USD", 9_000_000),
                knew_of=(Knowledge(blanket.hex(), took_ms),),
            ),
        )

        def opinion(as_of_ms: int) -> Opinion:
            known = Case(
                reference="VN-7781",
                amount=Money("USD", 9_000_000),
                as_of_ms=as_of_ms,
                claims=facts,
                contract=Contract(ban=False),
            )
            said = regulator.call(rank_receivable, sold.receivable, profiles=shipped_profiles(), known=known, laws=LAWS)
            assert (said.claims_not_shown, said.filings_not_shown, said.notices_not_shown) == ((), (), ())
            assert isinstance(said.opinion, Opinion)
            return said.opinion

        before, after = opinion(until_ms - 1), opinion(block_time(regulator))

    assert orders(before) == {law: [F_GB, F_SG] for law in LAWS}
    assert not before.winner_depends_on_law
    assert orders(after) == {"US-NY": [F_SG, F_GB], "SG": [F_GB, F_SG], "VN": [F_GB, F_SG]}
    assert after.winner_depends_on_law
    laws = answers(after)
    assert {"filing_lapsed", "winner_knew"} <= {each.code for each in laws["US-NY"].warnings}
    assert laws["SG"].order.standings[1].reason.code == "notice_held_back"
    assert laws["SG"].payment.payee == claim.hex()  # the only one the debtor heard of
    assert laws["VN"].order.standings[1].effect is Effect.FORBIDDEN
