"""An existing portfolio onto the ledger: read, backfilled whatever interrupts it, taken up by its financier."""

from __future__ import annotations

import csv
import io
import json
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clients import reads
from clients.backfill import BATCH_ROWS, Outcome, Row, batches, open_offers, prepare_batch
from clients.dossier import Dossier
from clients.errors import ClientError
from clients.exchange import Call, Procedure, Reply
from clients.parties import propose_change
from clients.pipeline import RunStopped
from clients.portfolios import Unusable, read_portfolio, rows_in
from clients.runs import Run, RunInUse, RunMismatch, backfill
from clients.session import Session
from clients.submission import Submission
from clients.verify import Final, Trust
from registry.documents import DOCUMENT_BYTES_MAX, BrokenDocument, ColumnMap, DateOrder, DecimalMark, MissingElement
from registry.genesis import Genesis
from registry.money import WHOLE
from registry.receipts import Receipt
from registry.transactions.claims import Offer
from registry.transactions.envelope import open_transaction, subject_id
from registry.transactions.governance import Suspend
from tests.cast import AUTHORITIES, EXP_CN, EXP_VN, IMP_AE, IMP_DE, TERMS, Cast, key_of
from tests.clients.liar import lying
from tests.clients.stage import Stage, admit, newcomer, unlike, until_ms, with_particulars
from tests.clients.test_cli import DONE, LOOK, Desk, complaint
from tests.registry.world import START_MS, genesis

HEADER = (
    "number",
    "issue_date",
    "currency",
    "payable",
    "buyer_name",
    "buyer_country",
    "buyer_lei",
    "seller_lei",
    "share",
    "concluded",
)
F_SG = AUTHORITIES["f-sg"][0]
SELLER = {"seller_name": "Exporter", "seller_country": "CN"}


def book(*rows: dict[str, str]) -> bytes:
    """A table of invoices on IMP_DE as an ERP writes it."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER)
    writer.writeheader()
    usual = {"issue_date": "04.05.2026", "currency": "EUR", "payable": "1000,00", "buyer_name": "Importer"}
    for row in rows:
        writer.writerow({**usual, "buyer_country": "DE", "buyer_lei": IMP_DE.removeprefix("lei:"), **row})
    return text.getvalue().encode()


COLUMNS = """date_order = "dmy"
decimal_mark = ","
[constants]
seller_name = "Exporter"
seller_country = "CN"
"""
MAP = ColumnMap(constants=SELLER, date_order=DateOrder.DAY_MONTH_YEAR, decimal_mark=DecimalMark.COMMA)


def read(data: bytes, **changes: object) -> list[Row | Unusable]:
    settings: dict[str, object] = {"seller": EXP_CN, "debtor": None, "share": WHOLE, "now_ms": START_MS} | changes
    return list(read_portfolio("book.csv", io.BytesIO(data), MAP, **settings))  # type: ignore[arg-type]


def test_a_row_says_what_was_assigned_and_when() -> None:
    first, second = read(book({"number": "A-1", "share": "80%", "concluded": "15.01.2026"}, {"number": "A-2"}))
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.place, first.share, first.concluded_ms) == ("book.csv: row 2", 8 * WHOLE // 10, 1_768_435_200_000)
    assert (first.listing.particulars.debtor, first.listing.particulars.amount_minor) == (IMP_DE, 100_000)
    assert (second.share, second.concluded_ms) == (WHOLE, 0)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"number": ""}, "is empty"),
        ({"payable": "-5,00"}, "nothing is owed"),
        ({"share": "120%"}, "no share"),
        ({"concluded": "2026/15/01"}, "concluded"),
        ({"concluded": "31.12.2199"}, "concluded: '31.12.2199' had not come when this was begun"),
        ({"buyer_lei": ""}, "who it is"),
        ({"seller_lei": EXP_VN.removeprefix("lei:")}, f"seller: {EXP_VN}, Exporter, and not {EXP_CN}"),
    ],
)
def test_one_bad_row_stops_nothing_and_says_why(row: dict[str, str], reason: str) -> None:
    found = read(book({"number": "A-1"} | row, {"number": "A-2"}))
    assert isinstance(found[0], Unusable)
    assert reason in found[0].reason
    assert isinstance(found[1], Row)


def test_what_is_concluded_today_is_and_what_will_be_tomorrow_is_not() -> None:
    """The ledger would register that and refuse to offer it, so it is refused before; by the day in UTC, as there."""
    midnight_ms = 1_768_435_200_000
    data = book({"number": "A-1", "concluded": "15.01.2026"})
    (before,), (after,) = read(data, now_ms=midnight_ms - 1), read(data, now_ms=midnight_ms)
    assert isinstance(before, Unusable)
    assert isinstance(after, Row)


def test_the_debtor_given_is_for_rows_that_name_none() -> None:
    found = read(book({"number": "A-1"}, {"number": "A-2", "buyer_lei": ""}), debtor=IMP_AE)
    assert [row.listing.particulars.debtor for row in found if isinstance(row, Row)] == [IMP_DE, IMP_AE]


def test_rows_are_counted_before_anything_is_done_with_them() -> None:
    """Those of a file that breaks in its middle too: it is refused as a whole."""
    data = book(*({"number": f"A-{n}"} for n in range(3)), {"number": ""})
    assert rows_in("book.csv", io.BytesIO(data), MAP) == 4
    with pytest.raises(BrokenDocument, match="row 6"):
        rows_in("book.csv", io.BytesIO(data + b'"A-5'), MAP)
    with pytest.raises(MissingElement, match="payable"):
        rows_in("book.csv", io.BytesIO(data.replace(b"payable", b"sum")), MAP)


def test_a_portfolio_longer_than_any_document_is_one_file(tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    path.write_bytes(book(*({"number": f"A-{n}", "buyer_name": "x" * 200} for n in range(102_000))))
    assert path.stat().st_size > DOCUMENT_BYTES_MAX
    with path.open("rb") as stream:
        assert rows_in("book.csv", stream, MAP) == 102_000
        rows = read_portfolio("book.csv", stream, MAP, seller=EXP_CN, debtor=None, share=WHOLE, now_ms=START_MS)
        first = next(rows)
        assert isinstance(first, Row)
        assert first.place == "book.csv: row 2", "again from the beginning"


def test_batches_are_the_same_every_time() -> None:
    rows = [row for row in read(book(*({"number": f"A-{n}"} for n in range(BATCH_ROWS + 5)))) if isinstance(row, Row)]
    first, again = list(batches(rows)), list(batches(iter(rows)))
    assert first == again
    assert [len(batch) for batch in first] == [BATCH_ROWS, 5]


def session(found: Genesis) -> Session:
    return Session(genesis=found, party=EXP_CN, signer=key_of(EXP_CN))


def test_a_full_batch_fits_one_transaction_and_keeps_its_dossiers(tmp_path: Path) -> None:
    rows = [row for row in read(book(*({"number": f"A-{n}"} for n in range(BATCH_ROWS)))) if isinstance(row, Row)]
    batch = prepare_batch(session(genesis()), rows, to=F_SG, terms=TERMS, now_ms=START_MS)
    operations = open_transaction(batch.submission.wire, genesis().id).operations
    assert len(operations) == 2 * BATCH_ROWS
    assert all(isinstance(offer, Offer) and offer.receivable == 2 * at for at, offer in enumerate(operations[1::2]))
    with Run(tmp_path / "run", book="a") as run:
        run.begin(0, batch)
        assert run.sent(0) == batch.submission.wire
        (kept,) = (tmp_path / "run").glob("0000000-*.dossiers")
        assert tuple(map(Dossier.from_json, kept.read_text().splitlines())) == batch.dossiers
        assert (run.done, list(run.outcomes())) == (0, [])
    with pytest.raises(RunMismatch, match="another book"):
        Run(tmp_path / "run", book="b")
    with Run(tmp_path / "run", book="a") as again:
        assert again.sent(0) == batch.submission.wire


def test_a_run_that_goes_on_judges_its_rows_by_the_day_it_was_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a row that was refused as of tomorrow comes in a day later, and each batch after it holds other rows."""
    with Run(tmp_path, book="a") as run:
        begun_ms = run.begun_ms
    assert abs(begun_ms - time.time_ns() // 1_000_000) < 60_000
    monkeypatch.setattr("clients.runs.time.time_ns", lambda: (begun_ms + 86_400_000) * 1_000_000)
    with Run(tmp_path, book="a") as again:
        assert again.begun_ms == begun_ms
    with pytest.raises(RunMismatch):
        Run(tmp_path, book="b")


def test_a_folder_is_for_one_run_at_a_time(tmp_path: Path) -> None:
    """The second would overwrite what the first has sent, and count its rows again."""
    with Run(tmp_path, book="a") as run:
        with pytest.raises(RunInUse, match="another backfill"):
            Run(tmp_path, book="a")
        run.finish([outcome(0)])
    with Run(tmp_path, book="a") as again:
        assert again.done == 1


def outcome(number: int) -> Outcome:
    return Outcome(
        place=f"row {number}", code="ok" if number % 3 else "duplicate", receivable=b"", claim=b"", related=()
    )


def test_a_run_goes_on_where_it_was_killed(tmp_path: Path) -> None:
    with Run(tmp_path, book="a") as run:
        run.finish([outcome(number) for number in range(4)])
    with (tmp_path / "outcomes").open("a") as torn:
        torn.write('{"place": "row 4", "co')  # killed while it wrote, before the batch counted as done
    with Run(tmp_path, book="a") as again:
        assert (again.done, again.counted) == (1, {"ok": 2, "duplicate": 2})
        again.finish([outcome(4)])
    with Run(tmp_path, book="a") as ended:
        assert list(ended.outcomes()) == list(map(outcome, range(5)))


def test_a_run_of_20_000_rows_keeps_none_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal's path of it: each batch is appended and forgotten. Without waiting for the disk, which is slow."""
    monkeypatch.setattr("clients.runs.os.fsync", lambda descriptor: None)
    batch = [outcome(number) for number in range(BATCH_ROWS)]
    tracemalloc.start()
    with Run(tmp_path, book="a") as run:
        for _ in range(20_000 // BATCH_ROWS):
            run.finish(batch)
        refused = sum(each.code != "ok" for each in run.outcomes())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (run.counted.total(), refused) == (20_000, 6_800)
    assert peak < 2_000_000
    with Run(tmp_path, book="a") as again:
        assert again.done == 200
    assert {path.name for path in tmp_path.iterdir()} == {"book", "lock", "outcomes", "position"}


def test_a_run_that_goes_on_waits_where_the_nodes_have_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had in flight is sent again, and the nodes are as full as they were when it was killed."""
    monkeypatch.setattr("clients.backfill.BATCH_ROWS", 1)
    me = session(genesis())
    rows = [row for row in read(book({"number": "A-1"}, {"number": "A-2"})) if isinstance(row, Row)]
    sent = [prepare_batch(me, [row], to=F_SG, terms=TERMS, now_ms=START_MS) for row in rows]
    first, second = [batch.submission for batch in sent]
    final: set[bytes] = set()

    def answer(call: Call) -> object:
        if call.method == "POST":
            is_full = second.wire in call.body and first.transaction_id not in final
            id_ = (second if second.wire in call.body else first).transaction_id.hex()
            return {"results": [{"code": "sender_full"} if is_full else {"transaction_id": id_}]}
        final.add(bytes.fromhex(call.path.rpartition("/")[2].partition("?")[0]))
        return {"status": "final"}

    def believed(_: object, id_: bytes, count: int, __: object) -> Final:
        receipts = tuple(Receipt(id_, number, "ok", subject_id(id_, number)) for number in range(count))
        return Final(transaction_id=id_, height=1, timestamp_ms=1, block_hash=b"", receipts=receipts)

    monkeypatch.setattr(Trust, "receipts", believed)
    with Run(tmp_path, book="a") as run:
        for number, batch in enumerate(sent):
            run.begin(number, batch)
        answered(backfill(me, run, rows, to=F_SG, terms=TERMS), answer)
        assert [outcome.code for outcome in run.outcomes()] == ["ok", "ok"]
    assert final == {first.transaction_id, second.transaction_id}, "and nothing was signed anew"


def answered(procedure: Procedure[None], answer: Callable[[Call], object]) -> None:
    """The procedure to its end, by a node that is made up."""
    call = next(procedure)
    try:
        while True:
            call = procedure.send(Reply(200, json.dumps(answer(call)).encode(), "http://node"))
    except StopIteration:
        return


# --- against real nodes ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("portfolios"), cast)


@pytest.mark.processes
def test_a_portfolio_is_backfilled_whatever_interrupts_it_and_taken_up(desk: Desk, tmp_path: Path) -> None:
    newly = newcomer("financier", country="SG")
    admit(Stage(desk.cast), [newly])
    amounts = [unlike().particulars.amount_minor for _ in range(5)]
    rows = [
        {"number": f"PF-{amount}", "payable": f"{amount // 100},{amount % 100:02d}", "concluded": "15.01.2026"}
        for amount in amounts
    ]
    twice = {**rows[0], "number": rows[0]["number"].replace("-", " ")}
    table, columns, terms = tmp_path / "book.csv", tmp_path / "columns.toml", tmp_path / "terms.txt"
    ahead = {"number": f"PF-{unlike().particulars.amount_minor}", "concluded": "31.12.2199"}
    table.write_bytes(book(*rows, twice, {"number": "", "payable": "1,00"}, ahead))
    columns.write_text(COLUMNS)
    terms.write_text("master agreement")
    run = tmp_path / "run"
    words = ("portfolio", "backfill", table, "--to", newly.id, "--terms", terms, "--run", run, "--columns", columns)
    broken = tmp_path / "broken.csv"
    broken.write_bytes(book(*rows) + b'"PF-')
    assert "broken.csv: row 7" in complaint(desk.by(EXP_CN, "portfolio", "backfill", broken, *words[2:]))
    assert not run.exists(), "nothing was begun"
    with lying(desk.cast.devnet.url("f-cn")) as relay:

        def silent(path: str, answer: Any) -> Any:
            relay.status = None if path.startswith(("/v1/aliases/", "/v1/parties/")) else 503
            return answer

        relay.lie = silent
        cut_off = desk.by(EXP_CN, *words, urls=[relay.url])
    assert cut_off.code == 1, "no node takes it"
    wire = (run / "0000000.sent").read_text()
    ended = desk.by(EXP_CN, *words)
    assert ended.code == LOOK
    assert "5 registered and offered, 1 refused, 2 not usable" in ended.out
    with Stage(desk.cast).exporter() as exporter:
        sent = Submission.of(bytes.fromhex(wire), exporter.genesis.id)
        assert exporter.transaction(sent.transaction_id, sent.operations), "what was signed before is what was sent"
    again = desk.by(EXP_CN, *words, "--json")
    assert "5 registered and offered, 1 refused, 2 not usable" in again.err, "nothing is registered twice"
    (late,) = [row for row in json.loads(again.out) if row["row"].endswith("book.csv: row 9")]
    assert late["not_registered_because"].endswith("concluded: '31.12.2199' had not come when this was begun")
    assert "another book" in complaint(desk.by(EXP_VN, *words)), "another seller's"
    table.write_bytes(book(*rows[:1]))
    assert "another book" in complaint(desk.by(EXP_CN, *words))
    taken = desk.by(newly.id, "portfolio", "take-up", "--from", EXP_CN)
    assert (taken.code, taken.out.strip()) == (DONE, "5 funded, 0 left")
    done = [json.loads(line) for line in (run / "outcomes").read_text().splitlines()]
    shown = desk.by(newly.id, "claim", "show", done[0]["claim"]).json
    assert (shown["state"], shown["concluded_ms"]) == ("funded", 1_768_435_200_000)
    assert done[5]["code"] == "duplicate"
    assert done[5]["related"] == [done[0]["receivable"]]


@pytest.mark.processes
def test_nothing_is_registered_for_a_financier_to_whom_nothing_can_be_offered(cast: Cast, tmp_path: Path) -> None:
    """Each row would be registered, none offered, and a second run refused all of them as duplicates."""
    stage, rows = Stage(cast), the_rows("TO", 2)
    alias = newcomer().id
    later, suspended = newcomer("financier", country="SG"), newcomer("financier", country="SG")
    admit(stage, [suspended])
    with stage.financier("f-cn") as proposer:
        proposal = proposer.call(propose_change, Suspend(suspended.id, bytes(range(32))))
    for name in ("f-sg", "f-de"):
        with stage.financier(name, "f-cn") as approver:
            approver.approve([proposal])
    with stage.exporter() as exporter:
        for to, reason in (
            (later.id, "no such party"),
            (IMP_DE, "no financier"),
            (suspended.id, "suspended"),
            (f"{F_SG}x", "no such party"),
        ):
            with Run(tmp_path / "run", book="a") as run:
                with pytest.raises(RunStopped, match=reason):
                    exporter.call(backfill, run, rows, to=to, terms=TERMS)
                assert (run.done, run.sent(0)) == (0, None), "nothing was signed"
        admit(stage, [replace(later, identifiers=(later.id, alias))])
        with Run(tmp_path / "run", book="a") as run:
            exporter.call(backfill, run, rows, to=alias, terms=TERMS)
            (done, also) = run.outcomes()
        assert (done.code, also.code) == ("ok", "ok")
        offered = exporter.claim(done.claim)
    assert offered is not None
    assert offered.holder == later.id


def the_rows(name: str, count: int) -> list[Row]:
    """As many rows unlike any other."""
    table = book(*({"number": f"{name}-{unlike().particulars.amount_minor}"} for _ in range(count)))
    return [row for row in read(table) if isinstance(row, Row)]


@pytest.mark.processes
def test_what_cannot_be_funded_is_left_for_a_person_and_the_rest_is_funded(desk: Desk, tmp_path: Path) -> None:
    newly = newcomer("financier", country="SG")
    admit(Stage(desk.cast), [newly])
    stage = Stage(desk.cast)
    with stage.exporter() as exporter:
        plain = [exporter.register(unlike()).receivable for _ in range(3)]
        near = unlike()
        known = exporter.register(near).receivable
        particulars = replace(near.particulars, number=near.particulars.number + "-X9")
        doubtful = exporter.register(replace(near, particulars=particulars)).receivable
        for receivable in (plain[0], doubtful, *plain[1:]):
            exporter.offer(receivable, to=newly.id, share=WHOLE, terms=TERMS, valid_until_ms=until_ms())
    taken = desk.by(newly.id, "portfolio", "take-up", "--from", EXP_CN)
    assert taken.code == LOOK
    assert "3 funded, 1 left" in taken.out
    assert "unacknowledged_match" in taken.out
    taken = desk.by(newly.id, "portfolio", "take-up", "--from", EXP_CN, "--acknowledged", known.hex())
    assert taken.out.strip() == "1 funded, 0 left"


@pytest.mark.processes
def test_offers_are_taken_up_by_any_id_of_their_seller_and_why_there_is_none_is_said(
    desk: Desk,
) -> None:
    newly, seller, alias = newcomer("financier", country="SG"), newcomer("exporter"), newcomer().id
    stage = Stage(desk.cast)
    admit(stage, [newly, replace(seller, identifiers=(seller.id, alias))])
    words = ("portfolio", "take-up", "--from")
    assert complaint(desk.by(newly.id, *words, alias + "x")) == f"{alias}x: no such party is on the ledger"
    none = desk.by(newly.id, *words, alias)
    assert complaint(none) == f"{alias}: has no open offer to {newly.id}: it never made one"
    with stage.exporter(seller.id) as exporter:
        receivable = exporter.register(with_particulars(unlike(), seller=seller.id)).receivable
        exporter.offer(receivable, to=newly.id, share=WHOLE // 2, terms=TERMS, valid_until_ms=until_ms())
        with stage.exporter(newly.id) as late, pytest.raises(ClientError, match="its 1 offers have run out"):
            late.call(open_offers, alias, now_ms=until_ms() + 1)
        taken = desk.by(newly.id, *words, alias)
        assert (taken.code, taken.out.strip()) == (DONE, "1 funded, 0 left")
        again = desk.by(newly.id, *words, alias)
        assert (again.code, again.out.strip()) == (DONE, "0 funded, 0 left: nothing is offered that is not taken up")
        (claim,) = exporter.call(reads.own_claims)
    assert (claim.holder, claim.state) == (newly.id, "funded")


@pytest.mark.processes
def test_what_was_signed_too_long_ago_is_signed_anew(
    cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    amount = unlike().particulars.amount_minor
    rows = [row for row in read(book({"number": f"OLD-{amount}"})) if isinstance(row, Row)]
    with Stage(cast).exporter() as exporter, Run(tmp_path / "run", book="a") as run:
        now_ms = time.time_ns() // 1_000_000
        with monkeypatch.context() as past:
            past.setattr("clients.session.time.time_ns", lambda: (now_ms - 3_600_000) * 1_000_000)
            stale = exporter.make(prepare_batch, rows, to=F_SG, terms=TERMS, now_ms=now_ms)
        run.begin(0, stale)
        exporter.call(backfill, run, rows, to=F_SG, terms=TERMS)
        assert [outcome.code for outcome in run.outcomes()] == ["ok"]
        assert exporter.transaction(stale.submission.transaction_id, 2) is None
        assert dossiers_in(tmp_path / "run") >= set(stale.dossiers), "nothing is overwritten, whatever it is worth now"


def dossiers_in(run: Path) -> set[Dossier]:
    return {Dossier.from_json(line) for file in run.glob("*.dossiers") for line in file.read_text().splitlines()}


@pytest.mark.processes
def test_an_expiry_that_is_a_nodes_word_alone_has_nothing_signed_anew(cast: Cast, tmp_path: Path) -> None:
    """A backfill is killed when its batch is final, and goes on with a node that is behind, or lies."""
    amount = unlike().particulars.amount_minor
    rows = [row for row in read(book({"number": f"WORD-{amount}"})) if isinstance(row, Row)]
    folder = tmp_path / "run"

    def expired(path: str, answer: Any) -> Any:
        if path == "/v1/transactions":
            return {"results": [{"code": "expired", "field": "valid_until_ms", "detail": "says the node"}]}
        if path.startswith("/v1/transactions/"):
            return {**answer, "status": "unknown", "known_since_ms": 0}
        return answer

    with Stage(cast).exporter() as exporter:
        batch = exporter.make(prepare_batch, rows, to=F_SG, terms=TERMS, now_ms=time.time_ns() // 1_000_000)
        with Run(folder, book="a") as killed:
            killed.begin(0, batch)
        registered = exporter.resume(batch.submission).receipts[0].subject
        with (
            lying(cast.devnet.url("f-cn")) as relay,
            Stage(cast).exporter(urls=[relay.url]) as cut_off,
            Run(folder, book="a") as stopped,
        ):
            relay.lie = expired
            with pytest.raises(RunStopped, match="expired"):
                cut_off.call(backfill, stopped, rows, to=F_SG, terms=TERMS)
        with Run(folder, book="a") as run:
            assert run.sent(0) == batch.submission.wire
            exporter.call(backfill, run, rows, to=F_SG, terms=TERMS)
            assert [(outcome.code, outcome.receivable) for outcome in run.outcomes()] == [("ok", registered)]
    assert dossiers_in(folder) == set(batch.dossiers), "the only one of what is on the ledger"
