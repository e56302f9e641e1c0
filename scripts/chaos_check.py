"""The checker: every client's history and every node's ledger, after the network has healed. Offline: nodes stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from chaos_clients import Race
from chaos_network import HONEST, LIAR, OBSERVER, ChaosNet

from clients.errors import ProofInvalid
from clients.verify import Trust
from node.authorities import changes_after
from node.config import load_config
from node.layout import HEIGHT, STATE, TRANSACTION, HeightRecord, Place, at_height, state_entry
from node.store import Reader, open_store
from node.views import View, open_view
from registry.money import WHOLE
from registry.records import Claim, Misbehaviour, Receivable, decode_record

__all__ = ["check"]

NODES = (*HONEST, OBSERVER)
CHECKS_AT_ONCE = 2
TAKES = ("reserved", "funded")


def check(net: ChaosNet, histories: Path, races: Sequence[Race]) -> tuple[list[str], dict[str, Any]]:
    """What is wrong, and what was counted. All nodes must be stopped."""
    with ThreadPoolExecutor(CHECKS_AT_ONCE) as pool:
        wrong = [reason for reason in pool.map(partial(executed_again, net), NODES) if reason]
    if wrong:
        return wrong, {}
    with ExitStack() as stack:
        views: dict[str, View] = {}
        for name in NODES:
            config = load_config(net.config_path(name))
            store = open_store(config.data_dir, config.engine)
            stack.callback(store.close)
            views[name] = open_view(stack.enter_context(store.snapshot()))
        counted = Counter[str]()
        wrong += ledgers_agree(views)
        wrong += histories_hold(net, histories, views, counted)
        wrong += nothing_over_claimed(views, races, counted)
        wrong += only_the_liar_is_accused(net, views, counted)
        heights = {name: view.height for name, view in views.items()}
    return wrong, {"heights": heights, **counted}


def executed_again(net: ChaosNet, name: str) -> str:
    """What `nemodat node check` finds wrong; empty if all is good."""
    command = [sys.executable, "-m", "node.cli", "node", "check", str(net.config_path(name))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"node check of {name}: {done.stderr.strip()[-500:]}" if done.returncode else ""


def ledgers_agree(views: dict[str, View]) -> Iterator[str]:
    """One block at each height, and with it one state root."""
    for height in range(1, max(view.height for view in views.values()) + 1):
        found = {
            HeightRecord.decode(view.reader.get(at_height(HEIGHT, height)) or b"").block_hash
            for view in views.values()
            if view.height >= height
        }
        if len(found) != 1:
            yield f"height {height}: {len(found)} blocks"
    if len({view.height for view in views.values()}) != 1:
        yield f"not at one height: { {name: view.height for name, view in views.items()} }"


def histories_hold(net: ChaosNet, folder: Path, views: dict[str, View], counted: Counter[str]) -> Iterator[str]:
    """What a client was told is final verifies offline, and is on every node, in that block with those outcomes."""
    changes = [change.encode() for change in changes_after(views[OBSERVER].reader, 0)]
    trust = Trust(net.genesis).following(changes)
    for line in lines(folder):
        counted[line["what"]] += 1
        if line["what"] != "final":
            continue
        transaction = bytes.fromhex(line["transaction"])
        try:
            final = trust.receipts(transaction, len(line["codes"]), line["answer"])
        except ProofInvalid as error:
            yield f"{line['transaction']}: the proof that a client got does not verify: {error}"
            continue
        counted["proofs verified offline"] += 1
        if [str(receipt.code) for receipt in final.receipts] != line["codes"]:
            yield f"{line['transaction']}: told {line['codes']}, proved otherwise"
        counted["refused operations"] += sum(code not in ("ok", "rolled_back") for code in line["codes"])
        for name, view in views.items():
            place = view.reader.get(TRANSACTION + transaction)
            if place is None or Place.decode(place).height != final.height:
                yield f"{line['transaction']}: final at {final.height} for a client, not on {name}"


def nothing_over_claimed(views: dict[str, View], races: Sequence[Race], counted: Counter[str]) -> Iterator[str]:
    """From the claims themselves, not from what the receivables say of them."""
    taken = Counter[bytes]()
    funded = Counter[bytes]()
    view = views[OBSERVER]
    for claim in records(view.reader, Claim):
        if claim.state in TAKES:
            taken[claim.receivable] += claim.share
        funded[claim.receivable] += claim.state == "funded"
    for receivable in records(view.reader, Receivable):
        counted["receivables"] += 1
        if taken[receivable.id] > min(receivable.collectible, WHOLE):
            yield f"receivable {receivable.id.hex()}: {taken[receivable.id]} claimed of {receivable.collectible}"
    for race in races:
        counted["double-finance attempts"] += 1
        winners = [name for name, told in race.told.items() if told == "ok"]
        counted["won by one"] += len(winners) == 1
        counted["won, but whoever did was not told"] += not winners and funded[race.receivable] == 1
        counted["won by nobody"] += funded[race.receivable] == 0
        if len(winners) > 1 or funded[race.receivable] > 1 or (winners and not funded[race.receivable]):
            yield f"receivable {race.receivable.hex()}: told {race.told}, {funded[race.receivable]} funded"


def only_the_liar_is_accused(net: ChaosNet, views: dict[str, View], counted: Counter[str]) -> Iterator[str]:
    """The evidence against the two-faced authority is on the ledger, and nothing else."""
    liar = net.member(LIAR).party.id
    accused = [record.party for record in records(views[OBSERVER].reader, Misbehaviour)]
    counted["evidence on the ledger"] = len(accused)
    if accused != [liar]:
        yield f"accused on the ledger: {accused}, and the two-faced one is {liar}"


def records(reader: Reader, kind: type[Any]) -> Iterator[Any]:
    """All records of a kind in the state."""
    for _, stored in reader.scan(STATE):
        key, value = state_entry(stored)
        if key.startswith(kind.PREFIX):
            yield decode_record(kind, value)


def lines(folder: Path) -> Iterator[dict[str, Any]]:
    """All lines of all histories."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open() as file:
            for line in file:
                yield json.loads(line)
