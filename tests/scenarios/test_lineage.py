"""S5 (order, then invoices) and S9 (credit note after funding), through the SDK on real nodes."""

from __future__ import annotations

import datetime
import hashlib

import pytest

from clients.errors import Refused
from clients.session import compose
from registry.money import WHOLE, Money, claim_share
from registry.transactions.claims import Fund, Release, Reserve
from registry.transactions.envelope import ALL
from tests.cast import AUTHORITIES, Cast, key_of, listing, offer_to

pytestmark = pytest.mark.processes


def cny(minor: int) -> Money:
    return Money("CNY", minor)


def test_s5_a_claimed_order_weighs_on_its_invoices(cast: Cast) -> None:
    with cast.exporter() as exporter, cast.financier("f-cn") as f_cn, cast.financier("f-sg") as f_sg:
        order = exporter.register(
            listing("PO-88213", 50_000_000, currency="USD", kind="purchase_order", orders=("PO-88213",), due=None)
        )
        order_claim = offer_to(exporter, order.receivable, "f-cn", 700_000_000_000)
        f_cn.finance(order_claim)
        invoices = [
            exporter.register(
                listing(
                    number,
                    amount,
                    currency="USD",
                    orders=("PO-88213",),
                    parents=((order.receivable, amount * WHOLE // 50_000_000, WHOLE),),
                )
            )
            for number, amount in (("S5-1", 30_000_000), ("S5-2", 20_000_000))
        ]
        first = invoices[0].receivable
        wants_90 = offer_to(exporter, first, "f-sg", 900_000_000_000)
        with pytest.raises(Refused) as refusal:
            f_sg.finance(wants_90)
        assert refusal.value.code == "over_residual"

        takeout = compose(
            cast.devnet.genesis,
            [Release(order_claim), Reserve(wants_90, 60_000), Fund(wants_90, ())],
            signers=[key_of(AUTHORITIES["f-sg"][0]).public_key, key_of(AUTHORITIES["f-cn"][0]).public_key],
            mode=ALL,
        )
        signatures = {
            key.public_key: takeout.sign(cast.devnet.genesis, key)
            for key in (key_of(AUTHORITIES["f-sg"][0]), key_of(AUTHORITIES["f-cn"][0]))
        }
        f_sg.send(takeout, signatures)
        cast.level()
        released, funded = f_cn.claim(order_claim), f_sg.claim(wants_90)
    assert released is not None
    assert funded is not None
    assert (released.state, funded.state) == ("released", "funded")


def test_s5_what_is_free_can_be_had(cast: Cast) -> None:
    with cast.exporter() as exporter, cast.financier("f-cn") as f_cn, cast.financier("f-sg") as f_sg:
        order = exporter.register(
            listing("PO-88214", 60_000_000, currency="USD", kind="purchase_order", orders=("PO-88214",), due=None)
        )
        f_cn.finance(offer_to(exporter, order.receivable, "f-cn", 700_000_000_000))
        invoice = exporter.register(
            listing("S5-3", 36_000_000, currency="USD", parents=((order.receivable, 600_000_000_000, WHOLE),))
        ).receivable
        with pytest.raises(Refused, match="over_residual"):
            f_sg.finance(offer_to(exporter, invoice, "f-sg", 300_000_000_001))
        f_sg.finance(offer_to(exporter, invoice, "f-sg", 300_000_000_000))
        with pytest.raises(Refused) as refusal:
            exporter.register(
                listing(
                    "S5-4",
                    30_000_000,
                    currency="USD",
                    parents=((order.receivable, 600_000_000_000, WHOLE),),
                    issued=datetime.date(2026, 5, 20),
                )
            )
    assert refusal.value.code == "over_parent"


def test_s9_a_credit_note_after_funding_leaves_it_over_advanced(cast: Cast) -> None:
    fapiao = ("CN:26122000000012345678",)
    document = hashlib.sha256(b"red invoice").digest()
    with cast.exporter() as exporter, cast.financier("f-cn") as f_cn, cast.financier("f-sg") as f_sg:
        made = listing("26122000000012345678", 113_000_000, currency="CNY", government_ids=fapiao)
        receivable = exporter.register(made).receivable
        claim = offer_to(exporter, receivable, "f-cn", claim_share(cny(90_400_000), whole=cny(113_000_000)))
        f_cn.finance(claim)
        exporter.adjust(receivable, reduction=claim_share(cny(40_000_000), whole=cny(113_000_000)), document=document)
        record = f_cn.receivable(receivable)
        held = f_cn.claim(claim)
        assert record is not None
        assert held is not None
        assert record.collectible * 113_000_000 // WHOLE in (72_999_999, 73_000_000)
        over = held.share - record.collectible
        assert round(over * 113_000_000 / WHOLE) == 17_400_000
        assert held.state == "funded"
        with pytest.raises(Refused, match="over_residual"):
            f_sg.finance(offer_to(exporter, receivable, "f-sg", 1))

        again = exporter.register(listing("26122000000099999999", 113_000_000, currency="CNY"))
        assert receivable in again.matches
        with pytest.raises(Refused, match="unacknowledged_match"):
            f_sg.finance(offer_to(exporter, again.receivable, "f-sg"))
