"""Small videos for tests, and a painter that takes no time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from impasto.image import Picture
from impasto.image.picture import Floats
from impasto.video.consistency import Memory

Pixels = NDArray[np.uint8]
RATE = 44100


def moving(count: int, size: tuple[int, int] = (48, 64), seed: int = 0) -> list[Pixels]:
    """A soft texture that moves by a pixel a frame to the left."""
    height, width = size
    noise = np.random.default_rng(seed).random((height, width + count, 3))
    soft = ndimage.gaussian_filter(noise, (3, 3, 0))
    soft = np.rint(255 * (soft - soft.min()) / np.ptp(soft)).astype(np.uint8)
    return [np.ascontiguousarray(soft[:, i : i + width]) for i in range(count)]


def av_open(path: Path, mode: str = "r") -> Any:
    """A container, untyped: its streams may be of any kind."""
    return av.open(str(path), mode)  # type: ignore[call-overload]


def write_clip(
    path: Path,
    frames: Sequence[Pixels],
    *,
    rate: Fraction = Fraction(25),
    times: Sequence[Fraction] | None = None,
    audio: str | None = None,
    rotation: int | None = None,
    aspect: Fraction = Fraction(1),
    matrix: Colorspace = Colorspace.ITU709,
    color_range: ColorRange = ColorRange.MPEG,
    tagged: bool = True,
    codec: str = "libx264",
) -> Path:
    """Write a video of such frames, nearly without loss."""
    base = Fraction(1, 90000)
    with av_open(path, "w") as out:
        options = {"crf": "1", "bf": "2"} if codec == "libx264" else {}
        stream: Any = out.add_stream(codec, rate, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt = "yuv420p" if codec == "mpeg2video" else "yuv444p"
        stream.codec_context.time_base = 1 / rate if codec == "mpeg2video" else base
        stream.codec_context.sample_aspect_ratio = aspect
        if tagged:
            stream.codec_context.colorspace = matrix
            stream.codec_context.color_range = color_range
        if rotation is not None:
            stream.set_display_rotation(rotation)
        sound = add_sound(out, audio) if audio else None
        for i, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(
                format=pix_fmt, dst_colorspace=matrix, dst_color_range=color_range
            )
            frame.pts = round((times[i] if times else i / rate) / base)
            frame.time_base = base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if sound:
            for tone in tones(len(frames) / rate):
                out.mux(sound.encode(tone))
            out.mux(sound.encode(None))
    return path


def add_sound(out: Any, codec: str) -> Any:
    """Add a stereo stream."""
    sound = out.add_stream(codec, RATE)
    sound.layout = "stereo"
    return sound


def tones(seconds: Fraction) -> Iterator[av.AudioFrame]:
    """A tone that rises."""
    wave = np.sin(np.linspace(0, 300, round(seconds * RATE)) ** 1.5)
    for start in range(0, len(wave), 1024):
        part = np.rint(8000 * wave[start : start + 1024]).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.repeat(part, 2)[None], "s16", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        yield frame


def decoded(path: Path) -> tuple[list[Pixels], list[Fraction]]:
    """Frames and times, as a player without our code would show them."""
    with av_open(path) as container:
        frames = list(container.decode(video=0))
        times = [Fraction(f.pts * f.time_base) for f in frames]
        return [f.to_ndarray(format="rgb24") for f in frames], times


def packets(path: Path) -> list[bytes]:
    """The packets of the sound."""
    with av_open(path) as container:
        return [bytes(p) for p in container.demux(audio=0) if p.size]


class Negative:
    """Turns colours round, remembers what it was told, and stops where it is told to."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.memories: list[Memory | None] = []
        self.stop_at = stop_at

    def __call__(self, frame: Picture, memory: Memory | None, mask: Floats | None) -> Tensor:
        """Make the negative."""
        if len(self.memories) == self.stop_at:
            raise KeyboardInterrupt
        self.memories.append(memory)
        photo = frame.tensor()
        return torch.lerp(photo, 1 - photo, 1.0 if mask is None else torch.from_numpy(mask))
