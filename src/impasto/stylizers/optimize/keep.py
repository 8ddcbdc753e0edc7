"""What has to stay recognisable in a photo, as the network sees it that looks at it anyway.

Deep features answer to what it was trained to tell apart: faces, animals, lettering, vehicles. So
their length says how much there is to recognise at a place, without a network of its own for that
(as Wei et al. 2017, "Selective convolutional descriptor aggregation", find the main object). Here
their deviation from the photo's mean, which leaves out what it is full of: leaves, bricks, waves.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from impasto.backbones.base import Backbone
from impasto.image import Picture, fit
from impasto.image.picture import Floats

# The photo is looked at with this longer side: larger faces would be skin, smaller ones dots.
SIDE = 512
# Multiples of the median deviation from which a place is kept in part, and as a whole.
LEAST, MOST = 1.2, 2.5


@torch.no_grad()
def find_striking(photo: Picture, backbone: Backbone, layer: str) -> Floats:
    """How much there is to recognise in a photo.

    Args:
        photo: The photo, not smaller than ``backbone.min_size``.
        backbone: Looks at it.
        layer: A deep one of its layers.

    Returns:
        ``(H, W)`` in [0, 1]; 0 everywhere where all places are alike.
    """
    height, width = fit(photo.size, SIDE)
    smallest = backbone.min_size
    small = photo.resized(max(height, smallest), max(width, smallest))
    device = next(backbone.parameters()).device
    maps = backbone(small.tensor(device), [layer])[layer].float()
    deviation = (maps - maps.mean(dim=(2, 3), keepdim=True)).norm(dim=1, keepdim=True)
    relative = deviation / deviation.median().clamp_min(1e-6)
    # What is striking has an outline, which belongs to it.
    strength = F.max_pool2d(((relative - LEAST) / (MOST - LEAST)).clamp(0, 1), 3, 1, 1)
    whole = F.interpolate(strength, size=photo.size, mode="bilinear", align_corners=False)
    found: Floats = whole[0, 0].cpu().numpy()
    return found
