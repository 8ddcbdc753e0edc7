"""From segments to the finished video with the sound of its source, or to a GIF or WebP."""

from __future__ import annotations

import heapq
import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from impasto.errors import ImpastoError, InputError
from impasto.files import atomic
from impasto.flow import Pixels
from impasto.media.encoding import GIF_SHORTEST, GIF_TICK, WEBP_QUALITY, load_av, with_palette
from impasto.video.clip import Clip, Frame, opened
from impasto.video.segments import Segments

logger = logging.getLogger(__name__)

MOVIES = (".mp4", ".mov", ".m4v", ".mkv")
ANIMATIONS = (".gif", ".webp")

_WEBP_BASE = Fraction(1, 1000)


def check_target(target: Path, source: Path) -> None:
    """Refuse now what could not be written after a long run.

    Raises:
        InputError: If the suffix is unknown, the folder is missing, or the target is a folder or
            the source itself.
    """
    if target.suffix.lower() not in MOVIES + ANIMATIONS:
        known = ", ".join(MOVIES + ANIMATIONS)
        raise InputError(f"cannot write a video to {target.name}: use one of {known}")
    if not target.resolve().parent.is_dir():
        raise InputError(f"cannot write {target}: the folder {target.parent} does not exist")
    if target.is_dir():
        raise InputError(f"cannot write {target}: it is a folder")
    if target.resolve() == source.resolve():
        raise InputError(f"{target} is the source itself: give another file with -o")


def finish(
    segments: Segments, clip: Clip, target: Path, settings: Mapping[str, object], *, whole: bool
) -> None:
    """Write the video of the frames that are done.

    Args:
        segments: The frames.
        clip: Where they came from, for the sound: copied as it is where the target can hold it,
            as AAC otherwise. Animations have none.
        target: The file, written whole or not at all.
        settings: Kept in the metadata.
        whole: Whether all frames are there; the sound of a part ends with it.

    Raises:
        ImpastoError: If it cannot be written.
    """
    with atomic(target) as temporary:
        try:
            if target.suffix.lower() in MOVIES:
                _write_movie(segments, clip, temporary, settings, whole)
            elif target.suffix.lower() == ".gif":
                _write_gif(segments.frames(), clip.rate, temporary)
            else:
                _write_webp(segments.frames(), clip.rate, temporary)
        except load_av().error.FFmpegError as error:
            raise ImpastoError(f"cannot write {target}: {error}") from error


def _write_movie(
    segments: Segments, clip: Clip, path: Path, settings: Mapping[str, object], whole: bool
) -> None:
    av = load_av()
    with ExitStack() as stack:
        first = stack.enter_context(av.open(str(segments.paths[0])))
        source = stack.enter_context(opened(clip.path))
        fast = {"movflags": "faststart"} if path.suffix.lower() != ".mkv" else {}
        out = stack.enter_context(av.open(str(path), "w", options=fast))
        video = out.add_stream_from_template(first.streams.video[0])
        until = None if whole and clip.end is None else _end(segments, clip)
        sounds = {
            stream: _Sound(stream, out, path.suffix.lower(), clip.origin, until)
            for stream in source.streams.audio
        }
        out.metadata["comment"] = json.dumps({"impasto": dict(settings)}, default=str)
        packets = [_of_video(segments, video)]
        if sounds:
            packets.append(_of_sound(source, sounds, clip))
        for _, packet in heapq.merge(*packets, key=lambda pair: pair[0]):
            out.mux(packet)


def _end(segments: Segments, clip: Clip) -> Fraction:
    """When the last frame that is done ends, in seconds."""
    last = Fraction(0)
    for packet in segments.packets():
        last = Fraction(packet.pts * packet.time_base) + packet.duration * packet.time_base
    return last or 1 / clip.rate


Timed = Iterator[tuple[Fraction, Any]]


def _of_video(segments: Segments, stream: Any) -> Timed:
    for packet in segments.packets():
        time = Fraction(packet.dts * packet.time_base)
        packet.stream = stream
        yield time, packet


def _of_sound(source: Any, sounds: Mapping[Any, _Sound], clip: Clip) -> Timed:
    """Packets of all audio streams in the order of the file."""
    if clip.start:
        source.seek(int(clip.origin * 1_000_000))
    for packet in source.demux(list(sounds)):
        yield from sounds[packet.stream].take(packet)


class _Sound:
    """One audio stream on its way to the target.

    Args:
        stream: The stream.
        out: The target.
        suffix: Its suffix.
        origin: The time stamp at which the target begins, in seconds.
        until: When the target ends, in seconds; None to take all there is.
    """

    def __init__(
        self, stream: Any, out: Any, suffix: str, origin: Fraction, until: Fraction | None
    ) -> None:
        self.origin, self.until = origin, until
        self.copies = _can_hold(suffix, stream.codec_context.codec.canonical_name)
        if self.copies:
            self.stream = out.add_stream_from_template(stream)
        else:
            logger.info("the sound (%s) is encoded as AAC", stream.codec_context.name)
            self.stream = out.add_stream("aac", rate=stream.rate)
            self.stream.layout = _named_layout(stream)

    def take(self, packet: Any) -> Timed:
        """What becomes of a packet: packets for the target with their times."""
        if not self.copies:
            yield from self._encoded(packet)
        elif packet.dts is not None and self._is_wanted(packet):
            shift = round(self.origin / packet.time_base)
            packet.dts -= shift
            packet.pts = None if packet.pts is None else packet.pts - shift
            time = Fraction(packet.dts * packet.time_base)
            packet.stream = self.stream
            yield time, packet

    def _encoded(self, packet: Any) -> Timed:
        frames = [frame for frame in packet.decode() if self._is_wanted(frame)]
        ends = packet.dts is None
        for frame in [*frames, None] if ends else frames:
            if frame is not None:
                frame.pts -= round(self.origin / frame.time_base)
            for made in self.stream.encode(frame):
                yield Fraction(made.dts * made.time_base), made

    def _is_wanted(self, part: Any) -> bool:
        """Whether a packet or frame lies within the target."""
        time = (part.dts if part.pts is None else part.pts) * part.time_base - self.origin
        # What comes before the first frame of a file belongs to it (the priming of AAC).
        begins = self.origin <= 0 or time >= 0
        return bool(begins and (self.until is None or time < self.until))


def _can_hold(suffix: str, codec: str) -> bool:
    """Whether players expect such sound in such a file; FFmpeg would write more than they play."""
    if suffix == ".mkv":
        return True
    if suffix == ".mov" and codec.startswith("pcm_"):
        return True
    return codec in ("aac", "ac3", "alac", "eac3", "flac", "mp3", "opus")


def _named_layout(stream: Any) -> str:
    """The layout of the channels; a guess where the file only says how many there are."""
    known = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
    channels = stream.layout.nb_channels
    return known.get(channels, "stereo") if "channels" in stream.layout.name else stream.layout.name


def _write_gif(frames: Iterator[Frame], rate: Fraction, path: Path) -> None:
    av = load_av()
    with av.open(str(path), "w", format="gif", options={"loop": "0"}) as out:
        stream = None
        before = -GIF_SHORTEST
        for frame in frames:
            tick = round(frame.time / GIF_TICK)
            if tick - before < GIF_SHORTEST:
                continue
            before = tick
            if stream is None:
                stream = _add_stream(out, "gif", "pal8", frame.pixels, rate, GIF_TICK)
            picture = av.VideoFrame.from_ndarray(_indexed(frame.pixels), format="pal8")
            picture.pts, picture.time_base = tick, GIF_TICK
            out.mux(stream.encode(picture))
        if stream is not None:
            out.mux(stream.encode(None))


def _indexed(pixels: Pixels) -> tuple[Pixels, Pixels]:
    """Indices ``(H, W)`` and the picture's own 256 colours, as PyAV takes them (ARGB)."""
    dithered = with_palette(Image.fromarray(pixels))
    colors = np.zeros((256, 4), np.uint8)
    colors[:, 0] = 255
    given = np.array(dithered.getpalette("RGB"), np.uint8).reshape(-1, 3)
    colors[: len(given), 1:] = given
    return np.asarray(dithered), colors


def _write_webp(frames: Iterator[Frame], rate: Fraction, path: Path) -> None:
    av = load_av()
    with av.open(str(path), "w", format="webp", options={"loop": "0"}) as out:
        stream = None
        for frame in frames:
            if stream is None:
                stream = _add_stream(out, "libwebp_anim", "bgra", frame.pixels, rate, _WEBP_BASE)
                stream.options = {"quality": str(WEBP_QUALITY)}
            picture = av.VideoFrame.from_ndarray(frame.pixels, format="rgb24").reformat(
                format="bgra"
            )
            picture.pts, picture.time_base = round(frame.time / _WEBP_BASE), _WEBP_BASE
            out.mux(stream.encode(picture))
        if stream is not None:
            out.mux(stream.encode(None))


def _add_stream(
    out: Any, codec: str, pix_fmt: str, pixels: Pixels, rate: Fraction, time_base: Fraction
) -> Any:
    stream = out.add_stream(codec, rate)
    stream.height, stream.width = pixels.shape[:2]
    stream.pix_fmt = pix_fmt
    stream.codec_context.time_base = time_base
    return stream
