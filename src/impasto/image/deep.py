"""Pixels of more than 8 bits per channel, exactly, which Pillow alone does not give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import InputError
from impasto.image.picture import Floats

_BITS_PER_SAMPLE, _PHOTOMETRIC, _PLANAR, _ORIENTATION, _ICC = 258, 262, 284, 274, 34675
# Raw modes of Pillow for 16 bits per channel: little-endian, big-endian, native.
_WIDE = {f"{mode};16{order}" for mode in ("RGB", "RGBX", "RGBA") for order in "LBN"}
_GREY_ALPHA = "LA;16B"
_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB = 0, 1, 2
_OTHERS = {5: "CMYK", 6: "YCbCr", 8: "Lab"}
_MOST_SAMPLES = 8


@dataclass(frozen=True, eq=False)
class Planes:
    """Decoded floats in [0, 1], as the file stores them.

    Attributes:
        colour: ``(H, W, 1)`` grey or ``(H, W, 3)`` RGB.
        alpha: ``(H, W)`` or None.
    """

    colour: Floats
    alpha: Floats | None

    def to_pillow(self) -> Image.Image:
        """The planes rounded to 8 bits, in mode L, LA, RGB or RGBA."""
        planes = self.colour if self.alpha is None else np.dstack([self.colour, self.alpha])
        channels = [
            Image.fromarray(np.rint(planes[..., index] * 255).astype(np.uint8))
            for index in range(planes.shape[2])
        ]
        mode = ("L", "LA", "RGB", "RGBA")[len(channels) - 1]
        return Image.merge(mode, channels)


@dataclass(frozen=True)
class Tiff:
    """A TIFF as tifffile reads it: the planes and what is still to be done with them.

    Attributes:
        planes: The pixels.
        profile: The ICC profile.
        orientation: EXIF orientation, 1 to 8; 0 if it does not say.
        notices: See ``Picture``.
    """

    planes: Planes
    profile: bytes | None
    orientation: int
    notices: tuple[str, ...]


def read_grey(image: Image.Image) -> Planes:
    """Read a Pillow image of one wide channel (modes I;16, I and F)."""
    values = np.asarray(image)
    top: float = 1 if image.mode == "F" else 65535
    tags = getattr(image, "tag_v2", {})
    if image.mode.startswith("I;16") and tags.get(_BITS_PER_SAMPLE) == (12,):
        top = 4095
    if not (values.min() >= 0 and values.max() <= top):  # also true of NaN
        raise InputError(
            f"its values run from {values.min()} to {values.max()}, outside 0 to {top}: "
            "convert it to 16 bits per channel"
        )
    hidden = image.info.get("transparency")
    alpha = None if hidden is None else (values != hidden).astype(np.float32)
    colour = scaled(values[..., None], top)
    if tags.get(_PHOTOMETRIC) == _MIN_IS_WHITE:  # Pillow inverts only 8 bits and less
        colour = 1 - colour
    return Planes(colour, alpha)


def is_wide(image: Image.Image) -> bool:
    """Whether an opened image, not yet loaded, is one that ``read_colour`` can read."""
    return _raw_mode(image) in (*_WIDE, _GREY_ALPHA)


def read_colour(image: Image.Image, again: Image.Image) -> Planes:
    """Read RGB or RGBA of 16 bits per channel, or grey with alpha, through Pillow.

    Pillow keeps only one byte of such samples, but which one follows from the raw mode of the
    decoder. So the file is decoded twice, once for the high and once for the low bytes.

    Args:
        image: An opened image, not yet loaded.
        again: The same file opened once more.
    """
    mode = _raw_mode(image)
    if mode == _GREY_ALPHA:  # two channels of two bytes unpack as four of one, all there at once
        _set_raw_mode(image, "RGBA")
        pairs = np.asarray(image).view(">u2")
        return Planes(scaled(pairs[..., :1], 65535), scaled(pairs[..., 1], 65535))
    little = np.little_endian if mode[-1] == "N" else mode[-1] == "L"
    _set_raw_mode(again, mode[:-1] + ("B" if little else "L"))
    values = np.asarray(image).astype(np.uint16)
    values <<= 8
    values |= np.asarray(again)
    alpha = scaled(values[..., 3], 65535) if values.shape[2] == 4 else None
    hidden = image.info.get("transparency")
    if hidden is not None:
        alpha = (values != np.asarray(hidden)).any(axis=2).astype(np.float32)
    return Planes(scaled(values[..., :3], 65535), alpha)


def _raw_mode(image: Image.Image) -> str:
    """The one raw mode in which Pillow decodes a file, "" if there are none or several."""
    arguments = [tile.args for tile in getattr(image, "tile", [])]
    # Some decoders take no arguments, or an empty tuple.
    modes = {args if isinstance(args, str) else (args or ("",))[0] for args in arguments}
    return str(modes.pop()) if len(modes) == 1 else ""


def _set_raw_mode(image: Any, mode: str) -> None:
    """Let Pillow decode a file in another raw mode."""
    image.tile = [
        tile._replace(args=mode if isinstance(tile.args, str) else (mode, *tile.args[1:]))
        for tile in image.tile
    ]


def needs_tifffile(image: Image.Image) -> bool:
    """Whether an opened image is a TIFF of samples that Pillow cuts, misreads or scales oddly."""
    bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (1,))
    if image.format != "TIFF" or max(bits) <= 8:
        return False
    fine = image.mode.startswith("I;16") or _raw_mode(image) in _WIDE
    return not fine or _is_planar(image)


def misread_by_pillow(image: Image.Image) -> bool:
    """Whether Pillow would give wrong values of a TIFF that needs tifffile.

    Uncompressed 16-bit channels that are kept apart are taken for 8 bits; integers of 32 bits
    and signed ones come without their scale.
    """
    raw_planar = _is_planar(image) and image.info.get("compression") == "raw"
    return raw_planar or image.mode in ("I", "F")


def _is_planar(image: Any) -> bool:
    return bool(image.tag_v2.get(_PLANAR) == 2)


def read_tiff(stream: BinaryIO, max_pixels: int) -> Tiff:
    """Read a TIFF of grey or RGB, with or without alpha, of integers or floats in [0, 1].

    Raises:
        InputError: If it is of another kind, or compressed in a way that needs more than zlib.
    """
    import tifffile

    stream.seek(0)
    with tifffile.TiffFile(stream) as tiff:
        page: Any = tiff.pages[0]
        check_pixels((page.imagelength, page.imagewidth), max_pixels)
        if page.samplesperpixel > _MOST_SAMPLES or page.imagedepth > 1:
            raise InputError("it has too many channels for a picture")
        if page.photometric not in (_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB):
            raise InputError(
                f"{_OTHERS.get(page.photometric, 'a TIFF of such colours')} with more than 8 bits "
                "or with transparency is not read: export it as RGB"
            )
        values = page.asarray()
        if page.axes[0] == "S":
            values = np.moveaxis(values, 0, -1)
        tags = {code: page.tags[code].value for code in (_ORIENTATION, _ICC) if code in page.tags}
        extra = tuple(page.extrasamples)
        notices = ("its floating-point values were taken as sRGB",) * (values.dtype.kind == "f")
        inverted, colours = page.photometric == _MIN_IS_WHITE, 3 if page.photometric == _RGB else 1
    values = _unit(values.reshape(*values.shape[:2], -1))
    colour, alpha = np.ascontiguousarray(values[..., :colours]), None
    if extra and extra[0] in (1, 2):
        alpha = values[..., colours]
        if extra[0] == 1:  # associated: colours are stored multiplied by alpha
            visible = np.maximum(alpha, np.float32(1e-6))[..., None]
            colour = (colour / visible).clip(0, 1)
    colour = 1 - colour if inverted else colour
    return Tiff(Planes(colour, alpha), tags.get(_ICC), tags.get(_ORIENTATION, 0), notices)


def check_pixels(size: tuple[int, ...], max_pixels: int) -> None:
    """Refuse a (height, width) of no or too many pixels."""
    height, width = size
    if height < 1 or width < 1:
        raise InputError(f"it has {width} x {height} pixels")
    if height * width > max_pixels:
        raise InputError(
            f"{width} x {height} pixels are more than the limit of {max_pixels:,}: "
            "shrink it first, or raise max_pixels"
        )


def _unit(values: NDArray[Any]) -> Floats:
    """Scale the values of a TIFF to [0, 1] by their type."""
    if values.dtype.kind == "u":
        return scaled(values, np.iinfo(values.dtype).max)
    if values.dtype.kind != "f":
        raise InputError(f"samples of type {values.dtype} cannot be read: convert it to 16 bits")
    if not (values.min() >= 0 and values.max() <= 1):
        raise InputError("its floating-point values leave [0, 1]: convert it to 16 bits")
    return values.astype(np.float32)


def scaled(values: NDArray[Any], top: float) -> Floats:
    """Divide by the largest value, as float32."""
    floats = values.astype(np.float32)
    floats /= np.float32(top)
    return floats
