"""Who the peers are: the nodes that the ledger lets in, found by id or by certificate. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from node.network.errors import AddressError, HandshakeError

__all__ = ["Directory", "Peer", "split_address"]


@dataclass(frozen=True, slots=True)
class Peer:
    """A member of the network.

    `id` is the consensus public key of an authority and the SHA-256 of an observer's certificate (32 bytes): two
    certificates may have one key. `name` is for people; `role` is "authority" or "observer"; `address` is `host:port`;
    `certificate` is DER.
    """

    id: bytes
    name: str
    role: str
    address: str
    certificate: bytes


class Directory:
    """The nodes let in at one height. Raises `HandshakeError` if two of them share an id or a certificate."""

    def __init__(self, members: Iterable[Peer]) -> None:
        self.members = tuple(members)
        self.by_id = {peer.id: peer for peer in self.members}
        self.by_certificate = {peer.certificate: peer for peer in self.members}
        if not len(self.members) == len(self.by_id) == len(self.by_certificate):
            raise HandshakeError("two members share an id or a certificate")

    def identify(self, certificate: bytes | None) -> Peer:
        """The member with exactly this certificate. Raises `HandshakeError` when there is none."""
        peer = self.by_certificate.get(certificate) if certificate is not None else None
        if peer is None:
            raise HandshakeError("the certificate is none of a node that is let in")
        return peer


def split_address(address: str) -> tuple[str, int]:
    """`host:port` (also `[v6]:port`) as host and port. Raises `AddressError`."""
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 <= int(port) < 65536:
        raise AddressError(f"not host:port: {address!r}")
    return host.removeprefix("[").removesuffix("]"), int(port)
