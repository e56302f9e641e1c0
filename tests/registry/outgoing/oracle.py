"""Whether a message is valid, by the classes of python-iso20022, which are generated from the schemas of ISO 20022.

Those classes check nothing themselves, but say everything that the schema says of an element: order, presence, number,
length, pattern, digits. `checked` holds a message against all of it, and against the rules of xs:ID and xs:IDREF, whose
types the classes lose: such fields are the ones that are text without any length or pattern.
"""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from lxml import etree
from xsdata.exceptions import ConverterWarning
from xsdata.formats.dataclass.context import XmlContext
from xsdata.formats.dataclass.parsers import XmlParser
from xsdata.formats.dataclass.serializers import XmlSerializer

CONTEXT = XmlContext()  # what is known of the classes: costly to find out
PARSER = XmlParser(context=CONTEXT)
SERIALIZER = XmlSerializer(context=CONTEXT)


def checked(data: bytes, cls: type, message: str) -> Any:
    """The message as an object of `cls`; an assertion fails if it is not valid."""
    root = etree.fromstring(data)
    assert root.tag == f"{{urn:iso:std:iso:20022:tech:xsd:{message}.001.01}}Document"
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConverterWarning)  # of a code that its list does not have, or a bad date
        model = PARSER.from_bytes(data, cls)  # fails on elements that the schema does not have
    problems = list(_problems(model, "Document"))
    assert problems == []
    ids, references = [], []
    _collect(model, ids, references)
    assert len(ids) == len(set(ids))
    assert set(references) <= set(ids)
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", id_) for id_ in ids)
    again = etree.fromstring(SERIALIZER.render(model).encode())
    assert list(_flat(root)) == list(_flat(again))  # which is written in the order of the schema
    return model


def _problems(value: Any, place: str) -> Iterator[str]:
    chosen = [field.name for field in dataclasses.fields(value) if getattr(value, field.name) not in (None, [])]
    if re.search(r"ChoiceTsin\d+$", type(value).__name__) and len(chosen) != 1:
        yield f"{place}: {chosen} of a choice"
    for field in dataclasses.fields(value):
        rules, content = field.metadata, getattr(value, field.name)
        here = f"{place}/{rules.get('name', field.name)}"
        items = content if isinstance(content, list) else [] if content is None else [content]
        if rules.get("required") and not items:
            yield f"{here}: is required"
        if not rules.get("min_occurs", 0) <= len(items) <= rules.get("max_occurs", len(items)):
            yield f"{here}: occurs {len(items)} times"
        for item in items:
            yield from _problems(item, here) if dataclasses.is_dataclass(item) else _broken(item, rules, here)


def _broken(item: Any, rules: Any, place: str) -> Iterator[str]:
    if isinstance(item, str):
        if not rules.get("min_length", 0) <= len(item) <= rules.get("max_length", len(item)):
            yield f"{place}: has {len(item)} characters"
        if "pattern" in rules and not re.fullmatch(rules["pattern"], item):
            yield f"{place}: {item} does not match {rules['pattern']}"
    if isinstance(item, Decimal):
        _, digits, exponent = item.as_tuple()
        assert isinstance(exponent, int)
        if len(digits) > rules.get("total_digits", 99) or -exponent > rules.get("fraction_digits", 99):
            yield f"{place}: {item} has too many digits"
        if item < rules.get("min_inclusive", item):
            yield f"{place}: {item} is too small"


def _collect(value: Any, ids: list[str], references: list[str]) -> None:
    for field in dataclasses.fields(value):
        content = getattr(value, field.name)
        for item in content if isinstance(content, list) else [content]:
            if dataclasses.is_dataclass(item):
                _collect(item, ids, references)
            elif isinstance(item, str) and not {"max_length", "pattern"} & set(field.metadata):
                (ids if field.name == "id" else references).append(item)


def _flat(root: etree._Element) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Below the root, which python-iso20022 names wrongly."""
    for node in root.iterdescendants():
        yield node.tag, (node.text or "").strip(), dict(node.attrib)
