"""Every run of four authorities, one of them Byzantine, through one or two views of one height.

The three honest ones are the real engine. The adversary decides everything: it signs whatever its key can sign, sees
all that is said, and delivers any of it to anybody, in any order, any number of times or never; it lets timers go off
when it likes, and, if asked to, cuts anybody's power between any two actions. What is explored is the set of *global
states*: the local states of the three, because all else follows from them. A local state is found once, by running an
engine through a history that leads there; then its moves are a table, and the search is a walk through three tables.

Why it is enough to look at these:

1. *Said is deliverable for ever.* Nothing depends on when something was said, so the messages in flight are a function
   of the local states, which remember what they have said over crashes.
2. *Certificates instead of votes.* The rules read votes only through certificates, through the leader's own NOTARIZE,
   and through f + 1 NULLIFY (R6). A quorum that somebody could count is a certificate that the adversary can deliver as
   soon as two honest ones (and itself) have voted so; R6's effect is that of the view's timer, which goes off at will.
   A block that a certificate names is there at once: to be without it is to be without the certificate.
3. *Nothing early.* What changes nothing that others can notice may as well happen later: so it is done only right
   before a change that shows and that it makes possible (`CHAIN_MAX`), and everything else is a move.
4. *Equal states.* Local states that have said the same and can do the same, to the same effect, are one (`_Classes`).
5. *Equal roles.* Two honest ones that lead no explored view differ by name only: their tables are one, and their states
   are unordered.
6. *Commits end a machine.* What it has said stays; of this height it decides nothing any more.

1, 4, 5 and 6 lose nothing. 2 and 3 are arguments about the rules as they stand: what they leave out is left to the
seeded runs. Checked: no honest one ever says two things that are evidence; and of the certificates that exist in a
global state none contradicts a FINALIZE certificate (`contradiction`), so above all no two blocks are final.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, product
from typing import TypeAlias

from consensus.authorities import AuthoritySet
from consensus.blocks import Block
from consensus.messages import Bundle, Proposal
from consensus.parameters import Parameters
from consensus.simulation.invariants import Broken, contradiction
from consensus.simulation.ledger import EPOCH_MS, build
from consensus.simulation.machine import Fact, Machine, Restart, Ring, Setting, Step, Tell
from consensus.simulation.memo import Memo, RememberedSigner
from consensus.simulation.world import GENESIS_ID, authority_of, key_of
from consensus.votes import Certificate, Kind, Vote, assemble, signed_bytes
from registry.keys import DOMAIN_VOTE

__all__ = ["BYZANTINE", "Explored", "explore"]

N = 4
CHAIN_MAX = 2  # things that happen to one machine unnoticed, and the one that shows them
BYZANTINE = {"leads_first": 1, "leads_second": 2, "leads_neither": 3}
"""Which authority is Byzantine: leader(1, v) is number 1 + v. Number 0 instead of 3 would be the same."""


@dataclass(slots=True)
class Explored:
    """How much there was."""

    byzantine: str
    views: int
    crashes: bool
    complete: bool = False
    """Whether every state was reached, not only the first so many."""
    states: int = 0
    transitions: int = 0
    local_states: dict[str, int] = field(default_factory=dict)
    """Per role: states of one engine that were found by running it."""
    classes: dict[str, int] = field(default_factory=dict)
    """Per role: those among them that can be told apart by what they say and do."""
    finalized: set[bytes] = field(default_factory=set)
    """Blocks that can become final in some run: so that the search is seen to get anywhere."""


_Needed: TypeAlias = tuple[int, int, int]
_Edge: TypeAlias = tuple[int, int, int, int]
"""A transition of a table: what anybody, two, or all three must have said (bits), and the local state it leads to."""


class _Bits:
    """Numbers for what can be said."""

    def __init__(self) -> None:
        self._known: dict[Hashable, int] = {}

    def of(self, *said: Hashable) -> int:
        mask = 0
        for each in said:
            mask |= 1 << self._known.setdefault(each, len(self._known))
        return mask

    def facts(self, mask: int) -> list[Fact]:
        found = [each for each, place in self._known.items() if mask >> place & 1]
        return [each for each in found if isinstance(each, tuple) and isinstance(each[0], Kind)]


class _Table:
    """The local states of one role and their transitions, made as they are needed."""

    def __init__(self, search: _Search, number: int) -> None:
        self._search = search
        self._number = number
        self._ids: dict[Hashable, int] = {}
        self._histories: list[tuple[Step, ...]] = []
        self._edges: list[list[_Edge]] = []
        self._told: list[int] = []
        self._visible: list[Hashable] = []
        self._moves: dict[int, tuple[int, list[_Edge]]] = {}
        self.said: list[int] = []
        """Per local state: the bits of what it has said."""
        self._add((), self._machine(()))

    def __len__(self) -> int:
        return len(self._histories)

    def reached(self) -> list[int]:
        """Every local state that visible changes lead to, in the order of discovery."""
        found = [0]
        known = {0}
        for state in found:
            for *_, target in self.moves(state):
                if target not in known:
                    known.add(target)
                    found.append(target)
        return found

    def moves(self, state: int) -> list[_Edge]:
        """Every visible change from here: by one thing that happens, or by several of which only the last shows."""
        known, moves = self._moves.get(state, (-1, []))
        proposals = len(self._search.proposals)
        if known < proposals:
            moves = self._find_moves(state)
            self._moves[state] = (proposals, moves)
        return moves

    def _find_moves(self, state: int) -> list[_Edge]:
        here = self._visible[state]
        moves: list[_Edge] = []
        reached, passed = set(), {state}
        chains = [(0, 0, 0, state)]
        for _ in range(CHAIN_MAX):
            longer: list[_Edge] = []
            shown: set[Hashable] = set()
            for one, two, three, place in chains:
                for needs_one, needs_two, needs_three, target in self._edges_of(place):
                    edge = (one | needs_one, two | needs_two, three | needs_three, target)
                    if self._visible[target] == here:
                        if target not in passed:
                            passed.add(target)
                            longer.append(edge)
                    elif self._visible[target] not in reached:
                        shown.add(self._visible[target])
                        moves.append(edge)
            reached |= shown
            chains = longer
        return moves

    def _edges_of(self, state: int) -> list[_Edge]:
        """The transitions of a local state; more of them when honest leaders have proposed more."""
        proposals = self._search.proposals
        if self._told[state] < len(proposals):
            here = self._machine(self._histories[state])
            if here.committed is None:
                events = self._search.events(here, self._number) if self._told[state] < 0 else []
                told = self._search.told(proposals[max(0, self._told[state]) :], self._number)
                for needed, what in [*events, *told]:
                    self._edges[state] += [(*needed, target) for target in self._targets(state, what)]
            self._told[state] = len(proposals)
        return self._edges[state]

    def _machine(self, history: tuple[Step, ...]) -> Machine:
        return Machine(self._search.setting, key_of(self._number)).run(history)

    def _add(self, history: tuple[Step, ...], machine: Machine) -> int:
        """The number of a machine's local state. Raises `Broken` if it can be accused."""
        essence = machine.essence()
        if essence not in self._ids:
            check_honest(machine.said)
            self._ids[essence] = len(self._histories)
            self._histories.append(history)
            self._edges.append([])
            self._told.append(-1)
            self._visible.append(machine.visible())
            self.said.append(self._search.bits.of(*machine.said, *map(name_of, machine.proposed)))
            self._search.propose(machine.proposed)
        return self._ids[essence]

    def _targets(self, state: int, what: Tell | Ring | Restart) -> set[int]:
        """Where this leads, whether or not the power is cut on the way; not: to where it is."""
        history = self._histories[state]
        after = self._machine(history)
        after.step(Step(what))
        targets = {self._add((*history, Step(what)), after)}
        if self._search.crashes:
            for count in range(after.persists):
                cut = (*history, Step(what, persists=count + 1))
                targets.add(self._add(cut, self._machine(cut)))
        return targets - {state}


class _Classes:
    """A table with bisimilar local states made one: they have said the same, and can do the same to the same effect.

    Found by refining the partition by what was said until it is stable (Kanellakis and Smolka, 1983).
    """

    def __init__(self, table: _Table) -> None:
        reached = table.reached()
        of: dict[int, int] = {state: table.said[state] for state in reached}
        count = 0
        while count < len(set(of.values())):
            count = len(set(of.values()))
            signatures = {state: (of[state], _weakest(table.moves(state), of)) for state in reached}
            numbers: dict[Hashable, int] = {}
            of = {state: numbers.setdefault(signatures[state], len(numbers)) for state in reached}
        some = {number: state for state, number in of.items()}
        self.first = of[0]
        self.said = {number: table.said[state] for number, state in some.items()}
        self.moves = {
            number: [(*needs, target) for needs, target in _weakest(table.moves(state), of)]
            for number, state in some.items()
        }


def _weakest(moves: list[_Edge], of: Mapping[int, int]) -> frozenset[tuple[_Needed, int]]:
    """Moves between classes, without those that need more than another one to the same class."""
    by_target: dict[int, set[_Needed]] = {}
    for one, two, three, target in moves:
        by_target.setdefault(of[target], set()).add((one, two, three))
    return frozenset(
        (needs, target)
        for target, every in by_target.items()
        for needs in every
        if not any(other != needs and all(not x & ~y for x, y in zip(other, needs, strict=True)) for other in every)
    )


class _Search:
    """One place of the Byzantine authority."""

    def __init__(self, byzantine: int, *, views: int, crashes: bool) -> None:
        self.byzantine = byzantine
        self.views = views
        self.crashes = crashes
        self.bits = _Bits()
        authorities = AuthoritySet(tuple(authority_of(number) for number in range(N)))
        parameters = Parameters(genesis_id=GENESIS_ID)
        blocks = {member.public_key: _block(authorities, member.public_key, b"one") for member in authorities}
        self.setting = Setting(parameters, authorities, blocks, {}, Memo(), views)
        self.blocks = [[self._block_of(view, b"one")] for view in range(self.views)]
        for view in range(self.views):
            if self.leader(view) == byzantine:
                self.blocks[view].append(self._block_of(view, b"two"))
        self.setting.every_block.update((block.hash, block) for blocks in self.blocks for block in blocks)
        self.proposals: list[Proposal] = []
        honest = [number for number in range(N) if number != byzantine]
        leading = [number for number in honest if number in [self.leader(view) for view in range(self.views)]]
        idle = [number for number in honest if number not in leading]
        self.tables = {number: _Table(self, number) for number in [*leading, idle[0]]}
        self.roles = [*leading, *(idle[0] for _ in idle)]

    def expand(self) -> None:
        """Find every local state of every role."""
        proposals = -1
        while proposals < len(self.proposals):
            proposals = len(self.proposals)
            for table in self.tables.values():
                table.reached()

    def leader(self, view: int) -> int:
        return (1 + view) % N

    def _block_of(self, view: int, salt: bytes) -> Block:
        return _block(self.setting.authorities, key_of(self.leader(view)).public_key, salt)

    def propose(self, proposals: Iterable[Proposal]) -> None:
        """An honest leader has proposed: from now on that may be delivered."""
        known = set(map(name_of, self.proposals))
        self.proposals += [proposal for proposal in proposals if name_of(proposal) not in known]

    def told(self, proposals: list[Proposal], number: int) -> Iterator[tuple[_Needed, Tell]]:
        """These proposals of honest leaders, delivered to another one."""
        for proposal in proposals:
            if proposal.vote.signer != key_of(number).public_key:
                yield (self.bits.of(name_of(proposal)), 0, 0), Tell(proposal.vote.signer, proposal)

    def events(self, machine: Machine, number: int) -> Iterator[tuple[_Needed, Tell | Ring | Restart]]:
        """All else that can happen to this machine, and what must have been said for it."""
        liar = key_of(self.byzantine).public_key
        for timer in machine.timers():
            yield (0, 0, 0), Ring(timer)
        if self.crashes:
            yield (0, 0, 0), Restart()
        for fact in self._facts():
            bit = self.bits.of(fact)
            yield (0, bit, 0), Tell(liar, self._certificate(fact, number, machine.said, byzantine=True))
            if fact in machine.said:
                yield (0, 0, bit), Tell(liar, self._certificate(fact, number, machine.said, byzantine=False))
        for needed, proposal in self._byzantine_proposals(number, machine.said):
            yield (0, needed, 0), Tell(liar, proposal)

    def _facts(self) -> list[Fact]:
        """All that a certificate can say."""
        facts: list[Fact] = [(Kind.NULLIFY, view, None) for view in range(self.views)]
        for view in range(self.views):
            blocks = [block.hash for below in self.blocks[: view + 1] for block in below]
            facts += [(kind, view, block) for kind, block in product((Kind.NOTARIZE, Kind.FINALIZE), blocks)]
        return facts

    def _certificate(self, fact: Fact, number: int, said: set[Fact], *, byzantine: bool) -> Certificate:
        """The certificate of this fact as authority `number`, which has said this, gets it."""
        others = [each for each in range(N) if each not in (number, self.byzantine)]
        signers = ([self.byzantine] if byzantine else []) + ([number] if fact in said else []) + others
        signatures = {each: self._vote(each, fact).signature for each in signers[:3]}
        kind, view, block = fact
        return assemble(kind=kind, height=1, view=view, block=block, signatures=signatures, n=N)

    def _vote(self, number: int, fact: Fact) -> Vote:
        kind, view, block = fact
        signer = RememberedSigner(key_of(number), self.setting.memo)
        signature = signer.sign(DOMAIN_VOTE, GENESIS_ID, signed_bytes(kind, 1, view, block))
        return Vote(kind, 1, view, block, signer.public_key, signature)

    def _byzantine_proposals(self, number: int, said: set[Fact]) -> Iterator[tuple[int, Proposal]]:
        """Every block that it can propose with every bundle, and with none."""
        for view in range(self.views):
            if self.leader(view) != self.byzantine:
                continue
            below: list[Fact | None] = [None]
            if view:
                below += [(Kind.NULLIFY, 0, None), *((Kind.NOTARIZE, 0, block.hash) for block in self.blocks[0])]
            for fact, block in product(below, [block for blocks in self.blocks[: view + 1] for block in blocks]):
                vote = self._vote(self.byzantine, (Kind.NOTARIZE, view, block.hash))
                bundle = Bundle(None, ())
                if fact is not None:
                    held = self._certificate(fact, number, said, byzantine=True)
                    bundle = Bundle(held, ()) if fact[0] is Kind.NOTARIZE else Bundle(None, (held,))
                yield self.bits.of(fact) if fact else 0, Proposal(vote, block, bundle)


def explore(byzantine: str, *, views: int, crashes: bool, states_max: int | None = None) -> Explored:
    """Search through every state, or the first `states_max`. Raises `Broken` in one that breaks an invariant."""
    search = _Search(BYZANTINE[byzantine], views=views, crashes=crashes)
    search.expand()
    tables = {number: _Classes(table) for number, table in search.tables.items()}
    explored = Explored(byzantine, views, crashes)
    for number, table in search.tables.items():
        explored.local_states[f"authority {number}"] = len(table)
        explored.classes[f"authority {number}"] = len(tables[number].said)
    _walk(explored, search, [tables[role] for role in search.roles], states_max)
    return explored


def _walk(explored: Explored, search: _Search, tables: list[_Classes], states_max: int | None) -> None:
    """Breadth first through the global states: three classes, those of equal roles in order."""
    same = tables[1] is tables[2]
    checked: set[int] = set()
    first = (tables[0].first, tables[1].first, tables[2].first)
    seen = {first}
    waiting = deque([first])
    while waiting and (states_max is None or len(seen) < states_max):
        state = waiting.popleft()
        a, b, c = (table.said[local] for table, local in zip(tables, state, strict=True))
        two = a & b | a & c | b & c
        if two not in checked:
            checked.add(two)
            explored.finalized |= check_certificates(search.bits.facts(two))
        not_said, not_two, not_three = ~(a | b | c), ~two, ~(a & b & c)
        for place, local in enumerate(state):
            for needs_one, needs_two, needs_three, target in tables[place].moves[local]:
                if needs_one & not_said or needs_two & not_two or needs_three & not_three:
                    continue
                explored.transitions += 1
                after = [*state]
                after[place] = target
                if same and after[1] > after[2]:
                    after[1], after[2] = after[2], after[1]
                reached = (after[0], after[1], after[2])
                if reached not in seen:
                    seen.add(reached)
                    waiting.append(reached)
    explored.states = len(seen)
    explored.complete = not waiting


def check_certificates(facts: Iterable[Fact]) -> set[bytes]:
    """The blocks that these certificates make final. Raises `Broken` if two of them contradict each other."""
    known = list(facts)
    broken = contradiction(known)
    if broken is not None:
        raise Broken(broken)
    return {block for kind, _, block in known if kind is Kind.FINALIZE and block is not None}


def check_honest(said: Iterable[Fact]) -> None:
    """Raises `Broken` if one who has said this is accusable."""
    for (kind, view, block), (other_kind, other_view, other_block) in combinations(said, 2):
        took_back = {kind, other_kind} == {Kind.FINALIZE, Kind.NULLIFY}
        if view == other_view and (took_back or (kind is other_kind and block != other_block)):
            raise Broken(f"an honest node is accusable: {kind.name} and {other_kind.name} in view {view}")


def name_of(proposal: Proposal) -> Hashable:
    """A proposal without its signatures."""
    held = tuple((each.kind, each.view, each.block) for each in proposal.bundle.certificates())
    return ("proposal", proposal.vote.view, proposal.block.hash, held)


def _block(authorities: AuthoritySet, proposer: bytes, salt: bytes) -> Block:
    return build(
        genesis_id=GENESIS_ID,
        authorities=authorities,
        height=1,
        parent=GENESIS_ID,
        parent_time_ms=EPOCH_MS,
        proposer=proposer,
        time_ms=EPOCH_MS,
        transactions=(salt,),
    )
