"""All participant commands in one Typer application."""

from __future__ import annotations

import typer

from clients.cli import certificates, claims, parties, pools, receivables, search

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)
app.add_typer(receivables.app, name="receivable", help="Register, confirm, reject, adjust and show receivables.")
app.add_typer(claims.app, name="claim", help="Offer, reserve, fund, hand on and end claims.")
app.add_typer(pools.app, name="pool", help="Facilities, blankets, drawings and borrowing bases of pools.")
app.add_typer(parties.app, name="party", help="Show parties; as an authority, propose and approve admissions.")
app.add_typer(certificates.app, name="certificate", help="Verify certificates offline.")
app.command("search")(search.search)
