"""Errors of the network: each one ends a connection, never the node."""

from __future__ import annotations

__all__ = ["AddressError", "FrameError", "HandshakeError", "NetworkError", "ProtocolViolation"]


class NetworkError(Exception):
    """Base of everything that `node.network` raises on purpose."""


class ProtocolViolation(NetworkError):
    """A peer sent what no honest node sends. Whoever handles a frame may raise it: the connection is closed."""


class FrameError(ProtocolViolation):
    """Bytes that are not a frame: unknown channel, a length out of bounds, or a control frame that does not decode."""


class HandshakeError(NetworkError):
    """The other side is not in genesis, not the one that was dialled, or speaks for another network or version."""


class AddressError(NetworkError):
    """A text is not `host:port`."""
