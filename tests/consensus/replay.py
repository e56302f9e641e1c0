"""Replays one run of the simulator with its transcript: the command that a failing run prints.

python -m tests.consensus.replay --n 4 --seed 17 --fault equivocator
"""

from __future__ import annotations

import argparse

from consensus.simulation.campaign import FAULTS, Failed, Plan, run


def main() -> int:
    """Run the plan on the command line. 1 if it fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=4)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--fault", choices=FAULTS, default="none")
    plan = Plan(**vars(parser.parse_args()))
    try:
        world = run(plan)
    except Failed as failure:
        print(failure)
        return 1
    print("\n".join(world.transcript))
    print(f"good: heights {[node.height for node in world.nodes]} after {world.clock.now_ms} ms of virtual time")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
