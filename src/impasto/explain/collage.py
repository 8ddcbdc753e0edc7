"""Collages: photos by artworks, one photo in many styles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from impasto.errors import InputError
from impasto.media.sheet import sheet
from impasto.image import Picture
from impasto.result import Result

Paint: TypeAlias = Callable[[Picture], Result]


def grid(
    contents: Mapping[str, Picture],
    styles: Mapping[str, Picture | None],
    painted: Mapping[tuple[str, str], Picture],
    *,
    columns: int = 6,
    height: int = 256,
) -> Picture:
    """Lay out photos by artworks: the artworks above, the photos on the left.

    Args:
        contents: The photos by name.
        styles: The artworks by name; None for a style of which there is no picture.
        painted: The stylized pictures by the names of photo and style; where there is none
            the cell stays blank.
        columns: Artworks side by side; more of them follow below.
        height: Of each picture, in pixels.

    Returns:
        The collage on white.

    Raises:
        InputError: If there are no pictures, or a number is less than 1.
    """
    if columns < 1:
        raise InputError(f"columns has to be at least 1, not {columns}")
    names = list(styles)
    blocks = []
    for start in range(0, len(names), columns):
        block = names[start : start + columns]
        rows: list[list[Picture | None]] = [[None, *(styles[name] for name in block)]]
        for content, photo in contents.items():
            rows.append([photo, *(painted.get((content, style)) for style in block)])
        blocks.append(
            sheet(rows, row_labels=["", *contents], column_labels=["", *block], height=height)
        )
    return _stacked(blocks)


def _stacked(pictures: Sequence[Picture]) -> Picture:
    """Pictures below each other, on white, flush left."""
    widest = max(picture.size[1] for picture in pictures)
    padded = [
        np.pad(one.rgb, ((0, 0), (0, widest - one.size[1]), (0, 0)), constant_values=1)
        for one in pictures
    ]
    return Picture(np.concatenate(padded))


def paint_all(
    contents: Mapping[str, Picture], styles: Iterable[tuple[str, Paint]]
) -> Iterator[tuple[tuple[str, str], Picture]]:
    """Stylize every photo in every style; ends with an interrupted run.

    Args:
        contents: The photos by name.
        styles: The styles, each a name and what paints in it; the next is asked for when all
            photos are done in this one, so that one stylizer may serve them in turn.

    Yields:
        The names of photo and style, and the stylized picture, as each is done.
    """
    for style, paint in styles:
        for content, photo in contents.items():
            result = paint(photo)
            if result.stopped == "interrupted":
                return
            yield (content, style), result.picture
