"""Pictures to files: whole or not at all, with the settings that made them."""

from __future__ import annotations

import io
import logging
import os
import struct
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from impasto.errors import InputError
from impasto.files import atomic, check_place
from impasto.image import settings as metadata
from impasto.image.picture import Picture
from impasto.image.profiles import srgb_profile

logger = logging.getLogger(__name__)

FORMATS = {
    "jpg": "JPEG",
    "jpeg": "JPEG",
    "png": "PNG",
    "webp": "WebP",
    "tif": "TIFF",
    "tiff": "TIFF",
}
_DEEP = ("PNG", "TIFF")
_LONGEST_SIDE = {"JPEG": 65500, "WebP": 16383}
_EXIF_LIMIT = 60000  # for the settings: JPEG has 64 kB for all of EXIF


def check_writable(
    path: str | os.PathLike[str],
    bits: int = 8,
    *,
    size: tuple[int, int] | None = None,
    format: str | None = None,
) -> None:
    """Raise what ``save_image`` would raise, without writing: for use before a long run.

    Args:
        path: Where the picture is to go.
        bits: Bits per channel, 8 or 16.
        size: (height, width) of the picture to come, where it is known.
        format: As for ``save_image``.

    Raises:
        InputError: If the extension is unknown, the format cannot hold such a picture, the
            folder is missing or not writable, or the path is a folder.
    """
    _check_format(_format_of(path, format), bits, size)
    check_place(path)


def save_image(
    picture: Picture,
    target: str | os.PathLike[str] | BinaryIO,
    *,
    settings: Mapping[str, object] | None = None,
    quality: int = 95,
    bits: int = 8,
    format: str | None = None,
    exif: bool = True,
) -> None:
    """Write a picture, with an sRGB profile and the settings that made it.

    A file appears whole or not at all. JPEG has no transparency: alpha is laid on white.

    Args:
        picture: What to write.
        target: A path, whose extension names the format, or a binary stream.
        settings: Kept in the file as JSON; ``read_settings`` gives them back.
        quality: Of JPEG (always without chroma subsampling) and WebP, 1 to 100.
        bits: Bits per channel; 16 for PNG and TIFF only.
        format: "jpeg", "png", "webp" or "tiff"; needed for a stream, else from the extension.
        exif: Keep date, camera and resolution of the photo (``Picture.origin``); never its place.

    Raises:
        InputError: If the target or the options cannot work; nothing is written.
        ImpastoError: If writing fails (a full disk); no partial file is left.
    """
    if not 1 <= quality <= 100:
        raise InputError(f"quality must be from 1 to 100, not {quality}")
    picture = picture if exif else replace(picture, origin=None)
    if isinstance(target, (str, os.PathLike)):
        check_writable(target, bits, size=picture.size, format=format)
        data = _encode(picture, _format_of(target, format), settings, quality, bits)
        with atomic(Path(target)) as temporary:
            temporary.write_bytes(data)
        return
    kind = _format_of(None, format)
    _check_format(kind, bits, picture.size)
    target.write(_encode(picture, kind, settings, quality, bits))


def _format_of(path: str | os.PathLike[str] | None, format: str | None) -> str:
    """Find the format by its name or by the extension of a path."""
    known = ", ".join(f".{extension}" for extension in FORMATS)
    if format is not None:
        extension = format.lower().removeprefix(".")
        problem = f"cannot write the format '{format}'"
    elif path is not None:
        extension = Path(path).suffix.lower().removeprefix(".")
        problem = f"cannot tell the format of {path} by its extension"
    else:
        extension, problem = "", "writing to a stream needs a format"
    if extension not in FORMATS:
        raise InputError(f"{problem}: use one of {known}")
    return FORMATS[extension]


def _check_format(kind: str, bits: int, size: tuple[int, int] | None) -> None:
    """Check that the format can hold such a picture."""
    if bits not in (8, 16):
        raise InputError(f"a picture is saved with 8 or 16 bits per channel, not {bits}")
    if bits == 16 and kind not in _DEEP:
        raise InputError(f"{kind} cannot hold 16 bits per channel: save as .png or .tiff")
    longest = _LONGEST_SIDE.get(kind)
    if size and longest and max(size) > longest:
        raise InputError(
            f"{kind} cannot hold {size[1]} x {size[0]} pixels, its longest side is {longest}: "
            "save as .png or .tiff"
        )


def _encode(
    picture: Picture,
    kind: str,
    settings: Mapping[str, object] | None,
    quality: int,
    bits: int,
) -> bytes:
    """Encode a picture in memory."""
    text = metadata.to_text(settings) if settings is not None else None
    if kind == "TIFF":
        return _encode_tiff(picture, bits, text)
    if kind == "PNG":
        return _encode_deep_png(picture, text) if bits == 16 else _encode_png(picture, text)
    return _encode_lossy(picture, kind, quality, text)


def _encode_lossy(picture: Picture, kind: str, quality: int, text: str | None) -> bytes:
    """Encode as JPEG or WebP."""
    if kind == "JPEG" and picture.alpha is not None:
        logger.warning("JPEG has no transparency: laid %s on white", picture.name)
        cover = picture.alpha[..., None]
        picture = Picture(picture.rgb * cover + (1 - cover), name=picture.name)
    options = _origin_options(picture) | ({"subsampling": 0} if kind == "JPEG" else {})
    exif = options.get("exif", Image.Exif())
    if text is not None and len(text) > _EXIF_LIMIT:
        logger.warning("the settings are too long for %s: saved without them", kind)
    elif text is not None:
        exif.get_ifd(metadata.EXIF_IFD)[metadata.USER_COMMENT] = metadata.to_user_comment(text)
        options["exif"] = exif
    stream = io.BytesIO()
    picture.pil().save(stream, kind, quality=quality, icc_profile=srgb_profile(), **options)
    return stream.getvalue()


def _encode_png(picture: Picture, text: str | None) -> bytes:
    """Encode as PNG with 8 bits per channel."""
    info = PngInfo()
    if text is not None:
        info.add_text(metadata.KEY, text)
    stream, options = io.BytesIO(), _origin_options(picture)
    picture.pil().save(stream, "PNG", pnginfo=info, icc_profile=srgb_profile(), **options)
    return stream.getvalue()


def _origin_options(picture: Picture) -> dict[str, Any]:
    """The photo's origin as keywords of Pillow's ``save``."""
    if picture.origin is None:
        return {}
    dpi = {"dpi": picture.origin.dpi} if picture.origin.dpi else {}
    return {"exif": picture.origin.to_exif(), **dpi}


def _origin_chunks(picture: Picture) -> list[tuple[bytes, bytes]]:
    """The chunks of PNG that tell of the photo's origin."""
    if picture.origin is None:
        return []
    chunks = [(b"eXIf", picture.origin.to_exif().tobytes().removeprefix(b"Exif\0\0"))]
    if picture.origin.dpi:
        metre = [round(side / 0.0254) for side in picture.origin.dpi]
        chunks.append((b"pHYs", struct.pack(">IIB", *metre, 1)))
    return chunks


def _encode_deep_png(picture: Picture, text: str | None) -> bytes:
    """Encode as PNG with 16 bits per channel, which Pillow cannot write in colour.

    Follows the PNG specification (W3C, third edition); every row has filter type 1 (Sub).
    """
    values = picture.integers(16).astype(">u2")
    height, width, channels = values.shape
    rows = values.view(np.uint8).reshape(height, width, channels * 2)
    filtered = np.ones((height, 1 + width * channels * 2), np.uint8)
    filtered[:, 1:] = np.diff(rows, axis=1, prepend=np.uint8(0)).reshape(height, -1)
    colour_type = 6 if channels == 4 else 2
    chunks = [
        (b"IHDR", struct.pack(">2I5B", width, height, 16, colour_type, 0, 0, 0)),
        (b"iCCP", b"sRGB\0\0" + zlib.compress(srgb_profile())),
        *_origin_chunks(picture),
    ]
    if text is not None:
        chunks.append((b"tEXt", metadata.KEY.encode() + b"\0" + text.encode("ascii")))
    chunks += [(b"IDAT", zlib.compress(filtered.tobytes())), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def _encode_tiff(picture: Picture, bits: int, text: str | None) -> bytes:
    """Encode as TIFF, deflated."""
    import tifffile

    stream, origin = io.BytesIO(), picture.origin
    options: dict[str, Any] = {}
    if origin:
        texts = {**origin.base, **origin.exif}  # all in one place, as TIFF/EP has it
        ascii = [(tag, 2, 0, value, True) for tag, value in texts.items() if isinstance(value, str)]
        options = {"extratags": ascii, "resolution": origin.dpi, "resolutionunit": 2}
    tifffile.imwrite(
        stream,
        picture.integers(bits),
        photometric="rgb",
        planarconfig="contig",
        extrasamples=None if picture.alpha is None else ["unassalpha"],
        compression="zlib",
        description=text,
        metadata=None,
        iccprofile=srgb_profile(),
        software=False,
        **options,
    )
    return stream.getvalue()
