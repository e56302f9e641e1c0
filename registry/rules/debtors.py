"""Who the debtor is: whoever opens the commitment that the registrant made, and has signed."""

from __future__ import annotations

from registry.parties import Party
from registry.reasons import NOT_AUTHORISED, NOT_DEBTOR
from registry.records import Receivable
from registry.rules.roles import may
from registry.rules.verdicts import Call, Refusal
from registry.transactions.receivables import debtor_commitment

__all__ = ["debtor_of"]


def debtor_of(call: Call, receivable: Receivable, *, salt: bytes, identifier: str, action: str) -> Party | Refusal:
    """The signer that is the debtor by this opening and may do `action`, or why there is none."""
    opened = debtor_commitment(salt=salt, identifier=identifier)
    named = call.state.party_of_alias(identifier)
    debtor = None if named is None else call.signer(named.id)
    if opened != receivable.debtor_commitment or debtor is None:
        return Refusal(NOT_DEBTOR, receivable.id)
    if receivable.kind == "payable" and debtor.id != receivable.registrant:  # a payable is its registrant's own debt
        return Refusal(NOT_DEBTOR, receivable.id)
    # A seller that names itself as debtor would vouch for its own invoice; a payable is the debtor's own word.
    own_word = debtor.id == receivable.registrant and receivable.kind != "payable"
    if own_word or not may(debtor, action):
        return Refusal(NOT_AUTHORISED, receivable.id)
    return debtor
