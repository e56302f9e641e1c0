"""The state tree as its definition says it, slow and obviously right; shares no code with the package."""

from hashlib import sha256

EMPTY = bytes(32)


def bit(path: bytes, level: int) -> int:
    return path[level // 8] >> (7 - level % 8) & 1


def reference_root(entries: dict[bytes, bytes], level: int = 0) -> bytes:
    """The hash of the node at `level` over entries (path -> value hash) that share their first bits."""
    if not entries:
        return EMPTY
    if len(entries) == 1:
        ((path, value_hash),) = entries.items()
        return sha256(b"\x00" + path + value_hash).digest()
    left = {path: value for path, value in entries.items() if not bit(path, level)}
    right = {path: value for path, value in entries.items() if bit(path, level)}
    return sha256(b"\x01" + reference_root(left, level + 1) + reference_root(right, level + 1)).digest()


class MemoryPages:
    """A store of pages in a dict, and what node/ does around an update."""

    def __init__(self) -> None:
        self.stored: dict[bytes, bytes] = {}

    def read(self, key: bytes) -> bytes | None:
        return self.stored.get(key)

    def write(self, records) -> None:
        for key, page in records:
            if page is None:
                del self.stored[key]  # an update deletes only what is there
            else:
                self.stored[key] = page
