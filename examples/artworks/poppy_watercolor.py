"""Poppy watercolour: transparent washes with wet edges, blooms and granulation on rough paper."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from .canvas import Array, Layers, Rng, noise, palette, relief, smoothstep

REDS = ("f0503a", "ee3f3a", "f5743a", "e83a4a")
Flower: TypeAlias = tuple[float, float, float]  # x, y, size


class _Paper(Layers):
    """Rough paper that gathers pigment: washes multiply the light that the paper gives back."""

    def __init__(self, n: int, rng: Rng) -> None:
        super().__init__(n, rng)
        self.tooth = noise(n, rng, 120, 3)
        self.wander = noise(n, rng, 7, 6)
        self.flow = noise(n, rng, 4, 4)
        self.density = np.zeros((n, n, 3), np.float32)

    def wash(
        self, inside: Array, colour: str, strength: Array | float = 1.0, ragged: float = 0.006
    ) -> None:
        """Lay a wash where ``inside``, about the distance from its edge, is positive.

        Pigment gathers at the drying edge, in the hollows of the paper, and where the wash flowed.
        """
        inside = inside + ragged * self.wander
        cover = smoothstep(-0.0012, 0.0012, inside)
        rim = np.exp(-np.clip(inside, 0, 1) / 0.0032)
        pigment = 0.8 + 0.55 * rim + 0.2 * np.exp(-np.clip(inside, 0, 1) / 0.02)
        pigment = pigment + 0.17 * self.flow + 0.11 * self.tooth
        pigment = np.clip(pigment * strength, 0.03, None) * cover
        self.density += pigment[..., None] * -np.log(palette(colour)[0])

    def bloom(self, x: float, y: float, radius: float, depth: float = 0.55) -> None:
        """A drop of water pushes the pigment out into a crinkled ring."""
        r = np.hypot(self.x - x, self.y - y) / radius + 0.16 * self.wander
        ring = np.exp(-(((r - 1) / 0.06) ** 2)) * (r < 1.02) + 0.4 * np.exp(
            -(((r - 0.92) / 0.1) ** 2)
        )
        self.density *= (1 - depth * smoothstep(1.0, 0.55, r) + 0.4 * ring)[..., None]


def _background(paper: _Paper, flowers: list[Flower]) -> None:
    """Loose washes that leave white paper around the flowers and at the edges."""
    x, y, rng = paper.x, paper.y, paper.rng
    sheet = 0.5 - np.maximum(np.abs(x - 0.5), np.abs(y - 0.5))
    away = np.minimum.reduce([np.hypot(x - fx, y - fy) - 0.86 * size for fx, fy, size in flowers])
    for colour, level, shift in (
        ("8fd0d8", 0.03, 0.0),
        ("5fa8cf", 0.09, 2.0),
        ("a9d08a", 0.05, 4.0),
    ):
        tide = 0.05 * np.sin(7 * x + 5 * y + shift) + 0.04 * np.sin(11 * y - 4 * x + 2 * shift)
        fade = np.clip(
            0.42 + 0.35 * np.sin(3 * x + shift) + 0.25 * paper.flow + 0.5 * (y - 0.4), 0.08, 1
        )
        paper.wash(np.minimum(sheet - 0.035, away - level + tide), colour, fade, 0.022)
    for _ in range(9):
        cx, cy = rng.uniform(0.06, 0.94, 2)
        paper.bloom(cx, cy, rng.uniform(0.04, 0.11))


def _spot(
    paper: _Paper,
    x: float,
    y: float,
    a: float,
    b: float,
    turn: float,
    colour: str,
    strength: Array | float,
    ragged: float,
) -> None:
    """A small wash in the shape of an ellipse."""
    part = paper.near(x, y, 1.5 * max(a, b) + 0.01)
    part.wash(part.ellipse(x, y, a, b, turn)[0], colour, strength, ragged)


def _stem(paper: _Paper, x: float, y: float, foot: float, flowers: list[Flower]) -> None:
    """A stem down to the ground behind the flowers, with two lobed leaves."""
    rng = paper.rng
    part = paper.near((x + foot) / 2, (y + 1) / 2, max(0.25, (1 - y) / 2))
    t = np.clip((part.y - y) / (1.02 - y), 0, 1)
    bend = rng.uniform(-0.05, 0.05)
    middle = x + (foot - x) * t**1.5 + bend * np.sin(np.pi * t)
    inside = 0.0062 + 0.003 * t - np.abs(part.x - middle)
    clear = np.minimum.reduce(
        [np.hypot(part.x - fx, part.y - fy) - 0.9 * size for fx, fy, size in flowers]
    )
    part.wash(np.minimum(np.where(part.y > y, inside, -0.1), clear), "5f8f3f", 1.1, 0.0012)
    for side in (-1, 1):
        at = rng.uniform(0.5, 0.85)
        base = x + (foot - x) * at**1.5 + bend * np.sin(np.pi * at)
        level = y + at * (1.02 - y)
        for _ in range(4):
            turn = -1.57 + side * rng.uniform(0.35, 1.25)
            length = rng.uniform(0.05, 0.11)
            cx, cy = base + length * np.cos(turn), level + length * np.sin(turn)
            if all(np.hypot(cx - fx, cy - fy) > 0.8 * size + length for fx, fy, size in flowers):
                green = ("6f9f3f", "3f7f5f", "8fae3f")[rng.integers(3)]
                _spot(paper, cx, cy, length, 0.2 * length, turn, green, 0.75, 0.004)


def _poppy(whole: _Paper, cx: float, cy: float, size: float) -> None:
    """Five petals, glazed one over another, around a dark heart with its stamens."""
    rng = whole.rng
    paper = whole.near(cx, cy, 1.4 * size)
    theta = np.arctan2(paper.y - cy, paper.x - cx)
    r = np.hypot(paper.x - cx, paper.y - cy) / size
    veins = np.sin(38 * theta + 2.5 * paper.wander) * smoothstep(0.15, 0.6, r)
    start = rng.uniform(0, 6.3)
    for k in rng.permutation(5):
        turn = start + k * 1.257 + rng.uniform(-0.2, 0.2)
        reach = rng.uniform(0.48, 0.56) * size
        px, py = cx + reach * np.cos(turn), cy + 0.86 * reach * np.sin(turn)
        petal, _ = paper.ellipse(px, py, 0.52 * size, rng.uniform(0.5, 0.62) * size, turn)
        petal += 0.035 * size * np.sin(9 * theta + k) * smoothstep(0.5, 1, r)
        strength = 0.46 + 0.45 * smoothstep(0.8, 0.1, r) + 0.09 * veins
        paper.wash(petal, REDS[rng.integers(len(REDS))], strength, 0.008)
    paper.bloom(cx + rng.normal(0, 0.5) * size, cy + rng.normal(0, 0.5) * size, 0.28 * size, 0.4)
    heart, _ = paper.ellipse(cx, cy, 0.25 * size, 0.22 * size, 0)
    paper.wash(heart, "6a2f5f", smoothstep(0.28, 0.1, r) * 1.3, 0.014)
    _spot(whole, cx, cy, 0.11 * size, 0.1 * size, 0, "4f6f3f", 1.6, 0.003)
    for _ in range(34):
        turn, far = rng.uniform(0, 6.3), rng.uniform(0.15, 0.36) * size
        x, y = cx + far * np.cos(turn), cy + far * np.sin(turn)
        _spot(whole, x, y, 0.0048, 0.0036, turn, "33203f", 1.6, 0.001)


def paint(n: int, rng: Rng) -> Array:
    """Poppies against loose washes of blue and green."""
    paper = _Paper(n, rng)
    flowers = [
        (x + rng.uniform(-0.03, 0.03), y + rng.uniform(-0.03, 0.03), size)
        for x, y, size in [(0.35, 0.35, 0.24), (0.71, 0.27, 0.165), (0.67, 0.63, 0.195)]
    ]
    _background(paper, flowers)
    for (x, y, size), foot in zip(flowers, (0.47, 0.5, 0.56), strict=True):
        _stem(paper, x, y, foot, flowers)
        _poppy(paper, x, y, size)
    for x, y in ((0.17, 0.66), (0.9, 0.47)):
        _stem(paper, x, y, x + 0.1 * (0.5 - x), flowers)
        _spot(paper, x, y, 0.045, 0.03, 1.4, "6f9f3f", 0.9, 0.006)
        _spot(paper, x + 0.012, y - 0.035, 0.026, 0.016, 1.2, "ee3f3a", 1.0, 0.006)
    for _ in range(26):
        x, y, a, b = *rng.uniform(0.05, 0.95, 2), *rng.uniform(0.0018, 0.0075, 2)
        _spot(paper, x, y, a, b, 0.0, ("f0503a", "5fa8cf", "6f9f3f")[rng.integers(3)], 0.6, 0.001)
    sheet = palette("fbf7ec") * (1 + 0.035 * relief(paper.tooth, 0.0016)[..., None])
    return np.asarray(sheet * np.exp(-paper.density), np.float32)
