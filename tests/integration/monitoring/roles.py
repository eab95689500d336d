"""Who gets which answer at which address. A new address or action without a line here fails the tests."""

from typing import Final

# "staff" is in no group; then come bearer tokens of one scope each, without a session.
ROLES: Final = (
    *("anonymous", "staff", "viewer", "operator", "admin"),
    *("metrics token", "health token", "api token"),
)
GROUPS: Final = {"viewer": "Jobs viewer", "operator": "Jobs operator", "admin": "Jobs admin"}

TOKENS: Final = {f"{scope} token": scope for scope in ("metrics", "health", "api")}

Statuses = tuple[int, int, int, int, int, int, int, int]  # in the order of ROLES

# A token opens what its scope says, and never a page: there it is nobody.
FOR_PEOPLE: Final[Statuses] = (302, 403, 200, 200, 200, 302, 302, 302)
FOR_PROGRAMS: Final[Statuses] = (401, 403, 200, 200, 200, 403, 403, 200)
FOR_PROBES: Final[Statuses] = (401, 403, 200, 200, 200, 403, 200, 403)
FOR_PROMETHEUS: Final[Statuses] = (401, 401, 401, 401, 401, 200, 403, 403)
NOTHING_THERE: Final[Statuses] = (302, 403, 404, 404, 404, 302, 302, 302)

# Name of the page -> arguments of its address, and the answers to GET.
PAGES: Final[dict[str, tuple[tuple[str, ...], Statuses]]] = {
    "changelist": ((), FOR_PEOPLE),
    "queue": (("critical",), FOR_PEOPLE),
    "workers": ((), FOR_PEOPLE),
    "idempotency": ((), FOR_PEOPLE),
    "audit": ((), FOR_PEOPLE),
    "action": (("pause",), (302, 403, 403, 409, 409, 302, 302, 302)),  # of a queue that is not named
    "runs": ((), FOR_PEOPLE),
    "runs_export": ((), FOR_PEOPLE),
    "run": (("no-such-job",), NOTHING_THERE),
    "failures": ((), FOR_PEOPLE),
    "schedules": ((), FOR_PEOPLE),
    "api_metrics": ((), FOR_PROGRAMS),
    "api_health": ((), FOR_PROBES),
    "api_schema": ((), FOR_PROGRAMS),
    "api_unknown": (("metric",), (404, 404, 404, 404, 404, 404, 404, 404)),
}

# Name of the action on the pages -> the roles that may do it.
ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    "pause": ("operator", "admin"),
    "resume": ("operator", "admin"),
    "purge": ("admin",),
    "restore": ("admin",),
    "retry": ("operator", "admin"),
    "discard": ("operator", "admin"),
    "edit_retry": ("operator", "admin"),
    "revoke": ("operator", "admin"),
    "reveal": ("admin",),
    "fire": ("operator", "admin"),
    "pause_entry": ("operator", "admin"),
    "resume_entry": ("operator", "admin"),
    "fuse": ("operator", "admin"),
    "unfuse": ("operator", "admin"),
    "quiet": ("admin",),
    "stop": ("admin",),
    "release_key": ("operator", "admin"),
}
