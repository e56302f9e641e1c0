"""Where everything lies in the store: one letter for each kind, heights as 8 bytes big-endian so that they sort.

s/<path>                           state key (its length before it) and value: by SHA-256 of the key, as the state
                                   tree is, so that a part of the tree is one range here (`registry.merkle.parts`)
t/<page key>                       page of the state tree
b/<height>                         final block: its canonical bytes
h/<height>                         [block hash, header, FINALIZE certificate]: canonical bytes each
r/<height>                         [receipt, ...] of the block: canonical bytes each
e/<height>                         [[kind, subject, [party, ...], detail], ...]: the block's events
x/<transaction id>                 [height, index in the block, first receipt, receipts]
l/<level, 1 byte><index>           node of the log of header hashes
a/<height>                         [[name, consensus key], ...]: the authorities from the next height on, if others
c/<record key>                     the consensus engine's record, opaque
w/writes                           how many times the engine's record was written (`node.guard`)
v/<consensus key>                  evidence against it that this node has and the ledger has not: canonical bytes
i/e/<subject><height><number>      event of this number (4 bytes) in e/<height> is about the subject
i/r/<party>00<receivable>          receivables that a party registered, or is the debtor of
i/c/<party>00<claim>               claims that a party assigned, or that were offered to it
i/f/<family>/<party>00<record>     records of a family that are a party's own
i/p/<party>                        the parties
k/<height><checkpoint key>          checkpoint that a regulator's observer cosigned: canonical bytes
q/<number>                         issued search certificate (JSON), the newest; order and sizes beside them
m/genesis m/version m/tip          chain id, version of this layout, [height, history range]
m/first                            [lowest height whose block is kept, lowest whose receipts and events are]; none:
                                   all are (`node.pruning`, `node.snapshots`)
j/snapshot j/part/<number>         a state that is being fetched, the parts of it that are here (`node.snapshots`)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from node.errors import StoreDamaged
from node.store.protocol import Reader
from registry.codec import Value, decode, encode
from registry.errors import CodecError
from registry.merkle.hashing import PathOf, path_of

__all__ = [
    "AUTHORITIES",
    "BLOCK",
    "CERTIFICATE",
    "CHECKPOINT",
    "CLAIMS_OF",
    "CONSENSUS",
    "EVENTS",
    "EVENTS_OF",
    "EVIDENCE",
    "FIRST_KEY",
    "GENESIS_KEY",
    "HEIGHT",
    "JOINED_PART",
    "JOINING",
    "JOINING_KEY",
    "LAYOUT_VERSION",
    "PAGE",
    "PARTIES",
    "RECEIPTS",
    "RECEIVABLES_OF",
    "STATE",
    "TIP_KEY",
    "TRANSACTION",
    "VERSION_KEY",
    "VOTED",
    "HeightRecord",
    "Place",
    "at_height",
    "event_key",
    "family_prefix",
    "first_kept",
    "first_known",
    "log_key",
    "party_prefix",
    "read_list",
    "read_state",
    "state_entry",
    "state_key",
    "state_puts",
]

LAYOUT_VERSION = b"4"

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
VOTED = b"w/"
EVIDENCE = b"v/"
EVENTS_OF = b"i/e/"
RECEIVABLES_OF = b"i/r/"
CLAIMS_OF = b"i/c/"
RECORDS_OF = b"i/f/"
PARTIES = b"i/p/"
CERTIFICATE = b"q/"
CHECKPOINT = b"k/"
GENESIS_KEY = b"m/genesis"
VERSION_KEY = b"m/version"
TIP_KEY = b"m/tip"
FIRST_KEY = b"m/first"
KNOWN_KEY = b"m/known"
JOINING = b"j/"
JOINING_KEY = b"j/snapshot"
JOINED_PART = b"j/part/"

_PARTY = b"party/"
_KEY_LENGTH = 2  # bytes


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


def state_key(key: bytes) -> bytes:
    """Where the entry of a state key is."""
    return STATE + path_of(key)


def state_entry(stored: bytes) -> tuple[bytes, bytes]:
    """State key and value of a stored entry."""
    end = _KEY_LENGTH + int.from_bytes(stored[:_KEY_LENGTH], "big")
    return stored[_KEY_LENGTH:end], stored[end:]


def read_state(reader: Reader, key: bytes, path_of: PathOf = path_of) -> bytes | None:
    """The value under a state key, None if there is none."""
    stored = reader.get(STATE + path_of(key))
    return None if stored is None else stored[_KEY_LENGTH + len(key) :]


def state_puts(writes: Mapping[bytes, bytes | None], path_of: PathOf = path_of) -> dict[bytes, bytes | None]:
    """What to write for these changes of the state (None: remove), the list of parties included."""
    puts = {
        STATE + path_of(key): None if value is None else len(key).to_bytes(_KEY_LENGTH, "big") + key + value
        for key, value in writes.items()
    }
    for key in [key for key in writes if key.startswith(_PARTY)]:
        puts[PARTIES + key[len(_PARTY) :]] = None if writes[key] is None else b""
    return puts


def first_kept(reader: Reader) -> tuple[int, int]:
    """The lowest height whose block is kept, and the lowest whose receipts and events are. Raises `StoreDamaged`."""
    stored = reader.get(FIRST_KEY)
    if stored is None:
        return 1, 1
    blocks, receipts = read_list(stored, "first heights", 2)
    return blocks, receipts


def first_known(reader: Reader) -> int:
    """The lowest height from which on the ids of all transactions are here. Raises `StoreDamaged`.

    Who began with a state has them as far back as it fetched blocks; pruning forgets blocks and keeps the ids.
    """
    stored = reader.get(KNOWN_KEY)
    if stored is None:
        return first_kept(reader)[0]
    known: int = read_list(stored, "first known height", 1)[0]
    return known
