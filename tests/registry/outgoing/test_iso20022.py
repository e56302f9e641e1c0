"""Invoice assignment messages: valid against the classes of python-iso20022, and saying what was meant."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from python_iso20022.tsin.tsin_006_001_01 import Tsin00600101
from python_iso20022.tsin.tsin_007_001_01 import Tsin00700101
from python_iso20022.tsin.tsin_008_001_01 import Tsin00800101
from python_iso20022.tsin.tsin_013_001_01 import Tsin01300101
from xsdata.exceptions import ConverterWarning, ParserError

from registry.errors import FieldError
from registry.money import MINOR_MAX, WHOLE, Money, money_of_share
from registry.normalise import is_clean_text
from registry.outgoing import (
    GROUNDS,
    Assignment,
    Filing,
    Firm,
    Letter,
    acknowledgement,
    notification,
    request,
    status,
)
from registry.texts import standard_text
from tests.registry.outgoing.oracle import checked
from tests.registry.outgoing.samples import ASSIGNMENT, LETTER, REPLY

VECTORS = Path(__file__).parents[1] / "vectors" / "outgoing"


def changed(**values: Any) -> Assignment:
    return dataclasses.replace(ASSIGNMENT, **values)


def test_a_request_asks_the_financier_to_take_a_share_of_an_invoice() -> None:
    message = checked(request(ASSIGNMENT, LETTER), Tsin00600101, "tsin.006").invc_assgnmt_req
    assert (message.hdr.orgtr.id, message.hdr.pmry_rcpt[0].id) == ("seller", "financier")
    assert message.hdr.orgtr.pty[0].base_pty.lgl_org.nm == "天津出口有限公司"
    assert [(other.schme_nm.prtry, other.id) for other in message.hdr.orgtr.pty[0].base_pty.pty_id.id.org_id.othr] == [
        ("USCC", "91110000600037341L"),
        ("LEI", "984500TJEXPORT000197"),
    ]
    (listed,) = message.assgnmt_list
    assert (listed.assgnr, listed.assgne) == ("seller", "financier")
    assert (listed.ttl_req_amt.value, listed.ttl_req_amt.ccy) == (Decimal("80000.00"), "USD")
    assert listed.ttl_req_fincg.amt.value == Decimal("72000.00")
    assert "c1" * 32 in listed.addtl_inf
    assert "80% (800000000000 of 1000000000000 parts)" in listed.addtl_inf
    assert "still needed" in listed.addtl_inf
    (item,) = listed.fin_itm
    assert (item.itm_cntxt.idr, str(item.ttl_amt.pmt_due_dt)) == ("TJ-2026-00417", "2026-07-31")
    assert item.itm_cntxt.cdt_acct.iban == "DE89370400440532013000"


def test_a_notification_tells_the_debtor_where_to_pay_and_not_what_the_financier_advances() -> None:
    data = notification(ASSIGNMENT, LETTER)
    message = checked(data, Tsin00800101, "tsin.008").invc_assgnmt_ntfctn
    assert (message.hdr.orgtr.id, message.hdr.pmry_rcpt[0].id) == ("financier", "debtor")
    assert message.hdr.assoctd_doc[0].dgst[0].dgst == "d1" * 32
    assert message.ntfctn_list[0].fin_itm[0].itm_cntxt.cdt_acct.iban == "DE89370400440532013000"
    assert b"72000" not in data


def test_an_acknowledgement_answers_the_notification() -> None:
    message = checked(acknowledgement(ASSIGNMENT, REPLY), Tsin01300101, "tsin.013").invc_assgnmt_ack
    assert (message.hdr.orgtr.id, message.hdr.rltd_msg[0].id) == ("debtor", "TJ-417-1")
    assert message.pmt_sts_list[0].fin_itm[0].vldtn_sts_inf.sts.value == "RCCF"


def test_the_grounds_are_among_those_of_the_text_that_a_debtor_signs() -> None:
    assert set(GROUNDS) < set(standard_text("dispute-notice").choices["ground"])


@pytest.mark.parametrize("ground", GROUNDS)
def test_a_debtor_objects_on_a_ground_with_particulars_of_any_length(ground: Any) -> None:
    particulars = " ".join(["20 of 100 pallets wet"] * 20)
    data = acknowledgement(ASSIGNMENT, REPLY, objection=ground, particulars=particulars)
    found = checked(data, Tsin01300101, "tsin.013").invc_assgnmt_ack.pmt_sts_list[0].fin_itm[0].vldtn_sts_inf
    assert (found.sts.value, found.sts_rsn.prtry) == ("RCCF", ground)
    assert "".join(found.addtl_sts_rsn_inf) == particulars


def test_a_status_says_that_it_is_funded_pending_or_refused() -> None:
    def item(**outcome: Any) -> Any:
        message = checked(status(ASSIGNMENT, REPLY, **outcome), Tsin00700101, "tsin.007").invc_assgnmt_sts
        return message.assgnmt_list[0].fin_itm[0]

    funded = item(outcome="funded").fincg_sts
    assert funded.invc_fincg_dtls[0].invc_fincg_rslt.fincg_req_sts.value == "FNCD"
    assert funded.fincg_allwd_summry.ttl_fincd_amt.value == Decimal("72000.00")
    pending = item(outcome="pending").fincg_sts
    assert pending.invc_fincg_dtls[0].invc_fincg_rslt.fincg_req_sts.value == "PDNG"
    assert pending.fincg_allwd_summry.ttl_fincd_amt.value == 0
    refused = item(outcome="refused", reason="duplicate")
    result = refused.fincg_sts.invc_fincg_dtls[0].invc_fincg_rslt
    assert (result.fincg_req_sts.value, result.sts_rsn.prtry) == ("NTFD", "duplicate")
    assert refused.fincg_sts.fincg_allwd_summry.ttl_accptd_itms_amt.value == 0


def test_a_law_of_a_part_of_a_country_and_an_account_without_iban() -> None:
    given = changed(law="US-NY", account="0011-223344", filing=Filing(register="NY UCC", number="202605040001"))
    message = checked(request(given, LETTER), Tsin00600101, "tsin.006").invc_assgnmt_req
    (law,) = message.hdr.lgl_cntxt
    assert (law.aplbl_law.ctry, law.aplbl_law.ctry_sub_dvsn.cd) == ("US", "NY")
    assert message.assgnmt_list[0].fin_itm[0].itm_cntxt.cdt_acct.othr.id == "0011-223344"
    assert "Official filing: NY UCC, number 202605040001." in message.assgnmt_list[0].addtl_inf


@pytest.mark.parametrize(
    ("write", "field"),
    [
        (lambda: request(changed(tax=None), LETTER), "tax"),
        (lambda: notification(changed(account=""), LETTER), "account"),
        (lambda: status(changed(advance=None), REPLY, outcome="funded"), "advance"),
        (lambda: status(ASSIGNMENT, REPLY, outcome="refused"), "reason"),
        (lambda: status(ASSIGNMENT, REPLY, outcome="pending", reason="duplicate"), "reason"),
        (lambda: status(ASSIGNMENT, REPLY, outcome="lost"), "outcome"),  # type: ignore[arg-type]
        (lambda: acknowledgement(ASSIGNMENT, REPLY, objection="mood"), "objection"),  # type: ignore[arg-type]
        (lambda: acknowledgement(ASSIGNMENT, REPLY, objection="defence"), "particulars"),
        (lambda: acknowledgement(ASSIGNMENT, REPLY, particulars="wet"), "particulars"),
        (
            lambda: request(
                changed(seller=Firm(name="x" * 141, country="CN", identifiers=("lei:984500TJEXPORT000197",))), LETTER
            ),
            "seller.name",
        ),
        (
            lambda: request(changed(debtor=Firm(name="x", country="US", identifiers=("tax:US" + "9" * 40,))), LETTER),
            "debtor.identifiers",
        ),
        (lambda: Letter(id="417", sent=LETTER.sent), "id"),
        (lambda: Letter(id="seller", sent=LETTER.sent), "id"),
        (lambda: Letter(id="A" * 36, sent=LETTER.sent), "id"),
        (lambda: Letter(id="A", sent=LETTER.sent, replies_to="A"), "replies_to"),
    ],
)
def test_what_no_valid_message_can_say_is_refused(write: Callable[[], object], field: str) -> None:
    with pytest.raises(FieldError) as caught:
        write()
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<Dt>2026-05-04</Dt>", b""),
        (b"<Dt>2026-05-04</Dt>", b"<Dt>4 May</Dt>"),
        (b"<Idr>TJ-417-1</Idr>", b"<Idr></Idr>"),
        (b"<Idr>TJ-2026-00417</Idr>", b"<Idr>" + b"9" * 36 + b"</Idr>"),
        (b"<CtryOfRes>DE</CtryOfRes>", b"<CtryOfRes>Germany</CtryOfRes>"),
        (b"<Cd>NONE</Cd>", b"<Cd>LAWS</Cd>"),
        (b"<Buyr>debtor</Buyr>", b"<Buyr>nobody</Buyr>"),
        (b"<Id>authorised-user</Id>", b"<Id>seller</Id>"),
        (b'<TtlTaxAmt Ccy="USD">0.00', b'<TtlTaxAmt Ccy="USD">0.000001'),
        (b'<TtlTaxAmt Ccy="USD">0.00', b'<TtlTaxAmt Ccy="USD">-1.00'),
        (
            b"<Assgne>financier</Assgne>\n      <Assgnr>seller</Assgnr>",
            b"<Assgnr>seller</Assgnr><Assgne>financier</Assgne>",
        ),
        (b"<ItmCnt>1</ItmCnt>", b"<Items>1</Items>"),
        (b"tsin.006.001.01", b"tsin.007.001.01"),
    ],
)
def test_a_message_that_is_not_valid_would_be_noticed(old: bytes, new: bytes) -> None:
    data = request(ASSIGNMENT, LETTER)
    assert old in data
    with pytest.raises((AssertionError, ConverterWarning, ParserError)):
        checked(data.replace(old, new), Tsin00600101, "tsin.006")


NAMES = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S"), max_codepoint=0xFFFF), min_size=1, max_size=40
)
CURRENCIES = st.sampled_from(["USD", "JPY", "KWD", "CLF", "CNY"])


@st.composite
def assignments(draw: st.DrawFn) -> Assignment:
    currency = draw(CURRENCIES)
    amount, share = draw(st.integers(1, MINOR_MAX)), draw(st.integers(1, WHOLE))
    assigned = money_of_share(share, whole=Money(currency, amount)).minor
    issued = draw(st.dates(datetime.date(1990, 1, 1), datetime.date(2100, 1, 1)))
    references = st.text("ABC-/. 0123456789年№", min_size=1, max_size=35).filter(lambda text: text == text.strip())
    return changed(
        invoice=draw(references),
        agreement=draw(references),
        issued=issued,
        due=issued + datetime.timedelta(days=draw(st.integers(0, 400))),
        amount=Money(currency, amount),
        tax=Money(currency, draw(st.integers(0, amount))),
        advance=draw(st.none() | st.integers(0, assigned).map(lambda minor: Money(currency, minor))),
        share=share,
        law=draw(st.sampled_from(["CN", "SG", "GB-EW", "GB-SCT", "US-NY", "BR"])),
        account=draw(st.sampled_from(["", "DE89370400440532013000", "62220212345678901234"])),
        notice=draw(st.sampled_from([None, ASSIGNMENT.notice])),
        filing=draw(st.sampled_from([None, Filing(register="中登网", number="06112345000123456789")])),
    )


@settings(max_examples=25, deadline=None)
@given(assignments())
def test_every_assignment_gives_valid_messages(assignment: Assignment) -> None:
    message = checked(request(assignment, LETTER), Tsin00600101, "tsin.006").invc_assgnmt_req
    totals = message.assgnmt_list[0].fin_itm[0].ttl_amt
    assert totals.ttl_taxbl_amt.value + totals.ttl_tax_amt.value == totals.ttl_invc_amt.value == message.ctrl_sum
    checked(acknowledgement(assignment, REPLY), Tsin01300101, "tsin.013")
    checked(status(assignment, REPLY, outcome="pending"), Tsin00700101, "tsin.007")
    if assignment.account:
        checked(notification(assignment, LETTER), Tsin00800101, "tsin.008")


@settings(max_examples=25, deadline=None)
@given(NAMES)
def test_every_name_that_may_be_a_name_stands_in_the_message(name: str) -> None:
    assume(is_clean_text(name, size_max=140))
    given_ = changed(debtor=dataclasses.replace(ASSIGNMENT.debtor, name=name))
    (other,) = checked(request(given_, LETTER), Tsin00600101, "tsin.006").invc_assgnmt_req.hdr.othr_pty
    assert other.pty[0].base_pty.lgl_org.nm == name


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("tsin006.xml", request(ASSIGNMENT, LETTER)),
        ("tsin007.xml", status(ASSIGNMENT, REPLY, outcome="funded")),
        ("tsin008.xml", notification(ASSIGNMENT, LETTER)),
        ("tsin013.xml", acknowledgement(ASSIGNMENT, REPLY)),
    ],
)
def test_golden_messages(file: str, data: bytes) -> None:
    assert data == (VECTORS / file).read_bytes()
