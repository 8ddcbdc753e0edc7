"""Pictures with captions in rows and columns: contact sheets, strips, photos by artworks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

import numpy as np
from PIL import Image

from impasto.errors import InputError
from impasto.image import Picture
from impasto.media.labels import Label

PAPER = (255, 255, 255)
CHECKS = (255, 232)

# Pictures wider than this many heights are fitted by width, so that a panorama stays in bounds.
_WIDEST = 4
# A column is at least this many heights wide, so that its caption can be read.
_NARROWEST = 0.5


def flatten(picture: Picture) -> Image.Image:
    """Return a picture as an 8-bit RGB image, laid on a light checkerboard where it has alpha."""
    image = picture.pil()
    if picture.alpha is None:
        return image
    y, x = np.indices(picture.size) // 8
    board = np.where((x + y) % 2, *CHECKS[::-1]).astype(np.uint8)
    paper = Image.fromarray(board).convert("RGBA")
    return Image.alpha_composite(paper, image).convert("RGB")


def sheet(
    rows: Sequence[Sequence[Picture | None]],
    captions: Sequence[Sequence[str]] = (),
    *,
    height: int = 256,
) -> Picture:
    """Lay pictures out in rows and columns, with a caption below each.

    Args:
        rows: The pictures of each row, of any sizes; None leaves a cell blank, and rows may differ
            in length. Alpha is laid on a light checkerboard.
        captions: Those of each row; a cell for which there is none goes without. Long ones are
            wrapped, then shortened with an ellipsis.
        height: Of each picture, in pixels; text and gaps follow it.

    Returns:
        The sheet on white, without alpha.

    Raises:
        InputError: If there are no pictures, more captions than cells, or the height is below 1.
    """
    if not any(picture for row in rows for picture in row):
        raise InputError("a sheet needs at least one picture")
    parts = _Parts(height)
    table = []
    for row, labels in zip_longest(rows, captions, fillvalue=()):
        if len(labels) > len(row):
            raise InputError(f"there are {len(labels)} captions for a row of {len(row)} pictures")
        table.append(parts.row(row, [*labels, *[""] * (len(row) - len(labels))]))
    return parts.table(table)


def strip(
    pictures: Sequence[Picture],
    labels: Sequence[str],
    *,
    height: int = 256,
    columns: int | None = None,
) -> Picture:
    """Lay pictures side by side at one height, a caption below each.

    Args:
        pictures: At least one.
        labels: One for each picture.
        height: As for a sheet.
        columns: How many pictures go in a row; all if left out.

    Raises:
        InputError: If there are no pictures, not as many labels, or a number is less than 1.
    """
    if not pictures or len(labels) != len(pictures):
        raise InputError(f"a strip needs one label a picture, not {len(labels)} of {len(pictures)}")
    if columns is not None and columns < 1:
        raise InputError(f"a strip needs at least one column, not {columns}")
    count = columns or len(pictures)
    starts = range(0, len(pictures), count)
    return sheet(
        [pictures[start : start + count] for start in starts],
        [labels[start : start + count] for start in starts],
        height=height,
    )


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
        height: As for a sheet.

    Raises:
        InputError: If there are no pictures, or a number is less than 1.
    """
    if columns < 1:
        raise InputError(f"columns has to be at least 1, not {columns}")
    names = list(styles)
    rows: list[list[Picture | None]] = []
    captions: list[list[str]] = []
    for start in range(0, len(names), columns):
        block = names[start : start + columns]
        rows.append([None, *(styles[name] for name in block)])
        captions.append(["", *block])
        for content, photo in contents.items():
            rows.append([photo, *(painted.get((content, style)) for style in block)])
            captions.append([content])
    return sheet(rows, captions, height=height)


class _Parts:
    """Makes the parts of a table, which are images; their measures follow the height."""

    def __init__(self, height: int) -> None:
        if height < 1:
            raise InputError(f"the height must be at least 1 pixel, not {height}")
        self.height = height
        self.gap = max(2, round(height / 24))
        self.narrowest = max(1, round(height * _NARROWEST))
        self.points = max(10, height / 16)
        self.line = round(1.3 * self.points)

    def tile(self, picture: Picture) -> Image.Image:
        """Return a picture at the height, centred on white where its aspect is extreme."""
        height, width = picture.size
        scale = min(self.height / height, _WIDEST * self.height / width)
        fitted = picture.resized(max(1, round(height * scale)), max(1, round(width * scale)))
        return _centred(flatten(fitted), max(self.narrowest, fitted.size[1]), self.height)

    def row(self, pictures: Sequence[Picture | None], labels: Sequence[str]) -> list[Image.Image]:
        """Return the pictures of one row with their captions below, all of one height."""
        blank = Image.new("RGB", (self.narrowest, 1), PAPER)
        tiles = [self.tile(picture) if picture else blank for picture in pictures]
        captions = [Label(label, self.points) for label in labels]
        wrapped = [
            caption.wrapped(tile.width) for tile, caption in zip(tiles, captions, strict=True)
        ]
        most = max(map(len, wrapped), default=0)
        below = self.gap // 2 + most * self.line if most else 0
        parts = []
        for tile, caption, lines in zip(tiles, captions, wrapped, strict=True):
            part = Image.new("RGB", (tile.width, tile.height + below), PAPER)
            part.paste(tile)
            caption.write(part, lines, tile.height + self.gap // 2, self.line)
            parts.append(part)
        return parts

    def table(self, rows: Sequence[Sequence[Image.Image]]) -> Picture:
        """Return the parts in rows and columns, each in the middle of its cell."""
        widths = [max(part.width for part in column if part) for column in zip_longest(*rows)]
        heights = [max((part.height for part in row), default=1) for row in rows]
        size = (_span(widths, self.gap), _span(heights, self.gap))
        canvas = Image.new("RGB", size, PAPER)
        y = self.gap
        for row, height in zip(rows, heights, strict=True):
            x = self.gap
            for part, width in zip(row, widths, strict=False):
                canvas.paste(_centred(part, width, height), (x, y))
                x += width + self.gap
            y += height + self.gap
        return Picture(np.asarray(canvas, np.float32) / np.float32(255))


def _span(sizes: Sequence[int], gap: int) -> int:
    return sum(sizes) + gap * (len(sizes) + 1)


def _centred(image: Image.Image, width: int, height: int) -> Image.Image:
    if image.size == (width, height):
        return image
    paper = Image.new("RGB", (width, height), PAPER)
    paper.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return paper
