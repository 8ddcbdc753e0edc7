"""Date, camera and resolution of a photo, for the file of the result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image

_TAGS = ExifTags.Base
# Not kept: the place, serial numbers, thumbnails, makers' notes, and what the pixels say anew.
_BASE = (_TAGS.Make, _TAGS.Model, _TAGS.DateTime, _TAGS.Artist, _TAGS.Copyright)
_EXIF = (
    *(_TAGS.DateTimeOriginal, _TAGS.DateTimeDigitized, _TAGS.SubsecTimeOriginal),
    *(_TAGS.OffsetTime, _TAGS.OffsetTimeOriginal, _TAGS.OffsetTimeDigitized),
    *(_TAGS.ExposureTime, _TAGS.FNumber, _TAGS.ISOSpeedRatings),
    *(_TAGS.FocalLength, _TAGS.FocalLengthIn35mmFilm, _TAGS.LensMake, _TAGS.LensModel),
)
_LONGEST = 200
_INCH, _CENTIMETRE = 2, 3
_UNKNOWN = (72, 72)  # what Pillow and others say of files that do not tell


@dataclass(frozen=True)
class Origin:
    """Date, camera and resolution of a photo.

    Attributes:
        base: Values of EXIF tags of the image.
        exif: Values of EXIF tags of the exposure.
        dpi: Pixels per inch, horizontal and vertical.
    """

    base: Mapping[int, str | int | float]
    exif: Mapping[int, str | int | float]
    dpi: tuple[float, float] | None

    def to_exif(self) -> Image.Exif:
        """The tags as EXIF data of an upright picture."""
        exif = Image.Exif()
        exif.update(self.base)
        exif[_TAGS.Orientation] = 1
        exif.get_ifd(ExifTags.IFD.Exif).update(self.exif)
        if self.dpi:
            exif[_TAGS.XResolution], exif[_TAGS.YResolution] = self.dpi
            exif[_TAGS.ResolutionUnit] = _INCH
        return exif


def find(info: Mapping[Any, Any], exif: Image.Exif) -> Origin | None:
    """The origin among Pillow's metadata; None if there is nothing of it."""
    exposure = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}  # TIFF/EP has all in one place
    origin = Origin(_kept(exif, _BASE), _kept(exposure, _EXIF), _dpi(info, exif))
    return origin if origin.base or origin.exif or origin.dpi else None


def _kept(found: Mapping[int, Any], tags: tuple[int, ...]) -> dict[int, str | int | float]:
    """The values of some tags, as plain text and numbers; odd ones are left out."""
    kept: dict[int, str | int | float] = {}
    for tag in tags:
        value = found.get(tag)
        if isinstance(value, str) and 0 < len(value.encode()) <= _LONGEST:
            kept[int(tag)] = value.strip("\0 ")
        elif isinstance(value, int) and 0 <= value < 1 << 16:
            kept[int(tag)] = value
        elif value is not None and not isinstance(value, (str, bytes, int, tuple)):
            number = float(value)
            if math.isfinite(number) and 0 < number < 1 << 16:
                kept[int(tag)] = number
    return kept


def _dpi(info: Mapping[Any, Any], exif: Image.Exif) -> tuple[float, float] | None:
    scale = {_INCH: 1, _CENTIMETRE: 2.54}.get(exif.get(_TAGS.ResolutionUnit, _INCH), 0)
    sides = (exif.get(_TAGS.XResolution), exif.get(_TAGS.YResolution))
    dpi = info.get("dpi") or [float(side) * scale for side in sides if side is not None]
    x, y = (float(side) for side in dpi) if len(dpi) == 2 else (0.0, 0.0)
    plausible = 1 < x < 1 << 16 and 1 < y < 1 << 16 and (x, y) != _UNKNOWN
    return (x, y) if plausible else None
