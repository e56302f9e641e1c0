"""A case as JSON that people write: text in, `Case` out, and errors that name the place.

Times are a day ("2026-01-05", meaning 00:00 UTC) or a time ("2026-01-05T10:15:00Z"); amounts are text in the case's
currency ("80000.00"), never a JSON number; what is not known is left out.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn, TypeVar

from registry.errors import FieldError
from registry.law.case import REGISTER_CODE, SELLER_SIZES, Case, Claim, Contract, Filing, Knowledge, Notice, Place
from registry.money import Money, MoneyError
from registry.normalise import is_clean_text

__all__ = ["CASE_CHARS_MAX", "case_from_json"]

CASE_CHARS_MAX: Final = 1024 * 1024
TEXT_CHARS_MAX: Final = 200  # characters of a name, a number or a reference
YEAR_MIN: Final = 1970
YEAR_MAX: Final = 2199
PLACE_MAX: Final = 2**63 - 1

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MS = datetime.timedelta(milliseconds=1)
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{3}))?)?Z)?", re.ASCII
)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)

_T = TypeVar("_T")


def case_from_json(text: str) -> Case:
    """The case that a JSON text describes. Raises `FieldError` naming e.g. `claims[1].filings[0].at`."""
    if len(text) > CASE_CHARS_MAX:
        raise FieldError("file", f"has more than {CASE_CHARS_MAX} characters")
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_float=_no_number, parse_constant=_no_number, parse_int=_integer
        )
    except (ValueError, RecursionError) as error:
        raise FieldError("file", f"is not JSON: {error}") from error
    fields = _Fields("", value)
    currency = fields.needed("currency", _text)
    case = Case(
        reference=fields.needed("reference", _text),
        amount=fields.needed("amount", _money(currency)),
        collected=fields.optional("collected", _money(currency)),
        as_of_ms=fields.needed("as_of", _time),
        laws=fields.optional("laws", _list(_text)) or (),
        contract=fields.optional("contract", _contract) or Contract(),
        claims=fields.needed("claims", _list(_claim(currency))),
    )
    fields.done()
    return case


class _Fields:
    """The fields of one JSON object. A field that is null is left out; one that nothing asks for is refused."""

    def __init__(self, place: str, value: object) -> None:
        if not isinstance(value, dict):
            raise FieldError(place or "file", "must be an object")
        self._prefix = f"{place}." if place else ""
        self._values = {name: each for name, each in value.items() if each is not None}
        self._asked: set[str] = set()

    def needed(self, name: str, read: Callable[[str, object], _T]) -> _T:
        """The field, which must be there."""
        value = self.optional(name, read)
        if value is None:
            raise FieldError(self._prefix + name, "is missing")
        return value

    def optional(self, name: str, read: Callable[[str, object], _T]) -> _T | None:
        """The field, or None."""
        self._asked.add(name)
        return read(self._prefix + name, self._values[name]) if name in self._values else None

    def done(self) -> None:
        """Nothing else may be there."""
        for name in self._values:
            if name not in self._asked:
                raise FieldError(self._prefix + name[:100], "is not a known field")


def _claim(currency: str) -> Callable[[str, object], Claim]:
    def read(place: str, value: object) -> Claim:
        fields = _Fields(place, value)
        identity = fields.needed("id", _text)
        claim = Claim(
            id=identity,
            claimant=fields.optional("claimant", _text) or identity,
            concluded_ms=fields.needed("concluded", _time),
            funded=fields.optional("funded", _money(currency)),
            funded_ms=fields.optional("funded_at", _time),
            blanket=fields.optional("blanket", _flag) or False,
            here=fields.optional("here", _place),
            filings=fields.optional("filings", _list(_filing)) or (),
            notices=fields.optional("notices", _list(_notice)) or (),
            acknowledged_ms=fields.optional("acknowledged", _time),
            knew_of=fields.optional("knew_of", _list(_knowledge)) or (),
        )
        fields.done()
        return claim

    return read


def _filing(place: str, value: object) -> Filing:
    fields = _Fields(place, value)
    filing = Filing(
        register=fields.needed("register", _matching(REGISTER_CODE, "a register's code, such as zhongdeng or ucc-1")),
        number=fields.needed("number", _text),
        at_ms=fields.needed("at", _time),
        lapses_ms=fields.optional("lapses", _time),
    )
    fields.done()
    return filing


def _notice(place: str, value: object) -> Notice:
    fields = _Fields(place, value)
    notice = Notice(
        received_ms=fields.optional("received", _time),
        sent_ms=fields.optional("sent", _time),
        channel=fields.optional("channel", _text) or "",
        digest=bytes.fromhex(fields.optional("digest", _matching(_DIGEST, "a SHA-256 in lower-case hex")) or ""),
    )
    fields.done()
    return notice


def _knowledge(place: str, value: object) -> Knowledge:
    fields = _Fields(place, value)
    known = Knowledge(fields.needed("claim", _text), fields.needed("since", _time))
    fields.done()
    return known


def _place(place: str, value: object) -> Place:
    fields = _Fields(place, value)
    here = Place(fields.needed("height", _count), fields.needed("index", _count))
    fields.done()
    return here


def _contract(place: str, value: object) -> Contract:
    fields = _Fields(place, value)
    contract = Contract(
        ban=fields.optional("ban", _flag),
        concluded_ms=fields.optional("concluded", _time),
        seller_size=fields.optional("seller_size", _one_of(SELLER_SIZES)),
        between_businesses=fields.optional("between_businesses", _flag),
        ban_in_document=fields.optional("ban_in_document", _flag),
    )
    fields.done()
    return contract


def _list(read: Callable[[str, object], _T]) -> Callable[[str, object], tuple[_T, ...]]:
    def read_all(place: str, value: object) -> tuple[_T, ...]:
        if not isinstance(value, list):
            raise FieldError(place, "must be a list")
        return tuple(read(f"{place}[{index}]", each) for index, each in enumerate(value))

    return read_all


def _text(place: str, value: object) -> str:
    if not isinstance(value, str) or not is_clean_text(value, size_max=TEXT_CHARS_MAX):
        raise FieldError(place, f"must be text of 1 to {TEXT_CHARS_MAX} characters, trimmed, on one line")
    return value


def _matching(form: re.Pattern[str], what: str) -> Callable[[str, object], str]:
    def read(place: str, value: object) -> str:
        if not isinstance(value, str) or not form.fullmatch(value):
            raise FieldError(place, f"must be {what}")
        return value

    return read


def _one_of(known: Sequence[str]) -> Callable[[str, object], str]:
    def read(place: str, value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise FieldError(place, f"must be {' or '.join(known)}")
        return value

    return read


def _flag(place: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise FieldError(place, "must be true or false")
    return value


def _count(place: str, value: object) -> int:
    if type(value) is not int or not 0 <= value < PLACE_MAX:
        raise FieldError(place, "must be a whole number from 0")
    return value


def _money(currency: str) -> Callable[[str, object], Money]:
    def read(place: str, value: object) -> Money:
        if not isinstance(value, str):
            raise FieldError(place, 'must be text, such as "80000.00"')
        try:
            return Money.parse(value, currency=currency)
        except MoneyError as error:
            raise FieldError("currency" if error.field == "currency" else place, error.reason) from error

    return read


def _time(place: str, value: object) -> int:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise FieldError(place, 'must be a day, such as "2026-01-05", or a time, such as "2026-01-05T10:15:00Z"')
    year, month, day, hour, minute, second, thousandth = (int(part or 0) for part in found.groups())
    if not YEAR_MIN <= year <= YEAR_MAX:
        raise FieldError(place, f"must be in a year from {YEAR_MIN} to {YEAR_MAX}")
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second, thousandth * 1000, tzinfo=datetime.UTC)
    except ValueError as error:
        raise FieldError(place, "is not in the calendar") from error
    return (moment - _EPOCH) // _MS


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise FieldError(name[:100], "stands twice")
        found[name] = value
    return found


def _no_number(text: str) -> NoReturn:
    raise FieldError("file", f"has the number {text[:40]}: amounts are text, counts are whole")


def _integer(text: str) -> int:
    if len(text) > len(str(PLACE_MAX)):
        _no_number(text)
    return int(text)
