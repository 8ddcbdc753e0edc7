"""What has to stay recognisable in a photo, as the network sees it that looks at it anyway.

Deep features answer to what it was trained to tell apart: faces, animals, lettering, vehicles. So
their length says how much there is to recognise at a place, without a network of its own for that
(as Wei et al. 2017, "Selective convolutional descriptor aggregation", find the main object). Here
their deviation from the photo's mean, which leaves out what it is full of: leaves, bricks, waves.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.image import Picture, fit
from impasto.image.picture import Floats
from impasto.losses.statistics import EPS

# The photo is looked at with this longer side: larger faces would be skin, smaller ones dots.
SIDE = 512
# Multiples of the median deviation from which a place is kept in part, and as much as any is.
LEAST, MOST = 1.0, 2.0
# How much that is: more, and faces are photos in a painting.
STRENGTH = 0.5


@torch.no_grad()
def find_striking(photo: Picture, backbone: Backbone, layers: Sequence[str]) -> Floats:
    """How much there is to recognise in a photo.

    Args:
        photo: The photo, not smaller than ``backbone.min_size``.
        backbone: Looks at it.
        layers: Two of its deep layers: the deepest, and one that tells more exactly where.

    Returns:
        ``(H, W)`` in [0, 1]; 0 everywhere where all places are alike.
    """
    height, width = fit(photo.size, SIDE)
    smallest = backbone.min_size
    small = photo.resized(max(height, smallest), max(width, smallest))
    maps = backbone(small.tensor(next(backbone.parameters()).device), layers)
    deep, sharp = (_deviation(maps[layer], photo.size) for layer in layers)
    # Deep layers see far: of what they see, plain surroundings are not meant.
    striking = deep * sharp.clamp_max(1)
    found: Floats = (STRENGTH * ((striking - LEAST) / (MOST - LEAST)).clamp(0, 1)).numpy()
    return found


def _deviation(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """How far maps ``(1, C, h, w)`` are from their mean, over the median, as ``(H, W)``."""
    maps = maps.float()
    distance = (maps - maps.mean(dim=(2, 3), keepdim=True)).norm(dim=1, keepdim=True)
    relative = distance / distance.median().clamp_min(EPS)
    return F.interpolate(relative, size=size, mode="bilinear", align_corners=False)[0, 0].cpu()
