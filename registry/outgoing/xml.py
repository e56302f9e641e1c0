"""Writing an ISO 20022 message: a tree of values laid out as XML, in the order in which it is given."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TypeAlias

from lxml import etree

from registry.money import Money

__all__ = ["Content", "Element", "write"]

Content: TypeAlias = "str | bool | datetime.date | Money | Sequence[Element | None]"
Element: TypeAlias = "tuple[str, Content]"  # a tag, and what stands in it; None in a sequence is left out


def write(namespace: str, root: Element) -> bytes:
    """The document, in UTF-8 with an XML declaration. `Money` becomes an amount with its `Ccy`."""
    document = etree.Element(f"{{{namespace}}}Document", nsmap={None: namespace})  # type: ignore[dict-item]  # lxml's way to say "no prefix"
    _append(document, namespace, root)
    return etree.tostring(document, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _append(parent: etree._Element, namespace: str, element: Element) -> None:
    tag, content = element
    node = etree.SubElement(parent, f"{{{namespace}}}{tag}")
    if isinstance(content, str):
        node.text = content
    elif isinstance(content, bool):
        node.text = "true" if content else "false"
    elif isinstance(content, datetime.date):
        node.text = content.isoformat()
    elif isinstance(content, Money):
        node.set("Ccy", content.currency)
        node.text = content.text
    else:
        for child in content:
            if child is not None:
                _append(node, namespace, child)
