"""One story per operation that takes effect: what leads to it, who signs it, and who hears of it. A table for tests.

Who is who: see `operation_desk`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from registry.codec import digest
from registry.inclusion import give_receipt
from registry.limits import UPGRADE_NOTICE_MIN
from registry.money import WHOLE
from registry.receipts import Receipt
from registry.rules.rulebook import DAY_MS
from registry.transactions.attestations import Attest, WithdrawAttestation
from registry.transactions.authorities import AdmitNode, DismissNode, ReportMisbehaviour, SeatAuthority, UnseatAuthority
from registry.transactions.claims import Cover, Discharge, Fund, Offer, Reassign, Release, Reserve, Revoke
from registry.transactions.contacts import AnswerContact, AskContact, OpenContact
from registry.transactions.disputes import (
    AnswerDispute,
    ConcludeDispute,
    DecideDispute,
    EscalateDispute,
    RaiseDispute,
    SettleDispute,
    WithdrawDispute,
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
)
from registry.transactions.filings import ContinueFiling, EndFiling, RecordFiling
from registry.transactions.governance import (
    Admit,
    Amend,
    Approve,
    Award,
    Change,
    Propose,
    Reinstate,
    ReplaceOwnerKey,
    Suspend,
)
from registry.transactions.inclusion import Given, ReportExclusion
from registry.transactions.notices import Acknowledge, Deem, Notify, ProveReceipt
from registry.transactions.operations import Operation
from registry.transactions.parties import AddKey, Recover, RevokeKey, SetHome, SetReceiveKey
from registry.transactions.receivables import Adjust, Distinguish, Expire, Reject
from registry.transactions.upgrades import ScheduleUpgrade
from tests.registry.operation_desk import (
    ACCOUNT,
    ALIKE,
    FIFTH,
    NAMES,
    REGULATOR,
    SAME_DEBT,
    TEXT,
    WORDS,
    Desk,
    confirmation,
    signers,
)
from tests.registry.world import PERCENT, evidence, invoice, key_of, mark, name_id, salt_of

__all__ = ["NAMES", "STORIES", "Desk", "Story", "signers", "told"]

FOUR = "F_CN F_SG F_DE F_GB"
ALL_SIDES = "EXP_CN IMP_DE F_CN F_GB F_SG"


def _approved_by_three(desk: Desk, change: Change) -> Approve:
    """The last approval that five authorities need for a change."""
    approve = desk.nearly(change)
    desk.done("F_DE", approve)
    return approve


class Story(NamedTuple):
    """`by` sign. `told` leads up to the operation and returns it; `heard`: kind of event -> the names who hear it."""

    operation: str
    title: str
    by: str
    told: Callable[[Desk], Operation]
    heard: Mapping[str, str]


def told(desk: Desk, story: Story) -> Receipt:
    """Tell a story to its end; the receipt of its operation."""
    return desk.one(signers(story.by), story.told(desk))


def _distinguish(desk: Desk) -> Operation:
    """The debtor confirmed the seller's invoice, and its own payable to another seller."""
    first = desk.registered("invoice", fingerprints=SAME_DEBT)
    second = desk.registered("other", by="EXP_VN", fingerprints=SAME_DEBT)
    desk.done("IMP_DE", confirmation(first, "invoice"))
    desk.done("IMP_DE", confirmation(second, "other"))
    desk.funded(first, to="F_CN", acknowledged=(second,))
    return Distinguish(first, second, *WORDS)


def _second_confirmation(desk: Desk) -> Operation:
    first = desk.registered("invoice", fingerprints=SAME_DEBT)
    second = desk.registered("other", by="EXP_VN", fingerprints=SAME_DEBT)
    desk.funded(first, to="F_CN", acknowledged=(second,))
    desk.funded(second, to="F_SG", by="EXP_VN", acknowledged=(first,))
    desk.done("IMP_DE", confirmation(first, "invoice"))
    return confirmation(second, "other")


def _correction(desk: Desk) -> Operation:
    old = desk.registered("a")
    desk.done("IMP_DE", confirmation(old, "a"))
    desk.offered(old, to="F_SG")
    return invoice("a corrected", supersedes=old)


def _factored(desk: Desk) -> Operation:
    receivable = desk.registered("a")
    until = desk.now_ms + DAY_MS
    offer = Offer(receivable, name_id("F_CN"), WHOLE // 2, mark("terms"), until, import_factor=name_id("F_DE"))
    return Cover(desk.done("EXP_CN", offer), WHOLE // 4)


def _silence(desk: Desk) -> Operation:
    receivable = desk.registered("a", seller_country="CL", debtor_country="CL")
    notice = desk.done("F_CN", Notify(desk.funded(receivable), "courier", "es", TEXT, ACCOUNT))
    desk.offered(receivable, to="F_SG", percent=10, days=90)
    desk.done("F_CN", ProveReceipt(notice, desk.now_ms, mark("receipt")))
    desk.block([], after_ms=60 * DAY_MS)
    return Deem(notice)


def _last_discharge(desk: Desk) -> Operation:
    receivable = desk.registered("a")
    desk.done("IMP_DE", confirmation(receivable, "a"))
    desk.offered(receivable, to="F_SG", percent=1)
    return Discharge(desk.funded(receivable, percent=100), WHOLE)


def _nothing_left(desk: Desk) -> Operation:
    receivable = desk.registered("a")
    desk.done("IMP_DE", confirmation(receivable, "a"))
    desk.offered(receivable, to="F_SG", percent=1)
    return Adjust(receivable, WHOLE, mark("credit note"))


def _never_claimed(desk: Desk) -> Operation:
    """Under a blanket, with an offer that nobody took up, and confirmed."""
    desk.facility()
    receivable = desk.registered("a", by="EXP_VN")
    desk.done("IMP_DE", confirmation(receivable, "a"))
    desk.offered(receivable, to="F_SG", by="EXP_VN", days=90)
    desk.block([], after_ms=70 * DAY_MS)
    return Expire(receivable)


def _missed_clock(desk: Desk) -> Operation:
    dispute = desk.dispute()
    desk.block([], after_ms=100 * DAY_MS)
    return ConcludeDispute(dispute)


def _false_registration(desk: Desk) -> Operation:
    receivable = desk.registered("a")
    desk.offered(receivable, to="F_SG", days=200)
    dispute = desk.done(
        "IMP_DE", RaiseDispute(receivable, ("debtor", salt_of("a"), name_id("IMP_DE")), "no_such_debt", WHOLE, *WORDS)
    )
    desk.block([], after_ms=100 * DAY_MS)
    return ConcludeDispute(dispute)


def _kept_out(desk: Desk) -> Operation:
    """Two of four authorities had a transaction, and each of the four has led since."""
    waiting, since, until_ms = mark("a transaction that waits"), desk.height, desk.now_ms + 600_000
    for _ in range(4):
        desk.block([])
    given = [
        give_receipt(key_of(f"consensus {name}"), desk.genesis.id, waiting, height=since, valid_until_ms=until_ms)
        for name in ("F_SG", "F_DE")
    ]
    rows = tuple(Given(each.authority, each.height, each.signature) for each in given)
    return ReportExclusion(waiting, until_ms, rows)


def _assertion(desk: Desk) -> bytes:
    return desk.done("EXP_CN", RecordExternalClaim(desk.invoice(), (), "CL:RPETC", mark("AEC"), mark("ST CAPITAL")))


def _after(prepare: Callable[[Desk], Any], operation: Callable[[Desk, Any], Operation]) -> Callable[[Desk], Operation]:
    def tell(desk: Desk) -> Operation:
        found = prepare(desk)
        return operation(desk, found)

    return tell


def _governed(*changes: Change) -> Callable[[Desk], Operation]:
    """All of these changes but the last are in force, and the last lacks one approval."""

    def tell(desk: Desk) -> Operation:
        for change in changes[:-1]:
            desk.govern(change)
        return desk.nearly(changes[-1])

    return tell


def _seat(name: str) -> SeatAuthority:
    return SeatAuthority(FIFTH.id, key_of(f"consensus {name}").public_key, name.encode(), "node.example:7001")


_NODE = AdmitNode(FIFTH.id, b"FIFTH", "node.example:7001")

STORIES = (
    # Parties and governance
    Story("propose", "waits for others", "F_CN", lambda _: Propose(Admit(FIFTH)), {"proposed": FOUR}),
    Story(
        "propose",
        "an award",
        "F_CN",
        _after(Desk.at_last_rung, lambda _, dispute: Propose(Award(dispute, "dismissed", 0, mark("award"), "en"))),
        {"award_proposed": FOUR},
    ),
    Story("approve", "admits", "F_DE", _governed(Admit(FIFTH)), {"admitted": f"{FOUR} NEWCOMER"}),
    Story(
        "approve",
        "suspends",
        "F_DE",
        _governed(Suspend(name_id("EXP_CN"), mark("why"))),
        {"suspended": f"{FOUR} EXP_CN"},
    ),
    Story(
        "approve",
        "reinstates",
        "F_DE",
        _governed(Suspend(name_id("EXP_CN"), mark("why")), Reinstate(name_id("EXP_CN"), mark("why"))),
        {"reinstated": f"{FOUR} EXP_CN"},
    ),
    Story("approve", "amends", "F_DE", _governed(Amend(name_id("EXP_CN"), "Other")), {"amended": f"{FOUR} EXP_CN"}),
    Story(
        "approve",
        "replaces an owner key",
        "F_DE",
        _governed(ReplaceOwnerKey(name_id("EXP_CN"), key_of("new owner").public_key)),
        {"amended": f"{FOUR} EXP_CN"},
    ),
    Story("approve", "lets a node in", "F_DE", _governed(Admit(FIFTH), _NODE), {"node_admitted": f"{FOUR} NEWCOMER"}),
    Story(
        "approve",
        "lets a node in no more",
        "F_DE",
        _after(
            lambda desk: (desk.govern(Admit(FIFTH)), desk.govern(_NODE)),
            lambda desk, _: desk.nearly(DismissNode(FIFTH.id, digest(b"FIFTH"))),
        ),
        {"node_dismissed": f"{FOUR} NEWCOMER"},
    ),
    Story(
        "approve",
        "seats an authority",
        "F_DE",
        _governed(Admit(FIFTH), _seat("FIFTH")),
        {"authority_seated": f"{FOUR} NEWCOMER"},
    ),
    Story(
        "approve",
        "unseats an authority",
        "F_GB",
        _after(
            lambda desk: (desk.govern(Admit(FIFTH)), desk.govern(_seat("FIFTH"))),
            lambda desk, _: _approved_by_three(desk, UnseatAuthority(FIFTH.id, mark("why"))),
        ),
        {"authority_unseated": f"{FOUR} NEWCOMER"},
    ),
    Story(
        "approve",
        "an award",
        "F_DE",
        _after(Desk.at_last_rung, lambda desk, dispute: desk.nearly(Award(dispute, "dismissed", 0, mark("a"), "en"))),
        {"executed": FOUR, "dispute_decided": ALL_SIDES},
    ),
    Story(
        "approve",
        "opens a contact",
        "F_DE",
        _after(
            lambda desk: (desk.govern(Admit(REGULATOR)), desk.contact())[1],
            lambda desk, contact: desk.nearly(OpenContact(contact, REGULATOR.id, mark("order"))),
        ),
        {"executed": FOUR, "contact_opened": "EXP_CN F_CN EXP_VN F_SG"},
    ),
    Story(
        "report_misbehaviour",
        "of one of four",
        "F_BR",
        lambda desk: ReportMisbehaviour(evidence("F_GB", 1)),
        {"misbehaviour": FOUR},
    ),
    Story(
        "approve",
        "schedules an upgrade",
        "F_DE",
        _after(
            lambda desk: (desk.govern(Admit(FIFTH)), desk.govern(_NODE)),
            lambda desk, _: desk.nearly(ScheduleUpgrade(2, desk.height + UPGRADE_NOTICE_MIN + 10)),
        ),
        {"upgrade_scheduled": f"{FOUR} NEWCOMER"},
    ),
    Story("report_exclusion", "to those who did it", "EXP_CN", _kept_out, {"exclusion": f"{FOUR} EXP_CN"}),
    Story("add_key", "", "EXP_CN", lambda _: AddKey(key_of("new").public_key), {"key_added": "EXP_CN"}),
    Story(
        "revoke_key",
        "",
        "EXP_CN",
        _after(
            lambda desk: desk.done("EXP_CN", AddKey(key_of("new").public_key)),
            lambda *_: RevokeKey(key_of("new").public_key),
        ),
        {"key_revoked": "EXP_CN"},
    ),
    Story("set_receive_key", "", "EXP_CN", lambda _: SetReceiveKey(mark("x25519")), {"receive_key_set": "EXP_CN"}),
    Story("set_home", "", "EXP_CN", lambda _: SetHome("https://node.example"), {"home_set": "EXP_CN"}),
    Story("recover", "", "owner EXP_CN", lambda _: Recover((key_of("new").public_key,)), {"recovered": "EXP_CN"}),
    Story(
        "attest",
        "",
        "F_BR",
        lambda desk: Attest(name_id("EXP_CN"), "kyc", mark("p"), mark("r"), desk.now_ms, desk.now_ms + DAY_MS),
        {"attested": "F_BR EXP_CN"},
    ),
    Story(
        "withdraw_attestation",
        "",
        "F_BR",
        _after(Desk.attestation, lambda _, attestation: WithdrawAttestation(attestation)),
        {"attestation_withdrawn": "F_BR EXP_CN"},
    ),
    # Receivables
    Story("register", "new", "EXP_CN", lambda _: invoice("a"), {"registered": "EXP_CN"}),
    Story(
        "register",
        "under a blanket",
        "EXP_VN",
        _after(Desk.facility, lambda *_: invoice("a")),
        {"registered": "EXP_VN", "blanket_matched": "EXP_VN F_DE"},
    ),
    Story(
        "register",
        "a payable of a seller that has sold all it is owed",
        "EXP_VN",
        _after(Desk.facility, lambda *_: invoice("a", kind="payable")),
        {"registered": "EXP_VN", "payable_beside_blanket": "EXP_VN F_DE"},
    ),
    Story(
        "register",
        "in the place of another",
        "EXP_CN",
        _correction,
        {"registered": "EXP_CN", "superseded": "EXP_CN IMP_DE F_SG"},
    ),
    Story(
        "register",
        "like another's",
        "EXP_VN",
        _after(
            lambda desk: desk.funded(desk.registered("a", fingerprints=ALIKE)),
            lambda *_: invoice("b", fingerprints=ALIKE),
        ),
        {"registered": "EXP_VN", "matched": "EXP_VN EXP_CN F_CN"},
    ),
    Story(
        "confirm",
        "with an offer that waits for it",
        "IMP_DE",
        _after(
            lambda desk: desk.registered("a"),
            lambda desk, receivable: (desk.offered(receivable, to="F_SG"), confirmation(receivable, "a"))[1],
        ),
        {"confirmed": "IMP_DE EXP_CN F_SG"},
    ),
    Story(
        "confirm",
        "one debt twice",
        "IMP_DE",
        _second_confirmation,
        {"confirmed": "IMP_DE EXP_VN F_SG", "double_confirmation": "IMP_DE EXP_VN F_SG EXP_CN F_CN"},
    ),
    Story(
        "reject",
        "what a financier has paid for",
        "IMP_DE",
        _after(
            lambda desk: desk.registered("a"),
            lambda desk, receivable: (
                desk.funded(receivable, percent=50),
                desk.offered(receivable, to="F_SG", percent=10),
                Reject(receivable, salt_of("a"), name_id("IMP_DE"), mark("why")),
            )[2],
        ),
        {"rejected": "IMP_DE EXP_CN F_CN F_SG"},
    ),
    Story(
        "adjust",
        "a little",
        "EXP_CN",
        _after(Desk.invoice, lambda _, receivable: Adjust(receivable, PERCENT, mark("credit note"))),
        {"adjusted": ALL_SIDES},
    ),
    Story(
        "adjust",
        "below what is claimed",
        "EXP_CN",
        _after(Desk.invoice, lambda _, receivable: Adjust(receivable, 50 * PERCENT, mark("credit note"))),
        {"adjusted": ALL_SIDES, "over_advanced": "EXP_CN F_CN F_GB"},
    ),
    Story(
        "adjust",
        "to nothing",
        "EXP_CN",
        _nothing_left,
        {"adjusted": "EXP_CN IMP_DE F_SG", "cancelled": "EXP_CN IMP_DE F_SG"},
    ),
    Story("expire", "", "EXP_VN", _never_claimed, {"expired": "EXP_VN IMP_DE F_SG F_DE"}),
    Story("distinguish", "", "IMP_DE", _distinguish, {"distinguished": "IMP_DE EXP_CN EXP_VN F_CN"}),
    # Claims: no other financier on the receivable hears; the debtor of those of which it has notice
    Story(
        "offer",
        "",
        "EXP_CN",
        _after(
            Desk.invoice,
            lambda desk, one: Offer(one, name_id("F_DE"), PERCENT, mark("terms"), desk.now_ms + DAY_MS),
        ),
        {"offered": "EXP_CN F_DE"},
    ),
    Story("revoke", "", "EXP_CN", _after(Desk.invoice, lambda desk, _: Revoke(desk.offer)), {"revoked": "EXP_CN F_SG"}),
    Story(
        "reserve", "", "F_SG", _after(Desk.invoice, lambda desk, _: Reserve(desk.offer, 1)), {"reserved": "EXP_CN F_SG"}
    ),
    Story(
        "fund",
        "without notice",
        "F_GB",
        _after(Desk.invoice, lambda desk, _: Fund(desk.silent)),
        {"funded": "EXP_CN F_GB"},
    ),
    Story(
        "fund",
        "after notice",
        "F_GB",
        _after(
            Desk.invoice,
            lambda desk, _: (
                desk.done("F_GB", Notify(desk.silent, "edi", "en", TEXT, ACCOUNT)),
                Fund(desk.silent),
            )[1],
        ),
        {"funded": "EXP_CN F_GB IMP_DE"},
    ),
    Story(
        "reassign",
        "after notice",
        "F_CN & F_DE",
        _after(Desk.invoice, lambda desk, _: Reassign(desk.claim_id, name_id("F_DE"))),
        {"reassigned": "EXP_CN F_CN F_DE IMP_DE"},
    ),
    Story(
        "release",
        "after notice",
        "F_CN",
        _after(Desk.invoice, lambda desk, _: Release(desk.claim_id)),
        {"released": "EXP_CN F_CN IMP_DE"},
    ),
    Story(
        "release",
        "without notice",
        "F_GB",
        _after(Desk.invoice, lambda desk, _: Release(desk.silent)),
        {"released": "EXP_CN F_GB"},
    ),
    Story(
        "discharge",
        "in part",
        "F_CN",
        _after(Desk.invoice, lambda desk, _: Discharge(desk.claim_id, PERCENT)),
        {"discharged": "EXP_CN F_CN IMP_DE"},
    ),
    Story(
        "discharge",
        "all of it",
        "F_CN",
        _last_discharge,
        {"discharged": "EXP_CN F_CN", "settled": "EXP_CN F_CN F_SG IMP_DE"},
    ),
    Story("cover", "", "F_DE", _factored, {"covered": "EXP_CN F_CN F_DE"}),
    # Filings
    Story(
        "record_filing",
        "",
        "F_CN",
        _after(Desk.invoice, lambda desk, _: RecordFiling(desk.claim_id, "CN:ZHONGDENG", mark("n"), desk.now_ms, 0)),
        {"filed": "EXP_CN F_CN"},
    ),
    Story(
        "continue_filing",
        "of a claim that was handed on",
        "F_DE",
        _after(Desk.filing, lambda desk, one: ContinueFiling(one, mark("n"), desk.now_ms + 200 * DAY_MS)),
        {"filing_continued": "EXP_CN F_CN F_DE"},
    ),
    Story(
        "end_filing",
        "of a claim that was handed on",
        "F_DE",
        _after(Desk.filing, lambda _, one: EndFiling(one, mark("termination"))),
        {"filing_ended": "EXP_CN F_CN F_DE"},
    ),
    # Notices
    Story(
        "notify",
        "a debtor that is known",
        "F_GB",
        _after(Desk.invoice, lambda desk, _: Notify(desk.silent, "edi", "en", TEXT, ACCOUNT)),
        {"notified": "EXP_CN F_GB IMP_DE"},
    ),
    Story(
        "notify",
        "a debtor that is not",
        "F_CN",
        lambda desk: Notify(desk.offered(desk.registered("a")), "edi", "en", TEXT, ACCOUNT),
        {"notified": "EXP_CN F_CN"},
    ),
    Story(
        "acknowledge",
        "",
        "IMP_DE",
        _after(
            Desk.invoice,
            lambda desk, _: Acknowledge(desk.notice, name_id("IMP_DE"), TEXT, ACCOUNT, True, salt_of("a")),
        ),
        {"notice_acknowledged": "EXP_CN F_CN IMP_DE"},
    ),
    Story(
        "prove_receipt",
        "",
        "F_CN",
        _after(Desk.invoice, lambda desk, _: ProveReceipt(desk.notice, desk.now_ms, mark("receipt"))),
        {"notice_proved": "EXP_CN F_CN IMP_DE"},
    ),
    Story("deem", "", "F_CN", _silence, {"deemed": "EXP_CN F_CN F_SG"}),
    # Facilities
    Story(
        "open_facility",
        "",
        "EXP_VN & F_DE",
        lambda _: OpenFacility(name_id("EXP_VN"), name_id("F_DE"), mark("terms"), mark("rules")),
        {"facility_opened": "EXP_VN F_DE"},
    ),
    Story(
        "amend_facility",
        "",
        "EXP_VN & F_DE",
        _after(Desk.facility, lambda _, one: AmendFacility(one, mark("terms 2"), mark("rules"))),
        {"facility_amended": "EXP_VN F_DE"},
    ),
    Story(
        "renew_blanket",
        "",
        "F_DE",
        _after(Desk.facility, lambda desk, one: RenewBlanket(one, mark("filing 2"), desk.now_ms + 200 * DAY_MS)),
        {"blanket_renewed": "EXP_VN F_DE"},
    ),
    Story(
        "carve_out",
        "",
        "F_DE",
        _after(Desk.facility, lambda desk, one: CarveOutReceivable(one, desk.registered("a", by="EXP_VN"))),
        {"carved_out": "EXP_VN F_DE"},
    ),
    Story(
        "draw",
        "",
        "EXP_VN & F_DE",
        _after(Desk.facility, lambda desk, one: Draw(one, desk.registered("a", by="EXP_VN"), WHOLE // 2)),
        {"offered": "EXP_VN F_DE", "funded": "EXP_VN F_DE"},
    ),
    Story(
        "certify_base",
        "",
        "EXP_VN & F_DE",
        _after(Desk.facility, lambda _, one: CertifyBase(one, 20260101, mark("base"), "breach")),
        {"base_breach": "EXP_VN F_DE"},
    ),
    Story(
        "close_facility",
        "",
        "F_DE",
        _after(Desk.facility, lambda _, one: CloseFacility(one)),
        {"facility_closed": "EXP_VN F_DE"},
    ),
    # Contacts: those asked do not hear from whom
    Story(
        "ask_contact",
        "",
        "F_CN",
        _after(Desk.alike, lambda _, pair: AskContact(*pair, *WORDS)),
        {"contact_asked": "EXP_VN F_SG", "contact_sent": "EXP_CN F_CN"},
    ),
    Story(
        "answer_contact",
        "accepts",
        "F_SG",
        _after(Desk.contact, lambda _, one: AnswerContact(one, "accept", *WORDS)),
        {"contact_opened": "F_CN F_SG"},
    ),
    Story(
        "answer_contact",
        "declines",
        "F_SG",
        _after(Desk.contact, lambda _, one: AnswerContact(one, "decline", *WORDS)),
        {"contact_declined": "EXP_CN F_CN EXP_VN F_SG"},
    ),
    # Disputes
    Story(
        "raise_dispute",
        "",
        "IMP_DE",
        _after(Desk.invoice, lambda _, one: RaiseDispute(one, (), "set_off", PERCENT, *WORDS)),
        {"dispute_raised": ALL_SIDES},
    ),
    Story(
        "answer_dispute",
        "",
        "F_CN",
        _after(Desk.dispute, lambda _, one: AnswerDispute(one, *WORDS)),
        {"dispute_answered": ALL_SIDES},
    ),
    Story(
        "escalate_dispute",
        "",
        "IMP_DE",
        _after(
            Desk.dispute,
            lambda desk, one: (desk.done("EXP_CN", AnswerDispute(one, *WORDS)), EscalateDispute(one, (), *WORDS))[1],
        ),
        {"dispute_escalated": ALL_SIDES},
    ),
    Story(
        "withdraw_dispute",
        "",
        "IMP_DE",
        _after(Desk.dispute, lambda _, one: WithdrawDispute(one, *WORDS)),
        {"dispute_withdrawn": ALL_SIDES},
    ),
    Story(
        "settle_dispute",
        "",
        "IMP_DE & EXP_CN",
        _after(Desk.dispute, lambda _, one: SettleDispute(one, 5 * PERCENT, *WORDS)),
        {"dispute_settled": ALL_SIDES, "adjusted": ALL_SIDES},
    ),
    Story(
        "decide_dispute",
        "",
        "IMP_DE & EXP_CN",
        _after(Desk.at_last_rung, lambda _, one: DecideDispute(one, "dismissed", 0, *WORDS)),
        {"dispute_decided": ALL_SIDES},
    ),
    Story(
        "conclude_dispute",
        "missed clocks",
        "F_CN",
        _missed_clock,
        {"dispute_concluded": "EXP_CN IMP_DE F_CN", "adjusted": "EXP_CN IMP_DE F_CN"},  # reservation and offer lapsed
    ),
    Story(
        "conclude_dispute",
        "a false registration",
        "IMP_DE",
        _false_registration,
        {"dispute_concluded": "EXP_CN IMP_DE F_SG", "voided": "EXP_CN IMP_DE F_SG"},
    ),
    # Claims outside
    Story(
        "record_external_claim",
        "",
        "EXP_CN",
        _after(Desk.invoice, lambda _, one: RecordExternalClaim(one, (), "CL:RPETC", mark("AEC"), mark("ST CAPITAL"))),
        {"external_claim_recorded": ALL_SIDES},
    ),
    Story(
        "end_external_claim",
        "",
        "EXP_CN",
        _after(_assertion, lambda _, one: EndExternalClaim(one, "released", mark("letter"))),
        {"external_claim_ended": ALL_SIDES},
    ),
)
