"""From order to payable by command, against real nodes; and what a dry run foresees of it."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from clients.dossier import Dossier
from registry.fingerprint import ACCOUNT
from registry.money import WHOLE
from tests.cast import AUTHORITIES, EXP_CN, IMP_DE, Cast
from tests.clients.stage import Stage
from tests.clients.test_cli import DONE, LOOK, Desk, complaint

pytestmark = pytest.mark.processes

HEAD = "number,issue_date,currency,payable,seller_name,seller_country,buyer_name,buyer_country,order_references\n"
_days = count(1)


@pytest.fixture
def desk(cast: Cast, tmp_path: Path) -> Desk:
    (tmp_path / "terms.txt").write_text("90 percent")
    return Desk(tmp_path, cast)


def table(desk: Desk, name: str, *rows: tuple[str, str], order: str = "") -> Path:
    """A ledger's rows of number and amount, each of a day of its own: nothing is alike by chance."""
    day = next(_days)
    lines = "".join(
        f"{number},2025-03-{day:02d},JPY,{amount},Haihe,CN,Rheinwerk,DE,{order}\n" for number, amount in rows
    )
    (desk.folder / name).write_text(HEAD + lines)
    return desk.folder / name


def register(desk: Desk, file: Path, *words: object, by: str = EXP_CN, code: int = DONE) -> list[dict[str, Any]]:
    sides = ("--debtor", IMP_DE) if by == EXP_CN else ("--seller", EXP_CN)
    folder = ("--dossiers", desk.folder / "dossiers")
    ended = desk.by(by, "receivable", "register", file, *sides, *folder, "--json", *words)
    assert ended.code == code, ended
    rows: list[dict[str, Any]] = json.loads(ended.out)
    return rows


def offered(desk: Desk, receivable: str, to: str, share: str) -> str:
    words = ("--to", AUTHORITIES[to][0], "--terms", desk.folder / "terms.txt", "--share", share)
    claim: str = desk.by(EXP_CN, "claim", "offer", receivable, *words).json["claim"]
    return claim


def test_an_order_its_invoices_and_a_payable(desk: Desk) -> None:
    """Of an order, 90 % is financed before there is an invoice; its invoices have the rest, and no more."""
    order_file = table(desk, "orders.csv", ("PO-7001", "10000000"))
    (made,) = register(desk, order_file, "--kind", "purchase_order", "--law", "CN", "--law", "DE")
    order = made["id_or_reason"]
    advance = offered(desk, order, "f-cn", "90%")
    assert desk.by(AUTHORITIES["f-cn"][0], "claim", "finance", advance).code == DONE

    rows = (("L-1", "6000000"), ("L 1", "6000000"), ("L-2", "4000001"), ("L-3", "4000000"))
    invoices = table(desk, "invoices.csv", *rows, order="PO-7001")
    words = ("--parent", order, "--account")
    foreseen = register(desk, invoices, *words, "--dry-run", code=LOOK)
    expected = ["would be registered", "the same again", "would be refused", "would be registered"]
    assert [row["outcome"] for row in foreseen] == expected
    assert f"60% of {order}" in foreseen[0]["id_or_reason"]
    assert foreseen[2]["id_or_reason"].startswith(f"over_parent {order}, JPY 4000001, ")
    first, *others = register(desk, invoices, *words, code=LOOK)
    assert [row["outcome"] for row in others] == ["registered before", "refused", "registered"]
    assert (others[1]["id_or_reason"], others[1]["note"]) == ("over_parent", order)
    too_much = offered(desk, first["id_or_reason"], "f-sg", "11%")
    assert complaint(desk.by(AUTHORITIES["f-sg"][0], "claim", "finance", too_much)).startswith("refused: over_residual")
    the_rest = offered(desk, first["id_or_reason"], "f-sg", "10%")
    assert desk.by(AUTHORITIES["f-sg"][0], "claim", "finance", the_rest).code == DONE

    again = register(desk, invoices, *words, "--dry-run", code=LOOK)
    before = "registered before"
    assert [row["outcome"] for row in again] == [before, before, "would be refused", before]
    owed = table(desk, "owed.csv", ("AP-1", "777777"))
    (foreseen_owed,) = register(desk, owed, "--dry-run", by=IMP_DE)
    assert f"seller {EXP_CN}, kind payable" in foreseen_owed["id_or_reason"]
    (payable,) = register(desk, owed, by=IMP_DE)
    stage = Stage(desk.cast)
    stage.level()
    with stage.exporter() as seller, stage.exporter(IMP_DE) as buyer:
        ordered, invoice = (seller.receivable(bytes.fromhex(id_)) for id_ in (order, first["id_or_reason"]))
        owing = buyer.receivable(bytes.fromhex(payable["id_or_reason"]))
    assert (ordered.kind, ordered.laws, ordered.grade) == ("purchase_order", ("CN", "DE"), "self_asserted")
    assert Dossier.from_json((desk.folder / "dossiers" / f"{order}.json").read_text()).particulars.orders == (
        "PO-7001",
    )
    assert [tuple(link) for link in invoice.parents] == [(bytes.fromhex(order), WHOLE * 6 // 10, WHOLE)]
    assert [ACCOUNT in dict(one.fingerprints) for one in (ordered, invoice)] == [False, True]
    assert (owing.kind, owing.registrant) == ("payable", IMP_DE)


def test_a_correction_keeps_what_it_does_not_change(desk: Desk) -> None:
    (order,) = register(desk, table(desk, "o.csv", ("PO-7002", "10000000")), "--kind", "purchase_order")
    part = ("--parent", f"{order['id_or_reason']}=60%", "--law", "VN", "--account")
    (wrong,) = register(desk, table(desk, "a.csv", ("L-8", "6000000")), *part)
    corrected = table(desk, "b.csv", ("L-4", "6000000"))
    correction = ("--supersedes", wrong["id_or_reason"])
    (foreseen,) = register(desk, corrected, *correction, "--dry-run")
    assert f"kind invoice, 60% of {order['id_or_reason']}, laws VN, tagged" in foreseen["id_or_reason"]
    (right,) = register(desk, corrected, *correction)
    other = table(desk, "d.csv", ("L-7", "6000000"))
    for words in (correction, ("--parent", f"{'07' * 32}=60%"), ("--parent", f"{order['id_or_reason']}=41%")):
        (foreseen,) = register(desk, other, *words, "--dry-run", code=LOOK)
        (refused,) = register(desk, other, *words, code=LOOK)
        assert refused["outcome"] == "refused"
        assert foreseen["id_or_reason"].startswith(f"{refused['id_or_reason']} {refused['note']}")
    (free,) = register(
        desk, table(desk, "c.csv", ("L-5", "6000000")), "--supersedes", right["id_or_reason"], "--parent", "none"
    )
    with Stage(desk.cast).exporter() as seller:
        kept, cut = (seller.receivable(bytes.fromhex(one["id_or_reason"])) for one in (right, free))
    parent = bytes.fromhex(order["id_or_reason"])
    assert [tuple(link) for link in kept.parents] == [(parent, WHOLE * 6 // 10, WHOLE)]
    assert (kept.laws, ACCOUNT in dict(kept.fingerprints), kept.unlinked) == (("VN",), True, ())
    assert (cut.parents, cut.unlinked) == ((), (parent,)), "who finances it is shown that"


def test_a_dry_run_finds_what_is_registered_and_what_is_in_the_files_twice(desk: Desk) -> None:
    file = table(desk, "a.csv", ("L-6", "5550000"), ("L 6", "5550000"))
    looked = register(desk, file, "--dry-run")
    assert [row["outcome"] for row in looked] == ["would be registered", "the same again"]
    (made, again) = register(desk, file)
    assert (made["outcome"], again["outcome"]) == ("registered", "registered before")
    (desk.folder / "dossiers" / f"{made['id_or_reason']}.json").unlink()
    for row in register(desk, file, "--dry-run", code=LOOK):
        assert (row["outcome"], row["id_or_reason"].split(",")[0]) == (
            "would be refused",
            f"duplicate {made['id_or_reason']}",
        )


def test_a_dry_run_says_what_it_cannot_see(desk: Desk) -> None:
    """What the buyer registered as its payable is the same debt, and not for the seller to read."""
    file = table(desk, "owed.csv", ("L-9", "4440000"))
    (payable,) = register(desk, file, by=IMP_DE)
    Stage(desk.cast).level()
    elsewhere = ("--dossiers", desk.folder / "sellers")
    (foreseen,) = register(desk, file, "--dry-run", *elsewhere, code=LOOK)
    assert foreseen["id_or_reason"].startswith(
        f"duplicate {payable['id_or_reason']} (which is not for this party to see"
    )
    (refused,) = register(desk, file, *elsewhere, code=LOOK)
    assert (refused["id_or_reason"], refused["note"]) == ("duplicate", payable["id_or_reason"])
    ended = desk.by(IMP_DE, "receivable", "register", file, "--seller", EXP_CN, "--dry-run", *elsewhere)
    assert "Duplicates were not looked up: not_authorised" in ended.err, "who only buys may not search"
