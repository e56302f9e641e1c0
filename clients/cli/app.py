"""All participant commands in one Typer application."""

from __future__ import annotations

import typer

from clients.cli import (
    authorities,
    certificates,
    claims,
    contacts,
    disputes,
    drafts,
    events,
    export,
    external,
    filings,
    forms,
    inclusion,
    instalments,
    law,
    law_receivable,
    notices,
    operations,
    packs,
    parties,
    pools,
    portfolios,
    receivables,
    reconcile,
    search,
    texts,
    transactions,
)

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)
app.add_typer(
    receivables.app, name="receivable", help="Register, confirm, reject, adjust, expire and show receivables."
)
app.add_typer(claims.app, name="claim", help="Offer, reserve, fund, hand on and end claims.")
app.add_typer(disputes.app, name="dispute", help="Raise, answer, take up and end disputes.")
app.add_typer(drafts.app, name="draft", help="Transactions that several parties sign: show, sign, send.")
app.add_typer(transactions.app, name="transaction", help="A transaction that a command left undecided: resume it.")
app.add_typer(filings.app, name="filing", help="Official filings of claims: record, continue, end, what is due.")
app.add_typer(contacts.app, name="contact", help="Contact with the other side of a match: ask, answer, show, list.")
app.add_typer(pools.app, name="pool", help="Facilities, blankets, drawings and borrowing bases of pools.")
app.add_typer(parties.app, name="party", help="Parties, their keys and attestations; as an authority, changes of them.")
app.add_typer(authorities.app, name="authority", help="Who decides what is final; as an authority, changes of that.")
app.add_typer(certificates.app, name="certificate", help="Verify certificates offline; checkpoints of regulators.")
app.add_typer(portfolios.app, name="portfolio", help="Bring an existing portfolio onto the ledger, resumable.")
app.add_typer(reconcile.app, name="reconcile", help="Compare a book with the ledger, or with another book.")
app.add_typer(external.app, name="external", help="Claims asserted outside this ledger: record, import, end, look.")
app.add_typer(texts.app, name="text", help="Show standard texts in English and Chinese, and their digests.")
app.add_typer(export.app, name="export", help="Write an assignment for other systems and official registers.")
receivables.app.command("instalments")(instalments.instalments)
receivables.app.command("pack")(packs.pack)
receivables.app.command("pack-verify")(packs.pack_verify)
claims.app.command("take-out")(forms.take_out)
claims.app.command("syndicate")(forms.syndicate)
claims.app.command("cover")(forms.cover)
app.add_typer(law.app, name="law", help="Who comes first under each law, and whom the debtor may pay.")
law.app.command("receivable", epilog=law.CASE_FIELDS)(law_receivable.rank_receivable)
app.add_typer(notices.app, name="notice", help="Give notice of assignments to debtors, acknowledge and prove them.")
app.add_typer(operations.app, name="operation", help="What can be done on the ledger: fields, roles, reasons. Offline.")
app.add_typer(inclusion.app, name="inclusion", help="A transaction that does not become final: who has it; report it.")
app.command("search")(search.search)
app.command("events")(events.events)
