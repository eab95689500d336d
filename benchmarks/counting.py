"""What counting costs: the same jobs with and without the numbers and the history of runs, in turns.

python -m benchmarks.counting            # about five minutes
python -m benchmarks.counting --quick    # fewer turns and jobs
Goal, as a ratio of one run: at most 5 % of the throughput of jobs that do nothing.
"""

import argparse
import statistics
import tempfile
from functools import partial
from pathlib import Path

from .broker import OURS, POOLS, Kind, Report, Server, drain_rate, free_port, in_turns

WITHOUT = Kind(name="without", scheme="leased", counts=False)
COUNTED = Kind(name="with", scheme=OURS.scheme)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer turns and jobs")
    parser.add_argument("--pool", choices=tuple(POOLS), help="only this one")
    chosen = parser.parse_args()
    turns, jobs = (3, 6_000) if chosen.quick else (7, 12_000)
    report = Report()
    for pool in [chosen.pool] if chosen.pool else POOLS:
        with tempfile.TemporaryDirectory() as name:
            server = Server(Path(name), free_port())
            try:
                drain = partial(drain_rate, server=server, pool=pool, folder=Path(name), jobs=jobs)
                found = in_turns((WITHOUT, COUNTED), turns, drain)
                bytes_used = int(server.client.info("memory")["used_memory"])
            finally:
                server.close()
        rates = {name: [rate for rate, _ in runs] for name, runs in found.items()}
        report.show(f"Drain, {pool}", "jobs/s", rates)
        pairs = [with_ / without for without, with_ in zip(rates["without"], rates["with"], strict=True)]
        report.say(f"  counted: {statistics.median(pairs):.1%} of the throughput without (median of {turns} pairs)")
        report.say(f"  the server holds {bytes_used / 2**20:.1f} MiB afterwards\n")


if __name__ == "__main__":
    main()
