"""The XML inside a Factur-X / ZUGFeRD / XRechnung PDF, taken out by the `factur-x` library (which uses pypdf)."""

from __future__ import annotations

from registry.documents.errors import BrokenDocument, UnsafeDocument, UnsupportedSyntax

__all__ = ["MAGIC", "PDF_BYTES_MAX", "extract_xml"]

MAGIC = b"%PDF-"
PDF_BYTES_MAX = 20 * 1024 * 1024  # bytes


def extract_xml(data: bytes, *, file: str) -> tuple[str, bytes]:
    """Name and bytes of the embedded invoice. Raises `DocumentError` if there is none or the PDF is damaged.

    The schema is not checked here: the bytes go through the same bounded parser as a bare file. pypdf bounds what it
    decompresses by itself (75 MB a stream).
    """
    if len(data) > PDF_BYTES_MAX:
        raise UnsafeDocument(file=file, element="", reason=f"{len(data)} bytes of PDF, at most {PDF_BYTES_MAX}")
    from facturx import get_xml_from_pdf  # takes half a second to import; most processes never see a PDF

    try:
        name, xml = get_xml_from_pdf(data, check_xsd=False)
    # pypdf answers damaged input with whatever its code ran into, from KeyError to RecursionError
    except Exception as error:
        reason = f"damaged PDF: {type(error).__name__}: {error}"
        raise BrokenDocument(file=file, element="", reason=reason) from error
    if not name or not xml:
        raise UnsupportedSyntax(file=file, element="", reason="a PDF without an embedded e-invoice")
    return str(name), bytes(xml)
