"""The rules that decide: when to enter a view, propose, vote and commit. Numbers as in `engine.py`."""

from __future__ import annotations

from consensus.blocks import Block
from consensus.events import AlarmCode, Broadcast, Build, Commit, Persist, TimerName, Verdict
from consensus.messages import Proposal
from consensus.state import State
from consensus.votes import Kind, Vote, signed_bytes
from registry.keys import DOMAIN_VOTE

__all__ = ["apply_rules", "nullify", "propose_built", "take_bundle"]


def apply_rules(state: State) -> None:
    """Apply the rules until none has anything to do."""
    while not state.committing:
        for rule in _RULES:
            if rule(state):
                break
        else:
            return


def commit(state: State) -> bool:
    """R7"""
    h = state.h
    certificate = h.final()
    if certificate is None or certificate.block not in h.blocks:
        return False
    block = h.blocks[certificate.block]
    assert certificate.kind is Kind.FINALIZE
    assert certificate.height == block.header.height == h.height
    assert h.fits(block), "R7: a final block that does not stand on this tip: the ledger has forked"
    state.committing = True
    if h.told_by is None:
        state.spread(certificate)
    state.do(Commit(block, certificate, h.journal.clears()))
    return True


def finalize(state: State) -> bool:
    """R4"""
    h = state.h
    certificate = h.notarization(h.view)
    if certificate is None:
        return False
    if state.votes:
        assert certificate.block is not None
        verdict = state.verdict_on(certificate.block)
        if verdict is None:
            return False
        if verdict is Verdict.INVALID:
            reason = f"block {certificate.block.hex()} is notarized, but refused here"
            state.alarm(AlarmCode.DETERMINISM_BROKEN, reason)
        elif not h.has_voted(Kind.NULLIFY, h.view) and not h.has_voted(Kind.FINALIZE, h.view):
            state.do(Broadcast(_vote(state, Kind.FINALIZE, h.blocks[certificate.block])))
    state.spread(certificate)
    _enter_view(state, h.view + 1)
    return True


def take_bundle(state: State) -> bool:
    """R1, R5: go as far as the certificates here allow."""
    h = state.h
    target = h.reachable_view()
    if target == h.view:
        return False
    nullification = h.nullification(target - 1)
    if nullification is not None:
        state.spread(nullification)  # R5
    _enter_view(state, target)
    return True


def follow_nullifiers(state: State) -> bool:
    """R6: f + 1 members say that this view has failed, so an honest one does."""
    h = state.h
    return h.tally.count(Kind.NULLIFY, h.view) > h.authorities.f and nullify(state)


def consider(state: State) -> bool:
    """R3"""
    h = state.h
    proposal = h.proposals.get(h.view)
    if proposal is None or h.view in h.refused or h.has_voted(Kind.NOTARIZE, h.view) or not state.votes:
        return False
    if h.is_justified(proposal):
        verdict = state.verdict_on(proposal.block.hash)
        if verdict is None:
            return False
        again = proposal.bundle.parent is not None
        if verdict is Verdict.VALID or (again and verdict is Verdict.UNTIMELY):
            state.arm()  # R11
            state.do(Broadcast(_vote(state, Kind.NOTARIZE, proposal.block)))
            return True
    h.refused.add(h.view)
    nullify(state)
    return True


def lead(state: State) -> bool:
    """R2"""
    h = state.h
    if not state.votes or not state.leads:
        return False
    if h.has_voted(Kind.NOTARIZE, h.view) or h.has_voted(Kind.NULLIFY, h.view):
        return False
    parent = h.parent_for(h.view)
    if parent is None:
        if h.building_in != h.view and (state.work or h.heartbeat_due or h.view > 0):
            h.building_in = h.view
            state.do(Build(height=h.height, parent=h.tip, proposer=state.own_key()))
        return False
    if h.grace_over_in != h.view:
        if TimerName.GRACE not in state.pending:
            state.set_timer(TimerName.GRACE, state.parameters.grace_ms)
        return False
    assert parent.block is not None
    if state.verdict_on(parent.block) not in (Verdict.VALID, Verdict.UNTIMELY):
        return False
    _propose(state, h.blocks[parent.block])
    return True


def propose_built(state: State, block: Block) -> None:
    """R2: the block that was asked for is here; propose it if it is still called for."""
    h = state.h
    if not state.votes or not state.leads or block.header.height != h.height or block.header.parent != h.tip:
        return
    voted = h.has_voted(Kind.NOTARIZE, h.view) or h.has_voted(Kind.NULLIFY, h.view)
    if not voted and h.parent_for(h.view) is None:
        assert h.fits(block), "the runner built a block that is not for this chain and height"
        assert block.header.proposer == state.me
        h.add_block(block)
        h.verdicts[block.hash] = Verdict.VALID
        _propose(state, block)


def nullify(state: State) -> bool:
    """R6: NULLIFY, unless FINALIZE or NULLIFY was sent in this view. Whether it was sent now."""
    h = state.h
    if not state.votes or h.has_voted(Kind.NULLIFY, h.view) or h.has_voted(Kind.FINALIZE, h.view):
        return False
    state.do(Broadcast(_vote(state, Kind.NULLIFY, None)))
    return True


def _vote(state: State, kind: Kind, block: Block | None) -> Vote:
    """R9: the one place that signs. Returns the vote, which is in the record before anything is sent."""
    h = state.h
    assert state.signer is not None
    assert state.votes
    assert not state.committing
    assert not h.has_voted(kind, h.view), "R9: not this kind in this view yet"
    assert (block is None) == (kind is Kind.NULLIFY)
    bundle = h.bundle_for(h.view)
    assert bundle is not None, "R1: no vote in a view without its bundle"
    stands_on = list(bundle.certificates())
    if block is not None:
        assert h.fits(block)
        assert h.verdicts.get(block.hash) in (Verdict.VALID, Verdict.UNTIMELY)
    if kind is Kind.FINALIZE:
        notarization = h.notarization(h.view)
        assert not h.has_voted(Kind.NULLIFY, h.view), "R9: never FINALIZE after NULLIFY"
        assert notarization is not None, "R4: FINALIZE stands on a notarization"
        assert notarization.block == (None if block is None else block.hash)
        stands_on.append(notarization)
    if kind is Kind.NULLIFY:
        assert not h.has_voted(Kind.FINALIZE, h.view), "R9: never NULLIFY after FINALIZE"
    subject = None if block is None else block.hash
    message = signed_bytes(kind, h.height, h.view, subject)
    signature = state.signer.sign(DOMAIN_VOTE, state.parameters.genesis_id, message)
    vote = Vote(kind, h.height, h.view, subject, state.own_key(), signature)
    blocks = () if block is None else (block,)
    state.do(Persist(h.journal.puts(votes=(vote,), certificates=stands_on, blocks=blocks)))
    h.own[kind, h.view] = vote
    evidence = h.tally.add(vote)
    assert evidence is None, "R9: this node would accuse itself"
    return vote


def _propose(state: State, block: Block) -> None:
    """R2: the leader's vote, block and bundle. Proposing is voting."""
    bundle = state.h.bundle_for(state.h.view)
    assert bundle is not None
    state.arm()
    state.do(Broadcast(Proposal(_vote(state, Kind.NOTARIZE, block), block, bundle)))


def _enter_view(state: State, view: int) -> None:
    """R1: go to a view of this height, and run its timers (R11)."""
    state.h.enter(view)
    state.pending.pop(TimerName.GRACE, None)
    if state.h.armed:
        state.set_view_timer()
    else:
        state.arm()


_RULES = (commit, finalize, take_bundle, follow_nullifiers, consider, lead)
