"""S6: one debt from both sides, the seller's invoice and the buyer's payable, through the SDK on real nodes."""

from __future__ import annotations

import datetime

import pytest

from clients.errors import ClientError, Refused
from registry.money import WHOLE
from tests.cast import EXP_CN, IMP_DE, Cast, listing, offer_to

pytestmark = pytest.mark.processes

DUE = datetime.date(2026, 8, 15)


def test_s6_block_once_the_debtor_confirmed_both(cast: Cast) -> None:
    sold = listing("TJ-2026-00533", 8_845_000, due=DUE)
    owed = listing("", 8_845_000, due=DUE, seller="", issued=None, kind="payable")
    with (
        cast.exporter() as seller,
        cast.exporter(IMP_DE, "f-de") as buyer,
        cast.debtor() as debtor,
        cast.financier("f-cn") as f_cn,
        cast.financier("f-de") as f_de,
    ):
        invoice = seller.register(sold)
        f_cn.finance(offer_to(seller, invoice.receivable, "f-cn"))

        payable = buyer.register(owed)
        assert payable.matches == (invoice.receivable,)
        certificate = f_de.search(owed.particulars, purpose="approved payable")
        assert [(each["kind"], each["level"]) for each in certificate["results"]] == [("debtor_side", "review")]
        assert invoice.receivable.hex() in certificate["results"][0]["matches"]
        debtor.confirm(payable.dossier)
        claim = offer_to(buyer, payable.receivable, "f-de")
        assert f_de.check_dossier(payable.dossier).record.registrant == IMP_DE
        with pytest.raises(Refused, match="unacknowledged_match"):
            f_de.finance(claim)

        debtor.confirm(invoice.dossier, waives_defences=True)
        with pytest.raises(Refused) as refusal:
            f_de.finance(claim, acknowledged=[invoice.receivable])
        assert (refusal.value.code, refusal.value.related) == ("double_confirmed", (invoice.receivable,))
        cast.level()
        held = f_cn.receivable(invoice.receivable)
    assert held is not None
    assert (held.state, held.registrant, held.live[0].share) == ("confirmed", EXP_CN, WHOLE)


def test_a_payable_is_registered_by_who_owes_it(cast: Cast) -> None:
    with cast.exporter() as seller, pytest.raises(ClientError, match="debtor"):
        seller.register(listing("TJ-2026-00534", 8_845_100, kind="payable"))
