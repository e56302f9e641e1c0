"""All that one engine knows, and the few things that every room of it does: act, set timers, stop voting.

`rules`, `hearing` and `talking` are functions over this one value; nothing else in the package changes it.
"""

from __future__ import annotations

from consensus.authorities import AuthoritySet
from consensus.desk import Desk
from consensus.events import Action, Alarm, AlarmCode, Broadcast, Check, Persist, Report, SetTimer, TimerName, Verdict
from consensus.evidence import Evidence
from consensus.height import Height
from consensus.journal import Journal, Standing, standing_put
from consensus.parameters import Parameters
from consensus.votes import Certificate, Verifier
from registry.keys import Signer

__all__ = ["State"]


class State:
    """The state of an engine between two events, and the actions of the event in hand."""

    __slots__ = (
        "accused",
        "actions",
        "alarms",
        "committing",
        "desk",
        "fetches",
        "h",
        "heard",
        "heard_from_height",
        "me",
        "nothing_new",
        "parameters",
        "pending",
        "resends",
        "signer",
        "signers",
        "standings",
        "token",
        "told_about_me",
        "verifier",
        "work",
    )

    def __init__(self, parameters: Parameters, signers: tuple[Signer, ...], verifier: Verifier) -> None:
        self.parameters = parameters
        self.signers = signers
        self.verifier = verifier
        self.signer = signers[0] if signers else None
        """Of this node's signers the one whose key is in force, if any is."""
        self.me = None if self.signer is None else self.signer.public_key
        self.actions: list[Action] = []
        self.nothing_new = False
        """The event in hand changes nothing that the rules look at."""
        self.h: Height
        """The height in progress; there is none before `Start`."""
        self.desk = Desk()
        self.committing = False
        """From `Commit` to `Committed`: nothing of the height in progress is done any more."""
        self.work = False
        self.standings: dict[bytes, Standing] = {}
        """Which of this node's keys may sign (R9)."""
        self.alarms: set[AlarmCode] = set()
        """Why this node does not vote any more; a key's own fault ends with the key."""
        self.told_about_me: set[bytes] = set()
        """Members that have said which of this node's votes of this height they hold (R9)."""
        self.heard: dict[bytes, int] = {}
        """The height at which each member was last heard (R11)."""
        self.heard_from_height = 1
        self.accused: set[bytes] = set()
        """Whom evidence of this height was reported against."""
        self.pending: dict[TimerName, int] = {}
        """The token of each timer that is set."""
        self.token = 0
        self.resends = 0
        self.fetches = 0

    @property
    def standing(self) -> Standing:
        """Whether this node's key may sign (R9)."""
        return Standing.UNKNOWN if self.me is None else self.standings.get(self.me, Standing.UNKNOWN)

    @property
    def votes(self) -> bool:
        """Whether this node takes part: an authority of this height, with a record, not alarmed."""
        return self.standing is Standing.GOOD and not self.alarms and self.is_authority

    @property
    def is_authority(self) -> bool:
        """Whether this node's key is in force at this height."""
        return self.me in self.h.authorities

    @property
    def is_unknown(self) -> bool:
        """R9: whether this authority has no record of its votes, so that others are to be asked first."""
        return self.standing is Standing.UNKNOWN and self.is_authority

    @property
    def leads(self) -> bool:
        """Whether this node is the leader of the view in progress."""
        return self.h.authorities.leader(self.h.height, self.h.view).public_key == self.me

    def take_signer(self, authorities: AuthoritySet) -> None:
        """Be the authority whose key is in this set: keys are replaced from one height to the next."""
        in_force = next((signer for signer in self.signers if signer.public_key in authorities), None)
        if in_force is not None and in_force is not self.signer:
            self.signer, self.me = in_force, in_force.public_key
            self.alarms.discard(AlarmCode.KEY_IN_USE_ELSEWHERE)  # that was the former key

    def own_key(self) -> bytes:
        """This node's public key, where it must have one."""
        assert self.me is not None
        return self.me

    def do(self, action: Action) -> None:
        """One more action, after those before."""
        self.actions.append(action)

    def spread(self, certificate: Certificate) -> None:
        """R4, R5, R7: an authority passes on the certificate that moves it."""
        if self.is_authority:
            self.do(Broadcast(certificate))

    def report(self, evidence: Evidence) -> None:
        """Report each accused once a height."""
        if evidence.accused not in self.accused:
            self.accused.add(evidence.accused)
            self.do(Report(evidence))

    def alarm(self, code: AlarmCode, reason: str) -> None:
        """Stop voting; go on following."""
        if code not in self.alarms:
            self.alarms.add(code)
            self.do(Alarm(code, reason))

    def burn(self) -> None:
        """R9: votes under this node's key that it does not know of: it never signs with that key again."""
        if self.standing is not Standing.BURNT:
            self.standings[self.own_key()] = Standing.BURNT
            self.do(Persist((standing_put(self.own_key(), Standing.BURNT),)))
            self.alarm(AlarmCode.KEY_IN_USE_ELSEWHERE, f"votes of key {self.own_key().hex()} are not in the record")

    def warn_if_burnt(self) -> None:
        """R9: say so if the key in force is one that never signs here again."""
        if self.standing is Standing.BURNT:
            self.alarm(AlarmCode.KEY_IN_USE_ELSEWHERE, "the record says that this key has votes elsewhere")

    def verdict_on(self, block: bytes) -> Verdict | None:
        """The verdict on a block that is here; asks for it once. None if there is none yet, or no block any more."""
        h = self.h
        if block not in h.blocks:
            return None
        if block in h.verdicts:
            return h.verdicts[block]
        if not h.fits(h.blocks[block]):
            h.verdicts[block] = Verdict.INVALID
        elif block not in h.checking:
            h.checking.add(block)
            self.do(Check(h.blocks[block]))
        return h.verdicts.get(block)

    def set_timer(self, name: TimerName, delay_ms: int) -> None:
        """Set a timer; the one of that name before it is void."""
        self.token += 1
        self.pending[name] = self.token
        self.do(SetTimer(name, delay_ms, self.token))

    def set_view_timer(self) -> None:
        """R6: the patience with the view in progress; less with a leader that is probably gone (R11)."""
        h, parameters = self.h, self.parameters
        leader = h.authorities.leader(h.height, h.view).public_key
        silent_for = h.height - self.heard.get(leader, self.heard_from_height)
        is_silent = leader != self.me and silent_for > h.authorities.n
        patience = parameters.silent_timeout_ms(h.view) if is_silent else parameters.view_timeout_ms(h.view)
        grace = parameters.grace_ms if h.parent_for(h.view) is not None else 0
        self.set_timer(TimerName.VIEW, patience + grace)

    def arm(self) -> None:
        """R11: something is to be decided at this height: its timers run."""
        if not self.h.armed:
            self.h.armed = True
            self.set_view_timer()
            self.set_timer(TimerName.RESEND, self.parameters.resend_ms)

    def begin(self, height: int, tip: bytes, authorities: AuthoritySet, journal: Journal) -> None:
        """Begin a height in view 0, silently until something arms it (R11)."""
        self.h = Height(
            genesis_id=self.parameters.genesis_id,
            height=height,
            tip=tip,
            authorities=authorities,
            journal=journal,
            verifier=self.verifier,
        )
        self.committing = False
        self.accused.clear()
        self.told_about_me.clear()
        self.pending.clear()
        self.desk.new_period()
        self.set_timer(TimerName.HEARTBEAT, self.parameters.heartbeat_ms)
