"""How long the jobs of this process take, to know how many messages may be claimed ahead."""

from typing import Final

FAST: Final = 0.001  # seconds: only jobs shorter than this on average are read ahead
EXPECTED_WORK: Final = 0.020  # seconds of work per slot that may be claimed ahead
MOST_AHEAD: Final = 64  # messages
ENOUGH: Final = 16  # jobs seen before the average is believed, and its memory


class RunTimes:
    """A moving average over the last jobs. One long job makes it slow at once, and many short ones fast again."""

    def __init__(self) -> None:
        self._seen = 0
        self._mean = 0.0

    def note(self, seconds: float) -> None:
        self._seen += 1
        self._mean += (seconds - self._mean) / min(self._seen, ENOUGH)

    def read_ahead(self, slots: int) -> int:
        """How many messages beyond its free slots a worker may claim."""
        if self._seen < ENOUGH or self._mean >= FAST:
            return 0
        return min(int(EXPECTED_WORK * slots / max(self._mean, 1e-6)), MOST_AHEAD)


run_times: Final = RunTimes()
