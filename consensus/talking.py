"""R8: say where this node is, ask for what is missing, answer who is behind. Never answer an answer."""

from __future__ import annotations

from consensus.events import Broadcast, Send, SendDecided, TimerName
from consensus.hearing import clear_standing, hear
from consensus.messages import (
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

__all__ = ["ask_about_me", "ask_ahead", "ask_next", "fetch", "fetch_later", "receive", "resend", "resend_to"]

_ANSWERS = frozenset({Decided, Body, HeldVotes})
_QUESTIONS = frozenset({DecidedRequest, BlockRequest, VotesRequest})
_LIVE = frozenset({Proposal, Vote, Certificate})
_KEPT = _LIVE | {Resend, VotesRequest}
_KINDS = tuple(Kind)


def receive(state: State, peer: bytes, message: Message) -> None:
    """Hear a message of this height, answer one of a lower height, remember one of a higher."""
    height = state.h.height
    state.nothing_new = message.height < height or type(message) in _QUESTIONS
    if message.height < height:
        _answer_lower(state, peer, message)
    elif message.height == height:
        if not state.committing:
            hear(state, peer, message)
    else:
        if message.height == height + 1 and peer in state.h.authorities and type(message) in _KEPT:
            state.desk.keep(peer, message)  # R10
        if type(message) not in _QUESTIONS:
            state.desk.note_ahead(peer, message.height)
            if message.height > height + 1 and not state.committing and not state.desk.is_asking():
                ask_ahead(state)


def resend(state: State) -> None:
    """Say to all where this node is, and begin a new period of answers (R10)."""
    state.desk.new_period()
    ask_about_me(state)
    if not state.h.armed:
        return
    state.set_timer(TimerName.RESEND, state.parameters.resend_ms)
    state.resends += 1
    state.do(Broadcast(_where_i_am(state)))
    for member in state.h.authorities:
        _repeat_proposal(state, member.public_key)


def resend_to(state: State, peer: bytes) -> None:
    """Say to one peer where this node is."""
    state.do(Send(peer, _where_i_am(state)))
    _repeat_proposal(state, peer)


def ask_about_me(state: State) -> None:
    """R9: without a record, ask the others which votes of this node they hold."""
    clear_standing(state)
    if state.is_unknown:
        state.do(Broadcast(VotesRequest(state.h.height)))
        _ensure_resend(state)


def ask_ahead(state: State) -> None:
    """Ask a peer that has spoken of a higher height for the decided block of this one."""
    peer = state.desk.ask_ahead(state.h.height)
    if peer is not None:
        state.do(Send(peer, DecidedRequest(state.h.height)))


def ask_next(state: State, peer: bytes) -> None:
    """This peer has told the block below: it may have the next one too."""
    state.do(Send(peer, DecidedRequest(state.h.height)))
    _ensure_resend(state)


def fetch_later(state: State) -> None:
    """What is missing is probably on its way: ask after a while."""
    if state.committing or TimerName.FETCH in state.pending:
        return
    if state.h.wanted() is not None or state.desk.is_behind(state.h.height):
        state.set_timer(TimerName.FETCH, state.parameters.fetch_ms)


def fetch(state: State) -> None:
    """Ask one peer at a time: of those who signed for a missing block, of those who are ahead."""
    h = state.h
    state.fetches += 1
    wanted = h.wanted()
    if wanted is not None and wanted.block is not None:
        keys = [h.authorities.members[index].public_key for index in wanted.signers()]
        others = [key for key in keys if key != state.me]
        if others:
            state.do(Send(others[state.fetches % len(others)], BlockRequest(h.height, wanted.block)))
    ask_ahead(state)


def _where_i_am(state: State) -> Resend:
    """Own votes of this view and the one before, and the bundle."""
    h = state.h
    votes = [h.own.get((kind, view)) for view in (h.view, h.view - 1) for kind in _KINDS]
    bundle = h.bundle_for(h.view, part=state.resends)
    assert bundle is not None, "R1"
    return Resend(h.height, tuple(vote for vote in votes if vote is not None), bundle)


def _repeat_proposal(state: State, peer: bytes) -> None:
    """Send the leader's own proposal of this view to a member that seems to have missed it."""
    h = state.h
    vote = h.own.get((Kind.NOTARIZE, h.view))
    if vote is None or not state.leads or peer == state.me or peer not in h.authorities or vote.block not in h.blocks:
        return
    if any(h.tally.vote(kind, h.view, peer) is not None for kind in (Kind.NOTARIZE, Kind.NULLIFY)):
        return
    bundle = h.bundle_for(h.view, block=vote.block)
    if bundle is not None:
        state.do(Send(peer, Proposal(vote, h.blocks[vote.block], bundle)))


def _answer_lower(state: State, peer: bytes, message: Message) -> None:
    """Answer a lower height with its decided block, once per peer and height."""
    if type(message) in _ANSWERS or isinstance(message, Certificate):
        return  # never answer an answer; and who has certificates is not lost
    if type(message) in _LIVE and message.height == state.h.height - 1:
        return  # just late: the FINALIZE certificate is on its way
    if state.desk.may_send_decided(peer, message.height):  # R10
        _ensure_resend(state)  # it ends the period
        state.do(SendDecided(peer, message.height))


def _ensure_resend(state: State) -> None:
    if TimerName.RESEND not in state.pending:
        state.set_timer(TimerName.RESEND, state.parameters.resend_ms)
