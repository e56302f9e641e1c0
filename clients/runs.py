"""The folder of a backfill: what was signed, what became of it, and the dossiers, each on the disk before what follows.

    0000012.dossiers   one dossier a line (JSON): nobody can make them again
    0000012.sent       the signed transaction, in hex: to be sent again until it is known what became of it
    0000012.done       one outcome a line (JSON)

A batch is looked up by its number, which counts the rows of the same book in the same order: `RunMismatch` if not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from clients.backfill import Batch, Outcome
from clients.errors import ClientError

__all__ = ["Run", "RunMismatch"]


class RunMismatch(ClientError):
    """The folder belongs to the backfill of another book, or of this one before it was changed."""


class Run:
    """One backfill's folder, readable by its owner only."""

    def __init__(self, folder: Path, *, book: str) -> None:
        """`book` is a digest that names the book and all settings. Raises `RunMismatch`, `OSError`."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        mark = folder / "book"
        if not mark.exists():
            self._write(mark, book)
        elif mark.read_text() != book:
            raise RunMismatch(f"{folder}: was begun for another book, or with other settings: use another folder")

    def outcomes(self, number: int) -> tuple[Outcome, ...] | None:
        """What became of a batch; None while that is not known."""
        path = self._path(number, "done")
        if not path.exists():
            return None
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        return tuple(
            [
                Outcome(
                    place=row["place"],
                    code=row["code"],
                    receivable=bytes.fromhex(row["receivable"]),
                    claim=bytes.fromhex(row["claim"]),
                    related=tuple(map(bytes.fromhex, row["related"])),
                )
                for row in rows
            ]
        )

    def sent(self, number: int) -> bytes | None:
        """The signed transaction of a batch that may have been sent."""
        path = self._path(number, "sent")
        return bytes.fromhex(path.read_text()) if path.exists() else None

    def begin(self, number: int, batch: Batch) -> None:
        """Keep dossiers, then the signed transaction: both are on the disk when this returns."""
        lines = [json.dumps(json.loads(dossier.to_json()), ensure_ascii=False) for dossier in batch.dossiers]
        self._write(self._path(number, "dossiers"), "\n".join(lines) + "\n")
        self._write(self._path(number, "sent"), batch.submission.wire.hex())

    def finish(self, number: int, outcomes: Sequence[Outcome]) -> None:
        """Keep what became of a batch."""
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
        self._write(self._path(number, "done"), "".join(json.dumps(row) + "\n" for row in rows))

    def _path(self, number: int, what: str) -> Path:
        return self._folder / f"{number:07d}.{what}"

    def _write(self, path: Path, text: str) -> None:
        """All or nothing, also in a power cut."""
        part = path.with_name(path.name + ".part")
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        directory = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
