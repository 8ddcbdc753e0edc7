"""Collages: photos by artworks, one photo in many styles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from impasto.errors import InputError
from impasto.explain.strip import sheet
from impasto.image import Picture, load_image
from impasto.result import Result

Paint: TypeAlias = Callable[[Picture, Picture], Result]


def grid(
    contents: Mapping[str, Picture],
    styles: Mapping[str, Picture],
    painted: Mapping[tuple[str, str], Picture],
    *,
    columns: int = 6,
    height: int = 256,
) -> Picture:
    """Lay out photos by artworks: the artworks above, the photos on the left.

    Args:
        contents: The photos by name.
        styles: The artworks by name.
        painted: The stylized pictures by the names of photo and artwork; where there is none
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
    contents: Mapping[str, Picture], styles: Mapping[str, Picture], paint: Paint
) -> Iterator[tuple[tuple[str, str], Picture]]:
    """Stylize every photo in the manner of every artwork; ends with an interrupted run.

    Yields:
        The names of photo and artwork, and the stylized picture, as each is done.
    """
    for content, photo in contents.items():
        for style, artwork in styles.items():
            result = paint(photo, artwork)
            if result.stopped == "interrupted":
                return
            yield (content, style), result.picture


def load_named(sources: Sequence[str], long_side: int) -> dict[str, Picture]:
    """Load files by their names without folder and suffix, numbered where these are alike.

    Raises:
        InputError: If a file is no picture that can be read.
    """
    pictures: dict[str, Picture] = {}
    for source in sources:
        stem = Path(source).stem
        name = stem if stem not in pictures else f"{stem} ({len(pictures) + 1})"
        pictures[name] = load_image(source, long_side=long_side)
    return pictures
