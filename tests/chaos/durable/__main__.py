"""What becomes of durable jobs while everything they depend on is killed, emptied and set back in time.

python -m tests.chaos.durable [--seed N] [--short]
Fails unless the effect of each committed job is in the database exactly once, the accounts are right to the cent, no
job of a rolled-back transaction has started, and nothing is left in the outbox or of it on the broker.
"""

import argparse
import random
import sys

from rich.console import Console

from deploy.local.state import chosen_state_dir

from .run import run
from .scenario import SHORT, Scenario
from .table import shown


def main() -> None:
    asked = arguments()
    scenario = SHORT if asked.short else Scenario()
    seed = random.randrange(1_000_000) if asked.seed is None else asked.seed
    console = Console(highlight=False)
    console.print(
        f"Seed {seed}: {scenario.jobs} durable jobs in {scenario.seconds:.0f} s, their children beside them."
    )
    console.print(f"What is not done {scenario.patience:.0f} s after the last blow counts as lost.")
    verdict = run(scenario, chosen_state_dir() / "chaos" / "durable", seed)
    console.print(shown(verdict))
    sys.exit("\n".join(verdict.broken) or None)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.durable", description="Durable jobs under fire.")
    parser.add_argument("--seed", type=int, help="repeat the blows of an earlier run")
    parser.add_argument("--short", action="store_true", help="half a minute, each kind of trouble at least once")
    return parser.parse_args()


if __name__ == "__main__":
    main()
