"""Messages of the height in progress: what is verified, what is counted, what is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from consensus import rules
from consensus.errors import CertificateError
from consensus.events import Persist, Send
from consensus.height import VIEWS_AHEAD_MAX, VIEWS_BEHIND_MAX
from consensus.journal import Standing, standing_put
from consensus.light import verify_decided
from consensus.messages import (
    VOTES_MAX,
    BlockRequest,
    Body,
    Decided,
    DecidedRequest,
    HeldVotes,
    Message,
    Proposal,
    Resend,
    VotesRequest,
)
from consensus.state import State
from consensus.votes import Certificate, Kind, Vote
from registry.keys import SignatureInvalid

__all__ = ["OWN_VOTES_MAX", "clear_standing", "hear", "notice_own"]

OWN_VOTES_MAX = 2 * len(Kind)  # votes in a `Resend`: the sender's own of its view and the one before (R8)


def hear(state: State, peer: bytes, message: Message) -> None:
    """Take in a message of the height in progress."""
    assert message.height == state.h.height
    _RECEIVERS[type(message)](state, peer, message)


def clear_standing(state: State) -> None:
    """R9: a key without a record signs only after q - 1 others have said which votes of it they hold."""
    if state.is_unknown and len(state.told_about_me) >= state.h.authorities.quorum - 1:
        state.standings[state.own_key()] = Standing.GOOD
        state.do(Persist((standing_put(state.own_key(), Standing.GOOD),)))
        if state.h.armed:
            state.set_view_timer()


def notice_own(state: State, certificate: Certificate) -> None:
    """R9: a vote of this node's key in a good certificate of this height must be in its record."""
    h = state.h
    assert certificate.height == h.height, "the bitmap is of this height's set"
    index = None if state.me is None else h.authorities.index_of(state.me)
    if index is None or index not in certificate.signers():
        return
    own = h.own.get((certificate.kind, certificate.view))
    if own is None or own.block != certificate.block:
        state.burn()


def _single_vote(state: State, peer: bytes, vote: Vote) -> None:
    state.nothing_new = not _vote(state, peer, vote)


def _vote(state: State, peer: bytes, vote: Vote) -> bool | None:
    """Take in a vote. Whether the rules see anything of it; None if it is forged."""
    h = state.h
    if vote.signer not in h.authorities or h.tally.holds(vote):
        return False
    if not h.view - VIEWS_BEHIND_MAX <= vote.view <= h.view + VIEWS_AHEAD_MAX:  # R10
        return False
    if not _is_signed(state, vote):
        return None
    if vote.signer == state.me:
        state.burn()  # R9: it is not in the record, or the tally would hold it
    held = h.tally.certificates_held
    evidence = h.tally.add(vote)
    if evidence is not None:
        state.report(evidence)
    if len(h.tally.voters) > h.authorities.f:
        state.arm()  # R11
    return vote.kind is Kind.NULLIFY or h.tally.certificates_held > held or vote.signer == state.me


def _is_signed(state: State, vote: Vote) -> bool:
    try:
        vote.verify(state.parameters.genesis_id, state.verifier)
    except SignatureInvalid:
        return False
    return True


def _certificate(state: State, peer: bytes, certificate: Certificate) -> None:
    held = state.h.tally.certificates_held
    _learn(state, certificate)
    state.nothing_new = state.h.tally.certificates_held == held


def _learn(state: State, certificate: Certificate) -> bool:
    """Take in a certificate. Whether it is good."""
    known = state.h.tally.certificate(certificate.kind, certificate.view)
    if known is not None and known.block == certificate.block:
        return True
    try:
        state.h.tally.verify(certificate)
    except CertificateError:
        return False
    _count(state, certificate)
    return True


def _count(state: State, certificate: Certificate) -> None:
    """Count a verified certificate and its votes."""
    notice_own(state, certificate)
    for evidence in state.h.tally.add_certificate(certificate):
        state.report(evidence)
    state.arm()  # R11


def _proposal(state: State, peer: bytes, proposal: Proposal) -> None:
    h, vote = state.h, proposal.vote
    if peer != vote.signer or vote.signer != h.authorities.leader(h.height, vote.view).public_key:
        return
    good = all(_learn(state, certificate) for certificate in proposal.bundle.certificates())
    rules.take_bundle(state)  # R1: it may be for a view that this node can enter only by its bundle
    _vote(state, peer, vote)
    if not h.view <= vote.view <= h.view + VIEWS_AHEAD_MAX:  # R10
        return
    if h.tally.vote(Kind.NOTARIZE, vote.view, vote.signer) != vote:
        return
    if not good:
        h.refused.add(vote.view)
        if vote.view == h.view:
            rules.nullify(state)  # R3
    elif vote.view not in h.proposals:
        h.proposals[vote.view] = proposal
        h.add_block(proposal.block)


def _resend(state: State, peer: bytes, resend: Resend) -> None:
    if len(resend.votes) > OWN_VOTES_MAX or any(vote.signer != peer for vote in resend.votes):
        return  # R10: R8 says own votes, of two views; a forged one of another's would cost its sender nothing
    held = state.h.tally.certificates_held
    for certificate in resend.bundle.certificates():
        if not _learn(state, certificate):
            return
    new = state.h.tally.certificates_held > held
    for vote in resend.votes:
        counted = _vote(state, peer, vote)
        if counted is None:
            return
        new |= counted
    state.nothing_new = not new


def _decided(state: State, peer: bytes, decided: Decided) -> None:
    h = state.h
    try:
        verify_decided(state.parameters.genesis_id, h.authorities, decided, state.verifier)
    except CertificateError:
        return
    h.told_by = peer
    h.add_block(decided.block)
    _count(state, decided.certificate)


def _body(state: State, peer: bytes, body: Body) -> None:
    wanted = state.h.wanted()
    if wanted is not None and wanted.block == body.block.hash:
        state.h.add_block(body.block)


def _held_votes(state: State, peer: bytes, held: HeldVotes) -> None:
    if not state.is_unknown or peer not in state.h.authorities:
        state.nothing_new = True
        return
    if any(vote.signer == state.me and _is_signed(state, vote) for vote in held.votes):
        state.burn()  # R9: of whatever view
    state.told_about_me.add(peer)
    clear_standing(state)


def _block_request(state: State, peer: bytes, request: BlockRequest) -> None:
    block = state.h.blocks.get(request.block)
    if block is not None and state.desk.may_answer(peer, request.block):  # R10
        state.do(Send(peer, Body(block)))


def _votes_request(state: State, peer: bytes, request: VotesRequest) -> None:
    """R9: "none" by who is behind the asker's votes would let it sign against them; it asks again where they are."""
    if peer not in state.h.authorities or state.desk.has_spoken_above(peer, state.h.height):
        return
    if state.desk.may_answer(peer, b"votes"):  # R10
        held = tuple(state.h.tally.votes_of(peer)[:VOTES_MAX])
        state.do(Send(peer, HeldVotes(state.h.height, held)))


def _decided_request(state: State, peer: bytes, request: DecidedRequest) -> None:
    """Not decided here either: R8 answers lower heights only."""


_RECEIVERS: dict[type, Callable[[State, bytes, Any], None]] = {
    Proposal: _proposal,
    Vote: _single_vote,
    Certificate: _certificate,
    Resend: _resend,
    Decided: _decided,
    Body: _body,
    HeldVotes: _held_votes,
    DecidedRequest: _decided_request,
    BlockRequest: _block_request,
    VotesRequest: _votes_request,
}
