"""What is the only copy is on the disk, with its name in its folder, before anything is sent that depends on it."""

from __future__ import annotations

import os
import stat
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.table import Table

from clients.cli.context import write_private
from clients.cli.found import Found
from clients.cli.registrations import register_listings
from clients.dossier import Dossier
from clients.errors import Unreachable
from clients.exporter import prepare
from clients.files import private_folder
from clients.session import Session
from tests.cast import EXP_CN, key_of
from tests.clients.stage import unlike
from tests.registry.world import genesis


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The inodes that were synced, in order."""
    found: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: found.append(os.fstat(descriptor).st_ino))
    return found


def inode(path: Path) -> int:
    return path.stat().st_ino


def test_a_folder_that_is_made_has_its_name_on_the_disk(tmp_path: Path, synced: list[int]) -> None:
    folder = tmp_path / "2026" / "may"
    private_folder(folder)
    assert synced == [inode(tmp_path), inode(folder.parent)]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    private_folder(folder)
    assert len(synced) == 2, "it is there"


def test_a_private_file_is_synced_and_then_its_name(tmp_path: Path, synced: list[int]) -> None:
    file = tmp_path / "kept"
    file.write_bytes(b"before")
    file.chmod(0o644)
    write_private(file, b"secret")
    assert synced == [inode(file), inode(tmp_path)]
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"secret", 0o600)


def test_dossiers_and_their_names_are_on_the_disk_before_anything_is_sent(tmp_path: Path, synced: list[int]) -> None:
    folder = tmp_path / "dossiers"
    session = Session(genesis=genesis(), party=EXP_CN, signer=key_of(EXP_CN))
    at_sending: list[int] = []

    def cut_off(_: Any) -> None:
        at_sending.extend(synced)
        raise Unreachable("no node answered")

    client: Any = SimpleNamespace(
        call=lambda _, listings: tuple(listings), prepare=partial(prepare, session), submit=cut_off
    )
    found = [Found("a.xml", unlike()), Found("b.xml", unlike())]
    with pytest.raises(Unreachable):
        register_listings(client, found, Table(), folder, as_json=True)
    files = list(folder.iterdir())
    assert {Dossier.from_json(file.read_text()).particulars for file in files} == {
        each.listing.particulars for each in found
    }
    assert at_sending[0] == inode(tmp_path), "the folder is there"
    assert set(at_sending[1:-1]) == set(map(inode, files)), "what is in them"
    assert at_sending[-1] == inode(folder), "and their names"
