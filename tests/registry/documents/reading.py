"""Reading one document in a test: the invoice it holds, or the error that it must give."""

from __future__ import annotations

import pytest

from registry.documents import DocumentError, Invoice, NoticeCode, SignalKind, read


def one(data: bytes | str, name: str = "f.xml") -> Invoice:
    """The only invoice in the document."""
    (invoice,) = read(name, data.encode() if isinstance(data, str) else data)
    return invoice


def error_of(data: bytes | str, kind: type[DocumentError], name: str = "f.xml") -> DocumentError:
    """The error of this very kind that the document gives; it names the file and says why."""
    with pytest.raises(kind) as error:
        read(name, data.encode() if isinstance(data, str) else data)
    assert error.value.file == name
    assert error.value.reason
    return error.value


def codes(invoice: Invoice) -> set[NoticeCode]:
    """The kinds of its warnings."""
    return {notice.code for notice in invoice.warnings}


def kinds(invoice: Invoice) -> list[SignalKind]:
    """The kinds of its factoring signals, in order."""
    return [signal.kind for signal in invoice.signals]
