"""What stays off the ledger: the particulars of a receivable and the salts that open its commitments.

The assignor keeps a dossier per receivable and hands it to the debtor (who needs it to confirm) and to the financiers
it trusts. Whoever holds it can check that the ledger's record is about exactly this invoice.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass, fields
from typing import Any

from clients.errors import ClientError
from registry.codec import DIGEST_SIZE, encode, tagged_digest
from registry.errors import FieldError
from registry.fingerprint import Particulars
from registry.normalise import compact
from registry.transactions.receivables import debtor_commitment

__all__ = ["Dossier", "particulars_commitment"]

_COMMITMENT_TAG = b"NEMODAT-v1-particulars"
_ACCOUNT_TAG = b"NEMODAT-v1-account"
DOSSIER_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """One receivable's particulars and salts (32 random bytes each). Confidential between the parties.

    `receivable` is the id on the ledger, `document` the SHA-256 of the source document (empty if there is none).
    Raises `ClientError` for one of a wrong size.
    """

    receivable: bytes
    particulars: Particulars
    salt: bytes
    debtor_salt: bytes
    document: bytes

    def __post_init__(self) -> None:
        for name in ("receivable", "salt", "debtor_salt"):
            if len(getattr(self, name)) != DIGEST_SIZE:
                raise ClientError(f"dossier: {name}: {DIGEST_SIZE} bytes are expected")
        if len(self.document) not in (0, DIGEST_SIZE):
            raise ClientError(f"dossier: document: a digest of {DIGEST_SIZE} bytes, or nothing, is expected")

    @property
    def commitment(self) -> bytes:
        """What the ledger holds in place of the particulars."""
        return particulars_commitment(self.particulars, self.salt, self.document)

    @property
    def debtor_commitment(self) -> bytes:
        """What the ledger holds in place of the debtor's identifier."""
        return debtor_commitment(salt=self.debtor_salt, identifier=self.particulars.debtor)

    def account_commitment(self, account: str) -> bytes:
        """What the ledger holds in place of an account to pay, 32 bytes: the same for all who have this dossier.

        Salted, because account numbers can be guessed; spaces and case do not matter. Raises `ClientError` for none.
        """
        if not compact(account):
            raise ClientError("account: has no letter and no digit")
        return tagged_digest(_ACCOUNT_TAG, self.salt, compact(account).encode())

    def to_json(self) -> str:
        """JSON text; bytes as hex."""
        return json.dumps(
            {
                "format": "nemodat-dossier-v1",
                "receivable": self.receivable.hex(),
                "particulars": _plain(self.particulars),
                "salt": self.salt.hex(),
                "debtor_salt": self.debtor_salt.hex(),
                "document": self.document.hex(),
            },
            ensure_ascii=False,
            indent=2,
        )

    @classmethod
    def from_json(cls, text: str) -> Dossier:
        """The dossier of `to_json`'s text. Raises `ClientError` naming what is wrong."""
        if len(text) > DOSSIER_BYTES_MAX:
            raise ClientError(f"dossier: longer than {DOSSIER_BYTES_MAX} characters")
        try:
            value = json.loads(text)
            if value["format"] != "nemodat-dossier-v1":
                raise ClientError("dossier: format: nemodat-dossier-v1 is expected")
            return cls(
                receivable=bytes.fromhex(value["receivable"]),
                particulars=_particulars(value["particulars"]),
                salt=bytes.fromhex(value["salt"]),
                debtor_salt=bytes.fromhex(value["debtor_salt"]),
                document=bytes.fromhex(value["document"]),
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, FieldError) as error:
            raise ClientError(f"dossier: not readable: {type(error).__name__}: {error}") from error


def particulars_commitment(particulars: Particulars, salt: bytes, document: bytes) -> bytes:
    """Salted SHA-256 over the particulars in the order of their fields and the document's digest, 32 bytes."""
    return tagged_digest(_COMMITMENT_TAG, salt, encode([*_plain(particulars).values(), document]))


def _plain(particulars: Particulars) -> dict[str, Any]:
    """The fields in order, dates in ISO 8601 and "" for none."""
    return {field.name: _text_of_date(field.name, getattr(particulars, field.name)) for field in fields(particulars)}


def _text_of_date(name: str, value: Any) -> Any:
    if not name.endswith("_date"):
        return value
    return "" if value is None else value.isoformat()


def _particulars(value: dict[str, Any]) -> Particulars:
    names = {field.name for field in fields(Particulars)}
    if set(value) != names:
        raise ClientError(f"dossier: particulars: exactly these fields are expected: {', '.join(sorted(names))}")
    return Particulars(**{name: _field(name, item) for name, item in value.items()})


def _field(name: str, item: Any) -> Any:
    if name.endswith("_date"):
        return datetime.date.fromisoformat(item) if item else None
    return tuple(item) if isinstance(item, list) else item
