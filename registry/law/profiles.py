"""One law as data: which families of rules it follows, with which options, and where each rule is written.

A profile is a TOML file (`jurisdictions/`); this reads its text and checks it, so adding a law is adding a file. Each
rule has a citation, what it says, how sure we are (`CONFIDENCES`), why not surer, what it was compared with, and when.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from registry.errors import FieldError
from registry.law.ban import CONDITIONS, BanAnswer, BanEffect, BanRule
from registry.law.case import REGISTER_CODE
from registry.law.discharge import DISCHARGES
from registry.law.families import FAMILIES
from registry.law.wording import LANGUAGES, Words
from registry.tables import Table

__all__ = ["CONFIDENCES", "FORMAT", "Profile", "Rule", "rules_from_toml"]

FORMAT: Final = "nemodat-law-v1"
CONFIDENCES: Final = ("low", "medium", "high")  # high: compared with the text, a quotation, a commentary
FILING_YEARS_MAX: Final = 99

_CODE = re.compile(r"[A-Z]{2}(?:-[A-Z]{2,3})?", re.ASCII)  # ISO 3166-1, or ISO 3166-2 for a part with its own law
_NAMES = ("format", "code", "names", "priority", "discharge", "registers", "bans", "warnings", "rules")
_RULE = ("id", "citation", "says", "confidence", "doubt", "source", "checked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Where a rule is written. `doubt` is empty for high confidence, `source` for what was not compared with one."""

    id: str
    citation: Words
    says: Words
    confidence: str
    doubt: Words
    source: str
    checked: datetime.date


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One law. Keys are checked on reading: families and options exist, every rule named is there and is named."""

    code: str
    names: Words
    priority: str
    options: frozenset[str]
    filing_years: int  # after how many years a filing lapses that does not say; 0: it does not
    registers: Mapping[str, Words]
    priority_rules: tuple[str, ...]
    discharge: str
    discharge_rules: tuple[str, ...]
    bans: tuple[BanRule, ...]
    warnings: tuple[str, ...]  # rules that anybody under this law should hear of
    rules: Mapping[str, Rule]

    @property
    def confidence(self) -> str:
        """The lowest of the rules on priority and on discharge: an answer is as sure as its weakest rule."""
        return min((rule.confidence for rule in self.cited(())), key=CONFIDENCES.index)

    def cited(self, bans: Sequence[BanAnswer]) -> tuple[Rule, ...]:
        """The rules behind an answer: on priority, on discharge, and those on bans that these answers rest on."""
        on_bans = (rule for each in bans for rule in each.rules)
        return tuple(
            self.rules[rule] for rule in dict.fromkeys((*self.priority_rules, *self.discharge_rules, *on_bans))
        )

    @classmethod
    def from_toml(cls, text: str) -> Profile:
        """The law that a TOML text describes. Raises `FieldError` naming e.g. `rules[2].confidence`."""
        table = Table.parse(text, _NAMES)
        if table.text("format") != FORMAT:
            raise FieldError("format", f"must be {FORMAT}")
        code = table.text("code")
        if not _CODE.fullmatch(code):
            raise FieldError("code", "must be a country, or a country and its part, such as DE or US-NY")
        priority = table.table("priority", ("family", "options", "filing_years", "rules"))
        family = _one_of("priority.family", priority.text("family"), FAMILIES)
        options = priority.texts("options")
        for option in options:
            _one_of("priority.options", option, FAMILIES[family].options)
        years = priority.integer("filing_years")
        if years > FILING_YEARS_MAX:
            raise FieldError("priority.filing_years", f"must be 0 to {FILING_YEARS_MAX}")
        discharge = table.table("discharge", ("family", "rules"))
        profile = cls(
            code=code,
            names=_words(table, "names"),
            priority=family,
            options=frozenset(options),
            filing_years=years,
            registers=_registers(table),
            priority_rules=priority.texts("rules"),
            discharge=_one_of("discharge.family", discharge.text("family"), DISCHARGES),
            discharge_rules=discharge.texts("rules"),
            bans=tuple(_bans(table)),
            warnings=table.texts("warnings"),
            rules=_rules(table),
        )
        _check_rules(profile)
        return profile


def rules_from_toml(text: str) -> tuple[Rule, ...]:
    """Rules that belong to no one law, as those on which law applies. Raises `FieldError`."""
    return tuple(_rules(Table.parse(text, ("rules",))).values())


def _words(table: Table, name: str) -> Words:
    both = table.table(name, LANGUAGES)
    return Words(both.text("en"), both.text("zh"))


def _one_of(place: str, value: str, known: Collection[str]) -> str:
    if value not in known:
        raise FieldError(place, f"{value[:100]!r} is none of {', '.join(sorted(known)) or 'those possible here: none'}")
    return value


def _registers(table: Table) -> Mapping[str, Words]:
    found: dict[str, Words] = {}
    for index, each in enumerate(table.tables("registers", ("code", "names"))):
        code = each.text("code")
        if code in found or not REGISTER_CODE.fullmatch(code):
            raise FieldError(f"registers[{index}].code", "must be a code such as ucc-1, and stand once")
        found[code] = _words(each, "names")
    return MappingProxyType(found)


def _bans(table: Table) -> Iterator[BanRule]:
    last = None
    for index, each in enumerate(table.tables("bans", ("when", "contract_from", "effect", "rules"))):
        place = f"bans[{index}]"
        effects = [effect.value for effect in BanEffect if effect is not BanEffect.NO_BAN]
        last = BanRule(
            when=tuple(_one_of(f"{place}.when", name, CONDITIONS) for name in each.texts("when")),
            contract_from=_day(f"{place}.contract_from", day) if (day := each.text("contract_from")) else None,
            effect=BanEffect(_one_of(f"{place}.effect", each.text("effect"), effects)),
            rules=each.texts("rules"),
        )
        yield last
    if last is None or last.when or last.contract_from is not None:
        raise FieldError("bans", "must end with a rule without conditions")


def _rules(table: Table) -> Mapping[str, Rule]:
    found: dict[str, Rule] = {}
    for index, each in enumerate(table.tables("rules", _RULE)):
        place = f"rules[{index}]"
        rule = Rule(
            id=each.text("id"),
            citation=_words(each, "citation"),
            says=_words(each, "says"),
            confidence=_one_of(f"{place}.confidence", each.text("confidence"), CONFIDENCES),
            doubt=_words(each, "doubt"),
            source=each.text("source"),
            checked=_day(f"{place}.checked", each.text("checked")),
        )
        if rule.id in found:
            raise FieldError(f"{place}.id", f"{rule.id} stands twice")
        if not all((rule.id, rule.citation.en, rule.citation.zh, rule.says.en, rule.says.zh)):
            raise FieldError(place, "must have an id, a citation and what it says, in both languages")
        if (rule.confidence == "high") == bool(rule.doubt.en or rule.doubt.zh):
            raise FieldError(f"{place}.doubt", "must say why the confidence is not high, and nothing where it is")
        if rule.confidence == "high" and not rule.source:
            raise FieldError(f"{place}.source", "must say what a rule of high confidence was compared with")
        found[rule.id] = rule
    return MappingProxyType(found)


def _check_rules(profile: Profile) -> None:
    """Every list names rules that are there, and every rule is named by one."""
    named = {"priority.rules": profile.priority_rules, "discharge.rules": profile.discharge_rules}
    named |= {"warnings": profile.warnings} if profile.warnings else {}
    named |= {f"bans[{index}].rules": ban.rules for index, ban in enumerate(profile.bans)}
    for place, rules in named.items():
        if not rules:
            raise FieldError(place, "must name a rule")
        for rule in rules:
            _one_of(place, rule, profile.rules)
    for rule in profile.rules:
        if not any(rule in rules for rules in named.values()):
            raise FieldError("rules", f"{rule} is named by nothing")


def _day(place: str, text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise FieldError(place, "must be a day such as 2026-11-26") from error
