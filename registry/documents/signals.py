"""Factoring signals: what in a document says that its debt may already be somebody else's.

They raise what people must look at and decide nothing: a note can be stale, a payee can be the seller's own bank.
The words of assignment are those that factoring contracts make sellers print on their invoices, by language. A note
is looked for in every text of the document, because each syntax has a dozen places where people put one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from registry.documents.invoice import Invoice, Signal, SignalKind
from registry.documents.receivable import same_party
from registry.documents.type_codes import FACTORED
from registry.documents.xml import Cursor

__all__ = ["assignment_notes", "derived_signals"]

NOTES_MAX = 8  # signals of this kind from one document; more say nothing new
NOTE_CHARS_MAX = 20_000  # characters of one text that are looked at; beyond are attachments
QUOTE_CHARS = 80  # characters quoted either side of the words

_WORDS = {
    "any": r"fa[ck]toring|factor(?:ing)? (?:bank|company)|forfaiting",
    "de": r"abgetreten|abtretung|schuldbefreiend|zession",
    "en": r"(?:has|have) been (?:irrevocably )?assigned|assign(?:ed|ment) (?:to|of)|assignee|notice of assignment",
    "es": r"cesi[oó]n de(?:l)? cr[eé]dito|cr[eé]dito cedido|cedid[oa] a|factoraje",
    "fi": r"saatava[^.]{0,60}siirretty|siirretty[^.]{0,60}rahoitu|siirtolauseke|siirtoilmoitus",
    "fr": r"affacturage|cession de cr[eé]ances?|cr[eé]ance[^.]{0,60}c[eé]d[eé]e|subrog|dailly",
    "hu": r"engedm[eé]nyez|faktor[aá]l",
    "it": r"cessione del credito|credito[^.]{0,40}cedut|pro[ -]?sol(?:uto|vendo)",
    "pl": r"cesj[aięą]|wierzytelno[sś][^.]{0,60}(?:przelan|przelew|nabywc|sprzeda)",
    "pt": r"cess[aã]o (?:de|do|dos) (?:cr[eé]ditos?|direitos credit[oó]rios)|endossad|securitizadora|\bfidc\b",
    "zh": r"保理|应收账款(?:已)?(?:转让|质押)|债权(?:已)?转让|資產證券化|资产证券化",
}
_NOTE = re.compile("|".join(f"(?:{words})" for words in _WORDS.values()), re.IGNORECASE)


def assignment_notes(*roots: Cursor) -> tuple[Signal, ...]:
    """A signal for each text below `roots` that holds words of assignment, `NOTES_MAX` at most."""
    found: list[Signal] = []
    for signal in (signal for root in roots for signal in _notes(root)):
        if len(found) == NOTES_MAX:
            break
        found.append(signal)
    return tuple(found)


def derived_signals(invoice: Invoice) -> tuple[Signal, ...]:
    """The signals that follow from the common model alone, for every syntax the same."""
    found: list[Signal] = []
    if invoice.type_code in FACTORED:
        text = f"type {invoice.type_code} says that the debt is factored"
        found.append(Signal(SignalKind.FACTORED_TYPE, "type_code", text))
    if invoice.payee is not None and not same_party(invoice.payee, invoice.seller):
        text = f"the payee is {invoice.payee.name or 'unnamed'}, the seller {invoice.seller.name or 'unnamed'}"
        found.append(Signal(SignalKind.ANOTHER_PAYEE, "payee", text, invoice.payee))
    return tuple(found)


def _notes(root: Cursor) -> Iterator[Signal]:
    for node in root.node.iter(etree.Element):
        text = node.text
        if text is None or len(text) < 4:
            continue
        match = _NOTE.search(text, 0, NOTE_CHARS_MAX)
        if match is not None:
            quote = " ".join(text[max(0, match.start() - QUOTE_CHARS) : match.end() + QUOTE_CHARS].split())
            yield Signal(SignalKind.ASSIGNMENT_NOTE, _path(root, node), quote)


def _path(root: Cursor, node: etree._Element) -> str:
    """Names from the root to `node`; the depth of a tree is bounded by the parser."""
    names: list[str] = []
    step: etree._Element | None = node
    while step is not None and step is not root.node:
        names.append(etree.QName(step).localname)
        step = step.getparent()
    return "/".join([root.path, *reversed(names)])
