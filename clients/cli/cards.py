"""Cards on the command line: read from files, checked before anything is sent, and shown to whoever proposes them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from clients.cli.context import errors, plain, text_of
from clients.errors import ClientError
from registry.cards import Card, KeyCard, card_from_toml, key_card_from_toml
from registry.errors import FieldError
from registry.keys import key_id
from registry.parties import Party

__all__ = ["CardArgument", "KeyCardArgument", "card_in", "described", "key_card_in", "named", "tell"]

CardArgument = Annotated[
    Path, typer.Argument(metavar="CARD", help="The card of `nemodat party init`, `node init` or `node renew`.")
]
KeyCardArgument = Annotated[Path, typer.Argument(metavar="CARD", help="The new key's card, of `nemodat key card`.")]


def card_in(path: Path) -> Card:
    """The card in a file. Raises `ClientError` naming file and field, `OSError`."""
    with named(path):
        return card_from_toml(text_of(path, "a card"))


def key_card_in(path: Path) -> KeyCard:
    """The key's card in a file. Raises `ClientError` naming file and field, `OSError`."""
    with named(path):
        return key_card_from_toml(text_of(path, "a key's card"))


@contextmanager
def named(path: Path) -> Iterator[None]:
    """What is wrong with a field is wrong with this file."""
    try:
        yield
    except FieldError as error:
        raise ClientError(f"{path}: {error}") from error


def described(party: Party) -> dict[str, Any]:
    """Who a newcomer is, and the fingerprints of its keys, as `nemodat party init` printed them."""
    return {
        "name": party.name,
        "identifiers": list(party.identifiers),
        "country": party.country,
        "roles": list(party.roles),
        "sign_keys": [key_id(key) for key in party.sign_keys],
        "owner_key": key_id(party.owner_key),
        "receive_key": key_id(party.receive_key) if party.receive_key else "none",  # no proof binds it: look at it
    }


def tell(doing: str, what: dict[str, Any]) -> None:
    """What is about to be proposed, on standard error, so that results can be piped."""
    errors.print(f"about to {doing}:", highlight=False)
    for name, value in what.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        errors.print(f"  {name.replace('_', ' ')}: {plain(shown)}", highlight=False, soft_wrap=True)
