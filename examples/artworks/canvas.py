"""What the artworks share: coordinates, noise, colour, relief.

Everything is measured on the unit square, x to the right and y down, and every random number is
drawn in a quantity that does not depend on the size of the canvas. That is what makes an artwork
the same picture at any size.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    from typing_extensions import Self

Array: TypeAlias = npt.NDArray[Any]  # float32, but for masks and labels
Rng: TypeAlias = np.random.Generator


def grid(n: int) -> tuple[Array, Array]:
    """The x and y of the pixel centres of an n by n canvas, each (n, n)."""
    centres = (np.arange(n, dtype=np.float32) + 0.5) / n
    x, y = np.meshgrid(centres, centres)
    return x, y


def resize(field: Array, n: int) -> Array:
    """An (h, w) field brought to (n, n) with a bicubic filter."""
    image = Image.fromarray(np.ascontiguousarray(field, dtype=np.float32))
    return np.array(image.resize((n, n), Image.Resampling.BICUBIC))


def noise(n: int, rng: Rng, cells: int | tuple[int, int], octaves: int = 4) -> Array:
    """Fractal value noise, (n, n), of mean 0 and standard deviation about 1.

    ``cells`` is the number of cells of the coarsest octave, or (down, across) for streaks.
    """
    down, across = (cells, cells) if isinstance(cells, int) else cells
    total = np.zeros((n, n), np.float32)
    for octave in range(octaves):
        lattice = rng.uniform(-1, 1, (down << octave, across << octave)).astype(np.float32)
        total += resize(lattice, n) * 0.5**octave
    return total * np.float32(2.0)


def blur(field: Array, radius: float) -> Array:
    """A smooth copy of a square field; ``radius`` in parts of the canvas."""
    n = len(field)
    return resize(resize(field, max(2, min(n, round(0.8 / radius)))), n)


def smoothstep(low: float, high: float, x: Array) -> Array:
    """0 below ``low``, 1 above ``high``, smooth between (falling where ``low`` is the larger)."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def mix(a: Array, b: Array, t: Array) -> Array:
    """Colours ``a`` where ``t`` (without the channel axis) is 0, ``b`` where it is 1."""
    return np.asarray(a + (b - a) * t[..., None])


def palette(codes: str) -> Array:
    """Colours from hexadecimal codes with spaces between, (k, 3) in [0, 1]."""
    return np.array([list(bytes.fromhex(code)) for code in codes.split()], np.float32) / 255


def ramp(t: Array, stops: Array) -> Array:
    """Colours along evenly spaced ``stops`` (k, 3) for ``t`` in [0, 1]."""
    at = np.linspace(0, 1, len(stops))
    return np.stack([np.interp(t, at, channel) for channel in stops.T], -1).astype(np.float32)


def relief(height: Array, depth: float) -> Array:
    """How a surface lit from the upper left is brightened (positive) or shaded (negative).

    ``depth`` is how far a height of 1 stands out, in parts of the canvas.
    """
    down, across = np.gradient(height * np.float32(depth * len(height)))
    return np.asarray(np.tanh(down + across), np.float32)


def lookup(field: Array, x: Array, y: Array) -> Array:
    """The nearest values of a field at points of the unit square."""
    n = len(field)
    row = np.clip((y * n).astype(np.int64), 0, n - 1)
    column = np.clip((x * n).astype(np.int64), 0, n - 1)
    return field[row, column]


class Layers:
    """Arrays over the same square canvas, that can be worked on a part at a time.

    Every array kept as an attribute is a layer, (n, n) or (n, n, channels), written in place.
    """

    def __init__(self, n: int, rng: Rng) -> None:
        self.n, self.rng = n, rng
        self.x, self.y = grid(n)

    def near(self, x: float, y: float, reach: float) -> Self:
        """The part around a point: what is written there shows in the whole."""
        part = copy.copy(self)
        window = []
        for centre in (y, x):
            start = min(max(0, int((centre - reach) * self.n)), self.n - 2)
            window.append(slice(start, max(start + 2, int((centre + reach) * self.n))))
        for name, layer in vars(self).items():
            if isinstance(layer, np.ndarray):
                setattr(part, name, layer[tuple(window)])
        return part

    def ellipse(
        self, x: float, y: float, a: float, b: float, turn: float, taper: float = 0.0
    ) -> tuple[Array, Array]:
        """About the distance inside an ellipse, and the place (-1 to 1) along its axis ``a``.

        ``taper`` makes it narrower towards 1 and wider towards -1, as a leaf or a petal.
        """
        dx, dy = self.x - x, self.y - y
        along = (dx * np.cos(turn) + dy * np.sin(turn)) / a
        across = (dy * np.cos(turn) - dx * np.sin(turn)) / b
        across /= np.clip(1 - taper * along, 0.5, 1.5)
        return (1 - np.hypot(along, across)) * min(a, b), along
