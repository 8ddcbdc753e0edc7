"""Artworks drawn by this package: style images that need no file.

Each is painted larger than asked for, then reduced; it is the same picture at any
size, only finer. A seed gives another hand, in the same manner: things shift and strokes differ.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

import numpy as np
from PIL import Image

from impasto.artworks import (
    dolphin_mosaic,
    night_wind,
    orphic_discs,
    pine_linocut,
    poppy_watercolor,
    river_dots,
    stained_glass,
    wave_print,
    windmill_etching,
)
from impasto.artworks.canvas import Array, Rng
from impasto.errors import InputError
from impasto.image import Picture
from impasto.names import nearest

_ARTWORKS: dict[str, Callable[[int, Rng], Array]] = {
    "night-wind": night_wind.paint,
    "wave-print": wave_print.paint,
    "stained-glass": stained_glass.paint,
    "pine-linocut": pine_linocut.paint,
    "river-dots": river_dots.paint,
    "dolphin-mosaic": dolphin_mosaic.paint,
    "poppy-watercolor": poppy_watercolor.paint,
    "windmill-etching": windmill_etching.paint,
    "orphic-discs": orphic_discs.paint,
}
_SMALLEST, _LARGEST = 16, 2048
# Smaller, lines as thin as a pixel would thicken; larger costs gigabytes and shows little.
_LEAST_CANVAS, _MOST_CANVAS = 512, 3072


def names() -> tuple[str, ...]:
    """The artworks that ``draw`` knows, the most striking first."""
    return tuple(_ARTWORKS)


def draw(name: str, size: int = 512, seed: int = 0) -> Picture:
    """Draw an artwork.

    Args:
        name: One of ``names()``.
        size: Height and width in pixels, 16 to 2048.
        seed: Any integer from 0: the same one always gives the same picture.

    Returns:
        A square picture, ``rgb`` (size, size, 3).

    Raises:
        InputError: If there is no such artwork, or the size or the seed is not of that range.
    """
    if name not in _ARTWORKS:
        raise InputError(f"no artwork {name!r}: {nearest(str(name), _ARTWORKS)}")
    size = _whole("size", size, _SMALLEST, _LARGEST)
    rng = np.random.default_rng(_whole("seed", seed, 0))
    painted = _ARTWORKS[name](min(max(2 * size, _LEAST_CANVAS), _MOST_CANVAS), rng)
    pixels = (np.clip(painted, 0, 1) * 255 + 0.5).astype(np.uint8)
    image = Image.fromarray(pixels).resize((size, size), Image.Resampling.LANCZOS)
    return Picture(rgb=np.asarray(image, np.float32) / np.float32(255), name=name)


def _whole(what: str, value: int, least: int, most: int | None = None) -> int:
    """``value`` as an int within bounds."""
    bounds = f"from {least}" if most is None else f"from {least} to {most}"
    try:
        number = operator.index(value)
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or number < least or (most is not None and number > most):
        raise InputError(f"the {what} of an artwork is a whole number {bounds}, not {value!r}")
    return number
