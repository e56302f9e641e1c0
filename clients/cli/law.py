"""`nemodat law ...`: what several laws say of several claims on one receivable. Only `law receivable` asks a node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer
from rich.table import Table

from clients.cli.context import EXIT_LOOK, JsonOption, console, fail, problems, show, tabulate, text_of
from registry.errors import FieldError
from registry.law.case import Case
from registry.law.case_file import case_from_json
from registry.law.profiles import Profile
from registry.law.ranking import rank
from registry.law.report import report, rule_in_words
from registry.law.shipped import conflict_rules, example_case, shipped_profiles, shipped_texts
from registry.law.wording import Language

__all__ = ["CASE_FIELDS", "LanguageOption", "app", "print_opinion", "read_case"]

app = typer.Typer(no_args_is_help=True)

# What a case may say. A blank line between the lines keeps them apart in the help.
CASE_FIELDS: Final = """A case is a JSON object. What is not known is left out; amounts are text, times UTC.

reference, currency, amount, as_of: text, ISO 4217, "100000.00", "2026-07-31" or "2026-07-31T10:15:00Z"

collected: what was paid in and is to be shared out; laws: the candidates, such as "CN" or "US-NY"

contract: ban (of assignment), ban_in_document, between_businesses: true or false; concluded; seller_size:
small_or_medium or large

claims: id, claimant, concluded, funded, funded_at, acknowledged (by the debtor), blanket: true or false, and

claims.here: height, index (on this ledger); claims.filings: register, number, at, lapses

claims.notices: sent, received, channel, digest (SHA-256); claims.knew_of: claim (its id), since

Example: { "reference": "A-1", "currency": "USD", "amount": "100.00", "as_of": "2026-07-31", "claims": \
[ { "id": "F1", "concluded": "2026-05-01", "funded": "80.00" }, { "id": "F2", "concluded": "2026-05-02", \
"notices": [ { "received": "2026-05-03" } ] } ] }

A longer one: nemodat law example
"""

LABELS: Final[Mapping[str, Mapping[Language, str]]] = {
    "law": {"en": "law", "zh": "法域"},
    "first": {"en": "comes first", "zh": "顺序最先"},
    "pays": {"en": "debtor may pay", "zh": "债务人可向其付款"},
    "confidence": {"en": "confidence", "zh": "可靠程度"},
    "priority": {"en": "Priority", "zh": "优先顺序"},
    "payment": {"en": "The debtor", "zh": "债务人付款"},
    "ban": {"en": "Ban on assignment", "zh": "禁止转让的约定"},
    "warnings": {"en": "Warnings", "zh": "提示"},
    "rules": {"en": "Rules", "zh": "依据"},
    "which_law": {"en": "Which law applies", "zh": "法律适用"},
    "as_of": {"en": "as of", "zh": "截至"},
    "seller": {"en": "the seller", "zh": "卖方"},
    "nobody": {"en": "nobody", "zh": "无"},
    "checked": {"en": "checked", "zh": "核对日期"},
    "name": {"en": "name", "zh": "名称"},
    "family": {"en": "rule of priority", "zh": "优先顺序规则"},
    "registers": {"en": "registers", "zh": "登记机构"},
    "low": {"en": "low confidence", "zh": "可靠程度低"},
    "medium": {"en": "medium confidence", "zh": "可靠程度中"},
    "high": {"en": "high confidence", "zh": "可靠程度高"},
    "ranks": {"en": "", "zh": ""},
    "no_effect": {"en": "without effect", "zh": "不得对抗第三人"},
    "forbidden": {"en": "forbidden", "zh": "禁止"},
}

LanguageOption = Annotated[Literal["en", "zh"], typer.Option("--language", help="English or Chinese.")]


@app.command("rank", epilog=CASE_FIELDS)
def rank_case(
    file: Annotated[Path, typer.Argument(metavar="CASE", help="The facts (JSON), described below.")],
    law: Annotated[
        list[str] | None, typer.Option("--law", help="A candidate law, instead of the case's own. May be repeated.")
    ] = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Say under each candidate law who comes first, whom the debtor may pay, what a ban does, and what to look at.

    Not legal advice: every rule is shown with its source and confidence. Exit code 3 if the winner depends on the law.

    Example: nemodat law rank case.json --law CN --law SG --language zh
    """
    with problems():
        case = read_case(file, law)
        opinion = rank(case, shipped_profiles())
        found = report(opinion, shipped_texts(language), conflict_rules())
    if as_json:
        show(found)
    else:
        print_opinion(found, language)
    if opinion.winner_depends_on_law:
        raise typer.Exit(EXIT_LOOK)


@app.command("profiles")
def profiles(
    law: Annotated[str | None, typer.Argument(metavar="[LAW]", help="Show all rules of this one.")] = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """List the laws that are known here with their rule of priority, or all rules of one law with their sources.

    Example: nemodat law profiles DE
    """
    with problems():
        known = [each for each in shipped_profiles() if law in (None, each.code)]
        if not known:
            fail(f"{law}: no such law; there are {', '.join(each.code for each in shipped_profiles())}")
        found = [_profile(each, language) for each in known]
    if as_json:
        show({"profiles": found})
        return
    if law is None:
        _print_profiles(found, language)
    for each in found if law is not None else ():
        _line(f"{each['law']} {each['name']}: {each['family']}, {each['discharge']}")
        _print_rules(each["rules"], language)


@app.command("example")
def example() -> None:
    """Print a case to begin with: one receivable, three claims, and laws that disagree on who comes first.

    Example: nemodat law example > case.json
    """
    typer.echo(example_case(), nl=False)


def read_case(file: Path, laws: list[str] | None) -> Case:
    """The case in a file, under these laws if any are named; ends the command if it is none. Raises `OSError`."""
    try:
        case = case_from_json(text_of(file, "a case"))
        return case if not laws else replace(case, laws=tuple(laws))
    except FieldError as error:
        fail(f"{file}: {error}")


def _profile(profile: Profile, language: Language) -> dict[str, Any]:
    rules = profile.rules.values()
    return {
        "law": profile.code,
        "name": profile.names.of(language),
        "family": profile.priority,
        "options": sorted(profile.options),
        "discharge": profile.discharge,
        "registers": list(profile.registers),
        "confidence": profile.confidence,
        "checked": min(rule.checked for rule in rules).isoformat(),
        "rules": [rule_in_words(rule, language) for rule in rules],
    }


def print_opinion(found: dict[str, Any], language: Language) -> None:
    """A report (`registry.law.report`) for people."""
    _line(f"{found['reference']}  {found['amount']}  {_label('as_of', language)} {found['as_of']}")
    for remark in found["remarks"]:
        _line(f"! {remark}")
    names = ("law", "first", "pays", "confidence")
    table = Table(*(_label(name, language) for name in names))
    for law in found["laws"]:
        first = ", ".join(law["winners"]) or _label("nobody", language)
        table.add_row(law["law"], first, _payee(law["payment"], language), _label(law["confidence"], language))
    tabulate(table, as_json=False)
    for law in found["laws"]:
        _line("")
        _line(f"== {law['law']}  {law['name']}")
        for name, lines in _sections(law, language):
            _line(f"{_label(name, language)}:")
            for line in lines:
                _line(f"  {line}")
        _print_rules(law["rules"], language)
    if found["which_law"]:
        _line("")
        _line(f"== {_label('which_law', language)}")
        _print_rules(found["which_law"], language)


def _sections(law: dict[str, Any], language: Language) -> Iterator[tuple[str, list[str]]]:
    yield "priority", [_standing(each, language) for each in law["priority"]]
    yield "payment", law["payment"]["reasons"]
    yield "ban", [": ".join([*each["if"], each["text"]]) for each in law["ban"]]
    if law["warnings"]:
        yield "warnings", [f"- {each['text']}" for each in law["warnings"]]


def _standing(each: dict[str, Any], language: Language) -> str:
    shown = [f"{each['tier']}. {each['claimant']}", _label(each["effect"], language), each["award"] or ""]
    return f"{'  '.join(part for part in shown if part)}  {each['reason']}"


def _payee(payment: dict[str, Any], language: Language) -> str:
    seller = _label("seller", language)
    payee = seller if payment["payee"] is None else payment["payee"]
    return f"{payee} / {seller}" if payment["seller_too"] else payee


def _print_profiles(found: list[dict[str, Any]], language: Language) -> None:
    names = ("law", "name", "family", "registers", "confidence", "checked")
    table = Table(*(_label(name, language) for name in names))
    for each in found:
        registers = ", ".join(each["registers"])
        confidence = _label(each["confidence"], language)
        table.add_row(each["law"], each["name"], each["family"], registers, confidence, each["checked"])
    tabulate(table, as_json=False)


def _print_rules(rules: list[dict[str, Any]], language: Language) -> None:
    _line(f"{_label('rules', language)}:")
    for rule in rules:
        known = f"{_label(rule['confidence'], language)}, {_label('checked', language)} {rule['checked']}"
        _line(f"  {rule['citation']} [{known}]")
        _line(f"    {rule['says']}")
        for more in filter(None, (rule["doubt"], rule["source"])):
            _line(f"    ({more})")


def _label(name: str, language: Language) -> str:
    return LABELS[name][language]


def _line(text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False)
