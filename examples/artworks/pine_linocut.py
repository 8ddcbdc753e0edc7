"""Pine linocut: a black key block carved along the forms, over three flat inks."""

from __future__ import annotations

import numpy as np

from .canvas import Array, Rng, grid, mix, noise, palette, smoothstep

SHORE = 0.63
SUN = 0.13


def _gouge(along: Array, across: Array, tone: Array | float, rng: Rng) -> Array:
    """Where a gouge has cut: one row of tapering cuts for each unit of ``across``.

    ``tone`` is the part of the width of a row that is cut away, ``along`` counts cuts in a row.
    """
    start = rng.random(1024).astype(np.float32)
    strength = rng.uniform(0.7, 1.15, 1024).astype(np.float32)
    row = np.floor(across).astype(np.int64) % 1024
    s = (along + 7 * start[row]) % 1
    taper = smoothstep(0, 0.3, s) * smoothstep(1, 0.72, s) ** 0.7
    return np.abs(across % 1 - 0.5) < 0.5 * tone * taper * strength[row]


class _Block:
    """The key block being carved, and the flat inks beneath it."""

    def __init__(self, n: int, rng: Rng) -> None:
        self.n, self.rng = n, rng
        x, y = grid(n)
        self.chatter = noise(n, rng, 30, 2)
        self.x, self.y = x + 0.0009 * self.chatter, y + 0.0009 * noise(n, rng, 30, 2)
        self.paper = np.zeros((n, n), bool)  # what has been carved away
        self.ink = np.zeros((n, n), np.int64)  # which flat ink shows there

    def put(self, where: Array, carved: Array, ink: Array | int) -> None:
        self.paper = np.where(where, carved, self.paper)
        self.ink = np.where(where, ink, self.ink)

    def ridge(self, base: float, tall: float, cells: int) -> tuple[Array, Array]:
        """A mountain range over each x: its jagged skyline, and which way its flanks face."""
        peaks = self.rng.uniform(0.25, 1, cells + 1) * (1 - 0.55 * (np.arange(cells + 1) % 2))
        knots = np.linspace(0, 1, cells + 1) + self.rng.uniform(-0.3, 0.3, cells + 1) / cells
        line = np.interp(self.x, knots, peaks)
        crags = np.interp(self.x, np.linspace(0, 1, 90), self.rng.uniform(-0.03, 0.03, 90))
        skyline = np.asarray(base - tall * line - 0.35 * crags, np.float32)
        return skyline, np.sign(np.gradient(line, axis=1)).astype(np.float32)


def _sky(block: _Block, cx: float, cy: float) -> None:
    x, y = block.x, block.y
    r, turn = np.hypot(x - cx, y - cy), np.arctan2(y - cy, x - cx) / (2 * np.pi)
    tone = 0.93 - 0.95 * smoothstep(SUN, 0.85, r)
    rays = _gouge(r * 3.5, turn * 150, tone, block.rng) & (r > SUN + 0.011)
    disc = (r < SUN) & ~_gouge(r * 2, turn * 60, 0.16 * smoothstep(0.3, 1, r / SUN), block.rng)
    block.put(np.ones_like(disc), rays | disc, np.where(r < SUN, 1, np.where(r < 0.36, 2, 0)))


def _mountains(block: _Block) -> None:
    """Ranges whose lit flanks are cut along the slope, and whose other flanks stay black."""
    x, y = block.x, block.y
    for base, tall, cells, rows, light in [(0.63, 0.34, 7, 62, 0.85), (0.64, 0.16, 11, 80, 0.6)]:
        ridge, face = block.ridge(base, tall, cells)
        lit = smoothstep(
            -0.3, 0.3, 0.6 * face + 0.35 * block.chatter * smoothstep(0, 0.1, y - ridge)
        )
        fall = smoothstep(0.24, 0.0, y - ridge)
        along = (y - ridge) * 14
        across = (x + 0.45 * face * (y - ridge)) * rows * 1.2
        cut = _gouge(along, across, light * (0.08 + 0.92 * lit) * (0.3 + 0.7 * fall), block.rng)
        rim = (y - ridge < 0.006) & (block.chatter > -1.6)
        block.put(y > ridge, cut & (y > ridge + 0.009) | rim, np.where(rim, 0, 3))


def _lake(block: _Block, cx: float) -> None:
    x, y = block.x, block.y
    depth = np.clip((y - SHORE) / (1 - SHORE), 0, 1)
    across = 40 * np.sqrt(depth + 0.02) + 0.5 * np.sin(x * 30 + 20 * depth)
    drift = 0.022 * np.sin(np.floor(across) * 2.4)
    column = np.exp(-(((x - cx + drift) / (0.10 + 0.07 * depth)) ** 2))
    cut = _gouge(x * 5 + 0.2 * across, across, 0.28 + 0.62 * column, block.rng)
    block.put(y > SHORE, cut, np.where(column > 0.42, 1, 3))
    block.put(np.abs(y - SHORE) < 0.005, np.zeros_like(cut), 0)


def _foreground(block: _Block) -> None:
    """A black bank with cut grass, and pines on it."""
    x, y = block.x, block.y
    bank = 0.9 - 0.1 * np.cos(5.2 * (x - 0.52)) ** 2 + 0.008 * np.sin(40 * x)
    pines = [
        (0.06, 0.13, 0.86),
        (0.19, 0.34, 0.90),
        (0.30, 0.56, 0.92),
        (0.78, 0.47, 0.92),
        (0.955, 0.22, 0.9),
        (0.87, 0.06, 0.96),
    ]
    for place, top, foot in pines:
        _pine(block, place + block.rng.uniform(-0.015, 0.015), top, foot)
    fan = np.abs(x - 0.5) * 0.6
    tone = 0.62 * smoothstep(0.0, 0.012, y - bank) * smoothstep(0.16, 0.02, y - bank)
    cut = _gouge(
        (y - bank) * 16, (x + 0.35 * (y - bank) * np.sign(x - 0.5)) * 95 + fan, tone, block.rng
    )
    block.put(y > bank, cut, 2)


def _pine(block: _Block, cx: float, top: float, foot: float) -> None:
    x, y = block.x, block.y
    v = (y - top) / (foot - top)
    side = np.abs(x - cx)
    tiers = 11 * (foot - top) / 0.5
    sag = v - 0.35 * side / (foot - top)
    step = (sag * tiers) % 1
    reach = 0.185 * (foot - top) * np.clip(v, 0, 1) ** 0.85 * (0.42 + 0.58 * step)
    reach *= 1 + 0.25 * np.sin(side * 500 + v * 90)
    inside = (side < reach) & (v < 0.94) & (v > 0) | (side < 0.006 + 0.006 * v) & (v > 0) & (
        v < 1.03
    )
    needles = (side * 1.0 + 0.5 * sag * (foot - top)) * 75 + block.chatter * 0.1
    tone = 0.6 * smoothstep(0.25, 0.85, step) * smoothstep(1.02, 0.6, side / (reach + 1e-3))
    sunward = np.where((x - cx) * (0.56 - cx) > 0, 1.0, 0.35)
    block.put(inside, _gouge(sag * tiers - 0.2, needles, tone * sunward, block.rng), 0)
    halo = (side < reach + 0.0055) & (v < 0.955) & (v > -0.012) & ~inside
    block.put(halo & (v < 0.9), np.zeros_like(halo), 0)


def paint(n: int, rng: Rng) -> Array:
    """Pines at a mountain lake before the rising sun, cut in three inks and black."""
    block = _Block(n, rng)
    cx, cy = 0.56 + rng.uniform(-0.06, 0.06), 0.30
    _sky(block, cx, cy)
    _mountains(block)
    _lake(block, cx)
    _foreground(block)
    inks = palette("f3e6c8 e2472b f0a73a 4f9a94")
    grain = noise(n, rng, 200, 2)
    flat = inks[block.ink] * (1 + 0.018 * grain[..., None])
    black = np.where(block.paper, 0, 1) * smoothstep(2.6, 2.0, grain + 0.3 * block.chatter)
    return mix(flat, palette("1b1716"), black.astype(np.float32))
