"""The letters of a PDF: which characters they have, how wide they are, and where lines break.

DejaVu Sans Condensed lies beside this file and goes into each PDF (only the characters that are used). It has Latin
with all its accents, Greek, Cyrillic, Armenian, Georgian, currency signs and symbols. Chinese, Japanese, Korean and
the scripts of India are not in it, and Arabic and Hebrew would come out in the wrong order: each such character is
shown as a box.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

_FOLDER: Final = Path(__file__).parent / "fonts"
_FILES: Final = {
    "Report": "DejaVuSansCondensed.ttf",
    "Report-Bold": "DejaVuSansCondensed-Bold.ttf",
}
MISSING: Final = "□"
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
_PIECE: Final = re.compile(r"\S+|[^\S\n]+|\n")


class _Letters(dict[int, str]):
    """What is drawn for each character, found when it is first met: for str.translate."""

    def __init__(self, covered: Any) -> None:
        super().__init__()
        self._covered = covered

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        category = unicodedata.category(letter)
        if letter == "\n":
            drawn = "\n"
        elif category in ("Zs", "Zl", "Zp") or letter in "\t\r\v\f":
            drawn = "\u00a0" if letter in "\u00a0\u202f" else " "
        elif category == "Cf":
            drawn = ""  # joiners, marks of direction: nothing to see
        elif code in self._covered and code <= 0xFFFF and unicodedata.bidirectional(letter) not in _RIGHT_TO_LEFT:
            drawn = letter
        else:
            drawn = MISSING
        self[code] = drawn
        return drawn


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One weight of the font. Sizes and widths are points."""

    name: str
    letters: _Letters
    widths: dict[int, float]  # of each character, in thousandths of the size

    def drawable(self, text: str) -> str:
        """`text` in characters that this face has, the others as □; its lines end in \\n."""
        return unicodedata.normalize("NFC", text).replace("\r\n", "\n").translate(self.letters)

    def width(self, text: str, size: float) -> float:
        """How wide `text` is, which must be drawable."""
        get = self.widths.get
        return sum([get(code, 600.0) for code in map(ord, text)]) * size / 1000

    def lines(self, text: str, size: float, width: float) -> list[str]:
        """`text`, which must be drawable, broken into lines no wider than `width`; words that are wider are cut."""
        if "\n" not in text and self.width(text, size) <= width:
            return [text]
        return [line for paragraph in text.split("\n") for line in self._broken(paragraph, size, width)]

    def fitted(self, text: str, size: float, width: float) -> str:
        """`text` in one line, cut off with "…" where it is too wide."""
        text = self.drawable(text[:500]).replace("\n", " ")
        if self.width(text, size) <= width:
            return text
        start, _ = next(self._cut(text, size, max(0.0, width - self.width("…", size))))
        return start.rstrip() + "…"

    def _broken(self, paragraph: str, size: float, width: float) -> Iterator[str]:
        line, used = "", 0.0
        for piece in _PIECE.findall(paragraph):
            needed = self.width(piece, size)
            if used + needed <= width:
                line, used = line + piece, used + needed
                continue
            if piece.isspace():  # the line ends here, and the next does not begin with a gap
                yield line.rstrip(" ")
                line, used = "", 0.0
                continue
            if line.strip():
                yield line.rstrip(" ")
                line, used = "", 0.0
            for part, part_width in self._cut(piece, size, width):
                if line:
                    yield line
                line, used = part, part_width
        yield line.rstrip(" ")

    def _cut(self, word: str, size: float, width: float) -> Iterator[tuple[str, float]]:
        start, used = 0, 0.0
        for end, letter in enumerate(word):
            needed = self.width(letter, size)
            if used + needed > width and end > start:
                yield word[start:end], used
                start, used = end, 0.0
            used += needed
        yield word[start:], used


@cache
def face(name: str) -> Face:
    """A face by its name, "Report" or "Report-Bold", known to reportlab from then on."""
    font = TTFont(name, str(_FOLDER / _FILES[name]))
    pdfmetrics.registerFont(font)
    return Face(name, _Letters(font.face.charToGlyph), font.face.charWidths)


def regular() -> Face:
    return face("Report")


def bold() -> Face:
    return face("Report-Bold")
