"""PNG files without what stands beside the pixels and would keep Pillow from reading them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
# Lengths that these chunks must have (W3C, Portable Network Graphics, third edition).
_LENGTHS = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"pHYs": 9, b"cICP": 4, b"acTL": 8}
_ANIMATION = {b"acTL", b"fcTL", b"fdAT"}
_TRANSPARENT = {b"\0": 2, b"\2": 6}  # least length of tRNS by colour type
# The texts that are looked at: our settings, and where orientation and EXIF are kept.
_TEXTS = (b"impasto", b"XML:com.adobe.xmp", b"Raw profile type exif")
_LONGEST_TEXT, _LONGEST_PROFILE = 1_000_000, 1 << 26


@dataclass(frozen=True)
class Mended:
    """A PNG that Pillow can read, and what Pillow does not tell of it.

    Attributes:
        stream: The file.
        profile: The ICC profile; empty if it is broken.
        cicp: The numbers of colour primaries and transfer, of the matrix, and the range flag.
        frames: How many pictures an animation has.
        notices: See ``Picture``.
    """

    stream: BinaryIO
    profile: bytes | None
    cicp: tuple[int, ...] | None
    frames: int
    notices: tuple[str, ...]


def mend(stream: BinaryIO) -> Mended:
    """Leave out chunks that are broken, too large or of no use, as browsers do.

    The picture itself is an animation's default image.
    """
    spans, colour_type = [(0, len(SIGNATURE))], b""
    damaged: list[str] = []
    found: dict[bytes, bytes] = {}
    for name, start, end, data in _chunks(stream):
        if name == b"IHDR":
            colour_type = data[9:10]
        if name not in _PIXELS and not _is_whole(stream, name, end, data):
            damaged.append(name.decode())
            continue
        found.setdefault(name, data)
        if not _is_left_out(name, data, colour_type):
            spans.append((start, end))
    if sum(end - start for start, end in spans) < stream.seek(0, io.SEEK_END):
        stream = _joined(stream, spans)
    profile, cicp = found.get(b"iCCP"), found.get(b"cICP")
    notice = f"left out what is damaged beside its pixels ({', '.join(damaged[:3])})"
    return Mended(
        stream,
        None if profile is None else _inflated(profile.partition(b"\0")[2][1:], _LONGEST_PROFILE),
        None if cicp is None else tuple(cicp),
        int.from_bytes(found.get(b"acTL", b"")[:4], "big"),
        (notice,) if damaged else (),
    )


def _chunks(stream: BinaryIO) -> Iterator[tuple[bytes, int, int, bytes]]:
    """Name, start, end and data (of pixels only the first bytes) of every whole chunk."""
    at, size = len(SIGNATURE), stream.seek(0, io.SEEK_END)
    while at < size:
        stream.seek(at)
        length, name = struct.unpack(">I4s", stream.read(8).ljust(8, b"\0"))
        end = at + 12 + length
        if not name.isalpha() or end > size:  # a rest that is left to Pillow
            yield b"IDAT", at, size, b""
            return
        yield name, at, end, stream.read(min(length, 16) if name in _PIXELS else length)
        at = end


def _is_whole(stream: BinaryIO, name: bytes, end: int, data: bytes) -> bool:
    stream.seek(end - 4)
    checksum = int.from_bytes(stream.read(4), "big")
    return zlib.crc32(name + data) == checksum and len(data) == _LENGTHS.get(name, len(data))


def _is_left_out(name: bytes, data: bytes, colour_type: bytes) -> bool:
    """Whether a whole chunk is of no use to Pillow, or more than it takes."""
    if name in (b"tEXt", b"zTXt", b"iTXt"):
        keyword, _, text = data.partition(b"\0")
        return keyword not in _TEXTS or _is_long(name, text)
    if name == b"tRNS":
        return len(data) < _TRANSPARENT.get(colour_type, 0)
    return name in _ANIMATION or name == b"iCCP"


def _is_long(name: bytes, text: bytes) -> bool:
    if name == b"iTXt" and text[:1] == b"\1":  # behind flag, method, language and translation
        packed = text[2:].partition(b"\0")[2].partition(b"\0")[2]
    elif name == b"zTXt":
        packed = text[1:]
    else:
        return len(text) > _LONGEST_TEXT
    return not _inflated(packed, _LONGEST_TEXT)


def _inflated(data: bytes, most: int) -> bytes:
    """Decompressed data; empty if it is broken or longer than ``most``."""
    try:
        inflater = zlib.decompressobj()
        out = inflater.decompress(data, most)
    except zlib.error:
        return b""
    return b"" if inflater.unconsumed_tail else out


def _joined(stream: BinaryIO, spans: list[tuple[int, int]]) -> BinaryIO:
    parts = []
    for start, end in spans:
        stream.seek(start)
        parts.append(stream.read(end - start))
    return io.BytesIO(b"".join(parts))
