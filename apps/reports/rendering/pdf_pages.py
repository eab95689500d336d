"""The pages of a PDF: where the next thing goes, and what stands at the foot of each."""

from pathlib import Path
from typing import Final

from reportlab import rl_config
from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from .pdf_fonts import MISSING, Face, bold, regular

MARGIN: Final = 42.5  # 15 mm
INK: Final = HexColor("#1b2430")
FAINT: Final = HexColor("#5b6675")
LINE: Final = HexColor("#d7dde4")
ACCENT: Final = HexColor("#1f5f99")
_FOOT: Final = 20.0  # height of the footer
_COUNT: Final = "page-count"  # the form that says how many pages there are, written when it is known

# Streams as they are. As letters (Ascii85), for the sake of old mail servers, they are a quarter larger and slower.
rl_config.useA85 = 0


class Pages:
    """A document that grows downwards; `y` is where the next thing begins, in points from the bottom."""

    def __init__(self, path: Path, *, title: str, subject: str, is_wide: bool) -> None:
        size: tuple[float, float] = landscape(A4) if is_wide else A4
        self.width, self.height = size
        self.left, self.right = MARGIN, self.width - MARGIN
        self.top, self.bottom = self.height - MARGIN, MARGIN + _FOOT
        self.y = self.top
        self.number = 1
        self.has_missing = False  # whether a character was shown as □
        self.is_wide = is_wide
        self._title = bold().fitted(title, 8, self.breadth * 0.75)
        # invariant: the same content makes the same file, without the time and a random id.
        self.canvas = Canvas(str(path), pagesize=(self.width, self.height), pageCompression=1, invariant=1, lang="en")
        self.canvas.setTitle(regular().drawable(title).replace("\n", " "))
        self.canvas.setSubject(regular().drawable(subject).replace("\n", " "))
        self.canvas.setAuthor("IntelliWiz")
        self.canvas.setCreator("IntelliWiz")

    @property
    def breadth(self) -> float:
        return self.right - self.left

    @property
    def room(self) -> float:
        return self.y - self.bottom

    @property
    def is_fresh(self) -> bool:
        """Whether nothing stands on this page yet."""
        return self.y == self.top

    def drawable(self, text: str, face: Face) -> str:
        drawn = face.drawable(text)
        if MISSING in drawn:
            self.has_missing = True
        return drawn

    def write(self, x: float, y: float, text: str, face: Face, size: float, color: Color = INK) -> None:
        """Write one drawable line at its base line."""
        self.canvas.setFont(face.name, size)
        self.canvas.setFillColor(color)
        self.canvas.drawString(x, y, text)

    def paragraph(self, text: str, face: Face, size: float, color: Color = INK) -> None:
        """Write `text` over the whole breadth and go below it."""
        for line in face.lines(self.drawable(text, face), size, self.breadth):
            if self.room < size * 1.3:
                self.turn()
            self.write(self.left, self.y - size, line, face, size, color)
            self.y -= size * 1.3

    def turn(self) -> None:
        """End this page and begin the next."""
        self._foot()
        self.canvas.showPage()
        self.number += 1
        self.y = self.top

    def save(self) -> None:
        """End the last page and write the file: nothing of it exists before."""
        self._foot()
        self.canvas.showPage()
        self.canvas.beginForm(_COUNT)
        self.write(0, 0, str(self.number), regular(), 8, FAINT)
        self.canvas.endForm()
        self.canvas.save()

    def _foot(self) -> None:
        y = MARGIN
        self.canvas.setStrokeColor(LINE)
        self.canvas.setLineWidth(0.5)
        self.canvas.line(self.left, y + 12, self.right, y + 12)
        said = f"Page {self.number} of "
        self.write(self.left, y, said, regular(), 8, FAINT)
        self.canvas.saveState()
        self.canvas.translate(self.left + regular().width(said, 8), y)
        self.canvas.doForm(_COUNT)
        self.canvas.restoreState()
        self.write(self.right - bold().width(self._title, 8), y, self._title, bold(), 8, FAINT)
