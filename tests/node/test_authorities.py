"""A chain whose authorities change: headers, certificates, recovery, verification, and evidence on the ledger."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from consensus.authorities import AuthoritySet
from consensus.blocks import Block
from consensus.evidence import Evidence
from consensus.light import follow, in_force, verify_header
from consensus.votes import Kind, Vote, assemble, signed_bytes
from node.authorities import authority_set, changes_after, set_at
from node.chain import Chain, Committed
from node.errors import Inconsistent, StoreDamaged
from node.layout import AUTHORITIES, HEIGHT, at_height
from node.store import MemoryStore, Store
from node.verification import verify_chain
from registry.codec import encode
from registry.keys import DOMAIN_VOTE
from registry.records import Misbehaviour
from registry.state import State
from registry.transactions.authorities import ReportMisbehaviour, SeatAuthority, UnseatAuthority
from registry.transactions.envelope import subject_id
from registry.transactions.governance import Admit, Approve, Change, Propose
from tests.node.chainworld import STEP_MS, registration, transaction_of
from tests.registry.world import AUTHORITIES as NAMES
from tests.registry.world import genesis, key_of, mark, name_id, party_of

FIFTH = party_of("FIFTH", "lei:984500USIMPORT000143", "US", ("authority", "financier"))
OWNERS = {key_of(f"consensus {name}").public_key: name for name in (*NAMES, "FIFTH", "F_SG second")}


class Following:
    """A chain that is driven by whoever is in force: every block is certified by a quorum of its own set."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.chain = Chain.open(store, genesis())
        self._nonce = 0

    def certificate(self, block: Block, authorities: AuthoritySet, kind: Kind = Kind.FINALIZE) -> bytes:
        message = signed_bytes(kind, block.header.height, 0, block.hash)
        signatures = {
            index: key_of(f"consensus {OWNERS[member.public_key]}").sign(DOMAIN_VOTE, genesis().id, message)
            for index, member in enumerate(authorities)
            if index < authorities.quorum
        }
        height, n = block.header.height, authorities.n
        made = assemble(kind=kind, height=height, view=0, block=block.hash, signatures=signatures, n=n)
        return encode(made.to_value())

    def block(self, *operations: tuple[str, object]) -> Committed:
        chain = self.chain
        transactions = []
        for name, operation in operations:
            self._nonce += 1
            transactions.append(transaction_of(name, operation, nonce=10_000 + self._nonce))  # type: ignore[arg-type]
        leader = chain.authorities.leader(chain.tip.height + 1, 0).public_key
        block = chain.build(transactions, proposer=leader, now_ms=chain.tip.timestamp_ms + STEP_MS)
        return chain.commit(block, self.certificate(block, chain.authorities), puts={})

    def govern(self, change: Change, approvers: Sequence[str] = NAMES[1:3]) -> None:
        proposed = self.block((NAMES[0], Propose(change)))
        proposal = subject_id(proposed.transactions[0], 0)
        committed = self.block(*[(name, Approve(proposal)) for name in approvers])
        assert {receipt.code for receipt in committed.outcome.receipts} == {"ok"}

    def reopened(self) -> Chain:
        return Chain.open(self.store, genesis())


@pytest.fixture
def following() -> Following:
    return Following(MemoryStore())


@pytest.fixture
def changed(following: Following) -> Following:
    """A fifth authority was added, a key rotated, an authority removed; blocks in between."""
    following.govern(Admit(FIFTH))
    following.govern(SeatAuthority(FIFTH.id, key_of("consensus FIFTH").public_key, b"FIFTH", "fifth.example:7001"))
    following.block(("EXP_CN", registration(1).operations[0]))
    second = key_of("consensus F_SG second").public_key
    following.govern(SeatAuthority(name_id("F_SG"), second, b"F_SG", "f-sg.example:7001"), NAMES[1:4])
    following.govern(UnseatAuthority(name_id("F_GB"), mark("reason")), NAMES[1:4])
    following.block(("EXP_CN", registration(2).operations[0]))
    return following


def names(authorities: AuthoritySet) -> list[str]:
    return [OWNERS[member.public_key] for member in authorities]


def test_the_set_changes_at_the_height_after_and_headers_commit_to_both(following: Following) -> None:
    chain = following.chain
    before = chain.authorities
    following.govern(Admit(FIFTH))
    following.govern(SeatAuthority(FIFTH.id, key_of("consensus FIFTH").public_key, b"FIFTH", "fifth.example:7001"))
    header = chain.tip.header
    assert header is not None
    assert header.authorities == before.digest
    assert header.next_authorities == chain.authorities.digest
    assert names(chain.authorities) == [*NAMES, "FIFTH"]
    assert chain.authorities.quorum == 4
    following.block()
    assert chain.tip.header is not None
    assert chain.tip.header.authorities == chain.authorities.digest


def test_the_former_set_makes_nothing_final_any_more(changed: Following) -> None:
    chain = changed.chain
    leader = chain.authorities.leader(chain.tip.height + 1, 0).public_key
    block = chain.build([], proposer=leader, now_ms=chain.tip.timestamp_ms + STEP_MS)
    with pytest.raises(Inconsistent, match="without a certificate"):
        chain.commit(block, changed.certificate(block, authority_set(genesis())), puts={})


def test_a_chain_is_opened_again_under_the_set_that_is_in_force(changed: Following) -> None:
    chain = changed.reopened()
    assert names(chain.authorities) == ["F_CN", "F_SG second", "F_DE", "FIFTH"]
    assert chain.authorities == changed.chain.authorities
    assert chain.members == changed.chain.members
    by_role = [(member.party, bool(member.consensus_key)) for member in chain.members]
    assert (name_id("F_GB"), False) in by_role  # removed, and still let in
    assert (FIFTH.id, True) in by_role


def test_every_height_keeps_the_set_it_had(changed: Following) -> None:
    sets = [names(set_at(changed.store, genesis(), height)) for height in range(1, changed.chain.tip.height + 2)]
    assert sets[0] == list(NAMES)
    assert sets[4] == [*NAMES, "FIFTH"]
    assert sets[-1] == names(changed.chain.authorities)
    assert [len(each) for each in sets] == [4] * 4 + [5] * 5 + [4] * 2


def test_the_stored_changes_lead_a_light_client_from_genesis_to_every_header(changed: Following) -> None:
    changes = list(changes_after(changed.store, 0))
    assert [change.header.height for change in changes] == [4, 7, 9]
    reigns = follow(genesis().id, authority_set(genesis()), changes)
    tip = changed.chain.tip
    assert tip.header is not None
    assert tip.certificate is not None
    verify_header(genesis().id, in_force(reigns, tip.height), tip.header, tip.certificate)
    assert list(changes_after(changed.store, 4)) == changes[1:]
    assert list(changes_after(changed.store, 9)) == []


def test_verification_of_the_whole_chain_follows_the_sets(changed: Following) -> None:
    verified = verify_chain(changed.store, genesis(), scratch=MemoryStore(), progress=lambda *_: None)
    assert verified.state_root == changed.chain.tip.state_root


@pytest.mark.parametrize("height", [4, 9])
def test_a_lost_or_changed_set_on_disk_is_found(changed: Following, height: int) -> None:
    changed.store.write({at_height(AUTHORITIES, height): None}, sync=True)
    with pytest.raises((StoreDamaged, Inconsistent)):
        verify_chain(changed.store, genesis(), scratch=MemoryStore(), progress=lambda *_: None)
    if height == 9:
        with pytest.raises(StoreDamaged, match="another set"):
            changed.reopened()


def test_a_damaged_change_is_named(changed: Following) -> None:
    changed.store.write({at_height(HEIGHT, 7): None}, sync=True)
    with pytest.raises(StoreDamaged, match="height record"):
        list(changes_after(changed.store, 0))


def votes(name: str, height: int) -> Evidence:
    """Two FINALIZE votes of one authority for different blocks in one view."""
    made = []
    for block in (mark("one"), mark("another")):
        message = signed_bytes(Kind.FINALIZE, height, 0, block)
        key = key_of(f"consensus {name}")
        signature = key.sign(DOMAIN_VOTE, genesis().id, message)
        made.append(Vote(Kind.FINALIZE, height, 0, block, key.public_key, signature))
    return Evidence(*made)


def test_real_evidence_unseats_the_accused_and_stays(following: Following) -> None:
    following.govern(Admit(FIFTH))
    following.govern(SeatAuthority(FIFTH.id, key_of("consensus FIFTH").public_key, b"FIFTH", "fifth.example:7001"))
    evidence = votes("F_DE", 3)
    committed = following.block(("consensus F_GB", ReportMisbehaviour(evidence.encode())))
    assert committed.outcome.receipts[0].code == "ok"
    assert names(following.chain.authorities) == ["F_CN", "F_SG", "F_GB", "FIFTH"]
    record = State(following.chain.read).find(Misbehaviour, evidence.accused)
    assert record is not None
    assert (record.party, record.height, record.removed) == (name_id("F_DE"), 3, True)
    assert Evidence.decode(record.evidence) == evidence


@pytest.mark.parametrize("flaw", ["signature", "height", "stranger", "bytes"])
def test_false_evidence_accuses_nobody(following: Following, flaw: str) -> None:
    good = votes("F_DE", 1)
    bad = {
        "signature": good.encode()[:-1] + bytes([good.encode()[-1] ^ 1]),
        "height": votes("F_DE", 5).encode(),
        "stranger": votes("EXP_CN", 1).encode(),
        "bytes": good.encode()[:-1],
    }[flaw]
    committed = following.block(("F_CN", ReportMisbehaviour(bad)))
    assert committed.outcome.receipts[0].code == "not_proven"
