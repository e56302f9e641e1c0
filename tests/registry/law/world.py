"""Cases in a few words: claims by name, days of May 2026 by number."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from registry.law.case import Case, Claim, Contract, Filing, Knowledge, Notice
from registry.law.profiles import Profile
from registry.law.ranking import Answer, Opinion, rank
from registry.law.shipped import shipped_profiles
from registry.money import Money

LAWS = {profile.code: profile for profile in shipped_profiles()}
# The register that each law counts which counts one.
REGISTERS = {code: register for code, law in LAWS.items() for register in law.registers}
DAY_MS = 24 * 60 * 60 * 1000
EPOCH = datetime.date(1970, 1, 1)
AS_OF = "2026-07-31"


def ms(day: str | int) -> int:
    """A day as milliseconds UTC: "2026-05-20", or a day of May 2026."""
    date = datetime.date.fromisoformat(day) if isinstance(day, str) else datetime.date(2026, 5, day)
    return (date - EPOCH).days * DAY_MS


def usd(amount: str) -> Money:
    return Money.parse(amount, currency="USD")


def filed(
    day: str | int, *, lapses: str | None = None, registers: Iterable[str] = REGISTERS.values()
) -> tuple[Filing, ...]:
    """Filings made on one day, in every register that any law counts."""
    until = None if lapses is None else ms(lapses)
    return tuple(Filing(register=each, number="1", at_ms=ms(day), lapses_ms=until) for each in registers)


def told(day: str | int) -> tuple[Notice, ...]:
    return (Notice(received_ms=ms(day)),)


def knew(claim: str, since: str | int) -> tuple[Knowledge, ...]:
    return (Knowledge(claim, ms(since)),)


def claim(name: str, concluded: str | int, funded: str | None = None, **facts: object) -> Claim:
    money = None if funded is None else usd(funded)
    return Claim(id=name, claimant=name, concluded_ms=ms(concluded), funded=money, **facts)  # type: ignore[arg-type]


def case(*claims: Claim, as_of: str = AS_OF, amount: str = "100000.00", **facts: object) -> Case:
    facts.setdefault("contract", Contract(ban=False))
    return Case(reference="R", amount=usd(amount), as_of_ms=ms(as_of), claims=claims, **facts)  # type: ignore[arg-type]


def under(law: str | Profile, facts: Case) -> Answer:
    profile = LAWS[law] if isinstance(law, str) else law
    (answer,) = rank(facts, [profile]).answers
    return answer


def opinion(facts: Case, *laws: str) -> Opinion:
    return rank(facts, [LAWS[law] for law in laws] if laws else LAWS.values())


def order(answer: Answer) -> list[str]:
    return [standing.claim for standing in answer.order.standings]


def codes(answer: Answer) -> set[str]:
    return {warning.code for warning in answer.warnings}
