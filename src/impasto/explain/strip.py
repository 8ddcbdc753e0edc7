"""Pictures side by side with captions: strips and contact sheets."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from PIL import Image

from impasto.errors import InputError
from impasto.explain.labels import Label
from impasto.image import Picture

PAPER = (255, 255, 255)
CHECKS = (255, 232)
BLANK = Image.new("RGB", (1, 1), PAPER)

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


def strip(
    pictures: Sequence[Picture],
    labels: Sequence[str],
    *,
    height: int = 256,
    columns: int | None = None,
) -> Picture:
    """Lay pictures side by side at one height, a caption below each.

    Args:
        pictures: At least one, of any sizes. Alpha is laid on a light checkerboard.
        labels: One for each picture; long ones are wrapped, then shortened with an ellipsis.
        height: Of each picture, in pixels; text and gaps follow it.
        columns: How many pictures go in a row; all if left out.

    Returns:
        The strip on white, without alpha.

    Raises:
        InputError: If there are no pictures, not as many labels, or a number is less than 1.
    """
    if not pictures or len(labels) != len(pictures):
        raise InputError(f"a strip needs one label a picture, not {len(labels)} of {len(pictures)}")
    if columns is not None and columns < 1:
        raise InputError(f"a strip needs at least one column, not {columns}")
    parts = _Parts(height)
    in_row = columns or len(pictures)
    rows = []
    for start in range(0, len(pictures), in_row):
        tiles = [parts.tile(picture) for picture in pictures[start : start + in_row]]
        rows.append(parts.with_captions(tiles, labels[start : start + in_row]))
    return parts.table(rows)


def sheet(
    rows: Sequence[Sequence[Picture | None]],
    *,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
    height: int = 256,
) -> Picture:
    """Lay pictures out in a table, such as contents by styles.

    Args:
        rows: The pictures of each row; None leaves a cell blank, and rows may differ in length.
        row_labels: Written left of the rows; none if left out.
        column_labels: Written above the columns; none if left out.
        height: Of each picture, in pixels; text and gaps follow it.

    Returns:
        The sheet on white, without alpha.

    Raises:
        InputError: If there are no pictures or the labels do not fit their number.
    """
    count = max((len(row) for row in rows), default=0)
    if not any(picture for row in rows for picture in row):
        raise InputError("a sheet needs at least one picture")
    for what, labels, wanted in (("row", row_labels, len(rows)), ("column", column_labels, count)):
        if labels and len(labels) != wanted:
            raise InputError(f"a sheet of {wanted} {what}s needs as many labels, not {len(labels)}")
    parts = _Parts(height)
    table = [[parts.tile(picture) if picture else BLANK for picture in row] for row in rows]
    if column_labels:
        columns = zip_longest(*table, fillvalue=BLANK)
        widths = [max(tile.width for tile in column) for column in columns]
        table.insert(0, list(map(parts.text, column_labels, widths)))
    if row_labels:
        sides = [parts.text(label, parts.narrowest) for label in row_labels]
        corner = [BLANK] if column_labels else []
        table = [[side, *row] for side, row in zip(corner + sides, table, strict=True)]
    return parts.table(table)


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

    def with_captions(
        self, tiles: Sequence[Image.Image], labels: Sequence[str]
    ) -> list[Image.Image]:
        """Return the tiles of one row with their captions below, all of one height."""
        captions = [Label(label, self.points) for label in labels]
        wrapped = [
            caption.wrapped(tile.width) for tile, caption in zip(tiles, captions, strict=True)
        ]
        below = max(map(len, wrapped)) * self.line
        parts = []
        for tile, caption, lines in zip(tiles, captions, wrapped, strict=True):
            part = Image.new("RGB", (tile.width, tile.height + self.gap // 2 + below), PAPER)
            part.paste(tile)
            caption.write(part, lines, tile.height + self.gap // 2, self.line)
            parts.append(part)
        return parts

    def text(self, label: str, width: int) -> Image.Image:
        """Return a label, wrapped at a width and no wider than it needs to be."""
        caption = Label(label, self.points)
        lines = caption.wrapped(width)
        widest = max(map(caption.length, lines), default=1)
        part = Image.new("RGB", (widest, max(1, len(lines) * self.line)), PAPER)
        caption.write(part, lines, 0, self.line)
        return part

    def table(self, rows: Sequence[Sequence[Image.Image]]) -> Picture:
        """Return the parts in rows and columns, each in the middle of its cell."""
        widths = [
            max(part.width for part in column) for column in zip_longest(*rows, fillvalue=BLANK)
        ]
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
