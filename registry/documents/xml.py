"""XML with everything dangerous switched off, and a cursor that names the element in every error.

No DTD (so no entities, no billion laughs, no external files), no network, no `huge_tree`; size and number of tags are
bounded before the parser sees a byte. Comments and processing instructions are dropped before text is put together,
so `INV<!-- -->1` is `INV1` for every reader.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from lxml import etree

from registry.documents.dates import DateError
from registry.documents.errors import (
    AmbiguousElement,
    BadValue,
    BrokenDocument,
    DocumentError,
    MissingElement,
    UnsafeDocument,
)
from registry.documents.invoice import TOKEN_CHARS_MAX
from registry.money import Money, MoneyError, exponent_of

__all__ = ["DOCTYPE", "TAGS_MAX", "XML_BYTES_MAX", "Cursor", "parse"]

XML_BYTES_MAX = 20 * 1024 * 1024  # bytes; invoices carry scanned attachments in base64
TAGS_MAX = 500_000  # "<" in the file: what bounds the memory of the tree

DOCTYPE = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)  # in text without zero bytes, whatever its encoding
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_T = TypeVar("_T")


def parse(data: bytes, *, file: str) -> Cursor:
    """A cursor on the root element, still without prefixes. Raises `UnsafeDocument` or `BrokenDocument`."""
    _check_bounds(data, file)
    parser = etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(_without_leading_blanks(data), parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise BrokenDocument(file=file, element="", reason=f"not well-formed XML: {error}") from error
    if root is None:
        raise BrokenDocument(file=file, element="", reason="no root element")
    # the scan above cannot see a DTD in every encoding that libxml2 knows; this can
    if root.getroottree().docinfo.internalDTD is not None:
        raise UnsafeDocument(file=file, element="", reason="document type declarations are not accepted")
    return Cursor(file, root, {}, etree.QName(root).localname)


def _without_leading_blanks(data: bytes) -> bytes:
    """Blanks before the XML declaration are an error to the parser, and common; a byte order mark stays in front."""
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    return mark + data.removeprefix(mark).lstrip(b" \t\r\n")


def _check_bounds(data: bytes, file: str) -> None:
    if len(data) > XML_BYTES_MAX:
        raise UnsafeDocument(file=file, element="", reason=f"{len(data)} bytes of XML, at most {XML_BYTES_MAX}")
    if data.count(b"<") > TAGS_MAX:
        raise UnsafeDocument(file=file, element="", reason=f"more than {TAGS_MAX} tags")
    wide = data[:4].count(0) > 0 or data[:2] in (b"\xff\xfe", b"\xfe\xff")
    if DOCTYPE.search(data.replace(b"\0", b"") if wide else data):
        raise UnsafeDocument(file=file, element="", reason="document type declarations are not accepted")


@dataclass(frozen=True, slots=True)
class Cursor:
    """An element, with the file and path it stands at. Paths are ElementPath with the reader's prefixes."""

    file: str
    node: etree._Element
    namespaces: Mapping[str, str]
    path: str

    @property
    def tag(self) -> str:
        """The expanded name of the element, `{namespace}local`."""
        return str(self.node.tag)

    def with_prefixes(self, namespaces: Mapping[str, str]) -> Cursor:
        """The same element, paths below it read with these prefixes; the prefix "" stands for names without one."""
        return replace(self, namespaces=namespaces)

    def in_own_namespace(self) -> Cursor:
        """The same element, names in paths meaning the namespace that it stands in itself (or none)."""
        return self.with_prefixes({"": etree.QName(self.node).namespace or ""})

    def all(self, path: str) -> list[Cursor]:
        """Every element at `path`, in document order."""
        found = self.node.findall(path, dict(self.namespaces))
        return [Cursor(self.file, node, self.namespaces, f"{self.path}/{path}") for node in found]

    def one(self, path: str) -> Cursor | None:
        """The only element at `path`; None if there is none. Raises `AmbiguousElement` if there are several."""
        found = self.all(path)
        if len(found) > 1:
            raise AmbiguousElement(file=self.file, element=f"{self.path}/{path}", reason="stands more than once")
        return found[0] if found else None

    def need(self, path: str) -> Cursor:
        """The only element at `path`. Raises `MissingElement` or `AmbiguousElement`."""
        found = self.one(path)
        if found is None:
            raise MissingElement(file=self.file, element=f"{self.path}/{path}", reason="is missing")
        return found

    def attribute(self, name: str) -> str:
        """The attribute's text, trimmed; empty if absent."""
        return str(self.node.get(name, "")).strip()

    def content(self, *, chars_max: int = TOKEN_CHARS_MAX) -> str:
        """The text of a leaf, trimmed, inner white space made single blanks. Raises `BadValue`."""
        if len(self.node):
            raise BadValue(file=self.file, element=self.path, reason="holds elements where text belongs")
        text = " ".join((self.node.text or "").split())
        if len(text) > chars_max:
            raise BadValue(file=self.file, element=self.path, reason=f"longer than {chars_max} characters")
        if _CONTROL.search(text):
            raise BadValue(file=self.file, element=self.path, reason="holds control characters")
        return text

    def texts(self, path: str, *, chars_max: int = TOKEN_CHARS_MAX) -> list[str]:
        """The texts at `path` that are not empty, in document order, each once."""
        found = (cursor.content(chars_max=chars_max) for cursor in self.all(path))
        return list(dict.fromkeys(text for text in found if text))

    def text(self, path: str, *, chars_max: int = TOKEN_CHARS_MAX) -> str | None:
        """The one text at `path`, None if absent or empty. Saying the same twice is accepted, different things not."""
        found = self.texts(path, chars_max=chars_max)
        if len(found) > 1:
            raise AmbiguousElement(
                file=self.file, element=f"{self.path}/{path}", reason=f"says {found[0]!r} and {found[1]!r}"
            )
        return found[0] if found else None

    def need_text(self, path: str) -> str:
        """The one text at `path`. Raises `MissingElement`, `AmbiguousElement` or `BadValue`."""
        text = self.text(path)
        if text is None:
            raise MissingElement(file=self.file, element=f"{self.path}/{path}", reason="is missing or empty")
        return text

    def need_date(self, path: str, parse_date: Callable[[str], datetime.date]) -> datetime.date:
        """The one date at `path`. Raises as `need_text`, and `BadValue` if `parse_date` cannot read it."""
        return self.convert(path, self.need_text(path), parse_date)

    def currency(self, path: str) -> str:
        """The ISO 4217 code at `path`, in capitals. Raises as `need_text`, and `BadValue` for an unknown one."""
        code = self.need_text(path).upper()
        self.convert(path, code, exponent_of)
        return code

    def date(self, path: str, parse_date: Callable[[str], datetime.date]) -> datetime.date | None:
        """The one date at `path`, None if absent. Raises `BadValue` if `parse_date` cannot read it."""
        text = self.text(path)
        return None if text is None else self.convert(path, text, parse_date)

    def convert(self, path: str, text: str, function: Callable[[str], _T]) -> _T:
        """`function(text)`, its complaint turned into a `BadValue` that names the element."""
        try:
            return function(text)
        except (DateError, MoneyError) as error:
            raise self.error(BadValue, path, error.reason) from error

    def money(self, path: str, *, currency: str) -> Money | None:
        """The one amount at `path` in `currency`, None if absent.

        An amount that carries another `currencyID` is not this amount: raises `BadValue`, never converts.
        """
        amounts: set[Money] = set()
        for cursor in self.all(path):
            text = cursor.content()
            if not text:
                continue
            stated = cursor.attribute("currencyID") or currency
            if stated != currency:
                reason = f"is in {stated[:3]}, the document in {currency}"
                raise BadValue(file=self.file, element=cursor.path, reason=reason)
            amounts.add(cursor.convert("", text, lambda said: Money.parse(said, currency=currency)))
        if len(amounts) > 1:
            said = " and ".join(sorted(map(str, amounts))[:2])
            raise AmbiguousElement(file=self.file, element=f"{self.path}/{path}", reason=f"says {said}")
        return amounts.pop() if amounts else None

    def need_money(self, path: str, *, currency: str) -> Money:
        """The one amount at `path`. Raises as `money`, and `MissingElement`."""
        found = self.money(path, currency=currency)
        if found is None:
            raise self.error(MissingElement, path, "is missing or empty")
        return found

    def error(self, kind: type[DocumentError], path: str, reason: str) -> DocumentError:
        """An error of `kind` at `path` below this element."""
        return kind(file=self.file, element=f"{self.path}/{path}" if path else self.path, reason=reason)
