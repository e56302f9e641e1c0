"""A book against the ledger: every kind of break, by hand and at random; and the book's own mistakes."""

from __future__ import annotations

import datetime
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from clients.books import BREAK_COLUMNS, break_row, breaks_xlsx, read_book, share_of
from clients.reconciliation import Break, BreakKind, Entry, compare, entries_of
from registry.documents import DateOrder, DocumentError
from registry.money import WHOLE
from registry.records import Claim
from tests.registry.documents.builders import xlsx

ME, OTHER = "lei:984500CNFACTOR000128", "lei:984500SGBANK00000120"
DAY = datetime.date(2026, 5, 20)
DAY_MS = 1_779_235_200_000  # 2026-05-20T00:00:00Z


def mark(number: int) -> bytes:
    return number.to_bytes(32, "big")


def entry(number: int, **changes: object) -> Entry:
    fields = Entry(
        claim=mark(number),
        receivable=mark(1000 + number),
        share=WHOLE // 2,
        state="funded",
        holder=ME,
        date=DAY,
        place=f"row {number}",
    )
    return replace(fields, **changes)  # type: ignore[arg-type]


def kinds(book: list[Entry], others: list[Entry]) -> list[str]:
    return [found.kind.value for found in compare(book, others, party=ME)]


def test_what_is_the_same_has_no_break() -> None:
    book = [entry(1), entry(2)]
    assert compare(book, [entry(2), entry(1)], party=ME) == []
    bare = [Entry(claim=mark(1), receivable=b""), Entry(claim=b"", receivable=mark(1002))]
    assert compare(bare, [entry(1), entry(2)], party=ME) == []


def test_each_difference_is_named_with_both_sides() -> None:
    ours = entry(1)
    theirs = entry(1, share=WHOLE // 4, state="discharged", holder=OTHER, date=DAY + datetime.timedelta(days=2))
    assert [(found.kind, found.here, found.there) for found in compare([ours], [theirs], party=ME)] == [
        (BreakKind.HOLDER, ME, OTHER),
        (BreakKind.STATE, "funded", "discharged"),
        (BreakKind.SHARE, str(WHOLE // 2), str(WHOLE // 4)),
        (BreakKind.DATE, "2026-05-20", "2026-05-22"),
    ]


def test_a_date_may_be_a_day_off_and_one_that_never_was_may_not() -> None:
    assert kinds([entry(1)], [entry(1, date=DAY + datetime.timedelta(days=1))]) == []
    assert kinds([entry(1)], [entry(1, date=None)]) == ["date"]


def test_missing_on_either_side() -> None:
    assert kinds([entry(1)], []) == ["missing_there"]
    assert kinds([], [entry(1)]) == ["missing_here"]
    ended = [entry(1, state="released"), entry(2, holder=OTHER), entry(3, state="lapsed")]
    assert kinds([], ended) == [], "only live claims that this party holds must be in its book"


def test_a_claim_twice_in_the_book() -> None:
    found = compare([entry(1, place="row 2"), entry(1, place="row 9")], [entry(1)], party=ME)
    assert [(each.kind, each.place) for each in found] == [(BreakKind.REPEATED, "row 9")]


def test_a_receivable_with_several_claims_does_not_say_which() -> None:
    others = [entry(1), entry(2, receivable=mark(1001))]
    (found,) = compare([entry(1, claim=b"")], others, party=ME)
    assert found.kind is BreakKind.AMBIGUOUS
    assert found.there == f"{mark(1).hex()}, {mark(2).hex()}"


def test_entries_of_the_ledger_are_the_claims_ever_held() -> None:
    funded = Claim(
        id=mark(1),
        receivable=mark(9),
        assignor="lei:S",
        holder=ME,
        share=WHOLE,
        state="funded",
        terms_digest=bytes(32),
        form="factoring",
        import_factor="",
        covered=0,
        concluded_ms=0,
        offer_valid_until_ms=0,
        reserved_until_ms=0,
        funded_ms=DAY_MS,
        holders=(ME,),
    )
    sold = replace(funded, id=mark(2), holder=OTHER, holders=(ME, OTHER))
    lapsed = replace(funded, id=mark(3), state="reserved", reserved_until_ms=DAY_MS, funded_ms=0, holders=())
    others = replace(funded, id=mark(4), holder=OTHER, holders=(OTHER,))
    entries = entries_of([funded, sold, lapsed, others], party=ME, now_ms=DAY_MS + 1)
    assert [(each.claim, each.state, each.holder, each.date) for each in entries] == [
        (mark(1), "funded", ME, DAY),
        (mark(2), "funded", OTHER, DAY),
        (mark(3), "lapsed", ME, None),
    ]


@given(st.lists(st.integers(1, 40), unique=True), st.lists(st.integers(1, 40), unique=True))
def test_every_claim_is_either_equal_or_one_break(here: list[int], there: list[int]) -> None:
    found = compare([entry(number) for number in here], [entry(number) for number in there], party=ME)
    assert {each.claim for each in found} == {mark(number) for number in set(here) ^ set(there)}
    assert len(found) == len(set(here) ^ set(there))


@given(st.lists(st.integers(1, 9), max_size=12), st.permutations(range(9)))
def test_breaks_do_not_depend_on_the_order_of_the_other_side(here: list[int], order: list[int]) -> None:
    book = [entry(number, share=WHOLE // number) for number in here]
    others = [entry(number) for number in range(1, 10)]
    shuffled = [others[index] for index in order]
    assert sorted(map(break_row, compare(book, others, party=ME))) == sorted(
        map(break_row, compare(book, shuffled, party=ME))
    )


CSV = f"""Claim;Receivable;Share;State;Holder;Date;Our reference
{mark(1).hex()};{mark(1001).hex()};50%;Funded;{ME};20.05.2026;A-1
;{mark(1002).hex()};12,5 %;;;;A-2
"""


def test_a_book_is_read_as_people_keep_it() -> None:
    first, second = read_book("book.csv", io.BytesIO(CSV.encode("utf-8-sig")), date_order=DateOrder.DAY_MONTH_YEAR)
    assert first == entry(1, place="row 2")
    assert second == Entry(claim=b"", receivable=mark(1002), share=WHOLE // 8, place="row 3")


@pytest.mark.parametrize(
    ("text", "element"),
    [
        ("share,state\n50%,funded\n", "column 'claim'"),
        ("claim,Claim\n,\n", "column 'claim'"),
        (f"claim\n{mark(1).hex()[:-1]}\n", "row 2, column 'claim'"),
        (f"claim,share\n{mark(1).hex()},150%\n", "row 2, column 'share'"),
        (f"claim,state\n{mark(1).hex()},paid\n", "row 2, column 'state'"),
        (f"claim,date\n{mark(1).hex()},05/20/2026\n", "row 2, column 'date'"),
        ("claim,state\n,funded\n", "row 2"),
        ("", ""),
    ],
)
def test_a_cell_that_cannot_be_read_is_named(text: str, element: str) -> None:
    with pytest.raises(DocumentError) as error:
        read_book("book.csv", io.BytesIO(text.encode()))
    assert (error.value.file, error.value.element) == ("book.csv", element)


def test_a_percentage_in_a_workbook_is_the_number_1_and_means_all() -> None:
    data = xlsx(["claim", "share"], [mark(1).hex(), 1], [mark(1).hex(), 0.8], formats={"B2": "0%", "B3": "0.0%"})
    assert [entry.share for entry in read_book("book.xlsx", io.BytesIO(data))] == [WHOLE, 8 * WHOLE // 10]
    with pytest.raises(DocumentError, match="a percentage such as 80%"):
        read_book("book.xlsx", io.BytesIO(xlsx(["claim", "share"], [mark(1).hex(), 1])))


def test_the_report_as_a_workbook_holds_text_only() -> None:
    breaks = [Break(BreakKind.HOLDER, mark(1), mark(2), "row 2", "=cmd|' /C calc'!A0", OTHER)]
    (sheet,) = load_workbook(io.BytesIO(breaks_xlsx(breaks))).worksheets
    header, row = sheet.iter_rows()
    assert tuple(cell.value for cell in header) == BREAK_COLUMNS
    assert [cell.value for cell in row] == list(break_row(breaks[0]))
    assert {cell.data_type for cell in row} == {"s"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        *[("100%", WHOLE), ("0.0000000001%", 1), ("10001", 10_001), (str(WHOLE), WHOLE)],
        *[("0%", None), ("101%", None), ("x", None)],
        *[("1", None), ("80", None), ("0.8", None), ("10000", None)],  # percent or basis points, but who knows
    ],
)
def test_shares_as_people_write_them(text: str, parts: int | None) -> None:
    assert share_of(text) == parts
