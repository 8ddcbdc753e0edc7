"""Pictures that repeat: what is beyond a border is what lies at the other end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from impasto.image.masks import resized
from impasto.image.picture import Floats, Picture

# Sides that repeat are multiples of this many pixels, as the deepest layers see whole strides.
UNIT = 16
Axes = tuple[bool, bool]


def snapped(size: tuple[int, int], wrapped: Axes) -> tuple[int, int]:
    """The nearest (height, width) whose sides can repeat."""
    height, width = (
        max(UNIT, UNIT * round(side / UNIT)) if wraps else side
        for side, wraps in zip(size, wrapped, strict=True)
    )
    return height, width


def extended(picture: Picture, margins: tuple[int, int]) -> Picture:
    """A picture with margins in pixels, above and below, left and right, of what repeats."""
    alpha = None if picture.alpha is None else padded(picture.alpha, margins)
    return replace(picture, rgb=padded(picture.rgb, margins), alpha=alpha)


def cropped(picture: Picture, margins: tuple[int, int]) -> Picture:
    """A picture without margins."""
    alpha = None if picture.alpha is None else unpadded(picture.alpha, margins).copy()
    return replace(picture, rgb=unpadded(picture.rgb, margins).copy(), alpha=alpha)


def found_around(find: Callable[[Picture], Floats], picture: Picture, wrapped: Axes) -> Floats:
    """What is found ``(H, W)`` in a picture, beyond whose borders lies what repeats."""
    margins = around(picture.size, wrapped)
    return unpadded(find(extended(picture, margins)), margins)


def padded(plane: Floats, margins: tuple[int, int]) -> Floats:
    """A plane ``(H, W, ...)`` with margins of what repeats."""
    pads = [(margin, margin) for margin in margins]
    return np.pad(plane, [*pads, *[(0, 0)] * (plane.ndim - 2)], mode="wrap")


def unpadded(plane: Floats, margins: tuple[int, int]) -> Floats:
    """A plane ``(H, W, ...)`` without margins."""
    rows, columns = (slice(margin, -margin or None) for margin in margins)
    return plane[rows, columns]


def resized_wrapped(picture: Picture, size: tuple[int, int], wrapped: Axes) -> Picture:
    """A picture at another (height, width), in pixels, without seams where it repeats.

    Args:
        picture: Its sides that repeat are multiples of the unit, as those of ``size`` are.
        size: The new size.
        wrapped: Whether rows and whether columns repeat.
    """
    if picture.size == size or not any(wrapped):
        return picture.resized(*size)
    margins = around(picture.size, wrapped)
    large = extended(picture, margins)
    after = around(size, wrapped)
    height, width = (side + 2 * margin for side, margin in zip(size, after, strict=True))
    return cropped(large.resized(height, width), after)


def resized_plane(plane: Floats, size: tuple[int, int], wrapped: Axes) -> Floats:
    """A plane ``(H, W)``, as a mask or a map, at another size; as ``resized_wrapped``."""
    if plane.shape == size or not any(wrapped):
        return resized(plane, *size)
    before, after = around((plane.shape[0], plane.shape[1]), wrapped), around(size, wrapped)
    large = padded(plane, before)
    height, width = (side + 2 * margin for side, margin in zip(size, after, strict=True))
    return unpadded(resized(large, height, width), after).copy()


def around(size: tuple[int, int], wrapped: Axes) -> tuple[int, int]:
    """Margins of an eighth of the sides that repeat: of any two sizes the same share."""
    above, before = (
        2 * side // UNIT if wraps else 0 for side, wraps in zip(size, wrapped, strict=True)
    )
    return above, before
