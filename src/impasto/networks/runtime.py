"""Running a network: in one pass, or a large picture in tiles without seams.

A network goes by moments of the whole picture: with those of a tile, its colours would depend on
what else is in the tile. So they are measured first, added up over all tiles. By given moments a
network sees only so far, so tiles that overlap that far fit exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.networks.codes import StyleCode
from impasto.networks.encoder import EPS, REACH, STRIDE, colour_moments, covariance
from impasto.networks.painter import (
    COLOURS,
    TAKEN,
    Moments,
    Painter,
    Place,
    Settle,
    Spread,
    as_measured,
)


def paint(
    painter: Painter,
    image: Tensor,
    style: StyleCode[Tensor],
    modulation: Tensor,
    tile: int = 0,
    settle: Settle = as_measured,
    masks: Tensor | None = None,
) -> Tensor:
    """Repaint a picture.

    Args:
        painter: The network.
        image: ``(B, 3, H, W)``, RGB in [0, 1].
        style: The code of the style.
        modulation: ``(1, 2, N)``.
        tile: A picture of more than ``tile * tile`` pixels is painted in tiles with about that
            side; 0 never.
        settle: Which moments of a picture that is painted in one pass to go by.
        masks: ``(R, 1, H, W)``, where in one picture each of ``R`` styles is; never in tiles.

    Returns:
        ``(B, 3, H, W)``, RGB in [0, 1], float32.
    """
    height, width = image.shape[2:]
    if masks is not None:
        # What is in no region is laid over later; until then it belongs to all of them.
        total = masks.sum(dim=0)
        masks = torch.where(total > EPS, masks / total.clamp_min(EPS), 1 / len(masks))
    if masks is not None or not tile or height * width <= tile * tile:
        painted: Tensor = painter(image, style, modulation, settle, masks)
        return painted
    singles = range(image.shape[0])
    return torch.cat([_in_tiles(painter, image[i, None], style, modulation, tile) for i in singles])


def _in_tiles(
    painter: Painter, image: Tensor, style: StyleCode[Tensor], modulation: Tensor, tile: int
) -> Tensor:
    fixed = Fixed(measure(painter, image, style, tile))
    result = torch.empty_like(image, dtype=torch.float32)
    for top, bottom, left, right in tiles(image, tile):
        cut, above, before = with_margin(image, (top, bottom, left, right), painter.reach)
        painted = painter(cut, style, modulation, fixed)
        inner = painted[:, :, above:, before:][:, :, : bottom - top, : right - left]
        result[:, :, top:bottom, left:right] = inner
    return result


def measure(
    painter: Painter, image: Tensor, style: StyleCode[Tensor], tile: int
) -> dict[Place, Moments]:
    """The moments of a picture ``(1, 3, H, W)`` and of its maps, added up over tiles."""
    height, width = image.shape[2:]
    image = F.pad(image, (0, -width % STRIDE, 0, -height % STRIDE), mode="replicate")
    found: dict[Place, Moments] = {COLOURS: covariance(colour_moments(image))}
    fixed, everywhere = Fixed(found), Spread(None)
    sums = {number: (torch.zeros(()), torch.zeros(())) for number in TAKEN}
    for top, bottom, left, right in tiles(image, tile):
        cut, above, before = with_margin(image, (top, bottom, left, right), REACH)
        maps = painter.encoder(painter.recolour(cut, style, fixed, everywhere))
        for number in TAKEN:
            seen = maps[number].double().cpu()
            step = cut.shape[2] // seen.shape[2]
            inner = seen[:, :, above // step : (above + bottom - top) // step]
            inner = inner[..., before // step : (before + right - left) // step]
            share = step * step / (image.shape[2] * image.shape[3])
            mean, square = sums[number]
            sums[number] = (
                mean + share * inner.sum(dim=(2, 3)),
                square + share * inner.square().sum(dim=(2, 3)),
            )
    for number, (mean, square) in sums.items():
        variance = (square - mean.square()).clamp_min(0)
        found[number] = mean.float().to(image.device), variance.float().to(image.device)
    return found


def tiles(image: Tensor, side: int) -> Iterator[tuple[int, int, int, int]]:
    """Top, bottom, left and right of tiles of about a side that cover ``(1, 3, H, W)``."""
    for top, bottom in spans(image.shape[2], side):
        for left, right in spans(image.shape[3], side):
            yield top, bottom, left, right


def spans(length: int, side: int) -> Iterator[tuple[int, int]]:
    """Divide a length into equal spans of at most about ``side``; starts are whole strides."""
    count = math.ceil(length / side)
    step = STRIDE * math.ceil(length / count / STRIDE)
    for start in range(0, length, step):
        yield start, min(start + step, length)


def with_margin(
    image: Tensor, tile: tuple[int, int, int, int], margin: int
) -> tuple[Tensor, int, int]:
    """A tile with a margin where there is one, and how much of it is above and before it.

    Margins are whole strides, so that every tile lies on the network's grid.
    """
    top, bottom, left, right = tile
    above, before = min(margin, top), min(margin, left)
    cut = image[:, :, top - above : bottom + margin, left - before : right + margin]
    return cut, above, before


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
        mean, spread = measured
        products = spread + _products(mean, spread)
        if place in self._means:
            before = self._means[place]
            mean = torch.lerp(before[0], mean, self.change)
            products = torch.lerp(before[1], products, self.change)
        self._means[place] = (mean, products)
        return mean, products - _products(mean, products)


def _products(mean: Tensor, like: Tensor) -> Tensor:
    """Products of means, as variances ``(B, C)`` or covariances ``(B, C, C)`` have them."""
    return mean.square() if like.ndim == mean.ndim else mean[:, :, None] * mean[:, None]
