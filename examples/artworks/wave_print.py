"""Wave print: a woodblock print in Prussian blue, after Hokusai and the seigaiha pattern."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .canvas import Array, Rng, grid, mix, noise, palette, ramp, smoothstep
from .strokes import normals, ribbons

KEY, DEEP, BLUE, PALE, FOAM = "14243f", "1f3f6e", "3f72a0", "9fc0c8", "f5efdc"
BACK = [
    (-0.1, 0.80),
    (0.0, 0.58),
    (0.11, 0.37),
    (0.24, 0.19),
    (0.38, 0.10),
    (0.52, 0.11),
    (0.62, 0.19),
    (0.655, 0.31),
]
FACE = [
    (0.80, 0.92),
    (0.58, 0.80),
    (0.42, 0.68),
    (0.345, 0.53),
    (0.36, 0.39),
    (0.44, 0.31),
    (0.55, 0.285),
    (0.645, 0.325),
]


def _curve(points: list[tuple[float, float]], count: int = 80) -> Array:
    """A smooth curve (count, 2) through points (Catmull and Rom, 1974)."""
    p = np.array([points[0], *points, points[-1]], np.float32)
    at = np.linspace(0, len(points) - 1.001, count)
    k, t = at.astype(int), (at % 1)[:, None]
    a, b, c, d = (p[k + j] for j in range(4))
    return np.asarray(
        b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    )


class _Sheet:
    """The sheet of paper, printed block by block."""

    def __init__(self, ground: Array) -> None:
        self.n = len(ground)
        self.image = Image.fromarray((np.clip(ground, 0, 1) * 255).astype(np.uint8))
        self._draw = ImageDraw.Draw(self.image)

    def area(self, outline: Array, colour: str) -> None:
        self._draw.polygon((outline * self.n).ravel().tolist(), f"#{colour}")

    def line(self, path: Array, width: float, colour: str = KEY) -> None:
        points = (path * self.n).ravel().tolist()
        self._draw.line(points, f"#{colour}", max(1, round(width * self.n)), "curve")

    def disc(self, x: float, y: float, radius: float, colour: str) -> None:
        box = [
            (x - radius) * self.n,
            (y - radius) * self.n,
            (x + radius) * self.n,
            (y + radius) * self.n,
        ]
        self._draw.ellipse(box, f"#{colour}")


def _sky(n: int, rng: Rng) -> Array:
    """A graded sky with a red sun and bands of mist."""
    x, y = grid(n)
    sky = ramp(y / 0.72, palette("3f5f80 a9b8b0 e8dcbc f1e6c8 f3dfb8 efc9a0"))
    cx, cy = 0.77 + rng.uniform(-0.03, 0.03), 0.24 + rng.uniform(-0.02, 0.02)
    red = ramp((y - cy + 0.13) / 0.26, palette("c23a28 d8502f ee9a6a"))
    sky = mix(sky, red, smoothstep(0.1215, 0.1205, np.hypot(x - cx, y - cy)))
    for _ in range(4):
        level, left, wide = rng.uniform(0.05, 0.5), rng.uniform(0.3, 0.8), rng.uniform(0.2, 0.5)
        side = np.clip(np.abs(x - left - wide / 2) - wide / 2 + 0.012, 0, 1)
        band = np.hypot(side, y - level) - 0.012
        sky = mix(sky, palette(FOAM), 0.72 * smoothstep(0.001, -0.001, band))
    return sky


def _mountain(sheet: _Sheet, rng: Rng) -> None:
    """A far volcano with snow on it, over a calm sea."""
    sheet.area(np.array([[0, 0.722], [1, 0.722], [1, 1], [0, 1]]), "8db4bd")
    for row in range(16):
        for _ in range(5):
            x = np.linspace(0, rng.uniform(0.08, 0.25), 24)
            y = 0.733 + 0.0013 * row * (row + 4) + 0.003 * np.sin(60 * x + rng.uniform(0, 6))
            streak = ribbons(np.stack([rng.uniform(0.3, 1) + x, y], -1)[None], np.array([0.0016]))[
                0
            ]
            sheet.area(streak, (FOAM, BLUE, BLUE)[rng.integers(3)])
    x = np.linspace(-1, 1, 90)
    peak = 0.775 + rng.uniform(-0.02, 0.02)
    flank = 0.7235 - 0.225 * np.exp(-np.abs(x) * 3.1) + 0.03 * np.exp(-((x / 0.05) ** 2))
    slope = np.stack([peak + 0.42 * x, flank], -1)
    sheet.area(slope, "4a6c92")
    cap = slope[np.abs(x) < 0.2]
    teeth = cap[::-1] + np.stack([0 * cap[:, 0], 0.02 + 0.028 * (np.arange(len(cap)) % 4 > 1)], -1)
    sheet.area(np.concatenate([cap, teeth]), FOAM)
    sheet.line(slope, 0.0028)


def _great_wave(sheet: _Sheet, rng: Rng) -> None:
    """The curling wave: stripes between its back and its face, and claws of foam."""
    back, face = _curve(BACK), _curve(FACE)
    edges = np.array(
        [0, 0.07, 0.12, 0.22, 0.27, 0.37, 0.43, 0.53, 0.6, 0.68, 0.75, 0.82, 0.89, 0.95, 1.0]
    )
    tints = [DEEP, PALE, BLUE, FOAM, DEEP, PALE, BLUE, FOAM, DEEP, PALE, DEEP, FOAM, DEEP, PALE]
    inner = [back + (face - back) * t for t in edges]
    for near, far, tint in zip(inner, inner[1:], tints, strict=False):
        sheet.area(np.concatenate([near, far[::-1]]), tint)
    for path in inner:
        sheet.line(path, 0.0024)
    sheet.line(back, 0.005)
    lip = np.concatenate([back[34:], face[:58:-1]])
    outward = normals(lip[None])[0]
    outward *= -np.sign((outward * (lip.mean(0) - lip)).sum(-1, keepdims=True))
    _foam(sheet, lip, outward, rng)


def _foam(sheet: _Sheet, lip: Array, outward: Array, rng: Rng) -> None:
    """Foam along the lip: a scalloped band, and fingers that hook forward and down."""
    fingers, widths = [], []
    forward = np.gradient(lip, axis=0)
    forward /= np.linalg.norm(forward, axis=-1, keepdims=True)
    for k in range(2, len(lip) - 1):
        for _ in range(3):
            heading = np.arctan2(*(outward[k] + rng.uniform(0.1, 1.1) * forward[k])[::-1])
            length = rng.uniform(0.028, 0.075)
            turn = heading + np.linspace(0, rng.uniform(1.2, 2.6), 9)
            step = np.stack([np.cos(turn), np.sin(turn)], -1) * length / 8
            fingers.append(lip[k] + rng.normal(0, 0.008, 2) + np.cumsum(step, 0))
            widths.append(length * rng.uniform(0.11, 0.17))
    paths, half = np.array(fingers), np.array(widths)
    puffs = [
        (*(lip[k] + rng.normal(0, 0.009, 2)), rng.uniform(0.009, 0.02))
        for k in rng.permutation(len(lip))
    ]
    order = rng.permutation(len(paths))
    for grow, tint in ((0.0019, KEY), (0.0, FOAM)):
        for x, y, radius in puffs:
            sheet.disc(x, y, radius + grow, tint)
    for group in np.array_split(order, 40):
        for grow, tint in ((0.0019, KEY), (0.0, FOAM)):
            for outline in ribbons(paths[group], half[group] + grow):
                sheet.area(outline, tint)
    for x, y, radius in puffs[::2]:
        sheet.disc(x, y, 0.8 * radius, FOAM)
        sheet.disc(x, y, 0.18 * radius, PALE)
    for _ in range(150):
        k = int(rng.integers(len(lip)))
        x, y = lip[k] + outward[k] * rng.gamma(2.0, 0.028) + (rng.gamma(1.5, 0.03), 0)
        radius = rng.uniform(0.0015, 0.0042)
        sheet.disc(x, y, radius + 0.0012, BLUE)
        sheet.disc(x, y, radius, FOAM)


def _swell(sheet: _Sheet, rng: Rng) -> None:
    """The near sea: overlapping scales of concentric rings, row before row."""
    phase, radius = rng.uniform(-0.3, 0.3), 0.066
    rings = [
        (1.0, KEY),
        (0.955, FOAM),
        (0.87, DEEP),
        (0.66, PALE),
        (0.56, BLUE),
        (0.36, FOAM),
        (0.27, DEEP),
    ]
    for row in range(14):
        for x in np.arange(-1, 18) * radius + (row % 2) * radius / 2 + phase * radius:
            lift = 0.075 * np.cos(4.6 * (x - 0.02) + phase) * np.exp(-row / 9)
            y = 0.885 + row * 0.031 - lift - 0.02
            for part, tint in rings:
                sheet.disc(x, y, 0.62 * radius * part, tint)


def paint(n: int, rng: Rng) -> Array:
    """A great wave breaks before a far mountain: flat inks, key lines, graded sky, wood grain."""
    sheet = _Sheet(_sky(n, rng))
    _mountain(sheet, rng)
    _great_wave(sheet, rng)
    _swell(sheet, rng)
    colour = np.asarray(sheet.image, np.float32) / 255
    _, y = grid(n)
    grain = np.sin(190 * (y + 0.015 * noise(n, rng, (4, 2), 2)) + 1.5 * noise(n, rng, (60, 2), 2))
    dark = 1 - colour.mean(-1)
    mottle = 0.030 * grain + 0.022 * noise(n, rng, 160, 2)
    colour = colour + (mottle * (0.25 + dark))[..., None]
    return mix(colour, palette(KEY), 0.45 * smoothstep(0.78, 1.05, y) * (dark > 0.3))
