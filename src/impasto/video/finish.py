"""From segments to the finished video with what goes with it, or to a GIF or WebP."""

from __future__ import annotations

import heapq
import json
import logging
import struct
from collections.abc import Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from impasto.errors import ImpastoError
from impasto.files import atomic
from impasto.flow import Pixels
from impasto.media.encoding import GIF_SHORTEST, GIF_TICK, WEBP_QUALITY, load_av, with_palette
from impasto.video.clip import Clip
from impasto.video.film import opened
from impasto.video.segments import Segments
from impasto.video.targets import kind_of
from impasto.video.tracks import CarriedTracks, Period, Timed, add_tracks, copy_tags, packets

logger = logging.getLogger(__name__)

_WEBP_BASE = Fraction(1, 1000)


def finish(
    segments: Segments,
    clip: Clip,
    target: Path,
    settings: Mapping[str, object],
    carried: CarriedTracks,
    *,
    end: Fraction,
    whole: bool,
) -> None:
    """Write the video of the frames that are done.

    Args:
        segments: The frames.
        clip: Where they came from.
        target: The file, written whole or not at all.
        settings: Kept in the metadata.
        carried: What is carried over from the source.
        end: When the last frame ends, in seconds.
        whole: Whether all frames are there; the sound of a part ends with it.

    Raises:
        ImpastoError: If it cannot be written.
    """
    period = Period(clip.origin, None if whole and clip.end is None else end)
    kind = kind_of(target).format
    with atomic(target) as temporary:
        try:
            if kind == "gif":
                _write_gif(segments, clip, temporary, end)
            elif kind == "webp":
                _write_webp(segments, clip, temporary, end)
            else:
                _write_movie(segments, clip, temporary, settings, carried, period)
        except load_av().error.FFmpegError as error:
            raise ImpastoError(f"cannot write {target}: {error}") from error


def _write_movie(
    segments: Segments,
    clip: Clip,
    path: Path,
    settings: Mapping[str, object],
    carried: CarriedTracks,
    period: Period,
) -> None:
    av, kind = load_av(), kind_of(path)
    with ExitStack() as stack:
        first = stack.enter_context(av.open(str(segments.paths[0])))
        film = stack.enter_context(opened(clip.path))
        fast = {"movflags": "faststart"} if kind.format in ("mp4", "mov") else {}
        out = stack.enter_context(av.open(str(path), "w", format=kind.format, options=fast))
        video = out.add_stream_from_template(first.streams.video[0])
        tracks = add_tracks(film, out, kind, carried, period)
        copy_tags(film, out, period)
        out.metadata["comment"] = json.dumps({"impasto": dict(settings)}, default=str)
        streams = [_of_video(segments, video), packets(film, tracks)]
        for _, packet in heapq.merge(*streams, key=lambda pair: pair[0]):
            out.mux(packet)


def _of_video(segments: Segments, stream: Any) -> Timed:
    for packet in segments.packets():
        time = Fraction(packet.dts * packet.time_base)
        packet.stream = stream
        yield time, packet


def _write_gif(segments: Segments, clip: Clip, path: Path, end: Fraction) -> None:
    av = load_av()
    ticks = _gif_ticks(segments)
    rest = round(end / GIF_TICK) - max(filter(None, ticks), default=0)
    options = {
        # GIF counts how often it is played again; -1 for never.
        "loop": str({0: 0, 1: -1}.get(clip.plays, clip.plays - 1)),
        "final_delay": str(max(GIF_SHORTEST, rest)),
    }
    with av.open(str(path), "w", format="gif", options=options) as out:
        stream = None
        for frame, tick in zip(segments.frames(), ticks, strict=True):
            if tick is None:
                continue
            if stream is None:
                stream = _add_stream(out, "gif", "pal8", frame.pixels, clip.rate, GIF_TICK)
            picture = av.VideoFrame.from_ndarray(_indexed(frame.pixels), format="pal8")
            picture.pts, picture.time_base = tick, GIF_TICK
            out.mux(stream.encode(picture))
        if stream is not None:
            out.mux(stream.encode(None))


def _gif_ticks(segments: Segments) -> list[int | None]:
    """The time of each frame in a GIF, in hundredths of a second; None for frames left out."""
    ticks: list[int | None] = []
    before = -GIF_SHORTEST
    for packet in segments.packets():
        tick = round(packet.pts * packet.time_base / GIF_TICK)
        shown = tick - before >= GIF_SHORTEST
        ticks.append(tick if shown else None)
        before = tick if shown else before
    if None in ticks:
        logger.warning("GIF shows at most 50 frames a second: %d are left out", ticks.count(None))
    return ticks


def _indexed(pixels: Pixels) -> tuple[Pixels, Pixels]:
    """Indices ``(H, W)`` and the picture's own 256 colours, as PyAV takes them (ARGB)."""
    dithered = with_palette(Image.fromarray(pixels))
    colors = np.zeros((256, 4), np.uint8)
    colors[:, 0] = 255
    given = np.array(dithered.getpalette("RGB"), np.uint8).reshape(-1, 3)
    colors[: len(given), 1:] = given
    return np.asarray(dithered), colors


def _write_webp(segments: Segments, clip: Clip, path: Path, end: Fraction) -> None:
    av = load_av()
    with av.open(str(path), "w", format="webp", options={"loop": str(clip.plays)}) as out:
        stream = None
        for frame in segments.frames():
            if stream is None:
                pixels = frame.pixels
                stream = _add_stream(out, "libwebp_anim", "bgra", pixels, clip.rate, _WEBP_BASE)
                stream.options = {"quality": str(WEBP_QUALITY)}
            picture = av.VideoFrame.from_ndarray(frame.pixels, format="rgb24").reformat(
                format="bgra"
            )
            picture.pts, picture.time_base = round(frame.time / _WEBP_BASE), _WEBP_BASE
            out.mux(stream.encode(picture))
        if stream is not None:
            out.mux(stream.encode(None))
    _set_end(path, round(end / _WEBP_BASE))


def _set_end(path: Path, milliseconds: int) -> None:
    """Let the last frame of a WebP end when it should: libwebp gives it the mean of the others."""
    with path.open("r+b") as file:
        file.seek(12)  # RIFF, size, WEBP
        last = None
        while len(head := file.read(8)) == 8:
            name, size = struct.unpack("<4sI", head)
            here = file.tell()
            if name == b"ANMF":
                # 24 bits each: x, y, width, height, duration.
                file.seek(here + 12)
                last, left = here + 12, milliseconds
                milliseconds -= int.from_bytes(file.read(3), "little")
            file.seek(here + size + size % 2)
        if last is not None:
            file.seek(last)
            file.write(max(0, min(left, 0xFFFFFF)).to_bytes(3, "little"))


def _add_stream(
    out: Any, codec: str, pix_fmt: str, pixels: Pixels, rate: Fraction, time_base: Fraction
) -> Any:
    stream = out.add_stream(codec, rate)
    stream.height, stream.width = pixels.shape[:2]
    stream.pix_fmt = pix_fmt
    stream.codec_context.time_base = time_base
    return stream
