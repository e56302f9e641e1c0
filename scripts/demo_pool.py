"""The pool of the demonstration: a facility with a blanket, invoices drawn at once, a borrowing base, an exchange."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import date

from demo_cast import AUTHORITIES, demo_key, synthetic_lei
from demo_checks import Check
from demo_story import OFFER_VALID_MS, Story

from clients import pools
from clients.errors import Refused
from clients.exporter import Listing, Registration
from clients.pools import Drawing, Drawn
from clients.session import Draft
from registry.fingerprint import Particulars
from registry.money import WHOLE, Money
from registry.pools import FacilityRules, PoolRow, borrowing_base
from registry.transactions.facilities import Scope

POOL_SELLER = synthetic_lei("Binhai Pumps (demo)")
FINANCIER, OTHER = "f-gb", "f-sg"
PARTY_OF = {name: party for name, party, *_ in AUTHORITIES}
INVOICES = 40  # the last one is kept out of the pool at first
EACH_MINOR = 1_250_000
DRAWN_MINOR = 38_000_000
ISSUED, DUE, AS_OF = date(2026, 4, 20), date(2026, 7, 20), date(2026, 5, 20)
DAY_MS = 86_400_000
TERMS = hashlib.sha256(b"demo factoring contract").digest()
RULES = FacilityRules.from_toml(f"""
salt = "{hashlib.sha256(b"demo pool").hexdigest()}"
currency = "EUR"
limit = "400000.00"
advance_rate = "80%"
[eligibility]
currencies = ["EUR"]
debtor_countries = ["DE"]
kinds = ["invoice"]
tenor_days_max = 120
overdue_days_max = 60
concentration_max = "100%"
cross_ageing_max = "50%"
contra = "deduct"
grade_min = "self_asserted"
[dilution]
window_days = 90
factor = "100%"
""")


async def pool_story(story: Story, buyer: str) -> Check:
    """Opened by both, drawn in one transaction, closed to others, certified by both, one invoice exchanged."""
    countersign = _signs(story, PARTY_OF[FINANCIER])
    async with story.exporter(POOL_SELLER) as seller:
        listed = await seller.register_all([_listing(number, buyer) for number in range(INVOICES)])
        ids = [each.receivable for each in listed if isinstance(each, Registration)]
        blanket = Scope((), hashlib.sha256(b"demo filing").digest(), _now_ms() + 30 * DAY_MS)
        opening = pools.opening(
            seller=POOL_SELLER, financier=PARTY_OF[FINANCIER], terms=TERMS, rules=RULES.digest, blanket=blanket
        )
        opened = await seller.call(pools.agree, PARTY_OF[FINANCIER], opening, countersign=countersign)
        facility = await seller.call(pools.facility, opened.subject)
        drawings = [Drawing(receivable) for receivable in ids[:-1]]
        outcomes = await seller.call(pools.draw, facility, drawings, countersign=countersign)
        claims = [outcome.claim for outcome in outcomes if isinstance(outcome, Drawn)]
        refused = await _financed_elsewhere(story, ids[-1])
        rows = [_row(receivable, EACH_MINOR + number, buyer) for number, receivable in enumerate(ids[:-1])]
        base, theirs = (
            borrowing_base(facility.id, RULES, each, as_of=AS_OF, drawn_minor=DRAWN_MINOR)
            for each in (rows, rows[::-1])
        )
        await seller.call(pools.agree, PARTY_OF[FINANCIER], pools.certification(base), countersign=countersign)
        exchange = pools.substitution(facility, claims[0], Drawing(ids[-1]))
        exchanged = await seller.call(pools.agree, PARTY_OF[FINANCIER], exchange, countersign=countersign)
        out, into = await seller.claim(claims[0]), await seller.claim(exchanged.subject)
    good = (
        len(claims) == INVOICES - 1
        and refused == "blanket"
        and base.digest == theirs.digest
        and base.finding == "covered"
        and out is not None
        and out.state == "released"
        and into is not None
        and into.state == "funded"
    )
    worth = Money("EUR", base.available)
    return Check(
        "pool: facility with a blanket, drawn at once, closed to others, base signed by both, one invoice exchanged",
        good,
        f"{len(claims)} invoices drawn in one transaction; another financier: {refused}; up to {worth} may be drawn",
    )


async def _financed_elsewhere(story: Story, receivable: bytes) -> str:
    """What another financier hears that is offered a receivable under the blanket."""
    async with story.exporter(POOL_SELLER) as seller:
        offered = await seller.offer(
            receivable, to=PARTY_OF[OTHER], share=WHOLE, terms=TERMS, valid_until_ms=_now_ms() + OFFER_VALID_MS
        )
    async with story.financier(OTHER) as financier:
        try:
            await financier.finance(offered.claim)
        except Refused as refusal:
            return refusal.code
    return "funded"


def _listing(number: int, buyer: str) -> Listing:
    particulars = Particulars(
        seller=POOL_SELLER,
        debtor=buyer,
        number=f"BP-{number + 1:04d}",
        currency="EUR",
        amount_minor=EACH_MINOR + number,  # no two alike: what is alike must be looked at
        issue_date=ISSUED,
        due_date=DUE,
    )
    return Listing(particulars=particulars, seller_country="CN", debtor_country="DE")


def _row(receivable: bytes, amount_minor: int, buyer: str) -> PoolRow:
    return PoolRow(
        receivable=receivable,
        debtor=buyer,
        debtor_country="DE",
        kind="invoice",
        grade="self_asserted",
        state="registered",
        disputed=False,
        currency="EUR",
        amount_minor=amount_minor,
        paid_minor=0,
        contra_minor=0,
        issue_date=ISSUED,
        due_date=DUE,
    )


def _signs(story: Story, party: str) -> Callable[[Draft], dict[bytes, bytes]]:
    """The other side's signature, given here in one process."""
    key = story.network.keys.get(party) or demo_key(party)
    return lambda draft: {key.public_key: draft.sign(story.network.genesis, key)}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
