"""An image whose features are a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Source:
    """An image whose features are a target.

    Attributes:
        image: ``(1, 3, H, W)``, RGB in [0, 1].
        alpha: ``(1, 1, H, W)`` in [0, 1], how much each pixel counts; None: all alike.
        deep: The same for what deep layers see of it; None: as ``alpha``.
    """

    image: Tensor
    alpha: Tensor | None = None
    deep: Tensor | None = None

    @property
    def deeply(self) -> Source:
        """The image as deep layers count its pixels."""
        return self if self.deep is None else Source(self.image, self.deep)

    def weights_at(self, size: Sequence[int]) -> Tensor | None:
        """How much each position of a feature map of (height, width) counts, ``(1, 1, h, w)``."""
        if self.alpha is None:
            return None
        return F.interpolate(self.alpha, size=tuple(size), mode="area")
