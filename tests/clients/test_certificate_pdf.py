"""A search certificate on paper: what is proved, in English and Chinese, and the certificate itself in the PDF."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter
from typer.testing import CliRunner

from clients.certificate_pdf import ATTACHMENT, attached_certificate, certificate_pdf
from clients.cli import certificates
from clients.errors import ClientError
from clients.verify import Trust
from consensus.blocks import Header
from node.chain import Chain
from node.store import MemoryStore
from node.views import View, open_view
from registry.certificates import NEVER_SEARCHED
from registry.errors import FieldError
from registry.fingerprint import SEARCHED_LEVELS
from registry.texts import LANGUAGES, Language
from registry.texts.printed import parse_words, printed_words
from tests.node.chainworld import commit, transaction_of
from tests.registry.world import genesis, invoice, mark, name_id

REQUESTER = name_id("F_SG")
PURPOSE = "收购前尽职调查 <b>Prüfung</b> & „Test“"
ALIKE = 60  # receivables under one fingerprint: more than a page has lines
ASKED = [("exact", mark("exact 7")), ("gov", mark("unheard of")), ("particulars", mark("alike"))]


@pytest.fixture(scope="module")
def view() -> View:
    """A ledger where the receivables 0 to 59 look alike."""
    store = MemoryStore()
    chain = Chain.open(store, genesis())
    made = [
        invoice(str(each), fingerprints=(("exact", mark(f"exact {each}")), ("particulars", mark("alike"))))
        for each in range(ALIKE)
    ]
    committed = commit(chain, *[transaction_of("EXP_CN", each, nonce=nonce) for nonce, each in enumerate(made)])
    assert {receipt.code for receipt in committed.outcome.receipts} == {"ok"}
    return open_view(store)


def searched(view: View, asked: list[tuple[str, bytes]] = ASKED, purpose: str = PURPOSE) -> dict[str, Any]:
    found = view.search(asked, genesis_id=genesis().id, requester=REQUESTER, purpose=purpose)
    decoded: dict[str, Any] = json.loads(json.dumps(found))
    return decoded


def printed(content: dict[str, Any], language: Language) -> bytes:
    return certificate_pdf(content, Trust(genesis()).search_certificate(content), genesis(), language)


def pages_of(data: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(data)).pages]


def joined(data: bytes) -> str:
    """All that stands in it, without the breaks of lines and pages."""
    return re.sub(r"\s", "", "".join(pages_of(data)))


def tight(text: str) -> str:
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_says_what_is_proved_and_by_whom(view: View, language: Language) -> None:
    content = searched(view)
    text, header = joined(printed(content, language)), Header.decode(bytes.fromhex(content["header"]))
    facts = [content["number"], REQUESTER, PURPOSE, content["genesis_id"], header.state_root.hex(), header.hash.hex()]
    facts += [result["fingerprint"] for result in content["results"]]
    facts += [match for result in content["results"] for match in result["matches"]]
    facts += [entry.consensus_key.hex() for entry in genesis().authorities[:3]]
    assert len(facts) == 6 + 3 + (1 + ALIKE) + 3
    assert not [fact for fact in facts if tight(fact) not in text]
    assert genesis().authorities[3].consensus_key.hex() not in text, "it did not sign"
    assert "nemodatcertificateverifycertificate.pdf--genesisgenesis.toml" in text


def test_it_speaks_english(view: View) -> None:
    text = joined(printed(searched(view), "en"))
    for sentence in (
        "Search certificate",
        "block 1, 28 May 2026, 20:26:41.000 UTC (block time)",
        "registered: 1 under those that identify a receivable, 60 under those that a person must look at",
        "gov: number by which the state knows the e-invoice",
        "identifies: a second registration is refused",
        "assignments that were not registered in this network",
        "official registers: where a law wants a filing or a search there, it is still needed",
        "Signed by 3 of the 4 authorities of this height; 3 are enough",
    ):
        assert tight(sentence) in text, sentence


def test_it_speaks_chinese(view: View) -> None:
    text = joined(printed(searched(view), "zh"))
    for sentence in (
        "登记查询证明书",
        "区块高度1，2026年5月28日20:26:41.000（协调世界时，区块时间）",
        "可确认为同一应收账款的1项，须经人工核对的60项",
        "电子发票的官方编号",
        "同一应收账款：不得再次登记",
        "未在本网络登记的转让",
        "法律要求在该系统登记或者查询的，仍须办理",
        "该高度4个验证机构中的3个已签名（至少须3个）",
    ):
        assert sentence in text, sentence


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Nothing is registered under any of the 1 fingerprints that were asked for."),
        ("zh", "所查询的1项指纹之下均无任何登记。"),
    ],
)
def test_that_nothing_is_registered_is_said(view: View, language: Language, said: str) -> None:
    text = joined(printed(searched(view, [("gov", mark("unheard of"))]), language))
    assert tight(said) in text
    assert "contactask" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_not_searched_is_said_in_words_and_nothing_else(view: View, language: Language) -> None:
    words = printed_words("search-certificate", language)
    content = searched(view)
    text = joined(printed(content, language))
    section = text.partition(tight(words["not_searched"]))[2].partition(tight(words["state_root"]))[0]
    assert len(content["not_searched"]) == len(SEARCHED_LEVELS) - 3 + len(NEVER_SEARCHED)
    for each in (*SEARCHED_LEVELS, *NEVER_SEARCHED):
        assert (tight(words[each]) in section) == (each in content["not_searched"]), each


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_words(language: Language) -> None:
    words = printed_words("search-certificate", language)
    assert {*SEARCHED_LEVELS, *SEARCHED_LEVELS.values(), *NEVER_SEARCHED} <= set(words)


def test_words_are_in_both_languages_with_the_same_placeholders() -> None:
    good = 'page = { en = "Page {page}", zh = "第{page}页" }'
    assert parse_words(good, "zh") == {"page": "第{page}页"}
    for bad, why in (
        (good.replace("第{page}页", "第页"), "placeholders"),
        ('page = { en = "Page" }', "zh: is missing"),
        ("page = ", "not TOML"),
    ):
        with pytest.raises(FieldError, match=why):
            parse_words(bad, "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_one_goes_over_numbered_pages_and_loses_nothing(view: View, language: Language) -> None:
    asked = [("exact", mark(f"exact {each}")) for each in range(200)]
    content = searched(view, asked)
    data = printed(content, language)
    pages, number = pages_of(data), content["number"]
    said = printed_words("search-certificate", language)["page"]
    assert len(pages) > 5
    for index, page in enumerate(pages, 1):
        assert tight(said.format(number=number, page=index, pages=len(pages))) in tight(page)
    text = joined(data)
    assert all(fingerprint.hex() in text for _, fingerprint in asked)


def test_text_of_others_is_no_markup_and_hides_nothing(view: View) -> None:
    text = joined(printed(searched(view, purpose="a<br/>&amp;\u202eb\u00a0c\U0001f600"), "en"))
    assert "a<br/>&amp;[U+202E]b[U+00A0]c[U+1F600]" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_certificate_makes_the_same_bytes_dated_by_its_block(view: View, language: Language) -> None:
    data = printed(searched(view), language)
    assert data == printed(searched(view), language)
    metadata = PdfReader(BytesIO(data)).metadata
    assert metadata is not None
    assert metadata["/CreationDate"] == metadata["/ModDate"] == "D:20260528202641Z"


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path, view: View, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a certificate in it."""
    monkeypatch.setattr(certificates, "load_genesis", lambda path: genesis())
    (tmp_path / "certificate.json").write_text(json.dumps(searched(view)))
    return tmp_path


def run(command: str, file: Path, *more: object) -> tuple[int, str]:
    ended = CliRunner().invoke(certificates.app, [command, str(file), "--genesis", "genesis.toml", *map(str, more)])
    return ended.exit_code, " ".join((ended.stdout + ended.stderr).split())


def test_the_pdf_is_verified_and_printed_again_like_the_certificate_in_it(files: Path) -> None:
    known, paper, again = files / "certificate.json", files / "certificate.pdf", files / "again.pdf"
    code, told = run("print", known, "--language", "zh", "-o", paper)
    number = json.loads(known.read_text())["number"]
    assert (code, json.loads(told)) == (0, {"number": number, "language": "zh", "output": str(paper)})
    assert json.loads(attached_certificate(paper.read_bytes())) == json.loads(known.read_text())
    code, told = run("verify", paper)
    assert (code, run("verify", known)[1] in told, "VALID as of height 1" in told) == (0, True, True), told
    assert "whose pages were not checked" in told
    assert run("print", paper, "--language", "zh", "-o", again)[0] == 0
    assert again.read_bytes() == paper.read_bytes()


def test_what_does_not_verify_is_not_printed(files: Path) -> None:
    known, paper = files / "certificate.json", files / "certificate.pdf"
    content = json.loads(known.read_text())
    for change in ({"purpose": "another"}, {"height": 2}, {"results": content["results"][1:]}, {"finality": "00"}):
        known.write_text(json.dumps(content | change))
        assert run("print", known, "-o", paper) == run("verify", known), "it ends as verify does, in the same words"
        assert run("print", known, "-o", paper)[0] == 1
        assert not paper.exists()


def test_a_pdf_whose_attachment_was_changed_does_not_verify(files: Path, view: View) -> None:
    forged = files / "forged.pdf"
    forged.write_bytes(with_attachments(json.dumps(searched(view) | {"purpose": "another"}).encode()))
    code, told = run("verify", forged)
    assert (code, "number: does not belong" in told) == (1, True), told


def with_attachments(*attached: bytes) -> bytes:
    writer, made = PdfWriter(), BytesIO()
    writer.add_blank_page(100, 100)
    for data in attached:
        writer.add_attachment(ATTACHMENT, data)
    writer.write(made)
    return made.getvalue()


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"%PDF-1.7 and nothing else", "damaged PDF"),
        (with_attachments(), "0 attachments"),
        (with_attachments(b"{}", b"{}"), "2 attachments"),
    ],
)
def test_a_pdf_without_just_one_certificate_is_told(files: Path, data: bytes, why: str) -> None:
    paper = files / "bad.pdf"
    paper.write_bytes(data)
    code, told = run("verify", paper)
    assert (code, why in told, paper.name in told) == (1, True, True), told
    with pytest.raises(ClientError, match=why):
        attached_certificate(data)


def test_what_is_attached_is_bounded_like_a_file(files: Path) -> None:
    paper = files / "bad.pdf"
    for data, why in ((b"not JSON", "not JSON"), (b" " * (certificates.CERTIFICATE_BYTES_MAX + 1), "larger than")):
        paper.write_bytes(with_attachments(data))
        code, told = run("verify", paper)
        assert (code, why in told) == (1, True), told
    with paper.open("r+b") as sparse:
        sparse.truncate(certificates.FILE_BYTES_MAX + 1)
    assert "larger than" in run("verify", paper)[1]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("letter", ["W", "章", "\N{GRINNING FACE}"])
def test_the_longest_purpose_fits(view: View, language: Language, letter: str) -> None:
    text = joined(printed(searched(view, purpose=letter * 200), language))
    assert text.count(letter if letter.isalpha() else "[U+1F600]") >= 200
