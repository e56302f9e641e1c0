"""One assignment to write about: EXP_CN's invoice on IMP_DE, 80% of it assigned to F_SG (registry.md S1)."""

from __future__ import annotations

import datetime

from registry.money import Money
from registry.outgoing import Assignment, Firm, Letter, Notice

LETTER = Letter(id="TJ-417-1", sent=datetime.date(2026, 5, 4))
REPLY = Letter(id="ST-0008", sent=datetime.date(2026, 5, 5), replies_to="TJ-417-1")

ASSIGNMENT = Assignment(
    claim=bytes.fromhex("c1" * 32),
    seller=Firm(
        name="天津出口有限公司", country="CN", identifiers=("uscc:91110000600037341L", "lei:984500TJEXPORT000197")
    ),
    debtor=Firm(name="Import GmbH", country="DE", identifiers=("lei:984500DEIMPORT000108",)),
    financier=Firm(name="Straits Trade Bank", country="SG", identifiers=("lei:984500SGBANK00000120",)),
    agreement="ST-2026-09",
    concluded=datetime.date(2026, 5, 1),
    invoice="TJ-2026-00417",
    issued=datetime.date(2026, 5, 2),
    due=datetime.date(2026, 7, 31),
    amount=Money("USD", 100_000_00),
    tax=Money("USD", 0),
    share=800_000_000_000,
    advance=Money("USD", 72_000_00),
    law="SG",
    account="DE89370400440532013000",
    notice=Notice(reference="0123456789abcdef0123456789abcdef", digest=bytes.fromhex("d1" * 32)),
)

JSON = {
    "claim": "c1" * 32,
    "seller": {
        "name": "天津出口有限公司",
        "country": "CN",
        "identifiers": ["uscc:91110000600037341L", "lei:984500TJEXPORT000197"],
    },
    "debtor": {"name": "Import GmbH", "country": "DE", "identifiers": ["lei:984500DEIMPORT000108"]},
    "financier": {"name": "Straits Trade Bank", "country": "SG", "identifiers": ["lei:984500SGBANK00000120"]},
    "agreement": "ST-2026-09",
    "concluded": "2026-05-01",
    "invoice": "TJ-2026-00417",
    "issued": "2026-05-02",
    "due": "2026-07-31",
    "currency": "USD",
    "exponent": 2,
    "amount_minor": 10000000,
    "tax_minor": 0,
    "share": 800000000000,
    "advance_minor": 7200000,
    "law": "SG",
    "account": "DE89370400440532013000",
    "notice": {"reference": "0123456789abcdef0123456789abcdef", "digest": "d1" * 32},
}
