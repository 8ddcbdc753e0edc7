"""Maps of a photo: how much style where, and strokes of which size."""

from __future__ import annotations

import numpy as np
from PIL.Image import Resampling

from impasto.image import Picture, fit
from impasto.image.picture import Floats, resample

# Below this strength the picture goes over into the photo itself, which is there where it is 0.
FADE = 0.1
# Strokes of a black, a middle grey and a white map, as multiples of what they are without one.
SIZES = (0.5, 1.0, 2.0)
# Half a level of 8 bits, which have no exact middle, and a little for rounding.
HALF_LEVEL = 0.51 / 255
# The photo is looked at with this longer side, and its detail is averaged over cells, of which
# there are so many along it: the size of a face, not that of a lash.
SIDE, CELLS = 384, 16
# Root mean square of the slopes, of a pixel, below which a cell counts as smooth.
FLAT = 0.01


def fading(strength: Floats) -> Floats:
    """How far a picture of this strength is other than the photo: 0 at 0, 1 from ``FADE`` on."""
    share = np.clip(strength / FADE, 0, 1)
    faded: Floats = share * share * (3 - 2 * share)
    return faded


def by_size(strokes: Floats) -> list[tuple[float, Floats]]:
    """The sizes of strokes that a map asks for.

    Args:
        strokes: ``(H, W)`` in [0, 1]: 0 the smallest, 1/2 as without a map, 1 the largest.

    Returns:
        Multiples of the size without a map, each with where and how far strokes have it: ``(H,
        W)``, adding up to 1. Between two sizes both share a place.
    """
    places = np.arange(len(SIZES), dtype=np.float32)
    shares = [np.clip(1 - np.abs(strokes * places[-1] - place), 0, 1) for place in places]
    return [(size, share) for size, share in zip(SIZES, shares, strict=True) if share.any()]


def as_it_is(strokes: Floats) -> bool:
    """Whether a map of strokes asks for no other size than there is without it."""
    return bool((np.abs(strokes - 0.5) <= HALF_LEVEL).all())


def find_strokes(photo: Picture) -> Floats:
    """A map of strokes from the photo: fine ones where it has detail, large ones elsewhere.

    Detail is the trace of the structure tensor, the mean square of the slopes of lightness; where
    it is the photo's median, strokes are as without a map.

    Returns:
        ``(H, W)`` in [0, 1].
    """
    grey = photo.fitted(SIDE).rgb.mean(axis=2)
    rows, columns = np.gradient(np.pad(grey, 1, mode="edge"))
    slopes = (np.square(rows) + np.square(columns))[1:-1, 1:-1].astype(np.float32)
    detail = np.sqrt(_smoothly(slopes, *fit(grey.shape, CELLS)))
    strokes = 1 / (1 + np.square((detail + FLAT) / (np.median(detail) + FLAT)))
    return _smoothly(strokes, *photo.size)


def _smoothly(plane: Floats, height: int, width: int) -> Floats:
    """A plane at another size, without the halos of sharper filters."""
    return resample(plane[..., None], height, width, Resampling.BILINEAR)[..., 0]
