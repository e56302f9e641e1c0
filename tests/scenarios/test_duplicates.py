"""S3 (reformatted number) and S4 (split and round up: number and order matches), through the SDK on real nodes."""

from __future__ import annotations

import dataclasses

import pytest

from clients.errors import Refused
from clients.matches import to_acknowledge
from registry.money import WHOLE
from tests.cast import EXP_VN, Cast, listing, offer_to

pytestmark = pytest.mark.processes


def test_s3_a_reformatted_number_is_blocked(cast: Cast) -> None:
    with cast.exporter() as exporter:
        first = exporter.register(listing("INV-2026/000417", 10_000_000))
        for number in ("inv 2026 417", "ＩＮＶ－２０２６／０００４１７", "ΙΝV-2026/000417"):
            with pytest.raises(Refused) as refusal:
                exporter.register(listing(number, 10_000_000))
            assert refusal.value.code == "duplicate"
            assert refusal.value.related == (first.receivable,)


def test_s3_near_numbers_come_back_for_review(cast: Cast) -> None:
    with cast.exporter() as exporter:
        first = exporter.register(listing("INV-2026/000517", 20_000_000))
        revised = exporter.register(listing("INV-2026/000517-R1", 20_000_000))
        transposed = exporter.register(listing("INV-2026/000571", 20_000_000))
    assert first.receivable in revised.matches
    assert {first.receivable, revised.receivable} <= set(transposed.matches)


def test_s3_the_same_number_of_another_seller_is_no_match(cast: Cast) -> None:
    with cast.exporter() as exporter, cast.exporter(EXP_VN) as other:
        exporter.register(listing("INV-2026/000617", 30_000_000))
        assert other.register(listing("INV-2026/000617", 31_000_000, seller=EXP_VN)).matches == ()


def test_s4_split_and_rounded_up_invoices_must_be_looked_at(cast: Cast) -> None:
    goods = {"orders": ("4500098812",), "transports": ("COSU6312345670",)}
    with cast.exporter() as exporter, cast.financier("f-cn") as first, cast.financier("f-sg") as second:
        whole = exporter.register(listing("417", 24_000_000, **goods))
        first.finance(offer_to(exporter, whole.receivable, "f-cn"))
        half_a = exporter.register(listing("417-A", 12_000_000, **goods))
        half_b = exporter.register(listing("417-B", 12_000_000, **goods))
        rounded = exporter.register(listing("417", 24_190_000))
        found_by = {"417-A": {"order", "transport"}, "417-B": {"order", "transport"}, "417": {"number"}}
        for later in (half_a, half_b, rounded):
            assert whole.receivable in later.matches
            alike = {
                each.receivable: set(each.kinds) for each in exporter.call(to_acknowledge, later.receivable).matches
            }
            assert alike[whole.receivable] == found_by[later.dossier.particulars.number]
            claim = offer_to(exporter, later.receivable, "f-sg")
            with pytest.raises(Refused) as refusal:
                second.finance(claim)
            assert refusal.value.code == "unacknowledged_match"
            assert whole.receivable in refusal.value.related


def test_a_search_shows_the_match_before_anybody_pays(cast: Cast) -> None:
    with cast.exporter() as exporter, cast.financier("f-gb") as financier:
        registered = exporter.register(listing("INV-2026/000717", 40_000_000))
        cast.level()
        found = financier.search(listing("inv 2026 717", 40_000_000).particulars, purpose="before funding")
        particulars = dataclasses.replace(registered.dossier.particulars, number="INV-9999", amount_minor=77)
        nothing = financier.search(dataclasses.replace(particulars, due_date=None), purpose="before funding")
    by_kind = {result["kind"]: result["matches"] for result in found["results"]}
    assert by_kind["exact"] == [registered.receivable.hex()]
    assert not any(result["matches"] for result in nothing["results"])


def test_a_refused_second_financing_is_on_the_record(cast: Cast) -> None:
    with cast.exporter() as exporter, cast.financier("f-cn") as first, cast.financier("f-de") as second:
        registered = exporter.register(listing("INV-2026/000817", 50_000_000))
        claims = [offer_to(exporter, registered.receivable, name, WHOLE) for name in ("f-cn", "f-de")]
        first.finance(claims[0])
        with pytest.raises(Refused) as refusal:
            second.finance(claims[1])
        receipt = refusal.value.receipt
        again = second.transaction(receipt.transaction, 2)
    assert refusal.value.code == "over_residual"
    assert again is not None
    assert receipt in again.receipts
