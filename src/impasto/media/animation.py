"""Pictures one after the other: GIF, WebP and MP4."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from impasto.errors import InputError
from impasto.files import atomic
from impasto.image import Picture
from impasto.media.encoding import (
    GIF_SHORTEST,
    GIF_TICK,
    WEBP_QUALITY,
    as_bt709,
    even,
    load_av,
    tag_as_bt709,
    with_palette,
)
from impasto.media.sheet import flatten

_FRAMES_PER_SECOND = 25
# WebP's limit; GIF and H.264 allow a little more.
_LONGEST_SIDE = 16383
_TICK_MS = int(1000 * GIF_TICK)


def animate(
    pictures: Sequence[Picture], path: str | Path, *, seconds: float = 6.0, hold: float = 1.5
) -> None:
    """Write an animation that repeats without end (GIF, WebP) or a silent video (MP4, H.264).

    Args:
        pictures: The frames, all of one size. Alpha is laid on a light checkerboard.
        path: A file ending in .gif, .webp or .mp4, written whole or not at all.
        seconds: How long all frames but the last are shown together, each as long as the others.
        hold: How long the last one is shown, in seconds.

    Raises:
        InputError: If the suffix is another one, there are no pictures, their sizes differ or are
            too large, or a time is not positive.
        MissingExtraError: If MP4 is wanted and the package av is not installed.
    """
    path = Path(path)
    check_animation(path)
    _check(pictures, seconds, hold)
    writer = {".gif": _write_gif, ".webp": _write_webp, ".mp4": _write_mp4}[path.suffix.lower()]
    images = [flatten(picture) for picture in pictures]
    with atomic(path) as temporary:
        writer(images, _durations(len(images), seconds, hold), temporary)


def check_animation(path: str | Path) -> None:
    """Raise, before any work is done, what ``animate`` would raise of its file.

    Raises:
        InputError: If the suffix is another one, or FFmpeg was built without H.264.
        MissingExtraError: If MP4 is wanted and the package av is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in (".gif", ".webp", ".mp4"):
        raise InputError(f"cannot animate to {path.name}: use one of .gif, .webp, .mp4")
    if path.suffix.lower() == ".mp4":
        av = load_av("writing MP4 animations")
        if "libx264" not in av.codecs_available:
            raise InputError(f"cannot animate to {path.name}: this av has no H.264, use .webp")


def _check(pictures: Sequence[Picture], seconds: float, hold: float) -> None:
    if not pictures:
        raise InputError("an animation needs at least one picture")
    if not (0 < seconds < 3600 and 0 < hold < 3600):
        raise InputError(f"seconds and hold must be above 0 and below 3600: {seconds}, {hold}")
    sizes = {picture.size for picture in pictures}
    if len(sizes) > 1:
        raise InputError(f"an animation needs pictures of one size, not of {len(sizes)}")
    if max(sizes.pop()) > _LONGEST_SIDE:
        raise InputError(f"an animation is at most {_LONGEST_SIDE} pixels wide and high")


def _durations(count: int, seconds: float, hold: float) -> list[int]:
    """Return each frame's time in milliseconds, in whole GIF ticks whose sum does not drift."""
    starts = np.rint(np.linspace(0, 1000 * seconds / _TICK_MS, count)) * _TICK_MS
    times = [*np.diff(starts), round(1000 * hold / _TICK_MS) * _TICK_MS]
    return [max(GIF_SHORTEST * _TICK_MS, int(time)) for time in times]


def _write_gif(images: Sequence[Image.Image], durations: Sequence[int], path: Path) -> None:
    first, *rest = [with_palette(image) for image in images]
    first.save(path, "GIF", save_all=True, append_images=rest, duration=list(durations), loop=0)


def _write_webp(images: Sequence[Image.Image], durations: Sequence[int], path: Path) -> None:
    first, *rest = images
    first.save(
        path,
        "WEBP",
        save_all=True,
        append_images=rest,
        duration=list(durations),
        loop=0,
        quality=WEBP_QUALITY,
        method=4,
    )


def _write_mp4(images: Sequence[Image.Image], durations: Sequence[int], path: Path) -> None:
    """Write H.264 at a constant frame rate; repeated frames cost next to nothing."""
    av = load_av("writing MP4 animations")
    ends = np.cumsum(durations)
    times = np.arange(0, ends[-1], 1000 / _FRAMES_PER_SECOND)
    frames = [even(np.asarray(image)) for image in images]
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", _FRAMES_PER_SECOND, options={"crf": "18"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        tag_as_bt709(stream.codec_context)
        for index in np.searchsorted(ends, times, side="right"):
            frame = as_bt709(av.VideoFrame.from_ndarray(frames[index], format="rgb24"))
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
