"""Files and Pillow images to upright sRGB pictures."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from impasto.errors import ImpastoError, InputError
from impasto.image import deep
from impasto.image.alpha import clean
from impasto.image.deep import Planes, check_pixels, scaled
from impasto.image.picture import Picture, fit
from impasto.image.profiles import BROKEN, is_srgb, is_usable, to_srgb

_ORIENTATION = 0x0112
_ANIMATED = ("GIF", "PNG", "WEBP", "AVIF")

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


def open_header(stream: BinaryIO) -> Image.Image:
    """Open an image, without decoding it and without a pixel limit; to be called in quiet()."""
    stream.seek(0)
    if not stream.read(1):
        raise InputError("it is empty")
    stream.seek(0)
    with _pillow_limit(None):
        image = Image.open(stream)
    if image.format == "EPS":
        raise InputError("PostScript is a program, not a picture: export it as PNG")
    return image


def decode(stream: BinaryIO, name: str, max_pixels: int, long_side: int | None = None) -> Picture:
    """Decode a file, and shrink it to a long side if asked."""
    with reading(name):
        with quiet(max_pixels):
            source = _load(stream, max_pixels, long_side)
        picture = _picture(source, name)
    if long_side is None:
        return picture
    size = source.size[::-1] if _turns(source.orientation) else source.size
    return picture.resized(*fit(size, long_side))


def from_pillow(image: Image.Image, max_pixels: int) -> Picture:
    """Take over a Pillow image, which stays as it is."""
    name = str(getattr(image, "filename", "") or "image")
    with reading(name):
        check_pixels((image.height, image.width), max_pixels)
        with quiet(max_pixels):
            source = _loaded(image, ())
        return _picture(source, name)


@dataclass(frozen=True)
class _Source:
    """A decoded file before its colours are converted and it is turned upright.

    Attributes:
        pixels: What was decoded: a Pillow image of 8 bits or planes of more.
        size: Full (height, width) as stored; ``pixels`` may be smaller.
        orientation: EXIF orientation, 1 to 8.
        profile: The ICC profile.
        notices: See ``Picture``.
    """

    pixels: Image.Image | Planes
    size: tuple[int, int]
    orientation: int = 1
    profile: bytes | None = None
    notices: tuple[str, ...] = ()


def _load(stream: BinaryIO, max_pixels: int, long_side: int | None) -> _Source:
    """Decode a file in the way that keeps most of it."""
    try:
        image = open_header(stream)
    except UnidentifiedImageError:
        if not deep.is_tiff(stream):
            raise
        return _from_tiff(deep.read_tiff(stream, max_pixels))
    check_pixels((image.height, image.width), max_pixels)
    notices = _frames(image)
    if deep.needs_tifffile(image):
        try:
            return _from_tiff(deep.read_tiff(stream, max_pixels), notices)
        except Exception:
            if deep.misread_by_pillow(image):
                raise
            notices += ("read at 8 bits per channel, though the file has more",)
    elif deep.is_wide(image):
        return _loaded(image, notices, deep.read_colour(image, open_header(stream)))
    size = (image.height, image.width)
    if long_side is not None:
        # JPEG can decode to 1/2, 1/4 or 1/8; twice the wanted size leaves the filter enough.
        height, width = fit(size, 2 * long_side)
        image.draft(None, (width, height))
    return replace(_loaded(image, notices), size=size)


def _loaded(image: Image.Image, notices: tuple[str, ...], planes: Planes | None = None) -> _Source:
    """Collect what a Pillow image tells once it is loaded."""
    image.load()
    if planes is None and image.mode.startswith(("I", "F")):
        planes = deep.read_grey(image)
    try:
        # Asked for after loading, when Pillow has turned a TIFF by itself.
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # a picture is not lost for its broken metadata
        orientation = 1
        notices += ("its EXIF data is broken: taken as upright",)
    profile = image.info.get("icc_profile")
    size = (image.height, image.width)
    return _Source(planes or image, size, orientation, profile, notices)


def _from_tiff(tiff: deep.Tiff, notices: tuple[str, ...] = ()) -> _Source:
    """Wrap what tifffile read."""
    size = tiff.planes.colour.shape[:2]
    return _Source(tiff.planes, size, tiff.orientation, tiff.profile, notices + tiff.notices)


def _frames(image: Image.Image) -> tuple[str, ...]:
    """Say that an animation or a file of several pages gives its first picture only."""
    try:
        count = getattr(image, "n_frames", 1)
    except Exception:  # broken behind the first frame, which is all that is read
        return ()
    if count > 1 and image.format in _ANIMATED:
        return (f"animated: took the first of {count} frames",)
    if count > 1 and image.format == "TIFF":
        return (f"took the first of {count} pages",)
    return ()


def _picture(source: _Source, name: str) -> Picture:
    """Convert to sRGB, turn upright, fill hidden colours."""
    planes, bits, notices = source.pixels, 16, source.notices
    if isinstance(planes, Planes) and source.profile:
        planes, more = _managed(planes, source.profile)
        notices += more
    if isinstance(planes, Image.Image):
        planes, more = _from_bytes(planes, source.profile)
        bits, notices = 8, notices + more
    colour = _upright(planes.colour, source.orientation)
    rgb = np.repeat(colour, 3, axis=2) if colour.shape[2] == 1 else colour
    alpha = None if planes.alpha is None else _upright(planes.alpha, source.orientation)
    rgb, alpha = clean(rgb, alpha)
    return Picture(rgb, alpha, name, bits, notices)


def _managed(planes: Planes, profile: bytes) -> tuple[Planes | Image.Image, tuple[str, ...]]:
    """Round planes to 8 bits, all that Pillow's colour management can do, unless in sRGB."""
    mode = "RGB" if planes.colour.shape[2] == 3 else "L"
    if not is_usable(profile, mode):
        return planes, (BROKEN,)
    if is_srgb(profile):
        return planes, ()
    return planes.to_pillow(), ("its colour profile was applied at 8 bits per channel",)


def _from_bytes(image: Image.Image, profile: bytes | None) -> tuple[Planes, tuple[str, ...]]:
    """Convert a Pillow image of 8 bits or less per channel to sRGB."""
    colour, alpha = _split(image)
    rgb, notice = to_srgb(colour, profile)
    cover = None if alpha is None else scaled(np.asarray(alpha), 255)
    return Planes(scaled(np.asarray(rgb), 255), cover), (notice,) if notice else ()


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Split an image into its colours (in mode L, RGB, CMYK or LAB) and its alpha."""
    if "transparency" in image.info and image.mode in ("1", "L", "RGB", "P"):
        image = image.convert("RGBA")
    if image.mode in ("PA", "RGBa"):
        image = image.convert("RGBA")
    if image.mode == "La":
        image = image.convert("LA")
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    if image.mode in ("1", "LA"):
        return image.convert("L"), alpha
    if image.mode in ("L", "CMYK", "LAB"):
        return image, alpha
    return image.convert("RGB"), alpha


def _turns(orientation: int) -> bool:
    """Whether an EXIF orientation swaps height and width."""
    return orientation in (5, 6, 7, 8)  # broken metadata may hold anything else


def _upright(array: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Apply an EXIF orientation (CIPA DC-008, tag 0x0112) to ``(H, W, ...)``."""
    if _turns(orientation):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)
