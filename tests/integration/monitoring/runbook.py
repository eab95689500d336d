"""docs/runbook.md, as a program reads it."""

import re
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Self

DOCUMENT: Final = Path(__file__).resolve().parents[3] / "docs" / "runbook.md"
ROW: Final = re.compile(r"^\| (?P<name>[^|]+) \| (?P<value>[^|]+) \|$", re.MULTILINE)
BLOCK: Final = re.compile(r"^```\n(?P<lines>.*?)^```$", re.MULTILINE | re.DOTALL)
PLACEHOLDER: Final = re.compile(r"\b[A-Z]{3,}\b")
MANAGE: Final = ("manage.py", "jobs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: str
    text: str
    rows: dict[str, str]
    commands: tuple[str, ...]

    @classmethod
    def read(cls, part: str) -> Self:
        title, _, text = part.partition("\n")
        rows = {found["name"]: found["value"] for found in ROW.finditer(text)}
        lines = "".join(found["lines"] for found in BLOCK.finditer(text)).splitlines()
        return cls(title=title, text=text, rows=rows, commands=tuple(lines))

    @property
    def anchor(self) -> str:
        return re.sub(r"[^a-z0-9 -]", "", self.title.lower()).replace(" ", "-")

    @property
    def code(self) -> str:
        return self.rows["code"].strip("`")

    def says(self, row: str = "it says") -> re.Pattern[str]:
        """The sentence; `…` is anything."""
        return re.compile(".*?".join(re.escape(part) for part in self.rows[row].split("…")))

    def command(self, begins: str, **names: str) -> list[str]:
        """The arguments of the one command that begins so, with these names in it."""
        (line,) = (line for line in self.commands if line.startswith(begins))
        words = [PLACEHOLDER.sub(lambda found: names.get(found[0], found[0]), word) for word in shlex.split(line)]
        return words[2:] if tuple(words[:2]) == MANAGE else words


@cache
def sections() -> dict[str, Section]:
    """By title."""
    _, *parts = DOCUMENT.read_text().split("\n## ")
    return {section.title: section for section in map(Section.read, parts)}
