"""Running a network: in one pass, or a large picture in tiles without seams.

A network goes by moments of the whole picture: with those of a tile, its colours would depend on
what else is in the tile. So they are measured first, on patches spread over the picture at full
resolution, as if they were one. By given moments a network sees only so far, so tiles that overlap
that far fit exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.stylizers.networks.moments import EPS, Moments, average, covariance, uncentred
from impasto.stylizers.networks.painter import (
    STRIDE,
    Painter,
    Place,
    Settle,
    Style,
    as_measured,
)

# Many small patches come nearer to the whole than few large ones. What is within a tenth of a side
# of the border of one has seen too little around it, and does not count.
PATCH = 160  # px
PATCHES = 64
BORDER = 0.1


def paint(
    painter: Painter,
    image: Tensor,
    style: Style,
    tile: int = 0,
    settle: Settle = as_measured,
    masks: Tensor | None = None,
    weights: Tensor | None = None,
) -> Tensor:
    """Repaint a picture.

    Args:
        painter: The network.
        image: ``(B, 3, H, W)``, RGB in [0, 1].
        style: The style.
        tile: A picture of more than ``tile * tile`` pixels is painted in tiles with about that
            side; 0 never.
        settle: Which moments of a picture that is painted in one pass to go by.
        masks: ``(R, 1, H, W)``, where in one picture each of ``R`` styles is; never in tiles.
        weights: ``(1 or R, 1, H, W)``, which of its pixels are looked at; all if left out.

    Returns:
        ``(B, 3, H, W)``, RGB in [0, 1], float32.
    """
    height, width = image.shape[2:]
    if masks is not None:
        # What is in no region is laid over later; until then it belongs to all of them.
        total = masks.sum(dim=0)
        masks = torch.where(total > EPS, masks / total.clamp_min(EPS), 1 / len(masks))
    elif tile and height * width > tile * tile:
        singles = range(image.shape[0])
        painted = [_in_tiles(painter, image[i, None], style, tile, weights) for i in singles]
        return torch.cat(painted)
    whole: Tensor = painter(image, style, settle, masks, weights)
    return whole


def _in_tiles(
    painter: Painter, image: Tensor, style: Style, tile: int, weights: Tensor | None
) -> Tensor:
    fixed = Fixed(measure(painter, image, style, min(tile, PATCH), weights))
    margin = painter.reach
    height, width = image.shape[2:]
    result = torch.empty_like(image, dtype=torch.float32)
    for top, bottom in spans(height, tile):
        for left, right in spans(width, tile):
            # Margins are whole strides, so that every tile lies on the network's grid.
            above, before = min(margin, top), min(margin, left)
            cut = image[:, :, top - above : bottom + margin, left - before : right + margin]
            inner = painter(cut, style, fixed)[:, :, above:, before:]
            result[:, :, top:bottom, left:right] = inner[:, :, : bottom - top, : right - left]
    return result


def measure(
    painter: Painter, image: Tensor, style: Style, side: int, weights: Tensor | None = None
) -> dict[Place, Moments]:
    """The moments of a picture, on patches of it.

    Args:
        painter: The network.
        image: ``(1, 3, H, W)``, RGB in [0, 1].
        style: In which it will be painted.
        side: Of the patches, in pixels.
        weights: ``(1, 1, H, W)``, how much each pixel counts; all alike if left out.
    """
    counting = torch.ones_like(image[:, :1]) if weights is None else weights
    seen = patches(torch.cat([image, counting], 1), side)
    height, width = seen.shape[2:]
    border = round(BORDER * min(height, width))
    inner = seen[:, 3:, border : height - border, border : width - border]
    inner = F.pad(inner, (border,) * 4)
    together = Together(average(inner))
    painter(seen[:, :3], style, together, weights=inner)
    return together.moments


def patches(image: Tensor, side: int) -> Tensor:
    """Patches of a side spread evenly over ``(1, C, H, W)``: ``(P, C, h, w)``."""
    height, width = image.shape[2:]
    rows = max(1, round(math.sqrt(PATCHES * height / width)))
    columns = max(1, round(PATCHES / rows))
    size = min(side, height), min(side, width)
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


def spans(length: int, side: int) -> Iterator[tuple[int, int]]:
    """Divide a length into equal spans of at most about ``side``; starts are whole strides."""
    count = math.ceil(length / side)
    step = STRIDE * math.ceil(length / count / STRIDE)
    for start in range(0, length, step):
        yield start, min(start + step, length)


class Together:
    """Goes by the moments of all pictures of a batch as if they were one, and remembers them.

    Args:
        counts: ``(B, 1)``, how much each of them counts.
    """

    def __init__(self, counts: Tensor) -> None:
        self._shares = counts / counts.sum().clamp_min(EPS)
        self.moments: dict[Place, Moments] = {}

    def __call__(self, place: Place, measured: Moments) -> Moments:
        """The moments of all of them, a batch of one."""
        mean, second = (
            torch.tensordot(self._shares, each, dims=([0], [0])) for each in uncentred(measured)
        )
        self.moments[place] = covariance((mean, second))
        return self.moments[place]


class Fixed:
    """Goes by given moments."""

    def __init__(self, moments: dict[Place, Moments]) -> None:
        self._moments = moments

    def __call__(self, place: Place, _measured: Moments) -> Moments:
        """The moments given for a place."""
        return self._moments[place]


class Smoothed:
    """Goes by moments that follow those of a video's frames slowly.

    Moments jump when something enters the frame, and with them every colour in it. Means and mean
    products are smoothed, so that the spread is that of all frames together: a mean of spreads
    would be next to nothing between two plain frames of different colours.

    Args:
        change: Weight of the newest frame in the running means; 1 forgets all others.
    """

    def __init__(self, change: float) -> None:
        self.change = change
        self._means: dict[Place, Moments] = {}

    def __call__(self, place: Place, measured: Moments) -> Moments:
        """The running moments of a place."""
        mean, second = uncentred(measured)
        if place in self._means:
            before = self._means[place]
            mean = torch.lerp(before[0], mean, self.change)
            second = torch.lerp(before[1], second, self.change)
        self._means[place] = (mean, second)
        return covariance((mean, second))
