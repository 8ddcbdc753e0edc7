"""A stylizer for tests: quick, and it fails or is interrupted when it is told to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from impasto.batch import Setup
from impasto.errors import ImpastoError
from impasto.image import Picture, save_image
from impasto.result import Result


def write_photos(folder: Path, names: list[str]) -> None:
    """Small pictures, each of one colour."""
    random = np.random.default_rng(0)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        rgb = np.broadcast_to(random.random(3, np.float32), (24, 32, 3))
        save_image(Picture(np.ascontiguousarray(rgb)), folder / name)


class Negative:
    """Turns colours round."""

    def set_style(self, styles: str) -> None:
        """Set the style."""
        if styles == "failing":
            raise ImpastoError("no style of this kind")
        self.style = styles

    def stylize(self, content: Picture) -> Result:
        """Make the negative."""
        if self.style == "interrupting":
            return Result(content, {}, stopped="interrupted")
        if self.style == "odd":
            raise ZeroDivisionError("division by zero")
        settings = {"method": "negative", "style": self.style}
        return Result(Picture(1 - content.rgb), settings, seconds=0.1)


def setup(**settings: object) -> Setup:
    """How to make negatives."""
    return Setup(Negative, settings, by_name=True)
