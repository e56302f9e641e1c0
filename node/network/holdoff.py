"""Who broke a rule is kept out for a while, longer each time. Pure; no clock here.

A connection costs a handshake, and what comes over it up to a frame before it is refused: a peer that could come back
at once would have this node do that for ever. An honest peer breaks no rule; one that ran faulty software is let in
again after five minutes at most, and forgiven in the end, whether or not this node restarts.

Who it is, is known by the certificate alone, and only when the peer has proved in the TLS handshake that it has the
key: so nobody is held off for what others do in its name or from its address. TLS 1.3 shows the certificate after this
node's own part of the handshake, so a peer that is held off costs what any stranger can make this node do
(`mesh.HANDSHAKES_MAX` bounds it), and nothing more: no hello is said to it, and nothing that it says is read.
"""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["HELD_OFF_FIRST_S", "HELD_OFF_MOST_S", "HoldOff"]

HELD_OFF_FIRST_S = 0.25
HELD_OFF_MOST_S = 300.0
FORGIVEN_AFTER_S = 600.0  # without another violation, from the end of the last hold-off


class HoldOff:
    """Until when each peer is kept out, by its certificate; as many are remembered as there are members."""

    def __init__(self) -> None:
        self._until: dict[bytes, tuple[float, float]] = {}  # when, and how long it was

    def broke(self, certificate: bytes, *, now_s: float) -> float:
        """It broke a rule: for how many seconds it is kept out, twice as long as the last time."""
        until, last = self._until.get(certificate, (now_s, 0.0))
        if now_s - until > FORGIVEN_AFTER_S:
            last = 0.0
        length = min(max(HELD_OFF_FIRST_S, 2 * last), HELD_OFF_MOST_S)
        self._until[certificate] = (now_s + length, length)
        return length

    def left_s(self, certificate: bytes, *, now_s: float) -> float:
        """For how many seconds more it is kept out; 0.0 if it is not."""
        until, _ = self._until.get(certificate, (now_s, 0.0))
        return max(0.0, until - now_s)

    def keep(self, certificates: Collection[bytes]) -> None:
        """Forget all others: they are no members any more."""
        self._until = {each: kept for each, kept in self._until.items() if each in certificates}
