"""The objective of a large image in bounded memory: exact, tile by tile.

The style loss is a function of moments, and moments are sums over positions. So the gradient of
the *whole* image needs two passes over its tiles: the first adds up the moments, from which the
loss and its gradient by those sums follow; the second carries that gradient back through one tile
after another. Every tile is seen with as much around it as the deepest layer sees, and only its
own positions count. The outcome is that of one piece but for rounding: no seams, and no tile has
to show the whole style by itself. (Departs from crowsonkb's style_transfer, whose tiles each
match the style on their own.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod

import torch
from torch import Tensor

from impasto import losses
from impasto.backbones.base import Backbone, ReceptiveField
from impasto.devices import release_memory
from impasto.errors import InputError
from impasto.losses import Moments
from impasto.optimize.objective import Objective, Source
from impasto.optimize.tiles import Tile, deepest, lay_tiles
from impasto.options import OptimizeOptions

# From so many tiles on, asking the system anew for the memory of one takes no time to speak of.
MANY = 12

Maps = dict[str, Tensor]


class _Grid:
    """An image in tiles, and how much the positions of its feature maps count."""

    def __init__(self, source: Source, longest: int, fields: Mapping[str, ReceptiveField]) -> None:
        height, width = source.image.shape[2:]
        self.image = source.image
        self.tiles = lay_tiles((height, width), longest, deepest(fields.values()))
        self.strides = {layer: field.stride for layer, field in fields.items()}
        self.sizes = {layer: (height // s, width // s) for layer, s in self.strides.items()}
        self.weights = {layer: source.weights_at(size) for layer, size in self.sizes.items()}

    def weights_in(self, tile: Tile, layer: str) -> Tensor | None:
        """How much each position of a tile counts, ``(1, 1, h, w)``; None: all alike."""
        weights = self.weights[layer]
        return None if weights is None else tile.own(weights, self.strides[layer])

    def total(self, layer: str) -> Tensor | int:
        """How much all positions of a layer count together."""
        weights = self.weights[layer]
        return prod(self.sizes[layer]) if weights is None else weights.sum().clamp_min(losses.EPS)


class _Sums:
    """Moments of a whole image, added up tile by tile."""

    def __init__(self, grid: _Grid, layers: Iterable[str]) -> None:
        self.grid = grid
        self.layers = tuple(layers)
        self.moments: dict[str, Moments] = {}

    @torch.no_grad()
    def add(self, tile: Tile, maps: Maps) -> None:
        """Add the feature maps of a tile."""
        for layer in self.layers:
            weights = self.grid.weights_in(tile, layer)
            part = losses.moments(maps[layer], weights)
            count = prod(maps[layer].shape[2:]) if weights is None else weights.sum()
            share = count / self.grid.total(layer)
            sums = self.moments.get(layer)
            mean = share * part.mean + (sums.mean if sums else 0)
            second = share * part.second + (sums.second if sums else 0)
            self.moments[layer] = Moments(mean, second)


class TiledObjective(Objective):
    """An objective with the same values and gradients in less memory and more time.

    Args:
        backbone: Looks at the pictures.
        content: The content image, at the size of the result at this scale.
        styles: The style images, each at its own size.
        style_weights: How much each style counts.
        options: Weights, layers and kinds of the losses; not "nn", whose targets have no tiles.
        guides: As in Objective.
        tile: The longest side of a tile, in pixels.
        keep_maps: Keep the content image's feature maps; otherwise each step computes them again.

    Raises:
        InputError: If the backbone does not know what its layers see.
    """

    def __init__(
        self,
        backbone: Backbone,
        content: Source,
        styles: Sequence[Source],
        style_weights: Sequence[float],
        options: OptimizeOptions,
        guides: Sequence[Tensor] | None = None,
        *,
        tile: int,
        keep_maps: bool = True,
    ) -> None:
        self.tile = tile
        self.keep_maps = keep_maps
        self.fields = receptive_fields(backbone, options)
        super().__init__(backbone, content, styles, style_weights, options, guides)
        self.grids = [_Grid(region.where, tile, self.fields) for region in self.regions]

    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        """Return the weighted loss terms of an image ``(1, 3, H, W)``, without a graph."""
        return self.gradient(image)[0]

    def gradient(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return the loss terms of an image ``(1, 3, H, W)`` and the gradient of their sum."""
        sums = [_Sums(grid, self.style_layers) for grid in self.grids]
        *others, last = self.grid.tiles
        if self.style_layers:
            with torch.no_grad():
                for tile in others:
                    _add(sums, tile, self._look_at(image, tile, self.style_layers)[1])
        # The last tile of the first pass is the first of the second: its graph is kept.
        window, maps = self._look_at(image, last)
        _add(sums, last, maps)
        terms, by_sums = self._style_gradient([each.moments for each in sums])
        grad = torch.zeros_like(image)
        for tile in (last, *others):
            if tile is not last:
                window, maps = self._look_at(image, tile)
            parts = self._local_terms(tile, window, maps)
            tile.window(grad).add_(self._carry_back(tile, window, maps, by_sums, parts))
            del window, maps
            for name, part in parts.items():
                terms[name] = terms.get(name, 0) + part.detach()
        if len(self.grid.tiles) >= MANY:
            # The images of the optimiser do not fit into the pieces that the maps of tiles leave.
            release_memory()
        return terms, grad

    def _keep_content(self) -> None:
        """Note what the content loss is divided by and, if asked to, the maps of the content."""
        self.grid = _Grid(self.content, self.tile, self.fields)
        self.kept: dict[Tile, Maps] = {}
        self.divisors = dict.fromkeys(self.content_layers, losses.EPS)
        for tile in self.grid.tiles if self.content_layers else ():
            maps = self._content_maps(tile)
            for layer, part in maps.items():
                weights = self.grid.weights_in(tile, layer)
                self.divisors[layer] += self._divisor(layer, part, weights)
            if self.keep_maps:
                self.kept[tile] = maps

    @torch.no_grad()
    def _content_maps(self, tile: Tile) -> Maps:
        kept = self.kept.get(tile)
        return kept or self._look_at(self.content.image, tile, self.content_layers)[1]

    @torch.no_grad()
    def _measure(self, source: Source) -> dict[str, Moments]:
        grid = _Grid(source, self.tile, self.fields)
        sums = _Sums(grid, self.style_layers)
        for tile in grid.tiles:
            sums.add(tile, self._look_at(source.image, tile, self.style_layers)[1])
        return sums.moments

    def _look_at(
        self, image: Tensor, tile: Tile, layers: Iterable[str] | None = None
    ) -> tuple[Tensor, Maps]:
        """The window of a tile, and the tile's part of its feature maps (all if left out)."""
        window = tile.window(image).detach().requires_grad_(torch.is_grad_enabled())
        wanted = {*self.content_layers, *self.style_layers} if layers is None else layers
        maps = self._look(window, wanted)
        return window, {
            layer: tile.inner(each, self.fields[layer].stride) for layer, each in maps.items()
        }

    def _style_gradient(
        self, moments: Sequence[Mapping[str, Moments]]
    ) -> tuple[dict[str, Tensor], list[dict[str, Moments]]]:
        """The style term, and its gradient by the sums that each region's moments are made of."""
        if not moments:
            return {}, []
        leaves = [
            part.requires_grad_()
            for region in moments
            for each in region.values()
            for part in (each.mean, each.second)
        ]
        loss = self.options.style_weight * _total(
            region.share * self._statistics_loss(each, region)
            for each, region in zip(moments, self.regions, strict=True)
        )
        grads = iter(torch.autograd.grad(loss, leaves, materialize_grads=True))
        by_sums = [
            {
                layer: Moments(next(grads) / grid.total(layer), next(grads) / grid.total(layer))
                for layer in self.style_layers
            }
            for grid in self.grids
        ]
        return {"style": loss.detach()}, by_sums

    def _local_terms(self, tile: Tile, window: Tensor, maps: Maps) -> dict[str, Tensor]:
        """A tile's part of the terms that are sums over places."""
        terms = {}
        if self.content_layers:
            targets = self._content_maps(tile)
            parts = [
                self._content_error(layer, maps[layer], target, self.grid.weights_in(tile, layer))
                for layer, target in targets.items()
            ]
            terms["content"] = self.options.content_weight * torch.stack(parts).sum()
        if self.options.tv_weight:
            size = self.grid.image.shape[2:]
            terms["tv"] = self.options.tv_weight * _variation(tile, window, size)
        return terms

    def _carry_back(
        self,
        tile: Tile,
        window: Tensor,
        maps: Maps,
        by_sums: Sequence[Mapping[str, Moments]],
        parts: Mapping[str, Tensor],
    ) -> Tensor:
        """The gradient by the window of a tile."""
        layers = list(self.style_layers)
        grads = [
            _total(
                losses.moments_gradient(
                    maps[layer].detach(), grid.weights_in(tile, layer), by[layer]
                )
                for grid, by in zip(self.grids, by_sums, strict=True)
            )
            for layer in layers
        ]
        outputs = [*(maps[layer] for layer in layers), *parts.values()]
        (grad,) = torch.autograd.grad(outputs, window, [*grads, *(None for _ in parts)])
        return grad


def receptive_fields(backbone: Backbone, options: OptimizeOptions) -> dict[str, ReceptiveField]:
    """What the layers see that the losses look at.

    Raises:
        InputError: If the backbone does not know it, or a loss cannot be had of tiles.
    """
    if "nn" in options.style_loss:
        raise InputError(f"style_loss {options.style_loss} cannot work in tiles: use tile off")
    fields = {}
    for layer in {**options.content_layers, **options.style_layers}:
        field = backbone.receptive_field(layer)
        if field is None:
            raise InputError(f"the backbone {backbone.name} cannot work in tiles: use tile off")
        fields[layer] = field
    return fields


def _add(sums: Iterable[_Sums], tile: Tile, maps: Maps) -> None:
    for each in sums:
        each.add(tile, maps)


def _total(terms: Iterable[Tensor]) -> Tensor:
    first, *others = terms
    return sum(others, start=first)


def _variation(tile: Tile, window: Tensor, size: Sequence[int]) -> Tensor:
    """A tile's part of the total variation of an image of (height, width)."""
    rows, columns = tile.rows.inner(1), tile.columns.inner(1)
    # The last pixel of a tile has its neighbour beyond it, in the window.
    taller = window[..., rows.start : rows.stop + 1, columns]
    wider = window[..., rows, columns.start : columns.stop + 1]
    loss = window.new_zeros(())
    for axis, part in ((2, taller), (3, wider)):
        count = prod(window.shape[:2]) * prod(size) // size[axis - 2] * (size[axis - 2] - 1)
        if count:
            loss = loss + part.diff(dim=axis).square().sum() / count
    return loss
