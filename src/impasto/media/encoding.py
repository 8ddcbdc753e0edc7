"""Shared parts of the encoders of animations and videos."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import needs

# GIF counts in hundredths of a second, and browsers slow down frames below two of them.
GIF_TICK = Fraction(1, 100)
GIF_SHORTEST = 2
WEBP_QUALITY = 85

_BT709 = 1  # ITU-T H.273: primaries and transfer characteristics


def load_av(purpose: str = "reading and writing videos") -> Any:
    """The package av.

    Raises:
        MissingExtraError: If it is not installed.
    """
    with needs("av", "video", purpose):
        import av
    return av


def with_palette(image: Image.Image) -> Image.Image:
    """Reduce to the image's own 256 colours with error diffusion.

    Octree and dithering keep local mean colours better than Pillow's default, median cut without
    dithering, and take a tenth of its time.
    """
    palette = image.quantize(256, method=Image.Quantize.FASTOCTREE)
    return image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


def tag_as_bt709(context: Any) -> None:
    """Say the colours openly, or players guess the matrix by the size and shift them."""
    from av.video.reformatter import ColorRange, Colorspace

    context.colorspace = Colorspace.ITU709
    context.color_range = ColorRange.MPEG
    context.color_primaries = _BT709
    context.color_trc = _BT709


def as_bt709(frame: Any) -> Any:
    """A frame in yuv420p, as ``tag_as_bt709`` says."""
    from av.video.reformatter import ColorRange, Colorspace

    return frame.reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )


def even(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeat the last row or column where a side is odd, which yuv420p cannot hold."""
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
