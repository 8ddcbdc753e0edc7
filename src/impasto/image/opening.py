"""Opening files: as Pillow takes them, with what it would miss or stumble over."""

from __future__ import annotations

import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image, UnidentifiedImageError

from impasto.errors import ImpastoError, InputError
from impasto.image import ifds, kinds, png

_ANIMATED = ("GIF", "WEBP", "AVIF", "HEIF")
_HEAD = 1024
_BOXES = 1 << 16  # where the description of an AVIF file lies

# Pillow's pixel limit and Python's warning filters belong to the whole process.
_process_state = threading.Lock()


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into one line that names the picture.

    Hostile bytes make decoders raise exceptions of any type, so all types are caught.
    """
    try:
        yield
    except InputError as error:
        raise InputError(f"cannot read {name}: {error}") from error
    except MemoryError as error:
        raise ImpastoError(f"cannot read {name}: not enough memory") from error
    except UnidentifiedImageError as error:
        raise InputError(
            f"cannot read {name}: it is not a picture, or damaged, or of an unknown format"
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"cannot read {name}: it is damaged or odd ({reason})") from error


@contextmanager
def quiet(max_pixels: int | None = None) -> Iterator[None]:
    """Silence the decoders' warnings, and let our pixel limit stand in for Pillow's.

    What matters to the user becomes a notice. Pillow checks again while decoding, which guards
    against files that hold more than their header says.
    """
    with _process_state, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _pillow_limit(max_pixels):
            yield


@contextmanager
def _pillow_limit(max_pixels: int | None) -> Iterator[None]:
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, max_pixels
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


@dataclass(frozen=True)
class Opened:
    """A file that was opened and not yet decoded.

    Attributes:
        image: For Pillow; None if it cannot read this TIFF or raw photo.
        stream: The file, with the picture that is meant as its first.
        raw: Whether it is a raw photo, which has to be developed.
        orientation: EXIF orientation that stands elsewhere in the file; 0 if it does not.
        notices: See ``Picture``.
    """

    image: Image.Image | None
    stream: BinaryIO
    raw: bool = False
    orientation: int = 0
    notices: tuple[str, ...] = ()


def open_file(stream: BinaryIO) -> Opened:
    """Open an image, without decoding it and without a pixel limit; to be called in quiet().

    Raises:
        InputError: If it is empty, or of a kind that is not read; the line says what it is.
    """
    stream.seek(0)
    head = stream.read(_HEAD)
    if not head:
        raise InputError("it is empty")
    pages = ifds.read_pages(stream) if head.startswith(ifds.MAGIC) else []
    if kinds.is_raw(head, pages):
        return Opened(None, stream, raw=True)
    if head.startswith(png.SIGNATURE):
        return _open_png(stream)
    if pages:
        return _open_tiff(stream, pages)
    if kinds.is_heif(head):
        kinds.register_heif()
    try:
        image = _open(stream)
    except UnidentifiedImageError:
        kind = kinds.name(head)
        if kind:
            raise InputError(f"it is {kind}") from None
        raise
    if image.format == "EPS":
        raise InputError(f"it is {kinds.name(b'%!PS')}")
    image.info.update(_codes(image, stream))
    return Opened(image, stream, notices=_frames(image))


def _open(stream: BinaryIO) -> Image.Image:
    stream.seek(0)
    with _pillow_limit(None):
        return Image.open(stream)


def _open_png(stream: BinaryIO) -> Opened:
    mended = png.mend(stream)
    image = _open(mended.stream)
    info: dict[str, Any] = {"icc_profile": mended.profile, "cicp": mended.cicp}
    image.info.update({key: value for key, value in info.items() if value is not None})
    frames = _first("frames", mended.frames, "animated: ")
    return Opened(image, mended.stream, notices=mended.notices + frames)


def _open_tiff(stream: BinaryIO, pages: list[ifds.Page]) -> Opened:
    page, notices = ifds.meant(pages), _first("pages", ifds.count(pages))
    if page is not pages[0]:
        stream = ifds.beginning_with(stream, page)
        if not (pages[0].is_reduced or page.nested):
            height, width = page.sides
            notices = (f"took its largest page ({width} x {height} px), not the thumbnail before",)
    try:
        image = _open(stream)
    except UnidentifiedImageError:
        image = None
    orientation = 0 if page.orientation else pages[0].orientation
    return Opened(image, stream, orientation=orientation, notices=notices)


def _codes(image: Image.Image, stream: BinaryIO) -> dict[str, Any]:
    """The colour description of HEIF and AVIF, which stand in a box (nclx) as four numbers.

    Decoders have applied matrix and range.
    """
    codes: tuple[int, ...] = ()
    if image.format == "HEIF" and "nclx_profile" in image.info:
        nclx = image.info["nclx_profile"]
        codes = (nclx["color_primaries"], nclx["transfer_characteristics"])
    elif image.format == "AVIF":  # of which Pillow does not tell
        stream.seek(0)
        _, found, numbers = stream.read(_BOXES).partition(b"colrnclx")
        codes = struct.unpack(">HH", numbers[:4]) if found and len(numbers) >= 4 else ()
    return {"cicp": (*codes, 0, 1)} if codes else {}


def _frames(image: Image.Image) -> tuple[str, ...]:
    """Say that an animation or a file of several pictures gives its first one only."""
    try:
        count = getattr(image, "n_frames", 1)
    except Exception:  # broken behind the first frame, which is all that is read
        return ()
    if image.format == "HEIF":
        return _first("pictures", count)
    return _first("frames", count, "animated: ") if image.format in _ANIMATED else ()


def _first(what: str, count: int, kind: str = "") -> tuple[str, ...]:
    return (f"{kind}took the first of {count} {what}",) if count > 1 else ()
