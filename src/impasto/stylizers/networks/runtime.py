"""Running a network: in one pass, or a large picture in tiles without seams.

A network goes by moments of the whole picture: with those of a tile, its colours would depend on
what else is in the tile. So they are measured first, added up over all tiles. By given moments a
network sees only so far, so tiles that overlap that far fit exactly.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.stylizers.networks.codes import StyleCode
from impasto.stylizers.networks.encoder import (
    EPS,
    REACH,
    STRIDE,
    covariance,
    padding,
    second_moments,
)
from impasto.stylizers.networks.painter import (
    COLOURS,
    DEEP,
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
    weights: Tensor | None = None,
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
        painted = [
            _in_tiles(painter, image[i, None], style, modulation, tile, weights) for i in singles
        ]
        return torch.cat(painted)
    whole: Tensor = painter(image, style, modulation, settle, masks, weights)
    return whole


def _in_tiles(
    painter: Painter,
    image: Tensor,
    style: StyleCode[Tensor],
    modulation: Tensor,
    tile: int,
    weights: Tensor | None,
) -> Tensor:
    fixed = Fixed(measure(painter, image, style, tile, weights))
    result = torch.empty_like(image, dtype=torch.float32)
    for top, bottom, left, right in tiles(image, tile):
        cut, above, before = with_margin(image, (top, bottom, left, right), painter.reach)
        painted = painter(cut, style, modulation, fixed)
        inner = painted[:, :, above:, before:][:, :, : bottom - top, : right - left]
        result[:, :, top:bottom, left:right] = inner
    return result


def measure(
    painter: Painter,
    image: Tensor,
    style: StyleCode[Tensor],
    tile: int,
    weights: Tensor | None = None,
) -> dict[Place, Moments]:
    """The moments of a picture ``(1, 3, H, W)`` and of its maps, added up over tiles.

    Args:
        painter: The network.
        image: The picture.
        style: In whose colours the network sees it.
        tile: About the side of the tiles.
        weights: ``(1, 1, H, W)``, how much each pixel counts; all alike if left out.
    """
    counting = torch.ones_like(image[:, :1]) if weights is None else weights
    both = torch.cat([image, counting], 1)
    both = F.pad(both, padding(both), mode="replicate")
    found: dict[Place, Moments] = {COLOURS: covariance(second_moments(both[:, :3], both[:, 3:]))}
    fixed, everywhere = Fixed(found), Spread(None)
    sums = {number: (torch.zeros(1), torch.zeros(1), torch.zeros(1)) for number in TAKEN}
    for place in tiles(both, tile):
        cut, *inner = with_margin(both, place, REACH)
        maps = painter.encoder(painter.recolour(cut[:, :3], style, fixed, everywhere))
        for number in TAKEN:
            part = _inside(maps[number], cut, place, inner), _inside(cut[:, 3:], cut, place, inner)
            added = _sums(*part, products=number == DEEP)
            old = sums[number]
            sums[number] = old[0] + added[0], old[1] + added[1], old[2] + added[2]
    for number, (share, mean, product) in sums.items():
        mean, product = mean / share, product / share.view(-1, *[1] * (product.ndim - 1))
        found[number] = (mean, product - _products(mean, product))
    return {
        place: (mean.float().to(image.device), spread.float().to(image.device))
        for place, (mean, spread) in found.items()
    }


def _inside(
    maps: Tensor, cut: Tensor, place: tuple[int, int, int, int], margins: Sequence[int]
) -> Tensor:
    """The part of a tile's maps that is not margin."""
    top, bottom, left, right = place
    above, before = margins
    step = cut.shape[2] // maps.shape[2]
    rows = slice(above // step, (above + bottom - top) // step)
    return maps[:, :, rows, before // step : (before + right - left) // step]


def _sums(maps: Tensor, weights: Tensor, products: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Sums over positions, in float64: of weights, of maps, and of their squares or products."""
    shares = F.interpolate(weights, size=maps.shape[2:], mode="area").double().flatten(2)
    rows = maps.double().flatten(2)
    weighted = rows * shares
    second = weighted @ rows.mT if products else (weighted * rows).sum(dim=2)
    return shares.sum(dim=2).cpu(), weighted.sum(dim=2).cpu(), second.cpu()


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
