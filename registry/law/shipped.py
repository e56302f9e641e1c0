"""The laws and the words that come with the package: its own data files, read as part of the program.

Nothing else in `law` reads anything; whoever has profiles or texts of another origin hands them to the same functions.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from registry.errors import FieldError
from registry.law.profiles import Profile, Rule, rules_from_toml
from registry.law.wording import Language, Texts

__all__ = ["conflict_rules", "example_case", "profiles_in", "shipped_profiles", "shipped_texts"]


@cache
def shipped_profiles() -> tuple[Profile, ...]:
    """All jurisdictions, by code."""
    return profiles_in(resources.files("registry.law").joinpath("jurisdictions"))


def profiles_in(folder: Traversable) -> tuple[Profile, ...]:
    """The laws of a folder, by code. Each stands in a file of its name; `FieldError` if one is broken or misnamed."""
    profiles = []
    for file in folder.iterdir():
        if not file.name.endswith(".toml"):
            continue
        try:
            profile = Profile.from_toml(file.read_text(encoding="utf-8"))
        except FieldError as error:
            raise FieldError(f"{file.name}: {error.field}", error.reason) from error
        if file.name != f"{profile.code.lower()}.toml":
            raise FieldError(file.name, f"holds the law {profile.code}")
        profiles.append(profile)
    return tuple(sorted(profiles, key=lambda each: each.code))


@cache
def shipped_texts(language: Language) -> Texts:
    """The words of a language."""
    return Texts.parse(_read(f"texts/{language}.toml"), language)


@cache
def conflict_rules() -> tuple[Rule, ...]:
    """On which law applies, and why none is chosen."""
    return rules_from_toml(_read("conflict.toml"))


def example_case() -> str:
    """A case as JSON: scenario S1 of `registry.md` 12."""
    return _read("example.json")


def _read(name: str) -> str:
    return resources.files("registry.law").joinpath(name).read_text(encoding="utf-8")
