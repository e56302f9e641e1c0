"""Where everything lies in the store: one letter for each kind, heights as 8 bytes big-endian so that they sort.

s/<state key>                      state value
t/<page key>                       page of the state tree
b/<height>                         final block: its canonical bytes
h/<height>                         [block hash, header, FINALIZE certificate]: canonical bytes each
r/<height>                         [receipt, ...] of the block: canonical bytes each
e/<height>                         [[kind, subject, [party, ...], detail], ...]: the block's events
x/<transaction id>                 [height, index in the block, first receipt, receipts]
l/<level, 1 byte><index>           node of the log of header hashes
a/<height>                         [[name, consensus key], ...]: the authorities from the next height on, if others
c/<record key>                     the consensus engine's record, opaque
v/<consensus key>                  evidence against it that this node has and the ledger has not: canonical bytes
i/e/<subject><height><number>      event of this number (4 bytes) in e/<height> is about the subject
i/r/<party>00<receivable>          receivables that a party registered, or is the debtor of
i/c/<party>00<claim>               claims that a party assigned, or that were offered to it
i/f/<family>/<party>00<record>     records of a family that are a party's own
q/<number>                         issued search certificate (JSON), the newest; order and sizes beside them
m/genesis m/version m/tip          chain id, version of this layout, [height, history range]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from node.errors import StoreDamaged
from registry.codec import Value, decode, encode
from registry.errors import CodecError

__all__ = [
    "AUTHORITIES",
    "BLOCK",
    "CERTIFICATE",
    "CLAIMS_OF",
    "CONSENSUS",
    "EVENTS",
    "EVENTS_OF",
    "EVIDENCE",
    "GENESIS_KEY",
    "HEIGHT",
    "LAYOUT_VERSION",
    "PAGE",
    "RECEIPTS",
    "RECEIVABLES_OF",
    "STATE",
    "TIP_KEY",
    "TRANSACTION",
    "VERSION_KEY",
    "HeightRecord",
    "Place",
    "at_height",
    "event_key",
    "family_prefix",
    "log_key",
    "party_prefix",
    "read_list",
]

LAYOUT_VERSION = b"1"

STATE = b"s/"
PAGE = b"t/"
BLOCK = b"b/"
HEIGHT = b"h/"
RECEIPTS = b"r/"
EVENTS = b"e/"
TRANSACTION = b"x/"
LOG = b"l/"
AUTHORITIES = b"a/"
CONSENSUS = b"c/"
EVIDENCE = b"v/"
EVENTS_OF = b"i/e/"
RECEIVABLES_OF = b"i/r/"
CLAIMS_OF = b"i/c/"
RECORDS_OF = b"i/f/"
CERTIFICATE = b"q/"
GENESIS_KEY = b"m/genesis"
VERSION_KEY = b"m/version"
TIP_KEY = b"m/tip"


@dataclass(frozen=True, slots=True)
class HeightRecord:
    """What makes a height final: the block's hash, and header and FINALIZE certificate in canonical bytes."""

    block_hash: bytes
    header: bytes
    certificate: bytes

    def encode(self) -> bytes:
        """The stored bytes."""
        return encode([self.block_hash, self.header, self.certificate])

    @classmethod
    def decode(cls, data: bytes) -> HeightRecord:
        """The record of these stored bytes. Raises `StoreDamaged`."""
        return cls(*read_list(data, "height record", 3))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a transaction is: height, index in the block, and which of the block's receipts are its own."""

    height: int
    index: int
    first_receipt: int
    receipts: int

    def encode(self) -> bytes:
        """The stored bytes."""
        return encode([self.height, self.index, self.first_receipt, self.receipts])

    @classmethod
    def decode(cls, data: bytes) -> Place:
        """The place in these stored bytes. Raises `StoreDamaged`."""
        return cls(*read_list(data, "transaction index", 4))


def at_height(kind: bytes, height: int) -> bytes:
    """The key of a kind that there is one of at each height."""
    return kind + height.to_bytes(8, "big")


def log_key(level: int, index: int) -> bytes:
    """The key of a node of the log of header hashes."""
    return LOG + bytes((level,)) + index.to_bytes(8, "big")


def event_key(subject: bytes, height: int, number: int) -> bytes:
    """The key that says that event `number` of a height is about a subject (32 bytes)."""
    return EVENTS_OF + subject + height.to_bytes(8, "big") + number.to_bytes(4, "big")


def family_prefix(family: str) -> bytes:
    """What the index of a family of records begins with."""
    return RECORDS_OF + family.encode() + b"/"


def party_prefix(kind: bytes, party: str) -> bytes:
    """What the keys of a party's own index begin with; ids of parties hold no zero byte."""
    return kind + party.encode() + b"\x00"


def read_list(data: bytes, what: str, count: int | None = None) -> list[Any]:
    """The stored list in `data`, of `count` items if that is known. Raises `StoreDamaged` naming `what`."""
    try:
        value: Value = decode(data, size_max=len(data))
    except CodecError as error:
        raise StoreDamaged(f"the stored {what} does not decode: {error}") from error
    if not isinstance(value, list) or (count is not None and len(value) != count):
        raise StoreDamaged(f"the stored {what} is not what this version writes")
    return value
