"""The change that schedules another protocol version; it stands in a proposal (`transactions.governance`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from registry.codec import Value
from registry.limits import HEIGHT_MAX, VERSION_MAX
from registry.transactions.fields import Field, integer

__all__ = ["ScheduleUpgrade"]


def _version(value: Value, field: str) -> int:
    """A protocol version, the one after that in force."""
    return integer(value, field, low=2, high=VERSION_MAX)


def _height(value: Value, field: str) -> int:
    """The height of the first block of it."""
    return integer(value, field, low=1, high=HEIGHT_MAX)


@dataclass(frozen=True, slots=True)
class ScheduleUpgrade:
    """A change: blocks are of protocol version `version` from height `from_height` on."""

    NAME: ClassVar = "schedule_upgrade"
    FIELDS: ClassVar = (Field("version", _version), Field("from_height", _height))

    version: int
    from_height: int

    @property
    def subject(self) -> str:
        """What is changed: no party, but the protocol."""
        return f"protocol:{self.version}"
