"""Kinds of files that Pillow does not read by itself: read by an extra, or named."""

from __future__ import annotations

import functools
import importlib.util
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from impasto.errors import InputError
from impasto.image import ifds
from impasto.image.deep import Planes, check_pixels, scaled

# First bytes of raw photos that are no TIFF, or not by their magic number: Canon, Fujifilm,
# Olympus, Panasonic, Sigma, Minolta.
_RAW = (b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0", b"FOVb", b"\0MRM")
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AS_PNG = "convert it to PNG or JPEG"
_KNOWN = (
    (b"\xff\x0a", f"JPEG XL: {_AS_PNG}"),
    (b"\0\0\0\x0cJXL ", f"JPEG XL: {_AS_PNG}"),
    (b"II\xbc", f"JPEG XR: {_AS_PNG}"),
    (b"v/1\x01", "OpenEXR, which needs an exposure: export it as PNG or TIFF with 16 bits"),
    (b"#?RADIANCE", "Radiance HDR, which needs an exposure: export it as PNG or TIFF"),
    (b"8BPS\0\2", "a large Photoshop document (PSB): export it as PNG or TIFF"),
    (b"gimp xcf", "a GIMP document: export it as PNG or TIFF"),
    (b"%PDF", "a PDF document: export its page as PNG"),
    (b"%!PS", "PostScript, a program and not a picture: export it as PNG"),
    (b"\xc5\xd0\xd3\xc6", "PostScript, a program and not a picture: export it as PNG"),
    (b"<svg", "a drawing (SVG): export it as PNG"),
    (b"<!doctype svg", "a drawing (SVG): export it as PNG"),
    (b"<!doctype html", "a web page: download the picture itself"),
    (b"<html", "a web page: download the picture itself"),
    (b"version https://git-lfs", "a pointer of Git LFS: fetch the picture with git lfs pull"),
    (b"PK\3\4", "a ZIP archive: unpack it first"),
    (b"\x1a\x45\xdf\xa3", "a video: use impasto video"),
)
_DRAWING = b"<?xml"
# What Pillow only names, runs as a program, or takes for a picture where people would not.
_NO_PICTURES = ("BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF")
_HEIF_SUFFIXES = (".heic", ".heif", ".hif")
_RAW_SUFFIXES = (".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2", ".srw")


@functools.cache
def suffixes() -> frozenset[str]:
    """The suffixes of files that can be read here, in lower case with their dot."""
    Image.init()
    found = {
        suffix
        for suffix, kind in Image.registered_extensions().items()
        if kind in Image.OPEN and kind not in _NO_PICTURES
    }
    for package, more in (("pillow_heif", _HEIF_SUFFIXES), ("rawpy", _RAW_SUFFIXES)):
        if importlib.util.find_spec(package):
            found.update(more)
    return frozenset(found)


def is_heif(head: bytes) -> bool:
    """Whether a file begins like HEIC or another HEIF."""
    return head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS


def is_raw(head: bytes, pages: list[ifds.Page]) -> bool:
    """Whether a file holds what a camera's sensor saw, by its first bytes or TIFF pages."""
    canon = (head[8:10] == b"CR" and bool(pages)) or head[4:12] == b"ftypcrx "
    return head.startswith(_RAW) or canon or ifds.is_raw(pages)


def register_heif() -> None:
    """Let Pillow read HEIF.

    Raises:
        InputError: If the extra for it is not installed.
    """
    try:
        import pillow_heif
    except ImportError:
        raise InputError(
            "it is HEIC: pip install 'impasto[heif]' to read it, or export it as JPEG"
        ) from None
    pillow_heif.register_heif_opener()


def develop(stream: BinaryIO, max_pixels: int) -> Planes:
    """Develop a raw photo with the camera's white balance, upright and in sRGB.

    Raises:
        InputError: If the extra for it is not installed, or it has too many pixels.
    """
    try:
        import rawpy
    except ImportError:
        raise InputError(
            "it is a raw photo: pip install 'impasto[raw]' to read it, or develop it to TIFF or "
            "JPEG"
        ) from None
    stream.seek(0)
    with rawpy.imread(stream) as raw:
        check_pixels((raw.sizes.height, raw.sizes.width), max_pixels)
        values: Any = raw.postprocess(use_camera_wb=True, output_bps=16)
    return Planes(scaled(np.asarray(values), 65535), None)


def name(head: bytes) -> str:
    """The kind of a file that cannot be read, with the way out; "" if it is unknown."""
    if is_heif(head):
        return "a damaged HEIC file"
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        return "AVIF, but damaged, or Pillow is older than 11.3"
    if head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        return "a video: use impasto video"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_DRAWING) and b"<svg" in text:
        return "a drawing (SVG): export it as PNG"
    for start, kind in _KNOWN:
        if head.startswith(start) or text.startswith(start):
            return kind
    return ""
