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
# Pixels by which it is mirrored at its borders.
MARGIN = 64


@dataclass(frozen=True, eq=False)
class Artwork(Picture):
    """An artwork, and where it says how it is painted.

    Attributes:
        manner: ``(h, w)`` in [0, 1], of any size: less where there is something to recognise.
    """

    manner: Floats = field(kw_only=True)


@torch.no_grad()
def find_striking(picture: Picture, backbone: Backbone, layers: Sequence[str]) -> Floats:
    """How much there is to recognise in a picture.

    Args:
        picture: The picture, of any size.
        backbone: Looks at it.
        layers: Two of its deep layers: the deepest, and one that tells more exactly where.

    Returns:
        ``(H, W)`` in [0, 1]; 0 everywhere where all places are alike.
    """
    height, width = fit(picture.size, SIDE)
    smallest = backbone.min_size
    small = picture.resized(max(height, smallest), max(width, smallest))
    image = small.tensor(next(backbone.parameters()).device)
    # Beside the zeros with which convolutions pad, every border would be striking.
    margin = min(MARGIN, *(side - 1 for side in small.size))
    maps = backbone(F.pad(image, (margin,) * 4, mode="reflect"), layers)
    sides = [side + 2 * margin for side in small.size]
    deep, sharp = (_enlarged(_deviation(maps[layer]), sides) for layer in layers)
    # Deep layers see far: of what they see, plain surroundings are not meant.
    striking = (deep * sharp.clamp_max(1))[
        :, :, margin : sides[0] - margin, margin : sides[1] - margin
    ]
    share = ((striking - LEAST) / (MOST - LEAST)).clamp(0, 1)
    found: Floats = _enlarged(share, picture.size)[0, 0].cpu().numpy()
    return found


def _deviation(maps: Tensor) -> Tensor:
    """How far maps ``(1, C, h, w)`` are from their mean, over the median, as ``(1, 1, h, w)``."""
    maps = maps.float()
    distance = (maps - maps.mean(dim=(2, 3), keepdim=True)).norm(dim=1, keepdim=True)
    relative: Tensor = distance / distance.median().clamp_min(EPS)
    return relative


def _enlarged(maps: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(maps, size=tuple(size), mode="bilinear", align_corners=False)
