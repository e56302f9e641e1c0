"""A manifest: what proves a state, and what the parts of it are checked against.

It holds a final header with its certificate, the changes of the authorities from genesis to there (`consensus.light`),
the history below the header as a compact range and its last leaves, of which the order of the next blocks is drawn
(`registry.order`), and the cut of the state. Whoever has the genesis can check all of it: the changes make the set in
force, the set makes the header final, and the header names the roots of history and state.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from consensus.authorities import AuthoritySet
from consensus.blocks import Header
from consensus.errors import ConsensusError
from consensus.light import CHANGES_MAX, Change, Reign, follow, in_force, verify_header
from consensus.ranges import RANGE_MESSAGE_MAX
from consensus.votes import Certificate
from registry.codec import CodecError, Value, decode, encode
from registry.merkle.hashing import HASH_BYTES, ProofError
from registry.merkle.log import CompactRange
from registry.merkle.parts import cut_root
from registry.order import DRAWN_FROM

__all__ = ["Manifest", "ManifestError", "read_manifest"]


class ManifestError(Exception):
    """A manifest that proves nothing; says what fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """See the module. `parts` is the cut of the state at the level of `bits`.

    `recent` are the last leaves of the history below the header: `DRAWN_FROM`, or all that there are; `older` is the
    rest of it.
    """

    header: Header
    certificate: Certificate
    changes: tuple[Change, ...]
    older: CompactRange
    recent: tuple[bytes, ...]
    bits: int
    parts: tuple[bytes, ...]

    @property
    def height(self) -> int:
        """The height whose state this is."""
        return self.header.height

    @property
    def history(self) -> CompactRange:
        """Of all headers below."""
        return reduce(CompactRange.append, self.recent, self.older)

    def encode(self) -> bytes:
        """The canonical bytes."""
        fields: list[Value] = [
            self.header.encode(),
            encode(self.certificate.to_value()),
            [change.encode() for change in self.changes],
            self.older.encode(),
            self.recent,
            self.bits,
            self.parts,
        ]
        return encode(fields)

    def reigns(self, genesis_id: bytes, authorities: AuthoritySet) -> tuple[Reign, ...]:
        """The sets in force up to the height, from that of genesis on. Raises `ConsensusError`."""
        return follow(genesis_id, authorities, self.changes)


def read_manifest(data: bytes, genesis_id: bytes, authorities: AuthoritySet) -> Manifest:
    """The manifest of these bytes, verified from genesis (`authorities` is its set). Raises `ManifestError`."""
    try:
        manifest = _decode(data)
        reigns = manifest.reigns(genesis_id, authorities)
        header = manifest.header
        verify_header(genesis_id, in_force(reigns, header.height), header, manifest.certificate)
        if len(manifest.recent) != min(DRAWN_FROM, header.height - 1):
            raise ManifestError("recent: not as many leaves as the order of a block is drawn from")
        history = manifest.history
        if history.size != header.height - 1 or history.root() != header.history_root:
            raise ManifestError("history: not the one that the header names")
        if cut_root(manifest.bits, manifest.parts) != header.state_root:
            raise ManifestError("parts: not those of the state that the header names")
    except (ConsensusError, CodecError, ProofError) as error:
        raise ManifestError(str(error)) from error
    return manifest


def _decode(data: bytes) -> Manifest:
    value = decode(data, size_max=RANGE_MESSAGE_MAX)
    match value:
        case [bytes(header), bytes(certificate), list(changes), list(older), list(recent), bits, list(parts)] if (
            type(bits) is int
            and len(changes) <= CHANGES_MAX
            and all(isinstance(change, bytes) for change in changes)
            and all(isinstance(leaf, bytes) and len(leaf) == HASH_BYTES for leaf in recent)
            and all(isinstance(part, bytes) for part in parts)
        ):
            return Manifest(
                header=Header.decode(header),
                certificate=Certificate.from_value(decode(certificate)),
                changes=tuple(Change.decode(bytes(change)) for change in changes),
                older=CompactRange.decode(older),
                recent=tuple(bytes(leaf) for leaf in recent),
                bits=bits,
                parts=tuple(bytes(part) for part in parts),
            )
        case _:
            raise ManifestError("manifest: not a list of its seven fields")
