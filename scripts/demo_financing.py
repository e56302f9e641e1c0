"""Beside the race: how receivables are financed. Confirmed, pooled, from order to invoice; each step is checked."""

from __future__ import annotations

import hashlib
import secrets
import time
from datetime import date

from demo_cast import AUTHORITIES, demo_key, firm, synthetic_lei
from demo_checks import Check
from demo_pool import POOL_SELLER, pool_story
from demo_story import OFFER_VALID_MS, Story

from clients import forms, notices
from clients.errors import Refused
from clients.exporter import Listing, Registration
from clients.session import Draft
from clients.verify import Final
from registry.fingerprint import Particulars
from registry.money import WHOLE, Money
from registry.texts import text_digest

SELLER_NAME, BUYER_NAME = "Tianjin Haihe Valves (demo)", "Nordsee Armaturen (demo)"
SELLER, BUYER = synthetic_lei(SELLER_NAME), synthetic_lei(BUYER_NAME)
FIRMS = (
    firm(SELLER, SELLER_NAME, "CN", "exporter"),
    firm(BUYER, BUYER_NAME, "DE", "debtor"),
    firm(POOL_SELLER, "Binhai Pumps (demo)", "CN", "exporter"),
)
PARTY_OF = {name: party for name, party, *_ in AUTHORITIES}
TITLE_OF = {name: title for name, _, title, _ in AUTHORITIES}
PERCENT = WHOLE // 100
ACCOUNT = "CN 9550 8800 0041 7 (demo)"
ISSUED, DUE = date(2026, 5, 4), date(2026, 8, 3)
TERMS = hashlib.sha256(b"demo master agreement").digest()


class Financing:
    """The stories, on the network of the demonstration, between one seller, one buyer and the financiers."""

    def __init__(self, story: Story) -> None:
        self._story = story

    async def play(self) -> list[Check]:
        """All of them, one after the other."""
        return [await self.confirmed(), await pool_story(self._story, BUYER), await self.order_to_invoice()]

    async def confirmed(self) -> Check:
        """Notice in Chinese, acknowledged; confirmation in English, defences waived, to a named account; funding."""
        listed = await self._registered(_particulars("HV-2026-0101", 18_600_000))
        receivable, dossier = listed.receivable, listed.dossier
        account = dossier.account_commitment(ACCOUNT)
        claim = await self._offered(receivable, "f-sg", 80 * PERCENT)
        notice_text = text_digest("notice-of-assignment", "zh", _words(dossier.particulars, "f-sg", claim))
        async with self._story.exporter(SELLER) as seller:
            notice = await seller.call(
                notices.notify, claim, channel="registry", text=notice_text, account=account, language="zh"
            )
        shown = _words(dossier.particulars, "f-sg", None)
        async with self._story.debtor(BUYER) as buyer:
            await buyer.call(
                notices.acknowledge, notice, text=notice_text, account=account, dossier=dossier, accepts=True
            )
            confirmation = text_digest("debtor-confirmation-whole-waiver", "en", shown)
            await buyer.confirm(dossier, text=confirmation, waives_defences=True, account=account)
        async with self._story.financier("f-sg") as financier:
            await financier.finance(claim)
            record = await financier.receivable(receivable)
        good = record is not None and record.state == "confirmed" and record.waives_defences
        return Check(
            "confirmed factoring: notice (Chinese), acknowledged, confirmed with waiver (English), funded",
            good,
            f"{dossier.particulars.number} {_amount(dossier.particulars)}, 80% funded by f-sg",
        )

    async def order_to_invoice(self) -> Check:
        """f-cn finances the order; f-sg wants most of the invoice under it: refused, then taken out at once."""
        order = await self._registered(_particulars("PO-88213", 50_000_000), kind="purchase_order")
        old = await self._offered(order.receivable, "f-cn", 70 * PERCENT)
        async with self._story.financier("f-cn") as first:
            await first.finance(old)
        link = (order.receivable, 60 * PERCENT, WHOLE)
        invoice = await self._registered(_particulars("HV-2026-0102", 30_000_000, order="PO-88213"), parents=(link,))
        wanted = await self._offered(invoice.receivable, "f-sg", 90 * PERCENT)
        async with self._story.financier("f-sg") as second:
            try:
                await second.finance(wanted)
                refused = "funded"
            except Refused as refusal:
                refused = refusal.code
        taken = await self._taken_out(old, invoice.receivable)
        async with self._story.financier("f-cn") as first:
            before = await first.claim(old)
        good = refused == "over_residual" and before is not None and before.state == "released" and _all_done(taken)
        return Check(
            "from order to invoice: 70% of the order claimed, 90% of the invoice refused, then funded by take-out",
            good,
            f"refused: {refused}; then release, offer, reserve, fund in block {taken.height}",
        )

    # --- the small print ----------------------------------------------------------------------------------------

    async def _registered(self, particulars: Particulars, **more: object) -> Registration:
        listing = Listing(particulars=particulars, seller_country="CN", debtor_country="DE", **more)  # type: ignore[arg-type]
        async with self._story.exporter(SELLER) as seller:
            return await seller.register(listing)

    async def _offered(self, receivable: bytes, to: str, share: int) -> bytes:
        async with self._story.exporter(SELLER) as seller:
            offered = await seller.offer(
                receivable, to=PARTY_OF[to], share=share, terms=TERMS, valid_until_ms=_now_ms() + OFFER_VALID_MS
            )
        return offered.claim

    async def _taken_out(self, old: bytes, receivable: bytes) -> Final:
        """Seller, old holder and new financier sign one draft."""
        keys = {party: self._story.network.keys.get(party) or demo_key(party) for party in (SELLER, *PARTY_OF.values())}
        async with self._story.financier("f-sg") as second:
            draft: Draft = second.make(
                forms.take_out,
                old,
                receivable,
                seller_key=keys[SELLER].public_key,
                holder_key=keys[PARTY_OF["f-cn"]].public_key,
                new=forms.Part(party=PARTY_OF["f-sg"], key=keys[PARTY_OF["f-sg"]].public_key, share=90 * PERCENT),
                terms=TERMS,
                valid_until_ms=_now_ms() + OFFER_VALID_MS,
            )
            signers = (keys[SELLER], keys[PARTY_OF["f-cn"]], keys[PARTY_OF["f-sg"]])
            genesis = self._story.network.genesis
            return await second.send(draft, {key.public_key: draft.sign(genesis, key) for key in signers})


def _particulars(number: str, minor: int, order: str = "") -> Particulars:
    return Particulars(
        seller=SELLER,
        debtor=BUYER,
        number=number,
        currency="EUR",
        amount_minor=minor,
        issue_date=ISSUED,
        due_date=DUE,
        orders=(order,) if order else (),
    )


def _words(particulars: Particulars, financier: str, claim: bytes | None) -> dict[str, str]:
    """The parameters of a standard text; a notice names the claim and what is assigned, a confirmation does not."""
    words = {
        "document": secrets.token_hex(16),
        "date": ISSUED.isoformat(),
        "debtor": BUYER_NAME,
        "seller": SELLER_NAME,
        "financier": TITLE_OF[financier],
        "invoice": particulars.number,
        "issued": ISSUED.isoformat(),
        "due": DUE.isoformat(),
        "amount": _amount(particulars),
        "account": ACCOUNT,
    }
    if claim is not None:
        assigned = Money(particulars.currency, particulars.amount_minor * 80 // 100)
        words |= {"share": str(80 * PERCENT), "assigned": str(assigned), "claim": claim.hex()}
    return words


def _amount(particulars: Particulars) -> str:
    return str(Money(particulars.currency, particulars.amount_minor))


def _all_done(final: Final) -> bool:
    return all(receipt.done for receipt in final.receipts)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
