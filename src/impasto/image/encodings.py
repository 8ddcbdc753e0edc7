"""The colour encoding of a picture without an ICC profile, and which statement of it wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from impasto.image.picture import Floats
from impasto.image.profiles import BROKEN, is_usable

Transfer: TypeAlias = Callable[[Floats], Floats]
Colours: TypeAlias = Union[bytes, "Encoding", None]
Doubles: TypeAlias = NDArray[np.float64]

UNKNOWN = "its colour description (cICP) is of an unknown kind: left out"
UNCALIBRATED = "it does not say in which colour space it is: taken as sRGB"
BRIGHT = "high dynamic range: its highlights were brought down to what a screen shows"

_D65 = (0.3127, 0.329)
_SRGB = (*_D65, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
# White, red, green and blue by their number in ITU-T H.273.
_PRIMARIES = {
    1: _SRGB,
    2: _SRGB,  # unspecified
    4: (0.31, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06),
    6: (*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    7: (*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    9: (*_D65, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: (*_D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    22: (*_D65, 0.63, 0.34, 0.295, 0.605, 0.155, 0.077),
}
_ADOBE = (*_D65, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
_ADOBE_GAMMA = 563 / 256
_EXIF_SRGB, _EXIF_ADOBE, _EXIF_UNCALIBRATED = 1, 2, 65535
_LEAST_GAMMA = 0.1
# The cone responses of Bradford, for another white.
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_WHITE = 203  # cd/m2 of white in high dynamic range (ITU-R BT.2408)
_KNEE = 0.8  # of white: where highlights begin to be brought down
_ROWS = 256
# Below these differences libpng takes a picture for sRGB, too.
_SAME_GAMMA, _SAME_MATRIX = 0.05, 0.005
_SAME_WHITE = 1.01


def to_linear(encoded: Floats) -> Floats:
    """Decode sRGB (IEC 61966-2-1) to linear light."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def from_linear(linear: Floats) -> Floats:
    """Clip linear light to [0, 1] and encode it as sRGB (IEC 61966-2-1)."""
    linear = linear.clip(0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


@dataclass(frozen=True, eq=False)
class Encoding:
    """How numbers stand for light.

    Attributes:
        light: Decodes ``(..., C)`` in [0, 1] to linear light, white at 1.
        matrix: ``(3, 3)``, its linear RGB to that of sRGB.
        bright: Whether light may be above white (high dynamic range).
        narrow: Whether black and white are at 16 and 235 of 255.
    """

    light: Transfer
    matrix: Doubles
    bright: bool = False
    narrow: bool = False

    def to_srgb(self, colour: Floats, peak: float | None = None) -> tuple[Floats, tuple[str, ...]]:
        """Convert ``(H, W, 1)`` or ``(H, W, 3)`` to sRGB, with notices; colours it lacks are cut.

        Highlights above white are brought down by a smooth curve that ends at the brightest one
        (Reinhard et al. 2002, above a knee), or at a given peak, so that the frames of a video
        are all brought down alike; hues are kept.
        """
        if not self.bright:
            peak = 1.0
        elif peak is None:
            peak = max(float(self._light(rows).max()) for rows in _blocks(colour))
            peak = peak if peak > _SAME_WHITE else 1.0
        out = np.empty_like(colour)
        for rows, target in zip(_blocks(colour), _blocks(out), strict=True):
            light = self._light(rows)
            if peak > 1:
                light *= _lowered(light.max(axis=2, keepdims=True), peak)
            if light.shape[2] == 3:
                light = light @ self.matrix.T.astype(np.float32)
            target[:] = from_linear(light)
        return out, (BRIGHT,) if peak > 1 else ()

    def _light(self, colour: Floats) -> Floats:
        if self.narrow:
            colour = ((colour * 255 - 16) / 219).clip(0, 1)
        return self.light(colour).astype(np.float32)


def find(
    info: Mapping[Any, Any], mode: str, exif: Image.Exif | None = None
) -> tuple[Colours, tuple[str, ...]]:
    """The colours of a file: an ICC profile, an encoding, or None for sRGB.

    What comes first counts: cICP, ICC profile, sRGB, gamma and chromaticities, as in the PNG
    specification (W3C, third edition, 4.3); EXIF last. What cannot be used becomes a notice.

    Args:
        info: What Pillow found; under "cicp" the numbers of ITU-T H.273.
        mode: Of the image: L, RGB, CMYK or LAB.
        exif: Its EXIF data.
    """
    said: list[tuple[Callable[[], Colours], str]] = [
        (lambda: _coded(info), UNKNOWN),
        (lambda: _profile(info, mode), BROKEN),
        (lambda: _SAME if "srgb" in info else None, BROKEN),
        (lambda: _calibrated(info), BROKEN),
        (lambda: None if exif is None else _exif(exif), UNCALIBRATED),
    ]
    notices = []
    for statement, notice in said:
        try:
            colours = statement()
        except Exception:  # a picture is not lost for what is said of its colours
            notices.append(notice)
            continue
        if isinstance(colours, Encoding) and (mode in ("CMYK", "LAB") or _is_srgb(colours)):
            return None, tuple(notices)
        if colours is not None:
            return colours, tuple(notices)
    return None, tuple(notices)


def _coded(info: Mapping[Any, Any]) -> Encoding | None:
    """The encoding by its numbers in ITU-T H.273, from PNG (cICP), HEIF and AVIF (nclx).

    The transfer functions of BT.709 and its kin are taken as sRGB's, as viewers of stills do.
    """
    if "cicp" not in info:
        return None
    primaries, transfer, matrix, full = info["cicp"]
    if (primaries, transfer) == (2, 2):
        return None
    if matrix:
        raise ValueError("not RGB")
    light = _TRANSFERS[transfer]
    return Encoding(light, _to_srgb(_PRIMARIES[primaries]), light in (_pq, _hlg), not full)


def _profile(info: Mapping[Any, Any], mode: str) -> bytes | None:
    profile: bytes | None = info.get("icc_profile")
    if profile is not None and not is_usable(profile, mode):
        raise ValueError("broken, or for another mode")
    return profile


def _calibrated(info: Mapping[Any, Any]) -> Encoding | None:
    """The encoding by gAMA and cHRM of PNG."""
    if "gamma" not in info and "chromaticity" not in info:
        return None
    light = _power(1 / info["gamma"]) if "gamma" in info else to_linear
    return Encoding(light, _to_srgb(info.get("chromaticity", _SRGB)))


def _exif(exif: Image.Exif) -> Encoding | None:
    """The encoding by EXIF (CIPA DC-008) and the rules for camera files (DCF 2.0)."""
    tags = exif.get_ifd(ExifTags.IFD.Exif)
    space = tags.get(ExifTags.Base.ColorSpace)
    index = None
    with suppress(KeyError):  # of Pillow, where there is none
        index = exif.get_ifd(ExifTags.IFD.Interop).get(ExifTags.Interop.InteropIndex)
    if space == _EXIF_ADOBE or "R03" in str(index):
        return Encoding(_power(_ADOBE_GAMMA), _to_srgb(_ADOBE))
    white = exif.get(ExifTags.Base.WhitePoint)
    primaries = exif.get(ExifTags.Base.PrimaryChromaticities)
    if space != _EXIF_SRGB and white and primaries:
        gamma = tags.get(ExifTags.Base.Gamma)
        light = _power(float(gamma)) if gamma else to_linear
        return Encoding(light, _to_srgb([*map(float, (*white, *primaries))]))
    if space == _EXIF_UNCALIBRATED:
        raise ValueError("uncalibrated")
    return None


def _is_srgb(encoding: Encoding) -> bool:
    """Whether an encoding means sRGB, near enough to leave pixels exact."""
    same = np.abs(encoding.matrix - np.eye(3)).max() < _SAME_MATRIX
    return encoding.light is to_linear and bool(same) and not encoding.narrow


def _power(gamma: float) -> Transfer:
    """The power curve of a display gamma; that of sRGB where it is meant, by about 2.2."""
    if not _LEAST_GAMMA <= gamma <= 1 / _LEAST_GAMMA:
        raise ValueError("no such gamma")
    if abs(gamma / 2.2 - 1) < _SAME_GAMMA:
        return to_linear
    return lambda encoded: encoded**gamma


def _pq(encoded: Floats) -> Floats:
    """Decode PQ (SMPTE ST 2084), white at 203 cd/m2."""
    root = encoded.astype(np.float64) ** (1 / 78.84375)
    power = np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)
    light: Floats = (power ** (1 / 0.1593017578125) * (10_000 / _WHITE)).astype(np.float32)
    return light


def _hlg(encoded: Floats) -> Floats:
    """Decode HLG (ITU-R BT.2100) for a display of 1000 cd/m2, white at 203 cd/m2."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(encoded <= 0.5, encoded**2 / 3, (np.exp((encoded - c) / a) + b) / 12)
    weights = (0.2627, 0.678, 0.0593) if scene.shape[-1] == 3 else (1.0,)
    luminance = (scene * weights).sum(axis=-1, keepdims=True)
    light: Floats = (scene * luminance**0.2 * (1000 / _WHITE)).astype(np.float32)
    return light


# By their number in ITU-T H.273.
_TRANSFERS: dict[int, Transfer] = {
    **dict.fromkeys((1, 2, 6, 13, 14, 15), to_linear),
    4: _power(2.2),
    5: _power(2.8),
    8: lambda encoded: encoded,
    16: _pq,
    17: _power(2.6),
    18: _hlg,
}


def _lowered(brightest: Floats, peak: float) -> Floats:
    """The factor by which light is multiplied, so that the peak comes down to white."""
    span = np.float32((peak - _KNEE) / (1 - _KNEE))
    over = np.maximum(brightest - _KNEE, 0) / (1 - _KNEE)
    curve = _KNEE + (1 - _KNEE) * over * (1 + over / span**2) / (1 + over)
    return np.where(brightest > _KNEE, curve / np.maximum(brightest, _KNEE), 1)


def _to_srgb(chromaticities: Sequence[float]) -> Doubles:
    """The matrix from linear RGB of these chromaticities to that of sRGB.

    Args:
        chromaticities: x and y of white, red, green and blue.
    """
    white = _xyz(chromaticities[:2])
    scale = np.diag((_BRADFORD @ _xyz(_D65)) / (_BRADFORD @ white))
    adapted = np.linalg.inv(_BRADFORD) @ scale @ _BRADFORD
    matrix: Doubles = np.linalg.inv(_from_rgb(_SRGB)) @ adapted @ _from_rgb(chromaticities)
    if not np.isfinite(matrix).all():
        raise ValueError("no such colours")
    return matrix


def _from_rgb(chromaticities: Sequence[float]) -> Doubles:
    """The matrix from linear RGB to XYZ (SMPTE RP 177)."""
    primaries = np.stack([_xyz(chromaticities[i : i + 2]) for i in (2, 4, 6)], axis=1)
    scale = np.linalg.solve(primaries, _xyz(chromaticities[:2]))
    matrix: Doubles = primaries * scale
    return matrix


def _xyz(chromaticity: Sequence[float]) -> Doubles:
    x, y = chromaticity
    return np.array([x / y, 1, (1 - x - y) / y])


def _blocks(array: Floats) -> Iterator[Floats]:
    """An array in blocks of rows, for the memory."""
    for start in range(0, len(array), _ROWS):
        yield array[start : start + _ROWS]


_SAME = Encoding(to_linear, np.eye(3))
