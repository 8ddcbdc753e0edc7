"""Dividing an image into tiles, each seen with as much around it as a network sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from impasto.backbones.base import ReceptiveField
from impasto.losses import Source
from impasto.losses.statistics import EPS


@dataclass(frozen=True)
class Span:
    """A stretch of one axis and what is seen with it, in pixels.

    Attributes:
        start: Its first pixel.
        stop: The pixel after its last one.
        left: The first pixel that is seen.
        right: The pixel after the last one that is seen.
    """

    start: int
    stop: int
    left: int
    right: int

    def own(self, stride: int) -> slice:
        """Its positions in a map of the whole axis."""
        return slice(self.start // stride, self.stop // stride)

    def inner(self, stride: int) -> slice:
        """Its positions in a map of what is seen."""
        offset = self.left // stride
        return slice(self.start // stride - offset, self.stop // stride - offset)


@dataclass(frozen=True)
class Tile:
    """A rectangle of an image and the window in which it is seen."""

    rows: Span
    columns: Span

    def window(self, image: Tensor) -> Tensor:
        """The part of an image ``(B, C, H, W)`` that is seen."""
        rows, columns = self.rows, self.columns
        return image[..., rows.left : rows.right, columns.left : columns.right]

    def own(self, maps: Tensor, stride: int = 1) -> Tensor:
        """The tile's part of a map of the whole image."""
        return maps[..., self.rows.own(stride), self.columns.own(stride)]

    def inner(self, maps: Tensor, stride: int = 1) -> Tensor:
        """A copy of the tile's part of a map ``(B, C, h, w)`` of its window, channels last."""
        part: Tensor = _Part.apply(maps, self.rows.inner(stride), self.columns.inner(stride))  # type: ignore[no-untyped-call]
        return part


class _Part(torch.autograd.Function):
    """A part of channels-last maps, channels last on the way back as well.

    The gradient of an ordinary slice is not, and every convolution behind it would convert what
    it gets: a sixth of the time of a step.
    """

    @staticmethod
    def forward(ctx: Any, maps: Tensor, rows: slice, columns: slice) -> Tensor:
        ctx.shape, ctx.where = maps.shape, (..., rows, columns)
        return maps[ctx.where].clone(memory_format=torch.channels_last)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        whole = torch.empty(
            ctx.shape, dtype=grad.dtype, device=grad.device, memory_format=torch.channels_last
        ).zero_()
        whole[ctx.where] = grad
        return whole, None, None


def deepest(fields: Iterable[ReceptiveField]) -> ReceptiveField:
    """The stride and the margin that suffice for all of these."""
    fields = list(fields)
    return ReceptiveField(
        max(field.stride for field in fields), max(field.margin for field in fields)
    )


def split(length: int, longest: int, field: ReceptiveField) -> list[Span]:
    """Divide an axis into stretches of about equal length.

    They begin at multiples of the stride and so do their windows: pooling falls on the same
    pixels as in the whole. At the ends of the axis windows end as well, so that the padding of
    the convolutions there is that of the whole.

    Args:
        length: Of the axis, in pixels.
        longest: Of a stretch, rounded up to the stride; the last one takes a rest of less than a
            stride besides.
        field: Of the deepest layer.
    """
    stride = field.stride
    halo = -(-field.margin // stride) * stride
    count = -(-length // longest)
    step = -(-length // (count * stride)) * stride
    # A start with less than a stride behind it would have no position in the deepest map.
    starts = range(0, max(length - stride, 0) + 1, step)
    stops = [*starts[1:], length]
    return [
        Span(start, stop, max(0, start - halo), min(length, stop + halo))
        for start, stop in zip(starts, stops, strict=True)
    ]


def lay_tiles(size: Sequence[int], longest: int, field: ReceptiveField) -> list[Tile]:
    """Divide an image of (height, width) into tiles of sides up to ``longest`` pixels."""
    rows, columns = (split(length, longest, field) for length in size)
    return [Tile(row, column) for row, column in product(rows, columns)]


class Pieces:
    """An image in tiles or in one piece, and how much the positions of its feature maps count.

    Args:
        source: The image.
        longest: Side of a tile in pixels; 0: in one piece.
        fields: What the layers see; in one piece it need not be known.
    """

    def __init__(self, source: Source, longest: int, fields: Mapping[str, ReceptiveField]) -> None:
        self.source, self.fields = source, fields
        self.size = height, width = source.image.shape[2], source.image.shape[3]
        whole = Tile(Span(0, height, 0, height), Span(0, width, 0, width))
        self.tiles = lay_tiles(self.size, longest, deepest(fields.values())) if longest else [whole]
        self.weights: dict[str, Tensor | None] = {}

    def part(self, tile: Tile, layer: str, maps: Tensor) -> Tensor:
        """A tile's own part of a map of its window."""
        return maps if len(self.tiles) == 1 else tile.inner(maps, self.fields[layer].stride)

    def weigh(self, tile: Tile, layer: str, part: Tensor) -> tuple[Tensor | None, Tensor | float]:
        """How much the positions of a tile's part of a map count.

        Returns:
            ``(1, 1, h, w)``, or None where all count alike; and the share of all of them together
            in those of the whole image.
        """
        whole = len(self.tiles) == 1
        stride = 1 if whole else self.fields[layer].stride
        size = part.shape[2:] if whole else [length // stride for length in self.size]
        if layer not in self.weights:
            self.weights[layer] = self.source.weights_at(size)
        weights = self.weights[layer]
        if whole:
            return weights, 1.0
        if weights is None:
            return None, prod(part.shape[2:]) / prod(size)
        own = tile.own(weights, stride)
        return own, own.sum() / weights.sum().clamp_min(EPS)
