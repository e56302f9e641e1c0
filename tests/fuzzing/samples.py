"""Honest inputs of every decoder, to begin mutations with: golden vectors, and small samples written here."""

from __future__ import annotations

import datetime
import io
import json
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from pypdf import PdfWriter

from clients.dossier import Dossier
from clients.pack_files import Missing, Pack, entry_of, pack_bytes
from consensus.checkpoints import cosign
from consensus.messages import (
    BlockRequest,
    Body,
    Decided,
    DecidedRequest,
    HeldVotes,
    Resend,
    VotesRequest,
    decode_message,
    encode_message,
)
from node.certificates import make_certificate
from node.network import Channel
from node.network.frames import encode_frame, encode_hello, encode_ping, encode_pong
from node.snapshots.messages import (
    AskHeld,
    AskManifest,
    AskPart,
    Cosigned,
    Gone,
    Held,
    ManifestOf,
    PartOf,
    encode_snapshot_message,
)
from registry.cards import Card, CardNode, card_toml, key_card, key_card_toml, proved
from registry.certificates import Finding, build_search_certificate, build_state_proof
from registry.codec import decode, encode
from registry.fingerprint import Particulars
from registry.genesis import Genesis
from registry.http_signatures import sign_request
from registry.inclusion import give_receipt
from registry.keyfile import KDF_TEST, SecretKey, seal_key
from registry.keys import SigningKey
from registry.law.shipped import example_case
from registry.merkle.log import CompactRange, entry_hash
from registry.merkle.pages import PageCache
from registry.merkle.proofs import prove
from registry.merkle.tree import TreeUpdate, rebuild
from registry.state import print_key, receivable_key
from tests.node.snapshots.world import Peer, copy, written
from tests.registry.documents.builders import CSV_HEADER, CSV_ROW, cii, ubl, xlsx
from tests.registry.documents.national import COMPLETE
from tests.registry.outgoing.samples import JSON as ASSIGNMENT
from tests.registry.test_lei import row as lei_row
from tests.registry.test_pools import HEADER as POOL_HEADER
from tests.registry.test_pools import LINE as POOL_LINE
from tests.registry.test_pools import TOML as FACILITY_TOML
from tests.registry.world import World, key_of, mark, name_id

NOW_S = 1_780_000_000
SELLER = "lei:984500TJEXPORT000197"

_REGISTRY = Path(__file__).parents[1] / "registry" / "vectors"
_CONSENSUS = Path(__file__).parents[1] / "consensus" / "vectors.json"


@cache
def _vectors(path: Path) -> Any:
    return json.loads(path.read_text())


# --- consensus and network ------------------------------------------------------------------------------------------


def chain_id() -> bytes:
    return bytes.fromhex(_vectors(_CONSENSUS)["genesis_id"])


def codec() -> Iterable[bytes]:
    return [
        bytes.fromhex(row["hex"])
        for rows in ("accepted", "refused")
        for row in _vectors(_REGISTRY / "codec.json")[rows]
    ]


def headers() -> Iterable[bytes]:
    return [bytes.fromhex(row["encoded"]) for row in _vectors(_CONSENSUS)["headers"]]


def blocks() -> Iterable[bytes]:
    return [bytes.fromhex(row["block"]) for row in _vectors(_CONSENSUS)["headers"]]


def votes() -> Iterable[bytes]:
    return [bytes.fromhex(row["encoded"]) for row in _vectors(_CONSENSUS)["votes"]]


def certificates() -> Iterable[bytes]:
    return [bytes.fromhex(row["encoded"]) for row in _vectors(_CONSENSUS)["certificates"]]


def evidence() -> Iterable[bytes]:
    return [bytes.fromhex(_vectors(_CONSENSUS)["evidence"]["encoded"])]


@cache
def messages() -> Iterable[bytes]:
    """One of each kind."""
    golden = [bytes.fromhex(text) for text in _vectors(_CONSENSUS)["messages"].values()]
    decided = next(each for each in map(decode_message, golden) if isinstance(each, Decided))
    resend = next(each for each in map(decode_message, golden) if isinstance(each, Resend))
    others = (
        resend.votes[0],
        decided.certificate,
        Body(decided.block),
        HeldVotes(resend.height, resend.votes),
        DecidedRequest(1),
        BlockRequest(1, decided.block.hash),
        VotesRequest(2),
    )
    return (*golden, *map(encode_message, others))


def controls() -> Iterable[bytes]:
    return [encode_ping(0)[5:], encode_pong(2**40)[5:]]


def hellos() -> Iterable[bytes]:
    return [encode_hello(chain_id())[5:]]


def frames() -> Iterable[bytes]:
    return [encode_hello(chain_id()) + encode_ping(1), encode_frame(Channel.CONSENSUS, next(iter(messages())))]


def sync_messages() -> Iterable[bytes]:
    decided = [[block, certificate] for block, certificate in zip(blocks(), certificates(), strict=False)]
    return [
        encode(["tip", 1, 3]),
        encode(["ask", 1, 64]),
        encode(["blocks", 1, decided[:1]]),
        encode(["blocks", 1, []]),
    ]


@cache
def _peer() -> Peer:
    return Peer(copy(written()))


def snapshot_messages() -> Iterable[bytes]:
    """One of each kind."""
    (offer,) = _peer().held.offers()
    part = _peer().held.part(offer[0], 4, 3)
    messages = (
        AskHeld(),
        Held((offer,)),
        AskManifest(offer[0]),
        ManifestOf(offer[0], next(iter(manifests()))),
        AskPart(offer[0], 4, 3),
        PartOf(offer[0], 3, part or ()),
        Gone(7),
        Cosigned(next(iter(checkpoints()))),
    )
    return [encode_snapshot_message(message) for message in messages]


def manifests() -> Iterable[bytes]:
    manifest = _peer().held.manifest(_peer().height)
    assert manifest is not None
    return [manifest.encode()]


def checkpoints() -> Iterable[bytes]:
    manifest = _peer().held.manifest(_peer().height)
    assert manifest is not None
    return [cosign(genesis().id, manifest.header, key_of("EXP_CN")).encode()]


def pairs() -> Iterable[bytes]:
    return [encode(["blocks", 1, [[next(iter(blocks())), list(certificates())[2]]]])]


def gossip() -> Iterable[bytes]:
    return [encode(list(transactions())[:2])]


# --- transactions and HTTP ------------------------------------------------------------------------------------------


def vector_chain_id() -> bytes:
    return bytes.fromhex(_vectors(_REGISTRY / "transactions.json")["chain_id"])


def _transactions(what: str) -> list[bytes]:
    return [bytes.fromhex(row[what]) for row in _vectors(_REGISTRY / "transactions.json")["transactions"].values()]


def transactions() -> Iterable[bytes]:
    return _transactions("wire")


def payloads() -> Iterable[bytes]:
    return _transactions("payload")


def operations() -> Iterable[bytes]:
    """One of each."""
    return [encode(operation) for payload in payloads() for operation in decode(payload)[6]]  # type: ignore[index]


def requests() -> Iterable[bytes]:
    body = json.dumps({"fingerprints": []}).encode()
    headers = sign_request(
        "POST",
        "http://node.example/v1/search",
        {"content-type": "application/json"},
        body,
        SigningKey.from_seed(bytes(32)),
        created_s=NOW_S,
        nonce="0123456789abcdef0123456789abcdef",
    )
    lines = "\n".join(f"{name}: {value}" for name, value in headers.items())
    return [lines.encode("latin-1") + b"\n\n" + body]


def submissions() -> Iterable[bytes]:
    return [json.dumps({"transactions": [wire.hex() for wire in list(transactions())[:2]]}).encode()]


def receipt_requests() -> Iterable[bytes]:
    return [json.dumps({"ids": [mark("a").hex(), mark("b").hex()], "wait_s": 1.5}).encode()]


def searches() -> Iterable[bytes]:
    queries = [{"kind": "exact", "fingerprint": mark("a").hex()}]
    return [json.dumps({"fingerprints": queries, "purpose": "purchase"}).encode()]


# --- proofs ---------------------------------------------------------------------------------------------------------


@cache
def _world() -> tuple[World, TreeUpdate]:
    world = World()
    for index in range(20):
        world.registered(f"invoice {index}")
    return world, rebuild(world.state.items())


def genesis() -> Genesis:
    return _world()[0].genesis


def state_root() -> bytes:
    return _world()[1].root


def receipts() -> Iterable[bytes]:
    return [bytes.fromhex(row["encoded"]) for row in _vectors(_REGISTRY / "receipts.json")["receipts"]]


def parties() -> Iterable[bytes]:
    return [encode(party.encode()) for party in genesis().parties]


def _source() -> PageCache:
    return PageCache({key: page for key, page in _world()[1].records() if page is not None}.get)


def proofs() -> Iterable[bytes]:
    keys = [print_key("exact", mark("exact invoice 1")), print_key("exact", mark("unknown"))]
    return [encode(prove(_source(), key).encode()) for key in keys]  # type: ignore[arg-type]


def ranges() -> Iterable[bytes]:
    found = CompactRange()
    for index in range(11):
        found = found.append(entry_hash(bytes([index])))
    return [encode(CompactRange().encode()), encode(found.encode())]


def pages() -> Iterable[bytes]:
    return [page for _, page in _world()[1].records() if page is not None][:4]


def state_proofs() -> Iterable[bytes]:
    world, _ = _world()
    key = print_key("exact", mark("exact invoice 1"))
    found = [(key, world.state.get(key)), (receivable_key(mark("x")), None)]
    return [
        json.dumps(
            build_state_proof(key=key, value=value, proof=prove(_source(), key), height=1, header=b"h", finality=b"f")
        ).encode()
        for key, value in found
    ]


def search_certificates() -> Iterable[bytes]:
    world, _ = _world()
    searched = [("exact", mark("exact invoice 1")), ("number", mark("unknown"))]
    findings = []
    for kind, fingerprint in searched:
        key = print_key(kind, fingerprint)
        findings.append(Finding(kind, fingerprint, world.state.get(key), prove(_source(), key)))
    made = build_search_certificate(
        genesis_id=world.genesis.id,
        requester=name_id("F_SG"),
        purpose="purchase",
        height=world.height,
        timestamp_ms=world.now_ms,
        findings=findings,
        header=b"header",
        finality=b"finality",
        changes=(),
    )
    return [json.dumps(made).encode()]


def inclusions() -> Iterable[bytes]:
    given = give_receipt(key_of("consensus F_CN"), chain_id(), mark("t"), height=3, valid_until_ms=NOW_S * 1_000)
    return [json.dumps(given.to_json()).encode()]


def answers() -> Iterable[bytes]:
    header, certificate = next(iter(headers())), list(certificates())[2]
    receipt = {"receipt": next(iter(receipts())).hex(), "index": 0, "size": 1, "path": [mark("a").hex()]}
    answer = {"transaction_id": bytes(32).hex(), "status": "final", "height": 1, "index": 0}
    return [
        json.dumps(answer | {"header": header.hex(), "finality": certificate.hex(), "receipts": [receipt]}).encode()
    ]


# --- files ----------------------------------------------------------------------------------------------------------


@cache
def key_files() -> Iterable[bytes]:
    key = SecretKey("sign", key_of("fuzz").public_key, key_of("fuzz").seed)
    return [seal_key(key, b"a passphrase", cost=KDF_TEST, salt=bytes(16), nonce=bytes(12))]


def cards() -> Iterable[bytes]:
    party = next(each for each in genesis().parties if each.id == name_id("F_CN"))
    node = CardNode(
        role="authority",
        address="node.example:7001",
        transport_certificate=make_certificate(bytes(32), "a node"),
        consensus_key=key_of("consensus").public_key,
    )
    card = Card(party=party, node=node)
    keys = [key_of("F_CN"), key_of("owner F_CN")]
    return [card_toml(each).encode() for each in (card, proved(card, genesis().id, party=keys, consensus=keys[0]))]


def key_cards() -> Iterable[bytes]:
    return [key_card_toml(key_card(key_of("F_CN"), genesis().id, name_id("F_CN"), "add_key")).encode()]


def genesis_files() -> Iterable[bytes]:
    return [(_REGISTRY / "genesis.toml").read_bytes()]


def dossiers() -> Iterable[bytes]:
    particulars = Particulars(
        seller=SELLER,
        debtor="lei:984500DEIMPORT000108",
        number="TJ-2026-00417",
        currency="USD",
        amount_minor=10_000_000,
        issue_date=datetime.date(2026, 5, 2),
        due_date=datetime.date(2026, 7, 31),
    )
    dossier = Dossier(
        receivable=mark("r"), particulars=particulars, salt=mark("s"), debtor_salt=mark("d"), document=mark("f")
    )
    return [dossier.to_json().encode()]


def packs() -> Iterable[bytes]:
    (dossier,), (proof, *_) = dossiers(), state_proofs()
    entries = (
        entry_of("claim", mark("c"), 7, proof),
        entry_of("document", mark("f"), 0, b"PK\x01\x02", ".pdf"),
        entry_of("dossier", mark("r"), 0, dossier),
    )
    missing = (Missing("claim", mark("d"), 0, "not_for_reader"), Missing("transaction", b"", 7, "unknown_id"))
    made = Pack(genesis_id=mark("g"), receivable=mark("r"), reader=SELLER, entries=entries, not_included=missing)
    return [pack_bytes(made)]


def cases() -> Iterable[bytes]:
    return [example_case().encode()]


def assignments() -> Iterable[bytes]:
    return [json.dumps(ASSIGNMENT).encode()]


def lei_records() -> Iterable[bytes]:
    return [json.dumps({"data": [lei_row(), lei_row(successor="984500DEIMPORT000108")]}).encode()]


def facility_rules() -> Iterable[bytes]:
    assert tomllib.loads(FACILITY_TOML)
    return [FACILITY_TOML.encode()]


def column_maps() -> Iterable[bytes]:
    settings = {"columns": {"number": "Belegnr"}, "constants": {"currency": "EUR"}, "date_order": "dmy", "sheet": "1"}
    return [json.dumps(settings).encode()]


def pool_rows() -> Iterable[bytes]:
    return [f"{POOL_HEADER}\n{POOL_LINE}\n".encode()]


def books() -> Iterable[bytes]:
    return [f"claim,receivable,share,state\n{mark('c').hex()},{mark('r').hex()},80%,funded\n".encode()]


def tables() -> Iterable[bytes]:
    return [f"{CSV_HEADER}\n{CSV_ROW}\n".encode(), f"{CSV_HEADER}\n{CSV_ROW}\n".replace(",", ";").encode("utf-16")]


def xml_documents() -> Iterable[bytes]:
    return [ubl(), cii(), *(data for name, data in COMPLETE.items() if name.endswith(".xml"))]


@cache
def pdf_documents() -> Iterable[bytes]:
    writer = PdfWriter()
    writer.add_blank_page(72, 72)
    writer.add_attachment("factur-x.xml", cii())
    out = io.BytesIO()
    writer.write(out)
    return [out.getvalue()]


def ofd_documents() -> Iterable[bytes]:
    return [data for name, data in COMPLETE.items() if name.endswith(".ofd")]


@cache
def xlsx_documents() -> Iterable[bytes]:
    return [xlsx(CSV_HEADER.split(","), CSV_ROW.split(","))]
