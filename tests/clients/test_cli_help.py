"""`--help` of every command: what it is for, an example that parses, exit codes, JSON wherever something is listed."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from click.testing import CliRunner

from node import cli

SETTINGS = {
    "NEMODAT_GENESIS": "genesis.toml",
    "NEMODAT_URL": "https://node.example:8001",
    "NEMODAT_PARTY": "lei:984500CNFACTOR000128",
    "NEMODAT_KEY": "sign.json",
}
# What these print is a document of its own, not data: a text to sign, a file for another system, a log line.
DOCUMENTS = {
    "text show",
    "law example",
    "party init",
    "node init",
    "node join",
    "node run",
    "genesis create",
    "node backup",
    "node restore",
    "node renew",
    "node reset",
}
SHARED = {"genesis": "--genesis", "url": "--url", "party": "--party", "key": "--key", "as_json": "--json"}


def commands() -> dict[str, Any]:
    """Every command by its words after `nemodat`."""
    if not any(group.name == "receivable" for group in cli.app.registered_groups):
        cli._mount_participants()

    def walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        if hasattr(command, "commands"):
            for name, below in command.commands.items():
                yield from walk(below, (*words, name))
        else:
            yield " ".join(words), command

    return dict(walk(typer.main.get_command(cli.app), ()))


COMMANDS = commands()


def source(command: Any) -> str:
    return inspect.getsource(inspect.unwrap(command.callback))


def examples(command: Any) -> list[str]:
    """The examples in a command's help, each joined to one line."""
    paragraphs = re.split(r"\n\s*\n", inspect.cleandoc(inspect.unwrap(command.callback).__doc__ or ""))
    return [" ".join(each.split())[9:] for each in paragraphs if each.startswith("Example: ")]


def options(command: Any) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts}


def test_there_are_commands() -> None:
    assert len(COMMANDS) > 90
    assert not DOCUMENTS - set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS)
def test_a_command_says_what_it_is_for(words: str) -> None:
    command = COMMANDS[words]
    assert len(command.help.split("\n")[0]) > 15
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{words}: {parameter.name} is not explained"


@pytest.mark.parametrize("words", COMMANDS)
def test_its_examples_parse(words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = COMMANDS[words]
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    for parameter in command.params:
        if hasattr(parameter, "type_descriptor"):  # no file of an example is here
            monkeypatch.setattr(parameter.type_descriptor.parameter_info, "exists", False)
    found = examples(command)
    assert found, f"{words} has no example"
    for example in found:
        typed = shlex.split(example.partition(" > ")[0])
        assert typed[: len(words.split()) + 1] == ["nemodat", *words.split()]
        command.make_context(words, typed[len(words.split()) + 1 :])


def test_an_example_that_does_not_parse_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Exception, match=r"[Nn]o such option"):
        COMMANDS["claim show"].make_context("claim show", ["9f86", "--nothing"])


@pytest.mark.parametrize("words", COMMANDS)
def test_what_lists_something_can_print_json(words: str) -> None:
    if words in DOCUMENTS or words.startswith("export "):
        return
    code, has_json = source(COMMANDS[words]), "--json" in options(COMMANDS[words])
    for_people = re.search(r"tabulate\(|console\.print|typer\.echo|_table\(|_told\(|_tell_key\(", code)
    as_json = re.search(r"show\(|_done\(|_propose\(|first_signed|two_sided", code)
    assert has_json or (as_json and not for_people), words


@pytest.mark.parametrize("words", COMMANDS)
def test_names_are_the_same_everywhere(words: str) -> None:
    command = COMMANDS[words]
    for parameter in command.params:
        for name in parameter.opts:
            if name.startswith("--"):
                assert re.fullmatch(r"--[a-z]+(-[a-z]+)*", name), f"{words} {name}"
        if (
            parameter.name in SHARED
            and parameter.opts[0].startswith("-")
            and not words.startswith(("node ", "genesis "))
        ):
            assert SHARED[parameter.name] in parameter.opts, words
    if "-o" in options(command):
        assert "--output" in options(command), words


def bracketed(command: Any) -> Iterator[tuple[Any, list[str]]]:
    """Of a command and all below it, those in whose help something stands in brackets, with that."""
    written = (command.help, command.epilog, *(getattr(each, "help", None) for each in command.params))
    if words := re.findall(r"\[[^]]*]", " ".join(filter(None, written)).replace("\\[", "[")):
        yield command, words
    for below in getattr(command, "commands", {}).values():
        yield from bracketed(below)


@pytest.mark.parametrize(("command", "words"), list(bracketed(typer.main.get_command(cli.app))))
def test_what_stands_in_brackets_is_shown(command: Any, words: list[str]) -> None:
    """Rich takes a `[word]` for markup unless it is escaped, and shows nothing of it."""
    shown = re.sub(r"[│\s]", "", CliRunner().invoke(command, ["--help"], env={"COLUMNS": "250"}).output)
    assert [word for word in words if re.sub(r"\s", "", word) not in shown] == []


@pytest.mark.parametrize("words", COMMANDS)
def test_an_exit_code_of_its_own_is_documented(words: str) -> None:
    command = COMMANDS[words]
    if "EXIT_LOOK" in source(command):
        assert re.search(r"[Ee]xit code 3", command.help), words


def test_exit_codes_are_explained_at_the_root_and_in_every_group() -> None:
    root = typer.main.get_command(cli.app)
    for code in ("0 done", "1 not done", "2 wrong usage", "3 done", "70 the node"):
        assert code in str(root.epilog)
