"""A search certificate as PDF, in English or Chinese, with the certificate itself attached (registry.md 8).

Pure: the same certificate makes the same bytes; its dates are the certificate's own. Only what was verified is printed
(`Trust.search_certificate`). The pages prove nothing, since they can be altered: the attachment does, and
`nemodat certificate verify` takes it out of the PDF.

Chinese is set in STSong-Light, by name: it is not embedded, so whoever looks at it needs some Chinese font. What
requester and purpose say is others' text: a character that no font here has, or that is not seen, stands as its code,
`[U+202E]`.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from itertools import groupby
from typing import Any, Final
from xml.sax.saxutils import escape

from pypdf import PdfReader, PdfWriter
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from clients.errors import ClientError
from clients.verify import Trust
from consensus.authorities import AuthoritySet
from consensus.blocks import Header
from consensus.light import in_force
from consensus.votes import Certificate
from registry.certificates import Finding, SearchCertificate
from registry.codec import decode
from registry.fingerprint import SEARCHED_LEVELS
from registry.genesis import Genesis
from registry.texts import Language
from registry.texts.parameters import spoken_date
from registry.texts.printed import printed_words

__all__ = ["ATTACHMENT", "attached_certificate", "certificate_pdf"]

ATTACHMENT: Final = "search-certificate.json"

_LATIN, _MONO, _CHINESE = "Helvetica", "Courier", "STSong-Light"
# Which font has a character: the first whose encoding has it. In Chinese, quotes and dashes are of the Chinese font.
_FONTS: Final[Mapping[Language, tuple[tuple[str, str], ...]]] = {
    "en": (("cp1252", _LATIN), ("gbk", _CHINESE)),
    "zh": (("latin-1", _LATIN), ("gbk", _CHINESE), ("cp1252", _LATIN)),
}
_LANG: Final[Mapping[Language, str]] = {"en": "en", "zh": "zh-CN"}
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MARGIN: Final = 18 * mm
_PADDING: Final = 6  # of the frame that reportlab puts around what is in it
_WIDTH: Final = A4[0] - 2 * (_MARGIN + _PADDING)
_DIGEST_WIDTH: Final = 96 * mm  # 64 digits of _MONO at 7 points
_LINES: Final = (
    ("FONT", (0, 0), (-1, -1), _MONO, 7),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.lightgrey),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
)


def certificate_pdf(
    content: Mapping[str, Any], checked: SearchCertificate, genesis: Genesis, language: Language
) -> bytes:
    """The pages that say what `checked` proves, with `content`, the JSON object that it was verified from, attached."""
    registerFont(UnicodeCIDFont(_CHINESE))
    page = _Page(checked, language)
    pages = _laid_out(page, _story(page, genesis), total=0)[1]  # once to count them: every page says of how many it is
    data, _ = _laid_out(page, _story(page, genesis), total=pages)
    writer = PdfWriter(clone_from=BytesIO(data))
    date = f"D:{_moment(checked):%Y%m%d%H%M%S}Z"
    writer.add_metadata({"/CreationDate": date, "/ModDate": date})
    writer.add_attachment(ATTACHMENT, json.dumps(content).encode() + b"\n")
    made = BytesIO()
    writer.write(made)
    return made.getvalue()


def attached_certificate(data: bytes) -> bytes:
    """The certificate (JSON, not verified) that is attached to a PDF. Raises `ClientError` if it is not just one.

    What a stream is decompressed to is bounded by pypdf (75 MB).
    """
    try:
        found = PdfReader(BytesIO(data)).attachments.get(ATTACHMENT, [])
    # pypdf answers damaged input with whatever its code ran into, from KeyError to RecursionError
    except Exception as error:
        raise ClientError(f"damaged PDF: {type(error).__name__}: {error}") from error
    if len(found) != 1:
        raise ClientError(f"a PDF with {len(found)} attachments {ATTACHMENT}, where one is expected")
    return bytes(found[0])


class _Page:
    """The certificate, its words, and how they are set."""

    def __init__(self, checked: SearchCertificate, language: Language) -> None:
        self.checked = checked
        self.language: Language = language
        self.words = printed_words("search-certificate", language)
        wrap = "CJK" if language == "zh" else None
        self._body = ParagraphStyle("body", fontName=_LATIN, fontSize=9, leading=13, spaceAfter=4, wordWrap=wrap)
        self._small = ParagraphStyle("small", self._body, fontSize=8, leading=11, spaceAfter=0)
        self._title = ParagraphStyle("title", self._body, fontSize=17, leading=22, spaceAfter=4)
        self._heading = ParagraphStyle("heading", self._body, fontSize=11.5, spaceBefore=7, leading=15, keepWithNext=1)
        self._command = ParagraphStyle("command", self._body, fontName=_MONO, fontSize=8, leftIndent=12)

    def say(self, word: str, **values: object) -> str:
        return self.words[word].format_map(values)

    def title(self) -> Flowable:
        return Paragraph(self.marked(self.words["title"]), self._title)

    def heading(self, word: str) -> Flowable:
        return Paragraph(self.marked(self.words[word]), self._heading)

    def body(self, text: str) -> Flowable:
        return Paragraph(self.marked(text), self._body)

    def small(self, text: str) -> Flowable:
        return Paragraph(self.marked(text), self._small)

    def command(self, text: str) -> Flowable:
        return Paragraph(escape(text), self._command)

    def marked(self, text: str) -> str:
        """Others' or our text as markup: every run in a font that has it, nothing in it markup itself."""
        runs = groupby(((_font(char, self.language), char) for char in text), key=lambda each: each[0])
        return "".join(_run(font, "".join(char for _, char in run)) for font, run in runs)


def _font(char: str, language: Language) -> str | None:
    if char.isprintable():
        for encoding, font in _FONTS[language]:
            try:
                char.encode(encoding)
            except UnicodeEncodeError:
                continue
            return font
    return None


def _run(font: str | None, text: str) -> str:
    if font is None:
        return f'<font name="{_LATIN}">{"".join(f"[U+{ord(char):04X}]" for char in text)}</font>'
    return f'<font name="{font}">{escape(text)}</font>'


def _story(page: _Page, genesis: Genesis) -> list[Flowable]:
    return [page.title(), *_head(page), *_answer(page), *_asked(page), *_not_searched(page), *_proof(page, genesis)]


def _head(page: _Page) -> Iterator[Flowable]:
    checked, moment = page.checked, _moment(page.checked)
    time = moment.time().isoformat(timespec="milliseconds")
    as_of = page.say("moment", height=checked.height, date=spoken_date(moment.date(), page.language), time=time)
    rows = (
        ("certificate_number", checked.number),
        ("requester", checked.requester),
        ("purpose", checked.purpose),
        ("as_of", as_of),
        ("network", checked.genesis_id.hex()),
    )
    yield _table([[page.small(page.words[word]), page.small(text)] for word, text in rows], [38 * mm, None])
    yield Spacer(0, 4)
    yield page.small(page.words["told"])


def _answer(page: _Page) -> Iterator[Flowable]:
    findings, matches = page.checked.findings, page.checked.matches
    yield page.heading("answer")
    found = [finding for finding in findings if finding.matches]
    if not found:
        yield page.body(page.say("nothing", asked=len(findings)))
        return
    counts = {level: len(ids) for level, ids in matches.items()}
    yield page.body(page.say("found", asked=len(findings), **counts))
    for finding in found:  # a table each: one of thousands of rows would be cut into pages in quadratic time
        yield _table([[_kind(page, finding)], *([match.hex()] for match in finding.matches)], [None], repeated=1)
    yield Spacer(0, 6)
    yield page.body(page.words["contact"])


def _kind(page: _Page, finding: Finding) -> Flowable:
    count = page.say("matches", count=len(finding.matches))
    level = page.words[SEARCHED_LEVELS[finding.kind]]
    return page.small(f"{finding.kind}: {page.words[finding.kind]} – {level} – {count}")


def _asked(page: _Page) -> Iterator[Flowable]:
    yield page.heading("asked")
    rows: list[list[object]] = [[page.small(page.words[word]) for word in ("kind", "fingerprint", "result")]]
    for finding in page.checked.findings:
        count = str(len(finding.matches)) if finding.matches else page.words["none"]
        kind = page.small(f"{finding.kind}: {page.words[finding.kind]}")
        rows.append([kind, finding.fingerprint.hex(), page.small(count)])
    yield _table(rows, [None, _DIGEST_WIDTH, 22 * mm], repeated=1)


def _not_searched(page: _Page) -> Iterator[Flowable]:
    yield page.heading("not_searched")
    for each in page.checked.not_searched:
        yield page.small(f"– {each}: {page.words[each]}" if each in SEARCHED_LEVELS else f"– {page.words[each]}")


def _proof(page: _Page, genesis: Genesis) -> Iterator[Flowable]:
    header = Header.decode(page.checked.header)
    authorities, signers = _signed(page.checked, genesis)
    yield page.heading("proof")
    for word, digest in (("state_root", header.state_root), ("header", header.hash)):
        yield _table([[page.small(page.words[word]), digest.hex()]], [None, _DIGEST_WIDTH])
    yield Spacer(0, 6)
    yield page.body(page.say("signed", signed=len(signers), members=authorities.n, quorum=authorities.quorum))
    members = [authorities.members[index] for index in signers]
    yield _table([[page.small(each.name), each.public_key.hex()] for each in members], [None, _DIGEST_WIDTH])
    yield page.heading("verify")
    yield page.body(page.say("offline", file=ATTACHMENT))
    yield page.command("nemodat certificate verify certificate.pdf --genesis genesis.toml")
    yield page.body(page.words["guarded"])


def _signed(checked: SearchCertificate, genesis: Genesis) -> tuple[AuthoritySet, list[int]]:
    """The authorities of the certificate's height, and who of them signed; it was verified before."""
    reigns = Trust(genesis).following(checked.changes).reigns
    return in_force(reigns, checked.height), Certificate.from_value(decode(checked.finality)).signers()


def _table(rows: Iterable[list[Any]], widths: list[float | None], *, repeated: int = 0) -> Flowable:
    """Rows over the width of the page; None is the column that has the rest. `repeated` rows head every page."""
    rest = _WIDTH - sum(width for width in widths if width is not None)
    filled = [rest if width is None else width for width in widths]
    return Table(list(rows), filled, style=TableStyle(_LINES), hAlign="LEFT", repeatRows=repeated)


def _laid_out(page: _Page, story: list[Flowable], *, total: int) -> tuple[bytes, int]:
    """The PDF, and how many pages it has."""
    number, made = page.checked.number, BytesIO()
    document = SimpleDocTemplate(
        made,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"{page.words['title']} {number}",
        author="nemodat",
        creator="nemodat",
        subject=page.words["title"],
        lang=_LANG[page.language],
        invariant=1,
    )

    def footer(canvas: Any, document: SimpleDocTemplate) -> None:
        line = page.small(page.say("page", number=number, page=document.page, pages=total))
        line.wrapOn(canvas, _WIDTH, _MARGIN)
        line.drawOn(canvas, _MARGIN + _PADDING, _MARGIN / 2)

    document.build(story, onFirstPage=footer, onLaterPages=footer)
    return made.getvalue(), document.page


def _moment(checked: SearchCertificate) -> datetime.datetime:
    return _EPOCH + datetime.timedelta(milliseconds=checked.timestamp_ms)
