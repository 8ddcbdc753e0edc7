"""Files and Pillow images to upright sRGB pictures."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from impasto.image import deep, encodings, jpeg, kinds, origin
from impasto.image.alpha import clean
from impasto.image.deep import Planes, check_pixels, scaled
from impasto.image.encodings import Colours, Encoding
from impasto.image.opening import Opened, open_file, quiet, reading
from impasto.image.origin import Origin
from impasto.image.picture import Picture, fit
from impasto.image.profiles import is_srgb, to_srgb

_ORIENTATION = 0x0112
COARSE = "read at 8 bits per channel, though the file has more"
_PADDED = ("TGA", "BMP", "DIB", "DDS")


def decode(
    stream: BinaryIO, name: str, max_pixels: int, long_side: int | None, at_least: int | None
) -> Picture:
    """Decode a file, and shrink it to a long side if asked; see ``load_image``."""
    with reading(name):
        with quiet(max_pixels):
            source = _load(stream, max_pixels, long_side, at_least)
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
class _Decoded:
    """A decoded file before its colours are converted and it is turned upright.

    Attributes:
        pixels: What was decoded: a Pillow image of 8 bits or planes of more.
        size: Full (height, width) as stored; ``pixels`` may be smaller.
        orientation: EXIF orientation, 1 to 8.
        colours: What its numbers mean.
        notices: See ``Picture``.
        origin: See ``Picture``.
    """

    pixels: Image.Image | Planes
    size: tuple[int, int]
    orientation: int = 1
    colours: Colours = None
    notices: tuple[str, ...] = ()
    origin: Origin | None = None


def _load(
    stream: BinaryIO, max_pixels: int, long_side: int | None, at_least: int | None
) -> _Decoded:
    """Decode a file in the way that keeps most of it."""
    opened = open_file(stream)
    stream, image = opened.stream, opened.image
    if opened.raw:
        planes = kinds.develop(stream, max_pixels)
        return _Decoded(planes, planes.colour.shape[:2], origin=_origin(image))
    if image is None:
        return _from_tiff(deep.read_tiff(stream, max_pixels), opened)
    check_pixels((image.height, image.width), max_pixels)
    if deep.needs_tifffile(image):
        try:
            return _from_tiff(deep.read_tiff(stream, max_pixels), opened)
        except Exception:
            if deep.misread_by_pillow(image):
                raise
            opened = replace(opened, notices=(*opened.notices, COARSE))
    elif deep.is_wide(image):
        stream.seek(0)
        planes = deep.read_colour(image, Image.open(stream))
        return _loaded(image, opened.notices, opened.orientation, planes)
    size = (image.height, image.width)
    if long_side is not None:
        # JPEG can decode to 1/2, 1/4 or 1/8; twice the wanted size leaves the filter enough.
        height, width = fit(size, 2 * long_side)
        image.draft(None, (width, height))
    elif at_least is not None:
        image.draft(None, (at_least, at_least))
    return replace(_whole(image, opened), size=size)


def _whole(image: Image.Image, opened: Opened) -> _Decoded:
    """Load what Pillow opened, though a JPEG file may lack its end."""
    try:
        return _loaded(image, opened.notices, opened.orientation)
    except OSError:
        if image.format not in ("JPEG", "MPO"):
            raise
        opened.stream.seek(0)
        data = jpeg.complete(opened.stream.read())
        if data is None:
            raise
    notices = (*opened.notices, "its last bytes are missing, but no pixels")
    return _loaded(Image.open(io.BytesIO(data)), notices)


def _loaded(
    image: Image.Image,
    notices: tuple[str, ...],
    orientation: int = 0,
    planes: Planes | None = None,
) -> _Decoded:
    """Collect what a Pillow image tells once it is loaded."""
    image.load()
    if planes is None and image.mode.startswith(("I", "F")):
        planes = deep.read_grey(image)
    if _is_padded(image):
        image = image.convert("RGB")
        notices += ("its alpha is 0 everywhere: taken as opaque, not as transparent",)
    exif = _exif(image)
    if exif is None:  # a picture is not lost for its broken metadata
        notices += ("its EXIF data is broken: taken as upright",)
    mode = _colour_mode(image.mode)
    colours, more = encodings.find(image.info, mode, exif)
    return _Decoded(
        planes or image,
        (image.height, image.width),
        1 if exif is None else exif.get(_ORIENTATION, orientation or 1),
        colours,
        notices + more,
        _origin(image),
    )


def _exif(image: Image.Image) -> Image.Exif | None:
    """The EXIF data; of a TIFF to be asked for after loading, when Pillow has turned it."""
    try:
        exif = image.getexif()
        exif.get_ifd(ExifTags.IFD.Exif)
    except Exception:
        return None
    return exif


def _origin(image: Image.Image | None) -> Origin | None:
    exif = None if image is None else _exif(image)
    try:
        return None if image is None or exif is None else origin.find(image.info, exif)
    except Exception:  # odd values may raise anything, and are of little use
        return None


def _from_tiff(tiff: deep.Tiff, opened: Opened) -> _Decoded:
    """Wrap what tifffile read."""
    planes = tiff.planes
    mode = "RGB" if planes.colour.shape[2] == 3 else "L"
    info = {} if tiff.profile is None else {"icc_profile": tiff.profile}
    colours, more = encodings.find(info, mode)
    orientation = tiff.orientation or opened.orientation or 1
    notices = opened.notices + tiff.notices + more
    size = planes.colour.shape[:2]
    return _Decoded(planes, size, orientation, colours, notices, _origin(opened.image))


def _picture(source: _Decoded, name: str) -> Picture:
    """Convert to sRGB, turn upright, fill hidden colours."""
    planes, bits, notices = source.pixels, 16, source.notices
    profile = source.colours if isinstance(source.colours, bytes) else None
    if isinstance(planes, Planes) and profile and not is_srgb(profile):
        planes = planes.to_pillow()  # all that Pillow's colour management can do
        notices += ("its colour profile was applied at 8 bits per channel",)
    if isinstance(planes, Image.Image):
        planes, bits = _from_bytes(planes, profile), 8
    colour = planes.colour
    if isinstance(source.colours, Encoding):
        colour, more = source.colours.to_srgb(colour)
        notices += more
    colour = _upright(colour, source.orientation)
    rgb = np.repeat(colour, 3, axis=2) if colour.shape[2] == 1 else colour
    alpha = None if planes.alpha is None else _upright(planes.alpha, source.orientation)
    rgb, alpha = clean(rgb, alpha)
    return Picture(rgb, alpha, name, bits, notices, source.origin)


def _from_bytes(image: Image.Image, profile: bytes | None) -> Planes:
    """Convert a Pillow image of 8 bits or less per channel to sRGB by its profile."""
    colour, alpha = _split(image)
    cover = None if alpha is None else scaled(np.asarray(alpha), 255)
    return Planes(scaled(np.asarray(to_srgb(colour, profile)), 255), cover)


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


def _is_padded(image: Image.Image) -> bool:
    """Whether what seems to be alpha only fills pixels up to 32 bits, as many programs write."""
    padded = image.format in _PADDED and image.mode == "RGBA"
    return padded and image.getchannel("A").getextrema() == (0, 0)


def _colour_mode(mode: str) -> str:
    """The mode of an image's colours once split."""
    if mode in ("CMYK", "LAB"):
        return mode
    return "L" if mode.startswith(("1", "L", "I", "F")) else "RGB"


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
