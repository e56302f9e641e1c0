"""Who may raise a dispute, and on what ground: only what the ledger itself can check (registry.md 9)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from registry.reasons import NOT_AUTHORISED, NOT_DEBTOR, NOT_FOUND
from registry.records import Receivable
from registry.rules.debtors import debtor_of
from registry.rules.roles import may
from registry.rules.verdicts import Call, Refusal
from registry.transactions.disputes import RaiseDispute
from registry.transactions.fields import Ref

__all__ = ["GROUNDS_OF", "WAIVED", "capacity_of"]

_OF_THE_DEBT: Final = frozenset({"refusal", "defence", "counterclaim", "set_off", "third_party_claim"})
_OF_A_STRANGER: Final = frozenset({"third_party_claim", "not_my_invoice", "squatting", "no_such_debt"})

# As whom one may say what. A second holder has paid on another record of the same debt, an applicant nothing. A
# registrant that finds its own registration false has credit notes for that; voiding it would free the identity that a
# financier has paid for. A stranger to the debt cannot plead the debtor's defences.
GROUNDS_OF: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "debtor": _OF_THE_DEBT | {"not_my_invoice", "squatting", "no_such_debt"},
        "holder": _OF_THE_DEBT | {"not_my_invoice", "squatting", "no_such_debt"},
        "registrant": _OF_THE_DEBT,
        "second_holder": _OF_A_STRANGER,
        "applicant": _OF_A_STRANGER,
    }
)
# What a debtor that confirmed with `waives_defences` has given up, for whoever finances in reliance on it. It may still
# refuse: what no law lets it waive (fraud, say) needs a way, and holders answer to it.
WAIVED: Final = frozenset({"defence", "counterclaim", "set_off"})
# What one's own claim in this state makes of its holder: until it is funded, no money is in it. One that has ended
# gives no standing any more.
_BY_CLAIM: Final = MappingProxyType(
    {"offered": "applicant", "lapsed": "applicant", "reserved": "applicant", "funded": "holder"}
)
# Kinds that say "the same debt", or the same goods by their document of title. That two debts have one order or
# nearly one date gives no standing: else whoever registered anything could stop others' business.
_ALIKE: Final = frozenset({"gov", "exact", "number", "particulars", "debtor_side", "transport"})


def capacity_of(call: Call, receivable: Receivable, operation: RaiseDispute) -> str | Refusal:
    """As whom the sender may dispute the receivable on this ground, or why it may not."""
    found = _capacity(call, receivable, operation)
    if isinstance(found, Refusal):
        return found
    if not may(call.sender, "dispute") or operation.ground not in GROUNDS_OF[found]:
        return Refusal(NOT_AUTHORISED, receivable.id)
    if found == "debtor" and receivable.waives_defences and operation.ground in WAIVED:
        return Refusal(NOT_AUTHORISED, receivable.id)
    return found


def _capacity(call: Call, receivable: Receivable, operation: RaiseDispute) -> str | Refusal:
    sender = call.sender.id
    match operation.standing:
        case ():
            if sender == receivable.debtor or (sender == receivable.registrant and receivable.kind == "payable"):
                return "debtor"
            return "registrant" if sender == receivable.registrant else Refusal(NOT_AUTHORISED, receivable.id)
        case ("debtor", bytes(salt), str(identifier)):
            return _as_debtor(call, receivable, salt, identifier)
        case ("claim", ref):
            return _by_claim(call, receivable, ref)
        case ("receivable", ref):
            return _by_receivable(call, receivable, ref)
        case ("fingerprint", kind, value):
            # The refused duplicate left no record, but its registrant knows the certain fingerprint it was refused by.
            own = may(call.sender, "register") or may(call.sender, "register_payable")
            if own and sender != receivable.registrant and (kind, value) in receivable.fingerprints:
                return "applicant"
    return Refusal(NOT_AUTHORISED, receivable.id)


def _as_debtor(call: Call, receivable: Receivable, salt: bytes, identifier: str) -> str | Refusal:
    """The opening is that of a confirmation, so a seller that names itself as debtor is refused here too."""
    debtor = debtor_of(call, receivable, salt=salt, identifier=identifier, action="dispute")
    if isinstance(debtor, Refusal):
        return debtor
    return "debtor" if debtor.id == call.sender.id else Refusal(NOT_DEBTOR, receivable.id)


def _by_claim(call: Call, receivable: Receivable, ref: Ref) -> str | Refusal:
    claim = call.state.claim(call.resolve(ref))
    if claim is None:
        return Refusal(NOT_FOUND, receivable.id)
    capacity = _BY_CLAIM.get(claim.state_at(call.now_ms))
    own = claim.holder == call.sender.id != receivable.registrant  # a claim bought back makes no holder of the seller
    if not own or capacity is None:
        return Refusal(NOT_AUTHORISED, receivable.id)
    if claim.receivable == receivable.id:
        return capacity
    other = call.state.receivable(claim.receivable)
    if other is None or not _alike(receivable, other):
        return Refusal(NOT_AUTHORISED, receivable.id)
    return "second_holder" if claim.state == "funded" else "applicant"


def _by_receivable(call: Call, receivable: Receivable, ref: Ref) -> str | Refusal:
    other = call.state.receivable(call.resolve(ref))
    if other is None:
        return Refusal(NOT_FOUND, receivable.id)
    own = other.registrant == call.sender.id != receivable.registrant
    if not own or not _alike(receivable, other):
        return Refusal(NOT_AUTHORISED, receivable.id)
    return "applicant"


def _alike(receivable: Receivable, other: Receivable) -> bool:
    """Whether two records hold a fingerprint in common that says: the same debt or goods. A voided one says nothing."""
    common = set(receivable.fingerprints) & set(other.fingerprints)
    return other.state != "voided" and any(kind in _ALIKE for kind, _ in common)
