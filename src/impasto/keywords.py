"""The options of all methods as typed keywords, which editors complete and type checkers know.

The defaults, the limits and the help are those of the options dataclasses.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal, TypedDict

from impasto.options import ColorMode, Pooling, Precision, StyleLoss, Wrap

File = str | os.PathLike[str]
Layers = Mapping[str, float]


class Keywords(TypedDict, total=False):
    """Options of all methods."""

    backbone: str
    weights: File | None
    pooling: Pooling
    max_size: int
    steps: int
    scales: int
    detail: float
    keep: File
    tones_weight: float
    forms: float
    motifs: float
    classic_losses: bool
    style_scale: float
    preview_size: int
    optimizer: Literal["lbfgs", "adam"]
    learning_rate: float
    averaging: float
    init: File
    tile: int | str
    memory: str
    tolerance: float
    seed: int
    content_weight: float
    style_weight: float
    tv_weight: float
    bands_weight: float
    content_layers: Layers
    style_layers: Layers
    style_loss: StyleLoss
    preserve_color: ColorMode
    match_result: Literal["off", "content", "style"]
    match_mode: Literal["linear", "histogram"]
    color_strength: float
    palette: File | None
    match: Literal["off", "auto"]
    regions: int
    wrap: Wrap
    strength_map: File | None
    stroke_map: File
    stroke_direction: File
    precision: Precision
    device: str
    model: File | None
    engine: Literal["auto", "torch", "onnx"]
    strength: float
    style_size: int
