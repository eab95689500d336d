"""The hooks that a task may define: whatever they do, they never change how its job ends."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from celery.exceptions import SoftTimeLimitExceeded

from ..logs import get_logger

HOOKS: Final = ("before_start", "on_success", "on_failure", "on_retry", "after_return")

log = get_logger(__name__)


def guard_hooks(task: type[Any]) -> None:
    """Replace the hooks that a task class defines by ones that log an error instead of raising it."""
    for name in HOOKS:
        hook = task.__dict__.get(name)
        if callable(hook):
            setattr(task, name, _guarded(hook, name))


def _guarded(hook: Callable[..., Any], name: str) -> Callable[..., Any]:
    @wraps(hook)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return hook(*args, **kwargs)
        except SoftTimeLimitExceeded:
            raise  # meant for the job, which happens to be in its hook
        except Exception as error:  # a hook is an observer
            log.warning("job.hook_failed", hook=name, error=type(error).__name__, exc_info=True)
            return None

    return guarded
