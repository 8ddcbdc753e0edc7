"""Palettes: pictures brought to a few given colours, or to those of another picture.

A picture's colours are moved to those of a palette by optimal transport in OkLab: each colour of
the palette receives an equal share of the pixels, and colours go no farther than that takes. So
what is light stays light, as far as the palette has light colours, and similar colours stay
together. The transport is regularised by entropy (Cuturi, Sinkhorn distances, 2013): near the
border between two colours a pixel is shared by both, and no hard edge appears.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.color import (
    FAINT,
    THUMBNAIL,
    change_colors,
    match_histogram,
    sample_colors,
    srgb_to_oklab,
)
from impasto.errors import InputError
from impasto.image import Picture, load_image
from impasto.image.picture import Floats
from impasto.options import MOST_COLORS, parse_colors

# Files that list colours instead of showing them.
LISTS = (".txt", ".hex")
# Squared distances in OkLab below which two colours of a palette share pixels.
ENTROPY = 0.004
ROUNDS = 300
# How many colours stand for those of a picture.
MAIN_COLORS = 8
# How much of their variation pixels keep that go to one colour: strokes and shades.
VARIATION = 0.5


@dataclass(frozen=True, eq=False)
class Palette:
    """Colours that pictures are brought to.

    Attributes:
        colors: ``(K, 3)``, OkLab; each receives an equal share of the pixels.
        picture: A picture whose colours are to be taken instead, in its own shares.
    """

    colors: Floats
    picture: Picture | None = None

    def apply(self, image: Picture, strength: float = 1.0) -> Picture:
        """Bring a picture to the palette.

        Args:
            image: The picture; pixels count as much as their alpha.
            strength: 0 leaves it as it is; between, colours go that part of their way.

        Raises:
            InputError: If it is fully transparent.
        """
        if self.picture is not None:
            return match_histogram(image, self.picture, strength)
        lab, weights = sample_colors(image)
        plan = _learn(lab, weights, self.colors)
        return replace(image, rgb=change_colors(image.rgb, plan.move, strength))


def load_palette(text: str) -> Palette:
    """Read a palette.

    Args:
        text: Colours in hexadecimal digits, divided by commas; or a file: a picture, or a list of
            such colours (``.txt``, ``.hex``).

    Raises:
        InputError: If it is neither, or has less than two colours.
    """
    if (colors := parse_colors(text)) is not None:
        return _of_colors(colors, text)
    path = Path(text)
    if path.suffix.lower() not in LISTS:
        picture = load_image(path)
        spread = srgb_to_oklab(picture.rgb).reshape(-1, 3).std(axis=0).max()
        if spread < FAINT:
            raise InputError(f"the palette {text} has one colour: give two at least")
        return Palette(np.zeros((0, 3), np.float32), picture)
    try:
        words = re.split(r"[\s,;]+", path.read_text(encoding="utf-8").strip())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise InputError(f"cannot read the palette {text}: {reason}") from error
    colors = parse_colors(",".join(words))
    if colors is None:
        raise InputError(f"the palette {text} is no list of colours such as #1a2b3c")
    return _of_colors(colors, text)


def main_colors(picture: Picture) -> str:
    """A few colours that stand for those of a picture, each for an equal share, from dark to light.

    Returns:
        The colours as ``load_palette`` reads them.

    Raises:
        InputError: If there are not two.
    """
    small = picture.fitted(THUMBNAIL)
    seen = small.rgb if small.alpha is None else small.rgb[small.alpha > 0][None]
    if not seen.size:
        raise InputError(f"{picture.name} is fully transparent: it has no colours to take")
    image = Image.fromarray(np.rint(255 * seen).astype(np.uint8))
    quantized = image.quantize(MAIN_COLORS, Image.Quantize.MEDIANCUT)
    found = np.array(quantized.getpalette(), np.uint8).reshape(-1, 3)
    distinct = np.unique(found[: 1 + np.asarray(quantized).max()], axis=0)
    if len(distinct) < 2:
        raise InputError(f"{picture.name} has one colour: two at least are needed")
    order = np.argsort(srgb_to_oklab(distinct.astype(np.float32) / np.float32(255))[:, 0])
    return ", ".join(bytes(color).hex() for color in distinct[order])


def _of_colors(colors: list[tuple[int, int, int]], text: str) -> Palette:
    distinct = list(dict.fromkeys(colors))
    if not 2 <= len(distinct) <= MOST_COLORS:
        count = "one colour" if len(distinct) == 1 else f"{len(distinct)} colours"
        raise InputError(f"the palette {text[:60]} has {count}: from 2 to {MOST_COLORS} are needed")
    return Palette(srgb_to_oklab(np.array(distinct, np.float32) / np.float32(255)))


@dataclass(frozen=True)
class _Plan:
    """A regularised transport to the colours of a palette.

    Attributes:
        colors: ``(K, 3)``, OkLab.
        potentials: ``(K,)``, how much nearer each seems than it is.
        means: ``(K, 3)``, the mean of what goes to each.
    """

    colors: Floats
    potentials: NDArray[np.float64]
    means: NDArray[np.float64]

    def move(self, lab: Floats) -> Floats:
        """Where colours ``(N, 3)`` go."""
        shares = _softmax(self.potentials - _costs(lab, self.colors))
        kept = VARIATION * (lab - shares @ self.means)
        moved: Floats = (shares @ self.colors + kept).astype(np.float32)
        return moved


def _learn(lab: Floats, weights: Floats, colors: Floats) -> _Plan:
    """Find the plan by Sinkhorn's iterations on logarithms."""
    mass = weights.astype(np.float64) / weights.sum()
    costs = _costs(lab, colors)
    potentials = np.zeros(len(colors))
    for _ in range(ROUNDS):
        received = mass @ _softmax(potentials - costs)
        potentials -= np.log(len(colors) * received + 1e-12)
    shares = mass[:, None] * _softmax(potentials - costs)
    means = shares.T @ lab / (shares.sum(axis=0)[:, None] + 1e-12)
    return _Plan(colors, potentials, means)


def _costs(lab: Floats, colors: Floats) -> NDArray[np.float64]:
    """``(N, K)``, squared distances over the entropy."""
    apart = lab[:, None].astype(np.float64) - colors[None]
    costs: NDArray[np.float64] = np.square(apart).sum(axis=2) / ENTROPY
    return costs


def _softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares
