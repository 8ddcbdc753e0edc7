"""Statistics of styles that come again, kept in half precision."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import torch
from torch import Tensor

from impasto.training.perceptual import StyleTarget

LARGE = 4096  # numbers of a tensor that is worth being halved


class StyleCache:
    """Keeps statistics until they fill some memory.

    What it gives is rounded alike whether it was kept or not. So a resumed run, whose cache is
    empty, learns what the unbroken one learns.

    Args:
        limit: Bytes at most.
    """

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._kept: dict[Hashable, dict[str, tuple[Tensor, Tensor]]] = {}

    def __contains__(self, key: Hashable) -> bool:
        """Whether the statistics of a style are kept; they will be for ever."""
        return key in self._kept

    def __call__(self, key: Hashable, measure: Callable[[], StyleTarget]) -> StyleTarget:
        """The statistics of one style, measured if they are not kept."""
        halves = self._kept.get(key)
        if halves is None:
            halves = {name: _halved(value) for name, value in measure().tensors.items()}
            size = sum(half.nbytes for half, _ in halves.values())
            if size <= self._left:
                self._left -= size
                self._kept[key] = halves
        return StyleTarget({name: half * unit for name, (half, unit) in halves.items()})


def _halved(value: Tensor) -> tuple[Tensor, Tensor]:
    """A tensor in units of its largest value, as moments may be too large for half precision."""
    if value.numel() < LARGE:
        return value, value.new_ones(1)
    unit = value.abs().amax().clamp_min(torch.finfo(value.dtype).tiny)[None]
    return (value / unit).half(), unit
