"""Windmill etching: pen strokes crossed and crossed again, after Rembrandt and Piranesi."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .canvas import Array, Rng, grid, lookup, mix, noise, palette, relief, resize, smoothstep
from .strokes import Canvas, scatter, trace

SCENE = 384
FINE = 1536  # pixels that the thinnest lines need
# Each layer of hatching: from which tone on, its turn from the form, strokes, length, half width.
HATCHES = [
    (0.08, 0.0, 12000, 0.052, 0.00092),
    (0.36, 0.95, 10500, 0.044, 0.00092),
    (0.60, -0.75, 10000, 0.036, 0.00098),
    (0.80, 1.57, 11000, 0.030, 0.00105),
]


class _Plate:
    """What is etched: at each point the tone (0 paper, 1 ink), the direction, and the thing."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.x, self.y = grid(SCENE)
        self.tone = np.zeros((SCENE, SCENE), np.float32)
        self.angle = np.zeros((SCENE, SCENE), np.float32)
        self.thing = np.zeros((SCENE, SCENE), np.int64)
        self.pen: list[Array] = []  # lines drawn over the hatching, (6, 2) each
        self.rough = noise(SCENE, rng, 8, 4)

    def put(self, mask: Array, tone: Array | float, angle: Array | float) -> None:
        self.tone = np.where(mask, np.float32(tone), self.tone)
        self.angle = np.where(mask, np.float32(angle), self.angle)
        self.thing = np.where(mask, self.thing.max() + 1, self.thing)

    def ball(self, x: float, y: float, radius: float, dark: float, contrast: float) -> None:
        """A rounded clump, lit from the upper left and hatched round its form."""
        dx, dy = (self.x - x) / radius, (self.y - y) / radius
        r = np.hypot(dx, dy) + 0.11 * self.rough
        light = (-0.6 * dx - 0.75 * dy) * contrast
        self.put(
            r < 1, np.clip(dark - light, 0, 1), np.arctan2(dy, dx) + np.pi / 2 + 0.25 * self.rough
        )

    def shape(
        self, tone: Array | float, angle: Array | float, *points: tuple[float, float]
    ) -> None:
        picture = Image.new("1", (SCENE, SCENE))
        ImageDraw.Draw(picture).polygon([(px * SCENE, py * SCENE) for px, py in points], 1)
        self.put(np.array(picture), tone, angle)


def _sky_and_land(plate: _Plate) -> None:
    x, y, rng = plate.x, plate.y, plate.rng
    plate.put(
        y >= 0, 0.42 * smoothstep(0.5, -0.1, y + 0.25 * x) + 0.05 * plate.rough, 0.12 * plate.rough
    )
    for cx, cy, spread, count in [
        (0.80, 0.22, 0.2, 22),
        (0.42, 0.14, 0.15, 14),
        (0.90, 0.45, 0.1, 9),
    ]:
        for level in np.linspace(0, 1, count):  # the lower puffs lie before the upper ones
            px = cx + spread * rng.uniform(-1, 1) * (0.35 + 0.65 * level)
            py = cy + spread * (0.62 * level - 0.4)
            plate.ball(px, py, spread * rng.uniform(0.24, 0.4), 0.0, 0.2)
    phase = rng.uniform(-0.3, 0.3)
    far = 0.585 - 0.02 * np.sin(5 * x + phase) - 0.012 * np.sin(13 * x)
    plate.put(y > far, 0.40 - 2.0 * (y - far), 0.1)
    mound = 0.70 - 0.15 * np.exp(-(((x - 0.66) / 0.21) ** 2)) + 0.012 * np.sin(9 * x + phase)
    slope = np.arctan(np.gradient(mound, axis=1) * SCENE)
    shade = smoothstep(-0.35, 0.5, slope) * 0.5 + 0.12 + 0.07 * plate.rough
    plate.put(y > mound, shade, slope + 0.5 * np.sign(slope) * smoothstep(0, 0.1, y - mound))
    field = 0.80 + 0.03 * np.sin(4 * x + 1 + phase)
    furrow = np.arctan2(y - 0.60, x - 0.30)
    rows = 0.5 + 0.5 * np.sin(furrow * 70 + plate.rough)
    plate.put(y > field, 0.10 + 0.5 * rows + 0.4 * smoothstep(0.93, 1.02, y), furrow)


def _windmill(plate: _Plate) -> None:
    """A tower of boards on the mound, its cap, its sails, and a hut in its shade."""
    x = plate.x
    cx = 0.655
    plate.shape(0.72, 0.5, (0.735, 0.56), (0.80, 0.505), (0.865, 0.575))
    plate.shape(0.30, 1.57, (0.745, 0.572), (0.745, 0.62), (0.855, 0.64), (0.855, 0.575))
    round_tone = np.clip(0.12 + 0.85 * smoothstep(-0.03, 0.055, x - cx), 0, 1)
    tower = [(cx - 0.072, 0.60), (cx - 0.040, 0.33), (cx + 0.040, 0.33), (cx + 0.072, 0.605)]
    plate.shape(round_tone, 0.25 * (x - cx) / 0.05, *tower)
    plate.shape(
        0.95, 1.57, (cx - 0.012, 0.60), (cx - 0.012, 0.555), (cx + 0.016, 0.555), (cx + 0.016, 0.60)
    )
    plate.shape(
        0.9, 0.0, (cx - 0.01, 0.44), (cx - 0.01, 0.415), (cx + 0.01, 0.415), (cx + 0.01, 0.44)
    )
    plate.shape(
        0.55 + 4 * (x - cx),
        0.9,
        (cx - 0.046, 0.333),
        (cx - 0.035, 0.29),
        (cx, 0.265),
        (cx + 0.04, 0.285),
        (cx + 0.05, 0.333),
    )
    for quarter in range(4):
        turn = plate.rng.uniform(-0.02, 0.02) + 0.42 + quarter * np.pi / 2
        ux, uy = np.cos(turn), np.sin(turn)
        hx, hy = cx - 0.008, 0.318
        corners = [(0.05, 0.006), (0.245, 0.006), (0.245, 0.052), (0.05, 0.046)]
        sail = [(hx + a * ux - b * uy, hy + a * uy + b * ux) for a, b in corners]
        plate.shape(0.3, turn, *sail)
        plate.pen += [_bar(hx, hy, turn, a, 0.004, a, 0.056) for a in np.linspace(0.05, 0.25, 12)]
        plate.pen += [_bar(hx, hy, turn, 0.05, b, 0.25, b) for b in (0.006, 0.022, 0.038, 0.053)]
        plate.pen += [_bar(hx, hy, turn, 0.0, b, 0.26, b) for b in (-0.004, -0.002, 0.0, 0.002)]


def _bar(x: float, y: float, turn: float, a0: float, b0: float, a1: float, b1: float) -> Array:
    """A straight pen line (points, 2) in coordinates turned about a hub."""
    a, b = np.linspace(a0, a1, 6), np.linspace(b0, b1, 6)
    return np.stack(
        [x + a * np.cos(turn) - b * np.sin(turn), y + a * np.sin(turn) + b * np.cos(turn)], -1
    )


def _oak(plate: _Plate) -> None:
    """An old oak at the left, dark against the sky."""
    x, y, rng = plate.x, plate.y, plate.rng
    stem = 0.175 + 0.03 * np.sin(5 * y + 0.5)
    wide = 0.032 + 0.07 * smoothstep(0.78, 0.93, y) * np.abs(np.sin(60 * x)) ** 0.3
    side = (x - stem) / wide
    bark = np.clip(0.55 + 0.45 * side + 0.25 * np.sin(14 * side + 18 * y), 0.1, 1)
    plate.put(
        (np.abs(side) < 1) & (y > 0.3) & (y < 0.92), bark, 1.57 + 0.4 * np.sin(11 * y) + 0.4 * side
    )
    for k in range(5):
        turn = -2.5 + 0.45 * k
        tip = (0.17 + 0.2 * np.cos(turn), 0.36 + 0.2 * np.sin(turn))
        plate.shape(0.9, turn, (0.15, 0.42), (0.20, 0.44), tip)
    for far in sorted(rng.uniform(0, 1, 125) ** 0.6, reverse=True):
        turn = rng.uniform(0, 2 * np.pi)
        px, py = 0.17 + 0.235 * far * np.cos(turn), 0.28 + 0.2 * far * np.sin(turn)
        shade = 0.42 + 0.36 * far * np.sin(turn - 0.6) + rng.normal(0, 0.08)
        plate.ball(px, py, rng.uniform(0.022, 0.045), shade, 0.42)


def _outlines(plate: _Plate) -> Array:
    """Short pen lines (k, 6, 2) along the outlines of things."""
    edge = np.zeros((SCENE, SCENE), bool)
    edge[1:] |= plate.thing[1:] != plate.thing[:-1]
    edge[:, 1:] |= plate.thing[:, 1:] != plate.thing[:, :-1]
    row, column = np.nonzero(edge)
    keep = plate.rng.random(len(row)) < 0.3
    row, column = row[keep], column[keep]
    # The main direction of the outline in a window of 7 by 7.
    j, i = (axis.reshape(-1, 1) for axis in np.mgrid[-3:4, -3:4])
    near = edge[np.clip(row + j, 0, SCENE - 1), np.clip(column + i, 0, SCENE - 1)]
    turn = 0.5 * np.arctan2((2 * i * j * near).sum(0), ((i * i - j * j) * near).sum(0))
    reach = (
        np.linspace(-0.008, 0.008, 6)[:, None] * np.stack([np.cos(turn), np.sin(turn)], -1)[:, None]
    )
    return np.asarray(np.stack([column, row], -1)[:, None] / SCENE + reach, np.float32)


def paint(n: int, rng: Rng) -> Array:
    """A windmill, an oak and a ploughed field under clouds, in brown-black ink."""
    plate = _Plate(rng)
    _sky_and_land(plate)
    _windmill(plate)
    _oak(plate)
    canvas = Canvas(max(n, FINE), np.zeros((1, 1, 3), np.float32))
    for start, turn, count, length, half in HATCHES:
        x, y = scatter(rng, count)
        tone = lookup(plate.tone, x, y)
        keep = tone + rng.normal(0, 0.03, len(x)) > start
        x, y, tone = x[keep], y[keep], tone[keep]
        reach = length * rng.uniform(0.4, 1.1, len(x))
        paths = trace(x, y, plate.angle + np.float32(turn), reach)
        same = lookup(plate.thing, *np.moveaxis(paths, -1, 0)) == lookup(plate.thing, x, y)[:, None]
        paths = np.where(same[..., None], paths, np.stack([x, y], -1)[:, None])
        width = half * (0.55 + 0.75 * tone) * rng.uniform(0.7, 1.25, len(x))
        canvas.lines(paths, width)
    for paths, half in ((_outlines(plate), 0.0009), (np.array(plate.pen), 0.0010)):
        canvas.lines(paths, half * rng.uniform(0.7, 1.3, len(paths)))
    ink = resize(canvas.layers()[1], n) * np.clip(0.96 + 0.05 * noise(n, rng, 160, 2), 0, 1)
    fibre = noise(n, rng, 150, 2)
    paper = (
        palette("f4ead2")
        * (1 + 0.012 * noise(n, rng, 3, 3) + 0.02 * relief(fibre, 0.001))[..., None]
    )
    return mix(paper, palette("2a2019"), 0.93 * ink)
