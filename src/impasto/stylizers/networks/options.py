"""Options of the stylizers that paint with a network. No heavy import here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from impasto.options import (
    COLOR_STRENGTH,
    MATCH_RESULT,
    PRESERVE_COLOR,
    ColorMode,
    Precision,
    check,
    option,
    parse_tile,
)

AUTO_TILE = 2048


@dataclass(frozen=True, kw_only=True)
class FastOptions:
    """Options of painting with a per-style network.

    Raises:
        InputError: If a value is of the wrong type or out of its range.
    """

    model: str | None = option(None, "model file; the shipped one if left out", metavar="FILE")
    max_size: int = option(2048, "longer side of the result, at most", minimum=1, metavar="PX")
    tile: int | str = option(
        "auto",
        "paint larger pictures in tiles of about N pixels; auto: of 2048; or off",
        metavar="auto|N|off",
    )
    preserve_color: str = option(
        "off",
        "keep the photo's colours: luminance paints its lightness alone",
        choices=("off", "luminance"),
    )
    match_result: str = option(
        "off",
        "match the mean and covariance of the finished picture's colours to the photo's",
        choices=("off", "content"),
    )
    color_strength: float = option(**COLOR_STRENGTH)
    precision: Precision = option(
        "float32",
        "numbers in which the network computes",
        choices=("auto", "float32", "bfloat16"),
    )
    engine: Literal["auto", "torch", "onnx"] = option(
        "auto",
        "what runs the network; auto takes ONNX Runtime on a CPU where it is installed",
        choices=("auto", "torch", "onnx"),
    )
    device: str = option("auto", "auto, cpu, cuda, cuda:1, xpu or mps")

    def __post_init__(self) -> None:
        """Check every value against what its field says."""
        check(self)
        parse_tile(self.tile)

    @property
    def tile_side(self) -> int:
        """Side of the tiles in pixels; 0: never in tiles."""
        side = parse_tile(self.tile)
        return AUTO_TILE if side is None else side


@dataclass(frozen=True, kw_only=True)
class ArbitraryOptions(FastOptions):
    """Options of painting with the arbitrary style network.

    Raises:
        InputError: If a value is of the wrong type or out of its range.
    """

    strength: float = option(
        1.0, "1: the style as it is, 0: the content's own", minimum=0, maximum=1
    )
    style_size: int = option(
        512,
        "longer side at which the style image is looked at; smaller means finer strokes",
        minimum=1,
        metavar="PX",
    )
    preserve_color: ColorMode = option(**PRESERVE_COLOR)
    match_result: Literal["off", "content", "style"] = option(**MATCH_RESULT)
