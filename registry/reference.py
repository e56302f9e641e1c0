"""The operations as their own tables say: meaning, fields, who may, and the reasons for which each can be refused.

Nothing here is written by hand. Fields come from FIELDS and what their readers say of themselves and of other values;
reasons and roles from reading what a rule, and every rule that it calls, names. So the reasons are all that there can
be: a receipt has no other, though some of them may be out of reach for that very operation.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from functools import cache
from types import CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any, Final, NamedTuple

from registry.errors import FieldError
from registry.ledger import RULES
from registry.reasons import LIMIT_REACHED, REASONS, ROLLED_BACK
from registry.rules import parties
from registry.rules.governance import AT_ONCE
from registry.rules.governance import CHANGES as CHANGE_RULES
from registry.rules.roles import MAY, may
from registry.transactions.fields import Field
from registry.transactions.governance import CHANGES
from registry.transactions.operations import OPERATIONS

__all__ = ["CHANGE", "OPERATION", "Described", "FieldDescribed", "described", "names"]

OPERATION: Final = "operation"
CHANGE: Final = "change"
_RULES: Final = "registry.rules."
_NOTHING: Final = 1.5  # no value of the codec is a float
_TOO_MANY: Final = 100_000


class FieldDescribed(NamedTuple):
    """One field: its type in Python, what it is (with unit), what its values must be, and what it is if left out.

    `default` is empty where the field must be given.
    """

    name: str
    type: str
    meaning: str
    must: str
    default: str


class Described(NamedTuple):
    """An operation, or a change that authorities propose; `rule` says when it takes effect.

    `may`: action -> the roles that may do it, for the actions that the rule asks about; beside them stands the
    signer's relation to the record (its holder, its registrant), of which `rule` speaks. `reasons`: code -> meaning.
    """

    name: str
    kind: str
    meaning: str
    rule: str
    fields: tuple[FieldDescribed, ...]
    may: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, str]


def names() -> tuple[str, ...]:
    """Every operation and every change, in the order of their tables."""
    return (*OPERATIONS, *CHANGES)


@cache
def described(name: str) -> Described:
    """What the tables say of an operation or a change. Raises `KeyError` for a name that is neither."""
    kind: Any = OPERATIONS.get(name) or CHANGES[name]
    is_operation = name in OPERATIONS
    roots: tuple[Any, ...] = (RULES[kind],) if is_operation else CHANGE_RULES.get(kind) or AT_ONCE[kind]
    reached = _reached((*roots, parties.signing_party))
    codes = {code for function in reached for code in _named(function) if code in REASONS} | {
        LIMIT_REACHED,
        ROLLED_BACK,
    }
    asked = {action for function in reached for action in _asked(function)} | ({name} & set(MAY))
    return Described(
        name=name,
        kind=OPERATION if is_operation else CHANGE,
        meaning=_said(kind),
        rule=_said(roots[0]),
        fields=tuple(_field(kind, field) for field in kind.FIELDS),
        may=MappingProxyType({action: tuple(sorted(MAY[action])) for action in sorted(asked)}),
        reasons=MappingProxyType({code: REASONS[code] for code in sorted(codes)}),
    )


def _said(thing: object) -> str:
    """A docstring on one line, without the marks of code."""
    return re.sub(r"\s+", " ", inspect.cleandoc(thing.__doc__ or "")).strip()


def _field(kind: Any, field: Field) -> FieldDescribed:
    (declared,) = [one for one in fields(kind) if one.name == field.name]
    default = "" if declared.default is MISSING else _shown(declared.default)
    return FieldDescribed(field.name, str(declared.type), _said(field.read), _must(field), default)


def _must(field: Field) -> str:
    """What the reader answers to something that no field can be; of a list also how long it may be, and of what."""
    reason = _refusal(field, _NOTHING)
    if reason != "is a list":
        return reason
    longest = re.search(r"at most (\d+)", _refusal(field, [_NOTHING] * _TOO_MANY))
    many = f" of at most {longest[1]}" if longest else ""
    return f"is a list{many}; each {_refusal(field, [_NOTHING])}"


def _positive(reason: str) -> str:
    """What a reader of one of several words says of another word, turned round."""
    return re.sub(r"^is no ", "is a ", reason)


def _refusal(field: Field, value: Any) -> str:
    try:
        field.read(value, field.name)
    except FieldError as error:
        return _positive(error.reason)
    raise AssertionError(f"{field.name}: a reader takes anything")


def _shown(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else repr(value)


def _reached(roots: tuple[Any, ...]) -> list[FunctionType]:
    """These functions and all of `registry.rules` that they can come to by name."""
    found: dict[FunctionType, None] = dict.fromkeys(root for root in roots if isinstance(root, FunctionType))
    queue = list(found)
    for function in queue:  # grows while it is walked
        for value in _globals(function):
            for called in _functions(value):
                if called not in found and called.__module__.startswith(_RULES):
                    found[called] = None
                    queue.append(called)
    return queue


def _functions(value: object) -> Iterator[FunctionType]:
    if isinstance(value, FunctionType):
        yield value
    elif isinstance(value, Mapping):
        for held in value.values():
            yield from _functions(held)
    elif isinstance(value, tuple):
        for held in value:
            yield from _functions(held)


def _globals(function: FunctionType) -> Iterator[object]:
    """What the names in a function stand for; of a module, only what is named of it."""
    words = {word for code in _codes(function.__code__) for word in code.co_names}
    for word in sorted(words):
        value = function.__globals__.get(word)
        if isinstance(value, ModuleType):
            yield from (getattr(value, other) for other in sorted(words) if hasattr(value, other))
        else:
            yield value


def _named(function: FunctionType) -> Iterator[str]:
    """The texts that a function can mention: those of its names and those written in it."""
    yield from (value for value in _globals(function) if isinstance(value, str))
    for code in _codes(function.__code__):
        yield from (value for value in code.co_consts if isinstance(value, str))


def _asked(function: FunctionType) -> Iterator[str]:
    """The actions about which a function asks the table of roles."""
    if any(value is may for value in _globals(function)):
        yield from (text for text in _named(function) if text in MAY)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for held in code.co_consts:
        if isinstance(held, CodeType):
            yield from _codes(held)
