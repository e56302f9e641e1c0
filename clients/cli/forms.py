"""`nemodat claim take-out | syndicate | cover`: what more than a seller and one financier do."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Annotated

import typer

from clients import forms
from clients.base import Client
from clients.cli.claims import HOUR_MS, ClaimArgument
from clients.cli.context import (
    GenesisOption,
    KeyOption,
    PartyOption,
    UrlOption,
    access,
    problems,
    share,
    show,
    signing_key_of,
    subject,
)
from clients.cli.countersigning import first_signed
from clients.cli.receivables import ReceivableArgument, ShareOption
from clients.errors import ClientError
from registry.money import WHOLE

__all__ = ["cover", "syndicate", "take_out"]

OutputOption = Annotated[Path, typer.Option("--output", "-o", help="Where to write the draft.")]
TermsOption = Annotated[Path, typer.Option(help="The agreed terms; only their digest goes on the ledger.")]
OFFER_MS = HOUR_MS


def cover_share(given: str | int) -> int:
    """A share, or 0. Raises `typer.BadParameter`."""
    return 0 if str(given) == "0" else share(given)


def cover(
    claim: ClaimArgument,
    share: Annotated[int, typer.Option(parser=cover_share, metavar="SHARE", help='As "80%"; 0 ends the cover.')],
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
) -> None:
    """As the import factor: bear the credit risk for a share of a claim.

    Example: nemodat claim cover 9f86...0a08 --share 80%
    """
    with problems(), Client(**access(genesis, url, party, key)) as client:
        receipt = client.call(forms.cover, subject(claim, "claim"), share=share)
        show({"covered": receipt.subject.hex(), "transaction": receipt.transaction.hex()})


def take_out(
    claim: ClaimArgument,
    receivable: Annotated[str, typer.Option(help="What is financed now: the invoice under the order, say.")],
    to: Annotated[str, typer.Option(help="The financier that takes the old claim out.")],
    terms: TermsOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    share: ShareOption = WHOLE,
    output: OutputOption = Path("take-out.json"),
) -> None:
    """As the seller: have one claim released and another one funded, both or neither.

    The old holder and the new financier sign after you, within ten minutes: `nemodat draft sign`, then `draft send`.

    Example: nemodat claim take-out 9f86...0a08 --receivable 2c26...e7ae --to lei:984500SGBANK00000120 --share 90%
    --terms terms.pdf
    """
    with problems(), Client(**(settings := access(genesis, url, party, key))) as client:
        old = client.claim(subject(claim, "claim"))
        if old is None:
            raise ClientError("no such claim, or none that this party may see")
        draft = client.make(
            forms.take_out,
            old.id,
            subject(receivable, "receivable"),
            seller_key=settings["signer"].public_key,
            holder_key=signing_key_of(client, old.holder),
            new=forms.Part(party=to, key=signing_key_of(client, to), share=share),
            terms=_digest(terms),
            valid_until_ms=_now_ms() + OFFER_MS,
        )
        first_signed(draft, settings, output)


def syndicate(
    receivable: ReceivableArgument,
    part: Annotated[list[str], typer.Option(help="PARTY=SHARE, as lei:984500SGBANK00000120=40%; one for each.")],
    terms: TermsOption,
    genesis: GenesisOption,
    url: UrlOption,
    party: PartyOption,
    key: KeyOption,
    output: OutputOption = Path("syndicate.json"),
) -> None:
    """As the seller: have several financiers fund one receivable together, all or none.

    They sign after you, within ten minutes: `nemodat draft sign`, then `draft send`.

    Example: nemodat claim syndicate 9f86...0a08 --part lei:984500SGBANK00000120=40% --part
    lei:984500DEBANK00000124=60% --terms terms.pdf
    """
    with problems(), Client(**(settings := access(genesis, url, party, key))) as client:
        parts = []
        for text in part:
            financier, separator, amount = text.rpartition("=")
            if not separator:
                raise ClientError(f"--part {text}: PARTY=SHARE is expected")
            parts.append(forms.Part(party=financier, key=signing_key_of(client, financier), share=share(amount)))
        draft = client.make(
            forms.syndicate,
            subject(receivable, "receivable"),
            seller_key=settings["signer"].public_key,
            parts=parts,
            terms=_digest(terms),
            valid_until_ms=_now_ms() + OFFER_MS,
        )
        first_signed(draft, settings, output)


def _digest(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
