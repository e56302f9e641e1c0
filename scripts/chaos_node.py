"""`nemodat node run`, with a clock that a file shifts, and two-faced if it is told to be.

Only `scripts/chaos` starts it, and nothing that is shipped knows of it: `chaos_node.py CLOCK FACES node run CONFIG`.
CLOCK holds how many milliseconds the node's clock is off (libfaketime would do, but it makes Python's threads spin).
With two FACES, of every block the node finalizes it tells the others that it finalizes another one too: what a key
does that runs twice.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import node.clock

CLOCK = Path(sys.argv[1])
true_ms = node.clock.clock_ms


def shifted_ms() -> int:
    """The time, as this node has it."""
    return true_ms() + int(CLOCK.read_text())


node.clock.clock_ms = shifted_ms  # before anything else takes it from there

import node.cli  # noqa: E402
import node.process  # noqa: E402
from consensus.engine import Engine  # noqa: E402
from consensus.events import Action, Broadcast, Event  # noqa: E402
from consensus.parameters import Parameters  # noqa: E402
from consensus.votes import Kind, Verifier, Vote, signed_bytes  # noqa: E402
from node.node import Node  # noqa: E402
from registry.keys import DOMAIN_VOTE, SigningKey  # noqa: E402

OTHER = bytes(32)  # the hash of no block


class TwoFaced(Engine):
    """Signs a second FINALIZE for another block, and broadcasts it after the first."""

    def __init__(self, parameters: Parameters, *signers: SigningKey, verifier: Verifier) -> None:
        super().__init__(parameters, *signers, verifier=verifier)
        self._chain_id = parameters.genesis_id
        self._keys = {signer.public_key: signer for signer in signers}

    def handle(self, event: Event) -> tuple[Action, ...]:
        made: list[Action] = []
        for action in super().handle(event):
            made.append(action)
            if isinstance(action, Broadcast) and isinstance(action.message, Vote):
                vote = action.message
                if vote.kind is Kind.FINALIZE:
                    said = signed_bytes(vote.kind, vote.height, vote.view, OTHER)
                    signature = self._keys[vote.signer].sign(DOMAIN_VOTE, self._chain_id, said)
                    made.append(Broadcast(Vote(vote.kind, vote.height, vote.view, OTHER, vote.signer, signature)))
        return tuple(made)


if __name__ == "__main__":
    if sys.argv[2] == "2":
        node.process.Node = partial(Node, make_engine=TwoFaced)  # type: ignore[assignment, attr-defined]
    del sys.argv[1:3]
    node.cli.main()
