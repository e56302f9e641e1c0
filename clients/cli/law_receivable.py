"""`nemodat law receivable ...`: what the laws say of a receivable on the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from clients.cli.context import (
    EXIT_LOOK,
    GenesisOption,
    JsonOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    console,
    plain,
    problems,
    show,
    subject,
)
from clients.cli.law import LanguageOption, print_opinion, read_case
from clients.cli.receivables import ReceivableArgument
from clients.financier import FinancierClient
from clients.law import rank_receivable as ranked
from registry.law.report import report
from registry.law.shipped import conflict_rules, shipped_profiles, shipped_texts
from registry.law.wording import Language

__all__ = ["rank_receivable"]

NOT_SHOWN: Final[Mapping[Language, str]] = {
    "en": "Claims and offers of others that are not shown to this party, and not weighed:",
    "zh": "以下为他人的债权主张或要约，未向本方披露，未予考虑：",
}
FILINGS_NOT_SHOWN: Final[Mapping[Language, str]] = {
    "en": "Official filings of these are not shown to this party; those in --amounts alone are weighed:",
    "zh": "以下各方的官方登记未向本方披露，仅考虑 --amounts 中所列者：",
}
NOTICES_NOT_SHOWN: Final[Mapping[Language, str]] = {
    "en": "Notices to the debtor of these are not shown to this party; those in --amounts alone are weighed:",
    "zh": "以下各方向债务人发出的通知未向本方披露，仅考虑 --amounts 中所列者：",
}
WITHOUT_PROFILE: Final[Mapping[Language, str]] = {
    "en": "Candidate laws that nothing is known of here:",
    "zh": "以下候选法域在此没有资料：",
}


def rank_receivable(
    receivable: ReceivableArgument,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    law: Annotated[
        list[str] | None, typer.Option("--law", help="A law, instead of the receivable's own. May be repeated.")
    ] = None,
    amounts: Annotated[
        Path | None,
        typer.Option(help="What you know beside the ledger: a case (below) that names claims on the ledger by id."),
    ] = None,
    language: LanguageOption = "en",
    as_json: JsonOption = False,
) -> None:
    """Read a receivable, its claims, and the filings and notices of yours with proof; say what each law makes of them.

    Without amounts the receivable stands for 100 units of its currency. Not legal advice.
    Exit code 3 if the winner depends on the law.

    Example: nemodat law receivable 9f86...0a08 --law CN --law SG --amounts case.json
    """
    with problems():
        known = None if amounts is None else read_case(amounts, None)
        with FinancierClient(**access(genesis, url, party, key)) as client:
            wanted = subject(receivable, "receivable")
            made = client.call(ranked, wanted, profiles=shipped_profiles(), known=known, laws=law or ())
        found = report(made.opinion, shipped_texts(language), conflict_rules())
    hidden = [claim.hex() for claim in made.claims_not_shown]
    if as_json:
        facts = {"filings_not_shown": list(made.filings_not_shown), "notices_not_shown": list(made.notices_not_shown)}
        show(found | {"claims_not_shown": hidden} | facts | {"without_profile": list(made.without_profile)})
    else:
        words = (NOT_SHOWN, FILINGS_NOT_SHOWN, NOTICES_NOT_SHOWN, WITHOUT_PROFILE)
        what_is_missing = (hidden, made.filings_not_shown, made.notices_not_shown, made.without_profile)
        notes = zip(words, what_is_missing, strict=True)
        for said, what in notes:
            if what:
                console.print(f"! {said[language]} {', '.join(map(plain, what))}", soft_wrap=True, highlight=False)
        print_opinion(found, language)
    if made.opinion.winner_depends_on_law:
        raise typer.Exit(EXIT_LOOK)
