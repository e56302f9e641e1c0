"""Where the stories of operations begin: disputes, facilities, contacts and filings, ready for the next step.

EXP_CN's invoice "a" on IMP_DE is confirmed; F_CN has funded half of it and notified the debtor; F_SG has an offer that
stands; F_GB holds a claim on it of which the debtor has no notice. F_BR, EXP_VN and IMP_AE are nobody in it.
"""

from __future__ import annotations

from registry.money import WHOLE
from registry.rules.rulebook import DAY_MS
from registry.transactions.attestations import Attest
from registry.transactions.claims import Reassign
from registry.transactions.contacts import AskContact
from registry.transactions.disputes import (
    AnswerDispute,
    EscalateDispute,
    RaiseDispute,
)
from registry.transactions.facilities import (
    OpenFacility,
    Scope,
)
from registry.transactions.filings import RecordFiling
from registry.transactions.governance import (
    Approve,
    Change,
    Propose,
)
from registry.transactions.notices import Notify
from registry.transactions.operations import Operation
from registry.transactions.receivables import Confirm
from tests.registry.world import MEMBERS, PERCENT, World, mark, name_id, party_of, salt_of

__all__ = [
    "ACCOUNT",
    "ALIKE",
    "FIFTH",
    "NAMES",
    "REGULATOR",
    "SAME_DEBT",
    "TEXT",
    "WORDS",
    "Desk",
    "confirmation",
    "signers",
]

TEXT, ACCOUNT, WORDS = mark("notice"), mark("account"), (mark("text"), "en")
ALIKE = (("number", mark("number 417")), ("window", mark("window 417")))
SAME_DEBT = (("debtor_side", mark("IMP_DE, EUR 88,450.00, due 2026-08-15")),)
REGULATOR = party_of("REGULATOR", "lei:984500USIMPORT000143", "DE", ("regulator",))
FIFTH = party_of("FIFTH", "lei:984500USIMPORT000143", "US", ("authority", "financier"))
NAMES = {name_id(name): name for name in MEMBERS} | {FIFTH.id: "NEWCOMER"}


def signers(by: str) -> list[str]:
    """The members in "F_CN & F_DE"."""
    return by.split(" & ")


class Desk(World):
    """The world of the stories."""

    def done(self, by: str, operation: Operation) -> bytes:
        """This takes effect; its subject."""
        receipt = self.one(signers(by), operation)
        assert receipt.code == "ok", receipt
        return receipt.subject

    def invoice(self) -> bytes:
        """The invoice of the module's docstring; sets `claim`, `offer`, `silent` (F_GB's claim) and `notice`."""
        receivable = self.registered("a")
        self.done("IMP_DE", confirmation(receivable, "a"))
        self.claim_id = self.funded(receivable, percent=50)
        self.silent = self.reserved(receivable, to="F_GB", percent=10)
        self.offer = self.offered(receivable, to="F_SG", percent=20)
        self.notice = self.done("F_CN", Notify(self.claim_id, "courier", "en", TEXT, ACCOUNT))
        return receivable

    def dispute(self, by: str = "IMP_DE") -> bytes:
        """The debtor's (or another's) dispute of the invoice."""
        return self.done(by, RaiseDispute(self.invoice(), (), "set_off", 5 * PERCENT, *WORDS))

    def at_last_rung(self) -> bytes:
        """A dispute before arbitrators."""
        dispute = self.dispute()
        for forum in ((), ("SIAC", "SG")):
            self.done("EXP_CN", AnswerDispute(dispute, *WORDS))
            self.done("IMP_DE", EscalateDispute(dispute, forum, *WORDS))
        return dispute

    def facility(self, *, blanket: bool = True, to: str = "F_DE") -> bytes:
        """A facility of EXP_VN, with a blanket on all."""
        scope = Scope((), mark("filing"), self.now_ms + 100 * DAY_MS) if blanket else ()
        opened = OpenFacility(name_id("EXP_VN"), name_id(to), mark("terms"), mark("rules"), scope)
        return self.done(f"EXP_VN & {to}", opened)

    def alike(self) -> tuple[bytes, bytes]:
        """EXP_CN's receivable, which F_CN has funded, and one of EXP_VN that looks like it, funded by F_SG."""
        mine = self.registered("mine", fingerprints=ALIKE)
        theirs = self.registered("theirs", by="EXP_VN", fingerprints=ALIKE)
        self.funded(mine, to="F_CN", acknowledged=(theirs,))
        self.funded(theirs, to="F_SG", by="EXP_VN", acknowledged=(mine,))
        return mine, theirs

    def contact(self) -> bytes:
        """F_CN asks the other side of a match."""
        mine, theirs = self.alike()
        return self.done("F_CN", AskContact(mine, theirs, *WORDS))

    def filing(self) -> bytes:
        """F_CN's claim stands in an official register, and has gone to F_DE since."""
        self.invoice()
        now = self.now_ms
        filing = self.done("F_CN", RecordFiling(self.claim_id, "US-NY:UCC1", mark("number"), now, now + 100 * DAY_MS))
        self.done("F_CN & F_DE", Reassign(self.claim_id, name_id("F_DE")))
        return filing

    def attestation(self) -> bytes:
        """F_BR vouches for EXP_CN."""
        until = self.now_ms + DAY_MS
        return self.done("F_BR", Attest(name_id("EXP_CN"), "kyc", mark("bureau"), mark("result"), self.now_ms, until))

    def nearly(self, change: Change) -> Approve:
        """The last approval that a change needs."""
        proposal = self.done("F_CN", Propose(change))
        self.done("F_SG", Approve(proposal))
        return Approve(proposal)


def confirmation(receivable: bytes, tag: str, share: int = WHOLE) -> Confirm:
    return Confirm(receivable, salt_of(tag), name_id("IMP_DE"), mark(f"commitment {tag}"), share, mark("text"))
