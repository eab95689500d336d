"""Both critical sweeps on 20,000 rows each, on real workers, and how long other critical jobs wait meanwhile.

Goals: each sweep done in under 120 s of work; p99 of the other jobs' wait under 100 ms.
python -m benchmarks.sweeps
"""

import os
import tempfile
from pathlib import Path

from deploy.local import Stack, commands, database
from deploy.local.demo import fire
from deploy.local.job_events import JobEvents
from deploy.local.output import Terminal
from intelliwiz_config.pools import POOLS

ROWS, PER_SECOND, PATIENCE = 20_000, 20.0, 900.0


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        stack.start_servers()
        stack.start_mail()
        environment = stack.environment | {"TASK_EVENTS": "1"}
        os.environ |= environment
        database.make_ready(stack.state_dir, Terminal(None))
        from django.utils import timezone

        from .overdue_rows import add_due_tickets, add_overdue_occurrences
        from .waiting import in_words, waits_of_urgent_jobs

        add_overdue_occurrences(ROWS, timezone.now())
        add_due_tickets(ROWS, timezone.now())
        # Mail has a pool of its own and would take half of the two cores: it waits until the sweeps are done.
        pools = [pool for pool in POOLS if pool.name == "critical"]
        stack.start(*(commands.worker(pool, environment, "--include=benchmarks.jobs") for pool in pools))
        assert not stack.wait_until_ready([pool.name for pool in pools], timeout=60)
        idle = waits_of_urgent_jobs(per_second=PER_SECOND, until=lambda sent: sent >= 500)
        with JobEvents(stack.services.broker_url) as events:
            entries = fire(environment)

            def sweeps_ended(sent: int) -> bool:
                sweeps = [job for job in events.descendants(list(entries)) if job.task in SWEEPS]
                return (
                    sent > 200 and all(job.end for job in sweeps) and len(sweeps) > 2
                ) or sent > PATIENCE * PER_SECOND

            busy = waits_of_urgent_jobs(per_second=PER_SECOND, until=sweeps_ended)
            for task in SWEEPS:
                portions = [job for job in events.descendants(list(entries)) if job.task == task]
                ran = [job.ran or 0.0 for job in portions]
                print(f"{task}: {sum(ran):.1f} s of work in {len(portions)} portions, the longest {max(ran):.1f} s")
        print(f"other critical jobs, nothing else to do: {in_words(idle)}")
        print(f"other critical jobs, during the sweeps:  {in_words(busy)}")
        stack.discard()


SWEEPS = ("auto_close_jobs", "ticket_escalation")

if __name__ == "__main__":
    main()
