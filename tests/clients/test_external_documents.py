"""From documents to claims outside: chains of assignments, signals, and who can open what the ledger commits to."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from clients.errors import ClientError
from clients.external_documents import commitment_to, government_fingerprint, stated_in
from registry.documents import Invoice, read
from registry.fingerprint import Particulars, register_fingerprints
from registry.money import WHOLE
from registry.transactions.receivables import NO_DIGEST
from tests.registry.documents.builders import ubl
from tests.registry.documents.corpus import CORPUS, needs_corpus
from tests.registry.documents.national import aec, cession, dte

SAMPLES = Path(__file__).resolve().parents[2] / "scripts" / "samples"
FIRST, SECOND, THIRD = "76389992-6", "97004000-5", "96519800-8"


def invoice_of(document: bytes) -> Invoice:
    (invoice,) = read("document.xml", document)
    return invoice


def onward(sequence: int, assignor: str, assignee: str, amount: int = 230_992) -> str:
    day = f"2026-04-0{3 + sequence}T09:09:52"
    return cession(sequence=str(sequence), assignor=assignor, assignee=assignee, amount=str(amount), concluded=day)


def parts(*cessions: str) -> list[tuple[str, int, int]]:
    """Who holds how much at the end, in pesos, and since which day of April."""
    document = aec(*cessions)
    stated = stated_in(invoice_of(document), document)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    days = [(epoch + datetime.timedelta(milliseconds=one.concluded_ms)).day for one in stated]
    return [(one.identifiers[0], one.share * 230_992 // WHOLE, day) for one, day in zip(stated, days, strict=True)]


def test_an_assignment_is_stated_with_its_dates_and_whose_it_is() -> None:
    document = aec()
    (stated,) = stated_in(invoice_of(document), document)
    assert (stated.source, stated.share, stated.name) == ("CL:RPETC", WHOLE, "CESIONARIO 1")
    assert stated.reference == hashlib.sha256(document).digest()
    assert stated.identifiers == ("tax:CL763899926",)
    assert stated.commitment == commitment_to("tax:CL763899926", document) != commitment_to("tax:CL763899926", b"")
    # 09:09:52 in Chile, which is 12:09:52 or 13:09:52 UTC: taken as the earlier one
    moment = datetime.datetime(2026, 4, 4, 12, 9, 52, tzinfo=datetime.UTC)
    assert stated.concluded_ms == int(moment.timestamp()) * 1000
    assert "230992" in stated.said.replace(",", "").replace(".", "")


def test_who_takes_a_claim_over_has_it_since_the_first_assignment() -> None:
    seller = "76399752-9"
    first = onward(1, seller, FIRST)
    assert parts(first, onward(2, FIRST, SECOND)) == [("tax:CL970040005", 230_992, 4)]
    assert parts(first, onward(2, FIRST, SECOND), onward(3, SECOND, THIRD)) == [("tax:CL965198008", 230_992, 4)]
    split = parts(first, onward(2, FIRST, SECOND, amount=200_000))
    assert [(who, day) for who, _, day in split] == [("tax:CL763899926", 4), ("tax:CL970040005", 4)]
    assert [amount for _, amount, _ in split] == [30_992, 200_000]
    twice = parts(onward(1, seller, FIRST), onward(2, seller, SECOND))  # the seller assigned the same twice
    assert twice == [("tax:CL763899926", 230_992, 4), ("tax:CL970040005", 230_992, 5)]


def test_a_register_in_an_unknown_zone_is_not_guessed() -> None:
    document = aec()
    invoice = invoice_of(document)
    elsewhere = replace(invoice.external_claims[0], register="XX:REGISTER")
    with pytest.raises(ClientError, match="XX:REGISTER: in which zone it writes 2026-04-04T09:09:52 is not known"):
        stated_in(replace(invoice, external_claims=(elsewhere,)), document)
    written = elsewhere.concluded.replace(tzinfo=datetime.UTC)
    (stated,) = stated_in(replace(invoice, external_claims=(replace(elsewhere, concluded=written),)), document)
    assert stated.concluded_ms == int(written.timestamp()) * 1000


@pytest.mark.parametrize(
    ("name", "financier"),
    [
        ("30-ksef-fv-2026-05-77-factor-eur.xml", "Warta Faktor S.A. (przykład)"),
        ("32-finvoice-260514-factored-eur.xml", "Pohjanlahden Rahoitus Oy"),
    ],
)
def test_an_invoice_that_names_a_financier_states_a_claim_of_all_of_it(name: str, financier: str) -> None:
    document = (SAMPLES / name).read_bytes()
    stated = stated_in(invoice_of(document), document)
    assert financier in [one.name for one in stated]
    for one in stated:
        assert (one.source, one.share, one.concluded_ms) == ("document", WHOLE, 0)
        assert one.commitment == commitment_to(one.identifiers[0], document)
        assert one.said


def test_words_of_assignment_without_a_name_state_a_claim_of_nobody_named() -> None:
    document = ubl(body="<cbc:Note>This debt has been assigned.</cbc:Note>")
    (stated,) = stated_in(invoice_of(document), document)
    assert (stated.identifiers, stated.commitment, stated.name) == ((), NO_DIGEST, "")
    assert "has been assigned" in stated.said


def test_an_honest_invoice_states_nothing() -> None:
    document = ubl()
    assert stated_in(invoice_of(document), document) == ()


def test_the_invoice_of_the_record_has_the_fingerprint_of_the_invoice_itself() -> None:
    key = bytes(32)
    found = government_fingerprint(key, invoice_of(aec()))
    assert found is not None
    assert found == government_fingerprint(key, invoice_of(dte().encode()))
    government = invoice_of(aec()).government_id
    assert government is not None
    registered = Particulars(
        seller="lei:984500TJEXPORT000197",
        debtor="lei:984500DEIMPORT000108",
        number="1",
        currency="CLP",
        amount_minor=230_992,
        issue_date=datetime.date(2026, 4, 1),
        government_ids=(f"{government.country}:{government.value}",),
    )
    assert ("gov", found) in register_fingerprints(key, registered)
    assert government_fingerprint(key, invoice_of(ubl())) is None


@needs_corpus
def test_a_real_aec_states_the_assignment_that_it_records() -> None:
    document = (CORPUS / "cl-sii/sii-rtc/AEC--76399752-9--33--25568--SEQ-1.xml").read_bytes()
    (stated,) = stated_in(invoice_of(document), document)
    assert (stated.source, stated.name, stated.share) == ("CL:RPETC", "ST CAPITAL S.A.", WHOLE)
    assert stated.identifiers == ("tax:CL763899926",)
    moment = datetime.datetime(2019, 4, 4, 12, 9, 52, tzinfo=datetime.UTC)
    assert stated.concluded_ms == int(moment.timestamp()) * 1000
