"""What every node of one process would find out alike, found out once: signatures made and verified, messages encoded
and decoded.

The same bytes give the same answer on every node, so a memory of answers changes no answer. It is handed to engines by
the seam they have for it (`Verifier`), and lives as long as one world.
"""

from __future__ import annotations

from consensus.messages import Message, decode_message, encode_message
from consensus.ranges import RangeMessage, decode_range_message, encode_range_message
from registry.keys import SignatureInvalid, Signer, verify

__all__ = ["Memo", "RememberedSigner"]


class Memo:
    """The answers of one run. A signature that a key of this process has just made is known to be good."""

    __slots__ = ("_decoded", "_decoded_ranges", "_encoded", "_encoded_ranges", "_good", "_made", "_refused")

    def __init__(self) -> None:
        self._good: set[tuple[bytes, bytes, bytes, bytes, bytes]] = set()
        self._refused: set[tuple[bytes, bytes, bytes, bytes, bytes]] = set()
        self._made: dict[tuple[bytes, bytes, bytes, bytes], bytes] = {}
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

    def sign(self, signer: Signer, domain: bytes, chain_id: bytes, message: bytes) -> bytes:
        """As `signer.sign`, which signs the same alike (Ed25519); nobody needs to verify it."""
        said = (signer.public_key, domain, chain_id, message)
        signature = self._made.get(said)
        if signature is None:
            signature = self._made[said] = signer.sign(domain, chain_id, message)
            self._good.add((*said, signature))
        return signature


class RememberedSigner:
    """A signer whose signatures nobody in this process needs to verify."""

    __slots__ = ("_memo", "_signer", "public_key")

    def __init__(self, signer: Signer, memo: Memo) -> None:
        self.public_key = signer.public_key
        self._signer = signer
        self._memo = memo

    def sign(self, domain: bytes, chain_id: bytes, message: bytes) -> bytes:
        """The 64-byte Ed25519 signature over `domain || chain_id || message`."""
        return self._memo.sign(self._signer, domain, chain_id, message)
