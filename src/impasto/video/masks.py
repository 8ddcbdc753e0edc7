"""Masks and maps of a video: a picture for all frames, or a video of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import InputError
from impasto.flow import Pixels
from impasto.image import Picture, load_mask
from impasto.image.masks import load_grey
from impasto.image.picture import Floats
from impasto.stylizers.base import Stylizer
from impasto.video.clip import Clip, Frame, open_clip
from impasto.video.consistency import Shown, as_picture

logger = logging.getLogger(__name__)


class Masks:
    """The masks, or the maps, of a film's frames.

    A video of masks goes with the whole film: a part of the film takes the same part of it. A
    frame has the mask that is shown at its time; where masks end before the film, the last stays.

    Args:
        path: A picture or a video, of the shape of the film.
        clip: The film.
        size: (height, width) of its painted frames.
        what: "mask"; or "map", as which a picture may be black all over.

    Raises:
        InputError: If it cannot be read, has another shape, or is a mask that is black all over.
    """

    def __init__(self, path: Path, clip: Clip, size: tuple[int, int], what: str = "mask") -> None:
        self.path, self.what = path, what
        self._frame = blank(clip, size)
        self._moving = moving(path, clip)
        if self._moving is None:
            load = load_mask if what == "mask" else load_grey
            self._now = load(path, self._frame)
            return
        self._now = self._read(np.full((*self._moving.size, 3), 255, np.uint8))
        if _seconds(self._moving) < 0.9 * _seconds(clip):
            logger.warning("%s ends before %s: its last %s stays", path, clip.path, what)

    def __iter__(self) -> Iterator[tuple[Fraction, Floats]]:
        """Each mask ``(H, W)`` in [0, 1] and when it begins to count, in seconds."""
        if self._moving is None:
            yield Fraction(0), self._now
            return
        for frame in self._moving.frames():
            yield frame.time, self._read(frame.pixels)

    def _read(self, pixels: Pixels) -> Floats:
        return load_grey(as_picture(pixels, self.path.name), self._frame, self.what)


class MovingMaps:
    """Maps of a stylizer that move with a film; its other maps stay.

    Args:
        files: A video for each name of a map, as ``Stylizer.set_maps`` has them.
        stylizer: Paints the frames.
    """

    def __init__(self, files: Mapping[str, Path], stylizer: Stylizer[Any]) -> None:
        self.files, self.stylizer, self.still = files, stylizer, stylizer.maps

    def follow(self, maps: Mapping[str, Floats]) -> None:
        """Give the stylizer the maps of the next frame."""
        if maps:
            self.stylizer.set_maps(**{**self.still, **maps})


class _Showing:
    """What is shown of masks at a time, asked in the order of times."""

    def __init__(self, masks: Iterable[tuple[Fraction, Floats]]) -> None:
        self._coming = iter(masks)
        self._now, self._following = next(self._coming)[1], next(self._coming, None)

    def at(self, time: Fraction) -> Floats:
        while self._following is not None and self._following[0] <= time:
            self._now, self._following = self._following[1], next(self._coming, None)
        return self._now


def at_times(
    frames: Iterable[Frame], masks: Mapping[str, Iterable[tuple[Fraction, Floats]]]
) -> Iterator[tuple[Frame, Shown]]:
    """Each frame with the masks, by name, that are shown at its time."""
    showing = {name: _Showing(each) for name, each in masks.items()}
    for frame in frames:
        yield frame, {name: each.at(frame.time) for name, each in showing.items()}


def blank(clip: Clip, size: tuple[int, int]) -> Picture:
    """An empty frame of a film, of which masks and maps have to have the shape."""
    return as_picture(np.zeros((*size, 3), np.uint8), clip.path.name)


def moving(path: Path, clip: Clip) -> Clip | None:
    """The video of masks for a film; None for a picture, or what is not read as a video."""
    try:
        masks = open_clip(path, start=clip.start, end=clip.end)
    except InputError:
        return None
    # As in pictures, what is transparent does not belong to a mask.
    return None if masks.frames_expected == 1 else replace(masks, ground=0)


def _seconds(clip: Clip) -> float:
    return float((clip.frames_expected or 0) / clip.rate)
