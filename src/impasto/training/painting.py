"""Pictures from style transfer, as training data for the network that looked at them."""

from __future__ import annotations

from random import Random

import torch
from torch import Tensor

from impasto.backbones.lite import Lite
from impasto.image import Picture
from impasto.optimize import Optimize
from impasto.options import OptimizeOptions
from impasto.training.crops import Crops

LEAST_STEPS = 3


def paint(student: Lite, crops: Crops, rng: Random, most: int, dtype: torch.dtype) -> Tensor:
    """Stylize a random crop with a student, as users will: the default optimisation.

    The weight of the style and the number of steps vary.

    Args:
        student: The network whose errors the picture is to show; it stays as it is.
        crops: Where content and style come from.
        rng: All randomness comes from here.
        most: Steps at most.
        dtype: In which the student computes.

    Returns:
        ``(2, 3, size, size)`` uint8: the picture and its style.
    """
    options = OptimizeOptions(
        max_size=crops.size,
        steps=rng.randint(min(LEAST_STEPS, most), most),
        style_weight=10 ** rng.uniform(0.2, 1.0),
        seed=rng.randrange(2**31),
        device="cpu",
        precision="float32" if dtype == torch.float32 else "bfloat16",
    )
    content, style = crops.photo(rng), crops.artwork(rng)
    stylizer = Optimize(options, backbone=student)
    picture = stylizer.set_style(Picture.from_tensor(style))(Picture.from_tensor(content)).picture
    pair = torch.cat([picture.tensor(), style[None]])
    return (pair * 255).round().to(torch.uint8)
