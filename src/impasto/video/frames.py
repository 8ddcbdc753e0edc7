"""From a decoded frame to pixels as they are shown: upright, progressive, opaque, in sRGB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from impasto.errors import ImpastoError
from impasto.flow import Pixels
from impasto.image.encodings import Encoding, find
from impasto.media.encoding import load_av

_UNSPECIFIED = 2
# Video that does not say its matrix: players take BT.709 from this height on, BT.601 below.
_HD = 720

# ITU-T H.273: transfer characteristics PQ and HLG; primaries of BT.2020 and P3.
_BRIGHT = (16, 18)
_WIDE = (9, 11, 12)
# The brightest light of a film that is told apart, white being 1: that of a screen for HLG.
_PEAK = 1000 / 203


def deinterlaced(frames: Iterable[Any]) -> Iterator[Any]:
    """Frames without combs: as many as before, the interlaced ones filtered by FFmpeg's bwdif."""
    graph: Any = None
    shape = None
    for frame in frames:
        now = frame.width, frame.height, frame.format.name
        if graph is not None and now != shape:  # joined files may change it
            yield from _pulled(graph, None)
            graph = None
        if graph is None and not frame.interlaced_frame:
            yield frame
            continue
        if graph is None:
            graph, shape = _bwdif(frame), now
        yield from _pulled(graph, frame)
    if graph is not None:
        yield from _pulled(graph, None)


def _bwdif(frame: Any) -> Any:
    graph = load_av().filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    # A frame for each frame; those of a mixed film that are not interlaced pass as they are.
    bwdif = graph.add("bwdif", "mode=send_frame:deint=interlaced")
    graph.link_nodes(source, bwdif, graph.add("buffersink"))
    graph.configure()
    return graph


def _pulled(graph: Any, frame: Any) -> Iterator[Any]:
    """Push a frame, or None at the end, and take what is ready."""
    av = load_av()
    graph.push(frame)
    try:
        while True:
            yield graph.pull()
    except (av.error.BlockingIOError, av.error.EOFError):
        return


def is_high_dynamic_range(frame: Any) -> bool:
    """Whether a frame holds more light than an ordinary screen shows."""
    return frame.color_trc in _BRIGHT


def has_alpha(frame: Any) -> bool:
    """Whether a frame has a channel for transparency."""
    return any(component.is_alpha for component in frame.format.components)


def shown_size(frame: Any, aspect: Fraction) -> tuple[int, int]:
    """(height, width) of a frame whose pixels are ``aspect`` times as wide as high."""
    width, height = round(frame.width * aspect), frame.height
    return (width, height) if _orientation(frame)[0] else (height, width)


def developed(frame: Any, size: tuple[int, int], ground: int = 255) -> Pixels:
    """The frame as it is shown, ``(H, W, 3)`` at a size, laid on a grey level if transparent.

    Raises:
        ImpastoError: If its format cannot be converted.
    """
    turned, upside_down, mirrored = _orientation(frame)
    stored = size[::-1] if turned else size
    try:
        pixels = _in_srgb(frame, *stored, ground)
    except (ValueError, OSError) as error:
        raise ImpastoError(f"a frame cannot be converted to RGB: {error}") from error
    if turned:
        pixels = pixels.transpose(1, 0, 2)
    return np.ascontiguousarray(pixels[:: -1 if upside_down else 1, :: -1 if mirrored else 1])


def _orientation(frame: Any) -> tuple[bool, bool, bool]:
    """Whether rows are to be shown as columns, and then top and bottom, left and right swapped.

    Display matrices map a pixel (x, y) to (a x + c y, b x + d y); all but quarter turns and
    mirrors are rounded to them.
    """
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return False, False, False
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
    if abs(a) + abs(d) < abs(b) + abs(c):
        return True, b < 0, c < 0
    return False, d < 0, a < 0


def _in_srgb(frame: Any, height: int, width: int, ground: int) -> Pixels:
    """The frame as it is stored, in RGB at a size."""
    if is_high_dynamic_range(frame) or frame.color_primaries in _WIDE:
        deep = _reformatted(frame, height, width, "rgb48le").to_ndarray() / np.float32(65535)
        numbers = (frame.color_primaries, frame.color_trc, 0, 1)
        encoding = find({"cicp": numbers}, "RGB")[0]
        if isinstance(encoding, Encoding):
            srgb, _ = encoding.to_srgb(deep, _PEAK)
            return np.rint(255 * srgb).astype(np.uint8)
    if has_alpha(frame):
        frame = _laid_on(frame, ground)
    pixels: Pixels = _reformatted(frame, height, width, "rgb24").to_ndarray()
    return pixels


def _reformatted(frame: Any, height: int, width: int, pix_fmt: str) -> Any:
    from av.video.reformatter import Colorspace

    matrix = {}
    if frame.colorspace == _UNSPECIFIED:
        matrix["src_colorspace"] = Colorspace.ITU709 if frame.height >= _HD else Colorspace.ITU601
    return frame.reformat(
        width=width, height=height, format=pix_fmt, interpolation="BICUBIC", **matrix
    )


def _laid_on(frame: Any, ground: int) -> Any:
    """The frame on a ground at its own size, before scaling mixes hidden colours in."""
    rgba = _reformatted(frame, frame.height, frame.width, "rgba").to_ndarray()
    alpha = rgba[..., 3:] / np.float32(255)
    laid = np.rint(rgba[..., :3] * alpha + ground * (1 - alpha)).astype(np.uint8)
    return load_av().VideoFrame.from_ndarray(laid, format="rgb24")
