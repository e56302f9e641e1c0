"""A small pool through real nodes: agreed, drawn, certified, substituted, closed (registry.md 6.2)."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from clients import pools, reads
from clients.errors import ClientError, Refused
from clients.exporter import Listing
from clients.matches import to_acknowledge
from clients.pools import Drawing, Drawn, NotDrawn
from clients.session import Draft
from registry.fingerprint import BLANKET_KIND, account_fingerprint
from registry.keys import SigningKey
from registry.pools import PoolRow, borrowing_base
from registry.records.facilities import Facility, drawing_terms
from registry.transactions.facilities import Scope
from tests.cast import AUTHORITIES, EXP_VN, IMP_AE, IMP_DE, TERMS, key_of
from tests.clients.stage import Stage, admit, digest, newcomer, offered, unlike, until_ms
from tests.registry.test_pools import RULES

pytestmark = pytest.mark.processes

F_GB, F_SG = AUTHORITIES["f-gb"][0], AUTHORITIES["f-sg"][0]


@pytest.fixture(scope="module")
def seller(cast: Any) -> str:
    """An exporter of this story alone: what is under its blankets is in nobody else's way."""
    party = newcomer("exporter", country="CN")
    admit(Stage(cast), [party])
    return party.id


def signs(stage: Stage, party: str) -> Callable[[Draft], dict[bytes, bytes]]:
    """How the other side signs what it is shown: here, without a look."""
    key: SigningKey = key_of(party)
    return lambda draft: {key.public_key: draft.sign(stage.cast.devnet.genesis, key)}


def test_a_payable_beside_a_blanket_is_shown_to_its_holder_and_must_be_looked_at(stage: Stage) -> None:
    party = newcomer("exporter", "debtor", country="CN")
    admit(stage, [party])
    scope = Scope((), digest("filing"), until_ms())
    with (
        stage.exporter(party=party.id) as buyer,
        stage.financier("f-gb") as holder,
        stage.financier("f-sg") as other,
    ):
        asked = {"seller": party.id, "financier": F_GB, "terms": TERMS, "rules": RULES.digest}
        opening = pools.opening(**asked, blanket=scope)
        facility = buyer.call(pools.agree, F_GB, opening, countersign=signs(stage, F_GB)).subject
        made = buyer.register(unlike(seller=EXP_VN, debtor=party.id, kind="payable"))
        assert holder.receivable(made.receivable) is not None
        claim = offered(buyer, made.receivable, "f-sg")
        assert holder.call(to_acknowledge, made.receivable).blankets_beside == ()
        assert other.call(to_acknowledge, made.receivable).blankets_beside == (facility,)
        with pytest.raises(Refused) as refused:
            other.finance(claim)
        assert (refused.value.code, refused.value.related) == ("unacknowledged_match", (facility,))
        other.check_dossier(made.dossier)
        other.finance(claim, acknowledged=[facility])


def row_of(receivable: bytes, made: Listing) -> PoolRow:
    known = made.particulars
    assert known.issue_date is not None
    assert known.due_date is not None
    return PoolRow(
        receivable=receivable,
        debtor=known.debtor,
        debtor_country=made.debtor_country,
        kind=made.kind,
        grade="document",
        state="registered",
        disputed=False,
        currency=known.currency,
        amount_minor=known.amount_minor,
        paid_minor=0,
        contra_minor=0,
        issue_date=known.issue_date,
        due_date=known.due_date,
    )


def test_the_story_of_a_pool(stage: Stage, seller: str) -> None:
    genesis = stage.cast.devnet.genesis
    account = account_fingerprint(genesis.fingerprint_key, seller=seller, debtor=IMP_DE)
    scope = Scope((account,), digest("filing"), until_ms())
    with (
        stage.exporter(party=seller) as exporter,
        stage.financier("f-gb") as financier,
        stage.financier("f-sg") as other,
    ):
        asked = {"seller": seller, "financier": F_GB, "terms": TERMS, "rules": RULES.digest}
        opened = exporter.call(pools.agree, F_GB, pools.opening(**asked, blanket=scope), countersign=signs(stage, F_GB))
        stage.level()
        facility = financier.call(pools.facility, opened.subject)
        assert facility in exporter.call(reads.own_records, Facility)
        with pytest.raises(ClientError, match="no such facility"):
            other.call(pools.facility, facility.id)

        # drawn in one transaction; one of the receivables is somebody else's
        listings = [unlike(seller=seller, account=True) for _ in range(4)]
        registered = exporter.register_all(listings)
        ids = [each.receivable for each in registered]
        stage.level()
        assert financier.receivable(ids[0]).registrant == seller  # its blanket is over it
        assert other.receivable(ids[0]) is None
        with stage.exporter() as stranger:
            foreign = stranger.register(unlike()).receivable
        stage.level()
        heard: list[tuple[int, int]] = []
        outcomes = financier.call(
            pools.draw,
            facility,
            [Drawing(each) for each in (*ids[:2], foreign, ids[2])],
            countersign=signs(stage, seller),
            progress=lambda done, total: heard.append((done, total)),
        )
        assert [type(each) for each in outcomes] == [Drawn, Drawn, NotDrawn, Drawn]
        assert (outcomes[2].code, heard) == ("not_authorised", [(4, 4)])
        assert financier.check_dossier(registered[0].dossier).record.id == ids[0]
        claim = financier.claim(outcomes[0].claim)
        assert (claim.state, claim.holder, claim.terms_digest) == ("funded", F_GB, drawing_terms(facility))

        # the blanket: searched, refused, and not in the way of another debtor
        found = other.search(registered[3].dossier.particulars, purpose="offer")
        (blankets,) = [result for result in found["results"] if result["kind"] == BLANKET_KIND]
        assert blankets["matches"] == [facility.id.hex()]
        with pytest.raises(Refused) as refused:
            other.finance(offered(exporter, ids[3], "f-sg"))
        assert (refused.value.code, refused.value.related) == ("blanket", (facility.id,))
        elsewhere = exporter.register(unlike(seller=seller, debtor=IMP_AE, account=True)).receivable
        other.finance(offered(exporter, elsewhere, "f-sg"))

        # both compute the base from their own rows, in their own order
        rows = [row_of(each, made) for each, made in zip(ids[:3], listings[:3], strict=True)]
        rules = replace(RULES, currency="EUR", eligibility=replace(RULES.eligibility, currencies=("EUR",)))
        day = {"as_of": datetime.date(2026, 5, 20), "drawn_minor": 0}
        mine, theirs = (borrowing_base(facility.id, rules, each, **day) for each in (rows, rows[::-1]))
        assert pools.same(pools.certification(mine), pools.certification(theirs))
        financier.call(pools.agree, seller, pools.certification(mine), countersign=signs(stage, seller))
        stage.level()
        record = exporter.call(pools.facility, facility.id)
        assert (record.base_as_of, record.base_digest, record.base_finding) == (20260520, mine.digest, "covered")

        # substituted: both or neither
        for taken in (elsewhere, ids[3]):
            steps = pools.substitution(facility, outcomes[0].claim, Drawing(taken))
            if taken is elsewhere:
                with pytest.raises(Refused, match="over_residual"):
                    exporter.call(pools.agree, F_GB, steps, countersign=signs(stage, F_GB))
                assert financier.claim(outcomes[0].claim).state == "funded"
        substituted = exporter.call(pools.agree, F_GB, steps, countersign=signs(stage, F_GB))
        stage.level()
        assert financier.claim(substituted.subject).state == "funded"
        assert financier.claim(outcomes[0].claim).state == "released"

        # closed: no new drawings, what was drawn runs off
        financier.call(pools.renew_blanket, facility.id, filing=digest("continued"), until_ms=until_ms())
        financier.call(pools.carve_out, facility.id, ids[0])
        financier.call(pools.close, facility.id)
        stage.level()
        closed = exporter.call(pools.facility, facility.id)
        with pytest.raises(ClientError, match="closed"):
            financier.call(pools.draw, closed, [Drawing(ids[0])], countersign=signs(stage, seller))
        left = [outcomes[1].claim, outcomes[3].claim, outcomes[0].claim]
        done = financier.call(pools.release_from_pool, left, progress=lambda *_: None)
        assert [receipt.code for receipt in done] == ["ok", "ok", "already_done"]


def test_drawings_are_batched_by_number_and_by_what_is_acknowledged() -> None:
    facility = Facility(
        digest("f"), "lei:S", "lei:F", "open", TERMS, TERMS, "none", (), b"", 0, opened_ms=0, changed_ms=0
    )
    many = [Drawing(digest(str(index))) for index in range(1_000)]
    batches = pools.drawing_batches(facility, many)
    assert [len(batch) for batch, _ in batches] == [100] * 10
    assert [len(operations) for _, operations in batches] == [100] * 10
    assert tuple(each for batch, _ in batches for each in batch) == tuple(many)
    heavy = [Drawing(digest(str(index)), acknowledged=tuple(map(digest, map(str, range(500))))) for index in range(30)]
    assert [len(batch) for batch, _ in pools.drawing_batches(facility, heavy)] == [12, 12, 6]
