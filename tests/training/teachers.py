"""Teachers for tests: VGGs of a few channels with random weights."""

from __future__ import annotations

import torch

from impasto.backbones.vgg import VGG, stage_names

PLAN = (2, 2, 3, 3, 3)


def small_teacher(width: int = 6) -> VGG:
    """A frozen VGG that ends at relu5_1."""
    random = torch.Generator().manual_seed(0)
    stages = stage_names(PLAN)
    state, channels = {}, 3
    for index in [i for i, stage in enumerate(stages) if stage.startswith("conv")][:11]:
        weight = torch.randn(width, channels, 3, 3, generator=random)
        state[f"features.{index}.weight"] = weight * (2 / (9 * channels)) ** 0.5
        state[f"features.{index}.bias"] = 0.1 * torch.randn(width, generator=random)
        channels = width
    teacher = VGG("teacher", state, plan=PLAN)
    teacher.freeze()
    return teacher
