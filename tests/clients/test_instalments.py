"""Instalments of an invoice as receivables of their own: from the document, and by command on real nodes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from clients.dossier import Dossier
from clients.errors import ClientError
from clients.financier import check_dossier
from clients.instalments import instalment_listings
from clients.matches import to_acknowledge
from registry.documents import Invoice, read
from registry.fingerprint import Particulars
from registry.money import WHOLE, Money
from tests.cast import EXP_CN, IMP_DE, Cast
from tests.clients.liar import lying
from tests.clients.stage import Stage, offered
from tests.clients.test_cli import DONE, Desk, complaint, run
from tests.registry.documents.national import body, fatturapa, nfe, payment
from tests.registry.world import mark

SAMPLES = Path(__file__).parents[2] / "scripts" / "samples"
NFE = SAMPLES / "28-nfe-4711-brl.xml"


def invoice() -> Invoice:
    (found,) = read(NFE.name, NFE.read_bytes())
    return found


def dossier_of(made: Invoice) -> Dossier:
    assert made.payable is not None
    particulars = Particulars(
        seller=EXP_CN,
        debtor=IMP_DE,
        number=made.number,
        currency=made.currency,
        amount_minor=made.payable.minor,
        issue_date=made.issue_date,
        due_date=made.due_date,
    )
    return Dossier(
        receivable=mark("invoice"),
        particulars=particulars,
        salt=mark("salt"),
        debtor_salt=mark("debtor salt"),
        document=made.digest,
    )


def test_each_instalment_is_a_part_of_its_invoice() -> None:
    listings = instalment_listings(dossier_of(invoice()), invoice())
    said = [(one.kind, one.particulars.number, str(one.particulars.due_date), one.parents) for one in listings]
    assert said == [
        ("instalment", "4711/001", "2026-06-06", ((mark("invoice"), WHOLE // 2, WHOLE),)),
        ("instalment", "4711/002", "2026-07-06", ((mark("invoice"), WHOLE // 2, WHOLE),)),
    ]
    assert {one.particulars.amount_minor for one in listings} == {4_822_500}
    assert {one.particulars.government_ids for one in listings} == {()}


def test_thirds_never_exceed_the_invoice() -> None:
    part = invoice().instalments[0]
    thirds = tuple(part._replace(number=number, amount=Money("BRL", 3_215_000)) for number in "123")
    listings = instalment_listings(dossier_of(invoice()), replace(invoice(), instalments=thirds))
    assert [one.parents[0][1] for one in listings] == [WHOLE // 3] * 3


def test_instalments_that_name_the_tax_which_the_buyer_pays_to_the_state_are_parts_of_the_rest() -> None:
    """A FatturaPA under split payment: 15.25 twice, of which 12.50 each comes to the seller."""
    stated = body(payments=payment("15.25", "2026-06-30") + payment("15.25", "2026-07-31"))
    text = fatturapa(stated).replace(b"</Imposta>", b"</Imposta><EsigibilitaIVA>S</EsigibilitaIVA>")
    (made,) = read("fattura.xml", text)
    listings = instalment_listings(dossier_of(made), made)
    assert [one.particulars.amount_minor for one in listings] == [1_250, 1_250]
    assert [one.parents for one in listings] == [((mark("invoice"), WHOLE // 2, WHOLE),)] * 2


def test_what_are_no_instalments_of_this_invoice_is_refused() -> None:
    made = invoice()
    part = made.instalments[0]
    for changed, words in (
        (replace(made, digest=mark("another")), "not the document"),
        (replace(made, number="4712"), "not the document"),
        (replace(made, instalments=()), "no instalments"),
        (replace(made, instalments=(part, part, part)), "are no parts"),
        (replace(made, instalments=(part, part._replace(amount=Money("BRL", 0)))), "are no parts"),
        (replace(made, instalments=(part,) * 129), "at most 128"),
    ):
        with pytest.raises(ClientError, match=words):
            instalment_listings(dossier_of(made), changed)


@pytest.mark.processes
def test_by_command_on_the_ledger(cast: Cast, tmp_path: Path) -> None:
    bills = "".join(f"<dup><dVenc>2026-0{month}-04</dVenc><vDup>2890.00</vDup></dup>" for month in (6, 7))
    document = tmp_path / "nfe.xml"
    document.write_bytes(nfe(bill=bills))
    desk = Desk(tmp_path, cast)
    folder = ("--dossiers", tmp_path / "dossiers")
    assert desk.by(EXP_CN, "receivable", "register", document, "--debtor", IMP_DE, *folder).code == DONE
    (whole,) = (tmp_path / "dossiers").glob("*.json")
    words = ("receivable", "instalments", whole, document, *folder)

    shown = run(*words, "--dry-run", NEMODAT_PARTY=EXP_CN)
    assert (shown.code, shown.out.count("50%")) == (DONE, 2)
    assert len(list((tmp_path / "dossiers").glob("*.json"))) == 1, "a dry run registers nothing"
    with lying(cast.devnet.url("f-cn")) as relay:
        relay.lie = lambda path, answer: b"cut off" if path.startswith("/v1/transactions/") else answer
        cut_off = desk.by(EXP_CN, *words, urls=[relay.url])
    assert cut_off.code == 1
    assert "run the command again" in cut_off.err
    assert "transaction resume" not in cut_off.err, "one advice, not two"
    done = desk.by(EXP_CN, *words)
    assert done.code == DONE, done
    assert re.findall(r"1234/[12]", done.out) == ["1234/1", "1234/2"]
    again = desk.by(EXP_CN, *words)
    assert (again.code, again.out.count("registered before")) == (DONE, 2)

    first, _ = sorted(
        (Dossier.from_json(file.read_text()) for file in (tmp_path / "dossiers").glob("*.json") if file != whole),
        key=lambda one: one.particulars.number,
    )
    stage = Stage(cast)
    with stage.exporter() as seller, stage.financier("f-cn") as f_cn, stage.financier("f-sg") as f_sg:
        record = seller.receivable(first.receivable)
        assert record is not None
        assert (record.kind, record.parents[0].receivable.hex()) == ("instalment", whole.stem)
        alike = [found.receivable for found in seller.call(to_acknowledge, first.receivable).matches]
        assert len(alike) == 1, "the other instalment is of the same amount and day: it is looked at once"
        claim, parent = offered(seller, first.receivable, "f-cn"), Dossier.from_json(whole.read_text())
        (alone,), (beside,) = f_cn.check_dossier(first).parts, f_cn.check_dossier(first, [parent]).parts
        assert str(alone) == "not compared: the parent's dossier is not at hand"
        assert (beside.finding, beside.proved, beside.parent) == ("agrees", False, parent.receivable)
        (own,) = seller.call(check_dossier, first, [parent]).parts
        assert (own.finding, own.proved) == ("agrees", True)
        larger = replace(parent, particulars=replace(parent.particulars, amount_minor=999_999))
        assert f_cn.check_dossier(first, [larger]).parts[0].finding == "differs"
        with pytest.raises(ClientError, match=f"dossier of the parent {whole.stem}: particulars"):
            seller.call(check_dossier, first, [larger])
        with pytest.raises(ClientError, match="is no parent of this receivable"):
            f_cn.check_dossier(first, [first])
        f_cn.finance(claim, acknowledged=alike)
        with pytest.raises(ClientError, match="over_residual"):
            f_sg.finance(offered(seller, bytes.fromhex(whole.stem), "f-sg", WHOLE // 2 + 1))
    broken = tmp_path / "other.xml"
    broken.write_bytes(nfe(bill=bills, key="3" * 44))
    assert "is not the document" in complaint(desk.by(EXP_CN, "receivable", "instalments", whole, broken))
