"""The demonstration: four financiers and a regulator, every invoice of a folder, two financiers racing for each.

Starts real node processes, enrols the firms found in the invoices, registers, confirms, races, kills and restarts a
node, and then checks everything from the outside. Exits non-zero if anything differs from what it should be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from demo_cast import AUTHORITIES, REGULATOR, demo_key, member_party, synthetic_lei
from demo_checks import Check, check_everything
from demo_financing import FIRMS, Financing
from demo_report import outcome_json, print_outcome
from demo_story import Network, Story
from rich.console import Console

from node.devnet import Devnet, Member, create

WIDTH = 150  # characters, where there is no terminal to ask
SAMPLES = Path(__file__).resolve().parent / "samples"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__.splitlines()[0])
    parser.add_argument("--invoices", type=Path, default=SAMPLES, metavar="DIR", help="folder of documents (samples)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the outcome per document and the summary")
    parser.add_argument("--keep", action="store_true", help="leave the network up until Ctrl-C and print its URLs")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where the network lives (a temporary folder)")
    options = parser.parse_args()
    if not options.invoices.is_dir():
        parser.error(f"--invoices: {options.invoices} is no folder")
    return options


def network_members() -> list[Member]:
    members = [
        Member(name=name, party=member_party(party, title, country, "authority"), role="authority")
        for name, party, title, country in AUTHORITIES
    ]
    name, title, country = REGULATOR
    party = member_party(synthetic_lei(title), title, country, "regulator")
    return [*members, Member(name=name, party=party, role="observer")]


def run(devnet: Devnet, options: argparse.Namespace, console: Console) -> int:
    started = time.monotonic()
    devnet.start_all()
    network = Network(
        genesis=devnet.genesis,
        urls={member.name: devnet.url(member.name) for member in devnet.members},
        keys={member.party.id: demo_key(member.party.id) for member in devnet.members},
    )
    story = Story(network=network, console=console, kill=devnet.kill, start=devnet.start)
    told = asyncio.run(play(story, options.invoices))
    checks = [*told, *check_everything(devnet, story, console)]
    seconds = time.monotonic() - started
    print_outcome(console, story, checks, seconds)
    if options.json is not None:
        options.json.write_text(json.dumps(outcome_json(story, checks, seconds), indent=2, ensure_ascii=False) + "\n")
        console.print(f"Outcome written to {options.json}")
    failed = [check for check in checks if not check.passed]
    if options.keep:
        keep(devnet, console)
    return 1 if failed else 0


async def play(story: Story, invoices: Path) -> list[Check]:
    """The race for every invoice, then the stories of how they are financed."""
    await story.play(invoices, also=FIRMS)
    with story.console.status("Confirmed factoring, a pool, from order to invoice ..."):
        return await Financing(story).play()


def keep(devnet: Devnet, console: Console) -> None:
    console.print("\nThe network stays up; Ctrl-C ends it.")
    for member in devnet.members:
        console.print(f"  {member.name:10} {devnet.url(member.name)}/v1/docs")
    console.print(f"  genesis    {devnet.genesis_path}")
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        console.print("Stopping.")


def main() -> int:
    options = arguments()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    with tempfile.TemporaryDirectory(prefix="nemodat-demo-") as temporary:
        folder = options.folder or Path(temporary)
        with create(folder, members=network_members(), kind=Devnet) as devnet:
            return run(devnet, options, console)


if __name__ == "__main__":
    sys.exit(main())
