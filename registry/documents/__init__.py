"""Documents in: an exporter's files become invoices of one common model, or an error that names file and element.

    for name, reading in read_many(files):          # (name, bytes) of any supported syntax
        if isinstance(reading, DocumentError): ...  # reading.file, reading.element, reading.reason
        else:
            match receivable_of(reading):           # Receivable | Adjustment | Assigned | Refusal

Syntaxes: UBL 2.1 invoice and credit note, UN/CEFACT CII, ZUGFeRD 1, the same inside PDFs; China's e-fapiao (EInvoice,
OFD with the XML inside, and the XBRL of the holder's books), Brazil's NF-e, Poland's FA, Hungary's NAV report, Italy's
FatturaPA, Chile's DTE and AEC, Finland's Finvoice; CSV and XLSX with a column map. A module each, named after it.
Pure: bytes in, values out. Only exporters' clients call this; no node ever parses a document.
"""

from __future__ import annotations

from registry.documents.columns import ColumnMap, DecimalMark, column_map_of
from registry.documents.dates import DateOrder
from registry.documents.errors import (
    AmbiguousElement,
    BadValue,
    BrokenDocument,
    DocumentError,
    MissingElement,
    UnsafeDocument,
    UnsupportedSyntax,
)
from registry.documents.invoice import (
    ExternalClaim,
    GovernmentId,
    Identifier,
    Instalment,
    Invoice,
    InvoiceReference,
    Kind,
    Notice,
    NoticeCode,
    Party,
    Signal,
    SignalKind,
    Syntax,
    TransportReference,
)
from registry.documents.reader import DOCUMENT_BYTES_MAX, Reading, read, read_each, read_many
from registry.documents.receivable import (
    Adjustment,
    Assigned,
    Disposition,
    Grade,
    Receivable,
    Refusal,
    RefusalReason,
    receivable_of,
)

__all__ = [
    "DOCUMENT_BYTES_MAX",
    "Adjustment",
    "AmbiguousElement",
    "Assigned",
    "BadValue",
    "BrokenDocument",
    "ColumnMap",
    "DateOrder",
    "DecimalMark",
    "Disposition",
    "DocumentError",
    "ExternalClaim",
    "GovernmentId",
    "Grade",
    "Identifier",
    "Instalment",
    "Invoice",
    "InvoiceReference",
    "Kind",
    "MissingElement",
    "Notice",
    "NoticeCode",
    "Party",
    "Reading",
    "Receivable",
    "Refusal",
    "RefusalReason",
    "Signal",
    "SignalKind",
    "Syntax",
    "TransportReference",
    "UnsafeDocument",
    "UnsupportedSyntax",
    "column_map_of",
    "read",
    "read_each",
    "read_many",
    "receivable_of",
]
