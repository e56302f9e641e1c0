"""Every rule of the engine, on an engine alone. The numbers are those of `consensus/engine.py`."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import consensus
from consensus.engine import Engine
from consensus.errors import RecordError
from consensus.events import (
    Alarm,
    AlarmCode,
    Broadcast,
    Build,
    Commit,
    Committed,
    Connected,
    Persist,
    Received,
    Report,
    Send,
    SendDecided,
    SetTimer,
    Start,
    TimerName,
    Verdict,
    Work,
)
from consensus.evidence import Evidence, verify_evidence
from consensus.hearing import OWN_VOTES_MAX
from consensus.height import BLOCKS_MAX, VIEWS_AHEAD_MAX
from consensus.journal import Standing
from consensus.messages import (
    BlockRequest,
    Body,
    Bundle,
    Decided,
    DecidedRequest,
    HeldVotes,
    Proposal,
    Resend,
    VotesRequest,
)
from consensus.votes import Certificate, Kind, Vote
from registry.keys import verify
from tests.consensus.bench import PARAMETERS, Bench
from tests.consensus.fixtures import GENESIS_ID, authorities_of, block_of, certificate_of, key_of, vote_of


def test_every_rule_is_cited_by_code_and_by_a_test() -> None:
    code = "\n".join(path.read_text() for path in Path(consensus.__file__).parent.glob("*.py"))
    tests = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    page = Path(consensus.__file__).with_name("engine.py").read_text().split('"""')[1]
    for number in range(1, 12):
        rule = rf"\bR{number}\b"
        assert re.search(rf"^R{number} ", page, re.MULTILINE), f"R{number} is not on the protocol page"
        assert len(re.findall(rule, code)) > len(re.findall(rule, page)), f"R{number} is cited by no line of code"
        assert re.search(rf"def test_.*:\n    \"\"\"R{number}\b", tests), f"R{number} is cited by no test"


def test_only_one_function_signs_votes() -> None:
    """R9"""
    package = Path(consensus.__file__).parent
    signing = [path.name for path in package.glob("*.py") if "sign(DOMAIN_VOTE" in path.read_text()]
    assert signing == ["rules.py"]
    assert (package / "rules.py").read_text().count("sign(DOMAIN_VOTE") == 1


def test_the_happy_path_of_a_follower() -> None:
    """R3, R4, R7: NOTARIZE a good proposal, FINALIZE its notarization, commit its finalization."""
    bench = Bench(me=0)
    block = bench.block(1)
    bench.propose(0, block)
    assert bench.checks() == [block]
    bench.check(block)
    assert bench.voted() == [(Kind.NOTARIZE, 0, block.hash)]
    bench.vote(2, Kind.NOTARIZE, 0, block.hash)
    assert bench.voted() == [(Kind.FINALIZE, 0, block.hash)]
    assert [held.kind for held in bench.said(Certificate)] == [Kind.NOTARIZE]
    assert bench.engine.view == 1
    bench.vote(1, Kind.FINALIZE, 0, block.hash)
    assert not bench.all(Commit)
    bench.vote(3, Kind.FINALIZE, 0, block.hash)
    (commit,) = bench.all(Commit)
    commit.certificate.verify(GENESIS_ID, bench.authorities)
    assert commit.block == block
    assert bench.actions.index(commit) > 0, "the certificate is broadcast first: it is a fact already"
    assert {key for key in bench.record if not key.startswith(b"standing/")} == set(commit.clears)
    bench.committed(block)
    assert (bench.engine.height, bench.engine.view) == (2, 0)


def test_a_view_is_entered_only_with_its_bundle() -> None:
    """R1: neither a timer nor a nullification further up moves a view; the missing one does."""
    bench = Bench(me=0)
    bench.work()
    bench.ring(TimerName.VIEW)
    assert bench.engine.view == 0
    bench.hear(1, bench.certificate(Kind.NULLIFY, 1))
    assert bench.engine.view == 0
    bench.hear(1, bench.certificate(Kind.NULLIFY, 0))
    assert bench.engine.view == 2


def test_a_notarization_further_up_is_a_bundle_by_itself() -> None:
    """R1: its voters have checked what lies below."""
    bench = Bench(me=0)
    bench.hear(1, bench.certificate(Kind.NOTARIZE, 7, bytes(32)))
    assert bench.engine.view == 8


def test_a_forged_certificate_moves_nothing() -> None:
    """R1"""
    bench = Bench(me=0)
    good = bench.certificate(Kind.NULLIFY, 0)
    bench.hear(1, Certificate(Kind.NULLIFY, 1, 0, None, good.bitmap, good.signatures[::-1]))
    assert bench.engine.view == 0


def test_the_leader_proposes_at_once_when_work_arrives() -> None:
    """R2, R11: no wait between work and proposal."""
    bench = Bench(me=1)
    assert not bench.all(Build)
    bench.work()
    assert bench.all(Build) == [Build(height=1, parent=GENESIS_ID, proposer=key_of(1).public_key)]
    bench.work()
    assert not bench.all(Build), "asked once"
    block = bench.block(1)
    bench.build(block)
    (proposal,) = bench.said(Proposal)
    assert proposal.block == block
    assert proposal.bundle == Bundle(None, ())
    assert type(bench.actions[-2]) is Persist
    bench.build(bench.block(1, timestamp_ms=5))
    assert not bench.said(Proposal), "one proposal a view"


def test_a_later_leader_builds_even_without_work() -> None:
    """R2: in v > 0 the height must end."""
    bench = Bench(me=2)
    bench.hear(1, bench.certificate(Kind.NULLIFY, 0))
    assert bench.all(Build)
    block = bench.block(2)
    bench.build(block)
    (proposal,) = bench.said(Proposal)
    assert (proposal.vote.view, len(proposal.bundle.skips)) == (1, 1)


def test_a_notarized_block_is_proposed_again_after_the_grace() -> None:
    """R2: the same block, after base/2."""
    bench = Bench(me=2)
    block = bench.block(1)
    bench.propose(0, block)
    bench.check(block)
    bench.vote(3, Kind.NOTARIZE, 0, block.hash)
    assert bench.engine.view == 1
    assert bench.timers[TimerName.GRACE].delay_ms == 500
    assert not bench.said(Proposal)
    bench.ring(TimerName.GRACE)
    (proposal,) = bench.said(Proposal)
    assert proposal.block == block
    assert proposal.bundle.parent is not None
    assert proposal.bundle.parent.view == 0


@pytest.mark.parametrize("verdict", [Verdict.INVALID, Verdict.UNTIMELY])
def test_a_bad_proposal_is_nullified_at_once(verdict: Verdict) -> None:
    """R3"""
    bench = Bench(me=0)
    block = bench.block(1)
    bench.propose(0, block)
    bench.check(block, verdict)
    assert bench.voted() == [(Kind.NULLIFY, 0, None)]


def test_a_block_of_another_place_is_nullified_without_a_check() -> None:
    """R3: parent, authorities and proposer are the engine's to check."""
    for block in (
        block_of(Bench(me=0).authorities, height=1, parent=bytes(32), proposer=1),
        block_of(Bench(me=0, n=5).authorities, height=1, parent=GENESIS_ID, proposer=1),
        block_of(Bench(me=0).authorities, height=1, parent=GENESIS_ID, proposer=2),
        block_of(Bench(me=0).authorities, height=1, parent=GENESIS_ID, proposer=9),
    ):
        bench = Bench(me=0)
        bench.propose(0, block)
        assert not bench.checks()
        assert bench.voted() == [(Kind.NULLIFY, 0, None)]


def test_only_the_leader_proposes() -> None:
    """R3: a proposal by another, or handed on by another, is no proposal."""
    bench = Bench(me=0)
    block = bench.block(2)
    bench.hear(2, Proposal(vote_of(2, Kind.NOTARIZE, 1, 0, block.hash), block, Bundle(None, ())))
    assert not bench.checks()
    bench.hear(3, bench.proposal(0))
    assert not bench.checks()


def test_a_proposal_again_must_be_the_parent_and_skips_the_clock_rule() -> None:
    """R3: a parent in the bundle means exactly that block, however old."""
    bench = Bench(me=0)
    block, other = bench.block(1), bench.block(2)
    parent = bench.certificate(Kind.NOTARIZE, 0, block.hash, 1, 2, 3)
    bench.propose(1, block, Bundle(parent, ()))
    bench.check(block, Verdict.UNTIMELY)
    assert bench.voted() == [(Kind.FINALIZE, 0, block.hash), (Kind.NOTARIZE, 1, block.hash)]
    bench = Bench(me=0)
    bench.hear(1, Body(block))
    bench.propose(1, other, Bundle(parent, (bench.certificate(Kind.NULLIFY, 1),)))
    bench.hear(3, bench.certificate(Kind.NULLIFY, 0))
    assert bench.engine.view == 2
    bench = Bench(me=0)
    bench.hear(3, bench.certificate(Kind.NULLIFY, 0))
    bench.propose(1, other, Bundle(parent, ()))
    assert bench.voted() == [(Kind.NULLIFY, 1, None)]


def test_an_incomplete_or_forged_bundle_is_a_bad_proposal() -> None:
    """R3: bundle complete, or NULLIFY."""
    bench = Bench(me=0)
    bench.hear(3, bench.certificate(Kind.NOTARIZE, 1, bytes(32)))
    assert bench.engine.view == 2
    bench.propose(2)
    assert bench.voted() == [(Kind.NULLIFY, 2, None)], "no parent, and no skips of 0 and 1"
    bench = Bench(me=0)
    good = bench.certificate(Kind.NULLIFY, 0)
    bad = Certificate(Kind.NULLIFY, 1, 0, None, good.bitmap, good.signatures[::-1])
    bench.propose(0, None, Bundle(None, (bad,)))
    assert bench.voted() == [(Kind.NULLIFY, 0, None)]


def test_a_late_good_proposal_is_still_notarized() -> None:
    """R3, R6: NOTARIZE and NULLIFY of one view may both be sent; FINALIZE then not."""
    bench = Bench(me=0)
    block = bench.block(1)
    bench.work()
    bench.ring(TimerName.VIEW)
    assert bench.voted() == [(Kind.NULLIFY, 0, None)]
    bench.propose(0, block)
    bench.check(block)
    assert bench.voted() == [(Kind.NOTARIZE, 0, block.hash)]
    bench.vote(2, Kind.NOTARIZE, 0, block.hash)
    assert bench.voted() == []
    assert bench.engine.view == 1


def test_a_notarization_waits_for_its_block_and_the_check() -> None:
    """R4: FINALIZE only for a block that is here and checked."""
    bench = Bench(me=0)
    block = bench.block(1)
    bench.hear(3, bench.certificate(Kind.NOTARIZE, 0, block.hash, 1, 2, 3))
    assert bench.engine.view == 0
    bench.ring(TimerName.FETCH)
    (request,) = [action for action in bench.all(Send) if isinstance(action.message, BlockRequest)]
    assert request.message == BlockRequest(1, block.hash)
    bench.hear(2, Body(block))
    assert bench.checks() == [block]
    bench.check(block)
    assert bench.voted() == [(Kind.FINALIZE, 0, block.hash)]
    assert bench.engine.view == 1


def test_a_notarized_block_that_fails_the_own_check_stops_the_voting() -> None:
    """R4: determinism is broken."""
    bench = Bench(me=0)
    block = bench.block(1)
    bench.propose(0, block)
    bench.check(block, Verdict.INVALID)
    bench.hear(3, bench.certificate(Kind.NOTARIZE, 0, block.hash, 1, 2, 3))
    assert [alarm.code for alarm in bench.all(Alarm)] == [AlarmCode.DETERMINISM_BROKEN]
    assert not bench.engine.votes
    bench.ring(TimerName.VIEW)
    assert not bench.voted()


def test_a_nullification_moves_on_and_is_passed_on() -> None:
    """R5"""
    bench = Bench(me=0)
    bench.vote(1, Kind.NULLIFY, 0)
    bench.vote(2, Kind.NULLIFY, 0)
    assert bench.engine.view == 1
    assert [(held.kind, held.view) for held in bench.said(Certificate)] == [(Kind.NULLIFY, 0)]


def test_the_timer_and_f_plus_1_nullifiers_nullify() -> None:
    """R6"""
    bench = Bench(me=0)
    bench.vote(1, Kind.NULLIFY, 0)
    assert not bench.voted(), "f are not enough"
    bench.vote(2, Kind.NULLIFY, 0)
    assert bench.said(Certificate), "its own is the third"
    bench = Bench(me=0)
    bench.work()
    assert bench.timers[TimerName.VIEW].delay_ms == 1_000
    bench.ring(TimerName.VIEW)
    assert bench.voted() == [(Kind.NULLIFY, 0, None)]


def test_patience_grows_to_the_cap_and_starts_again() -> None:
    """R6: T(v) = min(base * 1.5^v, cap)."""
    patience = [PARAMETERS.view_timeout_ms(view) for view in (0, 1, 2, 3, 8, 9, 1000)]
    assert patience == [1_000, 1_500, 2_250, 3_375, 25_628, 30_000, 30_000]


def test_never_nullify_after_finalize() -> None:
    """R6, R9: the view it finalized in is over, whatever happens there."""
    bench = Bench(me=0)
    block = bench.block(1)
    bench.propose(0, block)
    bench.check(block)
    bench.vote(2, Kind.NOTARIZE, 0, block.hash)
    assert (Kind.FINALIZE, 0, block.hash) in bench.voted()
    for signer in (1, 2, 3):
        bench.vote(signer, Kind.NULLIFY, 0)
    assert all(kind is not Kind.NULLIFY for kind, _, _ in bench.voted())


def test_a_finalization_without_its_block_fetches_it() -> None:
    """R7, R8"""
    bench = Bench(me=0)
    block = bench.block(1)
    bench.hear(1, bench.certificate(Kind.FINALIZE, 0, block.hash, 1, 2, 3))
    assert not bench.all(Commit)
    bench.ring(TimerName.FETCH)
    assert any(isinstance(action.message, BlockRequest) for action in bench.all(Send))
    bench.hear(3, Body(bench.block(2)))
    assert not bench.all(Commit), "another block was not asked for"
    bench.hear(3, Body(block))
    assert [commit.block for commit in bench.all(Commit)] == [block]


def test_a_final_block_on_another_tip_is_a_fork_and_stops_the_node() -> None:
    """R7"""
    bench = Bench(me=0)
    block = block_of(bench.authorities, height=1, parent=bytes(32), proposer=1)
    with pytest.raises(AssertionError, match="forked"):
        bench.hear(1, Decided(block, bench.certificate(Kind.FINALIZE, 0, block.hash, 1, 2, 3)))


def test_a_waiting_node_says_again_where_it_is() -> None:
    """R8: own votes of this view and the one before, and the bundle; the leader its proposal to who has not voted."""
    bench = Bench(me=1)
    bench.work()
    bench.build(bench.block(1))
    bench.vote(2, Kind.NULLIFY, 0)
    bench.ring(TimerName.RESEND)
    (resend,) = bench.said(Resend)
    assert [vote.kind for vote in resend.votes] == [Kind.NOTARIZE]
    repeated = [action.peer for action in bench.all(Send) if isinstance(action.message, Proposal)]
    assert repeated == [key_of(0).public_key, key_of(3).public_key]
    bench.vote(3, Kind.NULLIFY, 0)
    bench.vote(0, Kind.NULLIFY, 0)
    assert bench.engine.view == 1
    bench.ring(TimerName.RESEND)
    (resend,) = bench.said(Resend)
    assert {(vote.kind, vote.view) for vote in resend.votes} == {(Kind.NOTARIZE, 0), (Kind.NULLIFY, 0)}
    assert len(resend.bundle.skips) == 1
    other = Bench(me=0)
    other.hear(1, resend)
    assert other.engine.view == 1, "a resend is enough to follow"


def at_height_two(me: int = 0) -> Bench:
    bench = Bench(me=me)
    block = bench.block(1)
    bench.hear(1, Decided(block, bench.certificate(Kind.FINALIZE, 0, block.hash, 1, 2, 3)))
    bench.committed(block)
    assert bench.engine.height == 2
    return bench


def test_a_lower_height_is_answered_once_and_answers_never() -> None:
    """R8, R10: one decided block per peer and height until the next period; never answer an answer."""
    bench = at_height_two()
    key = key_of(3).public_key
    bench.hear(3, DecidedRequest(1))
    assert bench.all(SendDecided) == [SendDecided(key, 1)]
    bench.hear(3, DecidedRequest(1))
    bench.hear(3, Resend(1, (), Bundle(None, ())))
    assert not bench.all(SendDecided)
    bench.hear(2, Resend(1, (), Bundle(None, ())))
    assert bench.all(SendDecided) == [SendDecided(key_of(2).public_key, 1)]
    block = bench.block(1)
    for answer in (HeldVotes(1, ()), Body(block), Decided(block, bench.certificate(Kind.FINALIZE, 0, block.hash))):
        assert not bench.hear(0, answer)
    assert not bench.vote(1, Kind.NOTARIZE, 0, block.hash), "a straggling vote is no question"
    bench.ring(TimerName.RESEND)
    bench.hear(3, DecidedRequest(1))
    assert bench.all(SendDecided)


def test_catching_up_is_the_same_path() -> None:
    """R8: a higher height is asked for, checked and committed one after the other."""
    bench = Bench(me=0)
    blocks, parent = [], GENESIS_ID
    for height in (1, 2, 3):
        blocks.append(block_of(bench.authorities, height=height, parent=parent, proposer=height))
        parent = blocks[-1].hash
    bench.hear(2, vote_of(2, Kind.NULLIFY, 4, 0, None))
    assert bench.sent(DecidedRequest, 2) == [DecidedRequest(1)]
    for height, block in enumerate(blocks, start=1):
        few = certificate_of(Kind.FINALIZE, height, 0, block.hash, (1, 2), 4)
        bench.hear(2, Decided(block, few))
        assert not bench.all(Commit)
        bench.hear(2, Decided(block, certificate_of(Kind.FINALIZE, height, 0, block.hash, (1, 2, 3), 4)))
        assert bench.all(Commit)
        assert not bench.said(Certificate), "the others know"
        bench.committed(block)
        assert bench.sent(DecidedRequest, 2) == [DecidedRequest(height + 1)], "it may have the next one too"
    assert bench.engine.height == 4


def test_being_moved_on_from_outside() -> None:
    """R8: the runner's own sync is believed."""
    bench = Bench(me=0)
    bench.propose(0)
    bench.check(bench.block(1))
    assert len(bench.record) > 1
    bench.give(Committed(height=1, block=bytes(32), next_authorities=bench.authorities))
    assert bench.engine.height == 2
    assert [key for key in bench.record if not key.startswith(b"standing/")] == []
    bench.give(Committed(height=1, block=bytes(32), next_authorities=bench.authorities))
    assert bench.engine.height == 2, "told already"


def test_no_height_is_left_out() -> None:
    """The contract of `consensus.events`: what belongs to a height that was skipped would be taken for another's."""
    bench = Bench(me=0)
    with pytest.raises(AssertionError, match="one Committed for each height"):
        bench.give(Committed(height=2, block=bytes(32), next_authorities=bench.authorities))


def test_the_record_is_written_before_the_vote_is_sent() -> None:
    """R9: Persist, then Broadcast, for every vote; FINALIZE with its certificate."""
    bench = Bench(me=0)
    block = bench.block(1)
    bench.propose(0, block)
    bench.check(block)
    kinds = [type(action) for action in bench.actions]
    assert kinds.index(Persist) < kinds.index(Broadcast)
    assert any(key.startswith(b"block/") for key, _ in bench.all(Persist)[0].puts)
    bench.vote(3, Kind.NOTARIZE, 0, block.hash)
    kinds = [type(action) for action in bench.actions]
    assert kinds.index(Persist) < kinds.index(Broadcast)
    assert any(key.startswith(b"certificate/") for key, _ in bench.all(Persist)[0].puts)


def test_a_restart_neither_repeats_nor_contradicts() -> None:
    """R9: the record holds what was said, and the view it was said in."""
    bench = Bench(me=0)
    block = bench.block(1)
    bench.propose(0, block)
    bench.check(block)
    bench.vote(3, Kind.NOTARIZE, 0, block.hash)
    again = Bench(me=0, record=bench.record, cleared=False)
    assert again.engine.standing is Standing.GOOD
    assert again.checks() == [block]
    assert not again.voted()
    again.check(block)
    assert again.engine.view == 1
    assert not again.voted(), "FINALIZE of view 0 is in the record"
    assert [held.kind for held in again.said(Certificate)] == [Kind.NOTARIZE]
    for signer in (1, 3):
        again.vote(signer, Kind.FINALIZE, 0, block.hash)
    assert again.all(Commit), "its own vote from the record counts"


@pytest.mark.parametrize("damage", ["value", "height", "stranger", "junk key", "standing", "no standing"])
def test_a_record_that_cannot_be_trusted_is_refused(damage: str) -> None:
    """R9: no voting on a damaged record."""
    bench = Bench(me=0)
    bench.propose(0)
    bench.check(bench.block(1))
    record = dict(bench.record)
    vote_key = next(key for key in record if key.startswith(b"vote/"))
    standing_key = next(key for key in record if key.startswith(b"standing/"))
    if damage == "value":
        record[vote_key] = record[vote_key][:-1] + bytes([record[vote_key][-1] ^ 1])
    elif damage == "height":
        record[vote_key.replace(b"/" + (1).to_bytes(8, "big"), b"/" + (2).to_bytes(8, "big"))] = record[vote_key]
    elif damage == "junk key":
        record[b"junk"] = b""
    elif damage == "standing":
        record[standing_key] = b"?"
    elif damage == "no standing":
        del record[standing_key]
    me = 3 if damage == "stranger" else 0
    with pytest.raises(RecordError):
        Bench(me=me, record=record, cleared=False)


def test_stale_keys_are_swept_at_start() -> None:
    """R9: what a crash between a foreign commit and its sweep has left."""
    bench = Bench(me=0)
    bench.propose(0)
    bench.check(bench.block(1))
    record = {b"vote/" + bytes(8) + bytes(9): b"of height 0", **bench.record}
    again = Bench(me=0, record=record, cleared=False)
    assert set(again.record) == set(bench.record)


def test_without_a_record_it_asks_before_it_signs() -> None:
    """R9: q - 1 others must have said which votes they hold."""
    bench = Bench(me=1, cleared=False)
    assert VotesRequest(1) in bench.said(VotesRequest)
    bench.work()
    assert not bench.all(Build)
    bench.hear(2, HeldVotes(1, ()))
    bench.hear(2, HeldVotes(1, ()))
    assert bench.engine.standing is Standing.UNKNOWN
    bench.hear(3, HeldVotes(1, ()))
    assert bench.engine.standing is Standing.GOOD
    assert bench.all(Build)
    assert Bench(me=0, n=1, cleared=False).engine.standing is Standing.GOOD


def test_it_asks_at_each_height_that_it_was_told_up_to() -> None:
    """R9: a new authority that has just caught up would else sit out the first views of its height, and be missed."""
    bench = Bench(me=0, cleared=False)
    block = bench.block(1)
    bench.hear(1, Decided(block, bench.certificate(Kind.FINALIZE, 0, block.hash, 1, 2, 3)))
    bench.committed(block)
    assert bench.engine.standing is Standing.UNKNOWN
    assert bench.said(VotesRequest) == [VotesRequest(2)]
    assert bench.sent(DecidedRequest, 1) == [DecidedRequest(2)]


def test_others_say_which_votes_they_hold() -> None:
    """R9: and so a lost disk is noticed; the key never signs again, also after a restart."""
    other, lost = Bench(me=0), Bench(me=1, cleared=False)
    other.propose(0)
    other.hear(1, VotesRequest(1))
    (held,) = other.sent(HeldVotes, 1)
    assert [vote.kind for vote in held.votes] == [Kind.NOTARIZE]
    lost.hear(0, held)
    assert lost.engine.standing is Standing.BURNT
    assert [alarm.code for alarm in lost.all(Alarm)] == [AlarmCode.KEY_IN_USE_ELSEWHERE]
    again = Bench(me=1, record=lost.record)
    assert again.engine.standing is Standing.BURNT
    again.work()
    assert not again.all(Build)


@pytest.mark.parametrize("height", [2, 3])
def test_who_has_heard_votes_of_a_higher_height_does_not_say_that_there_are_none(height: int) -> None:
    """R9: an authority that loses its disk is answered by those only who are not behind its votes."""
    behind = Bench(me=0)
    block = behind.block(1)
    behind.hear(3, vote_of(3, Kind.FINALIZE, height, 0, bytes(32)))
    behind.hear(3, VotesRequest(1))
    assert not behind.sent(HeldVotes, 3), "kept for the next height, or dropped: it cannot know what else there was"
    behind.hear(2, VotesRequest(1))
    assert behind.sent(HeldVotes, 2) == [HeldVotes(1, ())]
    behind.hear(1, Decided(block, behind.certificate(Kind.FINALIZE, 0, block.hash, 1, 2, 3)))
    behind.committed(block)
    behind.hear(3, VotesRequest(2))
    held = behind.sent(HeldVotes, 3)
    assert [[vote.kind for vote in answer.votes] for answer in held] == ([[Kind.FINALIZE]] if height == 2 else [])


def test_a_key_seen_voting_elsewhere_stops() -> None:
    """R9: one key running twice is noticed in votes and in certificates."""
    bench = Bench(me=0)
    bench.hear(3, vote_of(0, Kind.NULLIFY, 1, 0, None))
    assert bench.engine.standing is Standing.BURNT
    bench = Bench(me=0)
    bench.hear(3, bench.certificate(Kind.NULLIFY, 0, None, 0, 1, 2))
    assert bench.engine.standing is Standing.BURNT


def test_votes_are_bounded_and_verified() -> None:
    """R10: nothing from strangers, nothing far ahead, nothing badly signed is counted."""
    bench = Bench(me=0)
    for view in (VIEWS_AHEAD_MAX, VIEWS_AHEAD_MAX + 1):
        for signer in (1, 2, 3):
            bench.vote(signer, Kind.NOTARIZE, view, bytes(32))
    assert bench.engine.view == VIEWS_AHEAD_MAX + 1, "eight ahead were counted"
    bench = Bench(me=0)
    bench.vote(7, Kind.NULLIFY, 0)
    bad = vote_of(1, Kind.NULLIFY, 1, 0, None)
    for signer in (1, 2, 3):
        bench.hear(signer, type(bad)(bad.kind, 1, 0, None, key_of(signer).public_key, bad.signature[::-1]))
    assert bench.engine.view == 0


class Counting:
    """A verifier that counts."""

    def __init__(self) -> None:
        self.verified = 0

    def __call__(self, *parts: bytes) -> None:
        self.verified += 1
        verify(*parts)


def test_forged_votes_of_others_are_not_even_verified() -> None:
    """R8, R10: a resend has votes of its sender alone, no more than it can have cast, and ends at the first forged."""
    verifier = Counting()
    engine = Engine(PARAMETERS, key_of(0), verifier=verifier)
    engine.handle(Start(tip_height=0, tip=GENESIS_ID, authorities=authorities_of(4), record={}))
    places = [(kind, view, None if kind is Kind.NULLIFY else bytes(32)) for view in range(3) for kind in Kind]
    good = [vote_of(3, kind, 1, view, block) for kind, view, block in places]
    forged = [replace(vote, signature=vote.signature[::-1]) for vote in good]
    of_another = [replace(vote, signer=key_of(2).public_key) for vote in forged]

    def verifications(*votes: Vote) -> int:
        before = verifier.verified
        engine.handle(Received(key_of(3).public_key, Resend(1, votes, Bundle(None, ()))))
        return verifier.verified - before

    assert verifications(*of_another) == 0
    assert verifications(good[0], *of_another[1:]) == 0
    assert verifications(*good[: OWN_VOTES_MAX + 1]) == 0
    assert verifications(*forged[:OWN_VOTES_MAX]) == 1
    assert verifications(*good[:OWN_VOTES_MAX]) == OWN_VOTES_MAX


def test_the_next_height_is_kept_within_bounds() -> None:
    """R10: and played when it comes."""
    bench = Bench(me=0)
    first = bench.block(1)
    second = block_of(bench.authorities, height=2, parent=first.hash, proposer=2)
    proposal = Proposal(vote_of(2, Kind.NOTARIZE, 2, 0, second.hash), second, Bundle(None, ()))
    bench.hear(2, proposal)
    for view in range(100):
        bench.hear(3, vote_of(3, Kind.NULLIFY, 2, view, None))
    bench.hear(1, Decided(first, bench.certificate(Kind.FINALIZE, 0, first.hash, 1, 2, 3)))
    bench.committed(first)
    assert bench.checks() == [second]


def test_questions_are_answered_once_a_period() -> None:
    """R10"""
    bench = Bench(me=0)
    block = bench.block(1)
    bench.propose(0, block)
    bench.hear(2, BlockRequest(1, block.hash))
    assert bench.sent(Body, 2) == [Body(block)]
    bench.hear(2, BlockRequest(1, block.hash))
    assert not bench.actions
    bench.hear(2, BlockRequest(1, bytes(32)))
    assert not bench.actions
    bench.give(Connected(key_of(2).public_key))
    assert bench.sent(Resend, 2)
    bench.hear(2, BlockRequest(1, block.hash))
    assert bench.sent(Body, 2)


def test_skips_of_a_long_failure_travel_in_parts() -> None:
    """R10: 256 skips a message; successive resends bring the rest."""
    bench, follower = Bench(me=1), Bench(me=None)
    for view in range(300):
        bench.hear(2, bench.certificate(Kind.NULLIFY, view))
    assert bench.engine.view == 300
    for _ in range(2):
        bench.ring(TimerName.RESEND)
        (resend,) = bench.said(Resend)
        assert len(resend.bundle.skips) <= 256
        follower.hear(1, resend)
    assert follower.engine.view == 300


def test_an_idle_engine_is_silent_until_the_heartbeat() -> None:
    """R11"""
    bench = Bench(me=1)
    assert set(bench.timers) <= {TimerName.HEARTBEAT, TimerName.RESEND}
    bench.ring(TimerName.RESEND)
    assert not bench.actions, "the question about itself is settled, and there is nothing else to say"
    bench.ring(TimerName.HEARTBEAT)
    assert bench.all(Build)
    assert bench.timers[TimerName.VIEW].delay_ms == 1_000


def test_what_arms_the_timers() -> None:
    """R11: work, a valid proposal, a certificate, f + 1 voters; not one voter."""
    bench = Bench(me=0)
    bench.vote(2, Kind.NOTARIZE, 3, bytes(32))
    assert TimerName.VIEW not in bench.timers
    bench.vote(3, Kind.NOTARIZE, 3, bytes(32))
    assert TimerName.VIEW in bench.timers
    bench = Bench(me=0)
    block = bench.block(1)
    bench.propose(0, block)
    assert TimerName.VIEW not in bench.timers
    bench.check(block)
    assert TimerName.VIEW in bench.timers
    bench = Bench(me=0)
    bench.give(Work(False))
    assert TimerName.VIEW not in bench.timers
    bench.work()
    assert TimerName.VIEW in bench.timers


def test_a_leader_not_heard_for_n_heights_gets_less_patience() -> None:
    """R11"""
    bench = Bench(me=0)
    parent = GENESIS_ID
    for height in range(1, 9):
        block = block_of(bench.authorities, height=height, parent=parent, proposer=height % 4)
        bench.hear(2, Decided(block, certificate_of(Kind.FINALIZE, height, 0, block.hash, (1, 2, 3), 4)))
        bench.committed(block)
        parent = block.hash
    assert bench.engine.height == 9
    bench.work()
    assert bench.timers[TimerName.VIEW].delay_ms == 250, "authority 1 leads height 9 and was never heard"
    bench.vote(1, Kind.NULLIFY, 0)
    assert bench.engine.height == 9


def test_nobody_counts_as_silent_for_heights_that_the_runner_fetched() -> None:
    """R11: leaders have all the patience after a bulk sync, which tells of one block after the other."""
    bench = Bench(me=0)
    for height in range(1, 9):
        bench.give(Committed(height=height, block=bytes(32), next_authorities=bench.authorities))
    bench.work()
    assert bench.timers[TimerName.VIEW].delay_ms == 1_000


def test_a_double_vote_is_reported_with_evidence_that_anyone_checks() -> None:
    """R9: no honest node signs two of a kind, or takes a FINALIZE back; who does is reported once a height."""
    for first, second in (
        ((Kind.NOTARIZE, bytes(32)), (Kind.NOTARIZE, b"1" * 32)),
        ((Kind.FINALIZE, bytes(32)), (Kind.FINALIZE, b"1" * 32)),
        ((Kind.FINALIZE, bytes(32)), (Kind.NULLIFY, None)),
        ((Kind.NULLIFY, None), (Kind.FINALIZE, bytes(32))),
    ):
        bench = Bench(me=0)
        bench.vote(3, first[0], 1, first[1])
        assert not bench.all(Report)
        bench.vote(3, second[0], 1, second[1])
        (report,) = bench.all(Report)
        assert report.evidence.accused == key_of(3).public_key
        verify_evidence(GENESIS_ID, bench.authorities, report.evidence)
        assert Evidence.decode(report.evidence.encode()) == report.evidence
        bench.vote(3, Kind.NOTARIZE, 1, b"2" * 32)
        bench.vote(3, Kind.NOTARIZE, 1, b"3" * 32)
        assert not bench.all(Report)


def test_a_certificate_accuses_as_well() -> None:
    """R9: its signatures are votes like others."""
    bench = Bench(me=0)
    bench.vote(3, Kind.FINALIZE, 0, bytes(32))
    bench.hear(1, bench.certificate(Kind.NULLIFY, 0, None, 1, 2, 3))
    (report,) = bench.all(Report)
    assert report.evidence.accused == key_of(3).public_key


def test_an_observer_follows_without_a_word() -> None:
    """R7: the same rules without a key."""
    bench = Bench(me=None)
    block = bench.block(1)
    bench.propose(0, block)
    for signer in (1, 2, 3):
        bench.vote(signer, Kind.NOTARIZE, 0, block.hash)
    assert bench.engine.view == 1
    for signer in (1, 2, 3):
        bench.vote(signer, Kind.FINALIZE, 0, block.hash)
    assert [type(action) for action in bench.actions if not isinstance(action, SetTimer)] == [Commit]
    assert not bench.engine.votes


def test_what_a_stranger_says_counts_only_by_its_signatures() -> None:
    """R10: an observer may hand on certificates, but votes for nobody and is not kept for later."""
    bench = Bench(me=0)
    stranger = bytes(32)
    bench.give(Received(stranger, bench.certificate(Kind.NULLIFY, 0, None, 1, 2, 3)))
    assert bench.engine.view == 1
    bench.give(Received(stranger, VotesRequest(1)))
    bench.give(Received(stranger, HeldVotes(1, ())))
    assert not bench.actions


def test_a_block_that_comes_too_late_is_not_proposed() -> None:
    """R2: the view is another one's by now, or the height is over."""
    bench = Bench(me=1)
    bench.work()
    bench.hear(2, bench.certificate(Kind.NULLIFY, 0))
    bench.build(bench.block(1))
    assert not bench.said(Proposal)
    bench = at_height_two(me=1)
    bench.build(bench.block(1))
    assert not bench.actions


def test_undecided_blocks_in_memory_are_bounded() -> None:
    """R10: of too many, those go that no certificate names."""
    bench = Bench(me=0)
    named = bench.block(1)
    for view in range(40):
        bench.propose(view, bench.block((1 + view) % 4, timestamp_ms=view) if view else named, bundle_of(bench, view))
        if view == 0:
            bench.hear(3, bench.certificate(Kind.NOTARIZE, 0, named.hash, 1, 2, 3))
        bench.hear(3, bench.certificate(Kind.NULLIFY, view))
    kept = bench.engine._state.h.blocks
    assert len(kept) <= BLOCKS_MAX
    assert named.hash in kept


def bundle_of(bench: Bench, view: int) -> Bundle:
    return Bundle(None, tuple(bench.certificate(Kind.NULLIFY, below) for below in range(view)))


def test_a_withheld_notarization_stops_nobody_although_its_block_has_been_dropped() -> None:
    """R2, R10: its view has failed, so whoever leads builds anew, and does not wait for what perhaps nobody has."""
    bench = Bench(me=0)
    first = bench.block(1)
    bench.propose(0, first)
    bench.check(first)
    assert bench.voted() == [(Kind.NOTARIZE, 0, first.hash)]
    for view in range(1, 2 * BLOCKS_MAX):
        skip = bench.certificate(Kind.NULLIFY, view - 1)
        bench.hear(2, skip)
        if view % 4 != 3:  # not this node's turn
            other = bench.block((1 + view) % 4, timestamp_ms=1_700_000_000_000 + view)
            bench.propose(view, other, Bundle(None, (skip,)))
            bench.check(other, Verdict.INVALID)
    bench.hear(2, BlockRequest(1, first.hash))
    assert not bench.sent(Body, 2), "of too many blocks it has gone"
    bench.hear(3, bench.certificate(Kind.NOTARIZE, 0, first.hash, 1, 2, 3))
    assert bench.engine.view % 4 == 3
    bench.hear(2, bench.certificate(Kind.NULLIFY, bench.engine.view))
    while bench.engine.view % 4 != 3:
        bench.hear(2, bench.certificate(Kind.NULLIFY, bench.engine.view))
    assert bench.all(Build)
    fresh = bench.block(0)
    bench.build(fresh)
    (proposal,) = bench.said(Proposal)
    assert proposal.bundle.parent is None
    reader = Bench(me=None)
    reader.hear(3, bench.certificate(Kind.NOTARIZE, 0, first.hash, 1, 2, 3))
    reader.hear(0, proposal)
    assert reader.engine.view == proposal.vote.view
    assert reader.engine._state.h.is_justified(proposal), "R3: nodes that know of the notarization take it all the same"


def test_only_a_failed_view_whose_block_is_missing_is_passed_over() -> None:
    """R1, R2: and only where the certificates below reach; else its block is fetched, and proposed again."""
    bench = Bench(me=3)
    block = bench.block(2)
    bench.hear(1, bench.certificate(Kind.NOTARIZE, 1, block.hash))
    assert bench.engine.view == 2
    bench.ring(TimerName.GRACE)
    assert not bench.all(Build), "view 1 has not failed: what it notarized may be final"
    bench = Bench(me=0)
    bench.hear(1, bench.certificate(Kind.NOTARIZE, 1, block.hash))
    bench.hear(1, bench.certificate(Kind.NULLIFY, 2))
    bench.hear(1, bench.certificate(Kind.NULLIFY, 1))
    assert bench.engine.view == 3
    bench.ring(TimerName.FETCH)
    assert any(bench.sent(BlockRequest, peer) for peer in (1, 2, 3)), "there is no certificate of view 0"
    bench.hear(1, Body(block))
    bench.ring(TimerName.GRACE)
    bench.check(block)
    (proposal,) = bench.said(Proposal)
    assert (proposal.block, proposal.bundle.parent is None) == (block, False)
    bench = Bench(me=0)
    bench.hear(1, bench.certificate(Kind.NOTARIZE, 1, block.hash))
    bench.hear(1, bench.certificate(Kind.NULLIFY, 2))
    bench.hear(1, bench.certificate(Kind.NULLIFY, 1))
    bench.hear(1, bench.certificate(Kind.NULLIFY, 0))
    assert bench.all(Build)


def test_a_lost_record_is_noticed_however_far_the_others_are() -> None:
    """R9: votes of views that this node has not reached burn the key as well."""
    lost = Bench(me=1, cleared=False)
    lost.hear(0, HeldVotes(1, (vote_of(1, Kind.NOTARIZE, 1, VIEWS_AHEAD_MAX + 20, bytes(32)),)))
    assert lost.engine.standing is Standing.BURNT
    forged = vote_of(2, Kind.NOTARIZE, 1, 3, bytes(32))
    lied_to = Bench(me=1, cleared=False)
    lied_to.hear(0, HeldVotes(1, (replace(forged, signer=key_of(1).public_key),)))
    assert lied_to.engine.standing is Standing.UNKNOWN, "anybody can write that"


def test_a_certificate_for_another_block_than_its_own_vote_stops_it() -> None:
    """R9: one key running twice is noticed also where both have voted, for different blocks."""
    bench = Bench(me=0)
    block = bench.block(1)
    bench.propose(0, block)
    bench.check(block)
    bench.hear(3, bench.certificate(Kind.NOTARIZE, 0, bytes(32), 0, 2, 3))
    assert bench.engine.standing is Standing.BURNT
    assert not bench.voted()


def test_a_lost_disk_is_noticed_in_what_the_runner_fetches() -> None:
    """R9: a signature of this key under a block that it knows nothing of; the votes of others mean nothing."""
    for signers, standing in (((0, 2, 3), Standing.UNKNOWN), ((1, 2, 3), Standing.BURNT)):
        lost = Bench(me=1, cleared=False)
        certificate = certificate_of(Kind.FINALIZE, 1, 0, bytes(32), signers, 4)
        lost.give(Committed(height=1, block=bytes(32), next_authorities=lost.authorities, certificate=certificate))
        assert lost.engine.height == 2
        assert lost.engine.standing is standing


def test_what_this_node_has_signed_itself_is_no_surprise() -> None:
    """R9: its own FINALIZE under a block that the runner fetched meanwhile."""
    bench = Bench(me=0)
    block = bench.block(1)
    bench.propose(0, block)
    bench.check(block)
    bench.vote(2, Kind.NOTARIZE, 0, block.hash)
    certificate = bench.certificate(Kind.FINALIZE, 0, block.hash, 0, 1, 2)
    bench.give(Committed(height=1, block=block.hash, next_authorities=bench.authorities, certificate=certificate))
    assert bench.engine.standing is Standing.GOOD
