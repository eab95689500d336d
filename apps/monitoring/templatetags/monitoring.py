"""How the pages write numbers, spans and moments.

Unknown is "unknown", never 0. To a template a part of None is "", which is unknown, too.
"""

import json
from datetime import UTC, datetime
from typing import Any, Final

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from apps.core.durations import in_words
from apps.core.metrics.histogram import Histogram

from .. import access
from ..charts import Bars, Sparkline
from ..offers import OFFERS
from ..offers.repairs import NAMING, REPAIRS

register = template.Library()
UNKNOWN: Final = "unknown"
LIVE: Final = {**REPAIRS, "pause": "queue"}  # whose buttons live.js may have to make


@register.filter
def number(value: float | str | None) -> str:
    """1,234"""
    return f"{value:,}" if isinstance(value, int | float) else UNKNOWN


@register.filter
def seconds(value: float | str | None) -> str:
    """A span of time: 0.4s, 7.4s, 2m 5s."""
    if not isinstance(value, int | float):
        return UNKNOWN
    if 0 < value < 1:
        return f"{value * 1000:.0f}ms"
    return in_words(float(value))


@register.filter
def percent(value: float | str | None) -> str:
    """A share: 0.9938 is 99.38%."""
    if not isinstance(value, int | float):
        return UNKNOWN
    return f"{value * 100:.2f}".rstrip("0").rstrip(".") + "%"


@register.filter
def percentiles(times: Histogram) -> str:
    """0.2s / 1.4s / 3s, of which 50, 95 and 99 % take no longer."""
    return " / ".join(seconds(times.percentile(share)) for share in (0.5, 0.95, 0.99)) if times.count else UNKNOWN


@register.filter
def as_json(value: Any) -> str:
    """For people; escaped like any text."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


@register.simple_tag
def moment(value: datetime | str | float | None, absent: str = UNKNOWN) -> SafeString | str:
    """A <time> in UTC, to which times.js adds the reader's local time."""
    if value is None or value == "":
        return absent
    try:
        instant = _instant(value).astimezone(UTC)
    except (ValueError, OverflowError, OSError):  # workers and producers may say anything
        return UNKNOWN
    machine = instant.isoformat(timespec="seconds").replace("+00:00", "Z")
    return format_html('<time datetime="{}">{} UTC</time>', machine, f"{instant:%Y-%m-%d %H:%M:%S}")


def _instant(value: datetime | str | float) -> datetime:
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(value, UTC)


@register.simple_tag
def live(path: str, value: Any, kind: str = "text") -> SafeString:
    """A value that live.js keeps up to date: `path` is its place in the API's JSON, `kind` how it is written."""
    return format_html('<span data-live="{}" data-format="{}">{}</span>', path, kind, WRITTEN[kind](value))


@register.simple_tag
def live_of_queue(queue: dict[str, Any], path: str, kind: str, known_by: str, absent: str) -> SafeString:
    """The same of a queue, where null means `absent` as long as what stands at `known_by` is known."""
    value = _at(queue, path)
    words = absent if _at(queue, known_by) is not None else UNKNOWN
    place = f"queues.{queue['name']}"
    return format_html(
        '<span data-live="{}" data-format="{}" data-absent="{}" data-known-by="{}">{}</span>',
        f"{place}.{path}",
        kind,
        absent,
        f"{place}.{known_by}",
        words if _is_absent(value) else WRITTEN[kind](value),
    )


def _at(facts: Any, path: str) -> Any:
    for name in path.split("."):
        facts = facts[name]
    return facts


def _is_absent(value: Any) -> bool:
    return value is None or (isinstance(value, dict) and None in value.values())


@register.inclusion_tag("monitoring/sparkline.html")
def draw_sparkline(chart: Sparkline) -> dict[str, Any]:
    return {"chart": chart}


@register.inclusion_tag("monitoring/bars.html")
def draw_bars(chart: Bars) -> dict[str, Any]:
    return {"chart": chart}


@register.inclusion_tag("monitoring/offer.html", takes_context=True)
def offer(context: Any, name: str, label: str = "", **target: Any) -> dict[str, Any]:
    """The button of an action, which leads to its own page; nothing for who may not do it.

    A target that is a list is given as several values of one name.
    """
    one = OFFERS[name]
    request = context.get("request")
    trouble = context.get("broker_trouble", "") if one.needs_broker else ""
    if request is None or not access.may_do(request, one.action):
        return {"is_allowed": False}
    address = reverse("admin:monitoring_celery_action", args=[name])
    query = urlencode(target | {"back": context.get("here", "")}, doseq=True)
    return {
        "is_allowed": True,
        "offer": one,
        "label": label or one.label,
        "what": "" if label else next(iter(target.values()), ""),  # for those who hear one button after the other
        "trouble": trouble,
        "address": f"{address}?{query}",
    }


@register.inclusion_tag("monitoring/offer.html", takes_context=True)
def repair(context: Any, action: str, target: str | None) -> dict[str, Any]:
    """The button that a problem names, for what it names."""
    if action not in REPAIRS:
        return {"is_allowed": False}
    label = f"{OFFERS[action].label} {target}" if action in NAMING else ""
    return offer(context, action, label, **{REPAIRS[action]: target or ""})


@register.simple_tag(takes_context=True)
def live_offers(context: Any) -> str:
    """What offers.js makes buttons of: JSON of those that the visitor may press, whatever for."""
    request, back = context.get("request"), urlencode({"back": context.get("here", "")})
    return json.dumps(
        {
            name: {
                "address": f"{reverse('admin:monitoring_celery_action', args=[name])}?{back}",
                "takes": takes,
                "label": OFFERS[name].label,
                "names": name in NAMING,
                "needs_broker": OFFERS[name].needs_broker,
            }
            for name, takes in LIVE.items()
            if request is not None and access.may_do(request, OFFERS[name].action)
        }
    )


@register.simple_tag(takes_context=True)
def may(context: Any, name: str) -> bool:
    """Whether the visitor may do what OFFERS calls so."""
    request = context.get("request")
    return request is not None and access.may_do(request, OFFERS[name].action)


@register.simple_tag
def link_to_job(job: str) -> SafeString | str:
    """The job's id, as a link to its page. Ids that others made up may fit into no address."""
    address = address_of("admin:monitoring_celery_run", job)
    return format_html('<a href="{}">{}</a>', address, job) if address else job


@register.simple_tag
def address_of(name: str, *args: Any, **kwargs: Any) -> str:
    """The address called `name`; "" where there is none."""
    try:
        return reverse(name, args=args, kwargs=kwargs)
    except NoReverseMatch:
        return ""


def text(value: Any) -> str:
    return UNKNOWN if value is None else str(value)


def three(value: dict[str, float | None]) -> str:
    """0.2s / 1.4s / 3s: percentiles as the API has them."""
    return " / ".join(seconds(one) for one in value.values())


# data-format -> how; static/monitoring/live.js writes the same.
WRITTEN: Final = {"text": text, "number": number, "seconds": seconds, "percent": percent, "three": three}
