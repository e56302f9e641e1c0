"""The search certificates that this node has handed out: the newest, as many as there is room for.

The requester's own copy is the evidence; this one is for whoever lost it. So the oldest go when the room is used up,
and a certificate is handed out without waiting for the disk.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from threading import Lock
from typing import Any, Final

from node.layout import CERTIFICATE, read_list
from node.store import Store
from registry.codec import encode

__all__ = ["ISSUED_BYTES_MAX", "ISSUED_MAX", "Issued"]

ISSUED_MAX: Final = 100_000  # certificates kept
ISSUED_BYTES_MAX: Final = 1024 * 1024 * 1024  # of all of them; one of 256 fingerprints may have 10 MB

# Numbers are hexadecimal, so these are the keys of no certificate.
_KEPT_KEY: Final = CERTIFICATE + b"kept"  # [oldest place, next place, bytes]
_ORDER: Final = CERTIFICATE + b"order/"  # <place> -> [number, bytes]


class Issued:
    """Certificates in the order of their issue. Any thread may call `keep`."""

    def __init__(self, store: Store, *, count_max: int = ISSUED_MAX, bytes_max: int = ISSUED_BYTES_MAX) -> None:
        self._store = store
        self._count_max = count_max
        self._bytes_max = bytes_max
        self._lock = Lock()

    def keep(self, certificate: Mapping[str, Any]) -> None:
        """Keep a certificate, in the place of the oldest ones if need be; one that is there already stays."""
        number = str(certificate["number"]).encode()
        data = json.dumps(certificate, separators=(",", ":")).encode()
        with self._lock:
            if self._store.get(CERTIFICATE + number) is None:
                self._store.write(self._puts(number, data), sync=False)

    def _puts(self, number: bytes, data: bytes) -> dict[bytes, bytes | None]:
        """What to write for one more certificate, the oldest deleted in the same batch."""
        kept = self._store.get(_KEPT_KEY)
        oldest, place, size = (0, 0, 0) if kept is None else read_list(kept, "list of certificates", 3)
        puts: dict[bytes, bytes | None] = {}
        size += len(data)
        while oldest < place and (size > self._bytes_max or place - oldest >= self._count_max):
            gone, gone_size = read_list(self._store.get(_order_key(oldest)) or b"", "list of certificates", 2)
            puts[_order_key(oldest)] = puts[CERTIFICATE + gone] = None
            size -= gone_size
            oldest += 1
        puts[CERTIFICATE + number] = data
        puts[_order_key(place)] = encode([number, len(data)])
        puts[_KEPT_KEY] = encode([oldest, place + 1, size])
        return puts


def _order_key(place: int) -> bytes:
    return _ORDER + place.to_bytes(8, "big")
