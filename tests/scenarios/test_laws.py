"""S1, S2 and S10: what parties do on real nodes, and what the laws then say of it to a regulator, who sees it all.

Inside the network one of them is funded and the others are refused; the laws are asked about all of them, as if the
others had paid none the less. What no ledger knows (when they concluded, what they paid, what is said to have happened
before they met here) is given to the question; filings and notices come from the ledger where that can hold them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from clients.errors import Refused
from clients.exporter import ExporterClient, Listing
from clients.filings import record_filing
from clients.financier import FinancierClient
from clients.law import OfReceivable, rank_receivable
from clients.notices import acknowledge, notify
from registry.law.case import Case, Claim, Contract, Knowledge, Notice
from registry.law.shipped import shipped_profiles
from registry.money import Money, claim_share
from tests.cast import AUTHORITIES, Cast, listing, offer_to
from tests.clients.stage import Stage, admit, digest, newcomer
from tests.registry.law.world import ms

pytestmark = pytest.mark.processes

WHOLE_CNY = Money("CNY", 100_000_000)
AS_OF = "2126-07-31"  # after everything that these nodes may record


@pytest.fixture(scope="module")
def overseer(cast: Cast) -> str:
    """A regulator, admitted by the authorities."""
    party = newcomer("regulator")
    admit(Stage(cast), [party])
    return party.id


@dataclasses.dataclass(frozen=True)
class Sold:
    """A receivable that was offered to several, of whom the first has funded it; claims by the financier's name."""

    receivable: bytes
    amount: Money
    claims: dict[str, bytes]

    def facts(self, name: str, concluded: str, funded: str | None = None, **more: object) -> Claim:
        paid = None if funded is None else Money.parse(funded, currency=self.amount.currency)
        id_, holder = self.claims[name].hex(), AUTHORITIES[name][0]
        return Claim(id=id_, claimant=holder, concluded_ms=ms(concluded), funded=paid, **more)  # type: ignore[arg-type]

    def asked(self, cast: Cast, overseer: str, laws: Sequence[str], *facts: Claim, collected: bool = False) -> Said:
        known = Case(
            reference="R",
            amount=self.amount,
            as_of_ms=ms(AS_OF),
            claims=facts,
            contract=Contract(ban=False),
            collected=self.amount if collected else None,
        )
        cast.level()
        with Stage(cast).regulator(overseer) as client:
            profiles = shipped_profiles()
            found = client.call(rank_receivable, self.receivable, profiles=profiles, known=known, laws=laws)
        return Said(found, {claim.hex(): name for name, claim in self.claims.items()})


@dataclasses.dataclass(frozen=True)
class Said:
    """The opinion, by the names of the financiers."""

    found: OfReceivable
    names: dict[str, str]

    def order(self, law: str) -> tuple[str, ...]:
        (answer,) = [one for one in self.found.opinion.answers if one.profile.code == law]
        return tuple([self.names[standing.claim] for standing in answer.order.standings])

    def awards(self, law: str) -> dict[str, str]:
        (answer,) = [one for one in self.found.opinion.answers if one.profile.code == law]
        assert answer.awards is not None
        return {self.names[claim]: money.text for claim, money in answer.awards.items()}


def sold(cast: Cast, seller: ExporterClient, made: Listing, shares: dict[str, str]) -> Sold:
    """Offered to all of them; the first funds, and the others are refused what they want, on the record."""
    whole = Money(made.particulars.currency, made.particulars.amount_minor)
    receivable = seller.register(made).receivable
    claims = {
        name: offer_to(seller, receivable, name, claim_share(Money.parse(one, currency=whole.currency), whole=whole))
        for name, one in shares.items()
    }
    first, *others = claims
    with cast.financier(first) as financier:
        financier.finance(claims[first])
    for other in others:
        with cast.financier(other) as financier, pytest.raises(Refused) as refusal:
            financier.finance(claims[other])
        assert (refusal.value.code, refusal.value.related) == ("over_residual", (receivable, claims[first]))
    return Sold(receivable, whole, claims)


def file(financier: FinancierClient, claim: bytes, day: str) -> None:
    """In every register that a law of S1 counts."""
    for register in ("CN:ZHONGDENG", "US-NY:UCC1", "AE:EIRC"):
        times = {"filed_ms": ms(day), "lapses_ms": ms("2130-01-01")}
        financier.call(record_filing, claim, register=register, number=digest(f"{register} {day}"), **times)


def test_s1_one_receivable_three_laws_three_winners(cast: Cast, overseer: str) -> None:
    made = listing("TJ-2026-00417", 10_000_000, currency="USD")
    with cast.exporter() as seller:
        one = sold(cast, seller, made, {"f-cn": "80000.00", "f-sg": "85000.00", "f-de": "90000.00"})
    with cast.financier("f-cn") as f_cn, cast.financier("f-de") as f_de:
        file(f_cn, one.claims["f-cn"], "2026-05-05")
        file(f_de, one.claims["f-de"], "2026-05-04")  # pre-filed: of its offer, for it was never funded here
    told_on_day_3 = (Notice(received_ms=ms("2026-05-03")),)
    facts = (
        one.facts("f-cn", "2026-05-01", "80000.00"),
        one.facts("f-sg", "2026-05-02", "85000.00", notices=told_on_day_3),
        one.facts("f-de", "2026-05-03", "90000.00"),
    )
    laws = ("CN", "US-NY", "AE", "GB-EW", "SG", "HK", "DE", "FR")
    said = one.asked(cast, overseer, laws, *facts)
    assert {law: said.order(law) for law in laws} == {
        **dict.fromkeys(("CN", "US-NY", "AE"), ("f-de", "f-cn", "f-sg")),
        **dict.fromkeys(("GB-EW", "SG", "HK"), ("f-sg", "f-cn", "f-de")),
        **dict.fromkeys(("DE", "FR"), ("f-cn", "f-sg", "f-de")),
    }
    assert said.found.opinion.winner_depends_on_law
    assert (said.found.claims_not_shown, said.found.filings_not_shown, said.found.notices_not_shown) == ((), (), ())


def test_s2_pro_rata_until_a_notice_arrives(cast: Cast, overseer: str) -> None:
    made = listing("TJ-2026-00418", 100_000_000, currency="CNY")
    fundings = {"f-cn": "800000.00", "f-sg": "600000.00", "f-de": "433333.33"}
    with cast.exporter() as seller:
        registered = seller.prepare([made])[0]
        dossier = registered.dossiers[0]
        seller.submit(registered)
        receivable = dossier.receivable
        claims = {
            name: offer_to(seller, receivable, name, claim_share(Money.parse(one, currency="CNY"), whole=WHOLE_CNY))
            for name, one in fundings.items()
        }
    with cast.financier("f-cn") as f_cn:
        f_cn.finance(claims["f-cn"])
    one = Sold(receivable, WHOLE_CNY, claims)
    days = ("2026-05-01", "2026-05-02", "2026-05-03")
    facts = [one.facts(name, day, paid) for (name, paid), day in zip(fundings.items(), days, strict=True)]
    said = one.asked(cast, overseer, ["CN"], *facts, collected=True)
    assert said.awards("CN") == {"f-cn": "436363.64", "f-sg": "327272.73", "f-de": "236363.63"}

    text, account = digest("notice of S2"), digest("account of F_DE")
    with cast.financier("f-de") as f_de, cast.debtor() as debtor:
        notice = f_de.call(notify, claims["f-de"], channel="courier", text=text, account=account)
        assert one.asked(cast, overseer, ["CN"], *facts, collected=True).awards("CN")["f-de"] == "236363.63", (
            "sent only"
        )
        debtor.call(acknowledge, notice, text=text, account=account, dossier=dossier)
    said = one.asked(cast, overseer, ["CN"], *facts, collected=True)
    assert said.awards("CN") == {"f-de": "1000000.00", "f-cn": "0.00", "f-sg": "0.00"}


def test_s10_c_548_18_and_the_certificate_that_showed_the_first(cast: Cast, overseer: str) -> None:
    made = listing("ACCOUNT-548-18", 1_390_164)
    with cast.exporter() as seller:
        one = sold(cast, seller, made, {"f-de": "13901.64", "f-gb": "13901.64"})
    laws = ("DE", "GB-EW", "SG", "HK")
    first = one.facts("f-de", "2011-03-29", "13901.64")
    notified = (Notice(received_ms=ms("2012-09-20")),)
    second = one.facts("f-gb", "2011-06-15", "13901.64", notices=notified)
    said = one.asked(cast, overseer, laws, first, second)
    assert {law: said.order(law)[0] for law in laws} == {"DE": "f-de", **dict.fromkeys(laws[1:], "f-gb")}
    assert said.found.opinion.winner_depends_on_law

    cast.level()
    with cast.financier("f-gb") as f_gb:
        certificate = f_gb.search(made.particulars, purpose="before funding")
    shown = {match for result in certificate["results"] for match in result["matches"]}
    assert one.receivable.hex() in shown  # had it been of before 2011-06-15:
    knew = (Knowledge(one.claims["f-de"].hex(), ms("2011-06-14")),)
    said = one.asked(cast, overseer, laws, first, dataclasses.replace(second, knew_of=knew))
    assert {law: said.order(law)[0] for law in laws} == dict.fromkeys(laws, "f-de")
    assert not said.found.opinion.winner_depends_on_law
