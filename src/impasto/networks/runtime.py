"""Running a network: in one pass, or a large picture in tiles without seams.

Instance normalisation needs the statistics of the whole picture: with those of a tile, its colours
would depend on what else is in the tile. So the statistics are measured first, on patches spread
over the picture at full resolution and normalised together, and then kept fixed for all tiles.
With fixed statistics a network sees only so far, so tiles that overlap that far fit exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from impasto.networks.transformer import EPS, Norm, Painter, instance_norm, normalise, statistics

PATCH = 256
PATCHES = 16


def paint(
    painter: Painter,
    image: Tensor,
    modulation: Tensor,
    tile: int = 0,
    norm: Norm = instance_norm,
) -> Tensor:
    """Repaint a picture.

    Args:
        painter: The network.
        image: ``(B, 3, H, W)``, RGB in [0, 1].
        modulation: ``(B or 1, 2, N)``.
        tile: A picture of more than ``tile * tile`` pixels is painted in tiles with about that
            side; 0 never.
        norm: Normalises the maps of a picture that is painted in one pass.

    Returns:
        ``(B, 3, H, W)``, RGB in [0, 1], float32.
    """
    height, width = image.shape[2:]
    if not tile or height * width <= tile * tile:
        painted: Tensor = painter(image, modulation, norm)
        return painted
    styled = modulation.expand(image.shape[0], -1, -1)
    singles = range(image.shape[0])
    return torch.cat([_in_tiles(painter, image[i, None], styled[i, None], tile) for i in singles])


def _in_tiles(painter: Painter, image: Tensor, modulation: Tensor, tile: int) -> Tensor:
    measured = Measured()
    painter(patches(image), modulation, measured)
    margin = painter.reach
    height, width = image.shape[2:]
    result = torch.empty_like(image, dtype=torch.float32)
    for top, bottom in spans(height, tile):
        for left, right in spans(width, tile):
            # Margins are whole strides, so that every tile lies on the network's grid.
            above, before = min(margin, top), min(margin, left)
            cut = image[:, :, top - above : bottom + margin, left - before : right + margin]
            painted = painter(cut, modulation, measured.fixed())
            inner = painted[:, :, above:, before:][:, :, : bottom - top, : right - left]
            result[:, :, top:bottom, left:right] = inner
    return result


def spans(length: int, tile: int) -> Iterator[tuple[int, int]]:
    """Divide a length into equal spans of at most about ``tile``, each start a multiple of 4."""
    count = math.ceil(length / tile)
    step = 4 * math.ceil(length / count / 4)
    for start in range(0, length, step):
        yield start, min(start + step, length)


def patches(image: Tensor) -> Tensor:
    """Patches spread evenly over a picture ``(1, 3, H, W)``: ``(P, 3, h, w)``."""
    height, width = image.shape[2:]
    rows = max(1, round(math.sqrt(PATCHES * height / width)))
    columns = max(1, round(PATCHES / rows))
    size = (min(PATCH, height), min(PATCH, width))
    return torch.cat(
        [
            image[:, :, top : top + size[0], left : left + size[1]]
            for top in _starts(height - size[0], rows)
            for left in _starts(width - size[1], columns)
        ]
    )


def _starts(room: int, count: int) -> list[int]:
    """Where ``count`` patches start, in the middles of equal parts of the room."""
    return [round(room * (i + 0.5) / count) for i in range(count)]


class Measured:
    """A normalisation that treats all of a batch as one picture, and remembers its statistics."""

    def __init__(self) -> None:
        self.seen: list[tuple[Tensor, Tensor]] = []

    def __call__(self, maps: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Normalise ``(P, C, h, w)`` by the statistics of all P."""
        maps = maps.float()
        self.seen.append(statistics(maps, (0, 2, 3)))
        return normalise(maps, *self.seen[-1], scale, shift)

    def fixed(self) -> Fixed:
        """A normalisation by the statistics seen, in the same order."""
        return Fixed(self.seen)


class Fixed:
    """A normalisation by given statistics, one pair for each call."""

    def __init__(self, seen: list[tuple[Tensor, Tensor]]) -> None:
        self._seen = iter(seen)

    def __call__(self, maps: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Normalise ``(B, C, h, w)`` by the next pair."""
        return normalise(maps.float(), *next(self._seen), scale, shift)


class Smoothed:
    """A normalisation whose statistics follow those of a video's frames slowly.

    Statistics jump when something enters the frame, and with them every colour in it. Scale and
    shift are smoothed as well: with a strength below 1 they depend on the frame. Of the maps
    their mean and mean square are smoothed, so that the deviation is that of all frames together:
    a mean of deviations would be next to nothing between two plain frames of different colours,
    and dividing by it overflows within a few layers.

    Args:
        change: Weight of the newest frame in the running means; 1 forgets all others.
    """

    def __init__(self, change: float) -> None:
        self.change = change
        self._means: list[Tensor] = []
        self._calls = 0

    def __call__(self, maps: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Normalise ``(B, C, h, w)``."""
        maps = maps.float()
        mean, deviation = (value[..., 0, 0] for value in statistics(maps))
        square = mean.square() + deviation.square()
        values = torch.stack([mean, square, scale.expand_as(mean), shift.expand_as(mean)])
        if self._calls < len(self._means):
            values = torch.lerp(self._means[self._calls], values, self.change)
            self._means[self._calls] = values
        else:
            self._means.append(values)
        self._calls += 1
        mean, square, scale, shift = values
        deviation = (square - mean.square()).clamp_min(EPS).sqrt()
        return normalise(maps, mean[..., None, None], deviation[..., None, None], scale, shift)

    def next_frame(self) -> None:
        """Begin the next frame."""
        self._calls = 0
