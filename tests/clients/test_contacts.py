"""Two financiers with the same invoice find each other, by command against real nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cast import AUTHORITIES, EXP_CN, EXP_VN, TERMS, Cast
from tests.clients.stage import Stage, admit, newcomer, unlike, until_ms, with_particulars
from tests.clients.test_cli import DONE, Desk, complaint

pytestmark = pytest.mark.processes

F_CN, F_SG, F_DE = (AUTHORITIES[name][0] for name in ("f-cn", "f-sg", "f-de"))


@pytest.fixture(scope="module")
def desk(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("contacts"), cast)


def look_alikes(stage: Stage) -> tuple[str, str]:
    """EXP_CN's receivable, offered to F_CN, and one of the same transport by EXP_VN, offered to F_SG."""
    made = []
    same = unlike()
    transport = (f"COSU-{same.particulars.number}",)
    for seller, financier in ((EXP_CN, F_CN), (EXP_VN, F_SG)):
        listing = with_particulars(unlike(), seller=seller, transports=transport)
        with stage.exporter(seller) as client:
            (registered,) = client.register_all([listing])
            offer = {"to": financier, "share": 10**12, "terms": TERMS, "valid_until_ms": until_ms()}
            client.offer(registered.receivable, **offer)
        made.append(registered.receivable.hex())
    return made[0], made[1]


def test_two_financiers_make_contact(desk: Desk, cast: Cast, tmp_path: Path) -> None:
    mine, theirs = look_alikes(Stage(cast))
    text = tmp_path / "text.txt"
    text.write_text("Is this the shipment that you finance?")
    assert theirs in desk.by(F_CN, "receivable", "matches", mine).out
    contact = desk.by(F_CN, "contact", "ask", mine, theirs, "--text", text).json["contact"]
    assert contact in desk.by(F_SG, "contact", "list").out
    before = desk.by(F_SG, "contact", "show", contact)
    assert (before.json["state"], before.json["kinds"], "opened" in before.json) == ("waiting", ["transport"], False)
    assert F_CN not in before.out
    assert "no such contact" in complaint(desk.by(F_DE, "contact", "show", contact))
    assert complaint(desk.by(F_DE, "contact", "answer", contact, "accept", "--text", text)) == "refused: not_authorised"
    assert desk.by(F_SG, "contact", "answer", contact, "accept", "--text", text, "--language", "zh").code == DONE
    opened = desk.by(F_CN, "contact", "show", contact).json["opened"]
    assert (opened["asker"], opened["by"], opened["how"]) == (F_CN, F_SG, "accepted")
    assert (set(opened["asking"]), set(opened["asked"])) == ({F_CN}, {F_SG})  # each for itself


def test_authorities_execute_a_regulators_order(desk: Desk, cast: Cast, tmp_path: Path) -> None:
    stage = Stage(cast)
    mine, theirs = look_alikes(stage)
    regulator = newcomer("regulator")
    admit(stage, [regulator])
    text = tmp_path / "text.txt"
    text.write_text("...")
    contact = desk.by(F_CN, "contact", "ask", mine, theirs, "--text", text).json["contact"]
    desk.by(F_SG, "contact", "answer", contact, "decline", "--text", text)
    words = ("contact", "order", contact, "--regulator", regulator.id, "--text", text)
    proposal = desk.by(F_DE, *words).json["proposal"]
    listed = desk.by(F_DE, "party", "proposals").out
    assert all(word in listed for word in (proposal, "open_contact", contact))
    for authority in (F_CN, F_SG):
        desk.by(authority, "party", "approve", proposal)
    seen = desk.by(regulator.id, "contact", "show", contact).json
    assert (seen["state"], seen["opened"]["how"], seen["opened"]["by"]) == ("open", "ordered", regulator.id)
    assert contact in desk.by(regulator.id, "contact", "list", "--of", F_CN).out
