"""Bad documents and bad JSON at the command line of participants: each is told, and stops nothing."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from clients.cli import app as participants
from node.devnet import Devnet
from tests.cast import EXP_CN
from tests.registry.documents.builders import ubl
from tests.registry.documents.national import aec
from tests.scenarios.bad_input.command import inside, looked_at, nemodat, one_message

NAME = "f-gb"


def lolz(levels: int) -> str:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "lol"}">' for n in range(levels))
    return f"<!DOCTYPE lolz [{entities}]>"


def pdf(*objects: bytes) -> bytes:
    """A PDF of these objects, the first one its catalogue, with a table of what is where."""
    data, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + b"".join(
        b"%010d 00000 n \n" % at for at in places
    )
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(data))
    return data + table + trailer


PAGES = b"<< /Type /Pages /Kids [] /Count 0 >>"


def attached(stream: bytes) -> bytes:
    """A PDF that carries a compressed `factur-x.xml`."""
    return pdf(
        b"<< /Type /Catalog /Pages 2 0 R /Names << /EmbeddedFiles << /Names [(factur-x.xml) 3 0 R] >> >> >>",
        PAGES,
        b"<< /Type /Filespec /F (factur-x.xml) /UF (factur-x.xml) /EF << /F 4 0 R >> >>",
        b"<< /Type /EmbeddedFile /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    )


BOMB = zlib.compress(b"<a>" * 50_000_000, 9)
BAD_DOCUMENTS: dict[str, tuple[bytes, str]] = {
    "empty.xml": (b"", "empty"),
    "cut.xml": (ubl()[:-200], ""),
    "tags.xml": (ubl().replace(b"</cbc:ID>", b"</cbc:DI>", 1), ""),
    "bytes.xml": (ubl().replace(b"TJ-1", b"TJ-\xff\xfe"), ""),
    "billion-laughs.xml": (ubl(prolog=lolz(12), number="&l11;"), "document type declarations"),
    "quadratic.xml": (
        ubl(prolog=f'<!DOCTYPE a [<!ENTITY x "{"x" * 50_000}">]>', number="&x;" * 50_000),
        "document type",
    ),
    "external.xml": (
        ubl(prolog='<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>', number="&x;"),
        "document type declarations",
    ),
    "wide.xml": (ubl(prolog=lolz(12), number="&l11;").decode().encode("utf-16"), "document type declarations"),
    "deep.xml": (b"<a>" * 100_000 + b"</a>" * 100_000, ""),
    "many.xml": (b"<a>" + b"<b/>" * 600_000 + b"</a>", "tags"),
    "no-invoice.xml": (b"<Order xmlns='urn:example'/>", "not read here"),
    "no-number.xml": (ubl(number=""), "is missing or empty"),
    "no-amount.xml": (ubl(payable="lots"), ""),
    "no-date.xml": (ubl(issue="2026-02-30"), ""),
    "markup.xml": (ubl(issue="[/bold][red]2026"), "[/bold]"),
    "colours.xml": (ubl(number="TJ&#x9b;31m"), ""),
    "nothing-to-pay.xml": (ubl(payable="0.00"), ""),
    "plain.pdf": (pdf(b"<< /Type /Catalog /Pages 2 0 R >>", PAGES), "without an embedded e-invoice"),
    "cut.pdf": (pdf(b"<< /Type /Catalog /Pages 2 0 R >>", PAGES)[:60], ""),
    "no-invoice-inside.pdf": (attached(zlib.compress(b"<a/>")), ""),
    "bomb.pdf": (attached(BOMB), ""),
    "no-deflate.pdf": (attached(b"not compressed"), ""),
    "no-workbook.xlsx": (b"PK\x03\x04" + bytes(60), ""),
    "picture.png": (b"\x89PNG\r\n\x1a\n" + bytes(60), "neither XML, PDF, OFD, XLSX nor CSV"),
    "columns.csv": (b"a;b;c\n1;2;3\n", ""),
    "[/bold].xml": (b"<a", ""),  # in a folder named "["
    "es\x1bc\x1b[31m.xml": (b"<a", ""),
}


def test_bad_documents_are_told_one_by_one_and_the_good_one_among_them_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name, (data, _) in BAD_DOCUMENTS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "good.xml").write_bytes(ubl(number="TJ[/green]7"))
    os.symlink(folder, folder / "loop")
    (folder / os.fsdecode(b"\xff\xfe.xml")).write_bytes(b"<a")
    ended = nemodat(*looked_at(folder))
    assert ended.code == 3, ended
    assert ended.err.startswith("Without a node"), ended
    assert len(ended.err.splitlines()) == 1, ended
    assert "Traceback" not in ended.out
    assert "\x1b" not in ended.out
    rows = {cells[0].removeprefix(f"{folder}/"): cells[1:] for cells in rows_of(ended.out)}
    assert len(rows) == len(BAD_DOCUMENTS) + 2, sorted(rows)
    assert rows.pop("good.xml")[:2] == ["TJ[/green]7", "would be registered"]
    for name, (_, reason) in BAD_DOCUMENTS.items():
        found = rows["".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in name)]
        assert found[1] in ("unreadable", "no receivable"), (name, found)
        assert found[2], (name, found)
        assert reason in found[2], (name, found)


def test_the_record_of_an_assignment_is_told_and_not_registered(tmp_path: Path) -> None:
    (tmp_path / "aec.xml").write_bytes(aec())
    (tmp_path / "good.xml").write_bytes(ubl())
    ended = nemodat(*looked_at(tmp_path))
    rows = {Path(cells[0]).name: cells[1:] for cells in rows_of(ended.out)}
    assert ended.code == 3, "an assignment to somebody else is for a person to see"
    assert rows["good.xml"][1] == "would be registered"
    assert rows["aec.xml"] == ["25568", "assigned", "to CESIONARIO 1", "recorded in CL:RPETC"]


def rows_of(table: str) -> list[list[str]]:
    """The rows of a table as it is shown, without its head."""
    return [
        [cell.strip() for cell in line.strip("│").split("│")] for line in table.splitlines() if line.startswith("│")
    ]


def test_files_that_cannot_be_opened_are_told(tmp_path: Path) -> None:
    ended = inside(participants, *looked_at(tmp_path / "nowhere.xml"))
    assert one_message(ended) == f"{tmp_path / 'nowhere.xml'}: no such file or folder"
    with (tmp_path / "huge.xml").open("wb") as huge:
        huge.truncate(2**40)  # no disk has so much, and no memory
    (tmp_path / "good.xml").write_bytes(ubl())
    ended = inside(participants, *looked_at(tmp_path))
    rows = {Path(cells[0]).name: cells[1:] for cells in rows_of(ended.out)}
    assert (ended.code, set(rows)) == (3, {"huge.xml", "good.xml"})
    assert rows["huge.xml"][1] == "unreadable"
    assert "at most" in rows["huge.xml"][2]


# --- what participants hand each other ------------------------------------------------------------------------------


BAD_JSON: Sequence[bytes] = (
    b"",
    b"\xff\xfe",
    b"{",
    b"[]",
    b"null",
    b"{}",
    b"[" * 100_000,
    b'{"format": 1}',
    b'{"format": "nemodat-dossier-v1", "receivable": "zz"}',
    b'{"format": "nemodat-search-certificate-v1", "number": "[/red]"}',
    b"1" * 10_000,
)


@pytest.mark.parametrize("data", BAD_JSON, ids=lambda data: repr(data[:30]))
def test_bad_dossiers_and_certificates_are_told(devnet: Devnet, tmp_path: Path, data: bytes) -> None:
    bad, key = tmp_path / "bad.json", devnet.config_path(NAME).parent / "keys" / "consensus.json"
    bad.write_bytes(data)
    genesis = ["--genesis", devnet.genesis_path]
    access = [*genesis, "--url", "http://127.0.0.1:1", "--party", EXP_CN, "--key", key]
    for command in (
        ["receivable", "confirm", bad, *access],
        ["search", bad, *access],
        ["certificate", "verify", bad, *genesis],
    ):
        one_message(inside(participants, *command))
