"""Power cuts: every authority killed at any moment, again and again. What was final stays, and the network goes on."""

from __future__ import annotations

import random
import secrets
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from node.devnet import Devnet, Member, create
from node.process import EXIT_FAILED
from registry.codec import encode
from registry.genesis import Parameters
from tests.cast import AUTHORITIES, EXP_CN, party_of
from tests.node.test_devnet import NAMES, final, nemodat, registration, roots, submit, until

pytestmark = pytest.mark.processes

ROUNDS = 2
LOAD_EVERY_S = 0.03


@pytest.fixture(scope="module")
def devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    members = [
        Member(name=name, party=party_of(party, country, "authority", "financier"), role="authority")
        for name, (party, country) in AUTHORITIES.items()
    ]
    exporter = party_of(EXP_CN, "CN", "exporter")
    parameters = Parameters(base_ms=500, heartbeat_ms=600_000)  # no heartbeat: nothing but the load moves it
    folder = tmp_path_factory.mktemp("restarts")
    with create(folder, members=members, parties=[exporter], parameters=parameters, rate_limits=False) as made:
        made.start_all(NAMES)
        yield made


class Load:
    """Registrations at all nodes, one after the other, whether they answer or not."""

    def __init__(self, devnet: Devnet) -> None:
        self._devnet = devnet
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.accepted: list[str] = []

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        number = 0
        with httpx.Client(timeout=2, trust_env=False) as http:
            while not self._over.wait(LOAD_EVERY_S):
                number += 1
                name = NAMES[number % 4]
                headers = {
                    "Authorization": f"Bearer {self._devnet.operator_token(name)}",
                    "Content-Type": "application/msgpack",
                }
                body = encode([registration(self._devnet)])
                try:
                    answer = http.post(f"{self._devnet.url(name)}/v1/transactions", content=body, headers=headers)
                except httpx.HTTPError:
                    continue
                self.accepted += [each["transaction_id"] for each in answer.json()["results"]]


def test_all_authorities_killed_at_any_moment_go_on_together(devnet: Devnet) -> None:
    seed = secrets.randbits(32)
    chance = random.Random(seed)
    known_final = [submit(devnet, "f-cn", [registration(devnet)])[0]]
    final(devnet, "f-cn", known_final[0])
    for _ in range(ROUNDS):
        with Load(devnet) as load:
            until(lambda: len(load.accepted) > 5)
            for name in chance.sample(NAMES, 4):
                time.sleep(chance.uniform(0, 0.1))  # so that they die at different moments of a block
                devnet.kill(name)
        for name in chance.sample(NAMES, 4):
            devnet.start(name)
        for name in NAMES:
            devnet.wait_ready(name)
        (id_,) = submit(devnet, chance.choice(NAMES), [registration(devnet)])
        for name in NAMES:
            assert final(devnet, name, id_), seed
            for earlier in known_final:
                assert final(devnet, name, earlier), seed
        known_final.append(id_)
        until(lambda: len(roots(devnet, NAMES)) == 1)
        for name in NAMES:
            status = devnet.status(name)
            assert (status["voting"], status["alarm"], status["accused"]) == (True, "", []), (seed, name)


def test_each_of_two_killed_while_the_network_is_idle_catches_up_at_once(devnet: Devnet) -> None:
    """No work, no heartbeat: what a node missed is told when it connects, not when the next block comes."""
    for name in NAMES[:2]:
        devnet.kill(name)
        (id_,) = submit(devnet, NAMES[3], [registration(devnet)])
        final(devnet, NAMES[3], id_)
        devnet.start(name)
        devnet.wait_ready(name)
        until(lambda: len(roots(devnet, NAMES)) == 1)
        assert final(devnet, name, id_)


def test_an_api_that_cannot_listen_ends_the_node_in_order(devnet: Devnet) -> None:
    name = NAMES[2]
    assert devnet.stop(name) == 0
    host, port = devnet.url(name).removeprefix("http://").split(":")
    with socket.create_server((host, int(port))):
        done = nemodat("node", "run", str(devnet.config_path(name)))
    assert done.returncode == EXIT_FAILED, done.stderr
    assert "address already in use" in done.stderr
    assert "node stopped" in done.stderr, "its threads have ended before its store is closed"
    devnet.start(name)
    devnet.wait_ready(name)
