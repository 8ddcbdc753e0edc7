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
from impasto.stylizers.body import StylePack, Works
from impasto.stylizers.body.pack import SUFFIX
from impasto.stylizers.body.pack_file import read_pack

# Larger than results are, prints apart, and than any artwork is looked at.
LONG_SIDE = 4096
MOST_WORKS = 24


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
        try:
            picture = load_image(file, max_pixels=self.limits.max_pixels, long_side=LONG_SIDE)
        except InputError as error:
            raise InputError(str(error).replace(str(file), file.name)) from None
        return replace(picture, name=file.name)

    def read_body(self, paths: Sequence[Any]) -> StylePack | Works:
        """Read a body of work that a visitor uploaded, within the limits.

        Args:
            paths: What came from outside as the paths of several artworks, or of one style pack.

        Raises:
            InputError: If it is empty or too large, or a file of it cannot be read.
        """
        if not 1 <= len(paths) <= MOST_WORKS:
            raise InputError(f"a body of work has from 1 to {MOST_WORKS} files, not {len(paths)}")
        files = [self._file(path, "artwork") for path in paths]
        if not any(file.suffix.lower() == SUFFIX for file in files):
            for file in files:  # here, where the limits are known
                self.read(str(file), "artwork")
            return Works(f"{len(files)} artworks" if files[1:] else files[0].name, tuple(files))
        (file, *others) = files
        if others:
            raise InputError("a style pack is a body of work by itself: give no other files")
        try:
            return read_pack(file, name=file.name)
        except InputError as error:
            raise InputError(str(error).replace(str(file), file.name)) from None

    def _file(self, path: Any, what: str) -> Path:
        """The file, if it is there, no link and not too large.

        The answer to any path that is not of this folder is the same.
        """
        try:
            status = os.lstat(path) if self.holds(path) else None
        except (OSError, ValueError):  # not there; or no path at all, as with a null character
            status = None
        if status is None or not stat.S_ISREG(status.st_mode):
            raise InputError(f"the {what} is no longer here: upload it again")
        megabytes = status.st_size / 1e6
        if megabytes > self.limits.max_megabytes:
            raise InputError(
                f"{Path(path).name} has {megabytes:.0f} MB, more than {self.limits.max_megabytes} "
                "MB: take a smaller file"
            )
        return Path(path)


def drawn_mask(
    layers: Sequence[Picture], levels: tuple[float, float] = (0, 1), *, soft: float = 0.0
) -> Picture | None:
    """The mask, or the map, of what was drawn over a photo.

    Args:
        layers: Of one size, transparent where nothing was drawn.
        levels: How light it is outside and within the strokes, from 0 to 1.
        soft: Over how much of the longer side the edge goes from the one to the other.

    Returns:
        A picture in greys; None if nothing was drawn.

    Raises:
        InputError: If ``soft`` or a level is no number from 0 to 1.
    """
    covers = [np.ones(1) if layer.alpha is None else layer.alpha for layer in layers]
    drawn = np.logical_or.reduce([cover > 0.5 for cover in covers])
    if not np.any(drawn):
        return None
    for what, value in (("the soft edge", soft), *(("the style", level) for level in levels)):
        if not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise InputError(f"{what} has to be a number from 0 to 1, not {value!r}")
    cover = Image.fromarray(np.uint8(255) * drawn.astype(np.uint8))
    # Some four deviations of a Gaussian are what one sees of its width.
    blurred = cover.filter(ImageFilter.GaussianBlur(soft * max(drawn.shape) / 4))
    outside, within = levels
    where = outside + (within - outside) * np.asarray(blurred, np.float32) / 255
    return Picture(np.repeat(where[..., None], 3, axis=2), name="drawing")
