"""Pictures one after the other: GIF, WebP and MP4."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import InputError, MissingExtraError
from impasto.explain.strip import flatten
from impasto.files import atomic
from impasto.image import Picture

_FRAMES_PER_SECOND = 25
_BT709 = 1  # ITU-T H.273: primaries and transfer characteristics
# WebP's limit; GIF and H.264 allow a little more.
_LONGEST_SIDE = 16383
# GIF counts in hundredths of a second, and browsers slow down frames below two of them.
TICK_MS = 10
SHORTEST_MS = 20


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
    writers = {".gif": _write_gif, ".webp": _write_webp, ".mp4": _write_mp4}
    path = Path(path)
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise InputError(f"cannot animate to {path.name}: use one of {', '.join(writers)}")
    _check(pictures, seconds, hold)
    images = [flatten(picture) for picture in pictures]
    with atomic(path) as temporary:
        writer(images, _durations(len(images), seconds, hold), temporary)


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
    starts = np.rint(np.linspace(0, 1000 * seconds / TICK_MS, count)) * TICK_MS
    times = [*np.diff(starts), round(1000 * hold / TICK_MS) * TICK_MS]
    return [max(SHORTEST_MS, int(time)) for time in times]


def _write_gif(images: Sequence[Image.Image], durations: Sequence[int], path: Path) -> None:
    first, *rest = [with_palette(image) for image in images]
    first.save(path, "GIF", save_all=True, append_images=rest, duration=list(durations), loop=0)


def with_palette(image: Image.Image) -> Image.Image:
    """Reduce to the image's own 256 colours with error diffusion.

    Octree and dithering keep local mean colours better than Pillow's default, median cut without
    dithering, and take a tenth of its time.
    """
    palette = image.quantize(256, method=Image.Quantize.FASTOCTREE)
    return image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


def _write_webp(images: Sequence[Image.Image], durations: Sequence[int], path: Path) -> None:
    first, *rest = images
    first.save(
        path,
        "WEBP",
        save_all=True,
        append_images=rest,
        duration=list(durations),
        loop=0,
        quality=85,
        method=4,
    )


def _write_mp4(images: Sequence[Image.Image], durations: Sequence[int], path: Path) -> None:
    """Write H.264 at a constant frame rate; repeated frames cost next to nothing."""
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("av", "video", "writing MP4 animations") from error
    from av.video.reformatter import ColorRange, Colorspace

    ends = np.cumsum(durations)
    times = np.arange(0, ends[-1], 1000 / _FRAMES_PER_SECOND)
    frames = [even(np.asarray(image)) for image in images]
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", _FRAMES_PER_SECOND, options={"crf": "18"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        tag_as_bt709(stream.codec_context)
        for index in np.searchsorted(ends, times, side="right"):
            frame = av.VideoFrame.from_ndarray(frames[index], format="rgb24")
            frame = frame.reformat(
                format="yuv420p",
                dst_colorspace=Colorspace.ITU709,
                dst_color_range=ColorRange.MPEG,
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def tag_as_bt709(context: Any) -> None:
    """Say a codec's colours openly, or players guess the matrix by the size and shift them."""
    from av.video.reformatter import ColorRange, Colorspace

    context.colorspace = Colorspace.ITU709
    context.color_range = ColorRange.MPEG
    context.color_primaries = _BT709
    context.color_trc = _BT709


def even(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Repeat the last row or column where a side is odd, which yuv420p cannot hold."""
    height, width = pixels.shape[:2]
    if not (height % 2 or width % 2):
        return pixels
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
