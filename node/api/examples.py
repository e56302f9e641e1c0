"""The examples of the API's documentation: made of real records by the shapes of the answers, so that none is stale.

A test checks each against its model. Headers, certificates and paths of proofs are shortened.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from node.api.shapes import claim_json, party_json, receivable_json, record_json
from registry.codec import encode
from registry.money import WHOLE
from registry.parties import Party
from registry.reasons import OK
from registry.receipts import Receipt
from registry.records import Claim, Live, Receivable
from registry.records.contacts import Opening
from registry.records.notices import Notice
from registry.records.row import record_key
from registry.state import Stored, alias_key, claim_key, encode_stored, party_key, receivable_key
from registry.transactions.claims import Release
from registry.transactions.envelope import EACH, draft, seal, subject_id, transaction_id

__all__ = [
    "ALIAS",
    "ANCESTRY",
    "AUTHORITIES",
    "AUTHORITY_CHANGES",
    "BACKUP",
    "BLOCK",
    "CERTIFICATE",
    "CHECKPOINTS",
    "CLAIM",
    "CLAIMS",
    "CONTACT",
    "CONTACTS",
    "DIGEST",
    "EVENTS",
    "EVENT_STREAM",
    "GENESIS",
    "MATCHES",
    "METRICS",
    "OWN_CLAIMS",
    "PARTIES",
    "PARTY",
    "RECEIPTS",
    "RECEIPTS_REQUEST",
    "RECEIVABLE",
    "RECEIVABLES",
    "RECORD",
    "RECORDS",
    "SEARCH_REQUEST",
    "SELLER",
    "STATUS",
    "SUBMITTED",
    "SUBMIT_REQUEST",
    "TRANSACTION",
]

NOW_MS: Final = 1_780_000_000_000  # 2026-05-28
HEIGHT: Final = 42


def _bytes(of: str) -> bytes:
    return hashlib.sha256(of.encode()).digest()


def _hex(of: str) -> str:
    return _bytes(of).hex()


DIGEST: Final = _hex("test")
SELLER: Final = "lei:984500TJEXPORT000197"
DEBTOR: Final = "lei:984500DEIMPORT000108"
FACTOR: Final = "lei:984500CNFACTOR000128"
_FINAL: Final = {"header": _hex("header"), "finality": _hex("finality")}

_PARTY: Final = Party(
    id=SELLER,
    name="Tianjin Export Co., Ltd.",
    country="CN",
    identifiers=(SELLER, "uscc:91120116MA06KXPT5J"),
    roles=("exporter",),
    sign_keys=(_bytes("sign key"),),
    owner_key=_bytes("owner key"),
    receive_key=_bytes("receive key"),
    home="https://node.example:8001",
)
_RECEIVABLE: Final = Receivable(
    id=_bytes("receivable"),
    registrant=SELLER,
    kind="invoice",
    state="confirmed",
    collectible=WHOLE,
    paid=0,
    confirmed_share=WHOLE,
    commitment=_bytes("commitment"),
    debtor_commitment=_bytes("debtor commitment"),
    debtor=DEBTOR,
    seller_country="CN",
    debtor_country="DE",
    laws=("CN", "DE"),
    currency="USD",
    due_month=202607,
    grade="document",
    fingerprints=(("exact", _bytes("exact")), ("number", _bytes("number"))),
    parents=(),
    children=(),
    live=(Live(_bytes("claim"), WHOLE // 5 * 4, 0),),
    claims=(_bytes("claim"),),
    references=(),
    confirmed_ms=NOW_MS,
    language="en",
    text_digest=_bytes("text"),
    registered_ms=NOW_MS,
)
_CLAIM: Final = Claim(
    id=_bytes("claim"),
    receivable=_RECEIVABLE.id,
    assignor=SELLER,
    holder=FACTOR,
    share=WHOLE // 5 * 4,
    state="funded",
    terms_digest=_bytes("terms"),
    form="factoring",
    import_factor="",
    covered=0,
    concluded_ms=0,
    offer_valid_until_ms=NOW_MS + 86_400_000,
    reserved_until_ms=NOW_MS + 600_000,
    funded_ms=NOW_MS,
    holders=(FACTOR,),
    reserved_ms=NOW_MS,
)
_NOTICE: Final = Notice(
    id=_bytes("notice"),
    claim=_CLAIM.id,
    receivable=_RECEIVABLE.id,
    sender=FACTOR,
    assignor=SELLER,
    holder=FACTOR,
    debtor=DEBTOR,
    channel="courier",
    language="en",
    text_digest=_bytes("notice text"),
    account_digest=_bytes("account"),
    sent_ms=NOW_MS,
)
_OPENING: Final = Opening(
    id=_bytes("contact"),
    receivable=_RECEIVABLE.id,
    about=_bytes("other receivable"),
    asker=FACTOR,
    asking=(FACTOR, SELLER),
    asked=("lei:984500SGBANK00000120",),
    by="lei:984500SGBANK00000120",
    by_step="accepted",
    text_digest=_bytes("answer"),
    opened_ms=NOW_MS,
)


def _proof(key: bytes, value: bytes) -> dict[str, Any]:
    return {"key": key.hex(), "value": value.hex(), "proof": _hex("proof"), "height": HEIGHT, **_FINAL}


def _proved(shape: dict[str, Any], key: bytes, record: Stored) -> dict[str, Any]:
    return {"record": shape, "proof": _proof(key, encode_stored(record))}


def _part(name: str, *items: Any) -> dict[str, Any]:
    return {name: list(items), "next": None}


PARTY: Final = _proved(party_json(_PARTY), party_key(SELLER), _PARTY)
PARTIES: Final = _part("parties", PARTY)
ALIAS: Final = {
    "record": {"identifier": _PARTY.identifiers[1], "party": SELLER},
    "proof": _proof(alias_key(_PARTY.identifiers[1]), encode(SELLER)),
}
RECEIVABLE: Final = _proved(receivable_json(_RECEIVABLE), receivable_key(_RECEIVABLE.id), _RECEIVABLE)
RECEIVABLES: Final = _part("receivables", RECEIVABLE)
CLAIM: Final = _proved(claim_json(_CLAIM, now_ms=NOW_MS), claim_key(_CLAIM.id), _CLAIM)
CLAIMS: Final = {"claims": [CLAIM]}
OWN_CLAIMS: Final = _part("claims", CLAIM)
RECORD: Final = _proved(record_json(_NOTICE), record_key(_NOTICE), _NOTICE)
RECORDS: Final = _part("records", RECORD)
MATCHES: Final = {
    "height": HEIGHT,
    "matches": [
        {
            "id": _hex("other receivable"),
            "level": "review",
            "severity": "high",
            "kinds": ["number", "particulars"],
            "state": "registered",
            "own": False,
            "to_acknowledge": True,
        }
    ],
    "external_claims": [
        {
            "id": _hex("external claim"),
            "receivable": _hex("receivable"),
            "source": "CL:RPETC",
            "share": WHOLE,
            "grade": "document",
            "capacity": "debtor",
            "concluded_ms": NOW_MS - 86_400_000,
            "entered_ms": 0,
            "recorded_ms": NOW_MS,
        }
    ],
    "disputes": [
        {
            "id": _hex("dispute"),
            "receivable": _hex("receivable"),
            "ground": "squatting",
            "capacity": "applicant",
            "share": WHOLE,
            "rung": 0,
        }
    ],
    "blankets_beside": [],
}

CONTACT: Final = {
    "contact": {
        "id": _OPENING.id.hex(),
        "receivable": _OPENING.receivable.hex(),
        "about": _OPENING.about.hex(),
        "kinds": ["number", "particulars"],
        "severity": "high",
        "state": "open",
        "until_ms": NOW_MS + 14 * 86_400_000,
        "steps": [
            {"step": "asked", "by": FACTOR, "text_digest": _hex("question"), "language": "en", "at_ms": NOW_MS},
            {"step": "accepted", "by": None, "text_digest": _hex("answer"), "language": "zh", "at_ms": NOW_MS},
        ],
        "sides": None,
    },
    "opening": _proved(record_json(_OPENING), record_key(_OPENING), _OPENING),
}
CONTACTS: Final = _part("contacts", CONTACT)

_PAYLOAD: Final = draft(_bytes("chain"), [_bytes("sign key")], bytes(range(16)), NOW_MS, [Release(_CLAIM.id)], EACH)
_ID: Final = transaction_id(_PAYLOAD)
SUBMIT_REQUEST: Final = {"transactions": [seal(_PAYLOAD, [_bytes("signature") * 2]).hex()]}
SUBMITTED: Final = {
    "results": [
        {"transaction_id": _ID.hex()},
        {"code": "bad_signature", "field": "signatures[0]", "detail": "is not the signer's over this payload"},
    ]
}
RECEIPTS_REQUEST: Final = {"ids": [_ID.hex()], "wait_s": 10}
TRANSACTION: Final = {
    "transaction_id": _ID.hex(),
    "status": "final",
    "height": HEIGHT,
    "block_hash": _hex("block"),
    "receipts": [
        {
            "receipt": Receipt(_ID, 0, OK, subject_id(_ID, 0)).encode().hex(),
            "index": 0,
            "size": 1,
            "path": [],
        }
    ],
    **_FINAL,
}
RECEIPTS: Final = [
    TRANSACTION,
    {"transaction_id": _hex("another"), "status": "pending"},
    {"transaction_id": _hex("a third"), "status": "unknown", "known_since_ms": 0, **_FINAL},
]
BLOCK: Final = {
    "height": HEIGHT,
    "block_hash": _hex("block"),
    "parent": _hex("parent"),
    "proposer": _hex("proposer"),
    "timestamp_ms": NOW_MS,
    "transactions_root": _hex("transactions"),
    "results_root": _hex("results"),
    "state_root": _hex("state"),
    "history_root": _hex("history"),
    **_FINAL,
}
ANCESTRY: Final = {
    "height": 42,
    "ancestor": _hex("ancestor"),
    "path": [_hex("left"), _hex("right")],
    **_FINAL,
}
CHECKPOINTS: Final = {"checkpoints": ["9502c420" + _hex("block")]}
SEARCH_REQUEST: Final = {
    "fingerprints": [{"kind": "exact", "fingerprint": _hex("exact")}, {"kind": "number", "fingerprint": _hex("n")}],
    "purpose": "purchase of invoice, offer 2026-118",
}
CERTIFICATE: Final = {
    "format": "nemodat-search-certificate-v1",
    "number": "4f0c9d1f0f4e4f31a8ed4e0cf9b2a6a1",
    "genesis_id": _hex("genesis"),
    "requester": FACTOR,
    "purpose": SEARCH_REQUEST["purpose"],
    "height": HEIGHT,
    "timestamp_ms": NOW_MS,
    "results": [
        {
            "kind": "exact",
            "level": "block",
            "fingerprint": _hex("exact"),
            "matches": [],
            "value": None,
            "proof": _hex("proof of absence"),
        }
    ],
    "not_searched": ["seller's books outside this registry"],
    "changes": [],
    **_FINAL,
}
EVENTS: Final = {
    "events": [
        {
            "kind": "funded",
            "severity": "info",
            "height": HEIGHT,
            "subject": _CLAIM.id.hex(),
            "detail": str(_CLAIM.share),
        }
    ],
    "next": HEIGHT + 1,
    "more": False,
}
EVENT_STREAM: Final = (
    f'id: {HEIGHT}\r\nevent: funded\r\ndata: {{"kind": "funded", "severity": "info", "height": {HEIGHT}, '
    f'"subject": "{_CLAIM.id.hex()}", "detail": "{_CLAIM.share}"}}\r\n\r\n'
)
GENESIS: Final = 'name = "trade-net"\ncreated_ms = 1780000000000\n# authorities, observers, parties, parameters\n'
AUTHORITIES: Final = {
    "height": HEIGHT + 1,
    "authorities": [
        {"party": FACTOR, "consensus_key": _hex("consensus key of one")},
        {"party": "lei:984500SGBANK00000120", "consensus_key": _hex("consensus key of another")},
    ],
}
AUTHORITY_CHANGES: Final = {"changes": [_hex("header, certificate and set")], "next": None}
BACKUP: Final = "NEMODAT-backup-1\n..."
METRICS: Final = "# TYPE nemodat_height gauge\nnemodat_height 42.0\n"
STATUS: Final = {
    "name": "node-a",
    "role": "authority",
    "genesis_id": _hex("genesis"),
    "height": HEIGHT,
    "block_hash": _hex("block"),
    "state_root": _hex("state"),
    "tip_timestamp_ms": NOW_MS,
    "tip_age_ms": 800,
    "view": 43,
    "voting": True,
    "alarm": "",
    "mempool": 3,
    "mempool_bytes": 2100,
    "gossip_dropped": 0,
    "store_engine": "leveldb",
    "lag": 0,
    "sync_blocks_per_s": 0.0,
    "accused": [],
    "protocol": {"version": 1, "known": 2, "next_version": 2, "from_height": HEIGHT + 1000},
    "view_changes": [{"height": HEIGHT - 1, "view": 0, "leader": "lei:984500SGBANK00000120", "at_ms": NOW_MS}],
    "peers": [
        {
            "name": "lei:984500SGBANK00000120",
            "role": "authority",
            "connected": True,
            "height": HEIGHT,
            "round_trip_ms": 31.5,
            "votes_in_time": 0.97,
            "failed_views": 1,
            "last_error": "",
        }
    ],
}
