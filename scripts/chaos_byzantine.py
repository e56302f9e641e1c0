"""`nemodat`, but the node it runs is two-faced: of every block it finalizes, it tells the others that it finalizes
another one too. What a key does that runs twice. Only `scripts/chaos` starts it, nothing shipped knows of it."""

from __future__ import annotations

from functools import partial

import node.cli
import node.process
from consensus.engine import Engine
from consensus.events import Action, Broadcast, Event
from consensus.parameters import Parameters
from consensus.votes import Kind, Vote, signed_bytes
from node.node import Node
from registry.keys import DOMAIN_VOTE, SigningKey

OTHER = bytes(32)  # the hash of no block


class TwoFaced(Engine):
    """Signs a second FINALIZE for another block, and broadcasts it after the first."""

    def __init__(self, parameters: Parameters, *signers: SigningKey) -> None:
        super().__init__(parameters, *signers)
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
    node.process.Node = partial(Node, make_engine=TwoFaced)  # type: ignore[assignment, misc]
    node.cli.main()
