"""An audit pack: a financed invoice from real nodes, verified by genesis alone; whatever is changed in it is found."""

from __future__ import annotations

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clients import disputes, external, notices, packs, pools
from clients.dossier import Dossier
from clients.errors import ClientError, ProofInvalid
from clients.filings import record_filing
from clients.pack_files import PACK_BYTES_MAX, Entry, Pack, entry_of, object_of, pack_bytes, read_pack, written
from clients.pack_proofs import RECORDS, check_pack
from clients.verify import Trust
from consensus.checkpoints import KeptCheckpoint, cosign
from registry.genesis import Genesis
from registry.keys import SigningKey
from registry.money import WHOLE
from registry.transactions.external_claims import RecordExternalClaim
from registry.transactions.facilities import Scope
from tests.cast import AUTHORITIES, EXP_VN, IMP_DE, TERMS, Cast
from tests.clients.stage import Stage, admit, digest, newcomer, offered, unlike, until_ms
from tests.clients.test_cli import DONE, Desk, complaint, run
from tests.clients.test_pools import signs

pytestmark = pytest.mark.processes

TEXT = b"Pay to us: the claim was assigned to us."
F_GB, F_SG = AUTHORITIES["f-gb"][0], AUTHORITIES["f-sg"][0]
OBSERVER = SigningKey.from_seed(b"o" * 32)


@dataclass(frozen=True, slots=True)
class Story:
    """An invoice of which 80 % was financed, with notice and a partial payment, and what the financier packed."""

    genesis: Genesis
    dossier: Dossier
    claim: bytes
    notice: bytes
    paid: bytes
    data: bytes

    @property
    def pack(self) -> Pack:
        return read_pack(self.data)


@pytest.fixture(scope="module")
def story(cast: Cast) -> Story:
    stage = Stage(cast)
    with stage.exporter() as exporter, stage.debtor() as debtor, stage.financier("f-sg") as financier:
        registration = exporter.register(unlike())
        dossier = registration.dossier
        account = dossier.account_commitment("DE89 3704 0044 0532 0130 00")
        claim = offered(exporter, registration.receivable, "f-sg", WHOLE * 8 // 10)
        rival = offered(exporter, registration.receivable, "f-gb", WHOLE // 10)
        text = hashlib.sha256(TEXT).digest()
        notice = financier.call(notices.notify, claim, channel="courier", text=text, account=account)
        debtor.call(notices.acknowledge, notice, text=text, account=account, dossier=dossier)
        debtor.confirm(dossier)
        financier.finance(claim)
        paid = financier.discharge(claim, share=WHOLE * 3 // 10).transaction
        stage.level()
        own: dict[str, Any] = {
            "dossiers": {"own.json": dossier.to_json().encode()},
            "documents": {"notice.TXT": TEXT},
            "transactions": [paid],
        }
        data = financier.call(packs.pack, registration.receivable, **own)
    assert rival != claim
    return Story(cast.devnet.genesis, dossier, claim, notice, paid, data)


def ids(pack: Pack, kind: str) -> list[bytes]:
    return [one.id for one in pack.entries if one.kind == kind]


def reasons(pack: Pack) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in pack.not_included:
        found.setdefault(one.kind, set()).add(one.reason)
    return found


def test_it_verifies_with_genesis_alone(story: Story) -> None:
    checked = check_pack(story.pack, Trust(story.genesis))
    said = {(row.kind, row.id): row.said for row in checked.rows}
    assert said["receivable", story.dossier.receivable] == "confirmed"
    assert said["claim", story.claim] == "funded"
    assert said["transaction", story.paid] == "ok"
    assert ids(story.pack, "notice") == [story.notice]
    assert ids(story.pack, "dossier") == [story.dossier.receivable]
    assert [one.file for one in story.pack.entries if one.kind == "document"] == [
        f"document/{hashlib.sha256(TEXT).hexdigest()}.txt"
    ]
    assert checked.height == max(row.height for row in checked.rows)
    by_id = {one.id: object_of(one)["record"] for one in story.pack.entries if one.kind == "claim"}
    assert by_id[story.claim]["share"] == WHOLE // 2


def test_what_is_not_for_the_reader_is_listed_with_the_reason(story: Story) -> None:
    """The rival's offer is not for this financier; of other blocks it was not told the transactions."""
    found = reasons(story.pack)
    assert found["claim"] == {"not_for_reader"}
    assert found["transaction"] == {"unknown_id"}
    assert found["filed"] == {"none_shown"}
    assert found["external_claims_of"] == {"none_shown"}


def test_the_debtors_pack_has_what_it_may_read(stage: Stage, story: Story) -> None:
    with stage.debtor() as debtor:
        pack = read_pack(debtor.call(packs.pack, story.dossier.receivable))
    assert check_pack(pack, Trust(story.genesis)).height > 0
    assert len(ids(pack, "claim")) == 2, "a confirmed debtor sees who claims"
    assert ids(pack, "notice") == [story.notice], "its own, though the list of them is for the holder"
    assert reasons(pack)["notified"] == reasons(pack)["filed"] == {"for_holder"}


def test_a_regulators_pack_has_all_transactions(stage: Stage, story: Story, supervisor: str) -> None:
    with stage.regulator(supervisor) as regulator:
        pack = read_pack(regulator.call(packs.pack, story.dossier.receivable))
    checked = check_pack(pack, Trust(story.genesis))
    assert story.paid in ids(pack, "transaction")
    assert len(ids(pack, "transaction")) >= 7, "registered, offered twice, notified, acknowledged, confirmed, financed"
    assert "transaction" not in reasons(pack)
    assert "claim" not in reasons(pack)
    assert len(checked.rows) >= 11


def test_it_is_held_against_checkpoints(stage: Stage, story: Story, supervisor: str) -> None:
    """What is older than a checkpoint is in the history of the newest block, which the pack shows."""
    with stage.regulator(supervisor) as regulator:
        pack = read_pack(regulator.call(packs.pack, story.dossier.receivable))
    newest = Trust(story.genesis).header(object_of(next(one for one in pack.entries if one.kind == "claim"))["proof"])
    guarded = Trust(story.genesis, checkpoints=(KeptCheckpoint(cosign(story.genesis.id, newest, OBSERVER), newest),))
    assert check_pack(pack, guarded).height == newest.height
    with pytest.raises(ProofInvalid, match=r"^transaction/.* is older than the checkpoint"):
        check_pack(changed(pack, lambda one: None if one.kind == "ancestry" else one), guarded)
    for one in pack.entries:
        if one.kind == "ancestry":
            told = object_of(one)
            forged_path = one._replace(data=written(told | {"path": [digest("x").hex(), *told["path"][1:]]}))
            lied = changed(pack, lambda each, one=one, lie=forged_path: lie if each == one else each)
            with pytest.raises(ProofInvalid, match=f"^{one.file}: "):
                check_pack(lied, Trust(story.genesis))


def test_lineage_and_every_family(stage: Stage) -> None:
    """Credit note, filing, dispute, claim outside, carve-out, all of one part of an order; the order too, if seen."""
    party = newcomer("exporter", country="CN")
    admit(stage, [party])
    with stage.exporter(party.id) as seller, stage.financier("f-gb") as bank, stage.debtor() as debtor:
        scope = Scope((), digest("filing"), until_ms())
        opening = pools.opening(seller=party.id, financier=F_GB, terms=TERMS, rules=digest("rules"), blanket=scope)
        opened = seller.call(pools.agree, F_GB, opening, countersign=signs(stage, F_GB))
        order = seller.register(unlike(seller=party.id, kind="purchase_order")).receivable
        invoice = seller.register(unlike(seller=party.id, parents=((order, WHOLE, WHOLE),)))
        id_ = invoice.receivable
        bank.call(pools.carve_out, opened.subject, id_)
        claim = offered(seller, id_, "f-de", WHOLE // 2)
        with stage.financier("f-de") as holder:
            holder.finance(claim)
            filed_ms = time.time_ns() // 1_000_000 - 1_000_000
            filing = holder.call(record_filing, claim, register="SG:ACRA", number=digest("1"), filed_ms=filed_ms)
            outside = RecordExternalClaim(id_, (), "document", hashlib.sha256(TEXT).digest(), digest("another"))
            asserted = holder.call(external.record, outside)
            seller.adjust(id_, reduction=WHOLE // 10, document=hashlib.sha256(b"credit note").digest())
            debtor.confirm(invoice.dossier)
            said = {"text": digest("broken"), "language": "en"}
            dispute = debtor.call(disputes.raise_dispute, id_, ground="defence", share=WHOLE // 10, **said)
            stage.level()
            notes = {"documents": {"credit.xml": b"credit note", "aec.xml": TEXT}}
            held = read_pack(holder.call(packs.pack, id_, **notes))
        owned = read_pack(seller.call(packs.pack, id_, **notes))
        banked = read_pack(bank.call(packs.pack, order))
    for pack in (held, owned, banked):
        check_pack(pack, Trust(stage.cast.devnet.genesis))
    for kind, wanted in (("dispute", dispute), ("external_claim", asserted), ("claim", None), ("filing", filing)):
        assert ids(held, kind) == [claim if wanted is None else wanted.subject], kind
    assert len(ids(held, "credit_note")) == len(ids(owned, "credit_note")) == 1
    assert reasons(held)["ancestor"] == {"not_for_reader"}
    assert (ids(owned, "ancestor"), ids(owned, "filing")) == ([order], [])
    assert (len(ids(owned, "carve_out")), ids(held, "carve_out")) == (1, []), "whose blanket it was is not the holder's"
    assert ids(banked, "descendant") == [id_], "the order is under its blanket"


def test_a_stranger_has_no_pack(stage: Stage, story: Story) -> None:
    with stage.exporter(EXP_VN) as stranger, pytest.raises(ClientError, match="no such receivable, or none that"):
        stranger.call(packs.pack, story.dossier.receivable)


def test_a_file_that_does_not_match_is_refused_by_name(stage: Stage, story: Story) -> None:
    other = replace(story.dossier, salt=digest("another salt")).to_json().encode()
    elsewhere = replace(story.dossier, receivable=digest("elsewhere")).to_json().encode()
    for files, complaint_ in (
        ({"dossiers": {"wrong.json": other}}, r"^wrong.json: the record commits to other particulars"),
        ({"dossiers": {"wrong.json": elsewhere}}, r"^wrong.json: of another receivable"),
        ({"dossiers": {"wrong.json": b"\xff"}}, r"^wrong.json: "),
        ({"documents": {"wrong.pdf": b"another"}}, r"^wrong.pdf: neither a record nor a dossier"),
        ({"transactions": [digest("none")]}, "not final, or not known"),
    ):
        with stage.financier("f-sg") as financier, pytest.raises(ClientError, match=complaint_):
            financier.call(packs.pack, story.dossier.receivable, **files)


# --- changed by accident: every byte counts -------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_changed_byte_is_found(story: Story, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(story.data) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(story.data)
    changed[at] ^= 1 << bit
    with pytest.raises(ClientError, match="pack"):
        read_pack(bytes(changed))


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_a_missing_or_added_byte_is_found(story: Story, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(story.data)))
    with pytest.raises(ClientError, match="pack"):
        read_pack(story.data[:at] + data.draw(st.binary(min_size=1, max_size=3)) + story.data[at:])
    with pytest.raises(ClientError, match="pack"):
        read_pack(story.data[:at] + story.data[at + 1 :] if at < len(story.data) else story.data[:-1])


def rezipped(data: bytes, change: Callable[[dict[str, bytes]], object]) -> bytes:
    """The same archive with other members, in order, as anybody can make it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in sorted(members):
            archive.writestr(zipfile.ZipInfo(name), members[name])
    return made.getvalue()


def test_the_file_is_named(story: Story) -> None:
    for one in story.pack.entries:
        with pytest.raises(ClientError, match=rf"^pack: {one.file}: changed"):
            read_pack(rezipped(story.data, lambda members, one=one: members.update({one.file: one.data + b" "})))
        with pytest.raises(ClientError, match=rf"^pack: {one.file}: missing"):
            read_pack(rezipped(story.data, lambda members, one=one: members.pop(one.file)))
    with pytest.raises(ClientError, match=r"^pack: claim/more.json: added"):
        read_pack(rezipped(story.data, lambda members: members.update({"claim/more.json": b"{}"})))
    for name in ("README.txt", "index.json"):
        with pytest.raises(ClientError, match=rf"^pack: {name}: missing"):
            read_pack(rezipped(story.data, lambda members, name=name: members.pop(name)))


def test_bombs_are_refused_before_they_go_off(story: Story) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", b"0" * 50_000_000)
    with pytest.raises(ClientError, match="unpacks to more"):
        read_pack(made.getvalue())
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w") as archive:
        for number in range(15_000):
            archive.writestr(str(number), b"")
    with pytest.raises(ClientError, match="more than 4096 files"):
        read_pack(many.getvalue())
    with pytest.raises(ClientError, match="larger than"):
        read_pack(bytes(PACK_BYTES_MAX + 1))


# --- changed by somebody who makes a new index for it ---------------------------------------------------------------


def forged(story: Story, index: int, data: bytes) -> Pack:
    """The pack with other bytes in one entry, whole by itself: digests, number and archive are those of a pack."""
    entries = list(story.pack.entries)
    entries[index] = entries[index]._replace(data=data)
    return read_pack(pack_bytes(replace(story.pack, entries=tuple(entries))))


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_no_entry_can_be_forged(story: Story, data: st.DataObject) -> None:
    """Whatever digit or letter is changed in whatever entry, genesis tells."""
    index = data.draw(st.integers(0, len(story.pack.entries) - 1))
    text = bytearray(story.pack.entries[index].data)
    at = data.draw(st.integers(0, len(text) - 1))
    text[at] = data.draw(st.sampled_from(b"0123456789abcdef {}[]\"'x").filter(lambda byte: byte != text[at]))
    entry = story.pack.entries[index]
    if entry.kind == "dossier" and _same_dossier(entry.data, bytes(text)):
        return  # white space, which says nothing
    with pytest.raises(ClientError):
        check_pack(forged(story, index, bytes(text)), Trust(story.genesis))


def _same_dossier(one: bytes, other: bytes) -> bool:
    try:
        return Dossier.from_json(one.decode()) == Dossier.from_json(other.decode())
    except ClientError:
        return False


def changed(pack: Pack, change: Callable[[Entry], Entry | None]) -> Pack:
    made = [change(one) for one in pack.entries]
    return replace(pack, entries=tuple(one for one in made if one is not None))


def test_what_a_record_names_cannot_be_kept_back(story: Story) -> None:
    for kind, complaint_ in (
        ("claim", "kept back"),
        ("notified", "kept back"),
        ("notice", "kept back"),
        ("receivable", "itself is missing"),
        ("changes", "changes of the authorities are missing"),
    ):
        less = changed(story.pack, lambda one, kind=kind: None if one.kind == kind else one)
        with pytest.raises(ClientError, match=complaint_):
            check_pack(less, Trust(story.genesis))


def test_an_entry_stands_for_itself_only(story: Story) -> None:
    """Under another id, as another kind, or as of another block, it is refused, each by its name."""
    for one in story.pack.entries:
        if one.kind not in (*RECORDS, "transaction"):
            continue
        moved = entry_of(one.kind, digest("another"), one.height, one.data)
        for other in (moved, one._replace(height=one.height + 1), one._replace(height=one.height - 1)):
            swapped = changed(story.pack, lambda each, one=one, other=other: other if each == one else each)
            with pytest.raises(ClientError, match=other.file):
                check_pack(swapped, Trust(story.genesis))
    stray = replace(story.pack, entries=(*story.pack.entries, entry_of("story", digest("s"), 0, b"once upon a time")))
    with pytest.raises(ClientError, match="of no kind"):
        check_pack(stray, Trust(story.genesis))
    with pytest.raises(ClientError, match="of another network"):
        check_pack(replace(story.pack, genesis_id=digest("other")), Trust(story.genesis))


def test_what_is_about_another_receivable_is_refused(stage: Stage, story: Story) -> None:
    """True as it is, it does not belong here."""
    with stage.exporter() as exporter:
        other = exporter.register(unlike())
        claim = offered(exporter, other.receivable, "f-sg")
        stray = read_pack(exporter.call(packs.pack, other.receivable))
    for kind, id_ in (("claim", claim), ("receivable", other.receivable)):
        added = next(one for one in stray.entries if one.kind == kind)
        with pytest.raises(ClientError, match=f"{kind}/{id_.hex()}: added"):
            check_pack(replace(story.pack, entries=(*story.pack.entries, added)), Trust(story.genesis))


# --- by command -----------------------------------------------------------------------------------------------------


def test_a_pack_by_command(cast: Cast, story: Story, tmp_path: Path) -> None:
    desk = Desk(tmp_path, cast)
    own, text, file = tmp_path / "own.json", tmp_path / "notice.txt", tmp_path / "pack.zip"
    own.write_text(story.dossier.to_json(), encoding="utf-8")
    text.write_bytes(TEXT)
    words = ("receivable", "pack", story.dossier.receivable.hex(), "-o", file)
    files = ("--dossier", own, "--document", text, "--transaction", story.paid.hex())
    made = desk.by(F_SG, *words, *files, "--json").json
    assert "on the ledger, and not for this reader" in {row["why"] for row in made["not_included"]}
    assert desk.by(IMP_DE, *words, "-o", tmp_path / "debtors.zip").code == DONE

    genesis = ("--genesis", cast.devnet.genesis_path)
    shown = run("receivable", "pack-verify", file, *genesis, "--json").json
    assert (shown["valid"], shown["number"], shown["reader"]) == (True, made["number"], F_SG)
    assert {"kind": "claim", "id": story.claim.hex(), "state_or_outcome": "funded"}.items() <= next(
        row.items() for row in shown["proved"] if row["id"] == story.claim.hex()
    )
    said = run("receivable", "pack-verify", file, *genesis)
    assert (said.code, f"VALID up to block {shown['height']} " in said.out) == (DONE, True)

    index = json.loads(zipfile.ZipFile(file).read("index.json"))
    assert {"kind", "id", "height", "file", "sha256"} == set(index["entries"][0])
    assert written(index) == zipfile.ZipFile(file).read("index.json")
    bad = tmp_path / "bad.zip"
    bad.write_bytes(file.read_bytes() + b"\0")
    assert complaint(run("receivable", "pack-verify", bad, *genesis)).startswith("pack: not a ZIP, cut off, or")
