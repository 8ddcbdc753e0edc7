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

BROKEN = "its colour profile cannot be used: taken as sRGB"


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """The ICC profile of sRGB, the same bytes every day."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # Bytes 24 to 35 of the header say when it was made: now, unless pinned.
    return profile[:24] + struct.pack(">6H", 2000, 1, 1, 0, 0, 0) + profile[36:]


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an image to sRGB.

    Args:
        image: In mode L, RGB, CMYK or LAB.
        profile: A usable ICC profile.

    Returns:
        The image in mode RGB.
    """
    if image.mode == "LAB" and not profile:
        return _convert(image, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    if not profile:
        return image.convert("RGB")
    source = _parse(profile)
    if image.mode == "L" and _space(source) == "RGB":
        image = image.convert("RGB")
    if image.mode == "RGB" and is_srgb(profile):
        return image
    return _convert(image, source)


@lru_cache(maxsize=8)
def is_usable(profile: bytes, mode: str) -> bool:
    """Whether a profile is whole and can describe an image of this mode."""
    try:
        source = _parse(profile)
        if mode == "L" and _space(source) == "RGB":
            mode = "RGB"
        _convert(Image.new(mode, (1, 1)), source)
    except Exception:  # Pillow does not say what its colour management raises
        return False
    return True


@lru_cache(maxsize=8)
def is_srgb(profile: bytes) -> bool:
    """Whether a usable profile means sRGB, to the rounding of 8 bits: then pixels stay exact."""
    source = _parse(profile)
    if _space(source) != "RGB":
        return False
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    colours = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3)
    converted = np.asarray(_convert(Image.fromarray(colours), source), np.int16)
    return int(np.abs(converted - colours).max()) <= 2


def _parse(profile: bytes) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(profile))


def _space(profile: ImageCms.ImageCmsProfile) -> str:
    return profile.profile.xcolor_space.strip()


def _convert(image: Image.Image, source: ImageCms.ImageCmsProfile) -> Image.Image:
    target = _parse(srgb_profile())
    converted = ImageCms.profileToProfile(
        image, source, target, renderingIntent=_INTENT, outputMode="RGB", flags=_FLAGS
    )
    assert converted is not None  # None only when converting in place
    return converted
