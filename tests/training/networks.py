"""Pictures and recipes for tests of the networks' training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from impasto.pictures import ARTWORKS, load_artwork
from impasto.training.recipes import ArbitraryRecipe, FastRecipe

TINY: dict[str, Any] = {
    "width": 4,
    "blocks": 1,
    "batch": 2,
    "size": 32,
    "steps": 6,
    "style_weight": 10.0,
    "start": "scratch",
    "style_layers": {"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0},
    "content_layers": {"relu3_1": 1.0},
}


def fast_recipe(**changes: Any) -> FastRecipe:
    """A recipe that takes no time."""
    return FastRecipe(**{**TINY, "style_size": 48, **changes})


def arbitrary_recipe(**changes: Any) -> ArbitraryRecipe:
    """A recipe that takes no time."""
    return ArbitraryRecipe(**{**TINY, **changes})


def write_photos(folder: Path, count: int = 9) -> Path:
    """Soft coloured forms, as photos have them."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(count):
        pixels = random.integers(0, 256, (6, 7, 3), dtype=np.uint8)
        picture = Image.fromarray(pixels).resize((90, 80), Image.Resampling.BICUBIC)
        picture.save(folder / f"{index}.png")
    return folder


def write_artworks(folder: Path, count: int = 3) -> Path:
    """Quarters of artworks that the package draws."""
    folder.mkdir()
    for name in ARTWORKS[:count]:
        whole = load_artwork(name, 128).pil()
        for index in range(4):
            left, top = 64 * (index % 2), 64 * (index // 2)
            quarter = whole.crop((left, top, left + 64, top + 64))
            quarter.save(folder / f"{name}_{index}.png")
    return folder
