"""Kinds of files that hold pictures."""

from __future__ import annotations

import functools

from PIL import Image

# What Pillow only names, runs as a program, or takes for a picture where people would not.
_NO_PICTURES = ("BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF")


@functools.cache
def suffixes() -> frozenset[str]:
    """The suffixes of files that can be read here, in lower case with their dot."""
    Image.init()
    return frozenset(
        suffix
        for suffix, kind in Image.registered_extensions().items()
        if kind in Image.OPEN and kind not in _NO_PICTURES
    )
