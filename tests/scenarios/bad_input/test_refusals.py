"""Operations that a rule refuses stand on the ledger with their reason, and change nothing, on real nodes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.codec import digest
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
from registry.transactions.envelope import ALL, sign
from registry.transactions.external_claims import EndExternalClaim, RecordExternalClaim
from registry.transactions.facilities import (
    AmendFacility,
    CarveOutReceivable,
    CertifyBase,
    CloseFacility,
    Draw,
    OpenFacility,
    RenewBlanket,
)
from registry.transactions.filings import ContinueFiling, EndFiling, RecordFiling
from registry.transactions.governance import Admit, Approve, Award, Propose, ReplaceOwnerKey, Suspend, admission
from registry.transactions.inclusion import ReportExclusion
from registry.transactions.notices import Acknowledge, Deem, Notify, ProveReceipt
from registry.transactions.operations import OPERATIONS, Operation
from registry.transactions.parties import AddKey, Recover, RevokeKey, SetHome, SetReceiveKey
from registry.transactions.receivables import Adjust, Confirm, Distinguish, Expire, Reject
from tests.cast import EXP_CN, EXP_VN, IMP_AE, IMP_DE, TERMS, key_of, owner_of, party_of
from tests.scenarios.bad_input.network import (
    F_BR,
    F_CN,
    F_DE,
    F_GB,
    F_SG,
    NEWCOMERS,
    REGULATOR,
    VALID_MS,
    Network,
    Witness,
    created,
    done,
    hard,
    id_of,
    invoice,
    now_ms,
    salt_of,
)

pytestmark = pytest.mark.processes


def notice_of(claim: bytes) -> Notify:
    return Notify(claim, "courier", "en", digest(b"notice"), digest(b"account"))


def shown(notice: bytes, salt: bytes) -> Acknowledge:
    """The acknowledgement of IMP_DE, which was shown another text."""
    return Acknowledge(notice, IMP_DE, digest(b"another notice"), digest(b"account"), False, salt)


@pytest.fixture(scope="module")
def story(network: Network) -> dict[str, bytes]:
    """Records in the states that the operations below are about, and what opens them."""
    tags = {name: network.tag() for name in ("plain", "offered", "reserved", "funded", "disputed")}
    made = {name: network.registered(tag) for name, tag in tags.items()}
    offered = network.offered(made["offered"], F_SG)
    reserved = network.offered(made["reserved"], F_SG)
    done(network.do(F_SG, Reserve(reserved, VALID_MS)))
    keys = [key_of(NEWCOMERS[0]), owner_of(NEWCOMERS[0])]
    change = admission(party_of(NEWCOMERS[0], "US", "debtor"), keys, network.genesis.id)
    standing = ("debtor", salt_of(tags["disputed"]), IMP_DE)
    dispute = RaiseDispute(made["disputed"], standing, "set_off", WHOLE, digest(b"text"), "en")
    return {
        "dispute": done(network.do(IMP_DE, dispute)),
        "plain": made["plain"],
        "salt": salt_of(tags["plain"]),
        "offered": offered,
        "reserved": reserved,
        "funded": (funded := network.funded(made["funded"], F_SG)),
        "notice": done(network.do(F_SG, notice_of(funded))),
        "filing": done(network.do(F_SG, RecordFiling(funded, "SG:ACRA", TERMS, 1, 0))),
        "external": done(network.do(EXP_CN, RecordExternalClaim(made["reserved"], (), "CL:RPETC", TERMS))),
        "tag": tags["funded"].encode(),
        "offered_on": made["offered"],
        "proposal": done(network.do(F_CN, Propose(change))),
        "facility": done(network.do((EXP_CN, F_BR), OpenFacility(EXP_CN, F_BR, TERMS, TERMS))),
    }


def forbidden(story: dict[str, bytes]) -> list[tuple[str, Operation, str]]:
    """Each operation by everyone who may not do it, and the reason that each must hear."""
    known = digest(b"known to nobody")
    exporters, debtors, others = (EXP_CN, EXP_VN), (IMP_DE, IMP_AE), (F_BR, REGULATOR)
    banks = (F_CN, F_SG, F_DE, F_GB)
    strange_party = Admit(party_of(NEWCOMERS[1], "DK", "debtor"))
    plain, salt = story["plain"], story["salt"]
    table: list[tuple[Callable[[], Operation], str, Sequence[str]]] = [
        (lambda: ReportMisbehaviour(known), "not_proven", (*exporters, *debtors, *others, *banks)),
        (lambda: ReportExclusion(known, 2**40, ()), "not_proven", (*exporters, *debtors, *others, *banks)),
        (lambda: Propose(strange_party), "not_authorised", (*exporters, *debtors, *others)),
        (lambda: Approve(story["proposal"]), "not_authorised", (*exporters, *debtors, *others)),
        (lambda: Propose(Suspend(F_GB, known)), "not_authorised", (*exporters, *debtors, *others)),
        (lambda: Propose(ReplaceOwnerKey(EXP_CN, known)), "not_authorised", (*exporters, *debtors, *others)),
        (lambda: AddKey(key_of(F_BR).public_key), "duplicate", (*exporters, *debtors, *banks)),
        (lambda: SetReceiveKey(key_of(EXP_VN).public_key), "duplicate", (*exporters, *debtors, *banks)),
        (lambda: RevokeKey(key_of(F_BR).public_key), "not_found", (*exporters, *debtors, *banks)),
        (lambda: Attest(IMP_DE, "kyc", known, known, 0, 2**40, "none"), "not_authorised", (*exporters, *debtors)),
        (lambda: Attest(IMP_DE, "kyc", known, known, 0, 1, "none"), "bad_dates", (F_BR, *banks)),
        (lambda: invoice(secrets.token_hex(8)), "not_authorised", (*debtors, *others, *banks)),
        (lambda: invoice(secrets.token_hex(8), kind="payable"), "not_authorised", (*exporters, *others, *banks)),
        (lambda: invoice(secrets.token_hex(8), grade="debtor_confirmed"), "grade_unproven", exporters),
        (
            lambda: invoice(secrets.token_hex(8), parents=((plain, 1, WHOLE),)),
            "not_authorised",
            (EXP_VN, *debtors, *others, *banks),
        ),
        (
            lambda: RecordExternalClaim(plain, (), "CL:RPETC", known),
            "not_authorised",
            (EXP_VN, *debtors, *others, *banks),
        ),
        (lambda: EndExternalClaim(story["external"], "paid", known), "not_authorised", (EXP_VN, *debtors, *banks)),
        (
            lambda: Confirm(plain, salt, IMP_DE, known, WHOLE, known),
            "not_debtor",
            (*exporters, IMP_AE, *others, *banks),
        ),
        (lambda: Confirm(plain, salt, IMP_AE, known, WHOLE, known), "not_debtor", (IMP_AE, IMP_DE, EXP_CN)),
        (lambda: Confirm(plain, known, IMP_DE, known, WHOLE, known), "not_debtor", (IMP_DE, EXP_CN)),
        (lambda: Confirm(plain, salt, IMP_DE, known, WHOLE, known), "other_particulars", (IMP_DE,)),
        (lambda: Reject(plain, salt, IMP_DE, known), "not_debtor", (*exporters, IMP_AE, *others, *banks)),
        (lambda: Adjust(plain, 1, known), "not_authorised", (EXP_VN, *debtors, *others, *banks)),
        (lambda: Expire(plain), "not_authorised", (EXP_VN, *debtors, *others, *banks)),
        (
            lambda: Offer(plain, F_SG, WHOLE, TERMS, now_ms() + VALID_MS),
            "not_authorised",
            (EXP_VN, *debtors, *others, *banks),
        ),
        (lambda: Offer(plain, IMP_AE, WHOLE, TERMS, now_ms() + VALID_MS), "not_authorised", (EXP_CN,)),
        (lambda: Revoke(story["offered"]), "not_authorised", (EXP_VN, *debtors, *others, *banks)),
        (lambda: Reserve(story["offered"], VALID_MS), "not_offered", (*exporters, *debtors, *others, F_CN, F_DE)),
        (lambda: Fund(story["reserved"]), "not_holder", (*exporters, *debtors, *others, F_CN, F_DE)),
        (lambda: Reassign(story["funded"], F_DE), "not_holder", (*exporters, *debtors, *others, F_CN, F_DE)),
        (lambda: Reassign(story["funded"], F_DE), "not_authorised", (F_SG,)),
        (lambda: Release(story["funded"]), "not_holder", (*exporters, *debtors, *others, F_CN, F_DE)),
        (lambda: Discharge(story["funded"], WHOLE), "not_holder", (*exporters, *debtors, *others, F_CN, F_DE)),
        (lambda: notice_of(story["funded"]), "not_authorised", (EXP_VN, *debtors, *others, F_CN, F_DE, F_GB)),
        (lambda: shown(story["notice"], salt), "not_debtor", (*exporters, *debtors, *others, *banks)),
        (lambda: shown(story["notice"], salt_of(story["tag"].decode())), "other_notice", (IMP_DE,)),
        (
            lambda: ProveReceipt(story["notice"], now_ms(), known),
            "not_authorised",
            (*exporters, *debtors, *others, F_CN, F_DE, F_GB),
        ),
        (lambda: ProveReceipt(story["notice"], 0, known), "impossible_time", (F_SG,)),
        (lambda: Deem(story["notice"]), "not_authorised", (EXP_VN, *debtors, *others, F_CN, F_DE, F_GB)),
        (lambda: Deem(story["notice"]), "no_deemed_acceptance", (EXP_CN, F_SG)),
        (
            lambda: Distinguish(plain, story["offered_on"], known, "en"),
            "not_authorised",
            (*exporters, *debtors, *others, *banks),
        ),
        (lambda: Cover(story["funded"], 1), "not_authorised", (*exporters, *debtors, *others, *banks)),
        (
            lambda: RecordFiling(story["funded"], "SG:ACRA", known, 1, 0),
            "not_holder",
            (*exporters, *debtors, *others, F_CN, F_DE, F_GB),
        ),
        (
            lambda: ContinueFiling(story["filing"], known, now_ms() + VALID_MS),
            "not_holder",
            (*exporters, *debtors, *others, F_CN, F_DE, F_GB),
        ),
        (lambda: EndFiling(story["filing"], known), "not_holder", (*exporters, *debtors, *others, F_CN, F_DE, F_GB)),
        *about_disputes(story),
        (lambda: AskContact(plain, known, known, "en"), "not_authorised", (EXP_VN, *debtors, *others, *banks)),
        (lambda: AskContact(plain, known, known, "en"), "no_match", (EXP_CN,)),
        (lambda: OpenFacility(EXP_CN, F_SG, TERMS, TERMS), "not_authorised", (*exporters, *debtors, *others, *banks)),
        (lambda: AmendFacility(story["facility"], TERMS, TERMS), "not_authorised", (EXP_CN, F_BR, F_SG, IMP_DE)),
        (lambda: CertifyBase(story["facility"], 20260520, known, "covered"), "not_authorised", (EXP_CN, F_BR, F_SG)),
        (lambda: RenewBlanket(story["facility"], TERMS, now_ms() + VALID_MS), "not_holder", (EXP_CN, F_SG, REGULATOR)),
        (lambda: CarveOutReceivable(story["facility"], plain), "not_holder", (EXP_CN, F_SG, REGULATOR)),
        (lambda: Draw(story["facility"], plain, WHOLE), "not_authorised", (EXP_CN, F_BR, F_SG, IMP_DE)),
        (lambda: CloseFacility(story["facility"]), "not_holder", (EXP_CN, F_SG, IMP_DE, REGULATOR)),
        *((lambda kind=kind: kind, "not_found", (F_SG,)) for kind in missing(known)),
    ]
    return [(party, make(), code) for make, code, parties in table for party in parties]


def about_disputes(story: dict[str, bytes]) -> list[tuple[Callable[[], Operation], str, Sequence[str]]]:
    """The same for the dispute that IMP_DE raised with EXP_CN."""
    known, plain, dispute = digest(b"known to nobody"), story["plain"], story["dispute"]
    strangers = (EXP_VN, IMP_AE, F_BR, REGULATOR, F_CN, F_SG, F_DE, F_GB)
    award = Award(dispute, "dismissed", 0, known, "en")
    return [
        (lambda: RaiseDispute(plain, (), "set_off", 1, known, "en"), "not_authorised", (IMP_DE, *strangers)),
        (
            lambda: RaiseDispute(plain, ("debtor", known, IMP_DE), "set_off", 1, known, "en"),
            "not_debtor",
            (EXP_CN, IMP_DE, *strangers),
        ),
        (lambda: AnswerDispute(dispute, known, "en"), "not_authorised", (IMP_DE, *strangers)),
        (lambda: EscalateDispute(dispute, (), known, "en"), "not_authorised", strangers),
        (lambda: EscalateDispute(dispute, (), known, "en"), "out_of_time", (IMP_DE, EXP_CN)),
        (lambda: WithdrawDispute(dispute, known, "en"), "not_authorised", (EXP_CN, *strangers)),
        (lambda: SettleDispute(dispute, 0, known, "en"), "not_authorised", (IMP_DE, EXP_CN, *strangers)),
        (
            lambda: DecideDispute(dispute, "dismissed", 0, known, "en"),
            "not_authorised",
            (IMP_DE, EXP_CN, *strangers),
        ),
        (lambda: ConcludeDispute(dispute), "not_authorised", strangers),
        (lambda: ConcludeDispute(dispute), "out_of_time", (IMP_DE, EXP_CN)),
        (lambda: Propose(award), "not_authorised", (IMP_DE, EXP_CN, F_BR)),
        (lambda: Propose(award), "bad_state", (F_CN,)),  # not at its last rung
    ]


def missing(known: bytes) -> list[Operation]:
    """Operations on what is not there."""
    return [
        Approve(known),
        WithdrawAttestation(known),
        Confirm(known, known, IMP_DE, known, WHOLE, known),
        Reject(known, known, IMP_DE, known),
        Adjust(known, 1, known),
        Expire(known),
        Offer(known, F_SG, WHOLE, TERMS, now_ms() + VALID_MS),
        Revoke(known),
        Reserve(known, 1),
        Fund(known),
        Reassign(known, F_DE),
        Release(known),
        Discharge(known, 1),
        notice_of(known),
        shown(known, known),
        ProveReceipt(known, now_ms(), known),
        Deem(known),
        Distinguish(known, known, known, "en"),
        Cover(known, 1),
        RecordFiling(known, "SG:ACRA", known, 1, 0),
        ContinueFiling(known, known, 1),
        EndFiling(known, known),
        RaiseDispute(known, (), "set_off", 1, known, "en"),
        AnswerDispute(known, known, "en"),
        EscalateDispute(known, (), known, "en"),
        WithdrawDispute(known, known, "en"),
        SettleDispute(known, 0, known, "en"),
        DecideDispute(known, "dismissed", 0, known, "en"),
        ConcludeDispute(known),
        AmendFacility(known, TERMS, TERMS),
        RenewBlanket(known, TERMS, now_ms() + VALID_MS),
        CarveOutReceivable(known, known),
        CertifyBase(known, 20260520, known, "covered"),
        CloseFacility(known),
        RecordExternalClaim(known, (), "notice", known),
        EndExternalClaim(known, "paid", known),
        Draw(known, known, WHOLE),
        AskContact(known, known, known, "en"),
        AnswerContact(known, "accept", known, "en"),
        Release(999),  # an operation of this transaction that there is none of
    ]


def test_whoever_may_not_is_told_why_and_nothing_changes(
    network: Network, story: dict[str, bytes], witness: Witness
) -> None:
    attempts = forbidden(story)
    not_refused_to_all = {Recover, SetHome}  # a signing key never gets a recovery into a block; any party has a home
    assert {type(operation) for _, operation, _ in attempts} == set(OPERATIONS.values()) - not_refused_to_all
    payloads = [network.payload(party, operation) for party, operation, _ in attempts]
    wires = [
        sign(payload, network.genesis.id, [key_of(party)])
        for payload, (party, _, _) in zip(payloads, attempts, strict=True)
    ]
    ids = [id_of(payload) for payload in payloads]
    assert network.submit(wires) == [{"transaction_id": id_} for id_ in ids]
    witness.refused(*ids)
    for (party, operation, code), (receipt,) in zip(attempts, network.finals(ids, 1), strict=True):
        assert receipt.code == code, (party, operation, receipt)


def refusable(network: Network, story: dict[str, bytes]) -> dict[str, tuple[Operation, str]]:
    """Operations of EXP_CN that a rule refuses."""
    known = digest(b"known to nobody")
    return {
        "nothing there": (Revoke(known), "not_found"),
        "another's": (Release(story["funded"]), "not_holder"),
        "too high a grade": (invoice(network.tag(), grade="tax_verified"), "grade_unproven"),
        "a payable": (invoice(network.tag(), kind="payable"), "not_authorised"),
        "an offer to no financier": (Offer(0, IMP_AE, 1, TERMS, now_ms() + VALID_MS), "not_authorised"),
        "an offer of yesterday": (Offer(0, F_BR, 1, TERMS, 1), "offer_expired"),
        "too large a credit note": (Adjust(story["plain"], WHOLE, known), "ok"),
    }


@hard(8)
@given(st.data())
def test_all_or_nothing_is_nothing_when_one_operation_is_refused(
    network: Network, story: dict[str, bytes], witness: Witness, data: st.DataObject
) -> None:
    pool = {name: each for name, each in refusable(network, story).items() if each[1] != "ok"}
    bad, code = pool[data.draw(st.sampled_from(sorted(pool)), "refused")]
    before = data.draw(st.integers(1, 6), "before it")
    after = data.draw(st.integers(0, 3), "after it")
    good: list[Operation] = [invoice(network.tag()) for _ in range(before + after)]
    good[0] = invoice(network.tag(), references=(digest(b"a reference"),))
    operations = [*good[:before], bad, *good[before:]]
    payload = network.payload(EXP_CN, *operations, mode=ALL)
    assert network.submit([sign(payload, network.genesis.id, [key_of(EXP_CN)])]) == [{"transaction_id": id_of(payload)}]
    witness.refused(id_of(payload))
    (receipts,) = network.finals([id_of(payload)], len(operations), node="f-gb")
    codes = [code if index == before else "rolled_back" for index in range(len(operations))]
    assert [receipt.code for receipt in receipts] == codes
    for index in range(len(operations)):
        assert network.ask("GET", f"/v1/receivables/{created(payload, index)}", node="f-gb").status_code == 404


def test_each_for_itself_is_only_what_is_good(network: Network, story: dict[str, bytes], witness: Witness) -> None:
    refused = [each for each in refusable(network, story).values() if each[1] != "ok"]
    operations: list[Operation] = [invoice(network.tag())]
    for bad, _ in refused:
        operations += [bad, invoice(network.tag())]
    payload = network.payload(EXP_CN, *operations)
    network.submit([sign(payload, network.genesis.id, [key_of(EXP_CN)])])
    witness.effective(id_of(payload))
    (receipts,) = network.finals([id_of(payload)], len(operations), node="f-gb")
    assert [receipt.code for receipt in receipts[1::2]] == [code for _, code in refused]
    assert {receipt.code for receipt in receipts[::2]} == {"ok"}
    for index, operation in enumerate(operations):
        found = network.ask("GET", f"/v1/receivables/{created(payload, index)}", node="f-gb").status_code
        assert found == (200 if index % 2 == 0 else 404), operation
