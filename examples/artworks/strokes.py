"""Marks of a brush or a pen: paths that follow a field of directions, and paint along them."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .canvas import Array, Rng, lookup

STEPS = 8
SPREAD = 0.33  # pixels that Pillow fills outside each side of an outline, on average


def scatter(rng: Rng, count: int) -> tuple[Array, Array]:
    """About ``count`` points spread evenly but not regularly, in random order."""
    side = round(count**0.5)
    row, column = np.divmod(rng.permutation(side * side), side)
    jitter = rng.random((2, side * side))
    return (
        ((column + jitter[0]) / side).astype(np.float32),
        ((row + jitter[1]) / side).astype(np.float32),
    )


def trace(x: Array, y: Array, angle: Array, length: Array) -> Array:
    """Paths (k, STEPS, 2) through k points along a field of angles in radians, centred on them."""
    halves = []
    for sign in (-1, 1):
        px, py = x, y
        half = []
        for _ in range(STEPS // 2):
            theta = lookup(angle, px, py)
            px = px + sign * np.cos(theta) * length / STEPS
            py = py + sign * np.sin(theta) * length / STEPS
            half.append(np.stack([px, py], -1))
        halves.append(half)
    return np.stack(halves[0][::-1] + halves[1], 1)


def normals(paths: Array) -> Array:
    """Unit vectors (k, points, 2) across paths."""
    tangent = np.gradient(paths, axis=1)
    across = np.stack([-tangent[..., 1], tangent[..., 0]], -1)
    return np.asarray(across / (np.linalg.norm(across, axis=-1, keepdims=True) + 1e-9))


def ribbons(paths: Array, width: Array, offset: Array | float = 0.0) -> Array:
    """Outlines (k, 2 * points, 2) of tapered ribbons of half width ``width`` (k,).

    ``offset`` (k,) moves each sideways by so many parts of the canvas.
    """
    s = np.linspace(0, 1, paths.shape[1], dtype=np.float32)
    taper = np.minimum(1, 0.35 + 4 * s) * np.sqrt(1 - 0.96 * s**3)
    across = normals(paths)
    centre = paths + across * np.reshape(offset, (-1, 1, 1)) * taper[:, None]
    half = across * (np.reshape(width, (-1, 1)) * taper)[..., None]
    return np.concatenate([centre + half, (centre - half)[:, ::-1]], 1)


class Canvas:
    """A canvas of paint whose alpha channel is the height of the paint.

    Drawing replaces all four channels, so that the last stroke gives both colour and relief.
    """

    def __init__(self, n: int, ground: Array) -> None:
        """``ground`` (h, w, 3) in [0, 1] is the underpainting, which lies at height 0."""
        self.n = n
        self._image = Image.fromarray((np.clip(ground, 0, 1) * 255).astype(np.uint8))
        self._image = self._image.resize((n, n), Image.Resampling.BICUBIC)
        self._image.putalpha(0)
        self._draw = ImageDraw.Draw(self._image)

    def polygons(self, outlines: Array, colours: Array, heights: Array) -> None:
        """Fill outlines (k, points, 2) with colours (k, 3) at heights (k,), both in [0, 1]."""
        flat = (outlines * self.n).reshape(len(outlines), -1).tolist()
        paint = np.concatenate([colours, heights[:, None]], 1)
        for outline, fill in zip(
            flat, (np.clip(paint, 0, 1) * 255).astype(int).tolist(), strict=True
        ):
            self._draw.polygon(outline, tuple(fill))

    def strokes(self, paths: Array, width: float, colours: Array, bristles: int, rng: Rng) -> None:
        """Brush strokes along paths, each of several bristles that carry slightly unlike paint."""
        k = len(paths)
        lanes = np.linspace(-1, 1, bristles) * width * (1 - 1 / bristles)
        offset = np.tile(lanes, k) + rng.normal(0, 0.15 * width / bristles, k * bristles)
        half = width / bristles * rng.uniform(0.9, 1.7, k * bristles)
        tint = np.repeat(colours, bristles, 0) + rng.normal(0, 0.022, (k * bristles, 1))
        height = np.repeat(rng.uniform(0.3, 0.7, k), bristles) + rng.normal(0, 0.16, k * bristles)
        outlines = ribbons(np.repeat(paths, bristles, 0), half, offset)
        self.polygons(outlines, tint, height)

    def lines(self, paths: Array, width: Array) -> None:
        """Thin black lines of half width ``width`` (k,) along paths, at height 1."""
        thin = np.maximum(width - SPREAD / self.n, 0)
        k = len(paths)
        self.polygons(ribbons(paths, thin), np.zeros((k, 3)), np.ones(k))

    def layers(self) -> tuple[Array, Array]:
        """The colour (n, n, 3) and the height (n, n), both in [0, 1]."""
        pixels = np.asarray(self._image, np.float32) / 255
        return pixels[..., :3], pixels[..., 3]
