"""A backfill that survives being killed at any moment, by its folder: each thing is on the disk before what follows.

    book                 a digest that names the book and all settings; and when the run was begun (ms UTC)
    0000012-ID.dossiers  one dossier a line (JSON), of the transaction ID: nobody can make them again, so they stay
    0000012.sent         the signed transaction, in hex, until it is known what became of it
    outcomes             one outcome a line (JSON), in the order of the book; only ever appended to
    position             how many batches are final, how long `outcomes` is with them, and how many rows had which code

A batch is looked up by its number, which counts the rows of the same book in the same order: `RunMismatch` if not.
To go on costs reading the book up to the position, whatever it holds; nothing is kept in memory but what is in flight.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from clients import reads
from clients.backfill import Batch, Outcome, Row, batches, outcomes_of, prepare_batch
from clients.errors import ClientError, Rejected
from clients.exchange import Procedure
from clients.exporter import canonical_listings
from clients.files import private_folder, sync_folder
from clients.pipeline import send_all
from clients.session import Session, offer
from clients.submission import Submission
from clients.verify import Final

__all__ = ["Run", "RunInUse", "RunMismatch", "backfill"]

NAMES_KEPT_S = 60.0  # a party may be admitted, or get another alias, while a long run goes on


class RunMismatch(ClientError):
    """The folder belongs to the backfill of another book, or of this one before it was changed."""


class RunInUse(ClientError):
    """Another process has the folder's run going."""


class Run:
    """One backfill's folder, readable by its owner only. A context manager: it holds the folder until it is closed.

    The kernel lets go of it when the process ends, however that is.
    """

    def __init__(self, folder: Path, *, book: str) -> None:
        """`book` is a digest that names the book and all settings. Raises `RunInUse`, `RunMismatch`, `OSError`."""
        private_folder(folder)
        self._folder = folder
        self._outcomes = folder / "outcomes"
        self._lock = _locked(folder / "lock")
        try:
            self._begin(book)
            self._go_on()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the folder. Calling it twice does nothing."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def done(self) -> int:
        """How many batches are final: the number of the first that is not."""
        return self._done

    @property
    def begun_ms(self) -> int:
        """When the run was begun, ms UTC: what of the book may be put on the ledger is judged by that, however often
        it goes on, or a row that was refused as of tomorrow came in later, and moved all that follow."""
        return self._begun_ms

    @property
    def counted(self) -> Counter[str]:
        """How many rows of those batches ended with which code."""
        return self._counted

    def outcomes(self) -> Iterator[Outcome]:
        """What became of the rows of the batches that are final, in the order of the book."""
        if not self._done:
            return
        with self._outcomes.open(encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                yield Outcome(
                    place=row["place"],
                    code=row["code"],
                    receivable=bytes.fromhex(row["receivable"]),
                    claim=bytes.fromhex(row["claim"]),
                    related=tuple(map(bytes.fromhex, row["related"])),
                )

    def sent(self, number: int) -> bytes | None:
        """The signed transaction of a batch that may have been sent."""
        path = self._path(number, "sent")
        return bytes.fromhex(path.read_text()) if path.exists() else None

    def begin(self, number: int, batch: Batch) -> None:
        """Keep dossiers, then the signed transaction: both are on the disk when this returns."""
        lines = [json.dumps(json.loads(dossier.to_json()), ensure_ascii=False) for dossier in batch.dossiers]
        made = self._path(number, "dossiers", f"-{batch.submission.transaction_id.hex()}")
        self._write(made, "\n".join(lines) + "\n")
        self._write(self._path(number, "sent"), batch.submission.wire.hex())

    def finish(self, outcomes: Sequence[Outcome]) -> None:
        """Keep what became of the next batch that is not done: appended, then counted as done."""
        rows = [
            {
                "place": each.place,
                "code": each.code,
                "receivable": each.receivable.hex(),
                "claim": each.claim.hex(),
                "related": [other.hex() for other in each.related],
            }
            for each in outcomes
        ]
        with open(os.open(self._outcomes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
            file.write("".join(json.dumps(row) + "\n" for row in rows).encode())
            file.flush()
            os.fsync(file.fileno())
            size = file.tell()
        self._counted.update(each.code for each in outcomes)
        position = {"batches": self._done + 1, "bytes": size, "counted": self._counted}
        self._write(self._folder / "position", json.dumps(position))
        self._path(self._done, "sent").unlink(missing_ok=True)
        self._done += 1

    def _begin(self, book: str) -> None:
        """Mark a new folder with its book. Raises `RunMismatch` if it has another one's mark."""
        mark = self._folder / "book"
        if not mark.exists():
            self._write(mark, f"{book} {time.time_ns() // 1_000_000}")
        of, begun_ms = mark.read_text().split(" ")
        self._begun_ms = int(begun_ms)
        if of != book:
            raise RunMismatch(f"{self._folder}: was begun for another book, or with other settings: use another folder")

    def _go_on(self) -> None:
        """Where the run stands; what was appended for a batch that was not counted any more is taken off."""
        position = self._folder / "position"
        begun = '{"batches": 0, "bytes": 0, "counted": {}}'
        found = json.loads(position.read_text() if position.exists() else begun)
        self._done: int = found["batches"]
        self._counted: Counter[str] = Counter(found["counted"])
        if self._outcomes.exists():
            os.truncate(self._outcomes, found["bytes"])

    def _path(self, number: int, what: str, of: str = "") -> Path:
        return self._folder / f"{number:07d}{of}.{what}"

    def _write(self, path: Path, text: str) -> None:
        """All or nothing, also in a power cut."""
        part = path.with_name(path.name + ".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        sync_folder(self._folder)


def _locked(path: Path) -> int:
    """The descriptor of a file that nobody else has until it is closed. Raises `RunInUse`, `OSError`."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if not isinstance(error, BlockingIOError):
            raise
        raise RunInUse(f"{path.parent}: another backfill is under way there: wait until it has ended") from error
    return descriptor


def backfill(
    session: Session,
    run: Run,
    rows: Iterable[Row],
    *,
    to: str,
    terms: bytes,
    progress: Callable[[int], None] | None = None,
) -> Procedure[None]:
    """As the seller: register and offer `rows` to financier `to`, going on where the run is; `terms` is a digest.

    Nothing is signed while no offer to that party (by whatever id it is named) could be made: rows that are registered
    and not offered would have to be offered one by one, for a second run finds duplicates.

    What was sent before is sent again, and made anew only if it can never take effect (`reads.lapsed`): that a node
    calls it expired is not enough. `progress` hears how many rows are final, those of earlier times included. Raises
    `RunStopped`, then call it again with the same rows.
    """

    names: dict[str, str] = {}
    names_until, financier = 0.0, ""

    def signed(item: tuple[int, list[Row]]) -> Procedure[Submission]:
        nonlocal names_until, financier
        number, batch = item
        before = run.sent(number)
        if before is not None:
            submission = Submission.of(before, session.genesis.id)
            if not (yield from _never_took_effect(session, submission)):
                return submission
        if time.monotonic() > names_until:
            financier = yield from _financier(session, to)
            names.clear()
            names_until = time.monotonic() + NAMES_KEPT_S
        listings = yield from canonical_listings(session, [row.listing for row in batch], known=names)
        known = [replace(row, listing=listing) for row, listing in zip(batch, listings, strict=True)]
        made = prepare_batch(session, known, to=financier, terms=terms, now_ms=time.time_ns() // 1_000_000)
        run.begin(number, made)
        return made.submission

    def settled(item: tuple[int, list[Row]], final: Final) -> None:
        number, batch = item
        if number != run.done:  # behind the one that stopped the run: heard of again when it goes on
            return
        run.finish(outcomes_of([row.place for row in batch], final))
        if progress is not None:
            progress(run.counted.total())

    left = ((number, batch) for number, batch in enumerate(batches(rows)) if number >= run.done)
    yield from send_all(session, left, signed=signed, settled=settled)


def _never_took_effect(session: Session, submission: Submission) -> Procedure[bool]:
    """Whether all nodes call it expired, and it has lapsed. Whatever else they say of it, it is to be sent again."""
    try:
        yield from offer(submission)
    except Rejected as error:
        return error.code == "expired" and (yield from reads.lapsed(session, submission))
    return False


def _financier(session: Session, named: str) -> Procedure[str]:
    """The id of the party that has this identifier, proved to be one that can be offered to. Raises `ClientError`."""
    found = yield from reads.party_named(session, named)
    party = None if found is None else (yield from reads.party(session, found))
    if party is None:
        raise ClientError(f"{named}: no such party is on the ledger")
    if "financier" not in party.roles:
        raise ClientError(f"{named}: {party.id} is no financier")
    if party.suspended:
        raise ClientError(f"{named}: {party.id} is suspended")
    return party.id
