"""Who plays in the demonstration: the members of the network, and the parties found in the invoices."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace

from stdnum import lei
from stdnum.iso7064 import mod_97_10

from registry.documents.invoice import Party as DocumentParty
from registry.keys import SigningKey
from registry.parties import Party, check_identifier
from registry.transactions.governance import Admit, admission

AUTHORITIES = (
    ("f-cn", "lei:984500CNFACTOR000128", "Tianjin Binhai Factoring (demo)", "CN"),
    ("f-sg", "lei:984500SGBANK00000120", "Straits Trade Bank (demo)", "SG"),
    ("f-de", "lei:984500DEBANK00000124", "Hanse Exportbank (demo)", "DE"),
    ("f-gb", "lei:984500GBBANK00000140", "Thames Receivables (demo)", "GB"),
)
REGULATOR = ("observer", "Supervisor's observer (demo)", "SG")


def demo_key(party: str) -> SigningKey:
    """A signing key for a party of the demonstration; anyone can compute it, so it protects nothing."""
    return SigningKey.from_seed(hashlib.sha256(b"nemodat demo sign " + party.encode()).digest())


def demo_owner_key(party: str) -> SigningKey:
    """Its owner key."""
    return SigningKey.from_seed(hashlib.sha256(b"nemodat demo owner " + party.encode()).digest())


def demo_admission(party: Party, chain_id: bytes) -> Admit:
    """Its admission, with the proofs of its keys."""
    return admission(party, [demo_key(party.id), demo_owner_key(party.id)], chain_id)


def synthetic_lei(seed: str) -> str:
    """A well-formed LEI that stands for a firm whose documents carry none."""
    body = "984500" + hashlib.sha256(seed.encode()).hexdigest()[:12].upper()
    value = body + mod_97_10.calc_check_digits(body)
    return "lei:" + lei.validate(value)


def member_party(party: str, name: str, country: str, role: str) -> Party:
    """The record of a member of the network."""
    roles = ("authority", "financier") if role == "authority" else (role,)
    return _party(party, name, country, roles)


def firm(party: str, name: str, country: str, role: str) -> Party:
    """The record of an exporter or debtor that is in no document."""
    return _party(party, name, country, (role,))


@dataclass(slots=True)
class Cast:
    """The firms found in the invoices, each under one id, as a factoring house would enrol them.

    A valid LEI or Chinese credit code of the document is taken as the id. Test documents mostly have neither: such a
    firm gets a synthetic LEI, the same one whenever it appears.
    """

    parties: dict[str, Party] = field(default_factory=dict)

    def enrol(self, found: DocumentParty, role: str) -> Party:
        """The party of this seller or buyer, with this role."""
        party_id = _identity(found)
        known = self.parties.get(party_id)
        if known is None:
            known = _party(party_id, _name(found), found.country or "DE", (role,))
        elif role not in known.roles:
            known = replace(known, roles=tuple(sorted({*known.roles, role})))
        self.parties[party_id] = known
        return known


def _identity(found: DocumentParty) -> str:
    for scheme in ("lei", "uscc"):
        value = found.identifier(scheme)
        if value is not None and check_identifier(scheme, value) is None:
            return f"{scheme}:{value}"
    return synthetic_lei(f"{_name(found).casefold()}|{found.country}")


def _name(found: DocumentParty) -> str:
    named = "".join(character for character in found.name if character.isprintable()).strip()
    return (named or (found.identifiers[0].value if found.identifiers else "unnamed"))[:200]


def _party(party_id: str, name: str, country: str, roles: tuple[str, ...]) -> Party:
    return Party(
        id=party_id,
        name=name,
        country=country,
        identifiers=(party_id,),
        roles=tuple(sorted(roles)),
        sign_keys=(demo_key(party_id).public_key,),
        owner_key=demo_owner_key(party_id).public_key,
        receive_key=b"",
        home="",
        suspended=False,
    )
