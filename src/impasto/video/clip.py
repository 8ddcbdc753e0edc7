"""Reading a video: upright frames in sRGB, one after the other, and what is known of them."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import InputError
from impasto.flow import Pixels
from impasto.video.film import Animation, Film, opened
from impasto.video.frames import (
    deinterlaced,
    developed,
    has_alpha,
    is_high_dynamic_range,
    shown_size,
)

# Seconds as people write them meet time stamps within this.
_TOLERANCE = Fraction(1, 1000)


@dataclass(frozen=True)
class Frame:
    """One frame.

    Attributes:
        pixels: ``(H, W, 3)`` uint8, RGB.
        time: When it is shown, in seconds from the first frame that is shown.
        duration: For how long, in seconds; 0 where the file does not say.
    """

    pixels: Pixels
    time: Fraction
    duration: Fraction


@dataclass(frozen=True)
class Clip:
    """A video file, or the part of it from ``start`` to ``end``.

    Attributes:
        path: The file.
        size: (height, width) as it is shown: upright, with square pixels.
        rate: Frames per second, on average.
        time_base: The unit of its time stamps, in seconds.
        origin: The time stamp of the first frame shown, in seconds.
        start: Where the part starts, in seconds.
        end: Where it ends; None for the end of the file.
        frames_expected: About how many frames there are; None where the file does not say.
        plays: How often an animation is played; 0 for ever.
        ground: The grey level that transparent frames are laid on.
        notices: What the user should know about how its frames are read, one line each.
    """

    path: Path
    size: tuple[int, int]
    rate: Fraction
    time_base: Fraction
    origin: Fraction
    start: float = 0.0
    end: float | None = None
    frames_expected: int | None = None
    plays: int = 0
    ground: int = 255
    notices: tuple[str, ...] = ()

    @property
    def until(self) -> Fraction | None:
        """The time stamp at which the part ends; None for the end of the file."""
        if self.end is None:
            return None
        return self.origin + Fraction(self.end) - Fraction(self.start) - _TOLERANCE

    def frames(
        self, size: tuple[int, int] | None = None, *, skip: int = 0
    ) -> Generator[Frame, None, None]:
        """Decode frames one by one; only one is held in memory.

        Damaged parts are passed over with a warning. Frames that share a time stamp are shown
        one after the other.

        Args:
            size: (height, width) to scale them to.
            skip: Leave out so many frames.
        """
        start = self.origin if self.start else None
        with opened(self.path) as film:
            last = None
            for frame in deinterlaced(film.frames(start)):
                time = _time(frame, self.rate, last)
                if time < self.origin:
                    continue
                if last is not None and time <= last:
                    time = last + self.time_base
                if self.until is not None and time >= self.until:
                    return
                last = time
                if skip:
                    skip -= 1
                    continue
                duration = Fraction((frame.duration or 0) * frame.time_base)
                pixels = developed(frame, size or self.size, self.ground)
                yield Frame(pixels, time - self.origin, duration)


def open_clip(path: str | Path, *, start: float = 0.0, end: float | None = None) -> Clip:
    """Look at a video file or an animated picture.

    Args:
        path: The file.
        start: Where to start, in seconds from its beginning.
        end: Where to end; at its end if left out.

    Raises:
        InputError: If it is no video that can be decoded, or has no frames in this part.
        MissingExtraError: If the package av is not installed.
    """
    path = Path(path)
    if start < 0 or (end is not None and end <= start):
        raise InputError(f"the part from {start:g} s to {end:g} s is empty: start before the end")
    with opened(path) as film:
        earliest = film.beginning + Fraction(start) - _TOLERANCE if start else None
        for first in film.frames(earliest):
            origin = _time(first, Fraction(25), None)
            if earliest is None or origin >= earliest:
                break
        else:
            where = f" after {start:g} s" if start else ""
            raise InputError(f"{path} has no frames that can be decoded{where}")
        size = shown_size(first, film.aspect)
        clip = Clip(path, size, film.rate, film.time_base, origin, start, end, plays=film.plays)
        return replace(_with_count(clip, film), notices=_notices(first))


def _with_count(clip: Clip, film: Film | Animation) -> Clip:
    if film.length is None:
        return clip
    until = min(film.length, Fraction(clip.end)) if clip.end is not None else film.length
    count = math.ceil((until - Fraction(clip.start) - _TOLERANCE) * clip.rate)
    return replace(clip, frames_expected=max(1, count))


def _notices(frame: Any) -> tuple[str, ...]:
    notices = []
    if is_high_dynamic_range(frame):
        notices.append("of a high dynamic range: its highlights are pressed into that of a screen")
    if frame.interlaced_frame:
        notices.append("interlaced: its fields are made into whole frames")
    if has_alpha(frame) and np.any(frame.reformat(format="rgba").to_ndarray()[..., 3] < 255):
        notices.append("transparent: it is laid on white")
    return tuple(notices)


def _time(frame: Any, rate: Fraction, last: Fraction | None) -> Fraction:
    if frame.pts is not None:
        return Fraction(frame.pts * frame.time_base)
    return Fraction(0) if last is None else last + 1 / rate
