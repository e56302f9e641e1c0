"""Who was answered, who is ahead, what is kept for the next height: the bounds of R8 and R10."""

from __future__ import annotations

from consensus.messages import Message, Proposal

__all__ = ["LATER_PER_PEER_MAX", "PEERS_MAX", "Desk"]

LATER_PER_PEER_MAX = 16  # messages of the next height kept of one authority, one of them a proposal
PEERS_MAX = 1024  # peers that answers and hints are remembered of


class Desk:
    """The engine's correspondence. Nothing in it is believed, it only bounds and directs questions and answers."""

    __slots__ = ("_ahead", "_answered", "_asking", "_decided", "_later", "_spoken")

    def __init__(self) -> None:
        self._answered: set[tuple[bytes, bytes]] = set()
        self._decided: dict[bytes, int] = {}
        self._ahead: dict[bytes, int] = {}
        self._asking = False
        self._later: dict[bytes, list[Message]] = {}
        self._spoken: dict[bytes, int] = {}

    def may_answer(self, peer: bytes, what: bytes) -> bool:
        """Whether this peer has not been told this since the last `new_period`; notes that it is told now."""
        if (peer, what) in self._answered or len(self._answered) >= PEERS_MAX:
            return False
        self._answered.add((peer, what))
        return True

    def may_send_decided(self, peer: bytes, height: int) -> bool:
        """R8: once per peer and height, ascending, until the next period; notes that it is sent now."""
        if self._decided.get(peer, 0) >= height or (peer not in self._decided and len(self._decided) >= PEERS_MAX):
            return False
        self._decided[peer] = height
        return True

    def new_period(self) -> None:
        """Answers may be repeated."""
        self._answered.clear()
        self._decided.clear()
        self._asking = False

    def forget(self, peer: bytes) -> None:
        """A new connection: what was answered on the old one may be lost."""
        self._decided.pop(peer, None)
        self._answered = {pair for pair in self._answered if pair[0] != peer}

    def note_ahead(self, peer: bytes, height: int) -> None:
        """This peer speaks of a height above ours: a hint whom to ask, no more."""
        if peer in self._ahead or len(self._ahead) < PEERS_MAX:
            self._ahead[peer] = max(height, self._ahead.get(peer, 0))
        if peer in self._spoken or len(self._spoken) < PEERS_MAX:
            self._spoken[peer] = max(height, self._spoken.get(peer, 0))

    def has_spoken_above(self, peer: bytes, height: int) -> bool:
        """Whether this peer has spoken of a height above `height`, since this node started."""
        return self._spoken.get(peer, 0) > height

    def ask_ahead(self, height: int) -> bytes | None:
        """A peer that has spoken of a height above `height`; it is not named again until it speaks again."""
        self._ahead = {peer: spoken for peer, spoken in self._ahead.items() if spoken > height}
        self._spoken = {peer: spoken for peer, spoken in self._spoken.items() if spoken > height}
        for peer in self._ahead:
            del self._ahead[peer]
            self._asking = True
            return peer
        return None

    def is_asking(self) -> bool:
        """Whether an answer to `ask_ahead` is awaited in this period."""
        return self._asking

    def is_behind(self, height: int) -> bool:
        """Whether some peer has spoken of a height above `height`."""
        return bool(self._ahead) and max(self._ahead.values()) > height

    def keep(self, peer: bytes, message: Message) -> None:
        """Keep a message of the next height, within bounds."""
        kept = self._later.setdefault(peer, [])
        second_proposal = isinstance(message, Proposal) and any(isinstance(other, Proposal) for other in kept)
        if len(kept) < LATER_PER_PEER_MAX and not second_proposal and message not in kept:
            kept.append(message)

    def take_kept(self) -> list[tuple[bytes, Message]]:
        """The messages kept, peer by peer in the order they came; they are kept no more."""
        kept = [(peer, message) for peer, messages in self._later.items() for message in messages]
        self._later.clear()
        return kept
