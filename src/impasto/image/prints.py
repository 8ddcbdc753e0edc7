"""Prints: how many pixels they take, and the resolution in their files."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from impasto.errors import InputError
from impasto.image.origin import Origin
from impasto.image.picture import Picture

# Units in inches.
_UNITS = {"mm": 1 / 25.4, "cm": 1 / 2.54, "in": 1.0}
_FORMAT = re.compile(r"(\d+(?:\.\d+)?)\s*x\s*(\d+(?:\.\d+)?)\s*(mm|cm|in)")
DPI = 300
MOST_PIXELS = 400_000_000


@dataclass(frozen=True)
class Print:
    """A sheet of paper and the resolution that it is printed with.

    Attributes:
        text: The format as it was given.
        sides: The shorter and the longer side, in inches.
        dpi: Pixels per inch.
    """

    text: str
    sides: tuple[float, float]
    dpi: int

    def size(self, picture: tuple[int, int]) -> tuple[int, int]:
        """The (height, width) in pixels with which a picture fills the sheet, its aspect kept.

        The sheet is turned as the picture is.
        """
        short, long = (side * self.dpi for side in self.sides)
        scale = min(short / min(picture), long / max(picture))
        height, width = (max(1, round(side * scale)) for side in picture)
        return height, width

    def marked(self, picture: Picture, *, exif: bool) -> Picture:
        """A picture whose file will tell the resolution, and with ``exif`` date and camera."""
        resolution = (float(self.dpi), float(self.dpi))
        if picture.origin is None or not exif:
            return replace(picture, origin=Origin({}, {}, resolution))
        return replace(picture, origin=replace(picture.origin, dpi=resolution))


def parse_print(text: str, dpi: int = DPI) -> Print:
    """Read the format of a print, such as 30x40cm, 300x400mm or 12x16in.

    Raises:
        InputError: If it is none, or so large that no picture could have so many pixels.
    """
    found = _FORMAT.fullmatch(text.strip().lower())
    if not found or not float(found[1]) * float(found[2]):
        raise InputError(f"a print is given as 30x40cm, 300x400mm or 12x16in, not {text!r}")
    if not isinstance(dpi, int) or not 1 <= dpi <= 4800:
        raise InputError(f"dpi has to be a whole number from 1 to 4800, not {dpi!r}")
    one, other = (float(side) * _UNITS[found[3]] for side in found.groups()[:2])
    if (pixels := one * other * dpi**2) > MOST_PIXELS:
        raise InputError(
            f"{text} at {dpi} dpi would have {pixels / 1e6:.0f} megapixels, and "
            f"{MOST_PIXELS / 1e6:.0f} are the most: a lower --dpi, which large prints need anyway"
        )
    return Print(text, (min(one, other), max(one, other)), dpi)
