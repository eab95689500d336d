"""The colours of charts: for each series the fill, and the ink of words on it. Told apart by the colour-blind too."""

from typing import Final

# After Okabe and Ito, "Color Universal Design" (2008), darkened until the words on them have a contrast of 4.5.
TONES: Final = (
    ("#1f5f99", "#ffffff"),
    ("#e69f00", "#1b1b1b"),
    ("#00795c", "#ffffff"),
    ("#b04a86", "#ffffff"),
    ("#56b4e9", "#1b1b1b"),
    ("#6b7280", "#ffffff"),
)


def fill(tone: int) -> str:
    return TONES[tone % len(TONES)][0]


def ink(tone: int) -> str:
    return TONES[tone % len(TONES)][1]
