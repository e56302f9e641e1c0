"""Pools (registry.md 6.2): which receivables count, what the pool is good for, and that both sides get one answer."""

from __future__ import annotations

import datetime
import io
import random
from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from registry.documents.errors import DocumentError
from registry.errors import FieldError
from registry.money import WHOLE
from registry.pools import (
    REASONS,
    BorrowingBase,
    CreditNote,
    DilutionReserve,
    EligibilityRules,
    FacilityRules,
    PoolRow,
    Rate,
    borrowing_base,
    rate_of,
    read_rows,
)
from registry.records import GRADES, KINDS, RECEIVABLE_STATES
from registry.rules.transitions import OPEN
from tests.registry.world import PERCENT, mark

AS_OF = datetime.date(2026, 5, 20)
FACILITY = mark("facility")
DEBTORS = ("lei:984500DEIMPORT000108", "lei:984500AEIMPORT000133", "lei:984500USIMPORT000143")
TOML = f"""
salt = "{"5a" * 32}"
currency = "USD"
limit = "5000000.00"
advance_rate = "85%"

[eligibility]
currencies = ["USD", "JPY"]
debtor_countries = []
kinds = ["invoice"]
tenor_days_max = 120
overdue_days_max = 60
concentration_max = "100%"
cross_ageing_max = "50%"
contra = "deduct"
grade_min = "document"

[dilution]
window_days = 90
factor = "0%"
"""
RULES = FacilityRules.from_toml(TOML)


def agreed(**changes: object) -> FacilityRules:
    """The rules with other eligibility."""
    return replace(RULES, eligibility=replace(RULES.eligibility, **changes))  # type: ignore[arg-type]


def row(tag: str, amount: int = 100_000, **changes: object) -> PoolRow:
    """An invoice of USD 1,000.00 that is eligible, unless `changes` make it something else."""
    fields: dict[str, object] = {
        "receivable": mark(tag),
        "debtor": DEBTORS[0],
        "debtor_country": "DE",
        "kind": "invoice",
        "grade": "document",
        "state": "registered",
        "disputed": False,
        "currency": "USD",
        "amount_minor": amount,
        "paid_minor": 0,
        "contra_minor": 0,
        "issue_date": datetime.date(2026, 4, 1),
        "due_date": datetime.date(2026, 7, 1),
    }
    return PoolRow(**(fields | changes))  # type: ignore[arg-type]


def base_of(
    *rows: PoolRow, rules: FacilityRules = RULES, drawn: int = 0, rates: tuple[Rate, ...] = ()
) -> BorrowingBase:
    return borrowing_base(FACILITY, rules, rows, as_of=AS_OF, drawn_minor=drawn, rates=rates)


def outcome(base: BorrowingBase, tag: str) -> tuple[int, tuple[tuple[str, int], ...]]:
    (found,) = [one for one in base.rows if one.row.receivable == mark(tag)]
    return found.eligible, found.excluded


# --- which receivables count


@pytest.mark.parametrize(
    ("changes", "rules", "reason"),
    [
        ({"kind": "purchase_order"}, {}, "kind"),
        ({"currency": "EUR"}, {}, "currency"),
        ({"debtor_country": "BR"}, {"debtor_countries": ("DE", "US")}, "country"),
        ({"state": "rejected"}, {}, "state"),
        ({"disputed": True}, {}, "disputed"),
        ({"grade": "self_asserted"}, {}, "evidence"),
        ({"grade": "tax_verified"}, {"grade_min": "debtor_confirmed"}, "evidence"),
        ({"due_date": datetime.date(2026, 7, 31)}, {}, "tenor"),  # 121 days
        (
            {"issue_date": datetime.date(2026, 1, 1), "due_date": datetime.date(2026, 3, 20)},  # 61 days ago
            {"cross_ageing_max": WHOLE},
            "overdue",
        ),
    ],
)
def test_a_row_that_does_not_count_says_why(changes: dict[str, object], rules: dict[str, object], reason: str) -> None:
    base = base_of(
        row("good", debtor=DEBTORS[1], grade="debtor_confirmed"),
        row("bad", **changes),
        rules=agreed(**rules),
        rates=(Rate("EUR", 1, 1),),
    )
    assert outcome(base, "bad") == (0, ((reason, 100_000),))
    assert (base.gross, base.eligible, base.ineligible) == (200_000, 100_000, ((reason, 100_000),))


@pytest.mark.parametrize("state", sorted(OPEN))
def test_whatever_the_ledger_still_lets_be_financed_counts(state: str) -> None:
    """Also what the debtor is deemed to have accepted: an acceptance is no reason to be left out."""
    assert outcome(base_of(row("a", state=state)), "a") == (100_000, ())


def test_the_last_day_of_each_limit_still_counts() -> None:
    tenor = row("a", due_date=datetime.date(2026, 7, 30))  # 120 days
    overdue = row("b", issue_date=datetime.date(2026, 1, 1), due_date=datetime.date(2026, 3, 21))  # 60 days ago
    assert base_of(tenor, overdue).ineligible == ()


def test_a_debtor_with_too_much_overdue_is_out_with_everything() -> None:
    late = {"issue_date": datetime.date(2026, 1, 1), "due_date": datetime.date(2026, 2, 1)}
    half = base_of(row("late", 100_000, **late), row("same debtor", 100_000), row("other", debtor=DEBTORS[1]))
    assert half.ineligible == (("overdue", 100_000),)  # half is not more than half
    more = base_of(row("late", 100_001, **late), row("same debtor", 100_000), row("other", debtor=DEBTORS[1]))
    assert more.ineligible == (("overdue", 100_001), ("cross_aged", 100_000))
    assert more.eligible == 100_000


@pytest.mark.parametrize(("contra", "eligible"), [("ignore", 300_000), ("deduct", 270_000), ("exclude", 100_000)])
def test_what_the_seller_owes_the_debtor(contra: str, eligible: int) -> None:
    rows = (row("a", contra_minor=30_000), row("b"), row("c", debtor=DEBTORS[1]))
    assert base_of(*rows, rules=agreed(contra=contra)).eligible == eligible


def test_what_is_too_concentrated_is_left_out_latest_due_first() -> None:
    early = row("early", 40_000, due_date=datetime.date(2026, 6, 1))
    late = row("late", 40_000, due_date=datetime.date(2026, 7, 1))
    others = [row(debtor, 60_000, debtor=debtor) for debtor in DEBTORS[1:]]
    base = base_of(late, early, *others, rules=agreed(concentration_max=30 * PERCENT))  # 30% of 200,000
    assert outcome(base, "early") == (40_000, ())
    assert outcome(base, "late") == (20_000, (("concentration", 20_000),))
    assert base.ineligible == (("concentration", 20_000),)


def test_another_currency_is_converted_at_the_agreed_rate_and_rounded_down() -> None:
    base = base_of(row("yen", 1_001, currency="JPY"), rates=(rate_of("JPY=65/100"),))
    assert base.gross == 650  # 1,001 yen at 0.65 cents are 650.65 cents
    with pytest.raises(FieldError, match=r"rates: JPY has no agreed rate"):
        base_of(row("yen", 1_001, currency="JPY"))
    for rates in ((Rate("USD", 1, 1),), (Rate("JPY", 1, 1), Rate("JPY", 2, 1))):
        with pytest.raises(FieldError, match="two rates"):
            base_of(row("a"), rates=rates)


# --- what the pool is good for


def test_the_base_from_gross_to_shortfall() -> None:
    """USD 10,000.00 invoiced in the window, 200.00 credited: 2% x 1.5 = 3% is kept back of what is eligible."""
    rules = replace(agreed(concentration_max=WHOLE), dilution=DilutionReserve(window_days=90, factor=150 * PERCENT))
    noted = row("a", 600_000, credit_notes=(CreditNote(datetime.date(2026, 5, 1), 20_000),), paid_minor=80_000)
    disputed = row("b", 400_000, disputed=True)
    base = base_of(noted, disputed, rules=rules, drawn=420_000)
    assert (base.gross, base.eligible, base.ineligible) == (900_000, 500_000, (("disputed", 400_000),))
    assert base.reserve == 15_000
    assert base.available == 412_250  # 85% of 485,000
    assert (base.shortfall, base.finding) == (7_750, "breach")
    assert base_of(noted, disputed, rules=rules, drawn=412_250).finding == "covered"
    assert base_of(noted, disputed, rules=replace(rules, limit_minor=1_000)).available == 1_000


def test_credit_notes_without_sales_keep_everything_back_and_old_ones_nothing() -> None:
    rules = replace(RULES, dilution=DilutionReserve(window_days=30, factor=WHOLE))
    old = row("a", credit_notes=(CreditNote(datetime.date(2026, 4, 20), 1),))
    assert base_of(old, rules=rules).reserve == 0  # 30 days ago: out of the window
    new = row("a", credit_notes=(CreditNote(datetime.date(2026, 4, 21), 1),))
    assert base_of(new, rules=rules).reserve == 99_999


def test_an_empty_pool_covers_nothing() -> None:
    base = base_of(drawn=1)
    assert (base.gross, base.available, base.finding) == (0, 0, "breach")


# --- one answer


@st.composite
def pools(draw: st.DrawFn) -> list[PoolRow]:
    """Pools of up to 25 rows of all sorts."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    rows = []
    for index in range(draw(st.integers(0, 25))):
        issue = AS_OF - datetime.timedelta(days=rng.randrange(-5, 200))
        amount = rng.randrange(0, 10**9)
        paid = rng.choice([0, 0, rng.randrange(amount + 1)])
        notes = sorted(
            CreditNote(issue + datetime.timedelta(days=rng.randrange(99)), rng.randrange((amount - paid) // 2 + 1))
            for _ in range(rng.choice([0, 0, 1, 2]))
        )
        rows.append(
            row(
                str(index),
                amount,
                debtor=rng.choice(DEBTORS),
                debtor_country=rng.choice(["DE", "AE", "US"]),
                kind=rng.choice([*KINDS, *["invoice"] * 9]),
                grade=rng.choice(GRADES),
                state=rng.choice([*RECEIVABLE_STATES, *["confirmed"] * 9]),
                disputed=rng.random() < 0.1,
                currency=rng.choice(["USD", "JPY", "EUR"]),
                paid_minor=paid,
                contra_minor=rng.choice([0, 0, rng.randrange(10**6)]),
                issue_date=issue,
                due_date=issue + datetime.timedelta(days=rng.randrange(150)),
                credit_notes=tuple(notes),
            )
        )
    return rows


agreements = st.builds(
    lambda concentration, ageing, contra, countries, rate, factor: replace(
        agreed(concentration_max=concentration, cross_ageing_max=ageing, contra=contra, debtor_countries=countries),
        advance_rate=rate,
        dilution=DilutionReserve(window_days=90, factor=factor),
    ),
    st.integers(1, WHOLE),
    st.integers(0, WHOLE),
    st.sampled_from(["ignore", "deduct", "exclude"]),
    st.sampled_from([(), ("DE",), ("AE", "US")]),
    st.integers(1, WHOLE),
    st.integers(0, 10 * WHOLE),
)
RATES = (Rate("EUR", 108, 100), Rate("JPY", 65, 100))


@settings(max_examples=150, deadline=None)
@given(pools(), agreements, st.integers(0, 10**10), st.randoms(use_true_random=False))
def test_properties_of_every_base(rows: list[PoolRow], rules: FacilityRules, drawn: int, rng: random.Random) -> None:
    base = base_of(*rows, rules=rules, drawn=drawn, rates=RATES)
    # the parts are the whole, row by row and together
    for one in base.rows:
        assert one.outstanding == one.eligible + sum(amount for _, amount in one.excluded)
        assert one.eligible >= 0
        assert all(amount > 0 for _, amount in one.excluded)
        assert len(dict(one.excluded)) == len(one.excluded)
    assert base.gross == base.eligible + sum(amount for _, amount in base.ineligible)
    assert [reason for reason in REASONS if reason in dict(base.ineligible)] == [
        reason for reason, _ in base.ineligible
    ]
    # nothing is negative, nothing more than what it is of
    assert 0 <= base.reserve <= base.eligible <= base.gross
    assert 0 <= base.available <= min(rules.limit_minor, base.eligible - base.reserve)
    assert base.shortfall == max(0, drawn - base.available)
    # no debtor exceeds its share of what was eligible before that rule
    before = base.eligible + dict(base.ineligible).get("concentration", 0)
    by_debtor: defaultdict[str, int] = defaultdict(int)
    for one in base.rows:
        by_debtor[one.row.debtor] += one.eligible
    assert all(amount * WHOLE <= rules.eligibility.concentration_max * before for amount in by_debtor.values())
    # whoever computes it, in whatever order
    shuffled = rng.sample(rows, len(rows))
    assert base_of(*shuffled, rules=rules, drawn=drawn, rates=RATES[::-1]) == base


@settings(max_examples=60, deadline=None)
@given(pools().filter(bool), st.data())
def test_every_figure_is_under_the_digest(rows: list[PoolRow], data: st.DataObject) -> None:
    base = base_of(*rows, rates=RATES)
    index = data.draw(st.integers(0, len(rows) - 1))
    changed = replace(rows[index], amount_minor=rows[index].amount_minor + 1)
    assert base_of(*rows[:index], changed, *rows[index + 1 :], rates=RATES).digest != base.digest
    assert base_of(*rows[:index], *rows[index + 1 :], rates=RATES).digest != base.digest
    assert base_of(*rows, drawn=1, rates=RATES).digest != base.digest
    assert base_of(*rows, rates=(RATES[0], Rate("JPY", 66, 100))).digest != base.digest
    assert base_of(*rows, rules=replace(RULES, salt=bytes(32)), rates=RATES).digest != base.digest


def test_one_receivable_is_in_a_pool_once() -> None:
    with pytest.raises(FieldError, match="stands twice"):
        base_of(row("a"), row("b"), row("a", 5))


# --- rules as data


def test_rules_are_one_document_with_one_digest() -> None:
    swapped = TOML.replace('["USD", "JPY"]', '["JPY", "USD"]')
    assert FacilityRules.from_toml(swapped) == RULES
    assert FacilityRules.from_toml(swapped).digest == RULES.digest
    assert RULES.limit_minor == 500_000_000
    assert RULES.advance_rate == 85 * PERCENT
    for change in (
        {"salt": bytes(32)},
        {"limit_minor": 1},
        {"advance_rate": 1},
        {"dilution": DilutionReserve(window_days=1, factor=1)},
    ):
        assert replace(RULES, **change).digest != RULES.digest  # type: ignore[arg-type]
    assert agreed(overdue_days_max=61).digest != RULES.digest


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('advance_rate = "85%"', 'advance_rate = "0.85"', "advance_rate: "),
        ('advance_rate = "85%"', 'advance_rate = "101%"', "advance_rate: "),
        ('limit = "5000000.00"', 'limit = "5000000.001"', "amount: "),
        ('"USD", "JPY"', '"USD", "usd"', r"currencies\[1\]: "),
        ('"USD", "JPY"', '"USD", "USD"', "currencies: "),
        ('["invoice"]', "[]", "kinds: "),
        ('["invoice"]', '["loan"]', r"kinds\[0\]: "),
        ("tenor_days_max = 120", "tenor_days_max = 0", "tenor_days_max: "),
        ('contra = "deduct"', 'contra = "maybe"', "contra: "),
        ('grade_min = "document"', 'grade_min = "sure"', "grade_min: "),
        ("window_days = 90", "window_days = 90\nextra = 1", "dilution.extra: "),
        ('salt = "5a', 'salt = "', "salt: "),
    ],
)
def test_rules_that_are_none_name_the_place(old: str, new: str, place: str) -> None:
    assert old in TOML
    with pytest.raises(FieldError, match=place):
        FacilityRules.from_toml(TOML.replace(old, new))


def test_eligibility_is_canonical_or_it_is_refused() -> None:
    fields = {name: getattr(RULES.eligibility, name) for name in EligibilityRules.__dataclass_fields__}
    with pytest.raises(FieldError, match="sorted"):
        EligibilityRules(**(fields | {"currencies": ("USD", "JPY")}))


# --- the pool's ledger from files

HEADER = "receivable;debtor;debtor_country;currency;amount;issue_date;due_date;disputed;credit_notes"
LINE = f"{mark('a').hex()};{DEBTORS[0]};DE;USD;1,000.00;2026-04-01;2026-07-01;no;2026-05-02:10.00|2026-05-01:5"


def test_rows_from_csv_and_xlsx() -> None:
    notes = (CreditNote(datetime.date(2026, 5, 1), 500), CreditNote(datetime.date(2026, 5, 2), 1_000))
    expected = (row("a", credit_notes=notes),)
    assert read_rows("pool.csv", f"{HEADER}\n{LINE}\n".encode()) == expected
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER.split(";"))
    cells: list[object] = list(LINE.split(";"))
    cells[4:7] = [1000, datetime.date(2026, 4, 1), datetime.date(2026, 7, 1)]
    sheet.append(cells)
    stream = io.BytesIO()
    book.save(stream)
    assert read_rows("pool.xlsx", stream.getvalue()) == expected


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("1,000.00", "1.000,00", "pool.csv: row 2: amount: "),
        ("1,000.00", "-1.00", "pool.csv: row 2: amount: "),
        ("USD", "XAU", "pool.csv: row 2: currency: "),
        (mark("a").hex(), "abc", "pool.csv: row 2: receivable: "),
        (";DE;", ";Germany;", "pool.csv: row 2: debtor_country: "),
        (";no;", ";perhaps;", "pool.csv: row 2: disputed: "),
        ("2026-07-01", "2026-03-31", "pool.csv: row 2: due_date: "),
        ("2026-07-01", "01.07.2026", "pool.csv: row 2: due_date: "),
        (":10.00", ":1000.00", "pool.csv: row 2: paid: "),
        ("receivable;", "id;", "pool.csv: column receivable: "),
    ],
)
def test_a_bad_cell_is_named_and_there_is_no_base_without_it(old: str, new: str, place: str) -> None:
    with pytest.raises(FieldError) as caught:
        read_rows("pool.csv", f"{HEADER}\n{LINE}\n".replace(old, new).encode())
    assert str(caught.value).startswith(place)


def test_a_file_that_is_no_table_is_refused() -> None:
    for data in (b"", b"PK\x03\x04 no workbook", HEADER.encode(), f"{HEADER};amount\n{LINE};1\n".encode()):
        with pytest.raises(DocumentError):
            read_rows("pool.csv", data)
