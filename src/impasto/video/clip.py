"""Reading a video: upright frames in sRGB, one after the other, and what is known of them."""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from impasto.errors import ImpastoError, InputError
from impasto.flow import Pixels
from impasto.media.encoding import load_av

logger = logging.getLogger(__name__)

# ITU-T H.273: transfer characteristics PQ and HLG, which need more than sRGB can show.
_HIGH_DYNAMIC_RANGE = (16, 18)
_UNSPECIFIED = 2
# Video that does not say its matrix: players take BT.709 from this height on, BT.601 below.
_HD = 720
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
    """

    path: Path
    size: tuple[int, int]
    rate: Fraction
    time_base: Fraction
    origin: Fraction
    start: float = 0.0
    end: float | None = None
    frames_expected: int | None = None

    @property
    def _until(self) -> Fraction:
        """The time stamp at which the part ends."""
        assert self.end is not None
        return self.origin + Fraction(self.end) - Fraction(self.start) - _TOLERANCE

    def frames(
        self, size: tuple[int, int] | None = None, *, skip: int = 0
    ) -> Generator[Frame, None, None]:
        """Decode frames one by one; only one is held in memory.

        Damaged parts are passed over with a warning.

        Args:
            size: (height, width) to scale them to.
            skip: Leave out so many frames.
        """
        with opened(self.path) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            if self.start:
                _seek(container, stream, self.origin)
            last = None
            for frame in _decoded(container, stream, self.path):
                time = _time(frame, self.rate, last)
                if time < self.origin or (last is not None and time <= last):
                    continue
                if self.end is not None and time >= self._until:
                    return
                last = time
                if skip:
                    skip -= 1
                    continue
                duration = (frame.duration or 0) * stream.time_base
                yield Frame(_upright(frame, size or self.size), time - self.origin, duration)


def open_clip(path: str | Path, *, start: float = 0.0, end: float | None = None) -> Clip:
    """Look at a video file.

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
    with opened(path) as container:
        stream = container.streams.video[0]
        beginning = _beginning(container, stream)
        if start:
            _seek(container, stream, beginning + Fraction(start))
        for first in _decoded(container, stream, path):
            origin = _time(first, Fraction(25), None)
            if origin >= beginning + Fraction(start) - _TOLERANCE:
                break
        else:
            where = f" after {start:g} s" if start else ""
            raise InputError(f"{path} has no frames that can be decoded{where}")
        if first.color_trc in _HIGH_DYNAMIC_RANGE:
            logger.warning("%s has a high dynamic range: its colours will look pale", path)
        rate = Fraction(stream.average_rate or stream.guessed_rate or 25)
        height, width = _shown_size(first, stream.sample_aspect_ratio)
        clip = Clip(path, (height, width), rate, stream.time_base, origin, start, end)
        return _with_count(clip, container, stream)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A file opened for reading that has a video stream.

    Raises:
        InputError: If it is not there, no video, or its codec is unknown.
    """
    av = load_av()
    if not path.is_file():
        raise InputError(f"cannot read {path}: there is no such file")
    try:
        container = av.open(str(path), metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        raise InputError(f"cannot read {path}: it is no video, or cut off or damaged") from error
    with container:
        pictures = av.stream.Disposition.attached_pic
        streams = [s for s in container.streams.video if not s.disposition & pictures]
        if not streams:
            raise InputError(f"{path} has no video stream")
        if streams[0].codec_context is None:
            raise InputError(f"{path}: there is no decoder for its codec")
        yield container


def _beginning(container: Any, stream: Any) -> Fraction:
    """The time stamp of the beginning of the file, in seconds."""
    if stream.start_time is not None:
        return Fraction(stream.start_time * stream.time_base)
    return Fraction(container.start_time or 0, 1_000_000)


def _seek(container: Any, stream: Any, time: Fraction) -> None:
    """Go to the last keyframe before a time stamp.

    Raises:
        InputError: If the file has no index, as where its end is missing.
    """
    try:
        container.seek(int(time / stream.time_base), stream=stream)
    except load_av().error.FFmpegError as error:
        raise InputError(
            f"{container.name} has no index to find a start by: leave out the start"
        ) from error


def _with_count(clip: Clip, container: Any, stream: Any) -> Clip:
    length = stream.duration * stream.time_base if stream.duration else None
    if length is None and container.duration:
        length = Fraction(container.duration, 1_000_000)
    if length is None:
        return clip
    until = min(length, Fraction(clip.end)) if clip.end is not None else length
    return replace(clip, frames_expected=max(1, round((until - Fraction(clip.start)) * clip.rate)))


def _decoded(container: Any, stream: Any, path: Path) -> Iterator[Any]:
    """Frames of a stream; packets that cannot be decoded are left out and told once."""
    av = load_av()
    damaged = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except av.error.FFmpegError:
            damaged += 1
            break
        try:
            yield from packet.decode()
        except av.error.FFmpegError:
            damaged += 1
    if damaged:
        logger.warning("%s is cut off or damaged: frames that cannot be read are left out", path)


def _time(frame: Any, rate: Fraction, last: Fraction | None) -> Fraction:
    if frame.pts is not None:
        return Fraction(frame.pts * frame.time_base)
    return Fraction(0) if last is None else last + 1 / rate


def _quarters(frame: Any) -> int:
    """By how many quarter turns counterclockwise the frame is to be shown."""
    return int(round(frame.rotation / 90) % 4)


def _shown_size(frame: Any, aspect: Fraction | None) -> tuple[int, int]:
    """(height, width) of a frame whose pixels are ``aspect`` times as wide as high."""
    width, height = round(frame.width * (aspect or 1)), frame.height
    return (width, height) if _quarters(frame) % 2 else (height, width)


def _upright(frame: Any, size: tuple[int, int]) -> Pixels:
    """The frame in RGB, scaled and turned."""
    from av.video.reformatter import Colorspace

    quarters = _quarters(frame)
    height, width = size[::-1] if quarters % 2 else size
    matrix = {}
    if frame.colorspace == _UNSPECIFIED:
        matrix["src_colorspace"] = Colorspace.ITU709 if frame.height >= _HD else Colorspace.ITU601
    try:
        picture = frame.reformat(
            width=width, height=height, format="rgb24", interpolation="BICUBIC", **matrix
        )
    except (ValueError, OSError) as error:
        raise ImpastoError(f"a frame cannot be converted to RGB: {error}") from error
    return np.ascontiguousarray(np.rot90(picture.to_ndarray(), quarters))
