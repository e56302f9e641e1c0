"""Whatever authorities decide and whoever is accused: there is a set, it can govern, and no key comes back."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from registry.codec import encode
from registry.genesis import AUTHORITIES_MAX
from registry.records import ConsensusKey
from registry.rules.authorities import can_govern
from registry.state import State
from registry.transactions.authorities import ReportMisbehaviour, SeatAuthority, UnseatAuthority
from registry.transactions.governance import Admit, Approve, Change, Propose, Reinstate, Suspend
from tests.registry.world import AUTHORITIES, MEMBERS, World, key_of, mark, party_of

NEWCOMERS = {"FIFTH": "lei:984500USIMPORT000143", "SIXTH": "lei:984500ZZSIXTH0000145"}
PARTIES = {name: MEMBERS[name][0] for name in AUTHORITIES} | NEWCOMERS
NAMES = tuple(PARTIES)
KEYS = [key_of(f"consensus {name}").public_key for name in (*NAMES, *(f"spare {number}" for number in range(6)))]

changes = st.one_of(
    st.tuples(st.just("seat"), st.sampled_from(NAMES), st.sampled_from(KEYS)),
    st.tuples(st.just("unseat"), st.sampled_from(NAMES), st.just(b"")),
    st.tuples(st.just("suspend"), st.sampled_from(NAMES), st.just(b"")),
    st.tuples(st.just("reinstate"), st.sampled_from(NAMES), st.just(b"")),
    st.tuples(st.just("report"), st.sampled_from(NAMES), st.sampled_from(KEYS)),
)


class History:
    """A world, and which consensus keys its state said were in force at each height."""

    def __init__(self) -> None:
        self.world = World()
        self.in_force: list[set[bytes]] = [set()]  # by height; there is none of height 0
        for name, identifier in NEWCOMERS.items():
            self.decide(Admit(party_of(name, identifier, "US", ("authority", "financier"))))

    def step(self, kind: str, name: str, key: bytes) -> None:
        if kind == "report":
            self.do(self.seated()[0], ReportMisbehaviour(encode([key, max(1, self.world.height)])))
        else:
            self.decide(
                {
                    "seat": lambda: SeatAuthority(PARTIES[name], key, name.encode(), "node.example:7001"),
                    "unseat": lambda: UnseatAuthority(PARTIES[name], mark("reason")),
                    "suspend": lambda: Suspend(PARTIES[name], mark("reason")),
                    "reinstate": lambda: Reinstate(PARTIES[name], mark("reason")),
                }[kind]()
            )

    def decide(self, change: Change) -> None:
        """Everybody who may approves, so that whatever may happen does."""
        proposal = self.do(self.seated()[0], Propose(change))
        if proposal:  # it was not refused
            for name in self.seated()[1:]:
                self.do(name, Approve(proposal))

    def seated(self) -> list[str]:
        """Who can sign as an authority now: those with a seat that are not suspended, if any."""
        state = State(self.world.state.get)
        names = {identifier: name for name, identifier in PARTIES.items()}
        parties = [state.party(party) for party in state.network().authorities]
        return [names[party.id] for party in parties if party is not None and not party.suspended]

    def do(self, name: str, operation: Propose | Approve | ReportMisbehaviour) -> bytes:
        self.in_force.append({seat.consensus_key for seat in State(self.world.state.get).network().seats})
        subject = self.world.one(name, operation).subject
        self.check()
        return subject

    def check(self) -> None:
        state = State(self.world.state.get)
        network = state.network()
        keys = [seat.consensus_key for seat in network.seats]
        assert 1 <= len(keys) <= AUTHORITIES_MAX
        assert len(set(keys)) == len(keys)
        assert len(set(network.authorities)) == len(keys)
        assert {seat.node for seat in network.seats} <= set(network.nodes)
        assert can_govern(state, network.authorities)
        known = [*self.in_force, set(keys)]
        for key in KEYS:
            heights = [height for height, in_force in enumerate(known) if key in in_force]
            record = state.find(ConsensusKey, key)
            said = [height for height in range(1, len(known)) if record is not None and record.was_in_force(height)]
            assert heights == said  # one stretch of heights, and the record says which


@settings(max_examples=25)
@given(st.lists(changes, max_size=10))
def test_any_history_leaves_a_set_that_can_govern(steps: list[tuple[str, str, bytes]]) -> None:
    history = History()
    for step in steps:
        history.step(*step)
