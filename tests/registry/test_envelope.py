"""The envelope: what is signed, what is refused before it can enter a block, and the golden bytes of both."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.codec import decode, encode, tagged_digest
from registry.errors import FieldError, TransactionError
from registry.keys import DOMAIN_TRANSACTION
from registry.limits import ACKNOWLEDGED_MAX, OPERATIONS_MAX, RESERVATION_MAX_MS, WIRE_BYTES_MAX
from registry.money import WHOLE
from registry.transactions.attestations import Attest, WithdrawAttestation
from registry.transactions.authorities import ReportMisbehaviour
from registry.transactions.claims import Cover, Discharge, Fund, Offer, Reassign, Release, Reserve, Revoke
from registry.transactions.contacts import AnswerContact, AskContact
from registry.transactions.disputes import (
    AnswerDispute,
    ConcludeDispute,
    DecideDispute,
    EscalateDispute,
    RaiseDispute,
    SettleDispute,
    WithdrawDispute,
)
from registry.transactions.envelope import (
    CODES,
    admissible,
    draft,
    open_transaction,
    seal,
    sign,
    subject_id,
    transaction_id,
)
from registry.transactions.external_claims import EndExternalClaim, RecordExternalClaim
from registry.transactions.facilities import (
    AmendFacility,
    CarveOutReceivable,
    CertifyBase,
    CloseFacility,
    Draw,
    OpenFacility,
    RenewBlanket,
    Scope,
)
from registry.transactions.filings import ContinueFiling, EndFiling, RecordFiling
from registry.transactions.governance import Admit, Approve, Propose
from registry.transactions.inclusion import Given, ReportExclusion
from registry.transactions.notices import Acknowledge, Deem, Notify, ProveReceipt
from registry.transactions.operations import OPERATIONS, operation_from, operation_value
from registry.transactions.parties import AddKey, Recover, RevokeKey, SetHome, SetReceiveKey
from registry.transactions.receivables import Adjust, Confirm, Distinguish, Expire, Register, Reject
from tests.registry.world import START_MS, invoice, key_of, mark, name_id, party_of

CHAIN = mark("chain")
NONCE = bytes(range(16))
VECTORS = Path(__file__).parent / "vectors" / "transactions.json"

EXAMPLES = {
    "report_misbehaviour": ReportMisbehaviour(b"two votes"),
    "report_exclusion": ReportExclusion(mark("transaction"), START_MS, (Given(mark("authority"), 7, bytes(64)),)),
    "propose": Propose(
        Admit(party_of("NEW", "lei:984500USIMPORT000143", "US", ("debtor",)), (bytes(64), bytes(range(64))))
    ),
    "approve": Approve(mark("proposal")),
    "add_key": AddKey(mark("new key"), bytes(range(64))),
    "revoke_key": RevokeKey(mark("old key")),
    "set_receive_key": SetReceiveKey(mark("receive key")),
    "set_home": SetHome("https://node.example:8443/in"),
    "recover": Recover((mark("key 1"), mark("key 2")), (mark("receive key"),), (bytes(64), bytes(range(64)))),
    "attest": Attest(name_id("EXP_CN"), "kyc", mark("provider"), mark("result"), START_MS, START_MS + 1, "lapsed"),
    "withdraw_attestation": WithdrawAttestation(mark("attestation")),
    "register": invoice(
        "a", parents=((mark("order"), WHOLE // 2, WHOLE),), references=(mark("filing"),), grade="self_asserted"
    ),
    "confirm": Confirm(mark("receivable"), mark("salt"), name_id("IMP_DE"), mark("commitment"), WHOLE, mark("text")),
    "reject": Reject(mark("receivable"), mark("salt"), name_id("IMP_DE"), mark("reason")),
    "adjust": Adjust(mark("receivable"), 1, mark("credit note")),
    "offer": Offer(mark("receivable"), name_id("F_SG"), WHOLE, mark("terms"), START_MS),
    "revoke": Revoke(mark("claim")),
    "reserve": Reserve(mark("claim"), RESERVATION_MAX_MS),
    "fund": Fund(mark("claim"), (mark("match"),)),
    "reassign": Reassign(mark("claim"), name_id("F_SG")),
    "release": Release(mark("claim")),
    "discharge": Discharge(mark("claim"), 1),
    "raise_dispute": RaiseDispute(
        mark("receivable"), ("debtor", mark("salt"), name_id("IMP_DE")), "set_off", 1, mark("text"), "zh"
    ),
    "answer_dispute": AnswerDispute(mark("dispute"), mark("text"), "en"),
    "escalate_dispute": EscalateDispute(mark("dispute"), ("COURT", "DE"), mark("text"), "de"),
    "withdraw_dispute": WithdrawDispute(mark("dispute"), mark("text"), "en"),
    "settle_dispute": SettleDispute(mark("dispute"), 0, mark("agreement"), "en"),
    "decide_dispute": DecideDispute(mark("dispute"), "reduced", WHOLE, mark("award"), "zh"),
    "conclude_dispute": ConcludeDispute(mark("dispute")),
    "cover": Cover(mark("claim"), 0),
    "record_filing": RecordFiling(mark("claim"), "US-NY:UCC1", mark("number"), START_MS, START_MS + 1),
    "continue_filing": ContinueFiling(mark("filing"), mark("number"), START_MS + 2),
    "end_filing": EndFiling(mark("filing"), mark("number")),
    "ask_contact": AskContact(mark("receivable"), mark("look-alike"), mark("text"), "en"),
    "answer_contact": AnswerContact(mark("contact"), "decline", mark("text"), "zh"),
    "notify": Notify(mark("claim"), "courier", "zh", mark("text"), mark("account")),
    "acknowledge": Acknowledge(
        mark("notice"), name_id("IMP_DE"), mark("text"), mark("account"), accepts=True, salt=mark("salt")
    ),
    "prove_receipt": ProveReceipt(mark("notice"), START_MS, mark("slip")),
    "deem": Deem(mark("notice")),
    "distinguish": Distinguish(mark("receivable"), mark("other"), mark("text"), "en"),
    "open_facility": OpenFacility(
        name_id("EXP_CN"), name_id("F_SG"), mark("terms"), mark("rules"), Scope((mark("account"),), mark("UCC-1"), 1)
    ),
    "amend_facility": AmendFacility(mark("facility"), mark("terms"), mark("rules")),
    "renew_blanket": RenewBlanket(mark("facility"), mark("UCC-3"), START_MS),
    "carve_out": CarveOutReceivable(mark("facility"), mark("receivable")),
    "certify_base": CertifyBase(mark("facility"), 20260520, mark("base"), "breach"),
    "close_facility": CloseFacility(mark("facility")),
    "record_external_claim": RecordExternalClaim(
        mark("receivable"), ("debtor", mark("salt"), name_id("IMP_DE")), "CL:RPETC", mark("AEC"), mark("ST CAPITAL"), 1
    ),
    "end_external_claim": EndExternalClaim(mark("external claim"), "released", mark("letter")),
    "draw": Draw(mark("facility"), mark("receivable"), 1, (0, mark("match"))),
    "expire": Expire(mark("receivable")),
}


def payload_of(*operations: Any, **changes: Any) -> bytes:
    """A payload made without `draft`, so that it may be wrong."""
    fields = {
        "version": 1,
        "chain_id": CHAIN,
        "signers": [key_of("F_CN").public_key],
        "nonce": NONCE,
        "valid_until_ms": START_MS,
        "mode": "each",
        "operations": [operation_value(operation) for operation in operations or (Revoke(mark("claim")),)],
    }
    assert set(changes) <= set(fields)
    return encode(list((fields | changes).values()))


def signed(payload: bytes, *names: str) -> bytes:
    return sign(payload, CHAIN, [key_of(name) for name in names or ("F_CN",)])


def refusal(wire: bytes) -> TransactionError:
    with pytest.raises(TransactionError) as caught:
        open_transaction(wire, CHAIN)
    assert caught.value.code in CODES
    return caught.value


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_comes_back_as_it_was_signed(name: str) -> None:
    operation = EXAMPLES[name]
    payload = draft(CHAIN, [key_of("F_CN").public_key], NONCE, START_MS, [operation])  # type: ignore[list-item]
    transaction = open_transaction(signed(payload), CHAIN)
    assert transaction.operations == (operation,)
    assert transaction.id == transaction_id(payload) == tagged_digest(b"NEMODAT-v1-txid", payload)
    assert transaction.payload == payload
    assert transaction.signers == (key_of("F_CN").public_key,)
    assert (transaction.nonce, transaction.valid_until_ms, transaction.mode) == (NONCE, START_MS, "each")


def test_several_sign_in_order() -> None:
    names = ("F_CN", "EXP_CN", "F_SG", "F_DE")
    keys = [key_of(name) for name in names]
    payload = draft(CHAIN, [key.public_key for key in keys], NONCE, START_MS, [Revoke(0)], "all")
    assert open_transaction(sign(payload, CHAIN, keys), CHAIN).signers == tuple(key.public_key for key in keys)
    assert refusal(sign(payload, CHAIN, keys[::-1])).code == "bad_signature"
    assert refusal(sign(payload, CHAIN, keys[:3])).code == "unsigned"
    assert refusal(sign(payload, CHAIN, [*keys, key_of("F_GB")])).code == "unsigned"


def test_a_reference_names_what_an_operation_of_the_same_transaction_creates() -> None:
    transaction = open_transaction(signed(payload_of(Revoke(0), Revoke(mark("claim")))), CHAIN)
    assert transaction.resolve(0) == subject_id(transaction.id, 0)
    assert transaction.resolve(mark("claim")) == mark("claim")
    assert subject_id(transaction.id, 0) != subject_id(transaction.id, 1)


@pytest.mark.parametrize(
    ("make", "code", "field"),
    [
        (lambda: b"", "malformed", "transaction"),
        (lambda: b"\x93" + bytes(WIRE_BYTES_MAX), "too_large", "transaction"),
        (lambda: encode(["payload", []]), "malformed", "transaction"),
        (lambda: encode([payload_of(), [b"short"]]), "malformed", "signatures[0]"),
        (lambda: encode([payload_of(), [bytes(64)] * 6]), "unsigned", "signatures"),
        (lambda: encode([b"\xc1", [bytes(64)]]), "malformed", "payload"),
        (lambda: encode([payload_of() + b"\xc0", [bytes(64)]]), "malformed", "payload"),
        (lambda: seal(payload_of(), []), "unsigned", "signatures"),
        (lambda: seal(payload_of(), [bytes(64)]), "bad_signature", "signatures[0]"),
        (lambda: signed(payload_of(), "F_SG"), "bad_signature", "signatures[0]"),
        (lambda: signed(encode([1, CHAIN])), "malformed", "payload"),
        (lambda: signed(payload_of(version=2)), "wrong_version", "version"),
        (lambda: signed(payload_of(version=True)), "wrong_version", "version"),
        (lambda: signed(payload_of(chain_id=bytes(32))), "wrong_chain", "chain_id"),
        (lambda: signed(payload_of(chain_id=None)), "wrong_chain", "chain_id"),
        (lambda: signed(payload_of(nonce=bytes(15))), "malformed", "nonce"),
        (lambda: signed(payload_of(valid_until_ms=-1)), "malformed", "valid_until_ms"),
        (lambda: signed(payload_of(valid_until_ms=2**63)), "malformed", "valid_until_ms"),
        (lambda: signed(payload_of(valid_until_ms=True)), "malformed", "valid_until_ms"),
        (lambda: signed(payload_of(mode="some")), "malformed", "mode"),
        (lambda: signed(payload_of(mode=[])), "malformed", "mode"),
        (lambda: signed(payload_of(signers=[])), "malformed", "signers"),
        (lambda: signed(payload_of(signers=[key_of(str(i)).public_key for i in range(5)])), "malformed", "signers"),
        (lambda: signed(payload_of(signers=[bytes(31)])), "malformed", "signers[0]"),
        (lambda: signed(payload_of(signers=[key_of("F_CN").public_key] * 2)), "malformed", "signers"),
        (lambda: signed(payload_of(operations=[])), "malformed", "operations"),
        (lambda: signed(payload_of(operations={0: 1}.get(1))), "malformed", "operations"),
        (lambda: signed(payload_of(operations=[["revoke", 0]] * (OPERATIONS_MAX + 1))), "malformed", "operations"),
        (lambda: signed(payload_of(operations=[["revoke", 0], 7])), "malformed", "operations[1]"),
        (lambda: signed(payload_of(operations=[[]])), "malformed", "operations[0]"),
        (lambda: signed(payload_of(operations=[["steal", 0]])), "unknown_operation", "operations[0]"),
        (lambda: signed(payload_of(operations=[["revoke"]])), "malformed", "operations[0]"),
        (lambda: signed(payload_of(operations=[["revoke", 0, 0]])), "malformed", "operations[0]"),
        (
            lambda: signed(payload_of(operations=[["revoke", 0], ["discharge", 0, 0]])),
            "malformed",
            "operations[1].share",
        ),
    ],
)
def test_what_never_enters_a_block(make: Callable[[], bytes], code: str, field: str) -> None:
    error = refusal(make())
    assert (error.code, error.field) == (code, field)
    assert error.reason


def test_a_transaction_of_another_network_is_refused() -> None:
    wire = sign(payload_of(), CHAIN, [key_of("F_CN")])
    with pytest.raises(TransactionError, match="wrong_chain"):
        open_transaction(wire, mark("another chain"))


def test_a_signature_for_something_else_does_not_count() -> None:
    payload = payload_of()
    signature = key_of("F_CN").sign(b"NEMODAT-v1-vote", CHAIN, payload)
    assert refusal(seal(payload, [signature])).code == "bad_signature"
    signature = key_of("F_CN").sign(DOMAIN_TRANSACTION, mark("another chain"), payload)
    assert refusal(seal(payload, [signature])).code == "bad_signature"


def register_row(**changes: Any) -> list[Any]:
    """The encoding of a registration with one field replaced."""
    row = operation_value(EXAMPLES["register"])  # type: ignore[arg-type]
    names = [name for name, _ in Register.FIELDS]
    for name, value in changes.items():
        row[1 + names.index(name)] = value
    return row


PARENT = [mark("p"), 1, WHOLE]
OUTSIDE = [bytes(32), bytes(32), WHOLE, 0, 0, "document"]  # reference to grade of a claim outside


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (register_row(kind="loan"), "kind"),
        (register_row(fingerprints=[]), "fingerprints"),
        (register_row(fingerprints=[["exact", mark("a")]] * 2), "fingerprints"),
        (register_row(fingerprints=[["exact", mark(str(i))] for i in range(81)]), "fingerprints"),
        (register_row(fingerprints=[["exact", mark("a")], ["colour", mark("a")]]), "fingerprints[1].kind"),
        (register_row(fingerprints=[["exact", b"short"]]), "fingerprints[0].fingerprint"),
        (register_row(fingerprints=[["exact", "text"]]), "fingerprints[0].fingerprint"),
        (register_row(fingerprints=[["exact"]]), "fingerprints[0]"),
        (register_row(commitment=b""), "commitment"),
        (register_row(debtor_commitment=None), "debtor_commitment"),
        (register_row(seller_country="cn"), "seller_country"),
        (register_row(debtor_country="DEU"), "debtor_country"),
        (register_row(laws=["US-NYCX"]), "laws[0]"),
        (register_row(laws=["CN", "CN"]), "laws"),
        (register_row(laws=[f"A{chr(65 + i)}" for i in range(9)]), "laws"),
        (register_row(currency="US"), "currency"),
        (register_row(currency="ＵＳＤ"), "currency"),
        (register_row(due_month=202613), "due_month"),
        (register_row(due_month=202600), "due_month"),
        (register_row(due_month=False), "due_month"),
        (register_row(grade="certain"), "grade"),
        (register_row(parents=[PARENT, PARENT]), "parents"),
        (register_row(parents=[[mark("p"), 1, WHOLE // 2], [mark("p"), 2, WHOLE // 2]]), "parents"),
        (register_row(parents=[[mark("p"), 1, WHOLE - 1]]), "parents"),
        (register_row(parents=[[mark("p"), 0, WHOLE]]), "parents[0].part_of_parent"),
        (register_row(parents=[[mark("p"), 1, WHOLE + 1]]), "parents[0].part_of_child"),
        (register_row(parents=[[OPERATIONS_MAX, 1, WHOLE]]), "parents[0].receivable"),
        (register_row(parents=[[True, 1, WHOLE]]), "parents[0].receivable"),
        (register_row(references=[bytes(32), bytes(32)]), "references"),
        (["offer", 0, "", WHOLE, bytes(32), 0, "factoring", "", 0], "to"),
        (["offer", 0, "lei:" + "X" * 65, WHOLE, bytes(32), 0, "factoring", "", 0], "to"),
        (["offer", 0, "lei:X", WHOLE + 1, bytes(32), 0, "factoring", "", 0], "share"),
        (["offer", 0, "lei:X", True, bytes(32), 0, "factoring", "", 0], "share"),
        (["offer", 0, "lei:X", 1, bytes(33), 0, "factoring", "", 0], "terms_digest"),
        (["offer", 0, "lei:X", 1, bytes(32), 2**48 + 1, "factoring", "", 0], "valid_until_ms"),
        (["offer", -1, "lei:X", 1, bytes(32), 0, "factoring", "", 0], "receivable"),
        (["reserve", 0, 0], "ttl_ms"),
        (["reserve", 0, RESERVATION_MAX_MS + 1], "ttl_ms"),
        (["fund", 0, [0, 0]], "acknowledged"),
        (["fund", 0, None], "acknowledged"),
        (["fund", 0, list(range(ACKNOWLEDGED_MAX + 1))], "acknowledged"),
        (["reassign", "claim", "lei:X"], "claim"),
        (["adjust", 0, 0, bytes(32)], "reduction_share"),
        (["confirm", 0, bytes(32), "IMP", bytes(32), 1, bytes(32), False, bytes(32), "en"], "identifier"),
        (["confirm", 0, bytes(32), "lei:X", bytes(32), 1, bytes(32), 1, bytes(32), "en"], "waives_defences"),
        (["confirm", 0, bytes(32), "lei:X", bytes(32), 1, bytes(32), True, b"", "en"], "account_digest"),
        (["confirm", 0, bytes(32), "lei:X", bytes(32), 1, bytes(32), True, bytes(32), "EN"], "language"),
        (["notify", 0, "pigeon", "en", bytes(32), bytes(32)], "channel"),
        (["notify", 0, "post", "english", bytes(32), bytes(32)], "language"),
        (["acknowledge", 0, "lei:X", bytes(32), bytes(32), 0, bytes(32)], "accepts"),
        (["prove_receipt", 0, 2**48 + 1, bytes(32)], "received_ms"),
        (["deem", "notice"], "notice"),
        (["distinguish", 0, 1, bytes(32), "e"], "language"),
        (["reject", 0, bytes(16), "lei:X", bytes(32)], "salt"),
        (["approve", b"x"], "proposal"),
        (["certify_base", 0, 20260230, bytes(32), "covered"], "as_of"),
        (["certify_base", 0, 20260520, bytes(32), True], "finding"),
        (["open_facility", "lei:X", "lei:Y", bytes(32), bytes(32), None], "blanket"),
        (["open_facility", "lei:X", "lei:Y", bytes(32), bytes(32), [[b"x"], bytes(32), 0]], "blanket.debtors[0]"),
        (["amend_facility", 0, bytes(32), bytes(32), [[], b"", 0]], "blanket.filing_digest"),
        (["record_external_claim", 0, ["debtor", b"", ""], "notice", *OUTSIDE], "shown.salt"),
        (["record_external_claim", 0, ["fingerprint", "number", bytes(32)], "notice", *OUTSIDE], "shown.kind"),
        (["record_external_claim", 0, ["claim", 0], "notice", *OUTSIDE], "shown"),
        (["record_external_claim", 0, None, "notice", *OUTSIDE], "shown"),
        (["record_external_claim", 0, [], "hearsay", *OUTSIDE], "source"),
        (["record_external_claim", 0, [], "CL:", *OUTSIDE], "source"),
        (["record_external_claim", 0, [], "notice", bytes(32), b"", *OUTSIDE[2:]], "assignee"),
        (["record_external_claim", 0, [], "notice", bytes(32), "", *OUTSIDE[2:]], "assignee"),
        (["record_external_claim", 0, [], "notice", *OUTSIDE[:2], 0, *OUTSIDE[3:]], "share"),
        (["end_external_claim", 0, "forgotten", bytes(32)], "ground"),
        (["propose", []], "change"),
        (["propose", ["expel", []]], "change"),
        (["propose", ["admit", [], []]], "change.party.party"),
    ],
)
def test_a_field_of_a_wrong_form_is_named(row: list[Any], field: str) -> None:
    with pytest.raises(FieldError) as caught:
        operation_from(decode(encode(row)), "operations[3]")
    assert caught.value.field == f"operations[3].{field}"
    assert refusal(signed(payload_of(operations=[row]))).field == f"operations[0].{field}"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"identifiers": ("lei:984500USIMPORT000144",), "id": "lei:984500USIMPORT000144"}, "identifiers[0]"),
        ({"suspended": True}, "suspended"),
        ({"roles": ("king",)}, "roles"),
        ({"name": ""}, "name"),
    ],
)
def test_a_party_that_may_not_be_admitted_never_enters_a_block(change: dict[str, Any], field: str) -> None:
    party = replace(party_of("NEW", "lei:984500USIMPORT000143", "US", ("debtor",)), **change)
    error = refusal(signed(payload_of(Propose(Admit(party)))))
    assert (error.code, error.field) == ("malformed", f"operations[0].change.party.{field}")


def test_draft_refuses_what_nobody_would_open() -> None:
    keys = [key_of("F_CN").public_key]
    with pytest.raises(TransactionError, match=r"operations\[0\]\.share"):
        draft(CHAIN, keys, NONCE, START_MS, [Discharge(mark("claim"), 0)])
    with pytest.raises(TransactionError, match="nonce"):
        draft(CHAIN, keys, b"", START_MS, [Release(0)])
    with pytest.raises(TransactionError, match="malformed"):
        draft(CHAIN, keys, NONCE, 2**70, [Release(0)])


def test_validity_window() -> None:
    transaction = open_transaction(signed(payload_of(valid_until_ms=START_MS)), CHAIN)

    def code(timestamp_ms: int, *, seen: bool = False) -> str:
        with pytest.raises(TransactionError) as caught:
            admissible(transaction, timestamp_ms=timestamp_ms, version=1, seen=lambda _: seen)
        return caught.value.code

    for timestamp_ms in (START_MS, START_MS - 1, START_MS - 3_600_000):
        admissible(transaction, timestamp_ms=timestamp_ms, version=1, seen=lambda _: False)
    assert code(START_MS + 1) == "expired"
    assert code(START_MS - 3_600_001) == "too_far_ahead"
    assert code(START_MS, seen=True) == "replayed"


@settings(max_examples=200)
@given(st.data())
def test_any_damage_is_one_typed_error(data: st.DataObject) -> None:
    """No byte of a signed transaction can be changed, dropped or added."""
    wire = WIRES[data.draw(st.sampled_from(sorted(WIRES)))]
    position = data.draw(st.integers(0, len(wire) - 1))
    kind = data.draw(st.sampled_from(["flip", "drop", "insert", "cut"]))
    damaged = {
        "flip": wire[:position] + bytes([wire[position] ^ data.draw(st.integers(1, 255))]) + wire[position + 1 :],
        "drop": wire[:position] + wire[position + 1 :],
        "insert": wire[:position] + data.draw(st.binary(min_size=1, max_size=3)) + wire[position:],
        "cut": wire[:position],
    }[kind]
    if damaged != wire:
        refusal(damaged)


@settings(max_examples=300)
@given(
    st.lists(
        st.recursive(
            st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8) | st.binary(max_size=33),
            lambda inner: st.lists(inner, max_size=4),
            max_leaves=12,
        ),
        max_size=8,
    ),
    st.sampled_from([*sorted(OPERATIONS), ""]),
)
def test_whatever_is_signed_opens_or_is_one_typed_error(values: list[Any], name: str) -> None:
    """Also values of a right encoding and wrong meaning, in any operation, with a good signature."""
    payload = payload_of(operations=[[name, *values]])
    transaction = None
    with suppress(TransactionError):
        transaction = open_transaction(signed(payload), CHAIN)
    if transaction is not None:
        assert [operation_value(operation) for operation in transaction.operations] == [decode(encode([name, *values]))]


WIRES = {name: signed(payload_of(operation)) for name, operation in EXAMPLES.items()}


def test_golden_vectors() -> None:
    """Bytes that another implementation must reproduce; they change only with the envelope's version."""
    vectors = json.loads(VECTORS.read_text())
    assert bytes.fromhex(vectors["chain_id"]) == CHAIN
    assert set(vectors["transactions"]) == set(OPERATIONS)
    for name, vector in vectors["transactions"].items():
        assert vector == golden(name), name
        assert open_transaction(bytes.fromhex(vector["wire"]), CHAIN).operations == (EXAMPLES[name],)


def golden(name: str) -> dict[str, str]:
    """The vector of one operation: seed of the signer, payload, id, what operation 0 creates, wire."""
    transaction = open_transaction(WIRES[name], CHAIN)
    return {
        "seed": key_of("F_CN").seed.hex(),
        "payload": transaction.payload.hex(),
        "transaction_id": transaction.id.hex(),
        "subject_id": subject_id(transaction.id, 0).hex(),
        "wire": transaction.wire.hex(),
    }
