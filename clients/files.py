"""What must survive a power cut: a new file's name is on the disk only when the folder that has it is synced too."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["private_folder", "sync_folder"]


def sync_folder(folder: Path) -> None:
    """The names in a folder are on the disk when this returns. Raises `OSError`."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def private_folder(folder: Path) -> None:
    """Make a folder that its owner alone can enter, if there is none; it stays there. Raises `OSError`."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for made in reversed(missing):
        sync_folder(made.parent)
