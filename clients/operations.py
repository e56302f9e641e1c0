"""Every operation and every change: the procedure that makes it, and the command that a person uses.

What only nodes do stands in `BY_NODES`, with the reason.

Procedures are "module:function" of this package; they return a draft where several parties sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

__all__ = ["BY_NODES", "SURFACE", "Surface"]


class Surface(NamedTuple):
    """How a member does it: the procedure of the SDK, and the words after `nemodat`."""

    procedure: str
    command: str


SURFACE: Final[Mapping[str, Surface]] = MappingProxyType(
    {
        # Operations
        "propose": Surface("parties:propose_change", "party propose"),
        "approve": Surface("governance:approve", "party approve"),
        "add_key": Surface("parties:add_key", "party add-key"),
        "revoke_key": Surface("parties:revoke_key", "party revoke-key"),
        "set_receive_key": Surface("parties:set_receive_key", "party set-receive-key"),
        "set_home": Surface("parties:set_home", "party set-home"),
        "recover": Surface("parties:recover", "party recover"),
        "attest": Surface("parties:attest", "party attest"),
        "withdraw_attestation": Surface("parties:withdraw_attestation", "party withdraw"),
        "register": Surface("exporter:register", "receivable register"),
        "confirm": Surface("debtor:confirm", "receivable confirm"),
        "reject": Surface("debtor:reject", "receivable reject"),
        "adjust": Surface("exporter:adjust", "receivable adjust"),
        "expire": Surface("exporter:expire", "receivable expire"),
        "distinguish": Surface("debtor:distinguish", "receivable distinguish"),
        "offer": Surface("exporter:offer", "claim offer"),
        "revoke": Surface("exporter:revoke", "claim revoke"),
        "reserve": Surface("financier:reserve", "claim reserve"),
        "fund": Surface("financier:fund", "claim fund"),
        "reassign": Surface("financier:compose_reassignment", "claim reassign"),
        "release": Surface("financier:release", "claim release"),
        "discharge": Surface("financier:discharge", "claim discharge"),
        "cover": Surface("forms:cover", "claim cover"),
        "raise_dispute": Surface("disputes:raise_dispute", "dispute raise"),
        "answer_dispute": Surface("disputes:answer", "dispute answer"),
        "escalate_dispute": Surface("disputes:escalate", "dispute escalate"),
        "withdraw_dispute": Surface("disputes:withdraw", "dispute withdraw"),
        "settle_dispute": Surface("disputes:compose_settlement", "dispute settle"),
        "decide_dispute": Surface("disputes:compose_decision", "dispute decide"),
        "conclude_dispute": Surface("disputes:conclude", "dispute conclude"),
        "record_filing": Surface("filings:record_filing", "filing record"),
        "continue_filing": Surface("filings:continue_filing", "filing continue"),
        "end_filing": Surface("filings:end_filing", "filing end"),
        "ask_contact": Surface("contacts:ask", "contact ask"),
        "answer_contact": Surface("contacts:accept", "contact answer"),
        "notify": Surface("notices:notify", "notice send"),
        "acknowledge": Surface("notices:acknowledge", "notice acknowledge"),
        "prove_receipt": Surface("notices:prove_receipt", "notice prove"),
        "deem": Surface("notices:deem", "receivable deem"),
        "open_facility": Surface("pools:opening", "pool open"),
        "amend_facility": Surface("pools:amendment", "pool amend"),
        "draw": Surface("pools:draw", "pool draw"),
        "renew_blanket": Surface("pools:renew_blanket", "pool renew"),
        "carve_out": Surface("pools:carve_out", "pool carve-out"),
        "certify_base": Surface("pools:certification", "pool certify"),
        "close_facility": Surface("pools:close", "pool close"),
        "record_external_claim": Surface("external:record", "external record"),
        "end_external_claim": Surface("external:end", "external end"),
        "report_exclusion": Surface("inclusion:report_exclusion", "inclusion report"),
        # Changes that authorities propose
        "admit": Surface("governance:propose_admissions", "party propose"),
        "suspend": Surface("parties:propose_change", "party suspend"),
        "reinstate": Surface("parties:propose_change", "party reinstate"),
        "amend": Surface("parties:propose_change", "party amend"),
        "replace_owner_key": Surface("parties:propose_change", "party replace-owner-key"),
        "award": Surface("disputes:propose_award", "dispute award"),
        "open_contact": Surface("contacts:order", "contact order"),
        "seat_authority": Surface("parties:propose_change", "authority seat"),
        "unseat_authority": Surface("parties:propose_change", "authority unseat"),
        "admit_node": Surface("parties:propose_change", "authority admit-node"),
        "dismiss_node": Surface("parties:propose_change", "authority dismiss-node"),
        "schedule_upgrade": Surface("parties:propose_change", "authority upgrade"),
    }
)

BY_NODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        # It is signed by a consensus key, which never leaves a node, and the node that has the votes reports them.
        "report_misbehaviour": "nodes report what they see; nemodat authority misbehaviour shows it",
    }
)
