"""`manage.py validate_schedules`: proves a timetable, explains what is wrong, and says where entries stand better."""

import io
import shutil
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from celery import current_app
from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseError
from django.utils.module_loading import import_string
from rich.console import Console, RenderableType

from ...checks import loaded_tasks
from ...conf import engine_settings
from ...exceptions import DeclarationError
from ...queues import nearest
from ...schedules import history
from ...schedules.codes import CODES
from ...schedules.findings import SEVERITIES, Finding
from ...schedules.rules import judge
from ...schedules.timetable import Timetable
from ...timetable import clock_changes, report, suggested
from ...timetable.application import ImpossibleDateError, load
from ...timetable.drawing import draw
from ...timetable.gather import gather
from ...timetable.suggestion import Suggestion, suggest

FOUND, WRONG, COULD_NOT_RUN = 1, 2, 3  # exit codes beside 0
MEASURED_FOR: Final = timedelta(days=30)  # before the moment of the check
LONGEST_HORIZON: Final = 366  # days
WIDTH: Final = 160  # columns, where there is no terminal to ask


class Command(BaseCommand):
    help = (
        "Prove the timetable: no two entries share a minute, each can be fired, and none fires into the next. "
        "Exit code 0: clean; 1: findings; 2: wrong usage or configuration; 3: it could not run."
    )
    requires_system_checks = ()  # the findings are among them

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--app", metavar="PACKAGE.MODULE:APP", help="another Celery application than this project's")
        add("--verbose", action="store_true", help="draw the timetable: a day's load, next firings, gaps, the peak")
        add("--format", choices=("text", "json"), default="text")
        add("--output", metavar="FILE", type=Path, help="write there instead of to standard output")
        add("--select", metavar="CODE", action="append", default=[], help="only these codes (also SCH101,SCH102)")
        add("--ignore", metavar="CODE", action="append", default=[], help="all but these codes")
        add("--fail-level", choices=SEVERITIES[:2], default="error", help="from which severity on the exit code is 1")
        add(
            "--check-dst",
            action="store_true",
            help="what the crontabs would skip and repeat in the sites' local times",
        )
        add("--zone", metavar="NAME", action="append", default=[], help="for --check-dst: this zone, not the sites'")
        add("--suggest", action="store_true", help="where the free entries, and those in trouble, stand best")
        add("--diff", action="store_true", help="the suggestion as a change of the sources; nothing is written there")
        add("--at", metavar="ISO", type=_moment, help="the moment to check from, such as 2026-11-25T12:00Z; now")
        add("--horizon", metavar="DAYS", type=_days, default=7, help="for --verbose: days whose load is looked at; 7")
        add("--explain", metavar="CODE", help="what a code stands for, and end")

    def handle(self, **options: Any) -> None:
        try:
            self._handle(**options)
        except DeclarationError as error:
            raise CommandError(str(error), returncode=WRONG) from None
        except CommandError:
            raise
        except Exception as error:  # the outer edge: whatever it is, the exit code is to tell it from findings
            why = f"It could not run: {type(error).__name__}: {error}"
            raise CommandError(why, returncode=COULD_NOT_RUN) from error

    def _handle(self, **options: Any) -> None:
        if options["explain"]:
            self.stdout.write(report.explanation(options["explain"]))
            return
        hidden = _hidden(options["select"], options["ignore"])
        checked = self._checked(options["app"], options["at"] or datetime.now(UTC))
        findings = [finding for finding in checked.findings if finding.code not in hidden]
        if options["diff"]:
            self._write_differences(checked, options["output"])
        else:
            write = self._write_json if options["format"] == "json" else self._write_text
            write(checked, findings, hidden, **options)
        grave = SEVERITIES[: SEVERITIES.index(options["fail_level"]) + 1]
        if any(finding.severity in grave for finding in findings):
            raise SystemExit(FOUND)

    def _checked(self, address: str | None, at: datetime) -> "Checked":
        here: Any = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 - not the proxy
        try:
            app: Any = load(address) if address else here
        except ImpossibleDateError as error:  # it has ended the loading, so nothing else is known
            return Checked(timetable=Timetable(lines=(), at=at), findings=[_impossible(error)])
        own = app is here
        tasks = {task.name: task for task in loaded_tasks(of_engine_only=False)} if own else app.tasks
        if unreadable := getattr(app, "timetable_error", None):
            raise unreadable
        timetable = gather(
            app,
            tasks,
            at=at,
            module=address.partition(":")[0] if address else None,
            run_seconds=self._run_seconds(at) if own else {},
        )
        return Checked(timetable=timetable, findings=judge(timetable))

    def _run_seconds(self, at: datetime) -> Mapping[str, float]:
        try:
            return history.run_seconds(at - MEASURED_FOR)
        except DatabaseError as error:
            self.stderr.write(f"Run times are not known: {type(error).__name__} from the database. Is it migrated?")
            return {}

    def _write_text(self, checked: "Checked", findings: list[Finding], hidden: set[str], **options: Any) -> None:
        parts: list[RenderableType] = []
        if options["verbose"]:
            parts += [draw(checked.timetable, findings, horizon_days=options["horizon"]), ""]
        if zones := self._zones(**options):
            parts.append(clock_changes.as_text(clock_changes.changes_in(zone, checked.timetable) for zone in zones))
        if options["suggest"]:
            parts.append(suggested.as_text(self._suggestion(checked)))
        parts.append(report.as_text(findings, checked.timetable, left_out=hidden))
        colour = not options["no_color"] and (options["force_color"] or self._is_for_a_terminal(options["output"]))
        self._write("".join(_printed(part, colour=colour) for part in parts), options["output"])

    def _write_json(self, checked: "Checked", findings: list[Finding], hidden: set[str], **options: Any) -> None:
        extra: dict[str, Any] = {}
        if zones := self._zones(**options):
            found = [clock_changes.changes_in(zone, checked.timetable) for zone in zones]
            extra["clock_changes"] = clock_changes.as_facts(found)
        if options["suggest"]:
            extra["suggestion"] = suggested.as_facts(self._suggestion(checked))
        self._write(f"{report.as_json(findings, extra)}\n", options["output"])

    def _write_differences(self, checked: "Checked", output: Path | None) -> None:
        text, left = suggested.differences(self._suggestion(checked), checked.timetable)
        for entry in left:
            self.stderr.write(
                f"The schedule of {entry} is not literal, or not where it was looked for: move it by hand."
            )
        self._write(text, output)

    def _suggestion(self, checked: "Checked") -> Suggestion:
        self.stderr.write(f"Looking for better places for {len(checked.timetable.lines)} entries …")
        return suggest(checked.timetable, checked.findings)

    def _zones(self, *, check_dst: bool, zone: list[str], **_: Any) -> list[str]:
        """Raises CommandError where the sites' zones cannot be asked for."""
        if zone or not check_dst:
            return zone
        source = engine_settings().zones
        if source is None:
            raise CommandError("BGJOBS['zones'] names no function; give --zone instead.", returncode=WRONG)
        try:
            return sorted(import_string(source)())
        except DatabaseError as error:
            why = f"The sites' zones are not known ({type(error).__name__}); name some with --zone."
            raise CommandError(why, returncode=COULD_NOT_RUN) from None

    def _is_for_a_terminal(self, output: Path | None) -> bool:
        return output is None and bool(self.stdout.isatty())

    def _write(self, text: str, output: Path | None) -> None:
        if output is None:
            self.stdout.write(text, ending="")
            return
        with output.open("w", encoding="utf-8", newline="") as file:
            file.write(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    timetable: Timetable
    findings: list[Finding]


def _hidden(select: list[str], ignore: list[str]) -> set[str]:
    """The codes that are not asked for. Raises DeclarationError for one that there is not."""
    selected, ignored = _codes(select), _codes(ignore)
    return {code for code in CODES if code in ignored or (selected and code not in selected)}


def _codes(given: list[str]) -> set[str]:
    codes = {code.strip().upper() for text in given for code in text.split(",")}
    for code in codes - CODES.keys():
        raise DeclarationError(f"There is no code {code!r}; {nearest(code, CODES)}")
    return codes


def _impossible(error: ImpossibleDateError) -> Finding:
    code = CODES["SCH111"]
    return Finding(
        code=code.code, severity=code.severity, entries=(), message=str(error), fix=code.fix, place=error.place
    )


def _printed(part: RenderableType, *, colour: bool) -> str:
    console = Console(
        file=io.StringIO(),
        width=shutil.get_terminal_size((WIDTH, 0)).columns,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
    )
    console.print(part, markup=False)
    written = console.file
    assert isinstance(written, io.StringIO)  # noqa: S101 - made above
    return written.getvalue()


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= LONGEST_HORIZON:
        raise ValueError
    return days
