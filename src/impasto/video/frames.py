"""From a decoded frame to pixels as they are shown: upright, progressive, opaque, in sRGB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import ImpastoError
from impasto.flow import Pixels
from impasto.media.encoding import load_av

_UNSPECIFIED = 2
# Video that does not say its matrix: players take BT.709 from this height on, BT.601 below.
_HD = 720

# ITU-T H.273: transfer characteristics PQ and HLG.
_PQ, _HLG = 16, 18
# Linear RGB with these primaries (H.273) to linear sRGB: BT.2020, P3 with the white of D65.
_TO_SRGB = {
    9: [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]],
    12: [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]],
}
# Nits: what white paper has in HDR video (ITU-R BT.2408), and the screen that HLG is meant for.
_WHITE, _HLG_PEAK = 203.0, 1000.0
# Light up to this share of white stays as it is; above, highlights are pressed together.
_KNEE = 0.7

Doubles = NDArray[np.float64]


def deinterlaced(frames: Iterable[Any]) -> Iterator[Any]:
    """Frames without combs: as many as before, the interlaced ones filtered by FFmpeg's bwdif."""
    graph: Any = None
    for frame in frames:
        if graph is None:
            if not frame.interlaced_frame:
                yield frame
                continue
            graph = _bwdif(frame)
        graph.push(frame)
        yield from _pulled(graph)
    if graph is not None:
        graph.push(None)
        yield from _pulled(graph)


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


def _pulled(graph: Any) -> Iterator[Any]:
    av = load_av()
    try:
        while True:
            yield graph.pull()
    except (av.error.BlockingIOError, av.error.EOFError):
        return


def is_high_dynamic_range(frame: Any) -> bool:
    """Whether a frame holds more light than an ordinary screen shows."""
    return frame.color_trc in (_PQ, _HLG)


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
    if is_high_dynamic_range(frame) or frame.color_primaries in _TO_SRGB:
        deep = _reformatted(frame, height, width, "rgb48le").to_ndarray() / 65535
        return _to_standard(deep, frame.color_trc, frame.color_primaries)
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


def _to_standard(encoded: Doubles, transfer: int, primaries: int) -> Pixels:
    """RGB of a high dynamic range or other primaries, ``(H, W, 3)`` in [0, 1], in sRGB.

    Light up to about that of white paper stays as it is, as ITU-R BT.2408 asks for; brighter
    light is pressed into what is left up to full white, by one factor for all three channels, so
    that hues stay.
    """
    if transfer == _PQ:
        linear = _pq_to_nits(encoded) / _WHITE
    elif transfer == _HLG:
        linear = _hlg_to_nits(encoded) / _WHITE
    else:
        linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    if primaries in _TO_SRGB:
        linear = (linear @ np.transpose(_TO_SRGB[primaries])).clip(0)
    if transfer in (_PQ, _HLG):
        brightest = linear.max(axis=2, keepdims=True)
        room = 1 - _KNEE
        pressed = 1 - room * np.exp(-(brightest - _KNEE).clip(0) / room)
        linear = linear * np.where(brightest > _KNEE, pressed / brightest.clip(_KNEE), 1)
    linear = linear.clip(0, 1)
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * srgb).astype(np.uint8)


def _pq_to_nits(encoded: Doubles) -> Doubles:
    """Light of PQ (SMPTE ST 2084, ITU-R BT.2100)."""
    root = encoded ** (1 / 78.84375)
    return 10000 * ((root - 0.8359375).clip(0) / (18.8515625 - 18.6875 * root)) ** (
        1 / 0.1593017578125
    )


def _hlg_to_nits(encoded: Doubles) -> Doubles:
    """Light of HLG on a screen of 1000 nits (ITU-R BT.2100)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(encoded <= 0.5, encoded**2 / 3, (np.exp((encoded - c) / a) + b) / 12)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return _HLG_PEAK * scene * luminance[..., None].clip(1e-9) ** 0.2
