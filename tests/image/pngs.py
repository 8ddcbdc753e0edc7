"""PNG files written chunk by chunk, as no library would write them."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from numpy.typing import NDArray


def chunk(name: bytes, body: bytes, checksum: int | None = None) -> bytes:
    """A chunk, with a checksum of one's own."""
    value = zlib.crc32(name + body) if checksum is None else checksum
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", value)


def png(array: NDArray[Any], *extra: bytes, after: bytes = b"") -> bytes:
    """A PNG of ``(H, W, 3)`` or ``(H, W)`` of 8 or 16 bits, with chunks before the pixels."""
    height, width = array.shape[:2]
    bits, colour = array.dtype.itemsize * 8, 2 if array.ndim == 3 else 0
    rows = b"".join(b"\0" + row.astype(f">u{bits // 8}").tobytes() for row in array)
    header = chunk(b"IHDR", struct.pack(">2I5B", width, height, bits, colour, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(rows))
    end = after + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + pixels + end


def cicp(primaries: int, transfer: int, full: int = 1) -> bytes:
    """Colours by their numbers in ITU-T H.273."""
    return chunk(b"cICP", bytes([primaries, transfer, 0, full]))


def gamma(value: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


def chromaticities(*values: float) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values)))


def profile(data: bytes) -> bytes:
    return chunk(b"iCCP", b"some\0\0" + zlib.compress(data))


SRGB = chunk(b"sRGB", b"\0")
