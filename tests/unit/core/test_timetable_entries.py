import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Celery
from celery.beat import BeatLazyFunc, ScheduleEntry, Scheduler
from celery.schedules import crontab, schedule, solar

from apps.core.exceptions import DeclarationError
from apps.core.schedules import Entry, Every, every
from apps.core.schedules.entry import as_beat_schedule
from apps.core.schedules.plan import Plan, plan_of, plans_of
from intelliwiz_config.schedule import ENTRIES

NOW = datetime(2026, 11, 23, 12, 30, 20, tzinfo=UTC)


@pytest.fixture
def app() -> Celery:
    return Celery("timetable", set_as_current=False, broker="memory://", backend="cache+memory://")


def entry(**options: Any) -> Entry:
    return Entry(**{"name": "n", "task": "t", "when": "12,42 * * * *", "expires": 60, **options})


def plan(app: Celery, when: Any) -> Plan:
    return plan_of(ScheduleEntry(name="n", task="t", schedule=when, app=app))


@pytest.mark.parametrize("when", ["61 * * * *", "* * * *", "a b c d e", "", "*/0 * * * *", 30, None])
def test_a_bad_schedule_is_refused_with_the_entrys_name(when: Any) -> None:
    with pytest.raises(DeclarationError, match="Entry 'n'"):
        entry(when=when)


@pytest.mark.parametrize(
    ("minutes", "offset"), [(0, 0), (-5, 0), (27, 27), (27, -1), (1.5, 0), (27, 0.5), ("27", 0), (True, 0)]
)
def test_an_interval_is_whole_minutes_with_an_offset_below_the_period(minutes: Any, offset: Any) -> None:
    with pytest.raises(DeclarationError, match="every"):
        every(minutes=minutes, offset=offset)


def test_an_interval_is_plain_data() -> None:
    assert every(minutes=27, offset=4) == Every(minutes=27, offset=4)
    assert entry(when=every(minutes=27, offset=4)).when == Every(minutes=27, offset=4)


def test_an_entry_that_never_fires_can_be_declared_but_not_fired(app: Celery) -> None:
    """So that all that is wrong with a timetable is told at once."""
    never = entry(when="0 0 30 2 *", expires=None)
    assert never.expires_after is None
    with pytest.raises(DeclarationError, match="Entry 'n': when='0 0 30 2 \\*' never fires"):
        plan_of(ScheduleEntry(name="n", app=app, **never.as_beat_entry()))


def test_an_entry_must_expire() -> None:
    with pytest.raises(DeclarationError, match="expires above 0"):
        entry(expires=0)


@pytest.mark.parametrize(
    ("when", "expires"),
    [
        ("12,42 * * * *", 28 * 60),
        ("0,10 * * * *", 8 * 60),
        ("3 2 * * *", 24 * 3600 - 120),
        (every(minutes=27, offset=4), 25 * 60),
        (every(minutes=3), 90),
        ("* * * * *", 30),
        ("5 4 1 * *", 28 * 24 * 3600 - 120),
    ],
)
def test_a_job_expires_two_minutes_before_the_next_firing_unless_the_entry_says_otherwise(
    when: Any, expires: float
) -> None:
    assert entry(when=when, expires=None).as_beat_entry()["options"] == {"expires": expires}
    assert entry(when=when, expires=17).as_beat_entry()["options"] == {"expires": 17}


def test_an_entry_stands_at_one_of_its_candidates() -> None:
    with pytest.raises(DeclarationError, match=r"Entry 'n': when='12,42 .*' is none of its candidates"):
        entry(candidates=("0,30 * * * *",))
    with pytest.raises(DeclarationError, match="Entry 'n': when='61 "):
        entry(candidates=("12,42 * * * *", "61 * * * *"))


@pytest.mark.parametrize("spacing", [-1, 1.5, True])
def test_a_spacing_is_whole_minutes(spacing: Any) -> None:
    with pytest.raises(DeclarationError, match="Entry 'n': it needs a spacing in whole minutes"):
        entry(spacing=spacing)


def test_two_entries_of_one_name_are_refused() -> None:
    with pytest.raises(DeclarationError, match="two entries called 'n'"):
        as_beat_schedule([entry(), entry(when="1 * * * *")])


def test_a_wrong_policy_is_refused_with_the_entrys_name() -> None:
    with pytest.raises(DeclarationError, match="Entry 'n': overlap must be one of allow, skip"):
        entry(overlap="queue")


def test_the_timetable_reaches_the_scheduler_as_it_was_written(app: Celery) -> None:
    app.conf.beat_schedule = {entry.name: entry.as_beat_entry() for entry in ENTRIES}
    plans = plans_of(app)
    assert list(plans) == [entry.name for entry in ENTRIES]
    for one in ENTRIES:
        found = plans[one.name]
        assert (found.task, found.policy, found.expires) == (one.task, one.policy, one.expires_after)
        assert found.spec == str(one.when)


@pytest.mark.parametrize(
    ("when", "due"), [("12,42 * * * *", "12:42"), (every(minutes=27, offset=4), "12:49"), ("0 0 * * *", "00:00")]
)
def test_a_stock_scheduler_can_follow_an_entry(app: Celery, when: Any, due: str) -> None:
    made = entry(when=when).as_beat_entry()["schedule"]
    made.nowfun = lambda: NOW
    is_due, seconds = made.is_due(NOW - timedelta(seconds=1))
    assert not is_due
    assert f"{NOW + timedelta(seconds=seconds):%H:%M:%S}" == f"{due}:00"
    assert made.is_due(NOW - timedelta(days=1)) == (True, seconds)
    made.nowfun = None
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 - Celery keeps its schedule so
    assert made != entry(when="1 * * * *").as_beat_entry()["schedule"]


def test_a_stock_scheduler_takes_the_timetable(app: Celery) -> None:
    app.conf.beat_schedule = {entry.name: entry.as_beat_entry() for entry in ENTRIES}
    assert 0 < Scheduler(app).tick() <= 300


def test_plain_crontabs_and_intervals_of_other_projects_are_understood(app: Celery) -> None:
    cron = plan(app, crontab(minute=[0, 30], hour="*/2"))
    assert cron.spec == "<crontab: [0, 30] */2 * * * (m/h/dM/MY/d)>"
    assert plan(app, crontab(minute=[30, 0], hour="*/3")).spec != cron.spec
    for when in (90, timedelta(seconds=90), schedule(90.0)):
        found = plan(app, when)
        assert (found.schedule, found.spec) == (timedelta(seconds=90), "every 90 s")
        assert found.policy.catch_up == "one"


@pytest.mark.parametrize(
    ("when", "words"),
    [
        (0.5, "one second is the shortest"),
        (0, "one second is the shortest"),
        (crontab(day_of_week=set()), "never fires"),
        (type("Odd", (crontab,), {})(), "type Odd cannot be fired exactly once"),
    ],
)
def test_what_has_no_due_instants_is_refused_by_name(app: Celery, when: Any, words: str) -> None:
    with pytest.raises(DeclarationError, match=f"Entry 'n': .*{words}"):
        plan(app, when)


def test_the_sun_is_refused(app: Celery) -> None:
    sunrise = solar.__new__(solar)  # without the library that it needs
    sunrise.nowfun = None
    with pytest.raises(DeclarationError, match="type solar cannot be fired exactly once: use Entry"):
        plan(app, sunrise)


def test_a_crontab_of_another_zone_is_refused(app: Celery) -> None:
    app.conf.timezone = "Europe/Berlin"
    with pytest.raises(DeclarationError, match="its crontab is in Europe/Berlin"):
        plan(app, crontab(hour=3))
    assert plan(app, entry().as_beat_entry()["schedule"])  # which is in UTC whatever Celery's zone


def test_lazy_arguments_are_computed_for_each_job(app: Celery) -> None:
    numbers = iter(range(10))
    lazy = BeatLazyFunc(lambda: next(numbers))
    made = ScheduleEntry(name="n", task="t", schedule=60, args=(lazy, "x"), kwargs={"y": lazy}, app=app)
    assert plan_of(made).arguments() == ([0, "x"], {"y": 1})
    assert plan_of(made).arguments() == ([2, "x"], {"y": 3})
