"""What every node of one process would find out alike, found out once: signatures made and verified, messages encoded
and decoded.

The same bytes give the same answer on every node, so a memory of answers changes no answer. It is handed to engines by
the seam they have for it (`Verifier`), and lives as long as one world; signatures are remembered beyond it.
"""

from __future__ import annotations

from functools import lru_cache

from consensus.messages import Message, decode_message, encode_message
from consensus.ranges import RangeMessage, decode_range_message, encode_range_message
from registry.keys import SignatureInvalid, SigningKey, verify

__all__ = ["Memo", "RememberedSigner"]

SIGNATURES_REMEMBERED = 8_192  # by a process: the same keys say the same of views that fail in one world after another


@lru_cache(maxsize=SIGNATURES_REMEMBERED)
def _signature(signer: SigningKey, domain: bytes, chain_id: bytes, message: bytes) -> bytes:
    return signer.sign(domain, chain_id, message)


class Memo:
    """The answers of one run. A signature that a key of this process has just made is known to be good."""

    __slots__ = ("_decoded", "_decoded_ranges", "_encoded", "_encoded_ranges", "_good", "_refused")

    def __init__(self) -> None:
        self._good: set[tuple[bytes, bytes, bytes, bytes, bytes]] = set()
        self._refused: set[tuple[bytes, bytes, bytes, bytes, bytes]] = set()
        self._encoded: dict[Message, bytes] = {}
        self._encoded_ranges: dict[RangeMessage, bytes] = {}
        self._decoded: dict[bytes, Message] = {}
        self._decoded_ranges: dict[bytes, RangeMessage] = {}

    def verify(self, public_key: bytes, domain: bytes, chain_id: bytes, message: bytes, signature: bytes) -> None:
        """As `registry.keys.verify`. Raises `SignatureInvalid`."""
        signed = (public_key, domain, chain_id, message, signature)
        if signed in self._good:
            return
        if signed in self._refused:
            raise SignatureInvalid("the signature does not verify")
        try:
            verify(*signed)
        except SignatureInvalid:
            self._refused.add(signed)
            raise
        self._good.add(signed)

    def encode(self, message: Message) -> bytes:
        """As `encode_message`; the same is often said again."""
        data = self._encoded.get(message)
        if data is None:
            data = self._encoded[message] = encode_message(message)
        return data

    def encode_range(self, message: RangeMessage) -> bytes:
        """As `encode_range_message`, in the same way."""
        data = self._encoded_ranges.get(message)
        if data is None:
            data = self._encoded_ranges[message] = encode_range_message(message)
        return data

    def decode(self, data: bytes) -> Message:
        """As `decode_message`; messages are frozen, so nodes may share one. Raises `MessageError`."""
        message = self._decoded.get(data)
        if message is None:
            message = self._decoded[data] = decode_message(data)
        return message

    def decode_range(self, data: bytes) -> RangeMessage:
        """As `decode_range_message`, in the same way. Raises `MessageError`."""
        message = self._decoded_ranges.get(data)
        if message is None:
            message = self._decoded_ranges[data] = decode_range_message(data)
        return message

    def sign(self, signer: SigningKey, domain: bytes, chain_id: bytes, message: bytes) -> bytes:
        """As `signer.sign`, which signs the same alike (Ed25519); nobody needs to verify it."""
        signature = _signature(signer, domain, chain_id, message)
        self._good.add((signer.public_key, domain, chain_id, message, signature))
        return signature


class RememberedSigner:
    """A signer whose signatures nobody in this process needs to verify."""

    __slots__ = ("_memo", "_signer", "public_key")

    def __init__(self, signer: SigningKey, memo: Memo) -> None:
        self.public_key = signer.public_key
        self._signer = signer
        self._memo = memo

    def sign(self, domain: bytes, chain_id: bytes, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature over `domain || chain_id || message`."""
        return self._memo.sign(self._signer, domain, chain_id, message)
