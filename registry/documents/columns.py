"""The column map: which column of an ERP's table holds which field, and how that ERP writes dates and amounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from registry.documents.dates import DateOrder
from registry.errors import FieldError

__all__ = ["FIELDS", "MANDATORY", "PARTY_SCHEMES", "ColumnMap", "DecimalMark", "column_map_of"]

PARTY_SCHEMES = ("lei", "uscc", "vat", "tax", "gln", "duns")
# columns that hold one transport document each, with its type code (UN/EDIFACT 1001)
TRANSPORT_COLUMNS: Mapping[str, str] = MappingProxyType(
    {"bill_of_lading": "705", "air_waybill": "740", "customs_declaration": "830"}
)
MANDATORY = ("number", "issue_date", "currency", "payable")
FIELDS = frozenset(
    (
        *MANDATORY,
        *("due_date", "tax_point_date", "type_code", "gross", "prepaid", "government_id"),
        *("order_references", "preceding_invoice", "preceding_issue_date"),
        *TRANSPORT_COLUMNS,
        *(
            f"{role}_{column}"
            for role in ("seller", "buyer", "payee")
            for column in ("name", "country", *PARTY_SCHEMES)
        ),
    )
)
ENCODINGS = frozenset({"utf-8", "utf-16", "latin-1", "cp1252", "gb18030"})
DELIMITERS = frozenset({",", ";", "\t", "|"})


class DecimalMark(StrEnum):
    """What separates units from decimals in the table's amounts."""

    POINT = "."
    COMMA = ","


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnMap:
    """How to read one kind of table. The default expects our field names as headers, ISO dates and a decimal point.

    `columns`: field -> header, for the fields whose header is not the field's own name. `constants`: field -> value,
    for what the table leaves out because it is always the same (mostly the seller). `encoding` and `delimiter`: None
    means found out from the file; `sheet`: the first one of a workbook. Raises `FieldError`.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    date_order: DateOrder = DateOrder.YEAR_MONTH_DAY
    decimal_mark: DecimalMark = DecimalMark.POINT
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None

    def __post_init__(self) -> None:
        for name in (*self.columns, *self.constants):
            if name not in FIELDS:
                raise FieldError(f"column map: {name}", f"no such field; there are {', '.join(sorted(FIELDS))}")
        if self.encoding is not None and self.encoding not in ENCODINGS:
            raise FieldError("column map: encoding", f"must be one of {', '.join(sorted(ENCODINGS))}")
        if self.delimiter is not None and self.delimiter not in DELIMITERS:
            raise FieldError("column map: delimiter", "must be a comma, a semicolon, a tab or a bar")

    def header_of(self, name: str) -> str:
        """The header to look for, compared without case and surrounding blanks."""
        return self.columns.get(name, name).strip().casefold()


def column_map_of(settings: Mapping[str, object]) -> ColumnMap:
    """A column map from a settings file that was already parsed (TOML, JSON): the same keys as the fields above.

    Raises `FieldError` for unknown keys, wrong types and unknown values.
    """
    known = {"columns", "constants", "date_order", "decimal_mark", "encoding", "delimiter", "sheet"}
    for key in settings:
        if key not in known:
            raise FieldError(f"column map: {key}", f"no such setting; there are {', '.join(sorted(known))}")
    try:
        order = DateOrder(_text(settings, "date_order") or DateOrder.YEAR_MONTH_DAY)
        mark = DecimalMark(_text(settings, "decimal_mark") or DecimalMark.POINT)
    except ValueError as error:
        raise FieldError("column map", str(error)) from error
    return ColumnMap(
        columns=_texts(settings, "columns"),
        constants=_texts(settings, "constants"),
        date_order=order,
        decimal_mark=mark,
        encoding=_text(settings, "encoding"),
        delimiter=_text(settings, "delimiter"),
        sheet=_text(settings, "sheet"),
    )


def _text(settings: Mapping[str, object], key: str) -> str | None:
    value = settings.get(key)
    if value is not None and not isinstance(value, str):
        raise FieldError(f"column map: {key}", "must be text")
    return value


def _texts(settings: Mapping[str, object], key: str) -> dict[str, str]:
    table = settings.get(key, {})
    if not isinstance(table, Mapping):
        raise FieldError(f"column map: {key}", "must be a table of texts")
    found: dict[str, str] = {}
    for name, value in table.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise FieldError(f"column map: {key}", "must be a table of texts")
        found[name] = value
    return found
