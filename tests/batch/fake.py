"""A stylizer for tests: quick, and it fails or is interrupted when it is told to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from impasto.batch import Recipe
from impasto.errors import ImpastoError
from impasto.image import Picture, save_image
from impasto.result import Result


def write_photos(folder: Path, names: list[str]) -> None:
    """Small pictures, each of one colour."""
    random = np.random.default_rng(0)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        rgb = np.broadcast_to(random.random(3, np.float32), (12, 16, 3))
        save_image(Picture(np.ascontiguousarray(rgb)), folder / name)


class Negative:
    """Turns colours round."""

    def __call__(self, content: Picture, style: str) -> Result:
        """Make the negative."""
        if style == "interrupting":
            return Result(content, {}, stopped="interrupted")
        if style == "odd":
            raise ZeroDivisionError("division by zero")
        if style == "failing":
            raise ImpastoError("no style of this kind")
        return Result(Picture(1 - content.rgb), {"method": "negative", "style": style}, seconds=0.1)


def recipe(**settings: object) -> Recipe:
    """How to make negatives."""
    return Recipe(Negative, settings)
