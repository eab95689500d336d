"""How long a critical job waits while 1,000 reports of 10 s hold all report slots (goal: p99 under 100 ms).

python -m benchmarks.reserved_slots
"""

import os
import tempfile
from pathlib import Path

from deploy.local import Stack, commands
from intelliwiz_config.pools import POOLS

REPORTS, SECONDS, URGENT = 1000, 10.0, 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        stack.start_servers()
        os.environ |= stack.environment
        from .jobs import report, server
        from .waiting import in_words, waits_of_urgent_jobs

        stack.start(*(commands.worker(pool, stack.environment, "--include=benchmarks.jobs") for pool in POOLS))
        late = stack.wait_until_ready([pool.name for pool in POOLS], timeout=60)
        assert not late, late
        idle = waits_of_urgent_jobs(per_second=50, until=lambda sent: sent >= URGENT)
        for _ in range(REPORTS):
            report.delay(SECONDS)
        busy = waits_of_urgent_jobs(per_second=50, until=lambda sent: sent >= URGENT)
        print(f"critical, nothing else to do:    {in_words(idle)}")
        print(f"critical, {REPORTS} reports of {SECONDS:g} s:  {in_words(busy)}")
        print(f"reports still waiting at the end: {server().llen('reports')}")
        server().delete("reports")
        stack.discard()


if __name__ == "__main__":
    main()
