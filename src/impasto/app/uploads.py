"""Uploads of visitors, as pictures and masks."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from impasto.app.limits import Limits
from impasto.errors import InputError
from impasto.image import Picture, load_image

# Larger than any result, and than any artwork is looked at.
LONG_SIDE = 4096


@dataclass(frozen=True)
class Inbox:
    """The folder in which uploads arrive, and the only one that is read from.

    Attributes:
        folder: The app's own temporary folder, without links in its path.
        limits: How large a file and a picture may be.
    """

    folder: Path
    limits: Limits

    def holds(self, path: Any) -> bool:
        """Whether a path that came from outside is one of this folder; told from its text alone."""
        if not isinstance(path, str):
            return False
        place = PurePath(path)
        return ".." not in place.parts and self.folder in place.parents

    def read(self, path: Any, what: str = "photo") -> Picture:
        """Read a file that a visitor uploaded, within the limits.

        Args:
            path: What came from outside as its path; empty: nothing was uploaded.
            what: How the message calls it where it is missing.

        Returns:
            The picture under the name that its file had, at most ``LONG_SIDE`` pixels long.

        Raises:
            InputError: If there is none, it is not of this folder, too large, or no picture that
                can be read.
        """
        if not path:
            raise InputError(f"no {what} yet: choose one first")
        file = self._file(path, what)
        megabytes = file.stat().st_size / 1e6
        if megabytes > self.limits.max_megabytes:
            raise InputError(
                f"{file.name} has {megabytes:.0f} MB, more than {self.limits.max_megabytes} MB: "
                "take a smaller file"
            )
        try:
            picture = load_image(file, max_pixels=self.limits.max_pixels, long_side=LONG_SIDE)
        except InputError as error:
            raise InputError(str(error).replace(str(file), file.name)) from None
        return replace(picture, name=file.name)

    def _file(self, path: Any, what: str) -> Path:
        """The file, if it is there and no link; the answer to any other path is the same."""
        try:
            if self.holds(path) and stat.S_ISREG(os.lstat(path).st_mode):
                return Path(path)
        except (OSError, ValueError):  # not there; or no path at all, as with a null character
            pass
        raise InputError(f"the {what} is no longer here: upload it again")


def drawn_mask(
    layers: Sequence[Picture], *, inside: bool = True, soft: float = 0.0
) -> Picture | None:
    """The mask of what was drawn over a photo.

    Args:
        layers: Of one size, transparent where nothing was drawn.
        inside: Whether the strokes say where to paint; otherwise where not to.
        soft: Over how much of the longer side the edge goes from black to white.

    Returns:
        White where to paint, black elsewhere, grey at the edge; None if nothing was drawn.

    Raises:
        InputError: If ``soft`` is no number from 0 to 1.
    """
    covers = [np.ones(1) if layer.alpha is None else layer.alpha for layer in layers]
    drawn = np.logical_or.reduce([cover > 0.5 for cover in covers])
    if not np.any(drawn):
        return None
    if not isinstance(soft, (int, float)) or not 0 <= soft <= 1:
        raise InputError(f"the soft edge has to be a number from 0 to 1, not {soft!r}")
    cover = Image.fromarray(np.uint8(255) * drawn.astype(np.uint8))
    # Some four deviations of a Gaussian are what one sees of its width.
    blurred = cover.filter(ImageFilter.GaussianBlur(soft * max(drawn.shape) / 4))
    where = np.asarray(blurred, np.float32) / 255
    where = where if inside else 1 - where
    return Picture(np.repeat(where[..., None], 3, axis=2), name="drawn mask")
