"""Why a document could not be read. Every error names the file, the element and the reason."""

from __future__ import annotations

from typing import ClassVar

from registry.errors import RegistryError

__all__ = [
    "AmbiguousElement",
    "BadValue",
    "BrokenDocument",
    "DocumentError",
    "MissingElement",
    "UnsafeDocument",
    "UnsupportedSyntax",
]


class DocumentError(RegistryError):
    """Base: `file` as given by the caller, `element` (path, column or row; "" for the whole file), `reason`.

    `code` is stable and machine-readable, one per subclass.
    """

    code: ClassVar[str] = "document"

    def __init__(self, *, file: str, element: str, reason: str) -> None:
        super().__init__(f"{file}: {element}: {reason}" if element else f"{file}: {reason}")
        self.file = file
        self.element = element
        self.reason = reason


class UnsupportedSyntax(DocumentError):
    """Not one of the syntaxes that are read here."""

    code = "unsupported_syntax"


class BrokenDocument(DocumentError):
    """Not well-formed: cut off, wrong encoding, damaged container."""

    code = "broken"


class UnsafeDocument(DocumentError):
    """Too large, or uses what is switched off on purpose: DTDs, entities, compressed bombs."""

    code = "unsafe"


class MissingElement(DocumentError):
    """Something that every invoice must state is absent or empty."""

    code = "missing"


class BadValue(DocumentError):
    """An element holds text that is no date, amount, currency, ... or is too long."""

    code = "bad_value"


class AmbiguousElement(DocumentError):
    """An element that may stand once stands several times and says different things: two readers would differ."""

    code = "ambiguous"
