"""Night wind: oil in thick strokes, after the night skies of Arles and Saint-Rémy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from .canvas import (
    Array,
    Rng,
    blur,
    grid,
    lookup,
    mix,
    noise,
    palette,
    ramp,
    relief,
    smoothstep,
)
from .strokes import Canvas, scatter, trace

SCENE = 384


@dataclass
class Scene:
    """What the brush looks at: colours, directions in radians, and the depth of each thing.

    Things are painted in the order of their depth (0 is the farthest), each (SCENE, SCENE).
    """

    colour: Array
    angle: Array
    depth: Array

    def put(self, mask: Array, colour: Array, angle: Array | float) -> None:
        """Add a nearer thing where ``mask`` is true."""
        self.colour = np.where(mask[..., None], colour, self.colour)
        self.angle = np.where(mask, np.float32(angle), self.angle)
        self.depth = np.where(mask, self.depth.max() + 1, self.depth)


def _night_sky(rng: Rng) -> Scene:
    """A wind of two great eddies, and stars that it circles."""
    x, y = grid(SCENE)
    flow = y + 0.035 * np.sin(7 * x + rng.uniform(0, 6)) + 0.012 * noise(SCENE, rng, 3, 2)
    spin = np.zeros_like(x)
    for cx, cy, radius, turn in [(0.43, 0.33, 0.105, 1), (0.63, 0.45, 0.06, -1)]:
        dx, dy = rng.uniform(-0.035, 0.035, 2)
        pull = np.exp(-((x - cx - dx) ** 2 + (y - cy - dy) ** 2) / (2 * radius**2))
        flow += turn * 2.4 * radius * pull
        spin += 0.28 * turn * pull
    bands = 0.5 + 0.5 * np.sin(flow * 62)
    light = 0.06 + 0.4 * smoothstep(0.1, 0.62, y) + 0.06 * noise(SCENE, rng, 4, 3)
    light += 0.42 * bands * (0.4 + 0.6 * np.abs(spin) / 0.28)
    sky = ramp(light, palette("0a1440 13266b 1f479b 3a78bd 7fb2c9 d3e0c0"))
    down, across = np.gradient(flow)
    scene = Scene(sky, np.arctan2(-across, down) + spin, np.zeros_like(x))
    _stars(scene, rng)
    return scene


def _stars(scene: Scene, rng: Rng) -> None:
    """Stars and a crescent moon, in rings of light that turn the strokes about them."""
    x, y = grid(SCENE)
    glow = palette("1f479b 4f8fb8 b9d3a8 f3dc78 f7b733 fff3b8")
    places = "36,08 60,10 20,33 95,33 72,25 33,55 49,18 84,46 06,12"
    stars = [(0.84, 0.15, 0.06, True)]
    for place in places.split():
        cx, cy = (float(part) / 100 + rng.uniform(-0.025, 0.025) for part in place.split(","))
        stars.append((cx, cy, rng.uniform(0.019, 0.034), False))
    for cx, cy, radius, moon in stars:
        r = np.hypot(x - cx, y - cy) / radius
        halo = np.clip(1.1 - 0.36 * r + 0.14 * np.sin(6.5 * r), 0, 0.75 if moon else 1)
        near = smoothstep(2.7, 1.3, r + 0.1 * noise(SCENE, rng, 24, 1))
        scene.colour = mix(scene.colour, ramp(halo, glow), near)
        ring = np.arctan2(y - cy, x - cx) + np.pi / 2
        ring += np.pi * np.round((scene.angle - ring) / np.pi)
        scene.angle += (ring - scene.angle) * smoothstep(3.6, 2.0, r)
        if moon:
            crescent = (r < 0.8) & (np.hypot(x - cx - 0.026, y - cy + 0.012) / radius > 0.68)
            scene.colour[crescent] = palette("f59a1b")[0]


def _night_land(scene: Scene, rng: Rng) -> None:
    """Hills, a village with a steeple, and a cypress before them."""
    x, y = grid(SCENE)
    tone = noise(SCENE, rng, 9, 3)
    ranges = [
        (0.62, 0.05, 5.0, "14296a 2f5fa0 7fb0cc"),
        (0.69, 0.04, 7.5, "12275c 24558a 5fa8a0"),
        (0.77, 0.025, 4.0, "0d1f45 1d5060 7faa78"),
    ]
    for level, swell, waves, codes in ranges:
        phase = rng.uniform(0, 6)
        ridge = level + swell * np.sin(waves * x + phase) - 0.06 * (x - 0.5)
        slope = np.arctan(swell * waves * np.cos(waves * x + phase))
        shade = 0.4 + 0.26 * np.cos((y - ridge) * 75 + 1.6 * tone) + 0.4 * np.exp((ridge - y) * 50)
        scene.put(y > ridge, ramp(shade, palette(codes)), slope)
    _village(scene, rng)
    width = 0.075 * np.clip((y - 0.16) / 0.84, 0, 1) ** 0.8
    sway = 0.155 + 0.018 * np.sin(13 * y + rng.uniform(0, 6)) * (1.2 - y)
    flame = width * (1 + 0.22 * np.sin(37 * y + 9 * x) + 0.12 * tone)
    side = (x - sway) / (width + 1e-3)
    shade = 0.45 + 0.28 * np.sin(side * 5 + 11 * y) + 0.1 * tone
    colour = ramp(shade, palette("0b1210 14291f 2c4a2a 7d6a2c"))
    lick = 1.57 + 0.35 * np.sin(24 * y + 4 * side) + 0.3 * side
    scene.put((np.abs(x - sway) < flame) & (y > 0.16), colour, lick)


def _village(scene: Scene, rng: Rng) -> None:
    """Two rows of houses with lit windows, and a church among them."""
    picture = Image.new("L", (SCENE, SCENE))
    draw = ImageDraw.Draw(picture)
    paints = palette("000000 2c4f8c 4a78a4 a04a34 5a3a4a ffd75a 16204a")

    def shape(paint: int, *points: tuple[float, float]) -> None:
        draw.polygon([(px * SCENE, py * SCENE) for px, py in points], paint)

    def box(paint: int, left: float, base: float, wide: float, tall: float) -> None:
        top, right = base - tall, left + wide
        shape(paint, (left, base), (left, top), (right, top), (right, base))

    for k, left in enumerate(np.linspace(0.3, 0.9, 12) + rng.uniform(-0.012, 0.012, 12)):
        wide, tall = rng.uniform(0.05, 0.066), rng.uniform(0.036, 0.05)
        base = 0.835 + 0.032 * (k % 2) + rng.uniform(-0.008, 0.008)
        if k == 5:
            box(6, left + 0.01, base, 0.034, 0.11)
            shape(
                6,
                (left + 0.005, base - 0.11),
                (left + 0.027, base - 0.25),
                (left + 0.049, base - 0.11),
            )
            box(5, left + 0.022, base - 0.07, 0.01, 0.024)
            continue
        box(1 + k % 2, left, base, wide, tall)
        eaves, ridge = base - tall, base - 1.8 * tall
        shape(
            3 + k % 2, (left - 0.008, eaves), (left + wide / 2, ridge), (left + wide + 0.008, eaves)
        )
        box(5, left + wide * 0.4, base - 0.35 * tall, 0.013, 0.016)
    which = np.asarray(picture)
    upright = np.where((which == 6) | (which == 5), np.pi / 2, np.where(which >= 3, 0.4, 0.0))
    scene.put(which > 0, paints[which], upright)


VILLAGE = 4
BRUSHES = [  # strokes over the whole canvas, length, half width, bristles
    (2600, 0.10, 0.0105, 7),
    (5600, 0.058, 0.0062, 5),
    (6400, 0.038, 0.0040, 4),
]
DETAIL = [(30000, 0.012, 0.0020, 2)]


def paint(n: int, rng: Rng) -> Array:
    """A night sky in eddies over a village: thick strokes laid along the wind, large to small."""
    scene = _night_sky(rng)
    _night_land(scene, rng)
    canvas = Canvas(n, scene.colour)
    for depth in range(int(scene.depth.max()) + 1):
        for count, length, width, bristles in DETAIL if depth == VILLAGE else BRUSHES:
            x, y = scatter(rng, count)
            here = lookup(scene.depth, x, y) == depth
            x, y = x[here], y[here]
            paths = trace(x, y, scene.angle, length * rng.uniform(0.6, 1.25, len(x)))
            colours = lookup(scene.colour, x, y) + rng.normal(0, 0.035, (len(x), 3))
            canvas.strokes(paths, width, colours, bristles, rng)
    colour, height = canvas.layers()
    shade = relief(blur(height, 0.0012), 0.004)[..., None]
    return colour * (1 + 0.42 * shade) + 0.12 * np.clip(shade, 0, 1) ** 3
