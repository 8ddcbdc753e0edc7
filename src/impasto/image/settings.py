"""The settings of a run as text that travels inside the picture it made."""

from __future__ import annotations

import json
from collections.abc import Mapping

from PIL import Image

KEY = "impasto"
EXIF_IFD = 0x8769
USER_COMMENT = 0x9286
IMAGE_DESCRIPTION = 0x010E

# EXIF puts the character set, padded to eight bytes, before a user comment.
_CHARSET = b"ASCII\0\0\0"


def to_text(settings: Mapping[str, object]) -> str:
    """Pack settings as ASCII JSON under the key "impasto"; what JSON lacks becomes a string."""
    return json.dumps({KEY: dict(settings)}, default=str)


def from_text(text: object) -> dict[str, object] | None:
    """Unpack what ``to_text`` made; None for any other comment."""
    if isinstance(text, bytes):
        text = text.removeprefix(_CHARSET).decode("ascii", "replace")
    if not isinstance(text, str):
        return None
    try:
        packed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    settings = packed.get(KEY) if isinstance(packed, dict) else None
    return settings if isinstance(settings, dict) else None


def to_user_comment(text: str) -> bytes:
    """Return the bytes of an EXIF user comment."""
    return _CHARSET + text.encode("ascii")


def find(image: Image.Image) -> dict[str, object] | None:
    """Look for settings in an opened file."""
    if image.format == "PNG":
        return from_text(image.info.get(KEY))
    exif = image.getexif()
    if image.format == "TIFF":
        return from_text(exif.get(IMAGE_DESCRIPTION))
    return from_text(exif.get_ifd(EXIF_IFD).get(USER_COMMENT))
