"""Who hears of what: for every operation that takes effect the parties concerned, and nobody else. And once only."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from registry.errors import InvalidBlock
from registry.events import EVENT_KINDS, severity_of
from registry.ledger import Outcome
from registry.transactions.operations import OPERATIONS
from tests.registry.operation_stories import NAMES, STORIES, Desk, Story, signers, told

BY_TITLE = pytest.mark.parametrize("story", STORIES, ids=lambda story: f"{story.operation} {story.title}".strip())
# Kinds that only a refusal has; test_rules_claims and test_rules_receivables say who hears those.
OF_REFUSALS = {"refused_claim", "refused_duplicate"}
# What takes something away from whoever relied on it, says that something is wrong, or asks somebody to act in time.
TO_LOOK_AT = {
    *{"attestation_withdrawn", "authority_unseated", "exclusion", "misbehaviour", "recovered", "suspended"},
    *{"matched", "refused_claim", "refused_duplicate", "unlisted", "upgrade_scheduled"},
    *{"base_breach", "external_claim_recorded", "over_advanced", "payable_beside_blanket", "rejected", "voided"},
    *{"award_proposed", "dispute_concluded", "dispute_decided", "dispute_escalated", "dispute_raised"},
}


def heard(outcome: Outcome | None) -> Mapping[str, set[str]]:
    assert outcome is not None
    assert len({event.kind for event in outcome.events}) == len(outcome.events)
    return {event.kind: {NAMES[party] for party in event.parties} for event in outcome.events}


def test_every_operation_has_its_story() -> None:
    assert {story.operation for story in STORIES} == set(OPERATIONS)


def test_what_must_be_looked_at_is_no_mere_information() -> None:
    assert {kind for kind in EVENT_KINDS if severity_of(kind) == "warning"} == TO_LOOK_AT
    assert {kind for kind in EVENT_KINDS if severity_of(kind) == "alarm"} == {"double_confirmation"}


@BY_TITLE
def test_who_is_concerned_hears_of_it_and_nobody_else_does(story: Story) -> None:
    desk = Desk()
    assert told(desk, story).code == "ok"
    assert heard(desk.last) == {kind: set(names.split()) for kind, names in story.heard.items()}


def test_every_kind_of_event_is_heard_in_some_story() -> None:
    told_of = {kind for story in STORIES for kind in story.heard} | OF_REFUSALS
    assert set(EVENT_KINDS) - told_of == {
        "base_certified",  # as base_breach, in test_rules_facilities
        "unlisted",  # where hundreds are alike, in test_rules_listing
    }


@BY_TITLE
def test_the_same_signed_transaction_takes_effect_once(story: Story) -> None:
    """Executed twice on one state it does the same, bit by bit; a block that has it again is none."""
    desk = Desk()
    transaction = desk.transaction(signers(story.by), story.told(desk))
    before, height, now_ms = dict(desk.state), desk.height, desk.now_ms
    first = desk.block([transaction])
    after = dict(desk.state)
    with pytest.raises(InvalidBlock, match="replayed"):
        desk.block([transaction])
    with pytest.raises(InvalidBlock, match="replayed"):
        desk.block([desk.transaction("F_BR", *transaction.operations), transaction])
    assert (desk.state, after != before) == (after, True)
    desk.state, desk.height, desk.now_ms, desk.seen = before, height, now_ms, desk.seen - {transaction.id}
    again = desk.block([transaction])
    assert (again.receipts, again.results, again.writes) == (first.receipts, first.results, first.writes)
    desk.seen -= {transaction.id}
    with pytest.raises(InvalidBlock, match="replayed"):
        desk.block([transaction, transaction])
