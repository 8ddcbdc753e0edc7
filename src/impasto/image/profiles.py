"""Colour profiles: everything becomes sRGB."""

from __future__ import annotations

import io
import struct
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

# What browsers and photo editors do: keep in-gamut colours exact, map black to black.
_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC
_FLAGS = ImageCms.Flags.BLACKPOINTCOMPENSATION
_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}

BROKEN = "its colour profile cannot be used: taken as sRGB"


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """The ICC profile of sRGB, the same bytes every day."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # Bytes 24 to 35 of the header say when it was made: now, unless pinned.
    return profile[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + profile[36:]


def to_srgb(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, str | None]:
    """Convert an image to sRGB.

    Args:
        image: In mode L, RGB, CMYK or LAB.
        profile: The ICC profile that came with it.

    Returns:
        The image in mode RGB; and a notice if the profile could not be used.
    """
    if image.mode == "LAB" and not profile:
        return _convert(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))), None
    if not profile:
        return image.convert("RGB"), None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        if image.mode == "L" and space == "RGB":
            image = image.convert("RGB")
        if space != _SPACES[image.mode]:
            raise ValueError(f"a profile for {space} on an image in {image.mode}")
        if image.mode == "RGB" and is_srgb(profile):
            return image, None
        return _convert(image, source), None
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        if image.mode == "LAB":
            return to_srgb(image, None)[0], BROKEN
        return image.convert("RGB"), BROKEN


@lru_cache(maxsize=8)
def is_srgb(profile: bytes) -> bool:
    """Whether an RGB profile means sRGB, to the rounding of 8 bits: then pixels stay exact."""
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    converted = np.asarray(_convert(Image.fromarray(colours), source), np.int16)
    return int(np.abs(converted - colours).max()) <= 2


def _convert(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    target = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
    converted = ImageCms.profileToProfile(
        image, source, target, renderingIntent=_INTENT, outputMode="RGB", flags=_FLAGS
    )
    assert converted is not None  # None only when converting in place
    return converted
