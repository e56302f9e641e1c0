"""Texts for official registers: Zhongdeng (China) and a UCC-1 financing statement (United States).

The network is no statutory register. A text made here perfects nothing until it is filed there by whoever the law lets
file, and `FilingText.note` says so (`registry.md` 1).

Sources. Zhongdeng: Civil Code 768 (a registered assignment ranks first); People's Bank of China Order 7 of 2021, art. 9
(names, codes, a description that reasonably identifies the property) and art. 12 (one month to thirty years). UCC:
9-109(a)(3) (sales of accounts), 9-108 and 9-504 (what a description must do), 9-502, 9-515 (five years).
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.money import WHOLE, percent
from registry.outgoing.assignment import Assignment, Firm
from registry.texts.parameters import grouped, spoken_date

__all__ = ["FilingText", "ucc1", "zhongdeng"]

_SCHEMES_ZH = {"uscc": "统一社会信用代码", "lei": "全球法人识别编码（LEI）"}
_SCHEMES_EN = {"uscc": "Unified Social Credit Code", "lei": "LEI"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingText:
    """What to enter in a register: `text` in its language, and `gloss` in English ("" where the text is English).

    `note` says which filing is known and what is still to be done, for people; it is no part of the text.
    """

    text: str
    gloss: str
    note: str


def zhongdeng(assignment: Assignment) -> FilingText:
    """The description of the property transferred (转让财产描述) for an assignment of receivables at Zhongdeng."""
    given = assignment
    text = (
        f"一、让与人（出让人）：{_firm_zh(given.seller)}。受让人：{_firm_zh(given.financier)}。"
        f"应收账款债务人：{_firm_zh(given.debtor)}。\n"
        f"二、让与人依据其与受让人于{spoken_date(given.concluded, 'zh')}签订的编号为{given.agreement}的合同，"
        f"将其对上述债务人享有的下列应收账款{_part_zh(given)}转让给受让人。\n"
        f"三、应收账款明细：发票号码{given.invoice}；开票日期{spoken_date(given.issued, 'zh')}；"
        f"发票金额（含税）{grouped(given.amount)}；转让比例{percent(given.share)}；"
        f"转让金额{grouped(given.assigned)}；到期日{spoken_date(given.due, 'zh')}。\n"
        "四、转让的财产包括上述应收账款、与其有关的从权利，以及因其收取、处分、毁损或者被征收等所得的款项和其他收益。\n"
        f"五、权利编号：{given.claim.hex()}。{_notice_zh(given)}"
    )
    gloss = (
        f"1. Assignor: {_firm_en(given.seller)}. Assignee: {_firm_en(given.financier)}. "
        f"Debtor of the receivable: {_firm_en(given.debtor)}.\n"
        f"2. Under the contract no. {given.agreement} made with the assignee on {spoken_date(given.concluded, 'en')}, "
        f"the assignor has assigned to the assignee {_part_en(given)} the following receivable that it holds against "
        "that debtor.\n"
        f"3. Details: invoice no. {given.invoice}; date of invoice {spoken_date(given.issued, 'en')}; amount of "
        f"invoice (tax included) {grouped(given.amount)}; share assigned {percent(given.share)}; amount assigned "
        f"{grouped(given.assigned)}; due date {spoken_date(given.due, 'en')}.\n"
        "4. The property assigned includes the receivable, the rights accessory to it, and the money and other "
        "proceeds of its collection, disposal, loss or expropriation.\n"
        f"5. Claim no. {given.claim.hex()}.{_notice_en(given)}"
    )
    return FilingText(
        text=text, gloss=gloss, note=_note(assignment, "Zhongdeng", "one month to thirty years, as chosen")
    )


def ucc1(assignment: Assignment) -> FilingText:
    """The description of the collateral (box 4) of a UCC-1: the seller is the Debtor, the financier the Secured Party.

    Box 1 (Debtor) needs the seller's name exactly as its public organic record has it (UCC 9-503).
    """
    given = assignment
    interest = "All" if given.share == WHOLE else f"An undivided {percent(given.share)} interest in all"
    text = (
        f"{interest} of Debtor's right, title and interest in, to and under the following account, which Debtor has "
        f"sold and assigned to Secured Party under agreement no. {given.agreement} dated "
        f"{spoken_date(given.concluded, 'en')}: "
        f"invoice no. {given.invoice} issued by {_firm_en(given.seller)} on {spoken_date(given.issued, 'en')} to the "
        f"account debtor {_firm_en(given.debtor)}, in the face amount of {grouped(given.amount)}, due "
        f"{spoken_date(given.due, 'en')}, of which {grouped(given.assigned)} is assigned (claim {given.claim.hex()}); "
        "together with all supporting obligations, all goods returned or repossessed and all books and records "
        "relating to that account, and all proceeds of the foregoing.\n"
        "The parties intend a sale of the account. This financing statement is filed under UCC 9-109(a)(3) and also to "
        "perfect a security interest should the transfer be held to secure an obligation. A purchase of, or another "
        "security interest in, the interest described above violates the rights of Secured Party."
    )
    return FilingText(
        text=text, gloss="", note=_note(assignment, "the UCC filing office", "five years, unless continued")
    )


def _firm_zh(firm: Firm) -> str:
    codes = "，".join(f"{_SCHEMES_ZH.get(scheme, scheme.upper())}：{value}" for scheme, value in _numbers(firm))
    return f"{firm.name}（国家或者地区：{firm.country}，{codes}）"


def _firm_en(firm: Firm) -> str:
    codes = ", ".join(f"{_SCHEMES_EN.get(scheme, scheme.upper())} {value}" for scheme, value in _numbers(firm))
    return f"{firm.name} ({firm.country}, {codes})"


def _numbers(firm: Firm) -> list[tuple[str, str]]:
    return [(scheme, value) for scheme, _, value in (identifier.partition(":") for identifier in firm.identifiers)]


def _part_zh(assignment: Assignment) -> str:
    return "全部" if assignment.share == WHOLE else f"的{percent(assignment.share)}份额"


def _part_en(assignment: Assignment) -> str:
    return "the whole of" if assignment.share == WHOLE else f"{percent(assignment.share)} of"


def _notice_zh(assignment: Assignment) -> str:
    return "" if assignment.notice is None else f"转让通知文件编号：{assignment.notice.reference}。"


def _notice_en(assignment: Assignment) -> str:
    return "" if assignment.notice is None else f" Notice of assignment, document no. {assignment.notice.reference}."


def _note(assignment: Assignment, register: str, term: str) -> str:
    filing = assignment.filing
    known = "No official filing is known." if filing is None else f"Filed: {filing.register}, number {filing.number}."
    return f"{known} This text has no effect until it is filed with {register}; the term there is {term}."
