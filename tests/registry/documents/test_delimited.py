"""CSV of any length: the same rows whatever the pieces, with the numbers that people see, in bounded memory."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.documents import BrokenDocument, ColumnMap, DocumentError, NoticeCode, UnsafeDocument
from registry.documents.columns import ENCODINGS
from registry.documents.delimited import ROW_CHARS_MAX, csv_table, csv_tables
from registry.documents.source import Source
from registry.documents.tabular import ROWS_MAX, Table

SOURCE = Source(file="t.csv", digest=bytes(32), container="")


def tables(data: bytes, rows_max: int = ROWS_MAX, column_map: ColumnMap | None = None) -> list[Table]:
    return list(csv_tables(io.BytesIO(data), SOURCE, column_map or ColumnMap(), ("number",), rows_max=rows_max))


def test_row_numbers_are_those_of_the_file() -> None:
    data = b'\n\nnumber;name\nA-1;"two\nlines"\n\n;\nA-2;x\nA-3;y\n'
    assert [(table.header, table.rows) for table in tables(data, rows_max=2)] == [
        (["number", "name"], [(5, ["A-1", "two\nlines"]), (8, ["A-2", "x"])]),
        (["number", "name"], [(9, ["A-3", "y"])]),
    ]


_CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)


@given(rows=st.lists(st.lists(_CELLS, min_size=2, max_size=2), max_size=12), rows_max=st.integers(1, 5))
def test_pieces_together_are_the_table(rows: list[list[str]], rows_max: int) -> None:
    text = "number,name\n" + "".join(
        ",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows
    )
    pieces = tables(text.encode(), rows_max)
    whole = csv_table(text.encode(), SOURCE, ColumnMap(), ("number",))
    assert [row for piece in pieces for row in piece.rows] == list(whole.rows)
    assert [cells for _, cells in whole.rows] == [row for row in rows if any(cell.strip() for cell in row)]
    assert all(1 <= len(piece.rows) <= rows_max for piece in pieces[:1] if whole.rows)


def test_as_many_rows_as_are_allowed_and_blank_lines_are_none() -> None:
    data = b"number\n" + b"1\n" * ROWS_MAX + b"\n" * 1_000
    assert len(csv_table(data, SOURCE, ColumnMap(), ("number",)).rows) == ROWS_MAX
    with pytest.raises(UnsafeDocument, match="more than 100000 rows below the header"):
        csv_table(data + b"1\n", SOURCE, ColumnMap(), ("number",))


@pytest.mark.parametrize("line", [b'"' + b"x" * 1_000 + b'\n",', b"," * 1_000])
def test_a_row_without_end_is_refused(line: bytes) -> None:
    with pytest.raises(UnsafeDocument, match=f"more than {ROW_CHARS_MAX} characters"):
        tables(b"number\n" + line * 1_200)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_encoding_that_says_itself(encoding: str) -> None:
    (table,) = tables("number,name\nA-1,天津\n".encode(encoding))
    assert (table.header, table.rows, table.notices) == (["number", "name"], [(2, ["A-1", "天津"])], ())


def test_utf_16_that_is_stated_needs_no_byte_order_mark() -> None:
    """Without one it is what Windows writes: little-endian."""
    stated = ColumnMap(encoding="utf-16")
    for encoding in ("utf-16", "utf-16-le"):
        (table,) = tables("number,name\nA-1,天津\n".encode(encoding), column_map=stated)
        assert (table.header, table.rows) == (["number", "name"], [(2, ["A-1", "天津"])])
    with pytest.raises(BrokenDocument, match="not utf-16"):
        tables("number".encode("utf-16-le") + b"\n", column_map=stated)


@given(data=st.binary(max_size=40), encoding=st.none() | st.sampled_from(sorted(ENCODINGS)))
def test_bytes_that_are_not_what_is_stated_are_an_error_of_that_file(data: bytes, encoding: str | None) -> None:
    said = ""
    found: list[Table] = []
    try:
        found = tables(data, column_map=ColumnMap(encoding=encoding))
    except DocumentError as error:
        said = error.file
    assert said == SOURCE.file or len(found) == 1


def test_an_encoding_is_found_out_from_the_whole_file() -> None:
    """The first piece alone would be UTF-8."""
    data = b"number,name\nA-1,x\nA-2,M\xfcller\n"
    found = tables(data, rows_max=1)
    assert [table.rows for table in found] == [[(2, ["A-1", "x"])], [(3, ["A-2", "Müller"])]]
    assert {notice.code for table in found for notice in table.notices} == {NoticeCode.ENCODING_GUESSED}
    with pytest.raises(BrokenDocument, match="not utf-8"):
        tables(data, column_map=ColumnMap(encoding="utf-8"))


def test_a_long_file_costs_the_memory_of_a_piece(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(b"number,name\n" + b"A-1,some company with a name\n" * 200_000)
    tracemalloc.start()
    with path.open("rb") as stream:
        rows = sum(len(table.rows) for table in csv_tables(stream, SOURCE, ColumnMap(), ("number",), rows_max=1_000))
        peak = tracemalloc.get_traced_memory()[1]
        assert not stream.closed
    tracemalloc.stop()
    assert rows == 200_000
    assert peak < 8 * 1024 * 1024
