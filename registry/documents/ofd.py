"""OFD (GB/T 33190), the fixed-layout container of Chinese e-invoices: a ZIP archive with the invoice's XML attached.

OFD.xml names the document, the document its list of attachments, the list the files. Only the attachment is read: the
drawn page is for people, and nothing here checks that it shows the same.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator

from registry.documents import efapiao, efapiao_2019
from registry.documents.archive import opened, read_member
from registry.documents.errors import AmbiguousElement, BrokenDocument, UnsafeDocument, UnsupportedSyntax
from registry.documents.xml import XML_BYTES_MAX, Cursor, parse

__all__ = ["ENTRY", "extract_xml"]

ENTRY = "OFD.xml"  # the member by which an archive is known for an OFD document
PART_BYTES_MAX = 1024 * 1024  # bytes of a part that only says where others are
ATTACHMENTS_MAX = 32

_OFD = {"ofd": "http://www.ofdspec.org/2016"}
_INVOICES = efapiao.ROOTS | efapiao_2019.ROOTS


def extract_xml(data: bytes, *, file: str) -> tuple[str, bytes]:
    """Name and bytes of the one attached e-invoice. Raises `DocumentError` if there is none, or several."""
    with opened(data, file=file) as archive:
        names = archive.namelist()
        if len(set(names)) != len(names):
            raise UnsafeDocument(file=file, element="", reason="holds two files of one name: readers would differ")
        found = {}
        for name in dict.fromkeys(_attachments(archive, file)):
            xml = read_member(archive, name, file=file, bytes_max=XML_BYTES_MAX)
            if parse(xml, file=file).tag in _INVOICES:
                found[name] = xml
    if not found:
        raise UnsupportedSyntax(file=file, element=ENTRY, reason="an OFD document without an attached e-invoice XML")
    if len(found) > 1:
        raise AmbiguousElement(file=file, element=", ".join(found), reason="holds several e-invoices")
    return found.popitem()


def _attachments(archive: zipfile.ZipFile, file: str) -> Iterator[str]:
    """The XML files among the attachments that the documents of this container list."""
    for document in _targets(archive, file, ENTRY, "ofd:DocBody/ofd:DocRoot"):
        for listing in _targets(archive, file, document, "ofd:Attachments"):
            for name in _targets(archive, file, listing, "ofd:Attachment/ofd:FileLoc"):
                if name.lower().endswith(".xml"):
                    yield name


def _targets(archive: zipfile.ZipFile, file: str, part: str, path: str) -> list[str]:
    """The members that `part` points to at `path`: absolute, or relative to the folder that `part` lies in."""
    root = _part(archive, file, part)
    found = []
    for text in root.texts(path):
        name = posixpath.normpath(posixpath.join("/", posixpath.dirname(part), text)).lstrip("/")
        if name not in archive.namelist():
            raise BrokenDocument(file=file, element=f"{part}: {path}", reason=f"{text!r} is not in the archive")
        found.append(name)
    if len(found) > ATTACHMENTS_MAX:
        raise UnsafeDocument(file=file, element=f"{part}: {path}", reason=f"more than {ATTACHMENTS_MAX} entries")
    return found


def _part(archive: zipfile.ZipFile, file: str, name: str) -> Cursor:
    return parse(read_member(archive, name, file=file, bytes_max=PART_BYTES_MAX), file=file).with_prefixes(_OFD)
