"""One member sends all it can; another's registration becomes final in a few blocks, not after the flood."""

from __future__ import annotations

import time

from tests.cast import EXP_CN, EXP_VN
from tests.scenarios.bad_input.network import FINAL_WITHIN_S, POLL_S, Network, Witness, invoice

FLOOD, EACH = 30, 100  # transactions, and registrations in each: many blocks' worth, and soon verified
NODE = "f-cn"
# One that was built already, one whose leader has not heard of it yet, and then its own.
BLOCKS_MAX = 3


def place(network: Network, id_: str) -> int:
    """The height in which a transaction is final."""
    deadline = time.monotonic() + FINAL_WITHIN_S
    while True:
        found = network.ask("GET", f"/v1/transactions/{id_}", node=NODE).json()
        if "height" in found:
            return int(found["height"])
        assert time.monotonic() < deadline, found
        time.sleep(POLL_S)


def test_a_flood_of_one_member_does_not_keep_another_waiting(network: Network, witness: Witness) -> None:
    flood = [network.wire(EXP_VN, *(invoice(network.tag()) for _ in range(EACH))) for _ in range(FLOOD)]
    mine = network.wire(EXP_CN, invoice(network.tag()))
    ids = [each["transaction_id"] for each in network.submit(flood, node=NODE)]
    (answer,) = network.submit([mine], node=NODE)
    came_at = network.devnet.status(NODE)["height"]
    height = place(network, answer["transaction_id"])
    last = place(network, ids[-1])
    assert height - came_at <= BLOCKS_MAX
    assert last > height, "the flood was still going on"
    witness.effective(answer["transaction_id"], *ids)
