"""Nodes talk to nodes: TLS 1.3 with mutual authentication, bounded frames, one connection to each peer.

    frames      cut messages out of bytes (pure)
    outbox      what waits for a slow peer, bounded, votes before gossip (pure)
    holdoff     who broke a rule is kept out for a while (pure)
    directory   who the peers are (pure)
    tls         certificates of genesis as the only trust
    connection  one connection
    mesh        listens, dials, keeps one connection to each peer

A peer that breaks a rule is disconnected with a reason in the log, and held off; it can cost this node bandwidth, never
its life. What the payloads mean is not known here.
"""

from node.network.directory import Directory, Peer, split_address
from node.network.errors import AddressError, FrameError, HandshakeError, NetworkError, ProtocolViolation
from node.network.frames import PAYLOAD_MAX, Channel
from node.network.mesh import Handler, Mesh, PeerStatus
from node.network.tls import Credentials

__all__ = [
    "PAYLOAD_MAX",
    "AddressError",
    "Channel",
    "Credentials",
    "Directory",
    "FrameError",
    "Handler",
    "HandshakeError",
    "Mesh",
    "NetworkError",
    "Peer",
    "PeerStatus",
    "ProtocolViolation",
    "split_address",
]
