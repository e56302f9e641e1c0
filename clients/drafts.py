"""A draft on its way between those who sign it: payload and the signatures so far, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping

from clients.errors import ClientError
from clients.session import Draft

__all__ = ["draft_from_json", "draft_to_json"]

FORMAT = "nemodat-draft-v1"
DRAFT_CHARS_MAX = 2 * 1024 * 1024


def draft_to_json(draft: Draft, signatures: Mapping[bytes, bytes]) -> str:
    """JSON text: the payload and the signatures by public key, in hex."""
    signed = {key.hex(): signature.hex() for key, signature in signatures.items()}
    return json.dumps({"format": FORMAT, "payload": draft.payload.hex(), "signatures": signed}, indent=1)


def draft_from_json(text: str) -> tuple[Draft, dict[bytes, bytes]]:
    """Draft and signatures in `draft_to_json`'s text; nothing is verified yet. Raises `ClientError`."""
    if len(text) > DRAFT_CHARS_MAX:
        raise ClientError(f"draft: longer than {DRAFT_CHARS_MAX} characters")
    try:
        value = json.loads(text)
        if value["format"] != FORMAT:
            raise ClientError(f"draft: format: {FORMAT} is expected")
        signed = {bytes.fromhex(key): bytes.fromhex(signature) for key, signature in value["signatures"].items()}
        return Draft.of(bytes.fromhex(value["payload"])), signed
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ClientError(f"draft: not readable: {type(error).__name__}: {error}") from error
