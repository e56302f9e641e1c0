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

# A word that must stand in the text, in lower case, and the pattern around it: the word is quick to look for.
_WORDS = tuple(
    (word, re.compile(pattern or re.escape(word)))
    for word, pattern in (
        ("factoring", ""),
        ("factor bank", ""),
        ("factor company", ""),
        ("faktoring", ""),
        ("forfaiting", ""),
        ("abgetreten", ""),  # German
        ("abtretung", ""),
        ("schuldbefreiend", ""),
        ("zession", r"\bzession"),
        ("been assigned", ""),  # English
        ("irrevocably assigned", ""),
        ("assign", r"assign(?:ed|ment) (?:to|of)\b|notice of assign"),
        ("assignee", ""),
        ("cesi", r"cesi[oó]n (?:de|del) cr[eé]dito"),  # Spanish
        ("cedid", r"cr[eé]dito cedido|cedid[oa] a\b"),
        ("factoraje", ""),
        ("siirretty", r"saatava[^.]{0,60}siirretty|siirretty[^.]{0,60}rahoitu"),  # Finnish
        ("siirtolauseke", ""),
        ("siirtoilmoitus", ""),
        ("affacturage", ""),  # French
        ("cession de cr", r"cession de cr[eé]ance"),
        ("cr", r"cr[eé]ance[^.]{0,60}c[eé]d[eé]e"),
        ("subrog", ""),
        ("dailly", ""),
        ("engedm", r"engedm[eé]nyez"),  # Hungarian
        ("faktor", r"faktor[aá]l"),
        ("cessione del credito", ""),  # Italian
        ("cedut", r"credito[^.]{0,40}cedut"),
        ("pro", r"pro[ -]?sol(?:uto|vendo)\b"),
        ("cesj", r"\bcesj[aięą]\b"),  # Polish
        ("wierzytelno", r"wierzytelno[sś][^.]{0,60}(?:przelan|przelew|nabywc|sprzeda)"),
        ("cess", r"cess[aã]o (?:de|do|dos) (?:cr[eé]dito|direitos credit[oó]rios)"),  # Portuguese
        ("endossad", ""),
        ("securitizadora", ""),
        ("fidc", r"\bfidc\b"),
        ("保理", ""),  # Chinese
        ("应收账款", r"应收账款(?:已)?(?:转让|质押)"),
        ("债权", r"债权(?:已)?转让"),
        ("资产证券化", ""),
    )
)


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
        text = (node.text or "")[:NOTE_CHARS_MAX]
        match = _found(text.lower())
        if match is not None:
            quote = " ".join(text[max(0, match.start() - QUOTE_CHARS) : match.end() + QUOTE_CHARS].split())
            # whatever else a free text holds, nothing that a terminal obeys
            shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in quote)
            yield Signal(SignalKind.ASSIGNMENT_NOTE, _path(root, node), shown)


def _found(lowered: str) -> re.Match[str] | None:
    """The first words of assignment by the order of the table."""
    for word, pattern in _WORDS:
        if word in lowered:
            match = pattern.search(lowered)
            if match is not None:
                return match
    return None


def _path(root: Cursor, node: etree._Element) -> str:
    """Names from the root to `node`; the depth of a tree is bounded by the parser."""
    names: list[str] = []
    step: etree._Element | None = node
    while step is not None and step is not root.node:
        names.append(etree.QName(step).localname)
        step = step.getparent()
    return "/".join([root.path, *reversed(names)])
