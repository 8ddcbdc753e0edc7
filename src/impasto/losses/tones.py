"""Tones: the light and colours of an image's large areas, compared place by place.

Style statistics know no places: without this term the lights that an artwork has somewhere come up
anywhere, as stars on dark water or water lilies on a hillside.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from impasto.image import fit
from impasto.losses.source import Source
from impasto.losses.statistics import EPS, moments

# Areas along the longer side of an image: so large that brushwork is free within them.
AREAS = 32
# Where areas vary less than this, as on a blank canvas, there is little to keep. (Photos in an
# artwork's colours have a variance of .08 and more.)
FLAT = 0.05


class Tones:
    """Compares the means of an image's areas with those that they are to have.

    Args:
        target: The image that has them.
    """

    def __init__(self, target: Source) -> None:
        size = fit((target.image.shape[2], target.image.shape[3]), AREAS)
        self.target, self.weights = _areas(target.image, size), target.weights_at(size)
        self.divisor = moments(self.target, self.weights).spread.sum().clamp_min(FLAT)

    def __call__(self, image: Tensor) -> Tensor:
        """Return the loss of an image ``(1, 3, H, W)``: squares over the variance of the target.

        A scalar: 0 where all areas are as they are to be, 1 where all have the mean of them.
        """
        away = _areas(image, self.target.shape[2:]) - self.target
        squares = away.square().sum(dim=1, keepdim=True)
        if self.weights is None:
            return squares.mean() / self.divisor
        total = self.weights.sum().clamp_min(EPS)
        return (squares * self.weights).sum() / total / self.divisor


def _areas(image: Tensor, size: Sequence[int]) -> Tensor:
    """The means of as many areas of an image as (height, width) says, ``(1, 3, h, w)``."""
    return F.interpolate(image, size=tuple(size), mode="area")
