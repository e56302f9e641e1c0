"""What the laws say of a receivable on the ledger, by command against real nodes."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from clients.errors import Refused, Stale
from clients.exporter import Listing
from clients.filings import continue_filing, filings_of, own_filings, record_filing
from clients.law import rank_receivable
from clients.notices import notices_of, notify
from clients.session import compose
from registry.errors import FieldError
from registry.law.shipped import shipped_profiles
from registry.transactions.claims import Reassign
from tests.cast import AUTHORITIES, EXP_CN, TERMS, Cast, key_of
from tests.clients.liar import lying
from tests.clients.stage import Stage, digest, offered, unlike, until_ms
from tests.clients.test_cli import DONE, LOOK, Desk, complaint

pytestmark = pytest.mark.processes

F_CN, F_SG, F_DE = (AUTHORITIES[name][0] for name in ("f-cn", "f-sg", "f-de"))


@pytest.fixture(scope="module")
def desk(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("law"), cast)


def registered(cast: Cast, listing: Listing) -> tuple[str, str, str]:
    """A receivable, and offers of it to F_CN and to F_SG."""
    with Stage(cast).exporter() as client:
        (made,) = client.register_all([listing])
        offers = [
            client.offer(made.receivable, to=to, share=10**12 // 2, terms=TERMS, valid_until_ms=until_ms()).claim.hex()
            for to in (F_CN, F_SG)
        ]
    return made.receivable.hex(), offers[0], offers[1]


def test_ledger_and_own_knowledge_are_ranked_under_the_receivables_laws(desk: Desk, cast: Cast, tmp_path: Path) -> None:
    receivable, first, second = registered(cast, unlike(laws=("CN", "SG", "DE", "IT")))
    desk.by(F_CN, "claim", "finance", first)
    filed = ("--register", "CN:ZHONGDENG", "--number", "Z-1", "--filed", "2026-05-05")
    assert desk.by(F_CN, "filing", "record", first, *filed).code == DONE
    alone = desk.by(F_CN, "law", "receivable", receivable, "--json").json
    assert [(law["law"], law["winners"]) for law in alone["laws"]] == [(law, [first]) for law in ("CN", "SG", "DE")]
    assert (alone["without_profile"], alone["claims_not_shown"]) == (["IT"], [second])
    assert alone["amount"] == "EUR 100.00"

    facts = tmp_path / "facts.json"
    told = {"id": second, "concluded": "2026-05-02", "funded": "500.00", "notices": [{"received": "2026-05-03"}]}
    mine = {"id": first, "concluded": "2026-05-01", "funded": "500.00"}
    case = {"reference": "A-1", "currency": "EUR", "amount": "1000.00", "as_of": "2126-07-31", "claims": [mine, told]}
    facts.write_text(json.dumps(case))
    ended = desk.by(EXP_CN, "law", "receivable", receivable, "--amounts", facts, "--json")
    found = json.loads(ended.out)
    assert ended.code == LOOK
    # The seller is not shown the filing of F_CN: under CN the notice decides as in SG.
    assert {law["law"]: law["winners"] for law in found["laws"]} == {"CN": [second], "SG": [second], "DE": [first]}
    ended = desk.by(F_CN, "law", "receivable", receivable, "--amounts", facts, "--json")
    assert {law["law"]: law["winners"] for law in json.loads(ended.out)["laws"]} == {
        "CN": [first],
        "SG": [second],
        "DE": [first],
    }
    assert (found["amount"], found["claims_not_shown"]) == ("EUR 1000.00", [])
    assert (found["filings_not_shown"], found["notices_not_shown"]) == ([F_CN, F_SG], [])
    told_to_f_cn = json.loads(ended.out)
    assert (told_to_f_cn["filings_not_shown"], told_to_f_cn["notices_not_shown"]) == ([second], [second])


def test_the_facts_of_a_claim_go_with_it_to_who_takes_it_over(cast: Cast) -> None:
    """Filings and notices of the first holder: read, ranked and continued by the second, and by no other party."""
    stage = Stage(cast)
    genesis = cast.devnet.genesis
    with (
        stage.exporter() as seller,
        stage.financier("f-cn") as first,
        stage.financier("f-sg") as second,
        stage.financier("f-de") as rival,
    ):
        made = seller.register(unlike(laws=("US-NY", "SG")))
        claim = offered(seller, made.receivable, "f-cn", 10**12 // 2)
        other = offered(seller, made.receivable, "f-de", 10**12 // 2)
        first.finance(claim)
        now_ms = time.time_ns() // 1_000_000
        filed = {"register": "US-NY:UCC1", "number": digest("UCC-1"), "filed_ms": now_ms - 1_000_000}
        filing = first.call(record_filing, claim, **filed, lapses_ms=now_ms + 10**12).subject
        notice = first.call(notify, claim, channel="courier", text=digest("notice"), account=digest("account"))
        rival.finance(other)
        stage.level()
        assert second.call(filings_of, claim) is None
        handed = compose(genesis, [Reassign(claim, F_SG)], signers=[key_of(one).public_key for one in (F_CN, F_SG)])
        signatures = {key.public_key: handed.sign(genesis, key) for key in map(key_of, (F_CN, F_SG))}
        second.send(handed, signatures)

        stage.level()
        assert [one.id for one in second.call(filings_of, claim)] == [filing]
        assert filing in {one.id for one in second.call(own_filings)}
        assert filing not in {one.id for one in first.call(own_filings)}
        assert [(one.id, one.holder) for one in second.call(notices_of, claim)] == [(notice, F_CN)]
        assert (rival.call(filings_of, claim), rival.call(notices_of, claim)) == (None, None)
        with pytest.raises(Refused, match="not_holder"):
            first.call(continue_filing, filing, number=digest("UCC-3"), lapses_ms=now_ms + 2 * 10**12)
        second.call(continue_filing, filing, number=digest("UCC-3"), lapses_ms=now_ms + 2 * 10**12)

        ranked = second.call(rank_receivable, made.receivable, profiles=shipped_profiles(), laws=["US-NY"])
        assert ranked.opinion.answers[0].order.winners == (claim.hex(),)
        assert ranked.claims_not_shown == (other,)
        as_seen_by_rival = rival.call(rank_receivable, made.receivable, profiles=shipped_profiles(), laws=["US-NY"])
        assert as_seen_by_rival.opinion.answers[0].order.winners == (other.hex(),)
        assert as_seen_by_rival.claims_not_shown == (claim,)


def test_records_from_before_the_block_that_it_is_as_of_are_not_ranked(cast: Cast) -> None:
    """A claim that was given up would still come first, and the debtor pay the wrong one."""
    stage = Stage(cast)
    asked = {"profiles": shipped_profiles(), "laws": ["SG"]}
    with (
        lying(cast.devnet.url("f-cn")) as relay,
        stage.exporter() as seller,
        stage.exporter(urls=[relay.url]) as misled,
        stage.financier("f-cn") as first,
    ):
        made = seller.register(unlike(laws=("SG",)))
        claim = offered(seller, made.receivable, "f-cn", 10**12 // 2)
        first.finance(claim)
        ranked = misled.call(rank_receivable, made.receivable, **asked)
        assert ranked.opinion.answers[0].order.winners == (claim.hex(),)
        first.release(claim)
        del relay.known["GET", "/v1/blocks/latest"]  # the newest block, and all records as they were before
        with pytest.raises(Stale, match="block"):
            misled.call(rank_receivable, made.receivable, **asked)
        relay.known.clear()
        with pytest.raises(FieldError, match="none is funded"):
            misled.call(rank_receivable, made.receivable, **asked)


def test_in_words_of_both_languages_and_what_is_wrong(desk: Desk, cast: Cast) -> None:
    receivable, first, _ = registered(cast, unlike(laws=("IT",)))
    assert "none is funded" in complaint(desk.by(F_CN, "law", "receivable", receivable))
    desk.by(F_CN, "claim", "finance", first)
    assert "no profile for any of its candidate laws: IT" in complaint(desk.by(F_CN, "law", "receivable", receivable))
    said = desk.by(F_CN, "law", "receivable", receivable, "--law", "DE")
    assert (said.code, "not shown to this party" in said.out, "Priority:" in said.out) == (DONE, True, True)
    assert "未向本方披露" in desk.by(F_CN, "law", "receivable", receivable, "--law", "DE", "--language", "zh").out
    assert "XX has no profile" in complaint(desk.by(F_CN, "law", "receivable", receivable, "--law", "XX"))
    assert "no such receivable" in complaint(desk.by(F_DE, "law", "receivable", receivable))
