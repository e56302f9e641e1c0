"""Contacts: who may ask about a match, who may answer, and what opens the identities of both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry import limits
from registry.codec import decode, encode
from registry.errors import FieldError
from registry.limits import CONTACT_WAITS_MS, CONTACTS_ABOUT_MAX, CONTACTS_BY_MAX
from registry.money import WHOLE
from registry.parties import Party
from registry.records.contacts import AskedAbout, AskedBy, Contact, Opening
from registry.records.row import decode_record
from registry.rules import contacts
from registry.rules.governance import admission_puts
from registry.state import encode_stored, party_key
from registry.transactions.claims import Fund, Release, Reserve
from registry.transactions.contacts import ANSWERS, AnswerContact, AskContact, OpenContact
from registry.transactions.governance import Approve, Propose, change_from, change_value
from tests.registry.world import PERCENT, STEP_MS, World, mark, name_id, party_of

REGULATOR = party_of("REGULATOR", "lei:984500USIMPORT000143", "DE", ("regulator",))
ALIKE = (("number", mark("number 417")), ("window", mark("window 417")))
CN, SG, DE, BR = (name_id(name) for name in ("F_CN", "F_SG", "F_DE", "F_BR"))
SELLER, OTHER_SELLER = name_id("EXP_CN"), name_id("EXP_VN")


class Network(World):
    """EXP_CN's receivable `mine`, funded by F_CN, and EXP_VN's `theirs`, funded by F_SG, look alike."""

    def __init__(self) -> None:
        super().__init__()
        self.state |= {key: encode_stored(record) for key, record in admission_puts(REGULATOR)}
        self.mine = self.registered("mine", fingerprints=ALIKE)
        self.theirs = self.registered("theirs", by="EXP_VN", fingerprints=ALIKE)
        self.my_claim = self.funded(self.mine, to="F_CN", acknowledged=(self.theirs,))
        self.their_claim = self.funded(self.theirs, to="F_SG", by="EXP_VN", acknowledged=(self.mine,))

    def ask(self, by: str = "F_CN") -> str:
        return self.one(by, question(self.mine, self.theirs)).code

    def asked(self, by: str = "F_CN") -> bytes:
        receipt = self.one(by, question(self.mine, self.theirs))
        assert receipt.code == "ok", receipt
        return receipt.subject

    def answer(self, by: str, contact: bytes, answer: str = "accept") -> str:
        return self.one(by, AnswerContact(contact, answer, mark(f"{by} {answer}s"), "zh")).code

    def contact(self, contact: bytes) -> Contact:
        return decode_record(Contact, self.state[Contact.PREFIX + contact])

    def opening(self, contact: bytes) -> Opening | None:
        stored = self.state.get(Opening.PREFIX + contact)
        return None if stored is None else decode_record(Opening, stored)


def question(receivable: bytes, about: bytes) -> AskContact:
    return AskContact(receivable, about, mark("is it the same invoice?"), "en")


@pytest.fixture
def world() -> Network:
    return Network()


def test_a_holder_asks_and_the_other_side_hears_it_without_hearing_from_whom(world: Network) -> None:
    contact = world.asked("F_CN")
    assert world.heard("contact_asked") == [(contact, tuple(sorted((OTHER_SELLER, SG))), world.theirs.hex())]
    assert world.heard("contact_sent") == [(contact, tuple(sorted((SELLER, CN))), world.mine.hex())]
    record = world.contact(contact)
    assert (record.receivable, record.about, record.kinds) == (world.mine, world.theirs, ("number", "window"))
    assert (record.state, record.asker, record.until_ms) == ("waiting", CN, world.now_ms + CONTACT_WAITS_MS)
    assert record.steps[0][1:] == ("asked", mark("is it the same invoice?"), "en", world.now_ms)
    assert world.opening(contact) is None


@pytest.mark.parametrize("by", ["F_SG", "EXP_VN"])
def test_who_accepts_and_the_asker_are_known_to_each_other_and_nobody_else_is(world: Network, by: str) -> None:
    contact = world.asked()
    assert world.answer(by, contact) == "ok"
    assert world.heard("contact_opened")[0][1:] == (tuple(sorted((CN, name_id(by)))), "accepted")
    opening = world.opening(contact)
    assert opening is not None
    assert (opening.asking, opening.asked) == ((CN,), (name_id(by),))
    assert (opening.asker, opening.by, opening.by_step) == (CN, name_id(by), "accepted")
    assert (opening.text_digest, opening.opened_ms) == (mark(f"{by} accepts"), world.now_ms)
    assert world.contact(contact).state == "open"
    assert world.answer(by, contact, "decline") == "already_done"


def test_a_seller_neither_names_its_financier_nor_keeps_it_from_answering(world: Network) -> None:
    contact = world.asked()
    assert world.answer("EXP_VN", contact) == "ok"
    first = world.opening(contact)
    assert world.answer("F_SG", contact) == "ok"
    opening = world.opening(contact)
    assert first is not None
    assert opening == replace(first, asked=tuple(sorted((OTHER_SELLER, SG))))
    assert world.heard("contact_opened")[-1][1] == tuple(sorted((CN, OTHER_SELLER, SG)))


def test_who_declines_after_another_has_accepted_stays_unknown(world: Network) -> None:
    contact = world.asked()
    assert [world.answer("EXP_VN", contact), world.answer("F_SG", contact, "decline")] == ["ok", "ok"]
    opening = world.opening(contact)
    assert opening is not None
    assert (opening.asked, world.contact(contact).state) == ((OTHER_SELLER,), "open")
    assert world.answer("F_SG", contact) == "already_done"
    world.block([], after_ms=CONTACT_WAITS_MS + STEP_MS)
    assert world.answer("F_SG", contact) == "expired"


def test_only_who_stands_on_a_receivable_asks_from_its_side(world: Network) -> None:
    assert [world.ask(by) for by in ("F_DE", "IMP_DE", "F_SG", "EXP_VN")] == ["not_authorised"] * 4
    assert world.one("F_CN", question(mark("?"), world.theirs)).code == "not_found"
    assert world.ask("EXP_CN") == "ok"


def test_an_offer_gives_standing_while_it_runs_and_a_released_claim_none(world: Network) -> None:
    world.offered(world.mine, to="F_DE", percent=10, days=1)
    assert world.ask("F_DE") == "ok"
    world.offered(world.mine, to="F_BR", percent=10, days=1)
    world.block([], after_ms=2 * 86_400_000)
    assert world.ask("F_BR") == "not_authorised"
    world.one("F_CN", Release(world.my_claim))
    assert world.ask("F_CN") == "not_authorised"


def test_a_reservation_gives_standing_until_it_lapses(world: Network) -> None:
    claim = world.offered(world.mine, to="F_DE", percent=10)
    world.one("F_DE", Reserve(claim, 3 * STEP_MS))
    assert world.ask("F_DE") == "ok"
    world.block([], after_ms=10 * STEP_MS)
    receipt = world.one("F_DE", AnswerContact(world.asked("EXP_CN"), "accept", mark("x"), "en"))
    assert receipt.code == "not_authorised"


def test_only_what_the_rule_of_matches_finds_can_be_asked_about(world: Network) -> None:
    unlike = world.registered("unlike", by="EXP_VN")
    assert world.one("F_CN", question(world.mine, unlike)).code == "no_match"
    assert world.one("F_CN", question(world.mine, mark("?"))).code == "no_match"
    assert world.one("F_CN", question(world.mine, world.mine)).code == "no_match"


def test_who_finances_a_part_or_the_whole_asks_about_what_is_like_the_other(world: Network) -> None:
    """It has to look at these before it funds: as much as at what is like its own."""
    everything = ((world.mine, WHOLE, WHOLE),)
    part = world.registered("part", kind="instalment", parents=everything)
    world.one("F_CN", Release(world.my_claim))
    assert world.one("F_DE", Fund(world.reserved(part, to="F_DE"))).related == (world.theirs,)
    contact = world.one("F_DE", question(part, world.theirs))
    assert contact.code == "ok"
    assert world.heard("contact_asked") == [(contact.subject, tuple(sorted((OTHER_SELLER, SG))), world.theirs.hex())]
    record = world.contact(contact.subject)
    assert (record.receivable, record.kinds, record.asker) == (part, ("number", "window"), DE)
    order = world.registered("order", by="EXP_VN", kind="purchase_order")
    first = world.registered("first", by="EXP_VN", fingerprints=ALIKE, parents=((order, WHOLE // 2, WHOLE),))
    world.offered(order, to="F_BR", by="EXP_VN")
    assert world.one("F_BR", question(order, world.mine)).code == "ok"
    world.offered(first, to="F_BR", by="EXP_VN")
    assert world.one("F_BR", question(order, mark("?"))).code == "no_match"


def test_what_a_correction_cut_off_may_be_asked_about(world: Network) -> None:
    """It is shown to who finances the corrected one, by no fingerprint."""
    order = world.registered("order", kind="purchase_order")
    world.funded(order, to="F_SG", percent=10)
    wrong = world.registered("wrong", parents=((order, PERCENT, WHOLE),))
    world.one("F_SG", Release(world.receivable(order).live[0].claim))
    right = world.registered("right", supersedes=wrong)
    world.offered(order, to="F_SG", days=9)
    world.offered(right, to="F_DE")
    contact = world.one("F_DE", question(right, order))
    assert (contact.code, world.contact(contact.subject).kinds) == ("ok", ())
    assert world.answer("F_SG", contact.subject) == "ok"


def test_the_seller_of_both_neither_asks_nor_answers(world: Network) -> None:
    again = world.registered("again", fingerprints=ALIKE)
    everything = (world.mine, world.theirs)
    assert world.one("EXP_CN", question(again, world.mine)).code == "not_authorised"
    assert world.one("EXP_CN", question(world.mine, again)).code == "not_authorised"
    assert world.one("F_CN", question(world.mine, again)).code == "bad_state", "there is nobody but its own seller"
    world.funded(again, to="F_DE", acknowledged=everything)
    contact = world.one("F_CN", question(world.mine, again)).subject
    assert world.heard("contact_asked") == [(contact, (DE,), again.hex())]
    assert world.answer("EXP_CN", contact, "decline") == "not_authorised"
    assert world.answer("EXP_CN", contact) == "not_authorised"
    assert world.answer("F_DE", contact) == "ok"


def test_a_seller_shuts_nobody_out_by_an_offer(world: Network) -> None:
    world.offered(world.theirs, to="F_CN", by="EXP_VN", percent=10)
    contact = world.asked("F_CN")
    assert CN not in world.heard("contact_asked")[0][1]
    assert world.answer("F_CN", contact) == "not_authorised", "nobody answers itself"
    world.offered(world.mine, to="F_SG", percent=10)
    assert world.answer("F_SG", contact) == "ok"


def test_nobody_else_answers(world: Network) -> None:
    contact = world.asked()
    assert [world.answer(by, contact) for by in ("F_CN", "EXP_CN", "F_DE", "IMP_DE")] == ["not_authorised"] * 4
    assert world.answer("F_SG", mark("?")) == "not_found"


def test_a_refusal_binds_only_who_refuses(world: Network) -> None:
    """A seller cannot shut its financier out of a question; nor does an acceptance open who has refused."""
    contact = world.asked()
    assert world.answer("EXP_VN", contact, "decline") == "ok"
    assert world.heard("contact_declined")[0][2] == "waiting"
    assert world.answer("EXP_VN", contact) == "already_done"
    assert world.answer("F_SG", contact) == "ok"
    opening = world.opening(contact)
    assert opening is not None
    assert opening.asked == (SG,)
    assert OTHER_SELLER not in opening.asking


def test_it_is_declined_when_all_have_declined(world: Network) -> None:
    contact = world.asked()
    assert [world.answer(by, contact, "decline") for by in ("EXP_VN", "F_SG")] == ["ok", "ok"]
    assert world.heard("contact_declined")[0][2] == "declined"
    record = world.contact(contact)
    assert (record.state, record.decliners) == ("declined", (OTHER_SELLER, SG))
    assert world.answer("F_SG", contact) == "already_done"
    assert world.opening(contact) is None


def test_what_is_not_answered_lapses(world: Network) -> None:
    contact = world.asked()
    world.block([], after_ms=CONTACT_WAITS_MS)
    assert world.contact(contact).state_at(world.now_ms) == "waiting"
    assert world.answer("F_SG", contact) == "expired"
    assert world.contact(contact).state_at(world.now_ms) == "lapsed"
    assert world.ask() == "ok", "and may be asked again"


# --- bounds ----------------------------------------------------------------------------------------------------------


def test_one_asker_asks_once_about_a_receivable(world: Network) -> None:
    contact = world.asked("F_CN")
    again = world.one("F_CN", question(world.mine, world.theirs))
    assert (again.code, again.subject) == ("already_done", contact)
    world.answer("EXP_VN", contact, "decline")
    world.answer("F_SG", contact, "decline")
    assert world.ask("F_CN") == "already_done", "a refusal is no invitation to ask again"


def test_contacts_about_one_receivable_are_bounded(world: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contacts, "CONTACTS_ABOUT_MAX", 2)
    world.offered(world.mine, to="F_DE", percent=10, days=30)
    assert [world.ask(by) for by in ("F_CN", "EXP_CN", "F_DE")] == ["ok", "ok", "limit_reached"]
    world.block([], after_ms=CONTACT_WAITS_MS + STEP_MS)
    assert world.ask("F_DE") == "ok"
    book = decode_record(AskedAbout, world.state[AskedAbout.PREFIX + world.theirs])
    assert [request.by for request in book.requests] == [DE], "what counts no more is not kept"


def test_contacts_of_one_asker_are_bounded(world: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contacts, "CONTACTS_BY_MAX", 2)
    others = [world.registered(str(number), by="EXP_VN", fingerprints=ALIKE) for number in range(3)]
    codes = [world.one("F_CN", question(world.mine, other)).code for other in others]
    assert codes == ["ok", "ok", "limit_reached"]
    book = decode_record(AskedBy, world.state[AskedBy.PREFIX + CN.encode()])
    assert len(book.requests) == 2


def test_answers_are_bounded(world: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contacts, "CONTACT_STEPS_MAX", 2)
    contact = world.asked()
    assert [world.answer(by, contact, "decline") for by in ("EXP_VN", "F_SG")] == ["ok", "limit_reached"]


def test_a_book_is_small() -> None:
    assert max(CONTACTS_ABOUT_MAX, CONTACTS_BY_MAX, limits.CONTACT_STEPS_MAX) <= 100


# --- by order --------------------------------------------------------------------------------------------------------


def order(contact: bytes, regulator: str = REGULATOR.id) -> Propose:
    return Propose(OpenContact(contact, regulator, mark("order 7/2026")))


def test_a_regulators_order_opens_what_was_declined_once_a_quorum_executes_it(world: Network) -> None:
    contact = world.asked()
    world.answer("EXP_VN", contact, "decline")
    world.answer("F_SG", contact, "decline")
    proposal = world.one("F_GB", order(contact)).subject
    assert world.heard("proposed")[0][2] == contact.hex()
    world.one("F_CN", Approve(proposal))
    assert world.opening(contact) is None
    assert world.one("F_DE", Approve(proposal)).code == "ok"
    opening = world.opening(contact)
    assert opening is not None
    assert (opening.by, opening.by_step, opening.text_digest) == (REGULATOR.id, "ordered", mark("order 7/2026"))
    assert set(opening.asked) == {OTHER_SELLER, SG}, "an order opens also who declined"
    assert world.heard("contact_opened")[0][2] == "ordered"
    assert [step.step for step in world.contact(contact).steps] == ["asked", "declined", "declined", "ordered"]
    assert world.one("F_SG", Approve(proposal)).code == "already_done"
    assert world.one("F_GB", order(contact)).code == "already_done"


def test_an_order_opens_also_who_has_not_answered_an_accepted_contact(world: Network) -> None:
    contact = world.asked()
    proposal = world.one("F_GB", order(contact)).subject
    world.answer("F_SG", contact)
    assert [world.one(by, Approve(proposal)).code for by in ("F_CN", "F_DE")] == ["ok", "ok"]
    opening = world.opening(contact)
    assert opening is not None
    assert (opening.by_step, set(opening.asking), set(opening.asked)) == ("ordered", {SELLER, CN}, {OTHER_SELLER, SG})
    assert world.answer("EXP_VN", contact) == "already_done"


def test_a_regulator_itself_changes_nothing_and_nobody_else_orders(world: Network) -> None:
    contact = world.asked()
    assert world.one("REGULATOR", order(contact)).code == "not_authorised"
    assert world.answer("REGULATOR", contact) == "not_authorised"
    assert world.one("F_GB", order(contact, CN)).code == "not_authorised"
    assert world.one("F_GB", order(contact, "lei:X")).code == "unknown_party"
    assert world.one("F_GB", order(mark("?"))).code == "not_found"


def test_a_suspended_party_asks_nothing(world: Network) -> None:
    party = Party.decode(decode(world.state[party_key(CN)]))
    world.state[party_key(CN)] = encode(replace(party, suspended=True).encode())
    assert world.ask("F_CN") == "suspended"


def test_an_order_is_read_back_as_it_was_proposed_and_a_wrong_field_is_named() -> None:
    change = OpenContact(mark("contact"), REGULATOR.id, mark("order"))
    value = change_value(change)
    assert change_from(decode(encode(value)), "change") == change
    for place, field in ((1, "contact"), (2, "regulator"), (3, "order_digest")):
        with pytest.raises(FieldError) as caught:
            change_from([*value[:place], b"", *value[place + 1 :]], "change")
        assert caught.value.field == f"change.{field}"
    with pytest.raises(FieldError, match="change: open_contact has 3 fields, not 2"):
        change_from(value[:3], "change")


# --- what always holds -----------------------------------------------------------------------------------------------

ANYBODY = ("F_CN", "EXP_CN", "F_SG", "EXP_VN", "F_DE", "REGULATOR")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ANYBODY), st.sampled_from(ANSWERS), st.integers(0, 5)), max_size=8))
def test_it_names_exactly_the_asker_and_those_who_have_accepted_in_time(steps: list[tuple[str, str, int]]) -> None:
    world = Network()
    contact = world.asked()
    answered: dict[str, str] = {}
    for by, answer, days in steps:
        world.block([], after_ms=days * 86_400_000)
        in_time = world.now_ms + STEP_MS <= world.contact(contact).until_ms
        code = world.answer(by, contact, answer)
        assert (code == "ok") == (by in ("F_SG", "EXP_VN") and by not in answered and in_time), (by, answer, code)
        if code == "ok":
            answered[by] = answer
        accepted = [name_id(one) for one, said in answered.items() if said == "accept"]
        opening = world.opening(contact)
        assert (opening is not None) == bool(accepted)
        if opening is not None:
            assert (opening.by, opening.asking) == (accepted[0], (CN,))
            assert opening.asked == tuple(sorted(accepted))
