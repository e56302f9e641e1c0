"""A node that is behind is no reason not to ask the next one: `Stale` is said when no node has anything newer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from clients.errors import RequestFailed, Stale, Unreachable
from clients.exchange import Call, Procedure

__all__ = ["recent"]

T = TypeVar("T")


def recent(call: Call, read: Callable[[Any], T]) -> Procedure[T]:
    """What `read` makes of the JSON that the first node answers whose answer is not too old for it.

    Raises what `read` raises; `Stale` only when every node that can be reached has been asked, and none has what is
    recent. After a stale answer a node that has none, or none for this party, is passed over as well: it may be further
    behind still.
    """
    asked: set[str] = set()
    stale: Stale | None = None
    while True:
        try:
            reply = yield call if stale is None else replace(call, elsewhere=True)
        except Unreachable:
            if stale is None:
                raise
            raise stale from None
        if stale is not None and reply.node in asked:
            raise stale
        asked.add(reply.node)
        try:
            return read(reply.json())
        except Stale as error:
            stale = stale or error
        except RequestFailed:
            if stale is None:
                raise
