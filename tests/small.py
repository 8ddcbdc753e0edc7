"""A small backbone with random weights, so that tests need no downloads and little time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.backbones.vgg import VGG

PLAN = (1, 2, 1)  # relu1_1, relu2_1, relu2_2, relu3_1
WIDTHS = (8, 12, 12, 16)
OPTIONS: dict[str, Any] = {
    "content_layers": {"relu2_2": 1.0},
    "style_layers": {"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0},
    "motifs": 1.0,  # random features recognise nothing
    "precision": "float32",
    "device": "cpu",
}


def small_state(seed: int = 0) -> dict[str, Tensor]:
    """Random weights that keep the scale of what passes through."""
    generator = torch.Generator().manual_seed(seed)
    state: dict[str, Tensor] = {}
    channels = 3
    for index, width in zip((0, 3, 5, 8), WIDTHS, strict=True):
        weight = torch.randn(width, channels, 3, 3, generator=generator)
        state[f"features.{index}.weight"] = weight * (2 / (9 * channels)) ** 0.5
        state[f"features.{index}.bias"] = 0.1 * torch.randn(width, generator=generator)
        channels = width
    return state


def small_backbone() -> Backbone:
    """The backbone."""
    return VGG("small", small_state(), plan=PLAN).freeze()
