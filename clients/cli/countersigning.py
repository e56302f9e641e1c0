"""What several sign, the one way: one writes a draft; the others check what it does, sign, and pass it on or send it.

`claim accept`, `dispute accept`, `pool ... --accept` and `draft sign` differ only in what they take for agreed.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from clients.base import Client
from clients.cli.context import show, text_of
from clients.drafts import draft_from_json, draft_to_json
from clients.errors import ClientError
from clients.session import Draft
from clients.verify import Final
from registry.errors import TransactionError
from registry.genesis import Genesis
from registry.transactions.envelope import read_payload
from registry.transactions.operations import Operation

__all__ = ["Agreed", "Signed", "anything", "countersigned", "first_signed", "operations_of", "passed_on", "read_draft"]

Signed: TypeAlias = tuple[Draft, dict[bytes, bytes]]  # a draft, and the signatures so far by public key
Agreed: TypeAlias = Callable[[str, tuple[Operation, ...]], bool]  # mode and operations: is that what I agree to?


def first_signed(draft: Draft, settings: Mapping[str, Any], output: Path) -> None:
    """Write a draft with this party's signature, and show who has to sign as well."""
    signer = settings["signer"]
    signatures = {signer.public_key: draft.sign(settings["genesis"], signer)}
    _write(output, draft, signatures)
    show({"draft": str(output), "to_sign": _missing(draft, signatures)})


def read_draft(path: Path) -> Signed:
    """Draft and signatures in a file; nothing is verified yet. Raises `ClientError`, `OSError`."""
    return draft_from_json(text_of(path, "a draft"))


def operations_of(draft: Draft, genesis: Genesis) -> tuple[int, str, tuple[Operation, ...]]:
    """Until when a draft is valid (ms UTC), its mode, and what it would do. Raises `ClientError`."""
    try:
        _, _, valid_until_ms, mode, operations = read_payload(draft.payload, genesis.id)
    except TransactionError as error:
        raise ClientError(f"draft: {error}") from error
    return valid_until_ms, mode, operations


def countersigned(path: Path, settings: Mapping[str, Any], agreed: Agreed, what: str) -> Signed:
    """The draft in a file with this party's signature too, if it does what was agreed, and can still be sent.

    Raises `ClientError` otherwise; `what` says there what was expected.
    """
    draft, signatures = read_draft(path)
    if settings["signer"].public_key not in draft.signers:
        raise ClientError("this key is not among the draft's signers")
    valid_until_ms, mode, operations = operations_of(draft, settings["genesis"])
    if valid_until_ms < time.time_ns() // 1_000_000:
        until = datetime.datetime.fromtimestamp(valid_until_ms // 1_000, tz=datetime.UTC).isoformat()
        raise ClientError(f"{path}: expired at {until}, nothing was signed: ask for a new one")
    if not agreed(mode, operations):
        raise ClientError(f"{path}: is not {what}: nothing was signed")
    signer = settings["signer"]
    signatures[signer.public_key] = draft.sign(settings["genesis"], signer)
    return draft, signatures


def anything(_mode: str, _operations: tuple[Operation, ...]) -> bool:
    """For whoever has read the draft itself (`nemodat draft show`)."""
    return True


def passed_on(client: Client, path: Path, signed: Signed) -> Final | None:
    """Send the draft if all have signed, else write it back for the others. Raises `Refused`."""
    draft, signatures = signed
    missing = _missing(draft, signatures)
    if not missing:
        return client.resume(draft.sealed(client.genesis, signatures))
    _write(path, draft, signatures)
    show({"draft": str(path), "to_sign": missing})
    return None


def _missing(draft: Draft, signatures: Mapping[bytes, bytes]) -> list[str]:
    return [signer.hex() for signer in draft.signers if signer not in signatures]


def _write(path: Path, draft: Draft, signatures: Mapping[bytes, bytes]) -> None:
    path.write_text(draft_to_json(draft, signatures) + "\n", encoding="utf-8")
