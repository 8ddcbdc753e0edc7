"""The nearest-neighbour loss: every position is drawn to the place in the style it resembles."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.losses.source import Source
from impasto.losses.statistics import EPS, Moments, rows_of
from impasto.options import LayerWeights

# Pixels from one position of the grid of hypercolumns to the next.
STRIDE = 4
# So many hypercolumns of all styles are kept at most: what a search takes then grows with the image
# and not with its square.
BANK = 128 * 128
# Steps from one search to the next; in between every position keeps its match.
REMATCH = 10
# Entries of the matrix of similarities that are computed at a time when neighbours are searched.
SIMILARITIES = 2**23

Maps = Mapping[str, Tensor]


class Neighbors:
    """Draws every position of a region to the place in the style that it resembles most.

    After Kolkin et al. 2022 (NNST): hypercolumns of image and style, each centred by their own
    mean, are matched by cosine distance. Departures: matches are searched again every few steps
    and not once a scale, and the distance to the match is squared and not a cosine, which would
    leave contrast and brightness free.

    Args:
        layers: Style layers with their weights.
        moments: Moments of the style by layer; each layer is divided by its spread.
        where: The content image; its alpha is how much each pixel belongs to the region.
        bank: ``(M, sum of C_i)``, hypercolumns of the styles (``sampled``); a match may be any.
    """

    def __init__(
        self,
        layers: LayerWeights,
        moments: Mapping[str, Moments],
        where: Source,
        bank: Tensor,
    ) -> None:
        self.layers = tuple(layers)
        self.scales = [
            torch.sqrt(weight / (moments[layer].spread + EPS)) for layer, weight in layers.items()
        ]
        self.grid = _grid(where)
        self.weights = _weights(where)
        widths = [moments[layer].mean.shape[-1] for layer in layers]
        pairs = zip(self.scales, widths, strict=True)
        self.bank = bank * torch.cat([scale.expand(width) for scale, width in pairs])
        self.calls = 0

    def __call__(self, maps: Maps) -> Tensor:
        """Return the loss of an image with these feature maps, a scalar."""
        rows = hypercolumns([maps[layer] for layer in self.layers], self.grid, self.scales)
        if self.calls % REMATCH == 0:
            self._search(rows.detach(), maps[self.layers[-1]].dtype)
        self.calls += 1
        return neighbor_loss(rows, self.targets, self.weights)

    def _search(self, rows: Tensor, dtype: torch.dtype) -> None:
        """Match hypercolumns; products in the dtype of the maps are exact enough for that."""
        if self.weights is None:
            center = rows.mean(dim=0)
        else:
            center = (rows * self.weights).sum(dim=0) / self.weights.sum().clamp_min(EPS)
        matches = nearest(rows - center, self.bank - self.bank.mean(dim=0), dtype)
        self.targets = self.bank[matches]


def places_of(style: Source, most: int = BANK) -> Tensor:
    """The positions of the grid of a style image at which matches may be.

    Those that count for less than half are left out, unless nothing counts for more.

    Args:
        style: The style image.
        most: So many are taken at most, evenly spread.

    Returns:
        ``(M,)``, indices.
    """
    weights = _weights(style)
    if weights is None:
        places = torch.arange(math.prod(_grid(style)), device=style.image.device)
    else:
        (places,) = (weights[:, 0] >= weights.max().clamp(max=0.5)).nonzero(as_tuple=True)
    count = min(most, len(places))
    return places[torch.arange(count, device=places.device) * len(places) // max(1, count)]


def sampled(maps: Sequence[Tensor], style: Source, places: Tensor) -> Tensor:
    """The hypercolumns ``(M, sum of C_i)`` of a style image at some positions of its grid."""
    return hypercolumns(maps, _grid(style), [1.0] * len(maps))[places]


def _grid(source: Source) -> tuple[int, int]:
    """(height, width) of the grid of hypercolumns of an image."""
    height, width = source.image.shape[2:]
    return max(1, height // STRIDE), max(1, width // STRIDE)


def _weights(source: Source) -> Tensor | None:
    """How much each hypercolumn of an image counts, ``(h * w, 1)``; None: all alike."""
    weights = source.weights_at(_grid(source))
    return None if weights is None else weights.view(-1, 1)


def hypercolumns(
    maps: Sequence[Tensor], size: tuple[int, int], scales: Sequence[Tensor | float]
) -> Tensor:
    """Stack the feature maps of several layers over each position of a common grid.

    Finer maps are averaged over the cells of the grid, coarser ones interpolated. (Departs from
    Kolkin et al. 2022, who sample finer maps at points and so miss what lies between.)

    Args:
        maps: ``(1, C_i, h_i, w_i)`` each.
        size: (height, width) of the grid.
        scales: By how much each map is multiplied: numbers, or scalars as tensors.

    Returns:
        ``(h * w, sum of C_i)``, in float32 or wider.
    """
    rows = []
    for layer, scale in zip(maps, scales, strict=True):
        if layer.shape[2] > size[0] or layer.shape[3] > size[1]:
            layer = F.adaptive_avg_pool2d(layer, size)  # before it is widened, for the memory
        wide = layer.to(torch.promote_types(layer.dtype, torch.float32))
        if layer.shape[2:] != size:
            wide = F.interpolate(wide, size=size, mode="bilinear")
        rows.append(rows_of(wide)[0] * scale)
    return torch.cat(rows, dim=1)


def nearest(rows: Tensor, bank: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Find for each vector the one of a bank with the smallest cosine distance.

    The matrix of distances is computed in pieces and never kept.

    Args:
        rows: ``(N, C)``.
        bank: ``(M, C)``.
        dtype: In which the products are computed; that of ``rows`` if left out.

    Returns:
        ``(N,)``, indices into the bank.
    """
    rows, bank = (F.normalize(x, dim=1).to(dtype or x.dtype) for x in (rows, bank))
    pieces = torch.split(rows, max(1, SIMILARITIES // bank.shape[0]))
    return torch.cat([(piece @ bank.T).argmax(dim=1) for piece in pieces])


def neighbor_loss(rows: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean squared distance of vectors to their matches.

    Args:
        rows: ``(N, C)``, hypercolumns of the image.
        targets: ``(N, C)``, the match of each in the style.
        weights: ``(N, 1)``, how much each position counts.

    Returns:
        A scalar. Where hypercolumns are divided by the spread of the style, about 1 for matches
        no better than the style's mean.
    """
    distances = (rows - targets).square().sum(dim=1, keepdim=True)
    if weights is None:
        return distances.mean()
    return (distances * weights).sum() / weights.sum().clamp_min(EPS)
