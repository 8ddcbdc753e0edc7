"""Orphic discs: simultaneous contrasts of turning colours, after Sonia and Robert Delaunay."""

from __future__ import annotations

import numpy as np

from .canvas import Array, Layers, Rng, blur, grid, mix, noise, palette, relief, smoothstep

PAINTS = palette(
    "d7263d f46036 f9a03f fcd757 f4ecd8 2e8b57 7fb069 1b998b 2d7dd2 274690"
    " 5b3a8c c65b9c 1c1c28 e8b4a0"
)
WARM, COOL = np.array([0, 1, 2, 3, 11, 13, 4]), np.array([5, 6, 7, 8, 9, 10, 12])


class _Canvas(Layers):
    """Paint put down in flat fields with brushed edges."""

    def __init__(self, n: int, rng: Rng) -> None:
        super().__init__(n, rng)
        self.colour = np.zeros((n, n, 3), np.float32)
        self.height = np.zeros((n, n), np.float32)
        self.edge = noise(n, rng, 34, 3)
        self.bristle = noise(n, rng, (12, 130), 2)
        # The hand is not a compass: all outlines waver a little.
        self.x += 0.0022 * noise(n, rng, 7, 3)
        self.y += 0.0022 * noise(n, rng, 7, 3)


def _streaks(table: Array, across: Array, along: Array) -> Array:
    """Bristle marks that run in the direction of ``along``."""
    n = len(table)
    row = (along * n).astype(np.int64) % n
    column = (across * n).astype(np.int64) % n
    return table[row, column]


def _disc(
    canvas: _Canvas, cx: float, cy: float, radius: float, rings: int, sectors: int, turn: float
) -> None:
    """Rings cut into sectors, each in a paint that opposes its neighbours."""
    rng = canvas.rng
    part = canvas.near(cx, cy, 1.03 * radius)
    r = np.hypot(part.x - cx, part.y - cy) / radius
    theta = (np.arctan2(part.y - cy, part.x - cx) - turn) / (2 * np.pi)
    knots = np.cumsum(rng.uniform(0.6, 1.4, rings))
    bounds = np.concatenate([[0], knots / knots[-1]])
    ring = np.searchsorted(bounds, r.ravel()).reshape(r.shape) - 1
    inside = r < 1
    ring = np.clip(ring, 0, rings - 1)
    slip = rng.integers(0, 2, rings) / (2 * sectors) * (rng.random(rings) < 0.35)
    sector = np.floor((theta + slip[ring]) * sectors).astype(np.int64) % sectors
    chosen = np.zeros((rings, sectors), np.int64)
    for k in range(rings):
        for j in range(sectors):
            family = WARM if (k + j) % 2 else COOL
            others = {chosen[k - 1, j], chosen[k, j - 1], chosen[k - 2, j]}
            chosen[k, j] = rng.choice([paint for paint in family if paint not in others])
    colour = PAINTS[chosen[ring, sector]]
    within = (r - bounds[ring]) / (bounds[ring + 1] - bounds[ring])
    bristle = _streaks(canvas.bristle, r * radius * 1.0, theta * 0.6 + 0.13 * ring)
    light = 1 + 0.05 * bristle + 0.16 * (within - 0.5) * np.where((ring + sector) % 2, 1, -1)
    np.copyto(part.colour, colour * light[..., None], where=inside[..., None])
    rim = np.exp(
        -np.minimum(within, 1 - within) * (bounds[ring + 1] - bounds[ring]) * radius / 0.003
    )
    np.copyto(part.height, 0.5 * bristle + 0.9 * rim, where=inside)


def _ground(canvas: _Canvas) -> None:
    """Bands of great arcs about two centres, cut by their diagonals."""
    x, y, rng = canvas.x, canvas.y, canvas.rng
    r1, r2 = np.hypot(x + 0.12, y - 1.15), np.hypot(x - 1.2, y + 0.1)
    first, second = np.floor(r1 * 6.5).astype(np.int64), np.floor(r2 * 5).astype(np.int64)
    cut = (x + 0.8 * y > 0.55 + 0.35 * (first % 3)).astype(np.int64)
    which = np.where(
        (first + second + cut) % 2,
        WARM[rng.integers(0, 7, 400)][(first * 17 + second * 5 + cut) % 400],
        COOL[rng.integers(0, 7, 400)][(first * 11 + second * 3 + cut) % 400],
    )
    bristle = _streaks(canvas.bristle, r1, np.arctan2(y - 1.15, x + 0.12) * 0.35)
    fade = (r1 * 6.5) % 1 - 0.5
    canvas.colour[:] = PAINTS[which] * (1 + 0.05 * bristle + 0.14 * fade)[..., None]
    canvas.height[:] = 0.5 * bristle


def paint(n: int, rng: Rng) -> Array:
    """Great and small discs that turn against each other over arcs of colour."""
    canvas = _Canvas(n, rng)
    _ground(canvas)
    discs = [
        (0.80, 0.83, 0.27, 6, 4),
        (0.19, 0.20, 0.25, 6, 4),
        (0.83, 0.18, 0.17, 5, 4),
        (0.15, 0.80, 0.20, 5, 4),
        (0.47, 0.51, 0.335, 8, 4),
        (0.66, 0.69, 0.12, 4, 2),
        (0.60, 0.10, 0.075, 3, 2),
        (0.93, 0.48, 0.10, 4, 2),
        (0.36, 0.93, 0.085, 3, 2),
    ]
    for cx, cy, radius, rings, sectors in discs:
        dx, dy, turn = rng.uniform(-0.025, 0.025), rng.uniform(-0.025, 0.025), rng.uniform(0, 6.3)
        _disc(canvas, cx + dx, cy + dy, radius, rings, sectors, turn)
    x, y = grid(n)
    weave = np.sin(2 * np.pi * 120 * x) * np.sin(2 * np.pi * 120 * y)
    worn = canvas.colour * (1 + 0.035 * canvas.edge[..., None])
    dry = smoothstep(1.6, 2.6, noise(n, rng, 70, 3) + 0.6 * weave)
    worn = mix(worn, palette("efe6d0"), 0.3 * dry)
    shade = relief(blur(canvas.height + 0.18 * weave, 0.0012), 0.0022)
    return np.asarray(worn * (1 + 0.2 * shade[..., None]), np.float32)
