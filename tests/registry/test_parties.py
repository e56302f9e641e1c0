"""Parties and their identifiers: one spelling for one number, pinned check digits, what admission refuses."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import lei
from stdnum.cn import uscc

from registry.codec import Value, decode, encode
from registry.errors import FieldError
from registry.identifiers import pinned_problem, split_identifier
from registry.parties import (
    IDENTIFIERS_MAX,
    ROLES,
    SIGN_KEYS_MAX,
    Party,
    check_identifier,
    mandatory_schemes,
    normalise_identifier,
    validate_party,
    vet_party,
)

VECTORS = json.loads((Path(__file__).parent / "vectors" / "parties.json").read_text(encoding="utf-8"))
REAL_LEIS = Path(__file__).parents[3] / "shared" / "data" / "lei"

PARTY = Party(
    id="uscc:91110000600037341L",
    name="天津出口有限公司",
    country="CN",
    identifiers=("uscc:91110000600037341L", "lei:984500TJEXPORT000197"),
    roles=("exporter", "debtor"),
    sign_keys=(bytes([1]) * 32, bytes([2]) * 32),
    owner_key=bytes([3]) * 32,
    receive_key=bytes([4]) * 32,
    home="https://node.example.org:8001",
)


def party(**changes: object) -> Party:
    return dataclasses.replace(PARTY, **changes)  # type: ignore[arg-type]


# --- identifiers


@pytest.mark.parametrize("spelling", VECTORS["spellings"], ids=lambda spelling: spelling[0])
def test_one_spelling(spelling: tuple[str, str, str]) -> None:
    text, country, expected = spelling
    assert normalise_identifier(text, country=country) == expected
    assert normalise_identifier(expected) == expected
    assert split_identifier("x", expected) == tuple(expected.split(":"))


@pytest.mark.parametrize(
    "text",
    [
        *("", "984500TJEXPORT000197", "lei:", ":984500TJEXPORT000197", "lei:984500TJEXPORT00019", "name:ACME"),
        *("vat:136695976", "tax:123456789", "gln:400000100000", "uscc:9111000060003734IL", "icd-13:1", "vat:DE1"),
        *("lei:" + "1" * 300, "lei:984500TJEXPORT0001ß7", "icd-0130:" + "A" * 51),
    ],
)
def test_what_has_no_spelling_is_refused(text: str) -> None:
    with pytest.raises(FieldError) as caught:
        normalise_identifier(text)
    assert caught.value.field == "identifier"


@given(st.sampled_from(["lei", "uscc", "vat", "tax", "gln", "eori", "icd-0130", "x"]), st.text(max_size=40), st.data())
def test_spelling_is_idempotent_and_split_accepts_nothing_else(scheme: str, value: str, data: st.DataObject) -> None:
    country = data.draw(st.sampled_from(["", "CN", "DE", "GR", "VN", "FR"]))
    try:
        spelled = normalise_identifier(f"{scheme}:{value}", country=country)
    except FieldError:
        return
    assert normalise_identifier(spelled) == spelled
    assert normalise_identifier(spelled, country=country) == spelled
    split_identifier("x", spelled)


@given(st.text(max_size=40))
def test_split_takes_only_canonical_text(text: str) -> None:
    try:
        scheme, value = split_identifier("x", text)
    except FieldError:
        return
    assert text == f"{scheme}:{value}"
    assert text.isascii()
    assert value == value.upper()


@pytest.mark.parametrize("identifier", VECTORS["check_digits"]["good"])
def test_good_check_digits(identifier: str) -> None:
    scheme, value = identifier.split(":")
    assert pinned_problem(scheme, value) is None
    assert check_identifier(scheme, value) is None


@pytest.mark.parametrize("identifier", VECTORS["check_digits"]["bad"])
def test_wrong_check_digits(identifier: str) -> None:
    scheme, value = identifier.split(":")
    problem = pinned_problem(scheme, value)
    assert problem is not None
    assert value in problem
    assert check_identifier(scheme, value) == problem


@given(st.from_regex(r"[0-9A-Z]{18}[0-9]{2}", fullmatch=True).filter(str.isascii))
def test_lei_check_agrees_with_the_library(value: str) -> None:
    right = value[:18] + f"{98 - int(''.join(str(int(c, 36)) for c in value[:18] + '00')) % 97:02}"
    assert pinned_problem("lei", right) is None
    assert (pinned_problem("lei", value) is None) == (lei.is_valid(value) and value[18:] not in ("00", "01", "99"))


@given(st.from_regex(r"9[123][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}", fullmatch=True).filter(str.isascii))
def test_uscc_check_agrees_with_the_library(value: str) -> None:
    assert (pinned_problem("uscc", value) is None) == uscc.is_valid(value)
    right = value[:17] + uscc.calc_check_digit(value)
    assert pinned_problem("uscc", right) is None


@given(st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_one_wrong_character_of_an_lei_is_always_noticed(place: int, character: str) -> None:
    good = "984500TJEXPORT000197"
    changed = good[:place] + character + good[place + 1 :]
    if good[place].isdigit() != character.isdigit():
        return  # the code promises nothing where a letter stands for a digit
    assert (pinned_problem("lei", changed) is None) == (changed == good)


def test_real_leis_check() -> None:
    if not REAL_LEIS.is_dir():
        pytest.skip(f"REAL LEIS NOT CHECKED: {REAL_LEIS} is missing")
    texts = (file.read_text(encoding="utf-8") for file in REAL_LEIS.rglob("*.json"))
    found = {value for text in texts for value in re.findall(r"\b[0-9A-Z]{18}[0-9]{2}\b", text)}
    found = {value for value in found if not value.isdigit() and not value.startswith("SPARSE")}  # those are no LEIs
    assert len(found) >= 10
    assert [value for value in sorted(found) if check_identifier("lei", value)] == []


@pytest.mark.parametrize(
    ("identifier", "good"),
    [
        *(("vat:DE136695976", True), ("vat:DE136695977", False), ("vat:EL094259216", True), ("vat:EL094259217", False)),
        *(("vat:GB980780684", True), ("vat:GB802311781", False), ("vat:XI980780684", True)),
        *(("vat:CHE123456788", True), ("vat:CHE123456789", False), ("vat:NO995525828", True)),
        *(("vat:NO995525829", False), ("tax:VN0100233488", True), ("tax:VN0100233489", False)),
        *(("tax:BR16727230000197", True), ("tax:BR16727230000198", False), ("tax:US123456789", True)),
        *(("tax:DE12345678901", True), ("tax:AE100000000000003", True), ("gln:4000001000005", True)),
        *(("gln:4000001000006", False), ("siren:552008443", True), ("siren:552008442", False)),
        *(("sg-uen:00192200M", True), ("sg-uen:00192200N", False), ("duns:123456789", True)),
        *(("lei:short", False), ("name:ACME", False), ("icd-0130:X", True)),
    ],
)
def test_what_the_library_knows_is_checked_at_the_edge(identifier: str, good: bool) -> None:
    assert (check_identifier(*identifier.split(":")) is None) is good


@given(
    st.sampled_from([country.alpha_2 for country in pycountry.countries]),
    st.text("0123456789ABCXYZ", min_size=2, max_size=20),
    st.sampled_from(["vat", "tax"]),
)
def test_checking_never_fails(country: str, number: str, scheme: str) -> None:
    problem = check_identifier(scheme, country + number)
    assert problem is None or problem


# --- parties


def test_a_party_goes_through_its_canonical_list() -> None:
    data = encode(PARTY.encode())
    assert data.hex() == VECTORS["party"]
    assert Party.decode(decode(data)) == Party.decode(PARTY.encode()) == PARTY


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(
    st.builds(
        Party,
        id=names,
        name=names,
        country=names,
        identifiers=st.lists(names, max_size=4).map(tuple),
        roles=st.lists(names, max_size=4).map(tuple),
        sign_keys=st.lists(st.binary(max_size=40), max_size=4).map(tuple),
        owner_key=st.binary(max_size=40),
        receive_key=st.binary(max_size=40),
        home=names,
        suspended=st.booleans(),
    )
)
def test_any_party_goes_through_its_list_and_is_admitted_or_refused_with_a_field(given_: Party) -> None:
    assert Party.decode(decode(encode(given_.encode()))) == given_
    refused = ""
    try:
        validate_party(given_)
    except FieldError as error:
        refused = error.field
    assert refused.partition("[")[0] in {"", *(field.name for field in dataclasses.fields(Party))}


@pytest.mark.parametrize("position", range(10))
@pytest.mark.parametrize("wrong", [None, 7, [b"x", 1], ["x", None]], ids=repr)
def test_wrong_types_are_refused_by_name(position: int, wrong: Value) -> None:
    fields = list(PARTY.encode())
    fields[position] = wrong
    with pytest.raises(FieldError) as caught:
        Party.decode(fields)
    assert caught.value.field.partition("[")[0] == dataclasses.fields(Party)[position].name


@pytest.mark.parametrize("value", [None, {}, [], PARTY.encode()[:9], [*PARTY.encode(), 1]], ids=lambda v: str(v)[:9])
def test_what_is_no_list_of_the_fields_is_no_party(value: Value) -> None:
    with pytest.raises(FieldError, match="party"):
        Party.decode(value)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"id": "lei:984500TJEXPORT000197"},
        {"receive_key": b"", "home": ""},
        {"home": "http://[::1]:8001/registry"},
        {"suspended": True},
        {"country": "DE", "id": "vat:DE136695976", "identifiers": ("vat:DE136695976",)},
        {"country": "VN", "id": "tax:VN0100233488", "identifiers": ("tax:VN0100233488",)},
        {"roles": tuple(sorted(ROLES))},
        {"name": "x" * 200},
    ],
    ids=repr,
)
def test_good_parties(changes: dict[str, object]) -> None:
    validate_party(party(**changes))
    vet_party(party(**changes))


KEYS = tuple(bytes([number]) * 32 for number in range(10, 30))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "x" * 201}),
        ("name", {"name": "a\nb"}),
        ("name", {"name": "a\u202eb"}),
        ("name", {"name": "Mu\u0308ller"}),
        ("country", {"country": "cn"}),
        ("country", {"country": "CHN"}),
        ("country", {"country": "ＣＮ"}),
        ("identifiers", {"identifiers": ()}),
        ("identifiers", {"identifiers": PARTY.identifiers * 9}),
        ("identifiers", {"identifiers": PARTY.identifiers[:1] * 2}),
        ("identifiers[1]", {"identifiers": ("uscc:91110000600037341L", "lei:984500TJEXPORT000198")}),
        ("identifiers[0]", {"identifiers": ("uscc:91110000600037341M",)}),
        ("identifiers[0]", {"identifiers": ("LEI:984500TJEXPORT000197",)}),
        ("identifiers[0]", {"identifiers": ("vat:VN0100233488",)}),
        ("identifiers[0]", {"identifiers": ("tax:CN91110000600037341L",)}),
        ("id", {"id": "lei:984500VNEXPORT000180"}),
        ("id", {"country": "DE"}),  # a USCC names Chinese parties only
        ("id", {"id": "gln:4000001000005", "identifiers": ("gln:4000001000005",)}),
        ("roles", {"roles": ()}),
        ("roles", {"roles": ("king",)}),
        ("roles", {"roles": ("debtor", "debtor")}),
        ("sign_keys", {"sign_keys": ()}),
        ("sign_keys", {"sign_keys": KEYS[: SIGN_KEYS_MAX + 1]}),
        ("sign_keys[1]", {"sign_keys": (KEYS[0], KEYS[0])}),
        ("sign_keys[0]", {"sign_keys": (bytes(31),)}),
        ("owner_key", {"owner_key": b""}),
        ("owner_key", {"owner_key": PARTY.sign_keys[0]}),
        ("receive_key", {"receive_key": PARTY.owner_key}),
        ("receive_key", {"receive_key": bytes(33)}),
        ("home", {"home": "ftp://node.example.org"}),
        ("home", {"home": "https://user:secret@node.example.org"}),
        ("home", {"home": "https://node.example.org\n"}),
        ("home", {"home": "https://" + "x" * 200}),
    ],
)
def test_what_admission_refuses(field: str, changes: dict[str, object]) -> None:
    with pytest.raises(FieldError) as caught:
        validate_party(party(**changes))
    assert caught.value.field == field
    assert caught.value.reason


def test_bounds_are_reached() -> None:
    identifiers = ("lei:984500TJEXPORT000197", *(f"duns:{number:09}" for number in range(IDENTIFIERS_MAX - 1)))
    validate_party(party(id=identifiers[0], identifiers=identifiers, sign_keys=KEYS[:SIGN_KEYS_MAX]))


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("country", {"country": "QQ", "id": "lei:984500TJEXPORT000197", "identifiers": ("lei:984500TJEXPORT000197",)}),
        ("identifiers[1]", {"identifiers": ("uscc:91110000600037341L", "vat:DE136695977")}),
        ("name", {"name": ""}),
    ],
)
def test_vetting_asks_the_libraries_too(field: str, changes: dict[str, object]) -> None:
    with pytest.raises(FieldError) as caught:
        vet_party(party(**changes))
    assert caught.value.field == field


def test_china_is_named_by_uscc_and_everyone_may_be_by_lei() -> None:
    assert mandatory_schemes("CN")[0] == "uscc"
    assert all("lei" in mandatory_schemes(country) for country in ("CN", "DE", "VN", "US"))
