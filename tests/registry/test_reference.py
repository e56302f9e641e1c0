"""The reference of operations says all that the tables say, and nothing that they do not."""

from __future__ import annotations

import pytest

from registry.reasons import OK, REASONS
from registry.reference import CHANGE, OPERATION, described, names
from registry.rules.roles import MAY
from registry.transactions.governance import CHANGES
from registry.transactions.operations import OPERATIONS


def test_it_has_every_operation_and_every_change() -> None:
    assert names() == (*OPERATIONS, *CHANGES)
    assert {described(name).kind for name in OPERATIONS} == {OPERATION}
    assert {described(name).kind for name in CHANGES} == {CHANGE}
    with pytest.raises(KeyError):
        described("confirme")


@pytest.mark.parametrize("name", names())
def test_everything_in_it_is_explained(name: str) -> None:
    one = described(name)
    kind = OPERATIONS.get(name) or CHANGES[name]
    assert len(one.meaning) > 20
    assert len(one.rule) > 20
    assert [field.name for field in one.fields] == [field.name for field in kind.FIELDS]
    for field in one.fields:
        assert field.type, field
        assert field.meaning, field
        assert field.must.startswith(("is ", "must ")), field
        assert not field.must.startswith("is no "), field
        assert "\n" not in field.meaning, field


@pytest.mark.parametrize("name", names())
def test_reasons_are_of_the_closed_list_and_some_are_left_out(name: str) -> None:
    reasons = described(name).reasons
    assert {"rolled_back", "suspended", "unknown_party"} <= set(reasons) < set(REASONS) - {OK}
    assert all(reasons[code] == REASONS[code] for code in reasons)


def test_every_reason_and_every_action_is_somewhere() -> None:
    assert {code for name in names() for code in described(name).reasons} == set(REASONS) - {OK}
    assert {action for name in names() for action in described(name).may} == set(MAY)


def test_what_it_says_of_a_reservation() -> None:
    one = described("reserve")
    assert one.meaning.startswith("The financier takes up an offer") or "offer" in one.meaning
    assert one.may == {"hold": ("financier",)}
    assert {"over_residual", "blanket", "not_offered", "offer_expired", "disputed"} <= set(one.reasons)
    assert not {"unacknowledged_match", "duplicate", "not_debtor"} & set(one.reasons)
    claim, ttl = one.fields
    assert (claim.type, claim.must, claim.default) == ("Ref", "is 32 bytes, or the index of an earlier operation", "")
    assert (ttl.name, ttl.type, ttl.must) == ("ttl_ms", "int", "is an integer from 1 to 900000")
    assert ttl.meaning == "How long a reservation holds, in milliseconds."


def test_words_lists_and_defaults_are_shown_with_their_bounds() -> None:
    fields = {field.name: field for name in names() for field in described(name).fields}
    assert fields["channel"].meaning.startswith("One of: ")
    assert "courier" in fields["channel"].meaning
    assert fields["laws"].must == "is a list of at most 8; each is a law such as CN or US-NY"
    assert fields["form"].default == "'factoring'"
    assert fields["add_roles"].must == "is a list of at most 5; each is a role that is known"
