"""Options of the stylizers that paint with a network. No heavy import here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from impasto.options import (
    BorderOptions,
    ColorOptions,
    DeviceOptions,
    MapOptions,
    Precision,
    RegionOptions,
    option,
    parse_tile,
)

AUTO_TILE = 2048


@dataclass(frozen=True, kw_only=True)
class NetworkOptions(DeviceOptions, BorderOptions, ColorOptions):
    """Options of painting with a network of either kind."""

    model: str | None = option(None, "model file; the shipped one if left out", metavar="FILE")
    max_size: int = option(2048, "longer side of the result, at most", minimum=1, metavar="PX")
    tile: int | str = option(
        "auto",
        "paint larger pictures in tiles of about N pixels; auto: of 2048; or off",
        metavar="auto|N|off",
    )
    precision: Precision = option("float32", "numbers in which the network computes")
    engine: Literal["auto", "torch", "onnx"] = option(
        "auto", "what runs the network; auto takes ONNX Runtime on a CPU where it is installed"
    )

    def __post_init__(self) -> None:
        """Check every value against its field."""
        super().__post_init__()
        parse_tile(self.tile)

    @property
    def tile_side(self) -> int:
        """Side of the tiles in pixels; 0: never in tiles."""
        side = parse_tile(self.tile)
        return AUTO_TILE if side is None else side


@dataclass(frozen=True, kw_only=True)
class FastOptions(NetworkOptions):
    """Options of painting with a per-style network.

    Raises:
        InputError: If a value is of the wrong type or out of its range.
    """

    preserve_color: Literal["off", "luminance"] = option(
        "off", "keep the photo's colours: luminance paints its lightness alone"
    )
    match_result: Literal["off", "content"] = option(
        "off", "match the finished picture's colours to the photo's"
    )


@dataclass(frozen=True, kw_only=True)
class ArbitraryOptions(MapOptions, NetworkOptions, RegionOptions):
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
