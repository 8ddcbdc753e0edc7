"""An open video file: its decoded frames, one after the other, with times that only ever go on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from impasto.errors import InputError
from impasto.media.encoding import load_av

logger = logging.getLogger(__name__)

# Formats that Pillow reads: FFmpeg decodes no animated WebP and does not tell how often they play.
_ANIMATIONS = ("GIF", "WEBP", "PNG")
_MAGIC = (b"GIF8", b"RIFF", b"\x89PNG")
# Codecs of covers: where there is another stream as well, that one is the film.
_STILLS = ("bmp", "mjpeg", "png", "webp")
# Browsers show frames of no more than this for longer, since nobody means it (milliseconds).
_HASTY_MS, _USUAL_MS = 10, 100
# Frames per second that a file may say without being mistaken, and what is taken then.
_FASTEST, _USUAL = 1000, Fraction(25)
# Seconds by which time stamps go back or ahead where files were joined, and not by rounding.
_BACK, _AHEAD = Fraction(1, 10), Fraction(10)


@contextmanager
def opened(path: Path) -> Iterator[Film | Animation]:
    """A video file or an animated picture, opened for reading.

    Raises:
        InputError: If it is not there, no video, or its codec is unknown.
    """
    av = load_av()
    if not path.is_file():
        raise InputError(f"cannot read {path}: there is no such file")
    try:
        if image := _animation(path):
            with image:
                yield Animation(path, image)
            return
        # With its folder, so that a colon in a name does not make it a protocol of FFmpeg's.
        container = av.open(str(path.absolute()), metadata_errors="replace")
    except (av.error.FFmpegError, OSError) as error:
        raise InputError(f"cannot read {path}: it is no video, or cut off or damaged") from error
    with container:
        yield Film(path, container)


def _animation(path: Path) -> Image.Image | None:
    """The file, opened by Pillow, if it is an animation."""
    with path.open("rb") as file:
        if file.read(4) not in _MAGIC:
            return None
    try:
        return Image.open(path, formats=_ANIMATIONS)
    except UnidentifiedImageError:
        return None  # AVI begins as WebP does


class Film:
    """A video file that FFmpeg reads.

    Args:
        path: The file.
        container: The file, opened by PyAV.

    Attributes:
        stream: The film among the video streams: no cover, no picture that stands still.
        rate: Frames per second, on average.
        time_base: The unit of its time stamps, in seconds.
        aspect: By how much its pixels are wider than high.
        length: In seconds; None where the file does not say.
        plays: How often it is played; 0 for ever.

    Raises:
        InputError: If there is no film in it, or no decoder for it.
    """

    plays = 0

    def __init__(self, path: Path, container: Any) -> None:
        self.path, self.container = path, container
        self.stream = stream = _film_of(container, path)
        stream.thread_type = "AUTO"
        rates = (stream.average_rate, stream.guessed_rate, stream.base_rate)
        self.rate = next((Fraction(rate) for rate in rates if rate and rate <= _FASTEST), _USUAL)
        self.time_base = Fraction(stream.time_base)
        self.aspect = Fraction(stream.sample_aspect_ratio or 1)
        self.length: Fraction | None = None
        if stream.duration:
            self.length = Fraction(stream.duration * stream.time_base)
        elif container.duration:
            self.length = Fraction(container.duration, 1_000_000)
        elif container.format.name.endswith("_pipe"):
            self.length = 1 / self.rate

    @property
    def beginning(self) -> Fraction:
        """The time stamp of the beginning of the file, in seconds."""
        if self.stream.start_time is not None:
            return Fraction(self.stream.start_time * self.time_base)
        return Fraction(self.container.start_time or 0, 1_000_000)

    def packets(self, others: Iterable[Any] = ()) -> Iterator[Any]:
        """Packets of the film and of other streams, with times that go on where files were joined.

        The sound takes part whether it is asked for or not, so that a join is found at the same
        place by whoever reads the film alone and by whoever reads all.
        """
        wanted = {self.stream, *others}
        clock = _Clock(self.rate, jumps=_may_jump(self.container))
        for packet in self._demuxed([*wanted.union(self.container.streams.audio)]):
            clock.set(packet, leads=packet.stream == self.stream)
            if packet.stream in wanted:
                yield packet

    def _demuxed(self, streams: list[Any]) -> Iterator[Any]:
        av = load_av()
        try:
            yield from self.container.demux(streams)
        except av.error.FFmpegError:
            self._tell_of_damage()

    def frames(self, start: Fraction | None = None) -> Iterator[Any]:
        """Decode the film; what cannot be decoded is left out and told.

        Args:
            start: The time stamp, in seconds, from which frames are wanted; some before it come
                as well.
        """
        decode = _decoder(self.stream)
        damaged = 0
        for packet in _from_keyframe(self.packets(), start):
            frames = decode(packet)
            damaged += frames is None
            yield from frames or ()
        if damaged:
            self._tell_of_damage()

    def _tell_of_damage(self) -> None:
        logger.warning(
            "%s is cut off or damaged: frames that cannot be read are left out", self.path
        )


def _film_of(container: Any, path: Path) -> Any:
    """The video stream that is meant."""
    flags = load_av().stream.Disposition
    pictures = flags.attached_pic | flags.timed_thumbnails
    films = [stream for stream in container.streams.video if not stream.disposition & pictures]
    if not films:
        raise InputError(f"{path} has no video stream")

    def rank(stream: Any) -> tuple[bool, ...]:
        context = stream.codec_context
        moves = stream.frames != 1 and (context is None or context.name not in _STILLS)
        return context is not None, moves, bool(stream.disposition & flags.default)

    film = max(films, key=rank)
    if film.codec_context is None:
        raise InputError(f"{path}: there is no decoder for its codec")
    return film


def _decoder(stream: Any) -> Callable[[Any], list[Any] | None]:
    """A function from a packet to its frames; to None where it is damaged."""
    av = load_av()
    library = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(stream.codec_context.name)
    context: Any = None
    if stream.metadata.get("alpha_mode") == "1" and library in av.codecs_available:
        # FFmpeg's own decoders do not see the alpha of such a film.
        context = av.CodecContext.create(library, "r")

    def decode(packet: Any) -> list[Any] | None:
        try:
            if context is None:
                return list(packet.decode())
            return list(context.decode(packet if packet.size else None))
        except av.error.FFmpegError:
            return None

    return decode


def _from_keyframe(packets: Iterator[Any], start: Fraction | None) -> Iterator[Any]:
    """Packets from the last keyframe before a time on.

    Time stamps are followed from the beginning instead of sought: a search goes astray where they
    begin anew, and fails where the end of the file, with its index, is missing.
    """
    waiting: list[Any] = []
    for packet in packets:
        if packet.is_keyframe:
            waiting.clear()
        waiting.append(packet)
        if start is None or packet.pts is None or packet.pts * packet.time_base >= start:
            yield from waiting
            yield from packets


def _may_jump(container: Any) -> bool:
    """Whether time stamps of this format may jump ahead (MPEG streams, Ogg)."""
    return bool(container.format.flags & load_av().format.Flags.ts_discont.value)


class _Clock:
    """Time stamps that go on where those of the file begin anew or jump.

    Args:
        rate: Frames per second, for packets that do not say how long they last.
        jumps: Whether a jump ahead is taken for a join as well; elsewhere it is a long frame.
    """

    def __init__(self, rate: Fraction, *, jumps: bool) -> None:
        self.frame = 1 / rate
        self.ahead = _AHEAD if jumps else None
        self.shifts = [Fraction(0), Fraction(0)]  # after the last join, and before it
        self.last: dict[int, tuple[Fraction, Fraction]] = {}  # time and end of each stream

    def set(self, packet: Any, *, leads: bool) -> None:
        """Set a packet's time stamps; those of the leading stream decide where joins are."""
        shift = self.shifts[0]
        if packet.dts is not None:  # the order of pts says nothing
            time = Fraction(packet.dts * packet.time_base)
            shift = self._shift(packet.stream.index, time, leads)
            length = packet.duration * packet.time_base if packet.duration else self.frame
            self.last[packet.stream.index] = time + shift, time + shift + length
            packet.dts += round(shift / packet.time_base)
        if packet.pts is not None:
            packet.pts += round(shift / packet.time_base)

    def _shift(self, index: int, time: Fraction, leads: bool) -> Fraction:
        if index not in self.last:
            return self.shifts[0]
        before, end = self.last[index]
        # Packets of before the join may still come after it.
        known = self.shifts[:1] if leads else self.shifts
        shift = min(known, key=lambda each: abs(time + each - end))
        step = time + shift - before
        if step < -_BACK or (self.ahead and step > self.ahead):
            shift = (end if leads else max(end for _, end in self.last.values())) - time
            self.shifts = [shift, self.shifts[0]]
        return shift


class Animation:
    """An animated GIF, WebP or PNG, or a still one; attributes as of ``Film``.

    Args:
        path: The file.
        image: The file, opened by Pillow.
    """

    stream = None
    aspect = Fraction(1)
    beginning = Fraction(0)
    time_base = Fraction(1, 1000)

    def __init__(self, path: Path, image: Any) -> None:
        self.path, self.image = path, image
        image.load()  # WebP tells of a frame's length once it is read
        first = _milliseconds(image)
        self.rate = Fraction(1000, first)
        self.length: Fraction | None = first * getattr(image, "n_frames", 1) * self.time_base
        self.plays = _plays(image)

    def frames(self, start: Fraction | None = None) -> Iterator[Any]:
        """Decode it, as ``Film.frames`` does."""
        av = load_av()
        time = 0
        for number in range(getattr(self.image, "n_frames", 1)):
            try:
                self.image.seek(number)
                pixels = np.array(self.image.convert("RGBA"))
            except (OSError, EOFError, SyntaxError):
                logger.warning("%s is cut off or damaged: the rest is left out", self.path)
                return
            frame = av.VideoFrame.from_ndarray(pixels, format="rgba")
            frame.pts, frame.time_base = time, self.time_base
            frame.duration = _milliseconds(self.image)
            time += frame.duration
            yield frame


def _milliseconds(image: Any) -> int:
    """For how long browsers show the frame that is loaded."""
    told = round(image.info.get("duration", 0))
    return told if told > _HASTY_MS else _USUAL_MS


def _plays(image: Any) -> int:
    """How often an animation is played; 0 for ever."""
    told = int(image.info.get("loop", 1 if image.format == "GIF" else 0))
    # GIF counts how often it is played again.
    return told + 1 if image.format == "GIF" and told and "loop" in image.info else told
