"""The encoder of the networks: the first layers of ``lite``, and their moments.

One frozen encoder looks at photo and artwork, as in Huang and Belongie 2017: its maps say what is
where, the moments of its maps say how it is painted. Departures: the moments of all layers are
kept, not of the last alone, and those of the colours with them; the encoder is ``lite``, a
sixteenth of VGG's work.

A model file holds the encoder, although ``lite`` has the same weights: ``lite`` may go on learning
without harm to the models that people have trained.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from impasto.stylizers.networks.codes import StyleCode
from impasto.stylizers.networks.layers import Convolution

# Those of lite up to relu4_1; it pools before the layers of these numbers.
WIDTHS = (16, 16, 48, 32, 96, 64, 96, 256)
POOLED = (2, 4, 7)
STRIDE = 8
#: How far a position of the deepest map sees beyond its own pixels, rounded up to whole strides.
REACH = 32
COLOURS = 3
#: Entries of a code's squares: products of colours, squares of maps, products of the deepest.
SQUARES = COLOURS**2 + sum(WIDTHS) + WIDTHS[-1] ** 2
#: Where the mean of each layer stands in a code, after those of the three colours.
STARTS = tuple(COLOURS + start for start in itertools.accumulate((0, *WIDTHS)))
EPS = 1e-6


class Encoder(nn.Module):
    """The frozen layers; no normalisation: the moments that it would remove are the style."""

    typical: Tensor

    def __init__(self) -> None:
        super().__init__()
        channels = itertools.pairwise((COLOURS, *WIDTHS))
        self.layers = nn.ModuleList(Convolution(*pair, 3) for pair in channels)
        # The root mean square of each channel over artworks: the unit in which it is read.
        self.register_buffer("typical", torch.ones(sum(WIDTHS)))
        self.requires_grad_(False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """The maps of all layers of images ``(B, 3, H, W)``, RGB in [0, 1]; sides round up."""
        found = []
        maps = 4 * image - 2
        for number, layer in enumerate(self.layers):
            if number in POOLED:
                maps = F.max_pool2d(maps, 2, ceil_mode=True)
            maps = layer(maps).relu()
            found.append(maps)
        return found

    def encode(self, image: Tensor, weights: Tensor | None = None) -> StyleCode[Tensor]:
        """The moments of images.

        Args:
            image: ``(B, 3, H, W)``, RGB in [0, 1].
            weights: ``(B, 1, H, W)``, how much each pixel counts, for example its alpha.
        """
        margins = padding(image)
        if weights is None:
            weights = torch.ones_like(image[:, :1])
        # What is beyond the border does not count.
        weights = F.pad(weights.float(), margins)
        image = F.pad(image, margins, mode="replicate")
        colours, products = second_moments(image, weights)
        means, squares = [colours], [products.flatten(1)]
        for number, maps in enumerate(self(image)):
            maps = maps.float()
            if number in POOLED:
                weights = F.avg_pool2d(weights, 2)
            means.append(average(maps, weights))
            squares.append(average(maps.square(), weights))
        _, deepest = second_moments(maps, weights)
        return StyleCode(torch.cat(means, 1), torch.cat([*squares, deepest.flatten(1)], 1))


def padding(image: Tensor) -> tuple[int, int, int, int]:
    """The padding at the right and below, as ``F.pad`` takes it, up to whole strides."""
    height, width = image.shape[2:]
    return 0, -width % STRIDE, 0, -height % STRIDE


def average(maps: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean of ``(B, C, h, w)`` over positions, weighted by ``(B or R, 1, h, w)``: ``(B, C)``."""
    if weights is None:
        return maps.mean(dim=(2, 3))
    return (maps * weights).sum(dim=(2, 3)) / weights.sum(dim=(2, 3)).clamp_min(EPS)


def map_moments(maps: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Mean and variance ``(B, C)`` of maps ``(B, C, h, w)``."""
    mean = average(maps, weights)
    return mean, (average(maps.square(), weights) - mean.square()).clamp_min(0)


def second_moments(maps: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Mean ``(B, C)`` and mean products ``(B, C, C)`` of maps or colours ``(B, C, h, w)``."""
    rows = maps.flatten(2)
    if weights is None:
        return rows.mean(dim=2), rows @ rows.mT / rows.shape[2]
    shares = weights.flatten(2) / weights.flatten(2).sum(dim=2, keepdim=True).clamp_min(EPS)
    weighted = rows * shares
    return weighted.sum(dim=2), weighted @ rows.mT


def covariance(moments: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and covariance, of mean and mean products."""
    mean, second = moments
    return mean, second - mean[:, :, None] * mean[:, None]


def colours_of(style: StyleCode[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean ``(B, 3)`` and covariance ``(B, 3, 3)`` of the colours, of a code."""
    second = style.square[:, : COLOURS**2].reshape(-1, COLOURS, COLOURS)
    return covariance((style.mean[:, :COLOURS], second))


def layer_moments(style: StyleCode[Tensor], number: int) -> tuple[Tensor, Tensor]:
    """Mean and variance ``(B, C)`` of a layer's maps, of a code."""
    start, end = STARTS[number : number + 2]
    mean = style.mean[:, start:end]
    before = COLOURS**2 - COLOURS
    square = style.square[:, start + before : end + before]
    return mean, (square - mean.square()).clamp_min(0)


def deepest_moments(style: StyleCode[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean ``(B, C)`` and covariance ``(B, C, C)`` of the deepest maps, of a code."""
    width = WIDTHS[-1]
    second = style.square[:, -(width**2) :].reshape(-1, width, width)
    return covariance((style.mean[:, -width:], second))
