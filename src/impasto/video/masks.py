"""Masks of a video: a picture for all frames, or a video of masks."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from impasto.errors import InputError
from impasto.flow import Pixels
from impasto.image import Picture, load_mask
from impasto.image.picture import Floats
from impasto.video.clip import Clip, Frame, open_clip
from impasto.video.consistency import as_picture

logger = logging.getLogger(__name__)


class Masks:
    """The masks of a film's frames: white is painted, black stays as it is, grey is in between.

    A video of masks goes with the whole film: a part of the film takes the same part of it. A
    frame has the mask that is shown at its time; where masks end before the film, the last stays.

    Args:
        path: A picture or a video, of the shape of the film.
        clip: The film.
        size: (height, width) of its painted frames.

    Raises:
        InputError: If it cannot be read, has another shape, or is a picture that is black all over.
    """

    def __init__(self, path: Path, clip: Clip, size: tuple[int, int]) -> None:
        self.name = path.name
        self._frame = blank(clip, size)
        self._moving = _moving(path, clip)
        if self._moving is None:
            self._now = load_mask(path, self._frame)
            return
        self._now = self._read(np.full((*self._moving.size, 3), 255, np.uint8))
        if _seconds(self._moving) < 0.9 * _seconds(clip):
            logger.warning("%s ends before %s: its last mask stays", path, clip.path)

    def __iter__(self) -> Iterator[tuple[Fraction, Floats]]:
        """Each mask ``(H, W)`` in [0, 1] and when it begins to count, in seconds."""
        if self._moving is None:
            yield Fraction(0), self._now
            return
        for frame in self._moving.frames():
            yield frame.time, self._read(frame.pixels)

    def _read(self, pixels: Pixels) -> Floats:
        if not pixels.any():
            return np.zeros(self._frame.size, np.float32)
        return load_mask(as_picture(pixels, self.name), self._frame)


def at_times(
    frames: Iterable[Frame], masks: Iterable[tuple[Fraction, Floats]]
) -> Iterator[tuple[Frame, Floats]]:
    """Each frame with the mask that is shown at its time."""
    coming = iter(masks)
    now, following = next(coming)[1], next(coming, None)
    for frame in frames:
        while following is not None and following[0] <= frame.time:
            now, following = following[1], next(coming, None)
        yield frame, now


def blank(clip: Clip, size: tuple[int, int]) -> Picture:
    """An empty frame of a film, of which masks and maps have to have the shape."""
    return as_picture(np.zeros((*size, 3), np.uint8), clip.path.name)


def _moving(path: Path, clip: Clip) -> Clip | None:
    """The video of masks; None for a picture, or what is not read as a video."""
    try:
        masks = open_clip(path, start=clip.start, end=clip.end)
    except InputError:
        return None
    # As in pictures, what is transparent does not belong to a mask.
    return None if masks.frames_expected == 1 else replace(masks, ground=0)


def _seconds(clip: Clip) -> float:
    return float((clip.frames_expected or 0) / clip.rate)
