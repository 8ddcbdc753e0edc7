"""Tones: how light an image's large areas are, compared place by place.

Style statistics know no places: without this term the lights that an artwork has somewhere come up
anywhere, as stars on dark water or water lilies on a hillside. Which colour an area has is left to
them: held as well, it kept skies from taking on the artwork's.
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
# Where areas vary less than this, as on a blank canvas, there is little to keep. (The lightness of
# photos in an artwork's colours has a variance of .02 and more.)
FLAT = 0.015


class Tones:
    """Compares the lightness of an image's areas with that which they are to have.

    Args:
        target: The image that has it.
    """

    def __init__(self, target: Source) -> None:
        size = fit((target.image.shape[2], target.image.shape[3]), AREAS)
        self.target, self.weights = _lightness(target.image, size), target.weights_at(size)
        self.divisor = moments(self.target, self.weights).spread.sum().clamp_min(FLAT)

    def __call__(self, image: Tensor) -> Tensor:
        """Return the loss of an image ``(1, 3, H, W)``: squares over the variance of the target.

        A scalar: 0 where all areas are as they are to be, 1 where all have the mean of them.
        """
        squares = (_lightness(image, self.target.shape[2:]) - self.target).square()
        if self.weights is None:
            return squares.mean() / self.divisor
        total = self.weights.sum().clamp_min(EPS)
        return (squares * self.weights).sum() / total / self.divisor


def _lightness(image: Tensor, size: Sequence[int]) -> Tensor:
    """The lightness of as many areas of an image as (height, width) says, ``(1, 1, h, w)``."""
    return F.interpolate(image, size=tuple(size), mode="area").mean(dim=1, keepdim=True)
