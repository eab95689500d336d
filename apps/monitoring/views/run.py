"""One job: its whole life, why it is not running, and what can be done about it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.core.broker.configured import is_leased
from apps.core.dead_letters.arguments import hide, shown
from apps.core.story import QUICK, Event, Story, events, is_known, tell, verdict

from ..access import page
from ..signs import of_run
from .base import show

LONGEST_ID: Final = 255
NAMES_OF_KEY: Final = ("state", "job", "owner", "attempt")


@require_safe
@page
def run(request: HttpRequest, job: str) -> HttpResponse:
    if not job.isprintable() or len(job) > LONGEST_ID:
        return _nothing(request, job, Story(job=job, at=datetime.now(UTC)))
    story = tell(job, patience=QUICK)
    if not is_known(story):
        return _nothing(request, job, story)
    first, *more = list(verdict(story)) or ["What has become of it is not known."]
    return show(
        request,
        "monitoring/run.html",
        title=f"Job {job}",
        place="runs",
        story=story,
        first=first,
        more=more,
        events=[_without_secrets(story, event) for event in events(story)],
        arguments=_arguments(story),
        letter=story.open_letter,
        traceback=_traceback(story),
        key=_key(story),
        kin=_kin(story),
        can_be_revoked=any(place.kind in ("waiting", "delayed") for place in story.places) or _is_in_outbox(story),
        paused=[(queue, pause) for queue, pause in sorted(story.pauses.items())],
    )


def _nothing(request: HttpRequest, job: str, story: Story) -> HttpResponse:
    """503 where somebody who might know it did not answer; of another transport's broker nobody ever does."""
    return show(
        request,
        "monitoring/run_unknown.html",
        title="Unknown job",
        place="runs",
        status=503 if story.unknown and is_leased() else 404,
        job=job,
        unknown=story.unknown,
    )


def _arguments(story: Story) -> dict[str, str] | None:
    """Masked, by name; None: not known."""
    if (message := story.message) is not None:
        return shown(message)
    last = next((one for one in reversed(story.runs) if one.args or one.kwargs), None)
    return None if last is None else {"positional": last.args, "by name": last.kwargs}


def _without_secrets(story: Story, event: Event) -> Event:
    """Once more: a task may have been told since then what is sensitive."""
    details = ((name, hide(story.message or b"", text) if name == "error" else text) for name, text in event.details)
    return replace(event, details=tuple(details))


def _traceback(story: Story) -> str:
    """Of the latest letter."""
    letter = next(iter(story.letters), None)
    return hide(bytes(letter.message), letter.traceback) if letter is not None else ""


def _key(story: Story) -> dict[str, Any] | None:
    """The job's idempotency key, and who has it; None: it has none, as far as is known."""
    if story.key_name is None:
        return None
    record, message = story.key, story.message
    fields = record.fields if record else {}
    return {
        "name": hide(message, story.key_name) if message else story.key_name,
        "exact": story.key_name,
        "is_held": record is not None,
        "facts": {name: fields[name] for name in NAMES_OF_KEY if fields.get(name)},
        "is_mine": fields.get("job") == story.job,
        "alive": record.owner_alive if record and fields.get("state") == "running" else None,
        "seconds_left": record.seconds_to_live if record else None,
    }


def _kin(story: Story) -> dict[str, Any]:
    """The jobs that it comes of, and that come of it."""
    last = next(iter(reversed(story.runs)), None)
    parent = story.headers.parent or (last.parent if last else "")
    root = story.headers.root or (last.root if last else "")
    return {
        "parent": parent or None,
        "root": root if root and root not in (story.job, parent) else None,
        "correlation": story.headers.correlation or (last.correlation if last else "") or None,
        "tenant": story.headers.tenant or (last.tenant if last else "") or None,
        "user": story.headers.user or (last.user if last else "") or None,
        "children": [(child, of_run(child.event)) for child in story.children],
    }


def _is_in_outbox(story: Story) -> bool:
    return story.row is not None and not story.places
