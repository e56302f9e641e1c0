"""What an audit pack is: a ZIP that proves one receivable, with all around it that a reader may see, by genesis alone.

No proof of its own: each record carries a state proof, each transaction its receipts, as nodes answer them, and
`clients.verify` and `clients.history` check them. Pure: `clients.packs` asks nodes for what goes in.

Every byte counts. Members are stored, not deflated, in order and with one time, so that the archive is a function of
what is in it, and what it unpacks to is no more than its size; the index has the digest of each, and its own number.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from clients.errors import ClientError
from registry.certificates import HEIGHT_MAX
from registry.codec import DIGEST_SIZE, tagged_digest

__all__ = [
    "PACK_BYTES_MAX",
    "REASONS",
    "Entry",
    "Missing",
    "Pack",
    "entry_of",
    "object_of",
    "pack_bytes",
    "plain_record",
    "read_pack",
    "written",
]

FORMAT: Final = "nemodat-pack-v1"
PACK_BYTES_MAX: Final = 64 * 1024 * 1024
MEMBERS_MAX: Final = 4_096
_INDEX, _README = "index.json", "README.txt"
_FILE: Final = re.compile(r"[a-z_]{1,32}/[0-9a-f]{64}(\.[a-z0-9]{1,8})?")
_END_BYTES, _LOCATOR_BYTES = 22, 20  # of a ZIP's end, and of what says before it that there is a longer one
_ROW_BYTES_MAX = 46 + 128  # of a member in the ZIP's directory
_DAMAGE: Final = (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, EOFError, zlib.error)

# Why something that is known of is not in a pack.
REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "not_for_reader": "on the ledger, and not for this reader",
        "for_holder": "for whoever holds the claim, or there is none",
        "none_shown": "the node shows none; it would show this reader one",
        "by_document": "credit notes are found by their documents: those of the given documents are here",
        "by_facility": "carve-outs are found by their facilities: those of the reader's own are here",
        "by_party": "disputes that are over are found by whom they concern: the reader's own are here",
        "unknown_id": "of a transaction in this block only who sent it knows the id, and it was not given",
        "pruned": "the node that was asked has it no more: an archive may",
    }
)

README: Final = """\
AUDIT PACK OF ONE RECEIVABLE

index.json lists every file: what kind of thing it is, its id, the block as of which it is proved (0: it is not on the
ledger) and its SHA-256; and, under not_included, what is known of and is not here, and why. Each record has the value
on the ledger with its proof: a Merkle path to the state of a block, the block's header, and the signatures of the
authorities that made it final. Transactions have their receipts and the same. changes/ has how the authorities changed
since genesis, ancestry/ that older blocks are in the history of the newest one. dossier/ and document/ are confidential
files of the reader: records here commit to each of them.

To verify it, offline, with the network's genesis file and nothing else (checkpoints, if you keep them, guard against
keys that leaked since):

    nemodat receivable pack-verify pack.zip --genesis genesis.toml [--checkpoints checkpoints.json]

That something is here is proved. That there is no more is proved only where a record lists it; the rest is the word of
the node that was asked, and not_included says so.


单笔应收账款审计包

index.json 列出每个文件: 类别, 标识, 以哪一区块为准得到证明 (0 表示不在账本上) 及其 SHA-256;
not_included 列出已知存在而未收录的内容及原因. 每条记录附有账本上的值及其证明: 通往某区块状态的默克尔路径,
该区块的区块头, 以及使其最终确定的各验证机构的签名. 交易附有回执及同样的证明. changes/ 为自创世以来验证机构的变更,
ancestry/ 证明较早的区块在最新区块的历史之中. dossier/ 与 document/ 为读者自己的保密文件, 此处的记录含有对它们的承诺.

离线验证只需要网络的创世文件 (若保存有检查点, 可防范此后泄露的密钥):

    nemodat receivable pack-verify pack.zip --genesis genesis.toml [--checkpoints checkpoints.json]

包中所载之存在均已得到证明. 除记录自身列明者外, "别无其他" 仅为所询问节点的陈述, 并在 not_included 中注明.
"""


class Entry(NamedTuple):
    """One file of a pack. `height` is the block as of which it is proved, 0 for what is not on the ledger."""

    kind: str
    id: bytes
    height: int
    file: str
    data: bytes


class Missing(NamedTuple):
    """What is known of and not in a pack, and why (one of REASONS). `id` is b"" and `height` 0 where not known."""

    kind: str
    id: bytes
    height: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """What is in a pack: about this receivable, as `reader` (a party id; its own word) could read it, in order."""

    genesis_id: bytes
    receivable: bytes
    reader: str
    entries: tuple[Entry, ...]
    not_included: tuple[Missing, ...]

    @property
    def number(self) -> str:
        """64 hex digits that stand for all of it: two people with the same number have the same pack."""
        return tagged_digest(FORMAT.encode(), written(self._listed())).hex()

    def index(self) -> bytes:
        """The text of index.json."""
        return written(self._listed() | {"number": self.number})

    def _listed(self) -> dict[str, Any]:
        rows = [_row(one._replace(data=hashlib.sha256(one.data).digest())) for one in self.entries]
        return {
            "format": FORMAT,
            "genesis_id": self.genesis_id.hex(),
            "receivable": self.receivable.hex(),
            "reader": self.reader,
            "entries": [{("sha256" if name == "data" else name): value for name, value in row.items()} for row in rows],
            "not_included": [_row(one) for one in self.not_included],
        }


def entry_of(kind: str, id_: bytes, height: int, data: bytes, suffix: str = ".json") -> Entry:
    """The entry with the name of file that it must have."""
    return Entry(kind, id_, height, f"{kind}/{id_.hex()}{suffix}", data)


def written(value: object) -> bytes:
    """The one JSON text of a value."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode("utf-8", "surrogatepass") + b"\n"


def plain_record(record: Any) -> dict[str, Any]:
    """The fields of a record or receipt for people: bytes as hex."""
    return {field.name: _plain(getattr(record, field.name)) for field in fields(record)}


def object_of(entry: Entry) -> dict[str, Any]:
    """The JSON object in an entry. Raises `ClientError` naming its file."""
    return _object(entry.data, entry.file)


def pack_bytes(pack: Pack) -> bytes:
    """The ZIP. Raises `ClientError` if it would be larger than a pack may be."""
    if len(pack.entries) + 2 > MEMBERS_MAX:
        raise ClientError(f"pack: more than {MEMBERS_MAX} files")
    members = {_README: README.encode(), _INDEX: pack.index()} | {one.file: one.data for one in pack.entries}
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name in sorted(members):
            member = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system, member.external_attr = 3, 0o600 << 16
            archive.writestr(member, members[name])
    if len(made.getbuffer()) > PACK_BYTES_MAX:
        raise ClientError(f"pack: larger than {PACK_BYTES_MAX} bytes: give fewer or smaller documents")
    return made.getvalue()


def read_pack(data: bytes) -> Pack:
    """The pack in a ZIP that is whole and unchanged since `pack_bytes`; nothing in it is proved yet.

    Raises `ClientError` naming the file that was changed, is missing, or was added.
    """
    members = _members(data)
    if members.get(_README) != README.encode():
        raise ClientError(f"pack: {_README}: missing, or not the one of {FORMAT}")
    if _INDEX not in members:
        raise ClientError(f"pack: {_INDEX}: missing")
    index = _object(members[_INDEX], _INDEX)
    try:
        pack = _indexed(index, members)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ClientError(f"pack: {_INDEX}: not readable: {type(error).__name__}: {error}") from error
    if added := set(members) - {one.file for one in pack.entries} - {_README, _INDEX}:
        raise ClientError(f"pack: {min(added)}: added: it is not in {_INDEX}")
    if members[_INDEX] != pack.index():
        raise ClientError(f"pack: {_INDEX}: changed: it does not have its own number")
    if pack_bytes(pack) != data:
        raise ClientError("pack: the archive around its files was changed, or made by another program")
    return pack


def _members(data: bytes) -> dict[str, bytes]:
    """The files in the ZIP. How many, and how large, is known before any of it is decoded."""
    if len(data) > PACK_BYTES_MAX:
        raise ClientError(f"pack: larger than {PACK_BYTES_MAX} bytes")
    end, locator = data[-_END_BYTES:], data[-_END_BYTES - _LOCATOR_BYTES : -_END_BYTES]
    if end[:4] != b"PK\x05\x06" or locator[:4] == b"PK\x06\x07":
        raise ClientError("pack: not a ZIP, cut off, or something was added at its end")
    if int.from_bytes(end[12:16], "little") > MEMBERS_MAX * _ROW_BYTES_MAX:
        raise ClientError(f"pack: more than {MEMBERS_MAX} files")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = archive.infolist()
            if len(found) > MEMBERS_MAX or sum(one.file_size for one in found) > len(data):
                raise ClientError("pack: unpacks to more than it can hold")
            for one in found:
                if one.compress_type != zipfile.ZIP_STORED:
                    raise ClientError(f"pack: {one.filename!r}: compressed: not as it was made")
            return {one.filename: archive.read(one) for one in found}
    except _DAMAGE as error:
        raise ClientError(f"pack: damaged: {error}") from error


def _indexed(index: dict[str, Any], members: Mapping[str, bytes]) -> Pack:
    """What the index lists, with the members. Raises `ClientError`, and what else a wrong shape leads to."""
    if index["format"] != FORMAT:
        raise ClientError(f"pack: {_INDEX}: format: {FORMAT} is expected")
    if not isinstance(index["reader"], str):
        raise ClientError(f"pack: {_INDEX}: reader: a party id is expected")
    return Pack(
        genesis_id=_digest(index["genesis_id"]),
        receivable=_digest(index["receivable"]),
        reader=index["reader"],
        entries=tuple(_entries(index["entries"], members)),
        not_included=tuple(
            [
                Missing(_text(one["kind"]), bytes.fromhex(one["id"]), _height(one["height"]), _reason(one["reason"]))
                for one in index["not_included"]
            ]
        ),
    )


def _entries(rows: list[dict[str, Any]], members: Mapping[str, bytes]) -> Iterator[Entry]:
    for row in rows:
        file = _text(row["file"])
        if not _FILE.fullmatch(file) or not file.startswith(f"{row['kind']}/{row['id']}"):
            raise ClientError(f"pack: {_INDEX}: {file!r} is no file of a pack")
        if file not in members:
            raise ClientError(f"pack: {file}: missing")
        if hashlib.sha256(members[file]).hexdigest() != row["sha256"]:
            raise ClientError(f"pack: {file}: changed: it is not what {_INDEX} has the SHA-256 of")
        yield Entry(_text(row["kind"]), _digest(row["id"]), _height(row["height"]), file, members[file])


def _row(one: Entry | Missing) -> dict[str, Any]:
    return {name: _plain(value) for name, value in one._asdict().items()}


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _object(data: bytes, file: str) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ClientError(f"pack: {file}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ClientError(f"pack: {file}: not a JSON object")
    return value


def _digest(text: str) -> bytes:
    found = bytes.fromhex(text)
    if len(found) != DIGEST_SIZE:
        raise ValueError(f"{DIGEST_SIZE} bytes are expected")
    return found


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text is expected")
    return value


def _height(value: object) -> int:
    if type(value) is not int or not 0 <= value <= HEIGHT_MAX:
        raise ValueError("a height is expected")
    return value


def _reason(value: object) -> str:
    if value not in REASONS:
        raise ValueError("a reason that is known is expected")
    return _text(value)
