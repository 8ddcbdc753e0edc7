"""Colours: keep those of the photo, or carry those of one picture over to another.

Two places in a run can take care of colours (Gatys et al., Controlling Perceptual Factors in
Neural Style Transfer, CVPR 2017): ``prepare_style`` before painting, so that the artwork already
has the colours of the photo, and ``keep_colors`` or a match after painting. The modes:

- ``luminance``: lightness of the painting, chroma of the photo, pixel by pixel. Every object keeps
  its own colour; strokes show as light and dark alone. The truest to the photo.
- ``linear``: one affine map that gives the picture the mean and covariance of the other's
  colours. Smooth, never noisy, keeps different colours different: the mood of the photo, with
  strokes of many colours. The best change to make to an artwork before painting.
- ``histogram``: the whole distribution of colours, as near as can be. The most faithful palette;
  steep maps can show grain or hard edges in smooth regions such as skies.

Everything is computed in OkLab on linear light (Ottosson, A perceptual color space for image
processing, 2020), where lightness and hue are far more independent than in RGB. Pictures are
worked through in blocks of pixels, so little memory is needed beside the pictures themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeAlias, TypeVar, get_args
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from impasto.errors import InputError
from impasto.image import Picture, encodings
from impasto.image.picture import Floats
from impasto.names import must_be_known
from impasto.options import ColorMode

Doubles: TypeAlias = NDArray[np.float64]
Change: TypeAlias = Callable[[Floats], Floats]
# Distinct values and the middle of the quantiles that each covers.
Quantiles: TypeAlias = tuple[Doubles, Doubles]
ImageT = TypeVar("ImageT", Picture, Floats)
Found = TypeVar("Found")

# Linear sRGB to cone responses, and their cube roots to OkLab (Ottosson 2020, as of 2021-01-25).
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_LAB, _FROM_CONES = np.linalg.inv(_TO_LAB), np.linalg.inv(_TO_CONES)

# Pixels that are worked on at once: a few megabytes, about what the caches hold.
_BLOCK = 1 << 16

# How far linear light may leave [0, 1] before it counts as outside: the rounding of float32.
_GAMUT_SLACK = 1e-5

# Halvings of the way to the border of the gamut: 2^-14 of it is less than any screen shows.
_GAMUT_HALVINGS = 14

# Colours that spread less than this in a direction (standard deviation, OkLab) look the same: a
# quarter of a just noticeable difference. What is there is noise, which must not be amplified.
FAINT = 0.005

# Pixels from which histograms are learnt.
_SAMPLES = 1 << 14

# A picture may be this much more colourful than its artworks.
CONTRAST = 3.0
# Pixels along the longer side of pictures whose colours are looked at.
THUMBNAIL = 128

# Entries of a table that maps histograms; below the grain that an eye sees.
_NODES = 1024


def srgb_to_oklab(rgb: Floats) -> Floats:
    """Convert colours to OkLab.

    Args:
        rgb: ``(..., 3)``, sRGB-encoded, in [0, 1].

    Returns:
        ``(..., 3)``: lightness in [0, 1], then a (green to red) and b (blue to yellow), within
        +-0.33 for colours of sRGB.
    """
    return _by_blocks(_to_oklab, rgb)


def keep_colors(result: ImageT, content: Picture | Floats, strength: float = 1.0) -> ImageT:
    """Give a painting the chroma of the photo; its lightness, and so its strokes, stay.

    Where sRGB has no colour of that lightness and chroma, chroma is reduced, at the same hue and
    lightness, to the most that there is; channels are never clipped, which would change hue.

    Args:
        result: The painting, a Picture or ``(H, W, 3)`` float32, sRGB-encoded, in [0, 1].
        content: The photo, of the same size.
        strength: 0 leaves the painting as it is, 1 takes all chroma from the photo.

    Returns:
        The same kind as ``result``; alpha and all else of a Picture is kept.

    Raises:
        InputError: If the sizes differ, or something is not a picture in [0, 1].
    """
    painting, photo = _as_picture(result), _as_picture(content)
    if painting.size != photo.size:
        raise InputError(
            f"{painting.name} is {_text(painting.size)} px and {photo.name} {_text(photo.size)}: "
            "to take over its colours pixel by pixel, resize one to the other"
        )
    if not _checked(strength):
        return result

    def mix(block: Floats, colors: Floats) -> Floats:
        lab = _to_oklab(block)
        lab[:, 1:] += strength * (_to_oklab(colors)[:, 1:] - lab[:, 1:])
        return encodings.from_linear(_into_gamut(lab, lab[:, :1]))

    return _like(result, _by_blocks(mix, painting.rgb, photo.rgb))


def match_linear(image: ImageT, target: Picture | Floats, strength: float = 1.0) -> ImageT:
    """Give an image the mean and covariance of a target's colours, by one affine map.

    The map is the optimal transport between normal distributions, T^1/2 (T^1/2 S T^1/2)^-1/2
    T^1/2 for covariances S and T: of all that match, it moves colours least, so hues stay where
    they can (Gatys et al. 2017 choose among such maps by a similar argument). Where the
    covariance of the image lacks directions (grey, two colours), what cannot be matched is left
    out: a grey image is toned, each lightness with the colour that goes with it in the target.
    Directions of a spread too small to see (standard deviation below 0.005) count as lacking.

    Colours that sRGB lacks move straight towards a grey of similar lightness, as far as needed.

    Args:
        image: A Picture or ``(H, W, 3)`` float32, sRGB-encoded, in [0, 1].
        target: The same, of any size.
        strength: 0 leaves the image as it is; between, colours go that part of their way.

    Returns:
        The same kind as ``image``. Pixels count in the statistics as much as their alpha.

    Raises:
        InputError: If one is fully transparent or not a picture in [0, 1].
    """
    return _matched(_linear, image, target, strength)


def match_histogram(image: ImageT, target: Picture | Floats, strength: float = 1.0) -> ImageT:
    """Give an image the distribution of a target's colours, by sliced optimal transport.

    After the map of ``match_linear``, the histograms along three perpendicular axes of OkLab are
    matched, for ten directions of the axes in turn (Pitié, Kokaram and Dahyot, Automated colour
    grading using colour distribution transfer, 2007), the lightness, a and b axes last. Learnt
    from at most 16,384 pixels of each, always the same ones. Arguments, result, errors and colours
    that sRGB lacks are as in ``match_linear``.
    """
    return _matched(histogram_change, image, target, strength)


def prepare_style(
    mode: ColorMode, style: ImageT, content: Picture | Floats, strength: float = 1.0
) -> ImageT:
    """Before painting: give the artwork the colours of the photo, so that it is painted in them.

    ``linear`` suits nearly always; ``histogram`` where the palettes are far apart and the photo's
    has few, distinct colours. ``luminance`` goes with ``keep_colors`` after painting: the artwork
    gets the mean and spread of the photo's lightness alone, so that the painting is not darker
    or paler than the photo (Gatys et al. 2017 on luminance-only transfer).

    Args:
        mode: One of the modes; ``off`` returns the artwork as it is.
        style: The artwork.
        content: The photo, of any size.
        strength: 0 leaves the artwork as it is, 1 is the full change.

    Raises:
        InputError: If the mode is unknown, or as the mode's function raises.
    """
    must_be_known("colour mode", mode, get_args(ColorMode))
    return style if mode == "off" else _matched(_MODES[mode], style, content, strength)


def match_colors(
    mode: Literal["linear", "histogram"],
    image: ImageT,
    target: Picture | Floats,
    strength: float = 1.0,
) -> ImageT:
    """``match_linear`` or ``match_histogram``, by its name."""
    return _matched(_MODES[mode], image, target, strength)


def change_colors(rgb: Floats, change: Change, strength: float = 1.0) -> Floats:
    """Move colours ``(..., 3)`` a part of the way to where a change of OkLab puts them.

    Colours that sRGB lacks move straight towards a grey of similar lightness.
    """
    return _recolor(rgb, change, _checked(strength))


def sample_colors(picture: Picture) -> tuple[Floats, Floats]:
    """Some colours of a picture, OkLab ``(N, 3)``, and how much each counts ``(N,)``.

    Raises:
        InputError: If it is fully transparent.
    """
    sample = _sample(picture)
    return sample.lab, sample.weights


def mute(picture: Picture, most: float) -> Picture:
    """A picture with no more colour than suits artworks of a colourfulness.

    Else the photo's colours show through: a drawing in black and white would come out tinted.
    """
    found = colorfulness(picture)
    if found <= CONTRAST * most:
        return picture
    grey = replace(picture, rgb=np.full_like(picture.rgb, 0.5))
    return keep_colors(picture, grey, 1 - CONTRAST * most / found)


def colorfulness(picture: Picture) -> float:
    """How far a picture is from greys: the root mean square of chroma in OkLab."""
    small = picture.fitted(THUMBNAIL)
    return float(np.sqrt(np.square(srgb_to_oklab(small.rgb)[..., 1:]).sum(axis=2).mean()))


# Pictures


def _as_picture(image: Picture | Floats) -> Picture:
    """The image as a Picture, its range checked."""
    picture = image if isinstance(image, Picture) else Picture(np.asarray(image))
    if not (picture.rgb.min() >= 0 and picture.rgb.max() <= 1):  # false for NaN, too
        raise InputError(f"{picture.name}: colours have to be in [0, 1], without NaN")
    return picture


def _like(image: ImageT, rgb: Floats) -> ImageT:
    """The new colours, as a Picture if the image is one."""
    return replace(image, rgb=rgb) if isinstance(image, Picture) else rgb


def _checked(strength: float) -> float:
    """The strength."""
    if not 0 <= strength <= 1:
        raise InputError(f"the strength of a colour change is between 0 and 1, not {strength}")
    return strength


def _text(size: tuple[int, int]) -> str:
    height, width = size
    return f"{width} x {height}"


def _by_blocks(function: Callable[..., Floats], *arrays: Floats) -> Floats:
    """Apply a function of ``(N, 3)`` blocks to arrays ``(..., 3)`` of one shape."""
    pixels = [array.reshape(-1, 3) for array in arrays]
    out = np.empty(pixels[0].shape, np.float32)
    for start in range(0, len(out), _BLOCK):
        block = slice(start, start + _BLOCK)
        out[block] = function(*(part[block] for part in pixels))
    return out.reshape(arrays[0].shape)


def _recolor(image: ImageT, change: Change, strength: float) -> ImageT:
    """Move the colours of an image a part of the way to where a change of OkLab puts them."""

    def move(block: Floats) -> Floats:
        lab = _to_oklab(block)
        lab += strength * (change(lab) - lab)
        # Towards mid-grey only at the ends: a colour too light keeps some hue this way.
        return encodings.from_linear(_into_gamut(lab, lab[:, :1].clip(0.2, 0.8)))

    return _like(image, _by_blocks(move, _as_picture(image).rgb))


# OkLab


def _to_oklab(rgb: Floats) -> Floats:
    """Convert sRGB-encoded ``(N, 3)``."""
    return _times(np.cbrt(_times(encodings.to_linear(rgb), _TO_CONES)), _TO_LAB)


def _to_linear(lab: Floats) -> Floats:
    """Convert OkLab ``(N, 3)`` to linear light, which may be out of [0, 1]."""
    return _times(_times(lab, _FROM_LAB) ** 3, _FROM_CONES)


def _times(colors: Floats, matrix: Doubles) -> Floats:
    """The matrix applied to each colour of ``(N, 3)``."""
    return colors @ matrix.T.astype(np.float32)


def _into_gamut(lab: Floats, lightness: Floats) -> Floats:
    """Move colours that sRGB lacks straight towards a grey, until it has them.

    Args:
        lab: ``(N, 3)``.
        lightness: ``(N, 1)``, of the grey that each colour may move to, in [0, 1].

    Returns:
        Linear light ``(N, 3)``, in [0, 1] but for rounding.
    """
    linear = _to_linear(lab)
    outside = ~_in_gamut(linear)
    if not outside.any():
        return linear
    grey = np.zeros((np.count_nonzero(outside), 3), np.float32)
    grey[:, :1] = lightness[outside]
    way = lab[outside] - grey
    inner, step = np.zeros((len(grey), 1), np.float32), np.float32(1)
    for _ in range(_GAMUT_HALVINGS):
        step /= 2
        inner += step * _in_gamut(_to_linear(grey + (inner + step) * way))[:, None]
    linear[outside] = _to_linear(grey + inner * way)
    return linear


def _in_gamut(linear: Floats) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (np.abs(linear - 0.5) <= 0.5 + _GAMUT_SLACK).all(axis=1)
    return inside


# Mean and covariance


def _once(find: Callable[[Picture], Found]) -> Callable[[Picture], Found]:
    """Find something of each picture once: artworks are matched at each scale and preview."""
    known: WeakKeyDictionary[Picture, Found] = WeakKeyDictionary()

    def found(picture: Picture) -> Found:
        if picture not in known:
            known[picture] = find(picture)
        return known[picture]

    return found


@dataclass(frozen=True)
class _ColorMoments:
    """Mean ``(3,)`` and covariance ``(3, 3)`` of colours in OkLab."""

    mean: Doubles
    covariance: Doubles


@_once
def _moments(picture: Picture) -> _ColorMoments:
    """The moments of a picture, pixels weighted by alpha."""
    pixels, weights = _visible(picture)
    total, first, second = 0.0, np.zeros(3), np.zeros((3, 3))
    for start in range(0, len(pixels), _BLOCK):
        block = slice(start, start + _BLOCK)
        lab = _to_oklab(pixels[block]).astype(np.float64)
        weighted = lab * weights[block, None]
        total += weights[block].sum(dtype=np.float64)
        first += weighted.sum(axis=0)
        second += weighted.T @ lab
    mean = first / total
    return _ColorMoments(mean, second / total - np.outer(mean, mean))


def _visible(picture: Picture) -> tuple[Floats, Floats]:
    """Pixels ``(N, 3)`` and how much each counts ``(N,)``."""
    pixels = picture.rgb.reshape(-1, 3)
    if picture.alpha is None:
        return pixels, np.broadcast_to(np.float32(1), len(pixels))
    if not picture.alpha.any():
        raise InputError(f"{picture.name} is fully transparent: it has no colours to match")
    return pixels, picture.alpha.ravel()


# Changes of OkLab that match pictures


def _matched(
    learn: Callable[[Picture, Picture], Change],
    image: ImageT,
    target: Picture | Floats,
    strength: float,
) -> ImageT:
    """Change an image as is learnt from it and the target."""
    source, goal = _as_picture(image), _as_picture(target)
    return _recolor(image, learn(source, goal), strength) if _checked(strength) else image


def _lightness(picture: Picture, target: Picture) -> Change:
    """Match mean and standard deviation of the lightness; chroma stays."""
    old, new = _moments(picture), _moments(target)
    # Rounding can leave the variance of a constant below zero.
    old_spread, new_spread = (max(each.covariance[0, 0], 0.0) ** 0.5 for each in (old, new))
    gain = new_spread / old_spread if old_spread > FAINT else 1.0

    def change(lab: Floats) -> Floats:
        changed = lab.copy()
        changed[:, 0] = (lab[:, 0] - old.mean[0]) * gain + new.mean[0]
        return changed

    return change


def _linear(picture: Picture, target: Picture) -> Change:
    """The affine map of least movement that gives a picture's colours the target's moments."""
    source, goal = _moments(picture), _moments(target)
    values, vectors = np.linalg.eigh(source.covariance)
    clear = (vectors * np.where(values > FAINT**2, values, 0)) @ vectors.T
    root = _power(goal.covariance, 0.5)
    # This form needs no inverse of the source's covariance, so that may lack directions.
    matrix = root @ _power(root @ clear @ root, -0.5) @ root

    def change(lab: Floats) -> Floats:
        return _times(lab - source.mean.astype(np.float32), matrix) + goal.mean.astype(np.float32)

    return change


def _power(matrix: Doubles, exponent: float) -> Doubles:
    """Power of a symmetric matrix ``(3, 3)`` on its range; eigenvalues up to rounding are zero."""
    values, vectors = np.linalg.eigh(matrix)
    positive = values > 1e-12 * max(values[-1], 1e-12)
    powers = np.where(positive, np.where(positive, values, 1.0) ** exponent, 0.0)
    result: Doubles = (vectors * powers) @ vectors.T
    return result


# Histograms


@dataclass(frozen=True)
class _Sample:
    """Some colours of a picture: OkLab ``(N, 3)`` and how much each counts ``(N,)``."""

    lab: Floats
    weights: Floats


def _sample(picture: Picture) -> _Sample:
    pixels, weights = _visible(picture)
    chosen = np.flatnonzero(weights)
    if len(chosen) > _SAMPLES:
        chosen = chosen[np.random.default_rng(0).integers(len(chosen), size=_SAMPLES)]
    return _Sample(_to_oklab(pixels[chosen]), weights[chosen])


def _directions() -> list[Doubles]:
    """Ten sets of three perpendicular axes (columns), evenly random; OkLab's own come last."""
    generator = np.random.default_rng(0)
    turned = [np.linalg.qr(generator.standard_normal((3, 3)))[0] for _ in range(9)]
    return [*turned, np.eye(3)]


def histogram_change(picture: Picture, target: Picture) -> Change:
    """Learn how to give a picture the distribution of a target's colours (``match_histogram``).

    It is the linear map, and then one that matches histograms along axis after axis.
    """
    start, source = _linear(picture, target), _sample(picture)
    lab = start(source.lab)
    steps: list[Change] = [start]
    for axes, goals in zip(_directions(), _distribution(target), strict=True):
        old = _along(axes, lab, source.weights)
        tables = [quantile_table(*each) for each in zip(old, goals, strict=True)]
        steps.append(partial(_look_up, axes, tables))
        lab = steps[-1](lab)

    def change(lab: Floats) -> Floats:
        for step in steps:
            lab = step(lab)
        return lab

    return change


@_once
def _distribution(picture: Picture) -> list[list[Quantiles]]:
    """The distributions of a picture's colours along each set of axes."""
    sample = _sample(picture)
    return [_along(axes, sample.lab, sample.weights) for axes in _directions()]


def _along(axes: Doubles, lab: Floats, weights: Floats) -> list[Quantiles]:
    """The distributions of colours along three axes."""
    return [quantiles(values, weights) for values in _times(lab, axes.T).T]


def _look_up(axes: Doubles, tables: list[tuple[Doubles, Doubles]], lab: Floats) -> Floats:
    """Change each coordinate along the axes as its table says."""
    old = _times(lab, axes.T)
    new = [np.interp(old[:, axis], *table) for axis, table in enumerate(tables)]
    return _times(np.stack(new, axis=1).astype(np.float32), axes)


def quantile_table(old: Quantiles, new: Quantiles) -> tuple[Doubles, Doubles]:
    """The monotone map that gives values the distribution of others, as ``np.interp`` takes it.

    Equal values share the middle of the quantiles that they cover, so a constant goes to the
    median, not to an end.

    Returns:
        Ascending values ``(K,)`` and where each goes ``(K,)``.
    """
    values, shares = old
    if len(values) > _NODES:  # short tables stay in the cache: many times faster
        # Evenly among quantiles, and not among values: a picture a little other than this one,
        # with more of them or fewer, has nearly the same.
        nodes = np.linspace(shares[0], shares[-1], _NODES)
        values, shares = np.interp(nodes, shares, values), nodes
    return values, np.interp(shares, new[1], new[0])


def quantiles(values: Floats, weights: Floats) -> Quantiles:
    """The distinct values ``(N,)``, ascending, and the middle of the quantiles that each covers."""
    # Rounding makes equal again what only the rounding of float32 set apart.
    rounded = values.round(5)
    if (weights == weights[0]).all():  # counting is many times faster than adding up
        distinct, mass = np.unique(rounded, return_counts=True)
    else:
        distinct, which = np.unique(rounded, return_inverse=True)
        mass = np.bincount(which, weights)
    return distinct.astype(np.float64), (np.cumsum(mass) - mass / 2) / mass.sum()


_MODES: dict[str, Callable[[Picture, Picture], Change]] = {
    "luminance": _lightness,
    "linear": _linear,
    "histogram": histogram_change,
}
