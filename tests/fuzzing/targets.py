"""Everything that decodes bytes of strangers, in one table: what it raises, what it gives back, what to begin with.

`check(target, data)` is the property, for Hypothesis and for the coverage-guided fuzzer alike: decoding gives a value
whose encoding is the input, or raises what is documented; never anything else.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError

from clients.books import read_book
from clients.dossier import Dossier
from clients.errors import ClientError
from clients.pack_files import pack_bytes, read_pack
from clients.portfolios import read_portfolio
from clients.verify import Trust
from consensus.blocks import Block, Header
from consensus.checkpoints import Checkpoint
from consensus.errors import BlockError, CheckpointError, EvidenceError, MessageError
from consensus.evidence import Evidence
from consensus.messages import decode_message, encode_message
from consensus.ranges import Blocks, decode_range_message, encode_range_message, read_pair
from consensus.votes import Certificate, Vote
from node.api.models import ReceiptsRequest, SearchRequest, SubmitRequest
from node.authorities import authority_set
from node.intake import wires_in
from node.network import Channel, ProtocolViolation
from node.network.errors import FrameError, HandshakeError
from node.network.frames import (
    Frame,
    FrameReader,
    Ping,
    check_hello,
    control,
    encode_frame,
    encode_hello,
    encode_ping,
    encode_pong,
)
from node.snapshots.manifest import ManifestError, read_manifest
from node.snapshots.messages import decode_snapshot_message, encode_snapshot_message
from registry.cards import card_from_toml, card_toml, key_card_from_toml
from registry.certificates import CertificateError, check_search_certificate, check_state_proof
from registry.codec import decode, encode
from registry.documents import ColumnMap, DocumentError, Invoice, column_map_of, read_each, receivable_of
from registry.errors import CodecError, FieldError, RegistryError, TransactionError
from registry.genesis import Genesis
from registry.http_signatures import HttpSignatureError, verify_request
from registry.inclusion import InclusionReceipt
from registry.keyfile import KeyFileInvalid, read_key_file
from registry.law.case_file import case_from_json
from registry.lei import read_lei_records
from registry.merkle.log import CompactRange
from registry.merkle.pages import PageError, decode_page, encode_page
from registry.merkle.proofs import ProofError, decode_proof
from registry.outgoing import assignment_from_json
from registry.parties import Party
from registry.pools.rows import read_rows
from registry.pools.rules import FacilityRules
from registry.receipts import Receipt
from registry.transactions.envelope import open_transaction, read_payload
from registry.transactions.operations import operation_from, operation_value
from tests.fuzzing import samples
from tests.registry.world import genesis

__all__ = ["ALL", "TARGETS", "Target", "check", "chosen"]

ALL = "all"

Decoder = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A decoder. `errors` are those it documents; `encode`, where there is one, gives the input back.

    `form` is how its inputs are built (`mutations.FORMS`).
    """

    name: str
    form: str
    decode: Decoder
    errors: tuple[type[Exception], ...]
    seeds: Callable[[], Iterable[bytes]]
    encode: Callable[[Any], bytes] | None = None


def check(target: Target, data: bytes) -> bool:
    """Whether the bytes decode. Anything but the value they encode or a documented error is a failure."""
    try:
        value = target.decode(data)
    except target.errors:
        return False
    if target.encode is not None:
        again = target.encode(value)
        assert again == data, f"{target.name}: decodes to what is encoded as {again[:200].hex()}"
    return True


# --- shapes of inputs -----------------------------------------------------------------------------------------------


def _value(read: Callable[[Any], Any]) -> Decoder:
    """A reader of decoded values, fed with bytes."""
    return lambda data: read(decode(data))


def _text(read: Callable[[str], Any]) -> Decoder:
    """A reader of text, fed with bytes; what is no UTF-8 reaches it as lone surrogates."""
    return lambda data: read(data.decode("utf-8", "surrogateescape"))


def _json(read: Callable[[Any], Any]) -> Decoder:
    """A reader of parsed JSON, as an HTTP client has it."""

    def read_json(data: bytes) -> Any:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise _NoJson(str(error)) from error
        return read(value)

    return read_json


class _NoJson(Exception):
    """What the HTTP client library refuses before any reader of ours."""


# --- what needs a little around it ----------------------------------------------------------------------------------


def _frames(data: bytes) -> bytes:
    """All frames of a stream that arrives in pieces, encoded again, and what is left over."""
    reader, again = FrameReader(), b""
    for start in range(0, len(data), 7):
        reader.feed(data[start : start + 7])
        while (frame := reader.next_frame()) is not None:
            again += encode_frame(frame.channel, frame.payload)
    return again + data[len(data) - reader.waiting :]


def _control(data: bytes) -> bytes:
    message = control(Frame(Channel.CONTROL, data))
    return (encode_ping if isinstance(message, Ping) else encode_pong)(message.number)[5:]


def _hello(data: bytes) -> bytes:
    check_hello(Frame(Channel.CONTROL, data), samples.chain_id())
    return encode_hello(samples.chain_id())[5:]


def _manifest(data: bytes) -> object:
    return read_manifest(data, genesis().id, authority_set(genesis()))


def _range_block(data: bytes) -> None:
    """The blocks of an answer, each as it is handed on."""
    message = decode_range_message(data)
    if isinstance(message, Blocks):
        for height, pair in enumerate(message.pairs, start=message.first):
            read_pair(pair, height)


def _request(data: bytes) -> None:
    """A signed request: its headers and its body are the input, one after the other."""
    head, _, body = data.partition(b"\n\n")
    lines = (line.partition(":") for line in head.decode("latin-1").split("\n"))
    headers = {name.lower().strip(): value.strip() for name, _, value in lines}
    verify_request(
        "POST", authority="node.example", path="/v1/search", query="", headers=headers, body=body, now_s=samples.NOW_S
    )


def _document(name: str) -> Decoder:
    return lambda data: _documents(name, data, None)


def _documents(name: str, data: bytes, column_map: ColumnMap | None) -> None:
    """Readings are invoices or errors, and what an invoice comes to is known."""
    readings = list(read_each(name, data, column_map))
    assert readings, "a file yields something"
    for reading in readings:
        assert isinstance(reading, Invoice | DocumentError)
        if isinstance(reading, Invoice):
            assert receivable_of(reading) is not None
        else:
            assert reading.file == name
            assert reading.reason


def _column_map(value: Any) -> ColumnMap:
    if not isinstance(value, dict):
        raise _NoJson("a settings file is a table")
    return column_map_of(value)


def _portfolio(data: bytes) -> None:
    usual: dict[str, Any] = {"seller": samples.SELLER, "debtor": None, "share": 10**12, "now_ms": 2**48}
    list(read_portfolio("p.csv", io.BytesIO(data), ColumnMap(), **usual))


def _operation(data: bytes) -> bytes:
    return encode(operation_value(operation_from(decode(data), "operation")))


def _same(again: bytes) -> bytes:
    return again


_PROOFS = (CodecError, ProofError)
_BODIES = (ValidationError,)

TARGETS = {
    target.name: target
    for target in (
        # what peers send
        Target(name="codec", form="msgpack", decode=decode, encode=encode, errors=(CodecError,), seeds=samples.codec),
        Target(name="frames", form="bytes", decode=_frames, encode=_same, errors=(FrameError,), seeds=samples.frames),
        Target(
            name="control", form="msgpack", decode=_control, encode=_same, errors=(FrameError,), seeds=samples.controls
        ),
        Target(
            name="hello",
            form="msgpack",
            decode=_hello,
            encode=_same,
            errors=(FrameError, HandshakeError),
            seeds=samples.hellos,
        ),
        Target(
            name="message",
            form="msgpack",
            decode=decode_message,
            encode=encode_message,
            errors=(MessageError,),
            seeds=samples.messages,
        ),
        Target(
            name="block",
            form="msgpack",
            decode=Block.decode,
            encode=Block.encode,
            errors=(BlockError,),
            seeds=samples.blocks,
        ),
        Target(
            name="header",
            form="msgpack",
            decode=Header.decode,
            encode=Header.encode,
            errors=(BlockError,),
            seeds=samples.headers,
        ),
        Target(
            name="vote",
            form="msgpack",
            decode=_value(Vote.from_value),
            encode=lambda vote: encode(vote.to_value()),
            errors=(CodecError, MessageError),
            seeds=samples.votes,
        ),
        Target(
            name="certificate",
            form="msgpack",
            decode=_value(Certificate.from_value),
            encode=lambda certificate: encode(certificate.to_value()),
            errors=(CodecError, MessageError),
            seeds=samples.certificates,
        ),
        Target(
            name="evidence",
            form="msgpack",
            decode=Evidence.decode,
            encode=Evidence.encode,
            errors=(EvidenceError,),
            seeds=samples.evidence,
        ),
        Target(
            name="sync",
            form="msgpack",
            decode=decode_range_message,
            encode=encode_range_message,
            errors=(MessageError,),
            seeds=samples.sync_messages,
        ),
        Target(
            name="snapshot",
            form="msgpack",
            decode=decode_snapshot_message,
            encode=encode_snapshot_message,
            errors=(MessageError,),
            seeds=samples.snapshot_messages,
        ),
        Target(name="manifest", form="msgpack", decode=_manifest, errors=(ManifestError,), seeds=samples.manifests),
        Target(
            name="checkpoint",
            form="msgpack",
            decode=Checkpoint.decode,
            encode=Checkpoint.encode,
            errors=(CheckpointError,),
            seeds=samples.checkpoints,
        ),
        Target(name="range-block", form="msgpack", decode=_range_block, errors=(MessageError,), seeds=samples.pairs),
        Target(
            name="gossip",
            form="msgpack",
            decode=wires_in,
            encode=encode,
            errors=(ProtocolViolation,),
            seeds=samples.gossip,
        ),
        # what members submit
        Target(
            name="transaction",
            form="msgpack",
            decode=partial(open_transaction, chain_id=samples.vector_chain_id()),
            encode=lambda transaction: transaction.wire,
            errors=(TransactionError,),
            seeds=samples.transactions,
        ),
        Target(
            name="payload",
            form="msgpack",
            decode=partial(read_payload, chain_id=samples.vector_chain_id()),
            errors=(TransactionError,),
            seeds=samples.payloads,
        ),
        Target(
            name="operation",
            form="msgpack",
            decode=_operation,
            encode=_same,
            errors=(CodecError, FieldError, TransactionError),
            seeds=samples.operations,
        ),
        Target(
            name="http-signature", form="text", decode=_request, errors=(HttpSignatureError,), seeds=samples.requests
        ),
        Target(
            name="http-submit",
            form="json",
            decode=SubmitRequest.model_validate_json,
            errors=_BODIES,
            seeds=samples.submissions,
        ),
        Target(
            name="http-receipts",
            form="json",
            decode=ReceiptsRequest.model_validate_json,
            errors=_BODIES,
            seeds=samples.receipt_requests,
        ),
        Target(
            name="http-search",
            form="json",
            decode=SearchRequest.model_validate_json,
            errors=_BODIES,
            seeds=samples.searches,
        ),
        # what is shown to clients and courts
        Target(
            name="receipt",
            form="msgpack",
            decode=Receipt.decode,
            encode=Receipt.encode,
            errors=(CodecError, FieldError),
            seeds=samples.receipts,
        ),
        Target(
            name="party",
            form="msgpack",
            decode=_value(Party.decode),
            encode=lambda party: encode(party.encode()),
            errors=(CodecError, FieldError),
            seeds=samples.parties,
        ),
        Target(
            name="proof",
            form="msgpack",
            decode=_value(decode_proof),
            encode=lambda proof: encode(proof.encode()),
            errors=_PROOFS,
            seeds=samples.proofs,
        ),
        Target(
            name="range",
            form="msgpack",
            decode=_value(CompactRange.decode),
            encode=lambda found: encode(found.encode()),
            errors=_PROOFS,
            seeds=samples.ranges,
        ),
        Target(
            name="page", form="bytes", decode=decode_page, encode=encode_page, errors=(PageError,), seeds=samples.pages
        ),
        Target(
            name="state-proof",
            form="json",
            decode=_json(lambda value: check_state_proof(value, samples.state_root())),
            errors=(CertificateError, _NoJson),
            seeds=samples.state_proofs,
        ),
        Target(
            name="search-certificate",
            form="json",
            decode=_json(lambda value: check_search_certificate(value, samples.state_root())),
            errors=(CertificateError, _NoJson),
            seeds=samples.search_certificates,
        ),
        Target(
            name="answer",
            form="json",
            decode=_json(lambda value: Trust(samples.genesis()).receipts(bytes(32), 1, value)),
            errors=(ClientError, _NoJson),
            seeds=samples.answers,
        ),
        Target(
            name="inclusion",
            form="json",
            decode=_json(InclusionReceipt.from_json),
            errors=(FieldError, _NoJson),
            seeds=samples.inclusions,
        ),
        # files
        Target(name="key-file", form="json", decode=read_key_file, errors=(KeyFileInvalid,), seeds=samples.key_files),
        Target(
            name="genesis",
            form="text",
            decode=_text(Genesis.from_toml),
            errors=(FieldError,),
            seeds=samples.genesis_files,
        ),
        Target(
            name="card",
            form="text",
            decode=_text(lambda text: card_toml(card_from_toml(text)).encode()),
            errors=(FieldError,),
            seeds=samples.cards,
        ),
        Target(
            name="key-card",
            form="text",
            decode=_text(key_card_from_toml),
            errors=(FieldError,),
            seeds=samples.key_cards,
        ),
        Target(
            name="dossier", form="json", decode=_text(Dossier.from_json), errors=(ClientError,), seeds=samples.dossiers
        ),
        Target(
            name="pack", form="zip", decode=read_pack, encode=pack_bytes, errors=(ClientError,), seeds=samples.packs
        ),
        Target(name="case", form="json", decode=_text(case_from_json), errors=(FieldError,), seeds=samples.cases),
        Target(
            name="assignment",
            form="json",
            decode=_text(assignment_from_json),
            errors=(RegistryError,),
            seeds=samples.assignments,
        ),
        Target(
            name="lei-records",
            form="json",
            decode=lambda data: read_lei_records(data, file="lei.json"),
            errors=(DocumentError,),
            seeds=samples.lei_records,
        ),
        Target(
            name="facility-rules",
            form="text",
            decode=_text(FacilityRules.from_toml),
            errors=(RegistryError,),
            seeds=samples.facility_rules,
        ),
        Target(
            name="column-map",
            form="json",
            decode=_json(_column_map),
            errors=(FieldError, _NoJson),
            seeds=samples.column_maps,
        ),
        Target(
            name="pool",
            form="text",
            decode=lambda data: read_rows("pool.csv", data),
            errors=(FieldError, DocumentError),
            seeds=samples.pool_rows,
        ),
        Target(
            name="book",
            form="text",
            decode=lambda data: read_book("book.csv", io.BytesIO(data)),
            errors=(DocumentError,),
            seeds=samples.books,
        ),
        Target(name="portfolio", form="text", decode=_portfolio, errors=(DocumentError,), seeds=samples.tables),
        Target(name="xml", form="text", decode=_document("a.xml"), errors=(), seeds=samples.xml_documents),
        Target(name="pdf", form="bytes", decode=_document("a.pdf"), errors=(), seeds=samples.pdf_documents),
        Target(name="ofd", form="zip", decode=_document("a.ofd"), errors=(), seeds=samples.ofd_documents),
        Target(name="xlsx", form="zip", decode=_document("a.xlsx"), errors=(), seeds=samples.xlsx_documents),
        Target(name="csv", form="text", decode=_document("a.csv"), errors=(), seeds=samples.tables),
    )
}


def chosen(name: str, data: bytes) -> tuple[Target, bytes]:
    """The target that an input is for, and what of it; for `ALL` its first byte says so."""
    if name != ALL:
        return TARGETS[name], data
    names = sorted(TARGETS)
    return TARGETS[names[data[0] % len(names)] if data else names[0]], data[1:]
