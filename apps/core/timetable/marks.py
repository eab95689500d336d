"""How the severities of findings look."""

from collections.abc import Mapping
from typing import Final

from ..schedules.findings import Severity

MARKS: Final[Mapping[Severity, str]] = {"error": "✗", "warning": "!", "info": "i"}
COLOURS: Final[Mapping[Severity, str]] = {"error": "bold red", "warning": "yellow", "info": "cyan"}
