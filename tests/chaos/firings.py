"""Beats under fire: three on a clock 60 times as fast, one of which is killed every four seconds.

python -m tests.chaos.firings [--seconds N] [--seed N]
Fails unless each due instant was fired once, in time, and is one row with one job that is on the broker once.
"""

import argparse
import os
import random
import shutil
import sys

from deploy.local.stack import Stack
from deploy.local.state import chosen_state_dir


def main() -> None:
    asked = arguments()
    seed = random.randrange(1_000_000) if asked.seed is None else asked.seed
    state_dir = chosen_state_dir() / "chaos" / "firings"
    shutil.rmtree(state_dir, ignore_errors=True)
    os.environ["DJANGO_SETTINGS_MODULE"] = "intelliwiz_config.settings.test"
    with Stack(state_dir, durable=False) as stack:
        stack.start_servers()
        os.environ |= stack.environment
        broken = run(asked.seconds, seed)
        stack.close()
        stack.discard()
    sys.exit("\n".join(broken) or None)


def run(seconds: float, seed: int) -> list[str]:
    """Returns what is wrong, a line each. Expects the environment of the servers."""
    import django
    from django.core.management import call_command
    from django.db import connections

    django.setup()
    from apps.core.redis_client import connect
    from tests.integration.schedules import trial

    call_command("migrate", interactive=False, verbosity=0)
    print(f"Seed {seed}: three beats for {seconds:.0f} s, which are {seconds / 60:.0f} hours to them ...", flush=True)  # noqa: T201 - what this program is for
    with connect(os.environ["BROKER_URL"]) as broker:
        verdict = trial.run(seconds, seed=seed, environment=dict(os.environ), broker=broker)
    connections.close_all()
    print(verdict)  # noqa: T201
    return verdict.broken


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.firings", description="Beats under fire.")
    parser.add_argument("--seconds", type=float, default=120.0, help="of real time; 120, if not given")
    parser.add_argument("--seed", type=int, help="kill the same beats as in an earlier run")
    return parser.parse_args()


if __name__ == "__main__":
    main()
