"""A standard text filled in, and the digest of it that a ledger operation pins."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from registry.texts.catalogue import LANGUAGES, PLACEHOLDER, StandardText, UnknownText, standard_text
from registry.texts.parameters import BadParameter, words_of

__all__ = ["MissingParameter", "UnknownParameter", "digest_of_rendered", "render", "text_digest"]


class MissingParameter(BadParameter):
    """A parameter that the text says is not given."""


class UnknownParameter(BadParameter):
    """A parameter is given that the text does not say."""


def render(text_id: str, language: str, parameters: Mapping[str, str]) -> str:
    """The text in words, as it is shown and signed: title, body, and a last line with its id, version and language.

    Lines end with a line feed. Raises `UnknownText`, `MissingParameter`, `UnknownParameter` and `BadParameter`.
    """
    text = standard_text(text_id)
    if language not in LANGUAGES:
        raise UnknownText("language", f"must be one of {', '.join(LANGUAGES)}")
    words = _words(text, language, parameters)
    body = PLACEHOLDER.sub(lambda found: words[found[1]], text.bodies[language])
    return f"{text.titles[language]}\n\n{body}\n\n[{text.id}, version {text.version}, {language}]\n"


def text_digest(text_id: str, language: str, parameters: Mapping[str, str]) -> bytes:
    """The 32 bytes that a ledger operation pins for this text: `digest_of_rendered` of `render`. Raises as `render`."""
    return digest_of_rendered(render(text_id, language, parameters))


def digest_of_rendered(rendered: str) -> bytes:
    """The SHA-256 of a text as it was shown, for whoever has the document and not its parameters.

    Over the words themselves, in UTF-8, because they are what was agreed to; the last line brings id, version and
    language under it. So it is the digest of a file with these words, which any tool says, and which the commands pin
    that take a file. It cannot be guessed from a known invoice: every text says a random document number.
    """
    return hashlib.sha256(rendered.encode()).digest()


def _words(text: StandardText, language: str, parameters: Mapping[str, str]) -> dict[str, str]:
    for name in text.parameters:
        if name not in parameters:
            raise MissingParameter(name, f"is missing: {text.id} says it")
    for name in parameters:
        if name not in text.parameters:
            raise UnknownParameter(str(name)[:60], f"is not a parameter of {text.id}")
    return {
        name: words_of(name, kind, parameters[name], language, text.choices.get(name, {}))
        for name, kind in text.parameters.items()
    }
