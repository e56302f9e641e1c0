"""What a document type code (UN/EDIFACT 1001) means for the debt. The codes are those of EN 16931, BR-CL-01."""

from __future__ import annotations

from registry.documents.invoice import Kind

__all__ = ["FACTORED", "FACTOR_ROLES", "KNOWN", "NOT_A_DEMAND", "TRANSPORT_DOCUMENTS", "kind_of"]

# Newer editions of the list (71, 102, 218 ... 877, 471-473, 500-503) only add to the rule's first one.
_INVOICES = frozenset(
    {
        *("71", "80", "82", "84", "102", "130", "202", "203", "204", "211", "218", "219", "295", "325", "326", "331"),
        *("380", "382", "383", "384", "385", "386", "387", "388", "389", "390", "393", "394", "395", "456", "457"),
        *("471", "472", "473", "500", "501", "527", "553", "575", "623", "633", "751", "780", "817", "870"),
        *("875", "876", "877", "935"),
    }
)
_CREDIT_NOTES = frozenset({"81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532"})

KNOWN = _INVOICES | _CREDIT_NOTES

# The document itself says that somebody else is to be paid: 393 factored invoice, 396 factored credit note.
FACTORED = frozenset({"393", "396"})

# UNTDID 3035, what a party does: DL "factor, a company that buys debts at a discount".
FACTOR_ROLES = frozenset({"DL"})

# No payment is asked for: 130 invoicing data sheet, 325 pro forma, 751 for accounting only, 935 for customs only.
# Italy's documents that a buyer writes to itself for the tax office (TD16 to TD23, TD27 to TD29), Finland's pro forma.
NOT_A_DEMAND = frozenset(
    {
        *("130", "325", "751", "935"),
        *("TD16", "TD17", "TD18", "TD19", "TD20", "TD21", "TD22", "TD23", "TD27", "TD28", "TD29"),
        "INV06",
    }
)

# Documents of carriers and customs, whose numbers mean the same to everybody. Not the despatch advice (351), which is
# the seller's own numbering.
TRANSPORT_DOCUMENTS = frozenset(
    {
        *("703", "704", "705", "706", "707", "710", "714"),  # waybills and bills of lading
        *("720", "730"),  # rail and road consignment notes
        *("740", "741", "743"),  # air waybills
        *("760", "761", "765"),  # combined transport
        *("830", "929"),  # goods declarations for export and import
    }
)


def kind_of(type_code: str) -> Kind:
    """Whether the code adds to what is owed or takes from it."""
    return Kind.CREDIT_NOTE if type_code in _CREDIT_NOTES else Kind.INVOICE
