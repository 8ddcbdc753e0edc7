"""Stained glass: leaded panes of streaky opalescent glass, after Tiffany's landscape windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .canvas import Array, Layers, Rng, blur, mix, noise, palette, ramp, relief, smoothstep

LEAD = 0.0036  # half the width of a came
TINTS = 4096


class _Window(Layers):
    """Panes laid one over another, and how far each point is from the nearest lead."""

    def __init__(self, n: int, rng: Rng) -> None:
        super().__init__(n, rng)
        self.pane = np.zeros((n, n), np.int64)
        self.colour = np.zeros((n, n, 3), np.float32)
        self.lead = np.ones((n, n), np.float32)

    def put(self, inside: Array, colour: Array, cuts: Sequence[Array] = ()) -> None:
        """Fill where ``inside`` is positive; lead runs where it is 0 and where a cut is whole.

        ``inside`` is about the distance from the outline, in parts of the canvas.
        """
        here = inside > 0
        outline = np.maximum(np.abs(inside) / self._steepness(inside), 0.5 * np.abs(inside))
        lead = outline
        pane = np.full(here.shape, self.rng.integers(TINTS))
        for cut in cuts:
            pane = pane * 211 + np.floor(cut).astype(np.int64)
            lead = np.minimum(lead, np.abs(cut - np.round(cut)) / self._steepness(cut))
        np.copyto(self.pane, pane % TINTS, where=here)
        np.copyto(self.colour, colour, where=here[..., None])
        np.copyto(self.lead, np.where(here, lead, np.minimum(self.lead, outline)))

    def _steepness(self, field: Array) -> Array:
        down, across = np.gradient(field)
        return np.asarray(np.hypot(down, across) * self.n + 1e-6)

    def glaze(self) -> Array:
        """The window with light behind it."""
        rng = self.rng
        n = self.n
        tint = np.clip(rng.normal(0, 1, (TINTS, 3)), -1.5, 1.5).astype(np.float32)
        turn = rng.integers(0, 3, TINTS)[self.pane]
        streaks = np.stack(
            [noise(n, rng, (3, 22), 3), noise(n, rng, (22, 3), 3), noise(n, rng, 9, 3)]
        )
        streak = np.take_along_axis(streaks, turn[None], 0)[0]
        shade = 1 + 0.11 * tint[self.pane, :1] + 0.12 * streak[..., None]
        glass = self.colour * shade + 0.03 * tint[self.pane]
        milk = smoothstep(0.6, 2.2, streak) * 0.45
        glass = mix(glass, palette("fff6e0"), milk)
        glass *= 0.62 + 0.45 * smoothstep(0, 0.035, self.lead)[..., None]
        ripple = relief(blur(noise(n, rng, 26, 3), 0.002), 0.006)
        glass = np.clip(glass + 0.12 * ripple[..., None] * glass, 0, 1)
        came = smoothstep(LEAD + 0.0006, LEAD - 0.0006, self.lead)
        dome = np.sqrt(np.clip(1 - (self.lead / LEAD) ** 2, 0, 1))
        metal = 0.11 + 0.16 * np.clip(relief(dome, 0.004), 0, 1) + 0.02 * noise(n, rng, 60, 2)
        window = mix(glass, metal[..., None] * palette("d8dbe4"), came)
        glow = np.stack(
            [blur(np.where(came > 0.5, 0, glass[..., c] ** 3), 0.012) for c in range(3)], -1
        )
        return window + 0.13 * glow


def _sky(window: _Window, cx: float, cy: float) -> None:
    x, y = window.x, window.y
    r, turn = np.hypot(x - cx, y - cy), np.arctan2(x - cx, cy - y)
    light = ramp(r / 0.85, palette("ffe9a0 ffc14d f58a3c e2586a 9a4f9c 4a55b0 2a4fa8 1b357f"))
    rays = turn * 20 / (2 * np.pi) + 0.5 * np.sin(5 * r)
    rings = np.log(r / 0.115) * 2.1 + 0.14 * np.sin(4 * turn)
    window.put(1 + x, light, [rays, np.where(r > 0.115, rings, 0)])
    window.put(0.115 - r, palette("ffe784"))


def _land(window: _Window, rng: Rng) -> None:
    x, y = window.x, window.y
    phase = rng.uniform(-0.4, 0.4, 4)
    hills = [
        (0.50 - 0.14 * np.sin(4.6 * x + 0.4 + phase[0]), "8f7cc0 4f4f9c", 4.0),
        (0.56 - 0.10 * np.sin(5.2 * x + 3.6 + phase[1]), "4f7fb8 2a4f8c", 4.5),
        (0.64 - 0.06 * np.sin(5.0 * x + 1.2 + phase[2]), "3fa08c 1f6a6a", 5.0),
        (0.71 - 0.05 * np.sin(4.0 * x + 4.4 + phase[3]), "8cb84a 3f7f3c", 4.5),
    ]
    for ridge, codes, panes in hills:
        deep = y - ridge
        window.put(deep, ramp(deep / 0.2, palette(codes)), [x * panes + 6 * deep, deep * 11])
    depth = np.clip((y - 0.7) / 0.3, 0, 1)
    middle = 0.55 + 0.12 * np.sin(7.5 * depth + phase[0]) * (1 - 0.4 * depth)
    width = 0.015 + 0.17 * depth**1.2
    river = width - np.abs(x - middle) - 2 * np.clip(0.7 - y, 0, 1)
    water = ramp(depth + 0.25 * (x - middle), palette("ffd98a 7fc8d0 3f8fc0 1f5fa0"))
    window.put(river, water, [9 * np.sqrt(depth) + 4 * (x - middle)])


def _tree(window: _Window, rng: Rng) -> None:
    """A tree at the side, its boughs across the sky, and leaves of many greens and golds."""
    x, y = window.x, window.y
    stem = 0.115 + 0.03 * np.sin(4 * y + rng.uniform(-0.3, 0.3))
    wide = 0.026 + 0.045 * smoothstep(0.75, 1.0, y) + 0.01 * smoothstep(0.4, 0, y)
    bark = ramp((x - stem) / wide * 0.5 + 0.5, palette("3a2430 7a4a3c b98055"))
    boughs = [(0.13, 0.40, 0.55, 0.12, 0.018), (0.10, 0.26, 0.30, 0.02, 0.014)]
    for x0, y0, x1, y1, thick in boughs:
        dx, dy = x1 - x0, y1 - y0
        t = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy)
        side = ((x - x0) * dy - (y - y0) * dx) / np.hypot(dx, dy) + 0.035 * np.sin(np.pi * t)
        bough = thick * (1.1 - 0.8 * t) - np.abs(side)
        window.put(bough - 0.4 * np.abs(t - np.clip(t, 0, 1)), bark, [t * 3])
    window.put(wide - np.abs(x - stem), bark, [y * 6 + x * 2])
    greens = palette("2f7a3f 5fa53f 9cc43f d6c93c e8a53a 1f6a5c e27a3a")
    for _ in range(58):
        at, (x0, y0, x1, y1, _) = rng.random(), boughs[int(rng.random() < 0.4)]
        cx = x0 + at * (x1 - x0) + rng.normal(0, 0.05)
        cy = y0 + at * (y1 - y0) + rng.normal(0.01, 0.06)
        long, turn = rng.uniform(0.028, 0.042), rng.uniform(0, 2 * np.pi)
        part = window.near(cx, cy, 0.08)
        inside, _ = part.ellipse(cx, cy, long, 0.0175, turn, 0.35)
        part.put(inside, greens[rng.integers(7)])


def _irises(window: _Window, rng: Rng) -> None:
    """Irises and their leaves in the foreground."""
    for _ in range(11):
        foot, lean, tip = rng.uniform(0.22, 1.0), rng.uniform(-0.12, 0.12), rng.uniform(0.72, 0.9)
        part = window.near(foot, 0.86, 0.2)
        t = np.clip((1.02 - part.y) / (1.02 - tip), 0, 1)
        blade = 0.017 * (1 - t) ** 0.6 - np.abs(part.x - foot - lean * t**2)
        part.put(blade - np.clip(tip - part.y, 0, 1), ramp(t, palette("1f5a3c 3f9a5c 9cc86a")))
    petals = palette("5a3fb0 7a5fd0 a58cf0 c9b8ff")
    for cx, cy in [(0.30, 0.86), (0.74, 0.80), (0.90, 0.88), (0.58, 0.93)]:
        cx, cy = cx + rng.uniform(-0.03, 0.03), cy + rng.uniform(-0.02, 0.02)
        part = window.near(cx, cy, 0.14)
        for turn in (2.5, 0.64, 1.57, -2.2, -0.94, -1.57):
            px, py = cx + 0.04 * np.cos(turn), cy + 0.042 * np.sin(turn)
            inside, along = part.ellipse(px, py, 0.05, 0.027, turn, 0.35)
            part.put(inside, ramp(0.5 + 0.5 * along, petals[:: -1 if turn > 0 else 1]))
        inside, _ = part.ellipse(cx, cy, 0.018, 0.016, 1.57, 0.35)
        part.put(inside, palette("ffc93c"))


def paint(n: int, rng: Rng) -> Array:
    """Sunrise over hills and a river, framed by a tree and irises, in leaded glass."""
    window = _Window(n, rng)
    _sky(window, 0.6 + rng.uniform(-0.05, 0.05), 0.37)
    _land(window, rng)
    _tree(window, rng)
    _irises(window, rng)
    return window.glaze()
