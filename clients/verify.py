"""Nothing a node says is believed before it is checked here, against the genesis file and nothing else.

A chain of three links: a quorum of the authorities of its height signed the header, and those are known from genesis
through every change of the set (`consensus.light`); the header commits to the results of its block and to the whole
state after it; an inclusion, presence or absence proof leads from there to the bytes in question. An auditor can read
this page instead of trusting it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from clients.errors import ProofInvalid
from consensus.authorities import Authority, AuthoritySet
from consensus.blocks import Header
from consensus.checkpoints import Checkpoint, KeptCheckpoint, check_header, check_reigns
from consensus.errors import CheckpointError, ConsensusError
from consensus.light import Change, Reign, extend, in_force, verify_header
from consensus.votes import Certificate
from registry.certificates import CHANGES_MAX, SearchCertificate, check_search_certificate, check_state_proof
from registry.codec import decode
from registry.errors import CodecError, RegistryError
from registry.genesis import Genesis
from registry.merkle.log import entry_hash, verify_inclusion
from registry.receipts import Receipt

__all__ = ["ANCESTORS_MAX", "Final", "Proved", "Trust"]

ANCESTORS_MAX = 64  # headers older than a checkpoint whose proof is remembered; also what one answer may show


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """A transaction that is final: where it stands, when (block time, ms UTC), and what came of each operation."""

    transaction_id: bytes
    height: int
    timestamp_ms: int
    block_hash: bytes
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """The value of one state key as of a final block; None if it was proved that there is none."""

    key: bytes
    value: bytes | None
    height: int
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Trust:
    """What a participant believes: its genesis file, and the changes of the authorities that follow from it.

    `reigns` are the sets that have been in force, as far as they were followed; from genesis alone it is one.

    With `checkpoints`, which were verified before, a header is refused, whoever signed it, if it is another block of
    the same height; if it is above one and the reigns do not lead through that one; and if it is below one and not
    among `ancestors`, headers that were proved to be in the history of a checkpoint's. So what the keys
    of a set sign that had been retired by the height of the newest checkpoint is refused at every height.
    """

    genesis: Genesis
    reigns: tuple[Reign, ...] = ()
    checkpoints: tuple[KeptCheckpoint, ...] = ()
    ancestors: tuple[Header, ...] = ()

    def __post_init__(self) -> None:
        if not self.reigns:
            entries = self.genesis.authorities
            founding = AuthoritySet(tuple(Authority(entry.party, entry.consensus_key) for entry in entries))
            object.__setattr__(self, "reigns", (Reign(1, founding),))

    @property
    def authorities(self) -> AuthoritySet:
        """The newest set that is known of."""
        return self.reigns[-1].authorities

    def following(self, changes: Iterable[bytes]) -> Trust:
        """What is believed after these further changes (canonical bytes, in order). Raises `ProofInvalid`."""
        reigns = self.reigns
        try:
            for change in changes:
                read = Change.decode(change)
                check_header(self._cosigned, read.header)
                reigns = extend(self.genesis.id, reigns, read)
        except ConsensusError as error:
            raise ProofInvalid(f"changes: {error}") from error
        return replace(self, reigns=reigns)

    def proving(self, ancestor: Header) -> Trust:
        """What is believed now that this header is proved to be in the history of a checkpoint's."""
        return replace(self, ancestors=(*self.ancestors, ancestor)[-ANCESTORS_MAX:])

    def knows(self, header: Header) -> bool:
        """Whether the set that the header names is the one known to be in force at its height.

        Not if the checkpoints below it tell that the known sets are not all there were.
        """
        try:
            check_reigns(self.checkpoints, self.reigns, below=header.height)
        except CheckpointError:
            return False
        return in_force(self.reigns, header.height).digest == header.authorities

    def awaits_proof(self, header: Header) -> bool:
        """Whether it is older than the newest checkpoint, and not proved to be in the history."""
        return header.height < self._bound and header not in self.ancestors

    def whole(self) -> None:
        """Return if the reigns lead through every checkpoint. Raises `ProofInvalid`."""
        try:
            check_reigns(self.checkpoints, self.reigns, below=self._bound + 1)
        except CheckpointError as error:
            raise ProofInvalid(f"changes: they do not lead to the checkpoints that are kept: {error}") from error

    def header(self, answer: object) -> Header:
        """The header of an answer, final under the authorities of its height. Raises `ProofInvalid`."""
        try:
            header = Header.decode(_bytes(answer, "header"))
            certificate = Certificate.from_value(decode(_bytes(answer, "finality")))
            check_header(self._cosigned, header)
            check_reigns(self.checkpoints, self.reigns, below=header.height)
            verify_header(self.genesis.id, in_force(self.reigns, header.height), header, certificate)
        except (ConsensusError, CodecError) as error:
            raise ProofInvalid(f"finality: {error}") from error
        if self.awaits_proof(header):
            if any(known.height == header.height for known in self.ancestors):
                raise ProofInvalid(f"block {header.height} is another one in the history that the checkpoints are of")
            raise ProofInvalid(
                f"block {header.height} is older than the checkpoint of block {self._bound}, and nothing shows that it"
                " is in its history: keys that have leaked may have signed it later; a node can prove it (of a"
                " certificate: `nemodat certificate connect`)"
            )
        return header

    @property
    def _cosigned(self) -> tuple[Checkpoint, ...]:
        return tuple(each.checkpoint for each in self.checkpoints)

    @property
    def newest_checkpoint(self) -> KeptCheckpoint | None:
        """The checkpoint of the greatest height; None if none is kept."""
        return max(self.checkpoints, key=lambda each: each.height, default=None)

    @property
    def _bound(self) -> int:
        newest = self.newest_checkpoint
        return 0 if newest is None else newest.height

    def receipts(self, transaction_id: bytes, operations: int, answer: object) -> Final:
        """All receipts of a final transaction with this many operations. Raises `ProofInvalid`."""
        header = self.header(answer)
        entries = _member(answer, "receipts")
        if not isinstance(entries, list) or len(entries) != operations:
            raise ProofInvalid(f"receipts: one per operation is expected, {operations}")
        receipts = tuple(_receipt(header, entry) for entry in entries)
        for position, receipt in enumerate(receipts):
            if receipt.transaction != transaction_id or receipt.operation != position:
                raise ProofInvalid(f"receipts[{position}]: belongs to another operation")
        return Final(
            transaction_id=transaction_id,
            height=header.height,
            timestamp_ms=header.timestamp_ms,
            block_hash=header.hash,
            receipts=receipts,
        )

    def state(self, key: bytes, answer: object) -> Proved:
        """The proved value of state key `key`, or its proved absence. Raises `ProofInvalid`."""
        header = self.header(answer)
        try:
            proof = check_state_proof(answer, header.state_root)
        except RegistryError as error:
            raise ProofInvalid(str(error)) from error
        if proof.key != key:
            raise ProofInvalid("key: the proof is about another entry of the state")
        if proof.height != header.height:
            raise ProofInvalid("height: the proof claims another height than its header")
        return Proved(key=key, value=proof.value, height=header.height, timestamp_ms=header.timestamp_ms)

    def search_certificate(self, certificate: object) -> SearchCertificate:
        """The certificate's verified content. Raises `ProofInvalid`.

        Its own changes of the authorities lead to its header from genesis, and must not contradict what is known, nor
        the checkpoints. One that is older than a checkpoint needs its header among the `ancestors`.
        """
        carried = _member(certificate, "changes")
        if not isinstance(carried, list) or len(carried) > CHANGES_MAX:
            raise ProofInvalid(f"changes: a list of at most {CHANGES_MAX} is expected")
        led = replace(self, reigns=()).following(_hex(change, "changes") for change in carried)
        if any(one != other for one, other in zip(led.reigns, self.reigns, strict=False)):
            raise ProofInvalid("changes: others than those that were followed before")
        header = led.header(certificate)
        try:
            checked = check_search_certificate(certificate, header.state_root)
        except RegistryError as error:
            raise ProofInvalid(str(error)) from error
        if checked.genesis_id != self.genesis.id:
            raise ProofInvalid("genesis_id: the certificate is of another chain")
        if (checked.height, checked.timestamp_ms) != (header.height, header.timestamp_ms):
            raise ProofInvalid("height: the certificate claims another height or time than its header")
        return checked


def _receipt(header: Header, entry: object) -> Receipt:
    if not isinstance(entry, dict):
        raise ProofInvalid("receipts: objects are expected")
    data = _bytes(entry, "receipt")
    path, index, size = entry.get("path"), entry.get("index"), entry.get("size")
    if type(index) is not int or type(size) is not int or not isinstance(path, list) or len(path) > 64:
        raise ProofInvalid("receipts: index, size and path are expected")
    proof = [_hex(item, "path") for item in path]
    if not verify_inclusion(root=header.results_root, leaf_hash=entry_hash(data), index=index, size=size, proof=proof):
        raise ProofInvalid("receipts: not among the results of its block")
    try:
        return Receipt.decode(data)
    except RegistryError as error:
        raise ProofInvalid(f"receipts: {error}") from error


def _member(answer: object, field: str) -> object:
    if not isinstance(answer, dict):
        raise ProofInvalid(f"{field}: an object with this member is expected")
    return answer.get(field)


def _bytes(answer: object, field: str) -> bytes:
    return _hex(_member(answer, field), field)


def _hex(value: object, field: str) -> bytes:
    if not isinstance(value, str):
        raise ProofInvalid(f"{field}: hexadecimal text is expected")
    try:
        data = bytes.fromhex(value)
    except ValueError as error:
        raise ProofInvalid(f"{field}: not hexadecimal") from error
    if data.hex() != value:  # one spelling of one value
        raise ProofInvalid(f"{field}: lower-case hexadecimal without spaces is expected")
    return data
