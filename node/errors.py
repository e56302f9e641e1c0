"""Errors of the node outside its network and API: each names what is wrong and what its operator can do about it."""

from __future__ import annotations

from pathlib import Path

__all__ = [
    "BackupError",
    "CeremonyError",
    "ConfigError",
    "GenesisMismatch",
    "Inconsistent",
    "KeyFileError",
    "NodeError",
    "NotFound",
    "Pruned",
    "StoreDamaged",
    "StoreError",
    "StoreLocked",
    "UpgradeNeeded",
]


class NodeError(Exception):
    """Base of everything that `node` raises on purpose outside `node.network`."""


class StoreError(NodeError):
    """The store cannot do what was asked: wrong engine, disk full, closed, a key or value out of bounds."""


class StoreLocked(StoreError):
    """Another process has this data folder open. Two nodes on one folder would vote with one memory each."""


class StoreDamaged(StoreError):
    """What the disk gave back is not what was written. Never repaired here: a repair forgets votes."""


class BackupError(NodeError):
    """A backup that cannot be made, read, or restored here. What was restored of it is not to be used."""


class UpgradeNeeded(NodeError):
    """The network makes blocks of a protocol version that this software does not know. It stops, and loses nothing."""


class KeyFileError(NodeError):
    """A key file that is missing, malformed, of another kind, or does not open with this passphrase."""


class CeremonyError(NodeError):
    """Node cards or a genesis file that do not make a network. Names the file and the field."""


class ConfigError(NodeError):
    """A configuration file that a node cannot start with."""

    def __init__(self, file: Path, key: str, reason: str) -> None:
        super().__init__(f"{file}: {key}: {reason}" if key else f"{file}: {reason}")
        self.file = file
        self.key = key
        self.reason = reason


class GenesisMismatch(NodeError):
    """The data folder belongs to another network than the genesis file says."""


class NotFound(NodeError):
    """Nothing final is known under this height, id or key."""


class Pruned(NodeError):
    """It was final, and this node does not keep it (any more): ask an archive, a node that keeps everything."""


class Inconsistent(NodeError):
    """This node contradicts a certified block or its own disk. It must halt: nothing it says can be trusted now."""
