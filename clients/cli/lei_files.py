"""GLEIF's files from the disk: what its API answers, and golden copies, which are large and mostly zipped."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

from clients.errors import ClientError
from registry.lei import FILE_BYTES_MAX, RECORDS_MAX, LeiRecord, read_golden_copy, read_lei_records

__all__ = ["RECORDS_MAX", "records"]

_ZIP = b"PK\x03\x04"


def records(file: Path, wanted: Collection[str] | None) -> Iterator[LeiRecord]:
    """The records of these LEIs in a file, or all of them. Raises `ClientError`, `documents.errors.DocumentError`."""
    with file.open("rb") as opened:
        if opened.read(len(_ZIP)) != _ZIP:
            opened.seek(0)
            yield from _records(opened, file.name, wanted)
            return
        try:
            with zipfile.ZipFile(opened) as archive:
                members = [member for member in archive.infolist() if not member.is_dir()]
                if len(members) != 1:
                    raise ClientError(f"{file}: holds {len(members)} files, GLEIF's archives hold one")
                with archive.open(members[0]) as member:
                    yield from _records(member, f"{file.name}/{members[0].filename}", wanted)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            raise ClientError(f"{file}: cannot be unpacked: {error}") from error


def _records(opened: IO[bytes], name: str, wanted: Collection[str] | None) -> Iterator[LeiRecord]:
    begins = opened.read(1)
    opened.seek(0)
    if begins == b"{":
        found = read_lei_records(opened.read(FILE_BYTES_MAX + 1), file=name)
        yield from (record for record in found if wanted is None or record.lei in wanted)
    else:
        yield from read_golden_copy(opened, file=name, wanted=wanted)
