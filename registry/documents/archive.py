"""ZIP archives from strangers: how much they hold is bounded before anything is inflated, and again while it is."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from registry.documents.errors import BrokenDocument, UnsafeDocument

__all__ = ["MAGIC", "MEMBERS_MAX", "UNPACKED_BYTES_MAX", "member_names", "opened", "read_member"]

MAGIC = b"PK\x03\x04"
UNPACKED_BYTES_MAX = 100 * 1024 * 1024  # bytes of all members of the archive together
MEMBERS_MAX = 1_000  # files in the archive

_DAMAGE = (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, EOFError, zlib.error)


@contextmanager
def opened(data: bytes, *, file: str) -> Iterator[zipfile.ZipFile]:
    """The archive `data`. Raises `UnsafeDocument` for a bomb, `BrokenDocument` for damage met while it is open."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            unpacked = sum(member.file_size for member in members)
            if len(members) > MEMBERS_MAX or unpacked > UNPACKED_BYTES_MAX:
                reason = f"unpacks to {len(members)} files and {unpacked} bytes"
                raise UnsafeDocument(file=file, element="", reason=reason)
            yield archive
    except _DAMAGE as error:
        raise BrokenDocument(file=file, element="", reason=f"damaged archive: {error}") from error


def member_names(data: bytes, *, file: str) -> frozenset[str]:
    """The names of what the archive holds. Raises as `opened`."""
    with opened(data, file=file) as archive:
        return frozenset(archive.namelist())


def read_member(archive: zipfile.ZipFile, name: str, *, file: str, bytes_max: int) -> bytes:
    """The bytes of one member, whatever size its header claims. Raises `UnsafeDocument` beyond `bytes_max`."""
    with archive.open(name) as stream:
        data = stream.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise UnsafeDocument(file=file, element=name, reason=f"unpacks to more than {bytes_max} bytes")
    return data
