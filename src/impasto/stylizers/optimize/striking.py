"""What there is to recognise in a picture, as the network sees it that looks at it anyway.

In a photo it may have to stay; in an artwork it is what is shown, not how it is painted: taken for
style by deep layers, an eye comes out in the sky. Shallow ones see no eye: the darks and the
brushwork of what is shown are as good as any.

Deep features answer to what it was trained to tell apart: faces, animals, lettering, vehicles. So
their length says how much there is to recognise at a place, without a network of its own for that
(as Wei et al. 2017, "Selective convolutional descriptor aggregation", find the main object). Here
their deviation from the picture's mean, which leaves out what it is full of: leaves, bricks, waves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.image import Picture, fit
from impasto.image.picture import Floats
from impasto.losses.statistics import EPS

# The picture is looked at with this longer side: larger faces would be skin, smaller ones dots.
SIDE = 512
# Multiples of the median deviation from which a place is striking in part, and wholly.
LEAST, MOST = 1.0, 2.0
# Pixels by which it is mirrored, or goes on, at its borders: whole strides, and as far as VGG's
# relu5_1 sees.
MARGIN = 80


@dataclass(frozen=True, eq=False)
class Artwork(Picture):
    """An artwork, and where it says how it is painted.

    Attributes:
        manner: ``(h, w)`` in [0, 1], of any size: less where there is something to recognise.
    """

    manner: Floats = field(kw_only=True)


@torch.no_grad()
def find_striking(
    picture: Picture,
    backbone: Backbone,
    layers: Sequence[str],
    wrapped: tuple[bool, bool] = (False, False),
) -> Floats:
    """How much there is to recognise in a picture.

    Args:
        picture: The picture, of any size.
        backbone: Looks at it.
        layers: Two of its deep layers: the deepest, and one that tells more exactly where.
        wrapped: Whether its rows and whether its columns repeat.

    Returns:
        ``(H, W)`` in [0, 1]; 0 everywhere where all places are alike.
    """
    height, width = fit(picture.size, SIDE)
    smallest = backbone.min_size
    small = picture.resized(max(height, smallest), max(width, smallest))
    image = small.tensor(next(backbone.parameters()).device)
    # Beside the zeros with which convolutions pad, every border would be striking.
    margins = [
        min(MARGIN, side if wraps else side - 1)
        for side, wraps in zip(small.size, wrapped, strict=True)
    ]
    for axis, (margin, wraps) in enumerate(zip(margins, wrapped, strict=True)):
        pads = (0, 0, margin, margin) if axis == 0 else (margin, margin, 0, 0)
        image = F.pad(image, pads, mode="circular" if wraps else "reflect")
    maps = backbone(image, layers)
    sides = image.shape[2:]
    deep, sharp = (_enlarged(_deviation(maps[layer], margins, sides), sides) for layer in layers)
    # Deep layers see far: of what they see, plain surroundings are not meant.
    striking = _inner(deep * sharp.clamp_max(1), margins, sides)
    share = ((striking - LEAST) / (MOST - LEAST)).clamp(0, 1)
    found: Floats = _enlarged(share, picture.size)[0, 0].cpu().numpy()
    return found


def _deviation(maps: Tensor, margins: Sequence[int], sides: Sequence[int]) -> Tensor:
    """How far maps ``(1, C, h, w)`` are from their mean, over the median, as ``(1, 1, h, w)``.

    Mean and median are those within the margins of an image of these sides, in pixels.
    """
    maps = maps.float()
    mean = _inner(maps, margins, sides).mean(dim=(2, 3), keepdim=True)
    distance = (maps - mean).norm(dim=1, keepdim=True)
    relative: Tensor = distance / _inner(distance, margins, sides).median().clamp_min(EPS)
    return relative


def _inner(maps: Tensor, margins: Sequence[int], sides: Sequence[int]) -> Tensor:
    """Maps of an image of these sides without its margins."""
    rows, columns = (
        slice(margin * length // side, length - margin * length // side)
        for margin, length, side in zip(margins, maps.shape[2:], sides, strict=True)
    )
    return maps[..., rows, columns]


def _enlarged(maps: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)
