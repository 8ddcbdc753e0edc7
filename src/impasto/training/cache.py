"""Statistics of styles that come again, kept in half precision."""

from __future__ import annotations

from collections.abc import Callable, Hashable

import torch
from torch import Tensor

from impasto.training.perceptual import StyleTarget

LARGE = 64  # rows of a matrix that is worth being packed


class StyleCache:
    """Keeps statistics until they fill some memory.

    What it gives is rounded alike whether it was kept or not. So a resumed run, whose cache is
    empty, learns what the unbroken one learns.

    Args:
        limit: Bytes at most.
    """

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._kept: dict[Hashable, dict[str, _Packed]] = {}

    def __contains__(self, key: Hashable) -> bool:
        """Whether the statistics of a style are kept; they will be for ever."""
        return key in self._kept

    def __call__(self, key: Hashable, measure: Callable[[], StyleTarget]) -> StyleTarget:
        """The statistics of one style, measured if they are not kept."""
        packed = self._kept.get(key)
        if packed is None:
            packed = {name: _Packed(value) for name, value in measure().tensors.items()}
            size = sum(each.bytes for each in packed.values())
            if size <= self._left:
                self._left -= size
                self._kept[key] = packed
        return StyleTarget({name: each.unpacked() for name, each in packed.items()})


class _Packed:
    """A tensor; of a large symmetric matrix ``(1, C, C)`` one half, in half precision.

    In units of its largest value: moments of features may be beyond the range.
    """

    def __init__(self, value: Tensor) -> None:
        self._rows = value.shape[-1] if value.ndim == 3 and value.shape[-1] >= LARGE else 0
        if self._rows:
            self._unit = value.abs().amax().clamp_min(torch.finfo(value.dtype).tiny)
            rows, columns = self._triangle(value.device)
            value = (value[:, rows, columns] / self._unit).half()
        self._value = value

    def _triangle(self, device: torch.device) -> Tensor:
        return torch.triu_indices(self._rows, self._rows, device=device)

    @property
    def bytes(self) -> int:
        """How much memory it takes."""
        return self._value.nbytes

    def unpacked(self) -> Tensor:
        """The tensor again."""
        if not self._rows:
            return self._value
        values = self._value.to(self._unit) * self._unit
        rows, columns = self._triangle(values.device)
        matrix = values.new_empty((1, self._rows, self._rows))
        matrix[:, rows, columns] = matrix[:, columns, rows] = values
        return matrix
