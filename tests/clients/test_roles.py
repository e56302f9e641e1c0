"""What each role does through its client, on four real nodes."""

from __future__ import annotations

import dataclasses
import datetime
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from clients import reads
from clients.debtor import AsyncDebtorClient, DebtorClient
from clients.dossier import Dossier
from clients.errors import ClientError, Refused, Rejected, RequestFailed
from clients.exporter import BATCH_MAX, AsyncExporterClient, ExporterClient, Refusal, Registration, expire
from clients.financier import AsyncFinancierClient, FinancierClient
from clients.regulator import AsyncRegulatorClient, RegulatorClient
from clients.session import signed
from registry.errors import FieldError
from registry.keys import SigningKey
from registry.money import WHOLE
from registry.records.credit_notes import CreditNote
from registry.transactions.envelope import open_transaction, subject_id
from tests.cast import AUTHORITIES, EXP_CN, EXP_VN, IMP_AE, IMP_DE, TERMS, key_of
from tests.clients.stage import (
    Stage,
    admissions,
    admit,
    digest,
    lei,
    newcomer,
    offered,
    unlike,
    until_ms,
    with_particulars,
)

pytestmark = pytest.mark.processes

HALF = WHOLE // 2
NOBODYS = bytes(32)


def code_of(call: Callable[[], Any]) -> str:
    """The reason code with which a call is refused on the record."""
    with pytest.raises(Refused) as refusal:
        call()
    assert str(refusal.value.code) in str(refusal.value)
    return refusal.value.code


# --- exporters -------------------------------------------------------------------------------------------------------


def test_registering_gives_the_record_and_the_dossier(stage: Stage) -> None:
    made = unlike(document=digest("the document"))
    with stage.exporter() as exporter:
        registration = exporter.register(made)
        record = exporter.receivable(registration.receivable)
        final = exporter.transaction(registration.receipt.transaction, 1)
        mine = exporter.own_receivables()
    assert registration.matches == ()
    assert (record.registrant, record.state, record.collectible) == (EXP_CN, "registered", WHOLE)
    assert (record.commitment, record.debtor_commitment) == (
        registration.dossier.commitment,
        registration.dossier.debtor_commitment,
    )
    assert final.receipts == (registration.receipt,)
    assert final.height == registration.height
    assert record in mine


def test_a_refused_one_in_the_middle_stops_nothing(stage: Stage) -> None:
    first, last = unlike(), unlike()
    again = with_particulars(first, number=first.particulars.number.lower())
    with stage.exporter() as exporter:
        one, refused, three = exporter.register_all([first, again, last])
        assert exporter.register_all([]) == ()
        assert code_of(lambda: exporter.register(again)) == "duplicate"
    assert isinstance(one, Registration)
    assert isinstance(three, Registration)
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.related, refused.listing) == ("duplicate", (one.receivable,), again)
    assert refused.height == one.height
    assert three.dossier.particulars == last.particulars


def test_many_go_in_several_transactions(stage: Stage) -> None:
    listings = [unlike() for _ in range(BATCH_MAX + 1)]
    with stage.exporter() as exporter:
        outcomes = exporter.register_all(listings)
    assert [outcome.dossier.particulars for outcome in outcomes] == [made.particulars for made in listings]
    assert len({outcome.receipt.transaction for outcome in outcomes}) == 2


def test_long_listings_are_batched_by_size(stage: Stage) -> None:
    orders = tuple(f"{index:05d}" for index in range(32))
    with stage.exporter() as exporter:
        batches = exporter.prepare([unlike(orders=orders) for _ in range(BATCH_MAX)])
    assert len(batches) > 1
    assert sum(len(batch.listings) for batch in batches) == BATCH_MAX


def test_a_dossier_is_there_before_anything_is_sent(stage: Stage) -> None:
    with stage.exporter() as exporter:
        (prepared,) = exporter.prepare([unlike(), unlike()])
        assert [exporter.receivable(dossier.receivable) for dossier in prepared.dossiers] == [None, None]
        outcomes = exporter.submit(prepared)
        assert exporter.submit(prepared) == outcomes
    assert tuple(outcome.dossier for outcome in outcomes) == prepared.dossiers


def test_only_the_sellers_own_receivables_are_registered(stage: Stage) -> None:
    with stage.exporter() as exporter, pytest.raises(ClientError, match="seller"):
        exporter.register(unlike(seller=EXP_VN))


def test_what_cannot_be_recorded_is_said_before_anything_is_sent(stage: Stage) -> None:
    with stage.exporter(urls=["http://127.0.0.1:9"]) as exporter:
        with pytest.raises(Rejected, match="seller_country"):
            exporter.register(dataclasses.replace(unlike(), seller_country="china"))
        with pytest.raises(Rejected, match="share"):
            exporter.offer(NOBODYS, to=IMP_DE, share=0, terms=TERMS, valid_until_ms=until_ms())
        with pytest.raises(Rejected, match="terms"):
            exporter.offer(NOBODYS, to=IMP_DE, share=1, terms=b"short", valid_until_ms=until_ms())


def test_an_offer_can_be_revoked_until_it_is_reserved(stage: Stage) -> None:
    with stage.exporter() as exporter, stage.financier("f-sg") as financier:
        receivable = exporter.register(unlike()).receivable
        made = exporter.offer(receivable, to=AUTHORITIES["f-sg"][0], share=HALF, terms=TERMS, valid_until_ms=until_ms())
        assert (made.receivable, made.to, made.share) == (receivable, AUTHORITIES["f-sg"][0], HALF)
        assert exporter.revoke(made.claim).subject == made.claim
        assert exporter.claim(made.claim).state == "revoked"
        assert code_of(lambda: financier.reserve(made.claim)) == "bad_state"
        taken = offered(exporter, receivable, "f-sg")
        financier.reserve(taken)
        assert code_of(lambda: exporter.revoke(taken)) == "bad_state"
        assert code_of(lambda: exporter.revoke(NOBODYS)) == "not_found"


def test_offers_go_to_financiers_only(stage: Stage) -> None:
    with stage.exporter() as exporter:
        receivable = exporter.register(unlike()).receivable
        for to, code in ((IMP_DE, "not_authorised"), (f"lei:{lei('984500NOBODY000000')}", "unknown_party")):
            with pytest.raises(Refused, match=code):
                exporter.offer(receivable, to=to, share=WHOLE, terms=TERMS, valid_until_ms=until_ms())
        with pytest.raises(Refused, match="offer_expired"):
            exporter.offer(
                receivable, to=AUTHORITIES["f-sg"][0], share=WHOLE, terms=TERMS, valid_until_ms=until_ms() - 3_600_000
            )


def test_a_credit_note_lowers_what_is_collectible(stage: Stage) -> None:
    with stage.exporter() as exporter, stage.exporter(EXP_VN) as other:
        receivable = exporter.register(unlike()).receivable
        exporter.adjust(receivable, reduction=HALF, document=digest("credit note"))
        assert exporter.receivable(receivable).collectible == WHOLE - HALF
        again = code_of(lambda: exporter.adjust(receivable, reduction=HALF, document=digest("credit note")))
        assert again == "already_done"
        noted = exporter.call(reads.record, CreditNote, CreditNote.id_of(receivable, digest("credit note")))
        assert noted is not None
        assert (noted.receivable, noted.reduction_share) == (receivable, HALF)
        refused = code_of(lambda: exporter.adjust(receivable, reduction=HALF + 1, document=digest("too much")))
        assert refused == "over_residual"
        assert code_of(lambda: other.adjust(receivable, reduction=1, document=digest("x"))) == "not_authorised"
        exporter.adjust(receivable, reduction=HALF, document=digest("the rest"))
        assert exporter.receivable(receivable).state == "cancelled"


def test_what_was_never_claimed_expires_once_its_due_month_is_over(stage: Stage) -> None:
    past, coming = {"due": datetime.date(2024, 2, 29)}, {"due": datetime.date(2999, 12, 31)}
    with stage.exporter() as exporter:
        over, due = exporter.register_all([unlike(issued=datetime.date(2024, 1, 1), **past), unlike(**coming)])
        exporter.call(expire, over.receivable)
        assert exporter.receivable(over.receivable).state == "expired"
        assert code_of(lambda: exporter.call(expire, over.receivable)) == "already_done"
        assert code_of(lambda: exporter.call(expire, due.receivable)) == "too_early"


# --- debtors ---------------------------------------------------------------------------------------------------------


def test_a_debtor_confirms_all_a_part_or_nothing(stage: Stage) -> None:
    with stage.exporter() as exporter, stage.debtor() as debtor:
        whole, part, rejected = exporter.register_all([unlike(), unlike(), unlike()])
        stage.level()
        assert debtor.receivable(whole.receivable) is None
        debtor.confirm(whole.dossier, text=digest("wording"))
        debtor.confirm(part.dossier, share=HALF)
        debtor.reject(rejected.dossier, reason=digest("never ordered"))
        records = [debtor.receivable(item.receivable) for item in (whole, part, rejected)]
        assert {record.id for record in records} <= {record.id for record in debtor.own_receivables()}
        assert code_of(lambda: debtor.confirm(whole.dossier)) == "already_done"
        assert code_of(lambda: debtor.confirm(rejected.dossier)) == "bad_state"
        assert code_of(lambda: offered(exporter, rejected.receivable, "f-sg")) == "bad_state"
    assert [record.state for record in records] == ["confirmed", "part_confirmed", "rejected"]
    assert [record.collectible for record in records] == [WHOLE, HALF, WHOLE]
    assert {record.debtor for record in records} == {IMP_DE}
    assert records[0].grade == "debtor_confirmed"


def test_only_the_debtor_with_the_right_salt_answers(stage: Stage) -> None:
    with stage.exporter() as exporter, stage.debtor() as debtor, stage.debtor(IMP_AE) as other:
        dossier = exporter.register(unlike()).dossier
        assert code_of(lambda: other.confirm(dossier)) == "not_debtor"
        forged = dataclasses.replace(dossier, particulars=dataclasses.replace(dossier.particulars, debtor=IMP_AE))
        assert code_of(lambda: other.confirm(forged)) == "not_debtor"
        assert code_of(lambda: debtor.reject(dataclasses.replace(dossier, debtor_salt=bytes(32)))) == "not_debtor"
        assert code_of(lambda: debtor.confirm(dataclasses.replace(dossier, receivable=NOBODYS))) == "not_found"
        assert exporter.receivable(dossier.receivable).state == "registered"


# --- financiers ------------------------------------------------------------------------------------------------------


def test_a_search_finds_what_is_alike_and_its_certificate_is_kept(stage: Stage) -> None:
    with stage.exporter() as exporter, stage.financier("f-gb") as financier, stage.financier("f-sg", "f-gb") as other:
        registered = exporter.register(unlike())
        stage.level()
        found = financier.search(registered.dossier.particulars, purpose="before paying")
        nothing = financier.search(unlike().particulars, purpose="before paying")
        kept = financier.certificate(found["number"])
        assert other.certificate(found["number"]) is None
        assert financier.certificate("0" * 32) is None
    assert (kept.requester, kept.purpose) == (AUTHORITIES["f-gb"][0], "before paying")
    assert kept.matches["block"] == (registered.receivable,)
    assert not any(result["matches"] for result in nothing["results"])
    assert {result["kind"] for result in found["results"]} >= {"exact", "number", "window"}


def forgeries(dossier: Dossier) -> list[tuple[str, Dossier]]:
    """The dossier with one field of it forged, for each field; and the word that must stand in the complaint."""
    particulars: dict[str, Any] = {
        "debtor": IMP_AE,
        "number": "SDK-FORGED",
        "currency": "USD",
        "amount_minor": dossier.particulars.amount_minor + 1,
        "issue_date": datetime.date(2026, 4, 2),
        "due_date": None,
        "orders": ("PO-1",),
        "transports": ("COSU1",),
        "government_ids": ("CN:26122000000012345679",),
        "seller": EXP_VN,
    }
    assert set(particulars) == {field.name for field in dataclasses.fields(dossier.particulars)}
    forged = [
        ("particulars", dataclasses.replace(dossier, particulars=dataclasses.replace(dossier.particulars, **{k: v})))
        for k, v in particulars.items()
    ]
    others: dict[str, tuple[str, bytes]] = {
        "salt": ("particulars", bytes(32)),
        "document": ("particulars", digest("another document")),
        "debtor_salt": ("debtor", bytes(32)),
        "receivable": ("no such receivable", NOBODYS),
    }
    assert {*others, "particulars"} == {field.name for field in dataclasses.fields(dossier)}
    return forged + [(word, dataclasses.replace(dossier, **{k: v})) for k, (word, v) in others.items()]


def test_a_forged_dossier_is_found_out_field_by_field(stage: Stage) -> None:
    with stage.exporter() as exporter, stage.financier("f-sg") as financier:
        dossier = exporter.register(unlike(document=digest("document"))).dossier
        assert_unseen(financier, dossier)
        offered(exporter, dossier.receivable, "f-sg")
        assert financier.check_dossier(dossier).record.id == dossier.receivable
        for complaint, forged in forgeries(dossier):
            with pytest.raises(ClientError, match=complaint):
                financier.check_dossier(forged)


def assert_unseen(financier: Any, dossier: Dossier) -> None:
    with pytest.raises(ClientError, match="no such receivable"):
        financier.check_dossier(dossier)


def test_a_dossier_registered_by_somebody_else_is_found_out(stage: Stage) -> None:
    """EXP_VN registers the commitment of an invoice of EXP_CN: particulars agree, the registrant does not."""
    with stage.exporter() as exporter, stage.exporter(EXP_VN) as thief, stage.financier("f-sg") as financier:
        (prepared,) = exporter.prepare([unlike()])
        stolen = register_anyhow(thief, prepared)
        offered(thief, stolen, "f-sg")
        with pytest.raises(ClientError, match="registered by another party"):
            financier.check_dossier(dataclasses.replace(prepared.dossiers[0], receivable=stolen))


def test_fingerprints_of_another_invoice_are_found_out(stage: Stage) -> None:
    """The commitments are right, but the fingerprints would let the invoice be registered a second time."""
    with stage.exporter() as exporter, stage.financier("f-sg") as financier:
        (prepared,), (other,) = exporter.prepare([unlike()]), exporter.prepare([unlike()])
        hidden = register_anyhow(exporter, prepared, fingerprints=operation_of(exporter, other).fingerprints)
        offered(exporter, hidden, "f-sg")
        with pytest.raises(ClientError, match="fingerprints"):
            financier.check_dossier(dataclasses.replace(prepared.dossiers[0], receivable=hidden))


def operation_of(client: Any, prepared: Any) -> Any:
    return open_transaction(prepared.submission.wire, client._session.genesis.id).operations[0]


def register_anyhow(client: Any, prepared: Any, **changes: Any) -> bytes:
    """Registers what was prepared under this client's own name, with other fields; the receivable's id."""
    operation = dataclasses.replace(operation_of(client, prepared), **changes)
    final = client.resume(signed(client._session, [operation]))
    created: bytes = final.receipts[0].subject
    return created


def test_reserve_fund_discharge(stage: Stage) -> None:
    with stage.exporter() as exporter, stage.financier("f-sg") as financier:
        receivable = exporter.register(unlike()).receivable
        claim = offered(exporter, receivable, "f-sg")
        assert code_of(lambda: financier.fund(claim)) == "bad_state"
        financier.reserve(claim, ttl_ms=60_000)
        assert code_of(lambda: financier.reserve(claim)) == "already_done"
        financier.fund(claim)
        financier.discharge(claim, share=HALF)
        part = financier.claim(claim)
        assert code_of(lambda: financier.discharge(claim, share=HALF + 1)) == "over_residual"
        financier.discharge(claim, share=HALF)
        assert [found.state for found in financier.claims(receivable)] == ["discharged"]
        assert financier.receivable(receivable).state == "settled"
    assert (part.state, part.share) == ("funded", HALF)


def test_who_is_second_gets_nothing_and_what_is_released_is_free(stage: Stage) -> None:
    with stage.exporter() as exporter, stage.financier("f-sg") as first, stage.financier("f-de") as second:
        receivable = exporter.register(unlike()).receivable
        claims = offered(exporter, receivable, "f-sg"), offered(exporter, receivable, "f-de")
        final = first.finance(claims[0])
        assert [receipt.code for receipt in final.receipts] == ["ok", "ok"]
        with pytest.raises(Refused) as refusal:
            second.finance(claims[1])
        assert refusal.value.code == "over_residual"
        assert claims[0] in refusal.value.related
        assert code_of(lambda: second.release(claims[0])) == "not_holder"
        assert code_of(lambda: second.reserve(claims[0])) == "not_offered"
        first.release(claims[0])
        second.finance(claims[1])
        assert second.claim(claims[1]).state == "funded"


def test_matches_must_be_acknowledged(stage: Stage) -> None:
    with stage.exporter() as exporter, stage.financier("f-sg") as financier:
        first = exporter.register(unlike())
        alike = with_particulars(unlike(), amount_minor=first.dossier.particulars.amount_minor)
        second = exporter.register(alike)
        assert second.matches == (first.receivable,)
        claim = offered(exporter, second.receivable, "f-sg")
        with pytest.raises(Refused) as refusal:
            financier.finance(claim)
        assert (refusal.value.code, refusal.value.related) == ("unacknowledged_match", (first.receivable,))
        assert financier.claim(claim).state == "offered"
        financier.reserve(claim)
        financier.fund(claim, acknowledged=[first.receivable])
        assert financier.claim(claim).state == "funded"


def test_reassignment_needs_both_signatures(stage: Stage) -> None:
    holder_id, taker_id = AUTHORITIES["f-sg"][0], AUTHORITIES["f-de"][0]
    holder_key, taker_key = key_of(holder_id), key_of(taker_id)
    genesis = stage.cast.devnet.genesis
    with stage.exporter() as exporter, stage.financier("f-sg") as holder, stage.financier("f-de") as taker:
        claim = offered(exporter, exporter.register(unlike()).receivable, "f-sg")
        holder.finance(claim)
        draft = holder.compose_reassignment(claim, to=taker_id, taker_key=taker_key.public_key)
        with pytest.raises(ClientError, match="not among"):
            draft.sign(genesis, key_of(EXP_CN))
        by_holder = {holder_key.public_key: draft.sign(genesis, holder_key)}
        with pytest.raises(ClientError, match=taker_key.public_key.hex()):
            holder.send(draft, by_holder)
        with pytest.raises(Rejected, match="bad_signature"):
            holder.send(draft, by_holder | {taker_key.public_key: draft.sign(genesis, holder_key)})
        taker.send(draft, by_holder | {taker_key.public_key: draft.sign(genesis, taker_key)})
        record = taker.claim(claim)
        assert (record.holder, record.holders) == (taker_id, (holder_id, taker_id))
        stage.level()
        assert holder.claim(claim) == record
        back = holder.compose_reassignment(claim, to=holder_id, taker_key=taker_key.public_key)
        signatures = {key.public_key: back.sign(genesis, key) for key in (holder_key, taker_key)}
        holder.send(back, signatures)
        assert holder.claim(claim).holders == (holder_id, taker_id, holder_id)


# --- authorities -----------------------------------------------------------------------------------------------------


def test_a_party_is_admitted_by_a_quorum(stage: Stage) -> None:
    parties = [newcomer("exporter"), newcomer("debtor", country="FR")]
    with stage.financier("f-cn") as proposer, stage.financier("f-sg", "f-cn") as second:
        proposals = proposer.propose_admissions(admissions(stage, parties))
        second.approve(proposals)
        assert proposer.party(parties[0].id) is None
        assert [receipt.code for receipt in second.approve(proposals)] == ["already_done"] * 2
        with stage.financier("f-gb", "f-cn") as third:
            third.approve(proposals)
        assert [proposer.party(party.id) for party in parties] == parties
        assert code_of(lambda: proposer.propose_admissions(admissions(stage, parties[:1]))) == "duplicate"
    newly = {"party": parties[0].id, "urls": [stage.cast.devnet.url("f-cn")], "signer": key_of(parties[0].id)}
    with stage.exporter(**newly) as exporter:
        assert exporter.register(unlike(seller=parties[0].id)).receipt.done


def test_a_wrong_check_digit_is_an_error_on_admission(stage: Stage) -> None:
    good = newcomer("exporter")
    wrong = good.id[:-1] + ("1" if good.id[-1] == "0" else "0")
    bad = dataclasses.replace(good, id=wrong, identifiers=(wrong,))
    with stage.financier("f-cn") as proposer:
        for parties in ([bad], [good, bad]):
            with pytest.raises(FieldError, match=r"identifiers\[0\]"):
                proposer.propose_admissions(admissions(stage, parties))
        assert proposer.party(good.id) is None
        with pytest.raises(Refused, match="not_found"):
            proposer.approve([NOBODYS])


def test_only_authorities_admit(stage: Stage) -> None:
    party = newcomer("exporter")
    with (
        stage.financier("f-cn", party=EXP_CN, signer=key_of(EXP_CN)) as pretender,
        pytest.raises(Refused, match="not_authorised"),
    ):
        pretender.propose_admissions(admissions(stage, [party]))


# --- regulators, and who may see what --------------------------------------------------------------------------------


def test_a_regulator_reads_everything_and_changes_nothing(stage: Stage, supervisor: str) -> None:
    with stage.exporter() as exporter, stage.financier("f-sg") as financier, stage.regulator(supervisor) as regulator:
        registration = exporter.register(unlike())
        claim = offered(exporter, registration.receivable, "f-sg")
        offered(exporter, registration.receivable, "f-de", HALF)
        financier.finance(claim)
        stage.level()
        at = max(registration.height, 1)
        assert regulator.header(at).height == at
        assert regulator.header().height >= at
        assert regulator.claim(claim).state == "funded"
        assert [found.holder for found in regulator.claims(registration.receivable)] == [
            AUTHORITIES["f-sg"][0],
            AUTHORITIES["f-de"][0],
        ]
        assert regulator.receivable(registration.receivable).live[0].claim == claim
        assert regulator.party(EXP_CN).id == EXP_CN
        assert regulator.status()["height"] >= at
        with pytest.raises(ClientError, match="no such receivable"):
            regulator.claims(NOBODYS)
        with pytest.raises(RequestFailed, match="not_found"):
            regulator.header(10**14)


def test_what_a_party_may_not_see_is_none(stage: Stage) -> None:
    with stage.exporter() as exporter, stage.exporter(EXP_VN, "f-cn") as stranger:
        with stage.financier("f-de", "f-cn") as rival:
            receivable = exporter.register(unlike()).receivable
            claim = offered(exporter, receivable, "f-sg")
            for outsider in (stranger, rival):
                assert outsider.receivable(receivable) is None
                assert outsider.claim(claim) is None
                assert receivable not in {record.id for record in outsider.own_receivables()}
            with pytest.raises(RequestFailed, match="not_found"):
                rival.claims(receivable)
        assert exporter.claim(claim).state == "offered"
        assert exporter.receivable(NOBODYS) is None
        assert exporter.party(f"lei:{lei('984500NOBODY000000')}") is None
        assert exporter.transaction(NOBODYS, 1) is None


def test_a_debtor_may_not_search(stage: Stage) -> None:
    with (
        stage.financier("f-cn", party=IMP_DE, signer=key_of(IMP_DE)) as debtor,
        pytest.raises(RequestFailed, match="not_authorised"),
    ):
        debtor.search(unlike().particulars, purpose="curiosity")


def test_a_key_that_nobody_registered_is_turned_away_by_every_node(stage: Stage) -> None:
    stranger = SigningKey.from_seed(bytes(32))
    with stage.exporter(signer=stranger) as client, pytest.raises(RequestFailed) as failure:
        client.revoke(NOBODYS)
    assert (failure.value.status, failure.value.code) == (401, "unknown_party")


# --- idempotence -----------------------------------------------------------------------------------------------------


def test_the_same_wire_at_two_nodes_and_again_later_counts_once(stage: Stage) -> None:
    with stage.exporter() as here, stage.exporter(node="f-gb") as there:
        (prepared,) = here.prepare([unlike(), unlike()])
        outcomes = here.submit(prepared)
        assert there.submit(prepared) == outcomes
        assert here.submit(prepared) == outcomes
        final = there.resume(prepared.submission)
        assert [receipt.subject for receipt in final.receipts] == [
            subject_id(prepared.submission.transaction_id, index) for index in range(2)
        ]
        claim = offered(here, outcomes[0].receivable, "f-sg")
        assert here.claim(claim).state == "offered"


def test_admission_of_many_is_one_call(stage: Stage) -> None:
    parties = [newcomer("debtor") for _ in range(101)]
    admit(stage, parties)
    with stage.exporter() as exporter:
        assert exporter.party(parties[-1].id) == parties[-1]


# --- asyncio ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blocking", "twin"),
    [
        (ExporterClient, AsyncExporterClient),
        (FinancierClient, AsyncFinancierClient),
        (DebtorClient, AsyncDebtorClient),
        (RegulatorClient, AsyncRegulatorClient),
    ],
)
def test_every_method_has_its_asyncio_twin(blocking: type, twin: type) -> None:
    def methods(of: type) -> dict[str, str]:
        public = {name: value for name, value in inspect.getmembers(of, callable) if not name.startswith("_")}
        return {name: str(inspect.signature(value)) for name, value in public.items()}

    expected = methods(blocking)
    expected["aclose"] = expected.pop("close")
    assert methods(twin) == expected
    assert str(inspect.signature(twin)) == str(inspect.signature(blocking))


def test_a_whole_story_by_asyncio_clients(asyncio_stage: Stage, supervisor: str) -> None:
    stage = asyncio_stage
    genesis, taker_id = stage.cast.devnet.genesis, AUTHORITIES["f-de"][0]
    party = newcomer("debtor")
    admit(stage, [party])
    with (
        stage.exporter() as exporter,
        stage.debtor(party.id, "f-cn") as debtor,
        stage.financier("f-sg", "f-cn") as financier,
        stage.financier("f-de", "f-cn") as taker,
        stage.regulator(supervisor, "f-cn") as regulator,
    ):
        made = [with_particulars(unlike(), debtor=party.id) for _ in range(3)]
        (prepared,) = exporter.prepare(made[:1])
        (first,) = exporter.submit(prepared)
        second = exporter.register(made[1])
        (third,) = exporter.register_all(made[2:])
        exporter.adjust(first.receivable, reduction=HALF, document=digest("credit note"))
        debtor.confirm(first.dossier, share=HALF)
        debtor.reject(third.dossier)
        assert {record.state for record in debtor.own_receivables()} == {"confirmed", "rejected"}
        claims = [offered(exporter, first.receivable, "f-sg", 1), offered(exporter, second.receivable, "f-sg")]
        assert exporter.revoke(offered(exporter, second.receivable, "f-sg")).done
        assert financier.check_dossier(second.dossier).record.id == second.receivable
        found = financier.search(second.dossier.particulars, purpose="story")
        assert financier.certificate(found["number"]).number == found["number"]
        financier.reserve(claims[0])
        financier.fund(claims[0])
        final = financier.finance(claims[1])
        assert financier.transaction(final.transaction_id, 2) == final
        draft = financier.compose_reassignment(claims[1], to=taker_id, taker_key=key_of(taker_id).public_key)
        keys = (key_of(AUTHORITIES["f-sg"][0]), key_of(taker_id))
        sent = taker.send(draft, {key.public_key: draft.sign(genesis, key) for key in keys})
        assert taker.resume(draft.sealed(genesis, {key.public_key: draft.sign(genesis, key) for key in keys})) == sent
        assert taker.claim(claims[1]).holder == taker_id
        taker.discharge(claims[1], share=1)
        taker.release(claims[1])
        assert [claim.state for claim in financier.claims(first.receivable)] == ["funded"]
        assert [claim.state for claim in regulator.claims(second.receivable)] == ["released", "revoked"]
        assert exporter.receivable(first.receivable) == regulator.receivable(first.receivable)
        assert regulator.header(final.height).timestamp_ms == final.timestamp_ms
        assert regulator.status()["height"] >= final.height
        assert regulator.party(party.id) == party
