"""River dots: pointillism, after the river banks of Seurat and Signac."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from .canvas import Array, Rng, grid, lookup, mix, noise, palette, ramp, relief, smoothstep
from .strokes import Canvas, scatter

SCENE = 384
HORIZON = 0.44
PIGMENTS = palette(
    "f6e7a1 ffd23f f79a2f ef5b3c d6336c f3a6b8 9a5bb5 5a4fa3 28409a 2f7fc1 7cc4e0 cfe8ec"
    " 1f8a70 5cb85c a9d04f dce775 14505c 3b2a5c fff6df f7c59f"
)
DABS = [(9000, 0.0088, 0.05), (20000, 0.0054, 0.15), (22000, 0.0042, 0.17)]  # count, radius, hue


def _sky_and_water(rng: Rng) -> Array:
    """A low sun over far hills, and their light on the river."""
    x, y = grid(SCENE)
    sun_x = 0.66 + rng.uniform(-0.05, 0.05)
    up = np.abs(y - HORIZON) / HORIZON
    sky = ramp(1 - up, palette("3f7fc4 7db7dd b9d8dc f3dfae fbc98a f9b27f"))
    clouds = smoothstep(0.5, 1.6, noise(SCENE, rng, (7, 3), 4)) * smoothstep(0.1, 0.4, up)
    sky = mix(sky, palette("fbe3cf"), 0.75 * clouds)
    distance = np.hypot(x - sun_x, (y - 0.3) * 1.05)
    sky = mix(sky, palette("ffe08a"), np.exp(-((distance / 0.15) ** 2)))
    sky = mix(sky, palette("fffdf0"), smoothstep(0.056, 0.05, distance))
    ridge = HORIZON - 0.055 - 0.03 * np.sin(6 * x + rng.uniform(0, 6)) - 0.012 * np.sin(17 * x)
    hills = ramp((y - ridge) * 12, palette("6a6fb5 9a8cc4 c3a6c0"))
    scene = np.where((y > ridge)[..., None], hills, sky)
    mirror = np.clip(2 * HORIZON - y, 0, 1)
    ripple = noise(SCENE, rng, (40, 6), 2)
    water = lookup(scene, x + 0.006 * ripple, mirror + 0.02 * ripple) * palette("d3dce8")
    depth = np.clip((y - HORIZON) / (1 - HORIZON), 0, 1)
    water = mix(water, palette("2f6fa8"), 0.55 * depth + 0.1 * ripple * depth)
    glitter = np.exp(-(((x - sun_x) / (0.03 + 0.09 * depth)) ** 2)) * smoothstep(-0.4, 0.9, ripple)
    water = mix(water, palette("ffd98a"), 0.9 * glitter)
    return np.where((y > HORIZON)[..., None], water, scene)


def _poplars(scene: Array, rng: Rng) -> Array:
    """A row of poplars on the far bank, and their reflections."""
    x, y = grid(SCENE)
    edge = 0.012 * noise(SCENE, rng, 40, 1)
    wave = 0.008 * np.sin(y * 190)
    places = np.concatenate([np.linspace(0.04, 0.4, 9), np.linspace(0.86, 0.98, 4)])
    for place in places + rng.uniform(-0.01, 0.01, len(places)):
        tall, wide = rng.uniform(0.12, 0.21), rng.uniform(0.015, 0.022)
        for sign, shade in ((-1, 1.0), (1, 0.82)):
            up = sign * (y - HORIZON) / tall
            sway = wave * (sign > 0)
            side = (x + sway - place) / (wide * np.sqrt(np.clip(1 - up**2, 0.0, 1)) + 1e-4)
            lit = ramp(0.5 + 0.4 * side, palette("1f5a5c 3d8a5c b5c85a") * shade)
            inside = (np.abs(side) + 8 * edge < 1) & (up > -0.05) & (up < 1)
            scene = np.where(inside[..., None], lit, scene)
    bank = np.abs(y - HORIZON - 0.004) < 0.011 + 0.3 * edge
    return np.where(bank[..., None], palette("7fa85a"), scene)


def _near_bank(scene: Array, rng: Rng) -> Array:
    """A meadow, a tree that shades it, sails on the river and a walker with a parasol."""
    x, y = grid(SCENE)
    lump = noise(SCENE, rng, 9, 3)
    shore = 0.97 - 0.36 * smoothstep(0.75, -0.05, x) + 0.012 * np.sin(19 * x)
    grass = ramp(0.5 + 0.22 * lump + 1.2 * (shore - y), palette("4f9a45 8fc04f d6dc6a f3e58a"))
    shadow = smoothstep(1.0, 0.75, np.hypot((x - 0.2) / 0.36, (y - 0.88) / 0.1) + 0.1 * lump)
    grass = mix(grass, palette("26506e"), 0.8 * shadow)
    scene = np.where((y > shore)[..., None], grass, scene)
    picture = Image.fromarray((scene * 255).clip(0, 255).astype(np.uint8))
    _figures(ImageDraw.Draw(picture))
    scene = np.asarray(picture, np.float32) / 255
    trunk = np.abs(x - 0.13 - 0.02 * np.sin(5 * y)) < 0.017 + 0.03 * smoothstep(0.78, 0.9, y)
    bark = ramp((x - 0.1) / 0.06, palette("3b2a5c 6a4a7c c58a5a"))
    scene = np.where((trunk & (y > 0.2) & (y < 0.88))[..., None], bark, scene)
    for _ in range(46):
        turn, far = rng.uniform(0, 2 * np.pi), np.sqrt(rng.random())
        cx, cy = 0.12 + 0.2 * far * np.cos(turn), 0.17 + 0.17 * far * np.sin(turn)
        radius = rng.uniform(0.035, 0.06)
        r = np.hypot(x - cx, (y - cy) * 1.2) / radius + 0.16 * lump
        light = 0.5 + 0.35 * (x - cx - y + cy) / radius - 0.4 * far * np.sin(turn)
        leaf = ramp(light, palette("173f5c 1f6a55 4f9a45 a9c84f f0dc6a"))
        scene = np.where((r < 1)[..., None], leaf, scene)
    return scene


def _figures(draw: ImageDraw.ImageDraw) -> None:
    def shape(colour: str, *points: tuple[float, float]) -> None:
        draw.polygon([(px * SCENE, py * SCENE) for px, py in points], f"#{colour}")

    for cx, base, tall in [(0.52, 0.53, 0.13), (0.78, 0.49, 0.08), (0.89, 0.60, 0.17)]:
        shape("fff1d6", (cx, base - tall), (cx, base - 0.01), (cx + 0.5 * tall, base - 0.015))
        shape(
            "f2a65a",
            (cx - 0.008, base - 0.9 * tall),
            (cx - 0.008, base - 0.01),
            (cx - 0.3 * tall, base - 0.012),
        )
        shape(
            "5a2f4f",
            (cx - 0.35 * tall, base - 0.01),
            (cx + 0.55 * tall, base - 0.01),
            (cx + 0.4 * tall, base + 0.012),
            (cx - 0.25 * tall, base + 0.012),
        )
        shape(
            "f3dcc0", (cx, base + 0.5 * tall), (cx, base + 0.018), (cx + 0.4 * tall, base + 0.018)
        )
    shape(
        "2a2f6e",
        (0.335, 0.71),
        (0.362, 0.71),
        (0.372, 0.775),
        (0.395, 0.87),
        (0.315, 0.87),
        (0.328, 0.775),
    )
    shape("f3b48a", (0.338, 0.685), (0.357, 0.685), (0.357, 0.712), (0.338, 0.712))
    shape("7a2f3a", (0.330, 0.682), (0.365, 0.682), (0.357, 0.668), (0.338, 0.668))
    shape("8a4a3a", (0.372, 0.66), (0.377, 0.66), (0.375, 0.76), (0.370, 0.76))
    arc = np.linspace(np.pi, 2 * np.pi, 12)
    shape("e8503a", *((0.375 + 0.062 * np.cos(a), 0.668 + 0.055 * np.sin(a)) for a in arc))


def paint(n: int, rng: Rng) -> Array:
    """A river in low sun: dots of unmixed pigments that only mix in the eye."""
    scene = _near_bank(_poplars(_sky_and_water(rng), rng), rng)
    canvas = Canvas(n, palette("efe3c8")[None])
    turn = np.linspace(0, 2 * np.pi, 10)[:-1]
    circle = np.stack([np.cos(turn), np.sin(turn)], -1)
    for count, radius, spread in DABS:
        x, y = scatter(rng, count)
        local = lookup(scene, x, y)
        wanted = local + rng.normal(0, spread, local.shape)
        nearest = np.square(wanted[:, None] - PIGMENTS).sum(-1).argmin(1)
        colours = mix(local, PIGMENTS[nearest], np.full(len(x), 0.62, np.float32))
        size = (
            radius
            * rng.uniform(0.75, 1.15, (len(x), 1, 1))
            * rng.uniform(0.85, 1.15, (len(x), 9, 1))
        )
        dots = np.stack([x, y], -1)[:, None] + size * circle
        canvas.polygons(dots, colours, rng.uniform(0.3, 0.8, len(x)))
    colour, height = canvas.layers()
    return colour * (1 + 0.13 * relief(height, 0.0015)[..., None])
