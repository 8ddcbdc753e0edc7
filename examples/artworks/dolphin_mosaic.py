"""Dolphin mosaic: tesserae in rows that follow every outline, after Delos and Ravenna."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageFilter

from .canvas import Array, Rng, grid, lookup, noise, palette, relief
from .strokes import SPREAD, Canvas

SCENE = 448
TESSERA = 0.0128  # the width of a row, in parts of the canvas
GOLD, AMBER, ROSE, SUN, CORE, BACK, FLANK, BELLY, EYE, FOAM, FRAME, EDGE, SEA = range(13)
STONES = palette(  # one for each of the above; SEA is the first of the bands of waves
    "d9a83c f1d283 d98a5c e2542c ffd97a 16284f 4f7ea8 f3e8d2 0e0e14 eef0e6 7c2a2a ead9b4"
    " 1f6a94 2f97a4 154a80 49b3a6 1b3f78 2a7d98 12305f"
)


def _scene(rng: Rng) -> Array:
    """The labels of things: a dolphin that leaps over a sun which sets in the sea."""
    x, y = grid(SCENE)
    phase = rng.uniform(0, 6, 3)
    cx = 0.5 + rng.uniform(-0.03, 0.03)
    r, turn = np.hypot(x - cx, y - 0.64), np.arctan2(0.64 - y, x - cx)
    bands = (r * 13 + 0.3 * np.sin(5 * turn + phase[0])) % 2 < 1
    rays = (np.abs(turn * 16 / (2 * np.pi) % 1 - 0.5) < 4.2 * (0.275 - r)) & (r > 0.15)
    label = np.where(bands, GOLD, AMBER)
    label = np.where((r < 0.135) | rays, SUN, np.where(r < 0.17, ROSE, label))
    label = np.where(r < 0.088, CORE, label)
    label = _dolphin(label, r - 0.385 - 0.02 * np.sin(2 * turn), (2.95 - turn) / 2.75)
    for band in range(7):
        swell = np.abs(np.sin(8.0 * x + phase[1] + 1.57 * band)) ** 0.8
        crest = 0.665 + 0.054 * band - 0.045 * swell + 0.006 * np.sin(5 * x + phase[2])
        label = np.where(y > crest, FOAM if band < 3 else SEA + band, label)
        label = np.where(y > crest + TESSERA, SEA + band, label)
    border = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    label = np.where(border < 2 * TESSERA, EDGE, label)
    return np.where(border < TESSERA, FRAME, label)


def _dolphin(label: Array, out: Array, u: Array) -> Array:
    """Put a dolphin along an arc: ``u`` runs from tail 0 to beak 1, ``out`` from belly to back."""
    arch = np.maximum(np.sin(np.pi * np.clip((u - 0.08) / 0.87, 0, 1)), 0)
    body = 0.1 * arch**0.8
    half = np.maximum(body, np.where((u > 0.05) & (u < 1.0), 0.017, 0))
    up = np.where(out > 0, out, out / 0.85)
    whole = np.abs(up) < half
    whole |= (
        (np.abs(out) < 0.12 - 0.85 * u) & (u > 0.05 - 0.45 * np.abs(out)) & (u < 0.13) & (u > 0)
    )
    for fin, front, height in ((out > 0, 0.63, out - body), (out < 0, 0.81, -out - 0.85 * body)):
        whole |= (
            fin & (height > -0.02) & (u < front - 1.6 * height) & (u > front - 0.1 - 0.4 * height)
        )
    wave = 0.012 * np.sin(14 * u)
    skin = np.where(out > 0.3 * body + wave, BACK, np.where(out > -0.3 * body + wave, FLANK, BELLY))
    skin = np.where((np.abs(up) > half) | (u < 0.16), BACK, skin)
    eye = np.hypot((u - 0.865) * 1.05, out - 0.014)
    skin = np.where(eye < 0.012, EYE, np.where(eye < 0.025, BELLY, skin))
    return np.where(whole, skin, label)


def _distance(label: Array) -> Array:
    """How far each point is from the nearest outline (Felzenszwalb and Huttenlocher, 2012)."""
    edge = np.zeros(label.shape, bool)
    edge[:, 1:] |= label[:, 1:] != label[:, :-1]
    edge[1:] |= label[1:] != label[:-1]
    index = np.arange(len(label), dtype=np.float32)
    parabolas = (index[:, None] - index) ** 2
    squared = np.where(edge, np.float32(0), np.float32(1e6))
    for _ in range(2):
        squared = np.stack([(parabolas + line).min(1) for line in squared]).T
    return np.asarray(np.sqrt(squared) / len(label), np.float32)


class _Floor:
    """The bed of mortar: where the stones lie, (x, y, angle, half length, half width) each."""

    cells = 800
    margin = 40  # around the cells, for what overhangs

    def __init__(self, label: Array, rng: Rng) -> None:
        self.stones: list[tuple[float, float, float, float, float]] = []
        self.rng = rng
        self.n = len(label)
        self.label = label.tolist()
        distance = _distance(label)
        down, across = np.gradient(distance)
        self.away = np.arctan2(down, across).tolist()
        self.distance = distance.tolist()
        self.taken = np.zeros((self.cells + 2 * self.margin,) * 2, bool)
        ticks = np.linspace(-1, 1, 11)
        self.footprint = np.stack([axis.ravel() for axis in np.meshgrid(ticks, ticks)])

    def _pixel(self, x: float, y: float) -> tuple[int, int]:
        last = self.n - 1
        return min(max(int(y * self.n), 0), last), min(max(int(x * self.n), 0), last)

    def _covered(self, x: float, y: float) -> bool:
        row, column = int(y * self.cells), int(x * self.cells)
        return bool(self.taken[row + self.margin, column + self.margin])

    def _lay(self, x: float, y: float, angle: float, length: float, width: float) -> bool:
        """Lay a stone unless it would lie on others."""
        cos, sin = math.cos(angle), math.sin(angle)
        along, across = self.footprint[0] * length, self.footprint[1] * width
        column = ((x + along * cos - across * sin) * self.cells).astype(np.int64) + self.margin
        row = ((y + along * sin + across * cos) * self.cells).astype(np.int64) + self.margin
        if np.count_nonzero(self.taken[row, column]) > 14:
            return False
        self.taken[row, column] = True
        self.stones.append((x, y, angle, length, width))
        return True

    def row(self, x: float, y: float) -> None:
        """Lay a row through a point, both ways, as far as there is room."""
        home = self._pixel(x, y)
        level = (self.distance[home[0]][home[1]] // TESSERA + 0.5) * TESSERA
        for sign in (1, -1):
            px, py = x, y
            while 0 <= px < 1 and 0 <= py < 1:
                row, column = self._pixel(px, py)
                away = self.away[row][column]
                shift = min(max(level - self.distance[row][column], -TESSERA), TESSERA)
                px, py = px + shift * math.cos(away), py + shift * math.sin(away)
                row, column = self._pixel(px, py)
                same = self.label[row][column] == self.label[home[0]][home[1]]
                length = TESSERA * self.rng.uniform(0.42, 0.62)
                if not same or not self._lay(px, py, away + math.pi / 2, length, TESSERA / 2):
                    break
                px -= sign * 2 * length * math.sin(away)
                py += sign * 2 * length * math.cos(away)

    def fill(self) -> None:
        """Lay rows from the outlines inward, then ever smaller stones in the gaps."""
        n = self.n
        rows = np.array(self.distance) / TESSERA
        order = np.argsort((rows // 1 + self.rng.random((n, n))).ravel())
        row, column = np.divmod(order, n)
        centre = (np.abs(rows.ravel()[order] % 1 - 0.5) < 0.2) & (order % 3 == 0)
        for part in (0.0, 0.42, 0.3, 0.22):
            # A point may still hold a stone only where little is taken around it.
            reach = ImageFilter.BoxBlur(part * TESSERA * self.cells)
            taken = np.asarray(Image.fromarray(np.uint8(255) * self.taken).filter(reach))
            x, y = (column + 0.5) / n, (row + 0.5) / n
            inner = taken[self.margin : -self.margin, self.margin : -self.margin]
            free = lookup(inner, x, y) < 40
            free &= centre | (part > 0)
            for px, py in zip(x[free].tolist(), y[free].tolist(), strict=True):
                if self._covered(px, py):
                    continue
                if part:
                    at = self._pixel(px, py)
                    self._lay(px, py, self.away[at[0]][at[1]], part * TESSERA, part * TESSERA)
                else:
                    self.row(px, py)


def paint(n: int, rng: Rng) -> Array:
    """A dolphin that leaps over the setting sun, in stones on pale mortar."""
    label = _scene(rng)
    floor = _Floor(label, rng)
    floor.fill()
    x, y, angle, length, width = np.array(floor.stones, np.float32).T
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32)
    corners = 0.91 * corners + rng.normal(0, 0.07, (len(x), 4, 2)).astype(np.float32)
    corners = corners * np.stack([length, width], -1)[:, None] - SPREAD / n * np.sign(corners)
    along, across = np.moveaxis(corners, -1, 0)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    outlines = np.stack([along * cos - across * sin, along * sin + across * cos], -1)
    outlines += np.stack([x, y], -1)[:, None]
    colours = STONES[lookup(label, x, y)] * rng.normal(1, 0.09, (len(x), 1))
    colours += rng.normal(0, 0.022, (len(x), 3))
    canvas = Canvas(n, palette("b9ab92")[None])
    canvas.polygons(outlines, colours, rng.uniform(0.55, 1.0, len(x)))
    colour, height = canvas.layers()
    grain = noise(n, rng, 90, 3)
    rough = np.where(height < 0.1, 0.075, 0.02)
    return colour * (1 + rough * grain + 0.3 * relief(height, 0.0022))[..., None]
