"""What visitors hand in, as pictures and masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.app.limits import Limits
from impasto.errors import InputError
from impasto.image import Picture, load_image

# Larger than any result, and than any artwork is looked at.
LONG_SIDE = 4096


def read_upload(path: str | None, limits: Limits, what: str = "photo") -> Picture:
    """Read a file that a visitor uploaded, within the limits.

    Args:
        path: The file in the app's own temporary folder; None: nothing was uploaded.
        limits: Its size in bytes and in pixels is checked before it is decoded.
        what: How the message calls it where it is missing.

    Returns:
        The picture under the name that its file had, at most ``LONG_SIDE`` pixels long.

    Raises:
        InputError: If there is none, it is too large, or no picture that can be read.
    """
    if not path:
        raise InputError(f"no {what} yet: choose one first")
    file = Path(path)
    try:
        megabytes = file.stat().st_size / 1e6
    except OSError:
        raise InputError(f"the {what} is no longer here: upload it again") from None
    if megabytes > limits.max_megabytes:
        raise InputError(
            f"{file.name} has {megabytes:.0f} MB, more than {limits.max_megabytes} MB: "
            "take a smaller file"
        )
    try:
        picture = load_image(file, max_pixels=limits.max_pixels, long_side=LONG_SIDE)
    except InputError as error:
        raise InputError(str(error).replace(str(file), file.name)) from None
    return replace(picture, name=file.name)


def drawn_mask(layers: Sequence[NDArray[Any]], *, inside: bool = True) -> Picture | None:
    """The mask of what was drawn over a photo.

    Args:
        layers: ``(H, W, 4)`` uint8 each, transparent where nothing was drawn.
        inside: Whether the strokes say where to paint; otherwise where not to.

    Returns:
        White where to paint, black elsewhere; None if nothing was drawn.
    """
    covers = [layer[..., 3] > 127 for layer in layers if layer.ndim == 3 and layer.shape[2] == 4]
    drawn = np.logical_or.reduce(covers) if covers else np.zeros((1, 1), bool)
    if not drawn.any():
        return None
    where = (drawn if inside else ~drawn).astype(np.float32)
    return Picture(np.repeat(where[..., None], 3, axis=2), name="drawn mask")
