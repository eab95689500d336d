"""What becomes of jobs while workers and the server are killed: ours beside Celery's own Redis transport.

python -m tests.chaos [--seed N] [--short] [--only leased|redis]
Fails unless ours loses nothing, finishes nothing twice, has workers that stay up, and starts what was killed again
within 8 seconds of the kill, or of the server's return where that was away meanwhile.
"""

import argparse
import random
import sys

from rich.console import Console

from deploy.local.state import chosen_state_dir

from .run import Scheme, run
from .scenario import SHORT, STOCK_GIVES_BACK_AFTER, Scenario
from .table import compared

NAMES: dict[Scheme, str] = {"leased": "ours (leased://)", "redis": "stock (redis://)"}


def main() -> None:
    asked = arguments()
    scenario = SHORT if asked.short else Scenario()
    seed = random.randrange(1_000_000) if asked.seed is None else asked.seed
    console = Console(highlight=False)
    console.print(f"Seed {seed}: {scenario.jobs} jobs in {scenario.seconds:.0f} s.")
    console.print(f"Stock's visibility_timeout is {STOCK_GIVES_BACK_AFTER} s, and its sweep runs each second.")
    console.print(f"What has no end {scenario.patience:.0f} s after the last blow counts as lost.")
    verdicts = {}
    for scheme in [asked.only] if asked.only else NAMES:
        console.print(f"Running {NAMES[scheme]} ...")
        verdicts[NAMES[scheme]] = run(scenario, scheme, chosen_state_dir() / "chaos" / scheme, seed)
    console.print(compared(verdicts))
    ours = verdicts.get(NAMES["leased"])
    sys.exit("\n".join(ours.broken) or None if ours else None)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="The broker under fire.")
    parser.add_argument("--seed", type=int, help="repeat the blows of an earlier run")
    parser.add_argument("--short", action="store_true", help="a minute for each broker")
    parser.add_argument("--only", choices=tuple(NAMES), help="one of the two brokers")
    return parser.parse_args()


if __name__ == "__main__":
    main()
