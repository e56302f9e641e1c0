"""Rules taken out of the code one by one, to see whether the simulator notices.

A mutant is a fresh import of the whole `consensus` package with a few lines of it changed. Each line must stand in the
source exactly once, so that a mutant cannot rot unseen.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

__all__ = ["MUTANTS", "QUORUM_IS_2F_PLUS_1", "Change", "Mutant", "mutated_campaign"]


@dataclass(frozen=True, slots=True)
class Change:
    """Lines of a module, and what stands there instead."""

    module: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule broken, and the runs that find it."""

    name: str
    changes: tuple[Change, ...]
    n: int
    faults: tuple[str, ...]
    seeds: int
    """How many seeds are tried, from `first`, with every fault."""
    first: int = 0
    """A seed that is known to find it, or none."""


QUORUM_IS_2F_PLUS_1 = Mutant(
    "quorum_is_2f_plus_1",
    (Change("consensus.authorities", "return n - faulty_max(n)", "return 2 * faulty_max(n) + 1"),),
    n=5,
    faults=("twins",),
    seeds=0,
)

MUTANTS = (
    Mutant(
        "finalize_after_nullify",
        (
            Change(
                "consensus.rules",
                "elif not h.has_voted(Kind.NULLIFY, h.view) and not h.has_voted(Kind.FINALIZE, h.view):",
                "elif not h.has_voted(Kind.FINALIZE, h.view):",
            ),
            Change(
                "consensus.rules",
                'assert not h.has_voted(Kind.NULLIFY, h.view), "R9: never FINALIZE after NULLIFY"',
                "pass",
            ),
            Change("consensus.rules", 'assert evidence is None, "R9: this node would accuse itself"', "pass"),
        ),
        n=4,
        faults=("equivocator", "none"),
        seeds=10,
    ),
    Mutant(
        "votes_forgotten_at_restart",
        (
            Change(
                "consensus.journal",
                "return Recovered(tuple(votes), tuple(certificates),",
                "return Recovered((), tuple(certificates),",
            ),
            Change("consensus.hearing", "state.burn()  # R9: it is not", "pass  # it is not"),
            Change("consensus.hearing", "if own is None or own.block != certificate.block:", "if False:"),
        ),
        n=4,
        faults=("equivocator", "none"),
        seeds=20,
    ),
    Mutant(
        "disk_not_synced_before_the_send",
        (
            Change(
                "consensus.simulation.node",
                "        self.world.syncs(self)  # a crash here loses the write\n        self.disk.sync()\n",
                "        self.world.syncs(self)\n",
            ),
            Change("consensus.hearing", "state.burn()  # R9: it is not", "pass  # it is not"),
            Change("consensus.hearing", "if own is None or own.block != certificate.block:", "if False:"),
        ),
        n=4,
        faults=("equivocator", "none"),
        seeds=20,
    ),
    Mutant(
        "two_notarizations_in_a_view",
        (
            Change(
                "consensus.rules",
                "if proposal is None or h.view in h.refused or h.has_voted(Kind.NOTARIZE, h.view) or not state.votes:",
                "if proposal is None or h.view in h.refused or not state.votes"
                " or h.own.get((Kind.NOTARIZE, h.view), proposal.vote).block == proposal.block.hash"
                " and h.has_voted(Kind.NOTARIZE, h.view):",
            ),
            Change(
                "consensus.rules", 'assert not h.has_voted(kind, h.view), "R9: not this kind in this view yet"', "pass"
            ),
            Change("consensus.rules", 'assert evidence is None, "R9: this node would accuse itself"', "pass"),
            Change(
                "consensus.hearing",
                "if h.tally.vote(Kind.NOTARIZE, vote.view, vote.signer) != vote:",
                "if False:",
            ),
            Change("consensus.hearing", "elif vote.view not in h.proposals:", "else:"),
        ),
        n=4,
        faults=("twins", "equivocator"),
        seeds=20,
    ),
    Mutant(
        "parent_in_the_bundle_ignored",
        (
            Change("consensus.height", "return parent.block == proposal.block.hash", "return True"),
            Change(
                "consensus.rules",
                "    parent = h.parent_for(h.view)\n    if parent is None:",
                "    parent = None\n    if parent is None:",
            ),
            Change("consensus.rules", "if not voted and h.parent_for(h.view) is None:", "if not voted:"),
        ),
        n=4,
        faults=("none", "equivocator", "silent"),
        seeds=40,
    ),
    Mutant(
        "view_changed_by_the_timer_alone",
        (
            Change("consensus.engine", "TimerName.VIEW: nullify,", "TimerName.VIEW: nullify_and_go,"),
            Change(
                "consensus.engine",
                "def _grace_over(",
                "def nullify_and_go(state: State) -> None:\n"
                "    nullify(state)\n"
                "    state.h.enter(state.h.view + 1)\n"
                "    state.set_view_timer()\n\n\ndef _grace_over(",
            ),
            Change(
                "consensus.height", 'assert self.bundle_for(view) is not None, "R1: no view without its bundle"', "pass"
            ),
            Change("consensus.height", "return found if len(found) == len(skips) else None", "return found"),
            Change(
                "consensus.height",
                "            if not is_nullified:\n                return passed_over\n",
                "",
            ),
        ),
        n=4,
        faults=("none", "invalid"),
        seeds=40,
        first=28,
    ),
    Mutant(
        "finalize_without_its_certificate_on_disk",
        (Change("consensus.rules", "stands_on.append(notarization)", "pass"),),
        n=4,
        faults=("withholder",),
        seeds=60,
    ),
    Mutant(
        "vote_without_its_bundle_on_disk",
        (Change("consensus.rules", "stands_on = list(bundle.certificates())", "stands_on = []"),),
        n=4,
        faults=("silent",),
        seeds=4,
    ),
    Mutant(
        "nothing_is_said_again",
        (
            Change("consensus.talking", "state.do(Broadcast(_where_i_am(state)))", "pass"),
            Change("consensus.talking", "state.do(Send(peer, _where_i_am(state)))", "pass"),
        ),
        n=4,
        faults=("none", "silent"),
        seeds=20,
    ),
    Mutant(
        "quorum_is_one_less",
        (Change("consensus.authorities", "return n - faulty_max(n)", "return n - faulty_max(n) - 1"),),
        n=4,
        faults=("equivocator", "twins"),
        seeds=20,
    ),
    Mutant(
        "proposal_without_justification_accepted",
        (
            Change(
                "consensus.height",
                "if self.skips_for(view, parent) is None or not self.fits(proposal.block):",
                "if not self.fits(proposal.block):",
            ),
        ),
        n=4,
        faults=("invalid",),
        seeds=400,
        first=57,
    ),
    Mutant(
        "bad_block_accepted",
        (
            Change(
                "consensus.rules",
                "if verdict is Verdict.VALID or (again and verdict is Verdict.UNTIMELY):",
                "if True:",
            ),
            Change("consensus.rules", "assert h.verdicts.get(block.hash) in (Verdict.VALID, Verdict.UNTIMELY)", "pass"),
        ),
        n=4,
        faults=("invalid",),
        seeds=20,
    ),
    Mutant(
        "clock_not_checked",
        (
            Change(
                "consensus.rules",
                "if verdict is Verdict.VALID or (again and verdict is Verdict.UNTIMELY):",
                "if verdict is not Verdict.INVALID:",
            ),
        ),
        n=4,
        faults=("clock",),
        seeds=20,
    ),
    Mutant(
        "signs_after_a_restart_with_an_empty_disk",
        (
            Change(
                "consensus.state",
                "self.standings.get(self.me, Standing.UNKNOWN)",
                "self.standings.get(self.me, Standing.GOOD)",
            ),
            Change("consensus.journal", "if votes and public_key not in standings_in(record):", "if False:"),
            Change("consensus.hearing", "state.burn()  # R9: it is not", "pass  # it is not"),
            Change("consensus.hearing", "if own is None or own.block != certificate.block:", "if False:"),
        ),
        n=4,
        faults=("lost",),
        seeds=60,
    ),
    Mutant(
        "decided_blocks_not_verified",
        (
            Change(
                "consensus.hearing",
                "verify_decided(state.parameters.genesis_id, h.authorities, decided, state.verifier)",
                "pass",
            ),
        ),
        n=4,
        faults=("forger",),
        seeds=10,
    ),
    Mutant(
        "sent_before_it_is_persisted",
        (
            Change(
                "consensus.rules",
                "    state.do(Persist(h.journal.puts(votes=(vote,), certificates=stands_on, blocks=blocks)))\n",
                "    state.do(Broadcast(vote))\n"
                "    state.do(Persist(h.journal.puts(votes=(vote,), certificates=stands_on, blocks=blocks)))\n",
            ),
        ),
        n=4,
        faults=("none",),
        seeds=2,
    ),
    Mutant(
        "set_of_the_wrong_height",
        (
            Change(
                "consensus.engine",
                "state.begin(event.height + 1, event.block, event.next_authorities,",
                "state.begin(event.height + 1, event.block, state.h.authorities,",
            ),
        ),
        n=4,
        faults=("none",),
        seeds=40,
    ),
    Mutant(
        "certificates_not_verified",
        (Change("consensus.hearing", "state.h.tally.verify(certificate)", "pass"),),
        n=4,
        faults=("forger",),
        seeds=10,
    ),
)


@contextmanager
def mutated_campaign(mutant: Mutant) -> Iterator[ModuleType]:
    """`consensus.simulation.campaign` of the mutated package; the real one is back afterwards."""
    real = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "consensus"}
    for name in real:
        del sys.modules[name]
    finder = _Finder(mutant.changes)
    sys.meta_path.insert(0, finder)
    try:
        campaign = importlib.import_module("consensus.simulation.campaign")
        assert finder.changed == {change.module for change in mutant.changes}, "a changed module was not imported"
        yield campaign
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.split(".")[0] == "consensus"]:
            del sys.modules[name]
        sys.modules.update(real)


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from changed source, past the cache of compiled files."""

    changes: tuple[Change, ...] = ()

    def get_code(self, fullname: str):  # type: ignore[no-untyped-def]
        source = self.get_data(self.path).decode()
        for change in self.changes:
            found = source.count(change.old)
            assert found == 1, f"{change.old!r} stands {found} times in {fullname}"
            source = source.replace(change.old, change.new)
        return compile(source, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules to change before the ordinary finders do."""

    def __init__(self, changes: tuple[Change, ...]) -> None:
        self._changes = changes
        self.changed: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        changes = tuple(change for change in self._changes if change.module == fullname)
        if not changes:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert spec is not None
        assert spec.origin is not None
        loader = _Loader(fullname, spec.origin)
        loader.changes = changes
        self.changed.add(fullname)
        return importlib.util.spec_from_file_location(fullname, spec.origin, loader=loader)
