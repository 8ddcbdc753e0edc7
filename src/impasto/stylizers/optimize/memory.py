"""Predicting the memory of a run, so that it fits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from impasto.backbones.base import Backbone, ReceptiveField
from impasto.devices import free_memory, used_memory
from impasto.errors import InputError
from impasto.losses import Source
from impasto.options import OptimizeOptions, parse_memory, parse_tile
from impasto.stylizers.optimize.objective import Objective, receptive_fields
from impasto.stylizers.optimize.pyramid import Scale
from impasto.stylizers.optimize.tiles import deepest, lay_tiles

# Share of the free memory that a run may take when nobody says how much.
SHARE = 0.8
# Sides of tiles to choose from. Smaller ones would see more around them than they own.
SIDES = (1536, 1024, 768, 512, 384, 256)
# Images that a step holds beside its graph: the content as a picture and as a tensor, the image,
# the best and the last one, their gradients, and copies on the way: up to 10.5 were measured.
IMAGES = 11
# Further ones that L-BFGS or Adam hold at work, when there is no graph.
WORK_IMAGES = 4
# Pairs of L-BFGS' history, in bfloat16, for which smaller tiles are taken into account; and those
# with which it still gets on where even the smallest tiles leave no room for more.
PAIRS = 6
FEW_PAIRS = 3
# Most that a step takes over what its graph keeps: up to 2.5 was measured, in bfloat16.
WORKSPACE = 2.5
# What the process takes over what is in use, as freed memory lies in pieces: 1.15 was measured.
FRAGMENTS = 1.2
FLOAT = 4


@dataclass(frozen=True)
class Costs:
    """Bytes that a step takes for each pixel.

    Attributes:
        graph: Between the image and its gradient.
        maps: For the feature maps of the content image.
    """

    graph: float
    maps: float


@dataclass(frozen=True)
class Layout:
    """How one scale is computed.

    Attributes:
        tile: Longest side of a tile in pixels; 0 for one piece.
        keep_maps: Whether the feature maps of the content are kept.
        peak: Bytes that it takes beside the history of L-BFGS.
        room: Bytes that are left for that history.
    """

    tile: int
    keep_maps: bool
    peak: float
    room: float


def measure(backbone: Backbone, options: OptimizeOptions, device: torch.device) -> Costs:
    """Find what a step costs by looking at two small images: exact for any backbone."""
    kept: list[int] = []
    maps: list[int] = []
    sides = (6 * backbone.min_size, 10 * backbone.min_size)
    for side in sides:
        image = torch.full((1, 3, side, side), 0.5, device=device)
        objective = Objective(backbone, Source(image), [Source(image)], [1.0], options)
        storages: dict[int, int] = {}

        def note(tensor: Tensor, storages: dict[int, int] = storages) -> Tensor:
            storage = tensor.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            objective.gradient(image)
        kept.append(sum(storages.values()))
        (content,) = objective.content_maps.values()
        maps.append(sum(x.numel() * x.element_size() for x in content.values()))
    # Matrices of channels and the weights do not grow with the image: only the slope counts.
    pixels = sides[1] ** 2 - sides[0] ** 2
    slope = (kept[1] - kept[0] - (maps[1] - maps[0])) / pixels
    return Costs(WORKSPACE * slope, (maps[1] - maps[0]) / pixels)


class Planner:
    """Chooses how the scales of a run are computed.

    Args:
        backbone: Looks at the pictures.
        options: Which tiles and how much memory are wanted.
        device: Where it runs.
        costs: What ``measure`` found.
        history: How many pairs of images the optimiser keeps where there is room.

    Raises:
        InputError: If tiles are wanted and the backbone does not know what its layers see.
    """

    def __init__(
        self,
        backbone: Backbone,
        options: OptimizeOptions,
        device: torch.device,
        costs: Costs,
        history: int,
    ) -> None:
        self.costs, self.history, self.wrapped = costs, history, options.wrapped
        self.tile = parse_tile(options.tile)
        self.field: ReceptiveField | None = None
        try:
            self.field = deepest(receptive_fields(backbone, options).values())
        except InputError:
            if self.tile:
                raise
        limit = parse_memory(options.memory)
        self.used = used_memory(device)
        free = SHARE * free_memory(device) if limit is None else limit - self.used
        self.allowed = free / FRAGMENTS

    def layout(self, scale: Scale, styles: Sequence[tuple[int, int]]) -> Layout:
        """Choose how to compute a scale: in as large pieces as fit.

        Args:
            scale: The scale.
            styles: (height, width) of the style images that have to be looked at.

        Raises:
            InputError: If no way fits.
        """
        image = 3 * FLOAT * prod(scale.size)
        most = self._pairs(scale)
        least = float("inf")
        for pairs in (min(PAIRS, most), min(FEW_PAIRS, most)):
            for tile, keep_maps in self._ways(max(scale.size)):
                peak = self._peak(scale.size, styles, tile, keep_maps)
                least = min(least, peak + pairs * image)
                if peak + pairs * image <= self.allowed:
                    return Layout(tile, keep_maps, peak, self.allowed - peak)
        height, width = scale.size
        raise InputError(
            f"{width} x {height} px would take {self._written(least)}, and "
            f"{self._written(self.allowed)} may be used: a smaller max_size"
            + ("" if self.tile is None else " or tile auto")
            + ", or more memory"
        )

    def _ways(self, side: int) -> Iterator[tuple[int, bool]]:
        """Tile sides and whether to keep the content's maps, the fastest way first."""
        if not self.tile:
            yield 0, True
        if self.tile == 0 or self.field is None:
            return
        for tile in [self.tile] if self.tile else SIDES:
            if self.tile or tile < side:
                yield tile, True
                yield tile, False

    def _peak(
        self, size: tuple[int, int], styles: Sequence[tuple[int, int]], tile: int, keep_maps: bool
    ) -> float:
        """Bytes that a scale takes at most."""
        image = 3 * FLOAT * prod(size)
        maps = self.costs.maps * prod(size) * keep_maps
        # No gradient of the style images is asked for: about half of the graph.
        seen = max([self._seen(size, tile), *(self._seen(style, tile) / 2 for style in styles)])
        styled = 3 * FLOAT * sum(prod(style) for style in styles)
        return IMAGES * image + maps + styled + max(WORK_IMAGES * image, self.costs.graph * seen)

    def _seen(self, size: tuple[int, int], tile: int) -> float:
        """Pixels that are in the graph at a time."""
        if self.field is None or not (tile or any(self.wrapped)):
            return prod(size)
        return max(
            prod(span.right - span.left for span in (part.rows, part.columns))
            for part in lay_tiles(size, tile, self.field, self.wrapped)
        )

    def describe(self, scale: Scale, layout: Layout) -> str:
        """How a scale is computed and what it takes, for a person."""
        height, width = scale.size
        pieces = f"in tiles of {layout.tile} px" if layout.tile else "in one piece"
        history = min(layout.room, self._pairs(scale) * 2 * 3 * FLOAT * height * width)
        peak = self._written(layout.peak + history)
        return f"{width} x {height} px {pieces}, at most {peak} of memory"

    def _pairs(self, scale: Scale) -> int:
        """Pairs of the optimiser's history at the end of a scale."""
        return min(self.history, scale.steps - 1)

    def _written(self, amount: float) -> str:
        """The size of the process when this much is in use beside what it held before."""
        return f"{(self.used + FRAGMENTS * amount) / 1024**3:.1f} GB"
