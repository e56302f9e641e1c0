"""What the two sides of a facility agreed, as data: eligibility rules, advance rate, limit, dilution reserve.

The document is canonical: the same agreement has one digest, which stands on the ledger. It carries a salt, because
rates and limits are round numbers that anybody could guess against a plain digest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from registry.codec import Value, encode, tagged_digest
from registry.errors import FieldError
from registry.money import MINOR_MAX, WHOLE, Money, exponent_of
from registry.records import GRADES, KINDS
from registry.tables import Table

__all__ = ["CONTRA", "DilutionReserve", "EligibilityRules", "FacilityRules", "percent_of"]

CONTRA = ("ignore", "deduct", "exclude")  # what the seller owes the debtor: nothing, that amount, all of that debtor
SALT_BYTES = 32
DAYS_MAX = 3_660
CODES_MAX = 250  # currencies or countries of one list
FACTOR_MAX = 10 * WHOLE

_PERCENT = re.compile(r"([0-9]{1,4})(?:\.([0-9]{1,10}))?%")
_CURRENCY = re.compile(r"[A-Z]{3}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_TOP = ("salt", "currency", "limit", "advance_rate", "eligibility", "dilution")
_ELIGIBILITY = (
    "currencies",
    "debtor_countries",
    "kinds",
    "tenor_days_max",
    "overdue_days_max",
    "concentration_max",
    "cross_ageing_max",
    "contra",
    "grade_min",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityRules:
    """Which receivables of a pool count. Construction validates: raises `FieldError`.

    `currencies`, `debtor_countries` (none: any country) and `kinds` are sorted, without repeats. `tenor_days_max` is
    from issue to due, `overdue_days_max` from due to the day of the base. `concentration_max`: of all that is eligible
    before this rule, the share (1 to WHOLE) that may be on one debtor; what exceeds it is left out.
    `cross_ageing_max`: if more than this share (0 to WHOLE) of what a debtor owes is overdue past `overdue_days_max`,
    nothing of that debtor counts. `contra`: one of CONTRA. `grade_min`: the least evidence grade of registry.md 4.
    """

    currencies: tuple[str, ...]
    debtor_countries: tuple[str, ...]
    kinds: tuple[str, ...]
    tenor_days_max: int
    overdue_days_max: int
    concentration_max: int
    cross_ageing_max: int
    contra: str
    grade_min: str

    def __post_init__(self) -> None:
        _sorted_words("currencies", self.currencies, _CURRENCY, "currency")
        _sorted_words("debtor_countries", self.debtor_countries, _COUNTRY, "country")
        _sorted_words("kinds", self.kinds, re.compile("|".join(KINDS)), "kind of receivable")
        for name in ("currencies", "kinds"):
            if not getattr(self, name):
                raise FieldError(name, "names at least one")
        _integer("tenor_days_max", self.tenor_days_max, 1, DAYS_MAX)
        _integer("overdue_days_max", self.overdue_days_max, 0, DAYS_MAX)
        _integer("concentration_max", self.concentration_max, 1, WHOLE)
        _integer("cross_ageing_max", self.cross_ageing_max, 0, WHOLE)
        if self.contra not in CONTRA:
            raise FieldError("contra", f"is one of {', '.join(CONTRA)}")
        if self.grade_min not in GRADES:
            raise FieldError("grade_min", f"is one of {', '.join(GRADES)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DilutionReserve:
    """What is kept back for credit notes to come. Construction validates: raises `FieldError`.

    The dilution of the last `window_days` days (credit notes in the share of what was invoiced in them) times `factor`
    (WHOLE is once; 0: no reserve) of what is eligible.
    """

    window_days: int
    factor: int

    def __post_init__(self) -> None:
        _integer("dilution.window_days", self.window_days, 1, DAYS_MAX)
        _integer("dilution.factor", self.factor, 0, FACTOR_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityRules:
    """The whole rules document. `currency` is the base's, `limit_minor` the facility's in its minor units.

    `advance_rate` is the share (1 to WHOLE) of the eligible receivables, less the reserve, that may be drawn; `salt`
    32 random bytes that both sides know. Construction validates: raises `FieldError`.
    """

    salt: bytes
    currency: str
    limit_minor: int
    advance_rate: int
    eligibility: EligibilityRules
    dilution: DilutionReserve

    def __post_init__(self) -> None:
        if type(self.salt) is not bytes or len(self.salt) != SALT_BYTES:
            raise FieldError("salt", f"is {SALT_BYTES} random bytes")
        exponent_of(self.currency)
        _integer("limit_minor", self.limit_minor, 1, MINOR_MAX)
        _integer("advance_rate", self.advance_rate, 1, WHOLE)

    @property
    def digest(self) -> bytes:
        """What stands on the ledger for this document, 32 bytes."""
        rules = self.eligibility
        row: list[Value] = [
            self.salt,
            self.currency,
            self.limit_minor,
            self.advance_rate,
            [getattr(rules, name) for name in _ELIGIBILITY],
            [self.dilution.window_days, self.dilution.factor],
        ]
        return tagged_digest(b"NEMODAT-v1-facility-rules", encode(row))

    @classmethod
    def from_toml(cls, text: str) -> FacilityRules:
        """The rules in a TOML text: amounts as "5000000.00", shares as "85%". Raises `FieldError` naming the place."""
        top = Table.parse(text, _TOP)
        rules = top.table("eligibility", _ELIGIBILITY)
        dilution = top.table("dilution", ("window_days", "factor"))
        return cls(
            salt=top.hex("salt"),
            currency=top.text("currency"),
            limit_minor=Money.parse(top.text("limit"), currency=top.text("currency")).minor,
            advance_rate=percent_of(top.text("advance_rate"), "advance_rate"),
            eligibility=EligibilityRules(
                currencies=tuple(sorted(rules.texts("currencies"))),
                debtor_countries=tuple(sorted(rules.texts("debtor_countries"))),
                kinds=tuple(sorted(rules.texts("kinds"))),
                tenor_days_max=rules.integer("tenor_days_max"),
                overdue_days_max=rules.integer("overdue_days_max"),
                concentration_max=percent_of(rules.text("concentration_max"), "eligibility.concentration_max"),
                cross_ageing_max=percent_of(rules.text("cross_ageing_max"), "eligibility.cross_ageing_max"),
                contra=rules.text("contra"),
                grade_min=rules.text("grade_min"),
            ),
            dilution=DilutionReserve(
                window_days=dilution.integer("window_days"),
                factor=percent_of(dilution.text("factor"), "dilution.factor"),
            ),
        )


def percent_of(text: str, field: str) -> int:
    """A percentage as a share of WHOLE: "85%" or "12.5%". Exact. Raises `FieldError`."""
    found = _PERCENT.fullmatch(text)
    if found is None:
        raise FieldError(field, f"{text[:40]!r} is no percentage such as 85% or 12.5%")
    return int(found[1]) * (WHOLE // 100) + int((found[2] or "").ljust(10, "0"))


def _integer(field: str, value: int, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise FieldError(field, f"is a whole number from {low} to {high}")


def _sorted_words(field: str, words: tuple[str, ...], pattern: re.Pattern[str], what: str) -> None:
    if type(words) is not tuple or len(words) > CODES_MAX:
        raise FieldError(field, f"are at most {CODES_MAX}")
    for index, word in enumerate(words):
        if type(word) is not str or pattern.fullmatch(word) is None:
            raise FieldError(f"{field}[{index}]", f"is no {what}")
    if list(words) != sorted(set(words)):
        raise FieldError(field, "are sorted, and none stands twice")
