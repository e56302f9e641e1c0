"""After the story: everything that must hold, looked at from the outside. A check that fails says what it saw."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from demo_cast import AUTHORITIES, demo_key
from demo_story import Entry, Story
from rich.console import Console

from clients.financier import FinancierClient
from clients.regulator import RegulatorClient
from node.devnet import Devnet
from registry.normalise import skeleton

SETTLE_S = 30.0  # how long nodes may take to reach one height after the story


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold, whether it did, and what was seen."""

    title: str
    passed: bool
    seen: str


def check_everything(devnet: Devnet, story: Story, console: Console) -> list[Check]:
    """All checks, in the order of the report."""
    with console.status("Checking from the outside ..."):
        return [
            every_document_has_an_outcome(story),
            one_record_per_identity(story),
            copies_are_refused(story),
            one_winner_each(story),
            nothing_over_claimed(devnet, story),
            state_roots_agree(devnet),
            observer_verifies(devnet),
            *certificates_verify(devnet, story),
        ]


def every_document_has_an_outcome(story: Story) -> Check:
    silent = [entry.file for entry in story.entries if not entry.status]
    return Check("every document has an outcome", not silent, f"{len(story.entries)} documents" + _names(silent))


def one_record_per_identity(story: Story) -> Check:
    """The same seller, debtor, number, currency, amount and date is registered once, whatever the file format."""
    groups: dict[object, list[Entry]] = defaultdict(list)
    for entry in story.entries:
        if entry.listing is not None and not entry.copy_of:
            p = entry.listing.particulars
            identity = (p.seller, p.debtor, skeleton(p.number), p.currency, p.amount_minor, p.issue_date)
            groups[p.government_ids or identity].append(entry)
    wrong = [group[0].file for group in groups.values() if sum(entry.registration is not None for entry in group) != 1]
    repeated = sum(len(group) - 1 for group in groups.values())
    return Check(
        "each invoice is registered once", not wrong, f"{len(groups)} once, {repeated} repeats refused" + _names(wrong)
    )


def copies_are_refused(story: Story) -> Check:
    copies = [entry for entry in story.entries if entry.copy_of]
    wrong = [entry.file for entry in copies if entry.status != "refused" or not entry.detail.startswith("duplicate")]
    return Check("reformatted copies are refused as duplicates", not wrong, f"{len(copies)} copies" + _names(wrong))


def one_winner_each(story: Story) -> Check:
    raced = [entry for entry in story.entries if entry.funded_by or entry.lost_by]
    wrong = [
        f"{entry.file}: won {entry.funded_by or 'nobody'}, lost {entry.lost_by or 'nobody'}"
        for entry in raced
        if "," in entry.funded_by or not entry.funded_by or not entry.lost_by.endswith("over_residual")
    ]
    return Check("one financier wins each race, the other is refused", not wrong, f"{len(raced)} races" + _names(wrong))


def nothing_over_claimed(devnet: Devnet, story: Story) -> Check:
    """The regulator reads every receivable with its proof, at its own node."""
    observer = devnet.member("observer")
    wrong = []
    registered = [entry for entry in story.entries if entry.registration is not None]
    with RegulatorClient(
        devnet.genesis, urls=[devnet.url("observer")], party=observer.party.id, signer=demo_key(observer.party.id)
    ) as regulator:
        for entry in registered:
            assert entry.registration is not None
            record = regulator.receivable(entry.registration.receivable)
            taken = 0 if record is None else sum(live.share for live in record.live)
            if record is None or taken > record.collectible:
                wrong.append(entry.file)
    return Check(
        "no receivable is claimed beyond what is collectible",
        not wrong,
        f"{len(registered)} read with proof" + _names(wrong),
    )


def state_roots_agree(devnet: Devnet) -> Check:
    observer = devnet.member("observer")
    signer = demo_key(observer.party.id)
    for member in devnet.members:
        devnet.wait_ready(member.name, SETTLE_S)
    deadline = time.monotonic() + SETTLE_S
    while True:
        seen = {}
        for member in devnet.members:
            with RegulatorClient(
                devnet.genesis, urls=[devnet.url(member.name)], party=observer.party.id, signer=signer
            ) as client:
                header = client.header()
                seen[member.name] = (header.height, header.state_root.hex())
        if len(set(seen.values())) == 1 or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    if len(set(seen.values())) == 1:
        height, root = next(iter(seen.values()))
        return Check(f"all {len(seen)} state roots are equal", True, f"height {height}, {root}")
    return Check("all state roots are equal", False, json.dumps(seen))


def observer_verifies(devnet: Devnet) -> Check:
    """Its node is stopped for the moment: the ledger on its disk is executed again from the genesis file."""
    devnet.stop("observer")
    done = subprocess.run(
        [sys.executable, "-m", "node.cli", "node", "check", str(devnet.config_path("observer"))],
        capture_output=True,
        text=True,
        check=False,
        env=devnet.environment("observer"),
    )
    devnet.start("observer")
    return Check("the observer verifies the chain from genesis", done.returncode == 0, _last_line(done))


def certificates_verify(devnet: Devnet, story: Story) -> list[Check]:
    """Two search certificates as files, checked by the command line with the genesis file alone."""
    name, party, *_ = AUTHORITIES[1]
    entry = next(found for found in story.entries if found.status == "funded")
    assert entry.listing is not None
    present = entry.listing.particulars
    absent = replace(
        present,
        number="ZZ-99999999",
        amount_minor=present.amount_minor + 987_654,
        issue_date=datetime.date(2001, 2, 3),
        due_date=datetime.date(2001, 3, 3),
        orders=(),
        transports=(),
        government_ids=(),
    )
    with FinancierClient(devnet.genesis, urls=[devnet.url(name)], party=party, signer=demo_key(party)) as financier:
        found = financier.search(present, purpose="demonstration: presence")
        missing = financier.search(absent, purpose="demonstration: absence")
    return [
        certificate_check(devnet, "presence", found, lambda matches: matches > 0),
        certificate_check(devnet, "absence", missing, lambda matches: matches == 0),
    ]


def certificate_check(
    devnet: Devnet, what: str, certificate: dict[str, object], expected: Callable[[int], bool]
) -> Check:
    path: Path = devnet.folder / f"certificate-{what}.json"
    path.write_text(json.dumps(certificate))
    results = certificate["results"]
    assert isinstance(results, list)
    matches = sum(len(result["matches"]) for result in results)
    done = subprocess.run(
        [sys.executable, "-m", "node.cli", "certificate", "verify", str(path), "--genesis", str(devnet.genesis_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    passed = done.returncode == 0 and expected(matches)
    return Check(f"a certificate of {what} verifies offline", passed, f"{matches} matches; {_last_line(done)}")


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    text = done.stdout.strip() if done.returncode == 0 else (done.stderr.strip() or done.stdout.strip())
    return text.splitlines()[-1].strip() if text else f"exit code {done.returncode}"


def _names(wrong: list[str]) -> str:
    return "" if not wrong else "; not so: " + ", ".join(wrong[:5]) + (" ..." if len(wrong) > 5 else "")
