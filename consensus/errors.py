"""The errors of this package. Broken input raises one of these; a bug raises `AssertionError` and stops the node."""

from __future__ import annotations

__all__ = [
    "AuthorityError",
    "BlockError",
    "CertificateError",
    "CheckpointError",
    "ConsensusError",
    "EvidenceError",
    "MessageError",
    "ParametersError",
    "RecordError",
]


class ConsensusError(Exception):
    """Anything that this package refuses."""


class AuthorityError(ConsensusError):
    """An authority set that cannot exist: empty, too large, a key or a name twice, a key of the wrong size."""


class MessageError(ConsensusError):
    """Bytes that are not a message of this protocol, or a message with a field out of its bounds."""


class BlockError(MessageError):
    """A header or block with a field of the wrong type or size, or a body that is not the header's."""


class CertificateError(ConsensusError):
    """A certificate that proves nothing: too few or foreign signers, a wrong bitmap, a signature that fails."""


class CheckpointError(ConsensusError):
    """A checkpoint that is nobody's word, or a history that contradicts one."""


class EvidenceError(ConsensusError):
    """Evidence that accuses nobody: the votes do not conflict, or are not by one member of the set."""


class ParametersError(ConsensusError):
    """Genesis parameters that no engine can run with."""


class RecordError(ConsensusError):
    """What the disk gave back is not what was written: the node must not vote with it."""
