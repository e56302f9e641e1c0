"""The consensus engine: a pure object, `handle(event) -> actions`. What its runner owes is in `consensus.events`.

The protocol is Simplex (Chan and Pass, 2023) one height at a time: views 0, 1, ... with leaders in turn until one
block has a FINALIZE certificate. n authorities, f = (n-1)//3 may be faulty, quorum q = n - f. `README.md` has the
arguments why it is safe and why it lives. The rules; every line of code that is one cites it:

R1   Enter a view only with its bundle: a notarization of this height or none, and the nullifications of every view
     after it. Nothing else moves a view, above all no timer.
R2   Leader of v, with work, not yet voted in v: with a parent in the bundle propose that same block again, after a
     grace; else build on the tip and propose. In v > 0 there is always work: the height must end.
     A notarization of a nullified view whose block is not here is no parent, if the bundle is complete without it.
R3   On a valid proposal for the current view NOTARIZE, once; on a bad one NULLIFY at once.
R4   On a notarization of v whose block is here and checked: FINALIZE unless NULLIFY was sent in v; broadcast the
     certificate; enter v + 1. If the own check refuses a notarized block, determinism is broken: stop voting, alarm.
R5   On a nullification of v: enter v + 1, broadcast it.
R6   On the view's timer, or f + 1 NULLIFY of v: NULLIFY, unless FINALIZE or NULLIFY was sent in v.
R7   On a FINALIZE certificate and its block: broadcast the certificate, commit, go to h + 1 view 0.
R8   Until decided, say again and again where this node is, and ask for what is missing. Answer a lower height with
     its decided block, once per peer and height; never answer an answer.
R9   One place signs: `rules._vote`. Not this kind in this view yet; never FINALIZE and NULLIFY in one view; the
     record, with the certificate that a FINALIZE stands on, before the send; never with a key that votes elsewhere.
R10  Everything is bounded: views ahead, skips per message, what is kept for h + 1; equal answers per peer and period.
     Decided blocks go to whoever asks for one height after the other; how many at a time is the runner's to bound.
R11  An idle chain is silent: timers run only when armed, by work, a due heartbeat, a valid proposal or certificate,
     f + 1 voters of this height, or v > 0. A leader not heard for n heights gets shorter views.

The rooms: `tally` counts, `rules` decides, `hearing` takes in, `talking` repeats and answers, `journal` remembers over
a crash; `state` is what they share, `height` the part of it that lasts one height. Here events are handed to them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from consensus.events import (
    Action,
    Broadcast,
    Built,
    Checked,
    Committed,
    Connected,
    Event,
    Persist,
    Received,
    Send,
    Start,
    Timer,
    TimerName,
    Work,
)
from consensus.hearing import notice_own
from consensus.journal import Journal, Standing, recover, standings_in
from consensus.messages import DecidedRequest, VotesRequest
from consensus.parameters import Parameters
from consensus.rules import apply_rules, nullify, propose_built
from consensus.state import State
from consensus.talking import ask_about_me, ask_ahead, ask_next, fetch, fetch_later, receive, resend, resend_to
from consensus.votes import Certificate, Kind, Verifier
from registry.keys import Signer, verify

__all__ = ["Engine"]


class Engine:
    """One node's consensus. Without a signer it is an observer: the same rules, no votes.

    A node may have further signers: at each height it is the authority whose key is in force, so that a key is
    replaced, or a node becomes an authority, without a restart.

    The first event is `Start`, and raises `RecordError` if the record cannot be trusted: the node must not go on with
    it. An `AssertionError` is a bug, and the node must stop. `verifier` lets many engines in one process share a memory
    of signatures that verified.
    """

    __slots__ = ("_state",)

    def __init__(
        self, parameters: Parameters, signer: Signer | None, *further: Signer, verifier: Verifier = verify
    ) -> None:
        self._state = State(parameters, (*([] if signer is None else [signer]), *further), verifier)

    def handle(self, event: Event) -> tuple[Action, ...]:
        """What to do about `event`, in order."""
        state = self._state
        state.actions = []
        state.nothing_new = False
        _HANDLERS[type(event)](state, event)
        if not state.nothing_new:  # else the rules have seen this very state
            apply_rules(state)
            fetch_later(state)
        return tuple(state.actions)

    @property
    def height(self) -> int:
        """The height in progress: one above the tip."""
        return self._state.h.height

    @property
    def view(self) -> int:
        """The view in progress."""
        return self._state.h.view

    @property
    def place(self) -> tuple[int, int, int]:
        """Height, view, and how many certificates of this height are here: for whoever watches."""
        h = self._state.h
        return h.height, h.view, h.tally.certificates_held

    def certificates(self) -> list[Certificate]:
        """The certificates of this height that are here, every one verified or counted: for whoever watches."""
        tally = self._state.h.tally
        return [certificate for kind in Kind for certificate in tally.certificates_of(kind).values()]

    @property
    def standing(self) -> Standing:
        """Whether this node's key may sign (R9)."""
        return self._state.standing

    @property
    def votes(self) -> bool:
        """Whether this node takes part: an authority of this height, with a record, not alarmed."""
        return self._state.votes


def _start(state: State, event: Start) -> None:
    height = event.tip_height + 1
    state.take_signer(event.authorities)
    recovered = recover(
        event.record,
        height=height,
        genesis_id=state.parameters.genesis_id,
        authorities=event.authorities,
        public_key=state.me,
        verifier=state.verifier,
    )
    state.standings = standings_in(event.record)
    state.heard_from_height = height
    state.warn_if_burnt()
    if recovered.stale:
        state.do(Persist((), recovered.stale))
    state.begin(height, event.tip, event.authorities, Journal(height, recovered.keys))
    h = state.h
    for vote in recovered.votes:
        h.own[vote.kind, vote.view] = vote
        h.tally.add(vote)
    for certificate in recovered.certificates:
        h.tally.add_certificate(certificate)
    for block in recovered.blocks:
        h.add_block(block)
    if recovered.votes:
        state.arm()
    ask_about_me(state)
    state.do(Broadcast(DecidedRequest(height)))  # R8: it may have been decided meanwhile


def _committed(state: State, event: Committed) -> None:
    h = state.h
    if event.height < h.height:
        return
    assert event.height == h.height, "one Committed for each height"
    if event.certificate is not None:
        notice_own(state, event.certificate)  # R9
    if not state.committing and (clears := h.journal.clears()):
        state.do(Persist((), clears))
    if not state.committing:  # R11: the runner fetched it, and who led it had no cause to speak to this node
        state.heard.clear()
        state.heard_from_height = event.height + 1
    kept = state.desk.take_kept()
    teacher = h.told_by
    state.work = False
    state.take_signer(event.next_authorities)
    state.warn_if_burnt()
    state.begin(event.height + 1, event.block, event.next_authorities, Journal(event.height + 1))
    for peer, message in kept:
        receive(state, peer, message)
    state.nothing_new = False
    if teacher is None:
        ask_ahead(state)
    else:
        ask_next(state, teacher)
    ask_about_me(state)


def _work(state: State, event: Work) -> None:
    state.nothing_new = event.present == state.work
    state.work = event.present
    if event.present:
        state.arm()  # R11


def _built(state: State, event: Built) -> None:
    if not state.committing:
        propose_built(state, event.block)


def _checked(state: State, event: Checked) -> None:
    if event.block in state.h.checking:
        state.h.checking.discard(event.block)
        state.h.verdicts[event.block] = event.verdict


def _connected(state: State, event: Connected) -> None:
    state.nothing_new = True
    state.desk.forget(event.peer)
    if state.committing:
        return
    if state.is_unknown:
        state.do(Send(event.peer, VotesRequest(state.h.height)))  # R9
    resend_to(state, event.peer)


def _received(state: State, event: Received) -> None:
    if event.peer in state.h.authorities:
        state.heard[event.peer] = state.h.height  # R11
    receive(state, event.peer, event.message)


def _timer(state: State, event: Timer) -> None:
    if state.pending.get(event.name) != event.token:
        state.nothing_new = True
        return
    del state.pending[event.name]
    if not state.committing:
        _TIMERS[event.name](state)


def _grace_over(state: State) -> None:
    state.h.grace_over_in = state.h.view


def _heartbeat(state: State) -> None:
    state.h.heartbeat_due = True
    state.arm()  # R11


_HANDLERS: dict[type, Callable[[State, Any], None]] = {
    Start: _start,
    Received: _received,
    Connected: _connected,
    Timer: _timer,
    Work: _work,
    Built: _built,
    Checked: _checked,
    Committed: _committed,
}

_TIMERS: dict[TimerName, Callable[[State], object]] = {
    TimerName.VIEW: nullify,  # R6
    TimerName.GRACE: _grace_over,
    TimerName.RESEND: resend,
    TimerName.FETCH: fetch,
    TimerName.HEARTBEAT: _heartbeat,
}
