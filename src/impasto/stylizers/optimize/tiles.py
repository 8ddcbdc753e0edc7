"""Dividing an image into tiles, each seen with as much around it as a network sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from impasto.backbones.base import ReceptiveField
from impasto.losses import Source
from impasto.losses.statistics import EPS, NO_RIM, Rim

# Maps with a shorter side have too little beside their rim.
SMALLEST_WITHOUT_RIM = 4


@dataclass(frozen=True)
class Span:
    """A stretch of one axis and what is seen with it, in pixels.

    Attributes:
        start: Its first pixel.
        stop: The pixel after its last one.
        left: The first pixel that is seen; where the image repeats, it may lie before it.
        right: The pixel after the last one that is seen, perhaps beyond the image.
    """

    start: int
    stop: int
    left: int
    right: int

    def seen(self, image: Tensor, axis: int) -> Tensor:
        """What is seen of an image along an axis."""
        if self.left >= 0 and self.right <= image.shape[axis]:
            return image.narrow(axis, self.left, self.right - self.left)
        return image.index_select(axis, self._indices(image, axis))

    def add(self, image: Tensor, part: Tensor, axis: int) -> None:
        """Add what belongs to what is seen to an image, along an axis."""
        if self.left >= 0 and self.right <= image.shape[axis]:
            image.narrow(axis, self.left, self.right - self.left).add_(part)
        else:
            image.index_add_(axis, self._indices(image, axis), part)

    def _indices(self, image: Tensor, axis: int) -> Tensor:
        places = torch.arange(self.left, self.right, device=image.device)
        return places % image.shape[axis]

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
        return self.columns.seen(self.rows.seen(image, 2), 3)

    def add(self, image: Tensor, part: Tensor) -> None:
        """Add a part ``(B, C, h, w)`` of the window to an image ``(B, C, H, W)``."""
        rows = torch.zeros_like(self.rows.seen(image, 2))
        self.columns.add(rows, part, 3)
        self.rows.add(image, rows, 2)

    def own(self, maps: Tensor, stride: int = 1) -> Tensor:
        """The tile's part of a map of the whole image."""
        return maps[..., self.rows.own(stride), self.columns.own(stride)]

    def inner(self, maps: Tensor, stride: int = 1) -> Tensor:
        """A copy of the tile's part of a map ``(B, C, h, w)`` of its window, channels last."""
        part: Tensor = _Part.apply(maps, self.rows.inner(stride), self.columns.inner(stride))  # type: ignore[no-untyped-call]
        return part


@dataclass(frozen=True)
class Counting:
    """How much the positions of a tile's part of a map count.

    Attributes:
        weights: ``(1, 1, h, w)``, or None where all within the rim count alike.
        rim: The positions that do not count.
        share: Of all of them together in those of the whole image.
    """

    weights: Tensor | None
    rim: Rim
    share: Tensor | float


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


def split(length: int, longest: int, field: ReceptiveField, wraps: bool = False) -> list[Span]:
    """Divide an axis into stretches of about equal length.

    They begin at multiples of the stride and so do their windows: pooling falls on the same
    pixels as in the whole. At the ends of the axis windows end as well, so that the padding of
    the convolutions there is that of the whole.

    Args:
        length: Of the axis, in pixels.
        longest: Of a stretch, rounded up to the stride; the last one takes a rest of less than a
            stride besides.
        field: Of the deepest layer.
        wraps: Whether the axis repeats: then windows do not end with it.
    """
    stride = field.stride
    halo = -(-field.margin // stride) * stride
    count = -(-length // longest)
    step = -(-length // (count * stride)) * stride
    # A start with less than a stride behind it would have no position in the deepest map.
    starts = range(0, max(length - stride, 0) + 1, step)
    stops = [*starts[1:], length]
    return [
        Span(start, stop, start - halo, stop + halo)
        if wraps
        else Span(start, stop, max(0, start - halo), min(length, stop + halo))
        for start, stop in zip(starts, stops, strict=True)
    ]


def lay_tiles(
    size: Sequence[int],
    longest: int,
    field: ReceptiveField,
    wrapped: tuple[bool, bool] = (False, False),
) -> list[Tile]:
    """Divide an image of (height, width) into tiles of sides up to ``longest`` pixels.

    Args:
        size: The size.
        longest: 0: one tile.
        field: Of the deepest layer.
        wrapped: Whether rows and whether columns repeat.
    """
    rows, columns = (
        split(length, longest or length, field, wraps)
        for length, wraps in zip(size, wrapped, strict=True)
    )
    return [Tile(row, column) for row, column in product(rows, columns)]


class Pieces:
    """An image in tiles or in one piece, and how much the positions of its feature maps count.

    Args:
        source: The image.
        longest: Side of a tile in pixels; 0: in one piece.
        fields: What the layers see; in one piece it need not be known.
        wrapped: Whether rows and whether columns repeat.
        rim: Whether the outermost positions of maps count. They see the zeros beside the image,
            so with them statistics know what lies at a border, and an artwork's frame or seal
            comes out at that of the picture.
    """

    def __init__(
        self,
        source: Source,
        longest: int,
        fields: Mapping[str, ReceptiveField],
        wrapped: tuple[bool, bool] = (False, False),
        *,
        rim: bool = True,
    ) -> None:
        self.source, self.fields = source, fields
        # Positions that do not count at either end of rows and of columns.
        self.rim = tuple(int(not (rim or wraps)) for wraps in wrapped)
        self.size = height, width = source.image.shape[2], source.image.shape[3]
        whole = Tile(Span(0, height, 0, height), Span(0, width, 0, width))
        self.tiles = [whole]
        if longest or any(wrapped):
            self.tiles = lay_tiles(self.size, longest, deepest(fields.values()), wrapped)
        self.cut = len(self.tiles) > 1 or any(wrapped)
        self.weights: dict[str, Tensor] = {}

    def part(self, tile: Tile, layer: str, maps: Tensor) -> Tensor:
        """A tile's own part of a map of its window."""
        return tile.inner(maps, self.fields[layer].stride) if self.cut else maps

    def weigh(self, tile: Tile, layer: str, part: Tensor) -> Counting:
        """How much the positions of a tile's part of a map count."""
        whole = len(self.tiles) == 1
        stride = 1 if whole else self.fields[layer].stride
        size = part.shape[2:] if whole else [length // stride for length in self.size]
        ends = self.rim if min(size) >= SMALLEST_WITHOUT_RIM else (0, 0)
        if self.source.alpha is None:
            rim = self._rim(tile, ends)
            own = _inner(part.shape[2:], rim)
            return Counting(None, rim, own / _inner(size, (ends[0], ends[0], ends[1], ends[1])))
        if layer not in self.weights:
            self.weights[layer] = self._weights_at(size, ends)
        weights = self.weights[layer]
        if whole:
            return Counting(weights, NO_RIM, 1.0)
        part_of_them = tile.own(weights, stride)
        return Counting(part_of_them, NO_RIM, part_of_them.sum() / weights.sum().clamp_min(EPS))

    def _rim(self, tile: Tile, ends: Sequence[int]) -> Rim:
        """The positions of a tile's part of a map that do not count."""
        spans = zip((tile.rows, tile.columns), self.size, ends, strict=True)
        (top, bottom), (left, right) = (
            (end * (span.start == 0), end * (span.stop == length)) for span, length, end in spans
        )
        return top, bottom, left, right

    def _weights_at(self, size: Sequence[int], ends: Sequence[int]) -> Tensor:
        weights = self.source.weights_at(size)
        assert weights is not None
        counting = torch.zeros_like(weights)
        (top, left), (height, width) = ends, size
        inner = slice(top, height - top), slice(left, width - left)
        counting[..., inner[0], inner[1]] = weights[..., inner[0], inner[1]]
        # What is nowhere but at the border is better seen there than not at all.
        return counting if counting.any() else weights


def _inner(size: Sequence[int], rim: Rim) -> int:
    """Positions of a map of (height, width) within its rim."""
    top, bottom, left, right = rim
    return max(0, size[0] - top - bottom) * max(0, size[1] - left - right)
