"""Running again, or giving up, what became dead letters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ..actions import Actor, Done, permit
from ..dead_letters import discard as giving_up
from ..dead_letters.arguments import WrongArgumentsError, check_arguments
from ..dead_letters.replay import Replay, Replayed, replay
from ..dead_letters.selection import Selection
from ..durations import in_words
from ..models import DeadLetter, OperatorAction
from ..runs.patience import TookTooLongError, at_most
from ..runs.query import BadQueryError, RunQuery
from ..runs.search import PATIENCE, advice
from .acting import act
from .arguments import arguments_in
from .errors import RefusedError

NAMED_AT_MOST: Final = 10  # letters in a sentence
MOST: Final = 100_000  # letters that a query of runs may mean: it is looked up within a search's time


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """The open letters that somebody means."""

    count: int
    latest: tuple[DeadLetter, ...]  # some of them, to be shown


def retry_letters(
    selection: Selection, *, how: Replay | None = None, actor: Actor, reason: str, request_id: UUID | None = None
) -> OperatorAction:
    """Run these jobs again, each exactly as it was enqueued but for what `how` says.

    Whoever has keys released needs that permission, too.
    """
    how = how or Replay()
    if how.release_key:
        permit("release-key", actor=actor, reason=reason)

    def work() -> Done:
        done = replay(selection, how)
        return Done(affected=done.count, detail=in_a_sentence(done, how))

    target = (
        str(selection) + (", key released" if how.release_key else "") + (", new arguments" if how.arguments else "")
    )
    return act(
        "replay-dead-letters",
        work,
        actor=actor,
        target=target,
        reason=reason,
        request_id=request_id,
        prepare=lambda: count_for(selection, how),
    )


def edit_and_retry(
    letter_id: int, arguments: str, *, actor: Actor, reason: str, request_id: UUID | None = None
) -> OperatorAction:
    """Run one job again with other arguments: JSON, a list of them or an object of named ones."""
    permit("replay-dead-letters", actor=actor, reason=reason)
    return retry_letters(
        Selection(names=(str(letter_id),)),
        how=Replay(arguments=arguments_in(arguments)),
        actor=actor,
        reason=reason,
        request_id=request_id,
    )


def discard_letters(
    selection: Selection, *, actor: Actor, reason: str, request_id: UUID | None = None
) -> OperatorAction:
    """Close these letters: their jobs need not run again. They can be looked at until they are removed."""

    def work() -> Done:
        count = giving_up.discard(selection)
        return Done(affected=count, detail=f"{count} discarded.")

    return act(
        "discard-dead-letters",
        work,
        actor=actor,
        target=str(selection),
        reason=reason,
        request_id=request_id,
        prepare=lambda: count_letters(selection),
    )


def count_letters(selection: Selection) -> int:
    """How many open letters are meant. Raises as `look_up` does."""
    return look_up(selection).count


def look_up(selection: Selection, *, shown: int = 0) -> Meant:
    """How many open letters are meant, and the latest `shown` of them.

    Raises RefusedError where nothing says which, for a name of none that is open, and for a query of runs that means
    more than MOST letters, or takes too long.
    """
    if not selection:
        raise RefusedError("Say which dead letters: by their ids, or by what they have in common.")
    if selection.runs is not None:
        ids = _of_runs(selection, selection.runs)
        latest = DeadLetter.objects.filter(pk__in=ids[-shown:] if shown else ())
        return Meant(count=len(ids), latest=tuple(latest))
    letters = selection.open_letters()
    if selection.names:
        found = {name for pk, job in letters.values_list("pk", "job") for name in (str(pk), job)}
        if missing := [name for name in selection.names if name not in found]:
            raise RefusedError(
                f"No open dead letter is named {listed(missing)}: it has been replayed or discarded, or never was; "
                f"see `jobs dead-letters {missing[0]}`."
            )
    return Meant(count=letters.count(), latest=tuple(letters[:shown]))


def _of_runs(selection: Selection, runs: RunQuery) -> list[int]:
    """The ids of all of them, the oldest first, or none."""
    try:
        with at_most(PATIENCE):
            ids = selection.open_ids(MOST + 1)
    except BadQueryError as error:
        raise RefusedError(str(error)) from None
    except TookTooLongError:
        raise RefusedError(f"It took too long to look for them, so nothing is begun. {advice(runs)}") from None
    if len(ids) > MOST:
        raise RefusedError(f"These are more than {MOST:,}, too many for one look. {advice(runs)}")
    return ids


def count_for(selection: Selection, how: Replay) -> int:
    """The same for a replay, whose new arguments must be those of one job. Raises RefusedError."""
    count = count_letters(selection)
    if how.arguments is None:
        return count
    if count != 1:
        raise RefusedError(f"New arguments are those of one job, and this names {count}.")
    try:
        check_arguments(selection.open_letters().get().task, how.arguments)
    except WrongArgumentsError as error:
        raise RefusedError(str(error)) from None
    return count


def in_a_sentence(done: Replayed, how: Replay) -> str:
    span = f", over {in_words(done.count / how.rate)}" if how.rate and done.count > how.rate else ""
    parts = [f"{done.count} replayed{span}: the relay publishes them."]
    if done.held_back:
        parts.append(f"{len(done.held_back)} stay: another job waits or runs in their place.")
    if done.unreadable:
        ids = listed([str(one) for one in done.unreadable])
        parts.append(f"{len(done.unreadable)} stay: their messages are no jobs', and can only be discarded ({ids}).")
    return " ".join(parts)


def listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED_AT_MOST
    return ", ".join(names[:NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
