"""The encoder of the any-style network: the first layers of ``lite``, and their moments.

Means and deviations of thin feature maps at several depths tell styles apart (as in AdaIN, Huang
and Belongie 2017, and MicroAST, Wang et al. 2023), and being moments they can be blended. The
encoder is frozen.

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
from impasto.stylizers.networks.moments import Moments, average, covariance, second_moments
from impasto.stylizers.networks.painter import padding

# Those of lite up to relu3_3; it pools before the layers of these numbers.
WIDTHS = (16, 16, 48, 32, 96, 64, 96)
POOLED = (2, 4)
COLOURS = 3
EPS = 1e-5  # of the variance of a map


class Encoder(nn.Module):
    """The frozen layers; no normalisation: the moments that it would remove are the style."""

    def __init__(self) -> None:
        super().__init__()
        channels = itertools.pairwise((COLOURS, *WIDTHS))
        self.layers = nn.ModuleList(Convolution(*pair, 3) for pair in channels)
        self.requires_grad_(False)

    def forward(self, image: Tensor, weights: Tensor | None = None) -> StyleCode[Tensor]:
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
        maps = 4 * image - 2
        for number, layer in enumerate(self.layers):
            if number in POOLED:
                maps, weights = F.max_pool2d(maps, 2), F.avg_pool2d(weights, 2)
            maps = layer(maps).relu()
            means.append(average(maps.float(), weights))
            squares.append(average(maps.float().square(), weights))
        return StyleCode(torch.cat(means, 1), torch.cat(squares, 1))


def colours_of(code: StyleCode[Tensor]) -> Moments:
    """Mean ``(B, 3)`` and covariance ``(B, 3, 3)`` of the colours."""
    second = code.square[:, : COLOURS**2].reshape(-1, COLOURS, COLOURS)
    return covariance((code.mean[:, :COLOURS], second))


def maps_of(code: StyleCode[Tensor]) -> tuple[Tensor, Tensor]:
    """Mean and deviation ``(B, sum(WIDTHS))`` of the maps of all layers."""
    mean, variance = covariance((code.mean[:, COLOURS:], code.square[:, COLOURS**2 :]))
    return mean, (variance.clamp_min(0) + EPS).sqrt()
