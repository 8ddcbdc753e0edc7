"""JPEG files without their end."""

from __future__ import annotations

import io

from PIL import Image

_END = b"\xff\xd9"
_ANYTHING = bytes(range(1, 128)) * 4


def complete(data: bytes) -> bytes | None:
    """Give data their end marker back; None if pixels are missing as well.

    Broken downloads and some cameras leave the last bytes out. A decoder fills what is missing,
    so data that hold all pixels decode to the same whatever follows them.
    """
    data = data.rstrip(b"\xff")
    whole, other = data + _END, data + _ANYTHING + _END
    return whole if _pixels(whole) == _pixels(other) else None


def _pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.tobytes()
