"""A value for every parameter name of the standard texts: the story of registry.md S1."""

from __future__ import annotations

from registry.texts import standard_text

SELLER = "Tianjin Export Co., Ltd. (lei:984500TJEXPORT000197)"
DEBTOR = "Import GmbH (lei:984500DEIMPORT000108)"
FINANCIER = "Straits Trade Bank (lei:984500SGBANK00000120)"

BY_NAME = {
    "account": "DE89 3704 0044 0532 0130 00, Straits Trade Bank",
    "addressee": FINANCIER,
    "amount": "USD 100000.00",
    "assigned": "USD 80000.00",
    "availability": "USD 120000.00",
    "base": "USD 720000.00",
    "claim": "c1" * 32,
    "confirmed": "USD 80000.00",
    "date": "2026-05-04",
    "debtor": DEBTOR,
    "dispute": "dd" * 16,
    "disputed": "USD 80000.00",
    "document": "0123456789abcdef0123456789abcdef",
    "due": "2026-07-31",
    "eligible": "USD 950000.00",
    "export_factor": "Bohai Factoring (lei:984500CNFACTOR000128)",
    "facility": "ST-2026-09",
    "financier": FINANCIER,
    "forum": "expert determination, then arbitration at SIAC",
    "gross": "USD 1000000.00",
    "ground": "set_off",
    "holder": "Bohai Factoring (lei:984500CNFACTOR000128)",
    "import_factor": "Rheinbank (lei:984500DEBANK00000124)",
    "ineligible": "USD 50000.00",
    "invoice": "TJ-2026-00417",
    "issued": "2026-05-02",
    "notice": "0a" * 16,
    "objector": DEBTOR,
    "outstanding": "USD 600000.00",
    "particulars": "container COSU6312345670 arrived with 20 of 100 pallets wet",
    "rate": "800000000000",
    "reason": "20 of 100 pallets were wet",
    "received": "2026-05-05",
    "reduced": "USD 20000.00",
    "released": "USD 80000.00",
    "reserve": "USD 50000.00",
    "respondent": FINANCIER,
    "schedule": "5c" * 32,
    "seller": SELLER,
    "settlement": "credit note for 20 pallets",
    "share": "800000000000",
    "taker": FINANCIER,
}


def sample(text_id: str) -> dict[str, str]:
    """Good parameters of that text."""
    return {name: BY_NAME[name] for name in standard_text(text_id).parameters}
