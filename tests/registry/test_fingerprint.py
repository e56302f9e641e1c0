"""norm-v1, the kinds of fingerprints, and the stories S3 and S4 of registry.md 12: reformatted, split, rounded up."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import hmac
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry.errors import FieldError
from registry.fingerprint import (
    ACCOUNT,
    BLANKET_KIND,
    LEVELS,
    REGISTERED_KINDS,
    SEARCHED_LEVELS,
    SEVERITY_OF,
    Particulars,
    absent_kinds,
    account_fingerprint,
    blanket_mark,
    evaluate,
    inputs,
    register_fingerprints,
    search_fingerprints,
    search_inputs,
    severity_of,
)
from registry.limits import FINGERPRINTS_MAX
from registry.normalise import canonical_number, compact, is_clean_text, skeleton

VECTORS = json.loads((Path(__file__).parent / "vectors" / "fingerprint.json").read_text(encoding="utf-8"))
KEY = bytes.fromhex(VECTORS["key"])
SELLER, OTHER_SELLER, DEBTOR = "lei:984500TJEXPORT000197", "lei:984500VNEXPORT000180", "lei:984500DEIMPORT000108"

FIRST = Particulars(
    seller=SELLER,
    debtor=DEBTOR,
    number="INV-2026/000417",
    currency="EUR",
    amount_minor=240_000_00,
    issue_date=datetime.date(2026, 5, 2),
    due_date=datetime.date(2026, 7, 31),
    orders=("4500098812",),
    transports=("COSU6312345670",),
)

SEPARATORS = ("-", "/", " ", ".", "_", "–", "—", "－", "／", "　", "ー", " / ", "#", "·")
LOOK_ALIKES = ("0OoОοΟ", "1IlІΙ", "5SsЅ", "8BВΒ", "2ZΖ", "6Gg", "Aaа", "Nn", "TТΤ", "7", "3", "9")
words = st.text("ABCDEFGHJKMNPQRSTUVWXYZ0123456789", min_size=1, max_size=8)


def matches(registered: Particulars, searched: Particulars) -> dict[str, str]:
    """Kind -> level of everything that a search for `searched` finds of `registered`."""
    held = set(register_fingerprints(KEY, registered))
    return {kind: LEVELS[kind] for kind, value in search_fingerprints(KEY, searched) if (kind, value) in held}


def like_first(**changes: object) -> Particulars:
    return dataclasses.replace(FIRST, **changes)  # type: ignore[arg-type]


# --- S3: the reformatted number


def test_every_kind_has_a_severity_and_certain_ones_block() -> None:
    assert set(SEVERITY_OF) == set(LEVELS)
    assert {kind for kind, level in LEVELS.items() if level == "block"} == {
        kind for kind, severity in SEVERITY_OF.items() if severity == "certain"
    }
    assert severity_of(["window", "number", "order"]) == "high"
    assert severity_of(["window"]) == "low"


@pytest.mark.parametrize(
    "number", ["inv 2026 417", "ＩＮＶ－２０２６／０００４１７", "ΙΝV-2026/000417", "1NV 2O26 4I7"]
)
def test_s3_a_reformatted_number_blocks(number: str) -> None:
    bare = {"orders": (), "transports": ()}
    assert matches(like_first(**bare), like_first(number=number, **bare))["exact"] == "block"


@pytest.mark.parametrize("number", ["INV-2026/000417-R1", "INV-2026/000471"])
def test_s3_a_changed_number_with_the_same_amount_and_date_is_for_review(number: str) -> None:
    found = matches(FIRST, like_first(number=number))
    assert "particulars" in found
    assert set(found.values()) == {"review"}


def test_s3_the_same_number_of_another_seller_is_no_match() -> None:
    other = like_first(seller=OTHER_SELLER, amount_minor=99_00, orders=("77",), transports=())
    assert matches(FIRST, other) == {}


def test_another_seller_with_the_same_debtor_amount_and_due_date_is_for_review() -> None:
    found = matches(FIRST, like_first(seller=OTHER_SELLER, number="9", orders=(), transports=()))
    assert found == {"debtor_side": "review"}


# --- a change of one field


def other_than(field: str, value: object) -> st.SearchStrategy[object]:
    """Another value of a field of particulars, also the value of one that is left out where an invoice may do so."""
    dates = st.dates(datetime.date(2000, 1, 1), datetime.date(2099, 12, 31))
    lists = st.lists(st.text("ABC0123456789", min_size=1, max_size=12), max_size=3).map(tuple)
    values: dict[str, st.SearchStrategy[object]] = {
        "seller": st.sampled_from([OTHER_SELLER, "vat:DE136695976", "tax:US123456789"]),
        "debtor": st.sampled_from([OTHER_SELLER, "vat:DE136695976", "tax:US123456789"]),
        "number": st.text(max_size=20).filter(compact),
        "currency": st.sampled_from(["USD", "JPY", "KWD"]),
        "amount_minor": st.integers(1, 10**18),
        "issue_date": dates,
        "due_date": st.none() | dates,
        "orders": lists,
        "transports": lists,
        "government_ids": lists.map(lambda ids: tuple(f"CN:{text}" for text in ids)),
    }
    return values[field].filter(lambda other: other != value)


FIELDS = [field.name for field in dataclasses.fields(Particulars)]
BARE = like_first(due_date=None, orders=(), transports=())  # what every invoice has


@pytest.mark.parametrize("first", [FIRST, BARE], ids=["full", "bare"])
@pytest.mark.parametrize("field", FIELDS)
@given(data=st.data())
def test_a_change_of_any_one_field_is_found(field: str, first: Particulars, data: st.DataObject) -> None:
    changed = dataclasses.replace(first, **{field: data.draw(other_than(field, getattr(first, field)))})  # type: ignore[arg-type]
    # as a registration finds it: by what it holds itself, without the neighbouring windows of a search
    assert set(register_fingerprints(KEY, first)) & set(register_fingerprints(KEY, changed))


def test_an_invoice_dated_in_another_year_is_found_without_a_due_date() -> None:
    redated = dataclasses.replace(BARE, issue_date=datetime.date(2027, 1, 4))
    assert matches(BARE, redated) == {"debtor_number": "review"}


def test_an_invoice_under_another_id_of_its_seller_is_found() -> None:
    assert matches(BARE, dataclasses.replace(BARE, seller=OTHER_SELLER)) == {"debtor_number": "review"}


def test_the_same_number_next_year_is_no_match() -> None:
    assert matches(BARE, dataclasses.replace(BARE, issue_date=datetime.date(2027, 5, 2), amount_minor=77)) == {}


# --- S4: split and rounded up (numbers, order, transport)


@pytest.mark.parametrize("number", ["INV-2026/000417-A", "INV-2026/000417-B"])
def test_s4_a_split_invoice_comes_back_by_its_order_and_transport(number: str) -> None:
    part = like_first(number=number, amount_minor=120_000_00, issue_date=datetime.date(2026, 5, 3))
    assert matches(FIRST, part) == {"order": "review", "transport": "review"}


def test_s4_a_rounded_up_invoice_comes_back_by_its_number() -> None:
    rounded = like_first(amount_minor=241_900_00, issue_date=datetime.date(2026, 5, 3), orders=(), transports=())
    assert matches(FIRST, rounded) == {"number": "review"}


# --- the other kinds


def test_a_government_id_blocks_whatever_else_differs() -> None:
    first = like_first(government_ids=("CN:26122000000012345678",))
    copy = like_first(
        seller=OTHER_SELLER, number="X", amount_minor=1, orders=(), transports=(),
        government_ids=("CN:2612 2000 0000 1234 5678",),
    )  # fmt: skip
    assert matches(first, copy) == {"gov": "block"}
    assert matches(first, dataclasses.replace(copy, government_ids=("TW:26122000000012345678",))) == {}


def test_a_buyer_led_payable_is_found_from_the_debtor_side() -> None:
    payable = like_first(seller="", number="", issue_date=None, orders=(), transports=())
    assert matches(FIRST, payable) == {"debtor_side": "review"}
    assert absent_kinds(payable) == (
        *("gov", "exact", "number", "particulars", "window", "debtor_number", "order", "transport"),
    )


@given(st.integers(-25, 25))
def test_a_window_finds_dates_up_to_ten_days_off(days: int) -> None:
    other = like_first(number="X", issue_date=FIRST.issue_date and FIRST.issue_date + datetime.timedelta(days))
    found = "window" in matches(FIRST, other)
    assert found or abs(days) > 10
    assert not found or abs(days) < 20


@given(st.dates(), st.dates())
def test_windows_match_both_ways(one: datetime.date, other: datetime.date) -> None:
    left, right = like_first(issue_date=one), like_first(issue_date=other)
    assert ("window" in matches(left, right)) == ("window" in matches(right, left))


def test_order_prefixes_say_nothing() -> None:
    assert "order" in matches(like_first(orders=("PO-88213",)), like_first(orders=("Purchase Order No. 0088213",)))


def test_one_input_is_listed_once() -> None:
    assert inputs(like_first(orders=("PO 1", "PO-0001"))) == inputs(like_first(orders=("1",)))


def test_all_that_particulars_can_hold_fits_a_registration() -> None:
    many = tuple(str(number) for number in range(32))
    full = like_first(orders=many, transports=many, government_ids=("DE:1", "DE:2", "DE:3", "DE:4"))
    assert len(inputs(full)) <= FINGERPRINTS_MAX
    assert absent_kinds(full) == ()


def test_only_certain_identity_blocks() -> None:
    blocking = [kind for kind, level in LEVELS.items() if level == "block"]
    assert blocking == ["gov", "exact"]
    assert len(LEVELS) == 9  # those of the specification and debtor_number


def test_what_blankets_need_is_no_identity_of_a_receivable() -> None:
    """An account is under the key, a seller's mark is not; neither is registered or searched as an identity."""
    seller, debtor = "lei:984500VNEXPORT000180", "lei:984500USIMPORT000143"
    account = account_fingerprint(KEY, seller=seller, debtor=debtor)
    assert account != account_fingerprint(bytes(32 * [7]), seller=seller, debtor=debtor)
    assert account != account_fingerprint(KEY, seller=debtor, debtor=seller)
    assert blanket_mark(seller) != blanket_mark(debtor)
    assert set(REGISTERED_KINDS) - set(LEVELS) == {ACCOUNT}
    assert set(SEARCHED_LEVELS) - set(LEVELS) == {BLANKET_KIND}


# --- norm-v1


@pytest.mark.parametrize(
    "text",
    [
        *("417", "0417", "000417", "INV417", "INV-417", "inv.417", "Inv 000417", "Invoice No. 417", "INVOICE: 417"),
        *("Rechnung Nr. 417", "RG-0417", "Rechnungsnummer 417", "Facture nº 417", "FACTURE 00417", "№ 417", "#417"),
        *("发票 417", "发票号：417", "发票号码：０００４１７", "發票號碼 417", "No.417", " 417 ", "4\u200b17", "٤١٧"),
    ],
)  # fmt: skip
def test_writings_of_one_number(text: str) -> None:
    assert canonical_number(text) == "417"
    assert skeleton(text) == "417"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("INVA417", "INVA417"),  # no digit after the prefix
        ("INV", "INV"),
        ("A-007", "A7"),
        ("0\u00ad0\u200b7-0\u200b0", "70"),  # what is invisible separates nothing
        ("417-A", "417A"),
        ("R01", "R01"),  # zeros inside a group stay
        ("100", "100"),
        ("0", "0"),
        ("2026/0/7", "202607"),
        ("---", ""),
    ],
)
def test_what_stays_in_a_number(text: str, expected: str) -> None:
    assert canonical_number(text) == expected


@given(st.text(max_size=60))
@example("1ㅤᄀ\u3000ᅡ")
@example("ŉ0ǰ")
@example("가\u11a8")
def test_normalisation_is_idempotent(text: str) -> None:
    for normal_form in (compact, canonical_number):
        once = normal_form(text)
        assert normal_form(once) == once


@given(st.text(max_size=60))
def test_normal_forms_are_letters_and_digits_only(text: str) -> None:
    assert all(character.isalnum() for character in compact(text) + canonical_number(text))
    assert all(group.isalnum() for group in skeleton(text).split(".") if skeleton(text))
    assert (compact(text) == "") == (canonical_number(text) == "") == (skeleton(text) == "")


@given(st.lists(words, min_size=1, max_size=5), st.sampled_from(SEPARATORS), st.sampled_from(SEPARATORS))
def test_separators_case_and_width_do_not_count(groups: list[str], one: str, other: str) -> None:
    number = one.join(groups)
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in number)
    for variant in (other.join(groups), number.lower(), wide, one + number + other, wide.lower()):
        assert canonical_number(variant) == canonical_number(number)
        assert skeleton(variant) == skeleton(number)


@given(st.lists(words, min_size=1, max_size=5), st.lists(st.integers(0, 4), min_size=5, max_size=5))
def test_leading_zeros_of_a_group_do_not_count(groups: list[str], zeros: list[int]) -> None:
    padded = ["0" * count + group for count, group in zip(zeros, groups, strict=False)]
    assert canonical_number("-".join(padded)) == canonical_number("-".join(groups))


@given(st.lists(st.tuples(st.sampled_from(LOOK_ALIKES), st.data()), min_size=1, max_size=12))
def test_look_alikes_do_not_count_in_a_skeleton(drawn: list[tuple[str, st.DataObject]]) -> None:
    one = "".join(data.draw(st.sampled_from(class_)) for class_, data in drawn)
    other = "".join(class_[0] for class_, _ in drawn)
    assert skeleton(one + "7") == skeleton(other + "7")


@pytest.mark.parametrize("separator", ["", "-", " ", "/"])
def test_the_letter_of_a_part_is_no_digit(separator: str) -> None:
    parts = {skeleton(f"RE26-0041{separator}{letter}") for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    assert len(parts | {skeleton(f"RE26-0041{digit}") for digit in range(10)}) == 36
    assert skeleton(f"RE26-0041{separator}І") == skeleton(f"re26-0041{separator}i")  # a Cyrillic І is a Latin I


@given(st.lists(st.from_regex("[1-9][0-9]{0,3}", fullmatch=True), min_size=1, max_size=4), st.sampled_from(SEPARATORS))
def test_groups_of_digits_stay_apart_in_a_skeleton(groups: list[str], separator: str) -> None:
    assert skeleton(separator.join(groups)) == ".".join(groups)


def test_two_points_of_sale_do_not_block_each_other() -> None:
    one, other = like_first(number="0001-00000088"), like_first(number="0018-00000008")
    assert "exact" not in matches(one, other)
    assert "number" in matches(one, other)
    assert "exact" in matches(one, like_first(number="1-88"))


@pytest.mark.parametrize("vector", VECTORS["numbers"], ids=lambda vector: vector["text"])
def test_golden_numbers(vector: dict[str, str]) -> None:
    assert compact(vector["text"]) == vector["compact"]
    assert canonical_number(vector["text"]) == vector["canonical"]
    assert skeleton(vector["text"]) == vector["skeleton"]


def test_normal_forms_are_the_same_under_every_python() -> None:
    # Of CPython 3.11 (Unicode 14). Before the letters of parts, 3.12 (15) and 3.13 (15.1) gave the same digest as 3.11.
    state = hashlib.sha256()
    for start in (*range(0, 0x30000, 256), 0xE0000):
        text = " ".join(chr(point) for point in range(start, start + 256) if not 0xD800 <= point < 0xE000)
        state.update(f"{start:x} {compact(text)} {skeleton(text)}\n".encode())
    assert state.hexdigest() == VECTORS["unicode"]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        *(("Müller & Söhne GmbH", True), ("天津出口有限公司", True), ("GROẞ AG", True), ("\U0002a7001有限公司", True)),
        *(("", False), ("x" * 21, False), (" a", False), ("a\n", False), ("a\x00b", False), ("a\u202eb", False)),
        *(("a\u2066b", False), ("Mu\u0308ller", False), ("a\u200bb", False), ("a\ud800", False), ("a\ue000", False)),
    ],
)
def test_names_are_clean_text(text: str, clean: bool) -> None:
    assert is_clean_text(text, size_max=20) is clean


# --- the input's bytes and the interim function


def parse(data: bytes) -> list[str]:
    """The fields of an input. That this exists for every input is why no two field lists share one (privacy.md 2)."""
    assert data.startswith(b"NEMODAT-fp-v1")
    fields, rest = [], data.removeprefix(b"NEMODAT-fp-v1")
    while rest:
        size = int.from_bytes(rest[:2], "big")
        assert len(rest) >= 2 + size
        fields.append(rest[2 : 2 + size].decode())
        rest = rest[2 + size :]
    return fields


numbers = st.text(max_size=30).filter(compact)
particulars = st.builds(
    Particulars,
    seller=st.sampled_from(["", SELLER, OTHER_SELLER, "vat:DE136695976"]),
    debtor=st.sampled_from(["", DEBTOR, "uscc:91110000600037341L"]),
    number=st.just("") | numbers,
    currency=st.sampled_from(["EUR", "USD", "JPY"]),
    amount_minor=st.integers(1, 10**18),
    issue_date=st.none() | st.dates(),
    due_date=st.none() | st.dates(),
    orders=st.lists(numbers, max_size=3).map(tuple),
    transports=st.lists(numbers, max_size=3).map(tuple),
    government_ids=st.lists(numbers.map(lambda text: f"CN:{text}"), max_size=2).map(tuple),
)


@given(particulars)
def test_inputs_can_be_read_back(given_: Particulars) -> None:
    for kind, data in search_inputs(given_):
        fields = parse(data)
        assert fields[:2] == [kind, "norm-v1"]
        assert all(fields)
        assert data == b"NEMODAT-fp-v1" + b"".join(len(f.encode()).to_bytes(2, "big") + f.encode() for f in fields)


@given(particulars)
def test_a_search_finds_what_a_registration_holds(given_: Particulars) -> None:
    assert set(inputs(given_)) <= set(search_inputs(given_))
    assert len(set(search_inputs(given_))) == len(search_inputs(given_))
    assert {kind for kind, _ in inputs(given_)}.isdisjoint(absent_kinds(given_))


@pytest.mark.parametrize("row", VECTORS["rows"], ids=["invoice", "payable"])
def test_golden_inputs_and_fingerprints(row: dict[str, object]) -> None:
    given_ = _particulars(row["particulars"])  # type: ignore[arg-type]
    fingerprints = dict.fromkeys(value for _, value in register_fingerprints(KEY, given_))
    assert row["register"] == [
        {"kind": kind, "input": data.hex(), "fingerprint": value.hex()}
        for (kind, data), value in zip(inputs(given_), fingerprints, strict=True)
    ]
    assert row["search"] == [{"kind": kind, "input": data.hex()} for kind, data in search_inputs(given_)]
    assert row["absent"] == list(absent_kinds(given_))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_the_interim_function_is_hmac_sha_256(key: bytes, data: bytes) -> None:
    assert evaluate(key, data) == hmac.new(key, data, hashlib.sha256).digest()


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(FieldError, match="fingerprint_key"):
        evaluate(bytes(31), b"")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("seller", "Tianjin Export"), ("seller", "lei:short"), ("debtor", "LEI:984500DEIMPORT000108")),
        *(("number", "---"), ("number", "1" * 201), ("currency", "eur"), ("currency", "EURO"), ("currency", "ЕUR")),
        *(("amount_minor", 0), ("amount_minor", -1), ("amount_minor", 10**18 + 1), ("amount_minor", True)),
        *(("amount_minor", 1.5), ("issue_date", "2026-05-02"), ("due_date", datetime.datetime(2026, 5, 2))),
        *(("orders", ("1",) * 33), ("transports", ("1",) * 33), ("government_ids", ("CN:1",) * 5)),
        *(("orders[1]", ("1", "")), ("government_ids[0]", ("1234",)), ("government_ids[0]", ("CN:--",))),
    ],
)
def test_wrong_particulars_name_the_field(field: str, value: object) -> None:
    with pytest.raises(FieldError) as caught:
        like_first(**{field.partition("[")[0]: value})
    assert caught.value.field == field


def _particulars(fields: dict[str, object]) -> Particulars:
    days = {
        name: fields[name] and datetime.date.fromisoformat(str(fields[name])) for name in ("issue_date", "due_date")
    }
    lists = {name: tuple(map(str, fields[name])) for name in ("orders", "transports", "government_ids")}  # type: ignore[call-overload]
    return Particulars(**(fields | days | lists))  # type: ignore[arg-type]
