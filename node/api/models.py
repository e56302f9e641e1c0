"""The JSON of the API: requests are checked by these models, answers are documented by them.

Answers are built as plain objects and not passed through a model again. Bytes are lower-case hexadecimal everywhere.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from registry.fingerprint import SEARCHED_LEVELS
from registry.limits import SEARCH_MAX
from registry.records.contacts import CONTACT_STATES

__all__ = [
    "IDS_MAX",
    "TRANSACTIONS_MAX",
    "WAIT_S_MAX",
    "Ancestry",
    "Block",
    "CheckpointList",
    "ClaimList",
    "ContactList",
    "EventPage",
    "Health",
    "MatchList",
    "NodeStatus",
    "OneContact",
    "OperationList",
    "OutsideClaim",
    "OwnClaims",
    "PartyList",
    "ProblemDetails",
    "Proved",
    "ReceiptsRequest",
    "ReceivableList",
    "RecordList",
    "SearchCertificate",
    "SearchRequest",
    "SubmitAnswer",
    "SubmitRequest",
    "TransactionAnswer",
]

TRANSACTIONS_MAX: Final = 1000  # of one submission
IDS_MAX: Final = 1000  # transactions asked for at once
WAIT_S_MAX: Final = 30.0
PURPOSE_CHARS_MAX: Final = 200
_DIGEST: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", examples=[_DIGEST])]
Hex = Annotated[str, Field(pattern=r"^([0-9a-f]{2})*$")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class SubmitRequest(_Request):
    """Transactions as JSON; a canonical MessagePack list of them is smaller and faster."""

    transactions: list[Annotated[Hex, Field(min_length=2)]] = Field(
        min_length=1, max_length=TRANSACTIONS_MAX, examples=[["92c4a0", "92c4a1"]]
    )


class ReceiptsRequest(_Request):
    """Transactions whose receipts are wanted, each once; `wait_s` is how long the answer may wait for all of them."""

    ids: list[Digest] = Field(min_length=1, max_length=IDS_MAX, json_schema_extra={"uniqueItems": True})
    wait_s: float = Field(default=0.0, ge=0.0, le=WAIT_S_MAX, examples=[10])


class FingerprintQuery(_Request):
    """One fingerprint to look for."""

    kind: Literal[tuple(SEARCHED_LEVELS)] = Field(examples=["exact"])  # type: ignore[valid-type]
    fingerprint: Digest


class SearchRequest(_Request):
    """A search; `purpose` stands in the certificate."""

    fingerprints: list[FingerprintQuery] = Field(min_length=1, max_length=SEARCH_MAX)
    purpose: str = Field(min_length=1, max_length=PURPOSE_CHARS_MAX, examples=["purchase of invoice, offer 2026-118"])


class OperationField(_Answer):
    """A field: type, meaning with its unit, what its values must be; `default` is empty where it must be given."""

    name: str
    type: str
    meaning: str
    must: str
    default: str


class OneOperation(_Answer):
    """An operation, or a change that authorities propose. `may`: action -> roles; `reasons`: code -> meaning, all."""

    name: str
    kind: Literal["operation", "change"]
    meaning: str
    rule: str
    fields_: list[OperationField] = Field(alias="fields")
    may: dict[str, list[str]]
    reasons: dict[str, str]


class OperationList(_Answer):
    """Every operation and every change."""

    operations: list[OneOperation]


class ProblemDetails(_Answer):
    """RFC 9457. `code` is stable; `field` names what is wrong in the request."""

    type: str = Field(examples=["urn:nemodat:problem:malformed"])
    title: str = Field(examples=["The request is not well formed"])
    status: int = Field(examples=[400])
    detail: str = Field(examples=["32 bytes in lower-case hexadecimal are expected"])
    code: str = Field(examples=["malformed"])
    field: str | None = Field(default=None, examples=["id"])


class Inclusion(_Answer):
    """An authority's signed word that a transaction waits at its node (`registry.inclusion`)."""

    transaction_id: Digest
    height: int = Field(description="of the newest final block there")
    valid_until_ms: int
    authority: Digest = Field(description="its consensus key")
    signature: Hex


class SubmitResult(_Answer):
    """Accepted: `transaction_id`, and while it waits here `inclusion`. Otherwise `code`, `field` and `detail`."""

    transaction_id: Digest | None = None
    inclusion: Inclusion | None = None
    code: str | None = Field(default=None, examples=["bad_signature"])
    field: str | None = Field(default=None, examples=["signatures[0]"])
    detail: str | None = None


class SubmitAnswer(_Answer):
    """One result for each transaction, in order. Accepted means pending or final; the receipt says what came of it."""

    results: list[SubmitResult]


class ReceiptProof(_Answer):
    """A receipt (canonical bytes) as entry `index` of the `size` results of its block, with its path to their root."""

    receipt: Hex
    index: int
    size: int
    path: list[Digest]


class TransactionAnswer(_Answer):
    """What became of a transaction. `inclusion` may be there until it is final.

    If it is final, header and certificate are of its block; if it is unknown, of the newest block (none before the
    first), and `known_since_ms` says from which block time on this node knows the transactions of all blocks until
    then, 0 from the first: one that may stand in an older block may be final all the same.
    """

    transaction_id: Digest
    status: Literal["pending", "final", "unknown"]
    inclusion: Inclusion | None = None
    known_since_ms: int | None = None
    height: int | None = None
    block_hash: Digest | None = None
    receipts: list[ReceiptProof] | None = None
    header: Hex | None = None
    finality: Hex | None = None


class Block(_Answer):
    """A final block: its header's fields; header and finality certificate in canonical bytes."""

    height: int
    block_hash: Digest
    parent: Digest
    proposer: Digest
    timestamp_ms: int
    transactions_root: Digest
    results_root: Digest
    state_root: Digest
    history_root: Digest
    transactions: list[Digest] | None = Field(default=None, description="ids; for regulators and the operator")
    header: Hex
    finality: Hex


class CheckpointList(_Answer):
    """Checkpoints in canonical bytes (`consensus.checkpoints`), newest first."""

    checkpoints: list[Hex]


class Ancestry(_Answer):
    """The header of a height (`ancestor`), and its path in the history of `header`: the newest or the one asked for."""

    height: int
    ancestor: Hex
    path: list[Digest] = Field(description="RFC 9162 inclusion path to the `history_root` of `header`")
    header: Hex
    finality: Hex


class Authority(_Answer):
    """One authority: its party and the key that it votes with."""

    party: str
    consensus_key: Digest


class AuthorityList(_Answer):
    """The set in force at a height, in the order in which they lead."""

    height: int
    authorities: list[Authority]


class AuthorityChanges(_Answer):
    """Part of the changes of the set, in canonical bytes (`consensus.light.Change`); `next` goes into `after`."""

    changes: list[Hex]
    next: int | None


class StateProof(_Answer):
    """One entry of the state, or its absence, proved under the state root of a final header."""

    key: Hex
    value: Hex | None
    proof: Hex
    height: int
    header: Hex
    finality: Hex


class Proved(_Answer):
    """A record: its fields to read, and the proof of its canonical bytes."""

    record: dict[str, Any]
    proof: StateProof


class PartyList(_Answer):
    """Part of the parties; `next` goes into `after` for the next part."""

    parties: list[Proved]
    next: str | None


class ReceivableList(_Answer):
    """Part of a party's receivables; `next` goes into `after` for the next part."""

    receivables: list[Proved]
    next: str | None


class Match(_Answer):
    """Another receivable that looks alike. Whose it is stays closed."""

    id: Digest
    level: Literal["block", "review"]
    severity: str = Field(examples=["high"])
    kinds: list[str] = Field(
        description="of fingerprint; none if a correction took a link to it back, or it was paid as a part",
        examples=[["number", "particulars"]],
    )
    state: str = Field(examples=["registered"])
    own: bool = Field(description="registered by the same party")
    to_acknowledge: bool = Field(
        description="funding is refused to the caller without it. False: for information only, a stranger's, later "
        "than the caller's reservation; who has reserved none must acknowledge all"
    )


class OutsideClaim(_Answer):
    """A claim asserted outside this ledger, on the receivable or its lineage. Who says it, and whose it is, is not in
    it: whoever may see the receivable that it is on reads the record, with proof, as one of `external_claims`."""

    id: Digest
    receivable: Digest = Field(description="the one asked about, or one of its lineage")
    source: str = Field(examples=["CL:RPETC", "notice"])
    share: int
    grade: str = Field(examples=["document"])
    capacity: str = Field(description="as whom it was recorded", examples=["debtor"])
    concluded_ms: int = Field(description="0 if not known")
    entered_ms: int = Field(description="registered there, or received by the debtor; 0 if not known")
    recorded_ms: int


class RunningDispute(_Answer):
    """A dispute that runs on the receivable or its lineage, also one that was answered and stops nothing. Who raised it
    is not in it: whoever may see the receivable that it is on reads the record, with proof, as one of `disputes`."""

    id: Digest
    receivable: Digest = Field(description="the one asked about, or one of its lineage")
    ground: str = Field(examples=["squatting"])
    capacity: str = Field(description="as whom it was raised", examples=["applicant"])
    share: int
    rung: int = Field(description="how far up the ladder it is, from 0")


class MatchList(_Answer):
    """What is to be looked at before a claim on a receivable is funded, the most severe first; the node's word.

    All of it must be acknowledged, but matches whose `to_acknowledge` is false, and disputes that are not answered yet:
    those stop a funding."""

    height: int
    matches: list[Match]
    external_claims: list[OutsideClaim]
    disputes: list[RunningDispute]
    blankets_beside: list[Digest] = Field(
        description="others' facilities with all that is owed to a payable's registrant"
    )


class ContactStep(_Answer):
    """What somebody did about a contact. `by` is null unless it was the caller; overseers are told."""

    step: Literal["asked", "declined", "accepted", "ordered"]
    by: str | None
    text_digest: Digest
    language: str = Field(examples=["en"])
    at_ms: int


class ContactShown(_Answer):
    """A contact between the sides of two receivables that look alike, without whose they are: the node's word.

    `id` is the contact token. `receivable` is on the side that asks, `about` on the side that is asked.
    """

    id: Digest
    receivable: Digest
    about: Digest
    kinds: list[str] = Field(examples=[["number", "particulars"]])
    severity: str = Field(examples=["high"])
    state: Literal[CONTACT_STATES]  # type: ignore[valid-type]
    until_ms: int = Field(description="when it lapses if nobody accepts")
    steps: list[ContactStep]
    sides: dict[str, list[str]] | None = Field(
        default=None, description="who stands on either side now; for overseers, and logged while it is not open"
    )


class OneContact(_Answer):
    """A contact, and once it is open, for those whom it names: both sides' parties with the proof of that record."""

    contact: ContactShown
    opening: Proved | None


class ContactList(_Answer):
    """Part of a party's contacts; `next` goes into `after` for the next part."""

    contacts: list[OneContact]
    next: str | None


class OwnClaims(_Answer):
    """Part of a party's claims; `next` goes into `after` for the next part."""

    claims: list[Proved]
    next: str | None


class RecordList(_Answer):
    """Part of a party's records of one family; `next` goes into `after` for the next part."""

    records: list[Proved]
    next: str | None


class ClaimList(_Answer):
    """The claims on a receivable that the caller may see."""

    claims: list[Proved]


class SearchResult(_Answer):
    """What the ledger has under one fingerprint, with the proof of presence or absence."""

    kind: str = Field(examples=["exact"])
    level: Literal["block", "review"]
    fingerprint: Digest
    matches: list[Digest]
    value: Hex | None
    proof: Hex


class SearchCertificate(_Answer):
    """Proves offline, with the genesis file, exactly which receivables held these fingerprints at a height."""

    format: Literal["nemodat-search-certificate-v1"]
    number: str = Field(examples=["4f0c9d1f0f4e4f31a8ed4e0cf9b2a6a1"])
    genesis_id: Digest
    requester: str
    purpose: str
    height: int
    timestamp_ms: int
    results: list[SearchResult]
    not_searched: list[str]
    header: Hex
    finality: Hex
    changes: list[Hex] = Field(description="every change of the authorities below the height, oldest first")


class EventShown(_Answer):
    """Something that a block did. Overseers are told whom it concerns (`parties`), except of contacts."""

    kind: str = Field(examples=["funded"])
    severity: Literal["info", "warning", "alarm"]
    height: int
    subject: Hex
    detail: str = Field(description="short text, by kind: a share, another id, a reason")
    parties: list[str] | None = None


class EventPage(_Answer):
    """Events in order, whole heights at a time. `next` goes into `since` for the next page; `more`: it is there."""

    events: list[EventShown]
    next: int
    more: bool


class Health(_Answer):
    """Whether the process answers (`health`), or serves clients well (`ready`)."""

    status: Literal["ok", "ready"]


class Peer(_Answer):
    """One other member of the network, as this node sees it (`node.service.PeerReport`)."""

    name: str
    role: str
    connected: bool
    height: int | None
    round_trip_ms: float | None
    votes_in_time: float | None = Field(description="part of the latest certificates with its vote; observers: null")
    failed_views: int = Field(description="views it led that a quorum gave up since this process began")
    last_error: str


class ViewChange(_Answer):
    """A view that ended without a final block, and whose turn it was (`node.service.ViewReport`)."""

    height: int
    view: int
    leader: str
    at_ms: int


class Protocol(_Answer):
    """Protocol versions (`node.service.ProtocolReport`)."""

    version: int = Field(description="of the next block")
    known: int = Field(description="the newest that this node's software knows")
    next_version: int | None = Field(description="scheduled; null if none is")
    from_height: int | None


class NodeStatus(_Answer):
    """How the node is (`node.service.Status`): its own word, no proof."""

    name: str
    role: Literal["authority", "observer"]
    genesis_id: Digest
    height: int
    block_hash: Digest
    state_root: Digest
    tip_timestamp_ms: int
    tip_age_ms: int
    view: int | None
    voting: bool
    alarm: str
    mempool: int
    mempool_bytes: int
    gossip_dropped: int
    store_engine: str
    lag: int = Field(description="heights behind what enough connected authorities claim")
    sync_blocks_per_s: float
    accused: list[str]
    protocol: Protocol
    view_changes: list[ViewChange]
    peers: list[Peer]
