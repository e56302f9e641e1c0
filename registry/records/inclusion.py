"""Transactions that were kept out of the ledger although the authorities had them (privacy.md 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from registry.records.row import Lists

__all__ = ["Exclusion"]


def _receipts(rows: list[Any]) -> tuple[tuple[bytes, int, bytes], ...]:
    return tuple(map(tuple, rows))


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Transaction `id` was in none of the blocks `first_height` to `last_height`, reported by a party.

    Each receipt is a consensus key, the height it was given at, and its signature (`registry.inclusion`). Who proposed
    those blocks is in their headers; whether a flood or malice kept it out is for people to judge.
    """

    PREFIX: ClassVar = b"exclusion/"
    LISTS: ClassVar[Lists] = {"receipts": _receipts}

    id: bytes
    reported_by: str
    first_height: int
    last_height: int
    valid_until_ms: int
    receipts: tuple[tuple[bytes, int, bytes], ...]

    def concerns(self) -> None:
        """Every member may see who was kept out."""
        return
