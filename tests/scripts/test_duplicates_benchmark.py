"""The duplicate benchmark on a small portfolio: the promises hold, and it notices when one does not."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import duplicates_benchmark
import pytest
from duplicates_mutations import MUTATIONS
from duplicates_portfolio import portfolio
from duplicates_report import print_tables
from duplicates_writings import confused, reformatted, suffixed, typed_wrong
from rich.console import Console
from rich.progress import Progress

from registry import fingerprint
from registry.money import WHOLE, exponent_of
from registry.normalise import canonical_number

INVOICES = 1500
SAMPLE_NUMBERS = ("INV-2026/000417", "417", "2026050017", "1C26TAA 00000417", "417/4/1", "RE26-00417-L", "KA-26-X417")


def run(invoices: int = INVOICES, seed: int = 7) -> dict[str, Any]:
    with Progress(disable=True) as progress:
        return duplicates_benchmark.benchmark(invoices, seed=seed, progress=progress)


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return run()


def row(report: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [row for row in report["mutations"] if row["mutation"] == name]
    return dict(found)


def test_no_honest_invoice_is_blocked(report: dict[str, Any]) -> None:
    assert report["honest"]["invoices"] == INVOICES
    assert report["honest"]["blocked"] == 0
    assert report["honest"]["refused_otherwise"] == {}
    assert report["levels"]["block"]["precision"] == 1.0
    assert report["broken_promises"] == []


@pytest.mark.parametrize("name", [mutation.name for mutation in MUTATIONS if mutation.single_field])
def test_every_change_of_one_field_is_found(report: dict[str, Any], name: str) -> None:
    found = row(report, name)
    assert found["copies"] == duplicates_benchmark.COPIES_MIN
    assert found["blocked"] + found["reviewed"] == found["copies"]


@pytest.mark.parametrize("name", [mutation.name for mutation in MUTATIONS if mutation.expects == "block"])
def test_what_should_be_blocked_nearly_always_is(report: dict[str, Any], name: str) -> None:
    """Not quite always: an O for the last 0 of a number could name a part, so people look at it."""
    assert row(report, name)["recall_block"] >= (0.7 if name == "number: confusables" else 1.0)


@pytest.mark.parametrize("name", [mutation.name for mutation in MUTATIONS if mutation.expects == "honest"])
def test_honest_look_alikes_are_not_blocked(report: dict[str, Any], name: str) -> None:
    assert row(report, name)["copies"] > 0
    assert row(report, name)["blocked"] == 0


def test_all_labels_of_the_benchmark_are_measured(report: dict[str, Any]) -> None:
    assert [row["mutation"] for row in report["mutations"]] == [mutation.name for mutation in MUTATIONS]
    assert all(row["copies"] > 0 for row in report["mutations"])


def test_equal_seeds_give_equal_results(report: dict[str, Any]) -> None:
    again = run()
    assert again | {"seconds": 0} == report | {"seconds": 0}
    assert portfolio(1000, seed=1) != portfolio(1000, seed=2)


def test_without_debtor_number_single_field_changes_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out(monkeypatch, "debtor_number")
    broken = run()["broken_promises"]
    assert broken
    assert all("single-field changes were not found" in promise for promise in broken)


def test_a_number_without_its_last_letter_blocks_honest_instalments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fingerprint, "skeleton", lambda text: canonical_number(text).rstrip("ABCDEFGHIJKL"))
    assert duplicates_benchmark.main(["--invoices", "1000", "--json"]) == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["honest"]["blocked"] > 0
    assert "honest registrations were blocked" in printed.err


def test_tables_are_printed(report: dict[str, Any]) -> None:
    console = Console(file=io.StringIO(), width=duplicates_benchmark.TABLE_WIDTH)
    print_tables(report, console)
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(mutation.name in printed for mutation in MUTATIONS)
    assert all(f"alike in {kind}" in printed for kind in report["honest"]["matches_per_1000_by_kind"])


# --- the portfolio is as hard as it says


def test_the_portfolio_has_what_makes_honest_invoices_look_alike() -> None:
    listed = portfolio(5000, seed=3).listed
    what = [entry.particulars for entry in listed]
    assert {exponent_of(one.currency) for one in what} == {0, 2, 3}
    assert len({one.seller for one in what}) >= 10
    assert len({one.debtor for one in what}) >= 10
    same_day = Counter((one.seller, one.debtor, one.currency, one.amount_minor, one.issue_date) for one in what)
    assert max(same_day.values()) >= 12  # the equal instalments of one price
    months = Counter((one.seller, one.debtor, one.currency, one.amount_minor) for one in what)
    assert max(months.values()) >= 24  # a rent
    assert max(Counter(one.orders for one in what if one.orders).values()) >= 3  # invoices of one order
    assert sum(one.amount_minor % 10_000 == 0 for one in what) > len(what) // 4  # round amounts
    assert any(one.due_date is None for one in what)


def test_linked_invoices_come_after_their_order_and_are_no_more_than_it() -> None:
    listed = portfolio(5000, seed=3).listed
    fulfilled: Counter[int] = Counter()
    for place, entry in enumerate(listed):
        if entry.order is not None:
            assert entry.order < place
            assert listed[entry.order].kind == "purchase_order"
            assert listed[entry.order].particulars.orders == entry.particulars.orders
            fulfilled[entry.order] += entry.part_of_order
    assert fulfilled
    assert max(fulfilled.values()) <= WHOLE


def test_no_two_invoices_of_a_seller_have_one_number_in_a_year() -> None:
    invoices = [entry.particulars for entry in portfolio(5000, seed=3).listed if entry.kind != "purchase_order"]
    keys = [(one.seller, one.number, one.issue_date and one.issue_date.year) for one in invoices]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("number", SAMPLE_NUMBERS)
def test_writings_change_what_they_say_they_change(number: str) -> None:
    rng = Random(5)
    for _ in range(200):
        assert reformatted(rng, number) != number
        assert canonical_number(reformatted(rng, number)) == canonical_number(number)
        assert confused(rng, number) != number
        assert canonical_number(typed_wrong(rng, number)) != canonical_number(number)
        assert suffixed(rng, number).startswith(number)


def leave_out(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """No registration has this kind of fingerprint any more."""
    rows = fingerprint._rows

    def without(particulars: fingerprint.Particulars, offsets: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
        return (row for row in rows(particulars, offsets) if row[0] != kind)

    monkeypatch.setattr(fingerprint, "_rows", without)
