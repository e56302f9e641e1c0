"""Real processes on real sockets and real disks: finality everywhere, kill -9, late observers, an orderly end."""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from node.clock import clock_ms
from node.devnet import Devnet, DevnetError, Member, create, free_ports
from registry.codec import encode
from registry.transactions.envelope import draft, sign
from registry.transactions.receivables import Register
from tests.cast import AUTHORITIES, EXP_CN, key_of, party_of

pytestmark = pytest.mark.processes

NAMES = tuple(AUTHORITIES)
REGULATOR = "lei:984500GBREGULATR00172"
PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def devnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devnet]:
    """Four authorities that run, an observer that does not."""
    members = [
        Member(name=name, party=party_of(party, country, "authority", "financier"), role="authority")
        for name, (party, country) in AUTHORITIES.items()
    ]
    members.append(
        Member(name="observer", party=party_of(AUTHORITIES["f-gb"][0], "GB", "authority", "financier"), role="observer")
    )
    with create(
        tmp_path_factory.mktemp("devnet"), members=members, parties=[party_of(EXP_CN, "CN", "exporter")]
    ) as made:
        made.start_all(NAMES)
        yield made


def registration(devnet: Devnet) -> bytes:
    key = key_of(EXP_CN)
    operation = Register(
        kind="invoice",
        fingerprints=(("exact", secrets.token_bytes(32)),),
        commitment=secrets.token_bytes(32),
        debtor_commitment=secrets.token_bytes(32),
        seller_country="CN",
        debtor_country="DE",
        laws=("DE",),
        currency="EUR",
        due_month=202712,
        grade="document",
    )
    until_ms = clock_ms() + 600_000
    payload = draft(devnet.genesis.id, [key.public_key], secrets.token_bytes(16), until_ms, [operation])
    return sign(payload, devnet.genesis.id, [key])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no port can be held for a node that is down")
def test_nobody_else_is_given_a_port_of_a_network_while_its_node_is_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = alone(tmp_path)
    own = api_port(made)
    (other,) = free_ports(1)
    chosen = iter([own, other, own])
    monkeypatch.setattr(secrets, "choice", lambda _: next(chosen))
    assert free_ports(1) == [other]
    for _ in range(2):  # the node itself can listen there, again and again
        socket.create_server(("127.0.0.1", own)).close()
    made.close()
    assert free_ports(1) == [own]


def test_a_node_that_cannot_listen_says_how_it_ended(tmp_path: Path) -> None:
    with alone(tmp_path) as made, socket.create_server(("127.0.0.1", api_port(made))):
        made.start("f-cn")
        with pytest.raises(
            DevnetError, match=r"(?s)f-cn has ended by itself with exit code 1: .*address already in use"
        ):
            made.wait_ready("f-cn")


def alone(folder: Path) -> Devnet:
    party = party_of(AUTHORITIES["f-cn"][0], "CN", "authority", "financier")
    return create(folder, members=[Member(name="f-cn", party=party, role="authority")])


def api_port(devnet: Devnet) -> int:
    return int(devnet.url("f-cn").rsplit(":", 1)[1])


def ask(devnet: Devnet, name: str, method: str, path: str, **more: Any) -> Any:
    headers = {"Authorization": f"Bearer {devnet.operator_token(name)}", **more.pop("headers", {})}
    answer = httpx.request(method, devnet.url(name) + path, headers=headers, timeout=40, trust_env=False, **more)
    assert answer.is_success, (name, path, answer.status_code, answer.text)
    return answer.json()


def submit(devnet: Devnet, name: str, wires: list[bytes]) -> list[str]:
    content = encode(wires)
    media = {"Content-Type": "application/msgpack"}
    results = ask(devnet, name, "POST", "/v1/transactions", content=content, headers=media)["results"]
    return [result["transaction_id"] for result in results]


def final(devnet: Devnet, name: str, transaction_id: str) -> dict[str, Any]:
    found: dict[str, Any] = ask(devnet, name, "GET", f"/v1/transactions/{transaction_id}?wait_s=20")
    assert found["status"] == "final", (name, found)
    return found


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def roots(devnet: Devnet, names: tuple[str, ...]) -> set[tuple[int, str]]:
    found = [devnet.status(name) for name in names]
    return {(each["height"], each["state_root"]) for each in found}


def test_what_is_final_is_final_on_all_with_one_state_root(devnet: Devnet) -> None:
    ids = submit(devnet, "f-sg", [registration(devnet) for _ in range(20)])
    places = [{final(devnet, name, id_)["block_hash"] for name in NAMES} for id_ in ids]
    assert all(len(place) == 1 for place in places)
    until(lambda: len(roots(devnet, NAMES)) == 1)
    for name in NAMES:
        status = devnet.status(name)
        assert status["voting"]
        assert [peer["connected"] for peer in status["peers"] if peer["role"] == "authority"] == [True] * 3


def test_kill_9_loses_nothing_that_was_final_and_the_node_comes_back(devnet: Devnet) -> None:
    before = submit(devnet, "f-de", [registration(devnet)])[0]
    final(devnet, "f-de", before)
    devnet.kill("f-de")
    meanwhile = submit(devnet, "f-cn", [registration(devnet) for _ in range(10)])
    for id_ in meanwhile:
        final(devnet, "f-cn", id_)
    devnet.start("f-de")
    devnet.wait_ready("f-de")
    assert final(devnet, "f-de", before)
    for id_ in meanwhile:
        final(devnet, "f-de", id_)
    until(lambda: devnet.status("f-de")["voting"])
    until(lambda: len(roots(devnet, NAMES)) == 1)


def test_a_late_observer_syncs_serves_reads_and_verifies_from_genesis(devnet: Devnet) -> None:
    id_ = submit(devnet, "f-gb", [registration(devnet)])[0]
    final(devnet, "f-gb", id_)
    devnet.start("observer")
    devnet.wait_ready("observer")
    found = final(devnet, "observer", id_)
    assert found["receipts"]
    everyone = (*NAMES, "observer")
    until(lambda: len(roots(devnet, everyone)) == 1)
    status = devnet.status("observer")
    assert (status["role"], status["voting"]) == ("observer", False)
    result = ask(
        devnet,
        "observer",
        "POST",
        "/v1/transactions",
        content=encode([registration(devnet)]),
        headers={"Content-Type": "application/msgpack"},
    )["results"][0]
    assert result["code"] == "read_only"
    assert devnet.stop("observer") == 0
    done = nemodat("node", "check", str(devnet.config_path("observer")))
    assert done.returncode == 0, done.stderr
    assert status["state_root"] in done.stdout


def failed_views(status: dict[str, Any]) -> Counter[str]:
    return Counter({peer["name"]: peer["failed_views"] for peer in status["peers"]})


def test_whoever_leads_to_nothing_is_named(devnet: Devnet) -> None:
    before = failed_views(devnet.status("f-cn"))
    devnet.kill("f-sg")
    dead = AUTHORITIES["f-sg"][0]
    for _ in range(2 * len(NAMES)):
        final(devnet, "f-cn", submit(devnet, "f-cn", [registration(devnet)])[0])
    told = json.loads(nemodat("node", "status", str(devnet.config_path("f-cn")), "--json").stdout)
    assert told["view_changes"][-1]["leader"] == dead
    gained = failed_views(told) - before
    assert gained[dead] >= 2, "each time that it was its turn"
    assert gained[dead] > gained.total() / 2, "the others' blocks became final"
    assert not {peer["name"]: peer["connected"] for peer in told["peers"]}[dead]
    devnet.start("f-sg")
    devnet.wait_ready("f-sg")
    until(lambda: devnet.status("f-sg")["voting"])


def test_a_ledger_is_copied_while_its_node_runs_and_a_node_restored_from_it_never_votes_again(devnet: Devnet) -> None:
    config, copy = str(devnet.config_path("f-gb")), devnet.folder / "f-gb.backup"
    before = submit(devnet, "f-gb", [registration(devnet)])[0]
    final(devnet, "f-gb", before)
    made = nemodat("node", "backup", config, str(copy))
    assert made.returncode == 0, made.stderr
    assert copy.stat().st_mode & 0o077 == 0
    again = nemodat("node", "backup", config, str(copy))
    assert (again.returncode, again.stderr.count("\n")) == (1, 1)
    after = submit(devnet, "f-gb", [registration(devnet)])[0]
    final(devnet, "f-gb", after)
    devnet.kill("f-gb")
    refused = nemodat("node", "restore", config, str(copy))
    assert refused.returncode == 1
    assert "not empty" in refused.stderr
    data = devnet.config_path("f-gb").parent / "data"
    data.rename(data.with_name("lost"))
    restored = nemodat("node", "restore", config, str(copy))
    assert restored.returncode == 0, restored.stderr
    assert nemodat("node", "check", config).returncode == 0
    devnet.start("f-gb")
    devnet.wait_ready("f-gb")
    assert final(devnet, "f-gb", before)
    assert final(devnet, "f-gb", after)
    status = devnet.status("f-gb")
    assert not status["voting"]
    assert status["alarm"].startswith("key_in_use_elsewhere")
    final(devnet, "f-cn", submit(devnet, "f-cn", [registration(devnet)])[0])
    shown = nemodat("node", "status", str(devnet.config_path("f-cn")))
    assert shown.returncode == 0, shown.stderr
    assert "authority, votes" in shown.stdout


def test_two_nodes_on_one_folder_are_refused(devnet: Devnet) -> None:
    done = nemodat("node", "run", str(devnet.config_path("f-cn")))
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr


def test_logs_are_json_and_hold_no_secret(devnet: Devnet) -> None:
    text = devnet.log_path("f-cn").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    assert {"event", "level", "timestamp"} <= rows[0].keys()
    passphrase = (devnet.config_path("f-cn").parent / "passphrase").read_text().strip()
    assert passphrase not in text
    assert devnet.operator_token("f-cn") not in text


def test_all_stop_in_order_when_asked(devnet: Devnet) -> None:
    for name in NAMES:
        assert devnet.stop(name) == 0, devnet.log_path(name).read_text()[-2000:]
    with pytest.raises(DevnetError):
        devnet.wait_ready("f-cn", 1.0)


def nemodat(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "node.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
