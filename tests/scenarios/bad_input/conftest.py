"""One network for all tests of bad input, and a witness for each."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from node.devnet import Devnet
from tests.cast import AUTHORITIES
from tests.scenarios.bad_input.network import FINAL_WITHIN_S, OBSERVER, POLL_S, Network, Witness, a_network
from tests.scenarios.bad_input.peers import INSIDER, OUTSIDER, Stage

HEALED_WITHIN_S = 20.0


@pytest.fixture(scope="package")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with a_network(tmp_path_factory.mktemp("bad-input")) as devnet, httpx.Client(timeout=FINAL_WITHIN_S + 5) as http:
        devnet.start_all(["f-cn", "f-sg", "f-de", "f-gb"])
        yield Network(devnet, http)


@pytest.fixture
def witness(network: Network) -> Iterator[Witness]:
    """Around a whole test: what it did is checked at its end."""
    found = Witness(network)
    yield found
    found.check()


@pytest.fixture(scope="module")
def healed(network: Network) -> Iterator[None]:
    """In the end every authority is connected with every other."""
    yield
    deadline = time.monotonic() + HEALED_WITHIN_S
    while not all(
        peer["connected"]
        for name in AUTHORITIES
        for peer in network.devnet.status(name)["peers"]
        if peer["role"] == "authority"
    ):
        assert time.monotonic() < deadline, [network.devnet.status(name)["peers"] for name in AUTHORITIES]
        time.sleep(POLL_S)


@pytest.fixture
def stage(network: Network) -> Stage:
    first, *_, last = network.by_certificate()
    return Stage(network, last, {OUTSIDER: OBSERVER, INSIDER: first}, network.log_size(last))


@pytest.fixture(scope="package")
def devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """Files of a network that never starts."""
    with a_network(tmp_path_factory.mktemp("files")) as made:
        yield made
