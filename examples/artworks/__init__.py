"""The code that drew Impasto's example artworks.

Each is painted larger than asked for, then reduced; it is the same picture at any
size, only finer. A seed gives another hand, in the same manner: things shift and strokes differ.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from . import (
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

PAINTERS = {
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
# Smaller, lines as thin as a pixel would thicken; larger costs gigabytes and shows little.
LEAST_CANVAS, MOST_CANVAS = 512, 3072


def draw(name: str, size: int = 512, seed: int = 0) -> Image.Image:
    """Draw an artwork, a square RGB picture.

    Args:
        name: One of ``PAINTERS``.
        size: Height and width in pixels, up to 2048.
        seed: The same one always gives the same picture.
    """
    canvas = min(max(2 * size, LEAST_CANVAS), MOST_CANVAS)
    painted = PAINTERS[name](canvas, np.random.default_rng(seed))
    pixels = (np.clip(painted, 0, 1) * 255 + 0.5).astype(np.uint8)
    return Image.fromarray(pixels).resize((size, size), Image.Resampling.LANCZOS)
