"""Standard texts in English and Chinese: what parties sign beside the ledger, which keeps only the digest.

    parameters = {"document": secrets.token_hex(16), "date": "2026-05-04", "debtor": "...", ...}
    shown = render("debtor-confirmation-whole", "zh", parameters)        # to the person who signs
    pinned = text_digest("debtor-confirmation-whole", "zh", parameters)  # to the ledger, with the language

Confirmations (whole or in part, defences reserved or waived), notices of assignment and their acknowledgement, disputes
and answers, release and onward assignment, the borrowing-base certificate: one TOML file each, beside this one. They
are standard wording, not legal advice; each file names the rules that it leans on. Pure: values in, text out.
"""

from __future__ import annotations

from registry.texts.catalogue import (
    LANGUAGES,
    Language,
    StandardText,
    UnknownText,
    parse_text,
    standard_text,
    text_ids,
)
from registry.texts.parameters import KINDS, BadParameter, Kind
from registry.texts.rendering import (
    MissingParameter,
    UnknownParameter,
    digest_of_rendered,
    render,
    text_digest,
)

__all__ = [
    "KINDS",
    "LANGUAGES",
    "BadParameter",
    "Kind",
    "Language",
    "MissingParameter",
    "StandardText",
    "UnknownParameter",
    "UnknownText",
    "digest_of_rendered",
    "parse_text",
    "render",
    "standard_text",
    "text_digest",
    "text_ids",
]
