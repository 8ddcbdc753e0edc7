"""Names below and beside pictures, in any script."""

from __future__ import annotations

import contextlib
import functools
import math
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont

INK = (48, 48, 48)
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"

Font: TypeAlias = ImageFont.FreeTypeFont | ImageFont.ImageFont

_MOST_LINES = 2
_LONGEST_LABEL = 200
# Fonts of macOS, Windows and Linux with many scripts, which Pillow finds by their names.
_WIDE_FONTS = (
    "Arial Unicode.ttf",
    "PingFang.ttc",
    "msyh.ttc",
    "YuGothM.ttc",
    "malgun.ttf",
    "segoeui.ttf",
    "NotoSansCJK-Regular.ttc",
    "DejaVuSans.ttf",
)
_NO_CHARACTER = "\U0010ffff"


class Label:
    """A name that is wrapped and drawn; in ASCII where no font here has its script.

    Args:
        text: The name.
        points: Size of the font.
    """

    def __init__(self, text: str, points: float) -> None:
        clean = "".join(char if char.isprintable() else " " for char in text[:_LONGEST_LABEL])
        font = _font(clean, points)
        if font is None:
            apart = unicodedata.normalize("NFKD", clean)
            bare = "".join(char for char in apart if not unicodedata.combining(char))
            clean = bare.encode("ascii", "backslashreplace").decode()
        self.text = clean
        self.font: Font = font or ImageFont.load_default(points)

    def wrapped(self, width: int) -> list[str]:
        """Lines, broken between words or within what is too long; the rest is shortened."""
        lines = [""]
        for piece in self._pieces(width):
            full = self.length((lines[-1] + piece).rstrip()) > width
            if full and lines[-1] and len(lines) < _MOST_LINES:
                lines.append("")
            lines[-1] += piece
        return [self._shorten(line.strip(), width) for line in lines if line.strip()]

    def write(self, part: Image.Image, lines: Sequence[str], top: int, line: int) -> None:
        """Draw lines of a height in the middle of an image, from ``top`` on."""
        draw = ImageDraw.Draw(part)
        for i, text in enumerate(lines):
            draw.text((part.width / 2, top + i * line), text, INK, self.font, anchor="ma")

    def length(self, text: str) -> int:
        """How wide a line is, in pixels."""
        return math.ceil(self.font.getlength(text))

    def _pieces(self, width: int) -> Iterator[str]:
        """Cut after spaces, and words too long for a line after ``_``, ``-`` and ``/``."""
        for word in self.text.split():
            pieces = [word] if self.length(word) <= width else re.split(r"(?<=[_/-])", word)
            yield from [*pieces[:-1], pieces[-1] + " "]

    def _shorten(self, line: str, width: int) -> str:
        if self.length(line) <= width:
            return line
        while line and self.length(line + ELLIPSIS) > width:
            line = line[:-1]
        return line.rstrip() + ELLIPSIS


@functools.lru_cache(maxsize=256)
def _font(text: str, points: float) -> Font | None:
    """A font that has all characters of a text; None if there is none here."""
    own = ImageFont.load_default(points)
    if _has(own, text):
        return own
    for name, index in (*_matching(text), *((name, 0) for name in _WIDE_FONTS)):
        # Not on this machine, or of fixed sizes as emoji are.
        with contextlib.suppress(OSError):
            font = ImageFont.truetype(name, points, index)
            if _has(font, text):
                return font
    return None


def _matching(text: str) -> Iterator[tuple[str, int]]:
    """The font that fontconfig, if there is one, finds for the characters of a text."""
    program = shutil.which("fc-match")
    if program is None:
        return
    wanted = " ".join(f"{ord(char):x}" for char in sorted(set(text)))
    query = [program, "--format=%{file}\n%{index}", f":charset={wanted}"]
    try:
        found = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return
    name, _, index = found.stdout.partition("\n")
    if index.isdecimal():
        yield name, int(index)


def _has(font: Font, text: str) -> bool:
    """Whether a font draws each character as something else than its sign for what it lacks."""
    lacking = _drawn(font, _NO_CHARACTER)
    return all(char.isspace() or _drawn(font, char) != lacking for char in set(text))


def _drawn(font: Font, char: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(char)
    return mask.size, bytes(mask)
