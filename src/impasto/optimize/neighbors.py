"""The nearest-neighbour style loss of a region: what it remembers from step to step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from impasto import losses
from impasto.losses import Moments
from impasto.options import LayerWeights

if TYPE_CHECKING:
    from impasto.optimize.objective import Source

# Pixels from one position of the grid of hypercolumns to the next.
STRIDE = 4
# So many hypercolumns of the styles are kept at most, evenly spread: what a search takes then
# grows with the image and not with its square.
BANK = 128 * 128
# Steps from one search to the next; in between every position keeps its match.
REMATCH = 10

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
        styles: The style images with their feature maps. A match may come from any of them;
            places that count for less than half are left out, unless nothing counts for more.
    """

    def __init__(
        self,
        layers: LayerWeights,
        moments: Mapping[str, Moments],
        where: Source,
        styles: Iterable[tuple[Source, Maps]],
    ) -> None:
        self.layers = tuple(layers)
        self.scales = [
            torch.sqrt(weight / (moments[layer].spread + losses.EPS))
            for layer, weight in layers.items()
        ]
        self.grid = _grid(where)
        self.weights = _weights(where)
        self.bank = torch.cat([self._visible_columns(*style) for style in styles])
        self.bank = self.bank[:: -(-len(self.bank) // BANK)].contiguous()
        self.calls = 0

    def __call__(self, maps: Maps) -> Tensor:
        """Return the loss of an image with these feature maps, a scalar."""
        rows = self._columns(maps, self.grid)
        if self.calls % REMATCH == 0:
            self._search(rows.detach(), maps[self.layers[-1]].dtype)
        self.calls += 1
        return losses.neighbor_loss(rows, self.targets, self.weights)

    def _search(self, rows: Tensor, dtype: torch.dtype) -> None:
        """Match hypercolumns; products in the dtype of the maps are exact enough for that."""
        if self.weights is None:
            center = rows.mean(dim=0)
        else:
            center = (rows * self.weights).sum(dim=0) / self.weights.sum().clamp_min(losses.EPS)
        matches = losses.nearest(rows - center, self.bank - self.bank.mean(dim=0), dtype)
        self.targets = self.bank[matches]

    def _columns(self, maps: Maps, grid: tuple[int, int]) -> Tensor:
        return losses.hypercolumns([maps[layer] for layer in self.layers], grid, self.scales)

    def _visible_columns(self, style: Source, maps: Maps) -> Tensor:
        rows, weights = self._columns(maps, _grid(style)), _weights(style)
        if weights is None:
            return rows
        return rows[weights[:, 0] >= weights.max().clamp(max=0.5)]


def _grid(source: Source) -> tuple[int, int]:
    """(height, width) of the grid of hypercolumns of an image."""
    height, width = source.image.shape[2:]
    return max(1, height // STRIDE), max(1, width // STRIDE)


def _weights(source: Source) -> Tensor | None:
    """How much each hypercolumn of an image counts, ``(h * w, 1)``; None: all alike."""
    weights = source.weights_at(_grid(source))
    return None if weights is None else weights.view(-1, 1)
