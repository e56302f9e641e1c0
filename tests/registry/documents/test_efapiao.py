"""China: the red e-fapiao takes from the blue one, the 20 digits are the government's id, OFD is only a container."""

from __future__ import annotations

import datetime
import io
import zipfile

import pytest

from registry.documents import (
    Adjustment,
    AmbiguousElement,
    BadValue,
    BrokenDocument,
    DocumentError,
    GovernmentId,
    InvoiceReference,
    Kind,
    NoticeCode,
    Receivable,
    Refusal,
    RefusalReason,
    SignalKind,
    Syntax,
    UnsafeDocument,
    UnsupportedSyntax,
    receivable_of,
)
from registry.documents.archive import MEMBERS_MAX, UNPACKED_BYTES_MAX
from registry.money import Money
from tests.registry.documents.national import (
    ATTACHED,
    BLUE,
    EINV,
    RED,
    USCC,
    efapiao,
    efapiao_2019,
    evoucher,
    ofd,
    red_efapiao,
)
from tests.registry.documents.reading import error_of, one


def test_a_blue_efapiao_is_a_receivable_known_by_its_20_digits() -> None:
    invoice = one(efapiao())
    outcome = receivable_of(invoice)
    assert isinstance(outcome, Receivable)
    assert outcome.amount == Money("CNY", 113_000_000)
    assert invoice.government_id == GovernmentId("CN", BLUE)
    assert (invoice.number, invoice.issue_date) == (BLUE, datetime.date(2026, 5, 19))
    assert invoice.seller.identifier("uscc") == USCC
    assert not outcome.possibly_assigned


def test_a_red_efapiao_is_a_credit_note_that_names_its_invoice() -> None:
    invoice = one(red_efapiao())
    outcome = receivable_of(invoice)
    assert isinstance(outcome, Adjustment)
    assert outcome.adjusts == (InvoiceReference(BLUE, None, GovernmentId("CN", BLUE)),)
    assert outcome.amount == Money("CNY", 40_000_000), "what is taken away is positive, as in every syntax"
    assert invoice.payable == Money("CNY", -40_000_000), "the invoice stays as it is written"
    assert invoice.government_id == GovernmentId("CN", RED)


@pytest.mark.parametrize(
    "words", ["被红冲蓝字数电票号码：{}", "被红冲蓝字数电发票号码:{} 红字发票信息确认单编号：12010826051900000001"]
)
def test_a_red_efapiao_may_name_its_invoice_in_the_remark_only(words: str) -> None:
    outcome = receivable_of(one(red_efapiao(special="", remark=words.format(BLUE))))
    assert isinstance(outcome, Adjustment)
    assert [reference.number for reference in outcome.adjusts] == [BLUE]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (red_efapiao(special="", remark="被红冲蓝字数电票号码：123"), RefusalReason.NAMES_NO_INVOICE),
        (red_efapiao(total="400000.00"), RefusalReason.NOT_POSITIVE),  # red and positive: says both
        (efapiao(total="-1.00"), RefusalReason.NAMES_NO_INVOICE),  # negative without the mark is red all the same
        (efapiao(total="0.00"), RefusalReason.NOT_POSITIVE),
    ],
)
def test_what_neither_owes_nor_takes_away(data: bytes, reason: RefusalReason) -> None:
    outcome = receivable_of(one(data))
    assert isinstance(outcome, Refusal)
    assert outcome.reason is reason


@pytest.mark.parametrize("issued", ["2026-05-19 09:47:14", "2026年05月19日", "20260519"])
def test_dates_in_every_form_that_bureaus_write(issued: str) -> None:
    assert one(efapiao(issued=issued)).issue_date == datetime.date(2026, 5, 19)


def test_numbers_that_are_none() -> None:
    assert error_of(efapiao(number="2612200000001234567"), BadValue).element == (
        "EInvoice/TaxSupervisionInfo/InvoiceNumber"
    )
    error_of(efapiao(number="２６１２２００００００００１２３４５６７８"), BadValue)
    two = efapiao().replace(f"<EIid>{BLUE}".encode(), f"<EIid>{RED}".encode())
    assert error_of(two, AmbiguousElement).element == "EInvoice/Header/EIid"


def test_the_declaration_that_it_is_financed_raises_a_question_wherever_it_stands() -> None:
    declared = "<WhetherEinvoiceHasBeenFactoredSoldOrSecuritized>{}</WhetherEinvoiceHasBeenFactoredSoldOrSecuritized>"
    outcome = receivable_of(one(efapiao(special=declared.format("Y"))))
    assert isinstance(outcome, Receivable), "it raises a question, it does not decide"
    assert outcome.possibly_assigned
    assert [signal.kind for signal in outcome.invoice.signals] == [SignalKind.DECLARED_FINANCED]
    assert NoticeCode.POSSIBLY_ASSIGNED in {notice.code for notice in outcome.warnings}
    assert one(efapiao(special=declared.format("N"))).signals == ()


def test_the_holders_xbrl_says_the_same_and_what_became_of_it() -> None:
    facts = (
        "<einv:WhetherEinvoiceHasBeenFactoredSoldOrSecuritized>Y</einv:WhetherEinvoiceHasBeenFactoredSoldOrSecuritized>"
        "<einv:WhetherEinvoiceHasBeenPaid>true</einv:WhetherEinvoiceHasBeenPaid>"
    )
    record, invoice = one(evoucher(facts)), one(efapiao())
    assert record.syntax is Syntax.CN_EVOUCHER
    same = ("kind", "number", "issue_date", "currency", "payable", "seller", "government_id")
    assert all(getattr(record, name) == getattr(invoice, name) for name in same)
    assert [signal.kind for signal in record.signals] == [SignalKind.DECLARED_FINANCED]
    assert NoticeCode.MARKED_AS_PAID in {notice.code for notice in record.warnings}
    red = evoucher("<einv:WhetherEinvoiceIsRedEinvoice>Y</einv:WhetherEinvoiceIsRedEinvoice>", total="-5.00")
    assert one(red).kind is Kind.CREDIT_NOTE
    error_of(evoucher().replace(EINV.encode(), b"http://xbrl.mof.gov.cn/taxonomy/2023-12-31/rai"), UnsupportedSyntax)


def test_the_generation_of_2019_red_and_blue() -> None:
    blue = one(efapiao_2019())
    assert (blue.number, blue.type_code, blue.payee) == ("050001700111/99999951", "0", None)
    assert blue.government_id == GovernmentId("CN", "05000170011199999951")
    assert blue.buyer.country is None, "a buyer without a tax number may be anywhere"
    original = "<fp:OriginalInvoiceCode>050001700111</fp:OriginalInvoiceCode><fp:OriginalInvoiceNo>99999950"
    red = efapiao_2019(type_code="1", total="-18.00", body=f"{original}</fp:OriginalInvoiceNo>")
    outcome = receivable_of(one(red))
    assert isinstance(outcome, Adjustment)
    assert outcome.amount == Money("CNY", 1_800)
    assert outcome.adjusts[0].government_id == GovernmentId("CN", "05000170011199999950")
    error_of(efapiao_2019(code="05000170011"), BadValue)


@pytest.mark.parametrize(
    ("xml", "syntax"), [(efapiao(), Syntax.CN_EINVOICE), (efapiao_2019(), Syntax.CN_EINVOICE_2019)]
)
def test_ofd_is_only_a_container(xml: bytes, syntax: Syntax) -> None:
    inside, bare = one(ofd({ATTACHED: b"\xef\xbb\xbf" + xml}), "f.ofd"), one(xml)
    assert (inside.syntax, inside.container) == (syntax, f"ofd:{ATTACHED}")
    assert (inside.number, inside.payable, inside.seller) == (bare.number, bare.payable, bare.seller)
    assert inside.digest != bare.digest, "the digest is the file's, as it lies on the disk"


@pytest.mark.parametrize(
    "place", ["/Doc_0/Attachs/original_invoice.xml", "./original_invoice.xml", "../Attachs/original_invoice.xml"]
)
def test_ofd_places_are_absolute_or_relative(place: str) -> None:
    assert one(ofd({ATTACHED: efapiao()}, listed=(place,)), "f.ofd").number == BLUE


def test_ofd_without_an_invoice_with_two_and_with_a_lost_one() -> None:
    error_of(ofd({}, listed=()), UnsupportedSyntax, "f.ofd")
    error_of(ofd({ATTACHED: b"<order/>"}), UnsupportedSyntax, "f.ofd")
    error_of(ofd({}), BrokenDocument, "f.ofd")
    two = {ATTACHED: efapiao(), "Doc_0/Attachs/b.xml": efapiao(number=RED)}
    error_of(ofd(two, listed=("original_invoice.xml", "b.xml")), AmbiguousElement, "f.ofd")
    error_of(ofd({ATTACHED: efapiao()}, listed=("../../../etc/passwd.xml",)), BrokenDocument, "f.ofd")


def test_ofd_bombs() -> None:
    error_of(ofd({ATTACHED: bytes(UNPACKED_BYTES_MAX)}), UnsafeDocument, "f.ofd")
    error_of(ofd({ATTACHED: b"<EInvoice>" + b" " * 21_000_000}), UnsafeDocument, "f.ofd")
    error_of(ofd({"x": b""}, changes={"OFD.xml": b"<a>" + b" " * 1_100_000}), UnsafeDocument, "f.ofd")
    error_of(ofd({f"n{n}": b"" for n in range(MEMBERS_MAX)}), UnsafeDocument, "f.ofd")
    error_of(ofd({}, listed=tuple(f"{n}.xml" for n in range(40))), DocumentError, "f.ofd")


def test_ofd_attacks_and_damage() -> None:
    laughs = b'<!DOCTYPE a [<!ENTITY x "lol">]>'
    error_of(ofd({ATTACHED: laughs + efapiao()}), UnsafeDocument, "f.ofd")
    error_of(ofd({}, changes={"OFD.xml": laughs + b"<a/>"}), UnsafeDocument, "f.ofd")
    error_of(ofd({ATTACHED: efapiao()})[:-60], BrokenDocument, "f.ofd")
    # a header that lies about the size does not get more out of it
    archive = bytearray(ofd({ATTACHED: efapiao()}))
    place = archive.rindex(b"PK\x01\x02")
    archive[place + 24 : place + 28] = (5).to_bytes(4, "little")
    error_of(bytes(archive), DocumentError, "f.ofd")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_ofd_with_two_files_of_one_name() -> None:
    out = io.BytesIO(ofd({ATTACHED: efapiao()}))
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(ATTACHED, efapiao(number=RED))
    error_of(out.getvalue(), UnsafeDocument, "f.ofd")
