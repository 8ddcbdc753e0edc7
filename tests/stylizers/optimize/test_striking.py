"""What strikes in a picture."""

from __future__ import annotations

import numpy as np
import pytest

from impasto.backbones import load_backbone
from impasto.image import Picture
from impasto.pictures import load_portrait
from impasto.stylizers.optimize.striking import find_striking
from tests.small import small_backbone

LAYERS = ["relu3_1", "relu2_2"]


def test_what_is_unlike_the_rest_is_found_there_alone() -> None:
    rng = np.random.default_rng(0)
    rgb = (0.5 + 0.02 * rng.random((96, 128, 3))).astype(np.float32)
    rgb[40:60, 80:100] = rng.random((20, 20, 3))
    found = find_striking(Picture(rgb), small_backbone(), LAYERS)
    assert found.shape == (96, 128)
    assert found[44:56, 84:96].min() > 0.9
    assert found[:, :60].mean() < 0.1
    assert 0 <= found.min() <= found.max() == 1


def test_nothing_strikes_on_a_blank_canvas() -> None:
    blank = Picture(np.ones((64, 64, 3), np.float32))
    assert not find_striking(blank, small_backbone(), LAYERS)[16:-16, 16:-16].any()


@pytest.mark.parametrize("longest", [256, 1024])
def test_a_face_is_found_at_any_size(longest: int) -> None:
    portrait = load_portrait()
    height, width = portrait.size
    scale = longest / height
    photo = portrait.resized(longest, round(scale * width))
    found = find_striking(photo, load_backbone("lite"), ["relu5_1", "relu4_2"])
    rows, columns = (
        slice(round(a * n), round(b * n))
        for (a, b), n in zip(((0.2, 0.45), (0.35, 0.7)), photo.size, strict=True)
    )
    sky = found[: round(0.3 * found.shape[0]), round(0.85 * found.shape[1]) :]
    assert found[rows, columns].mean() > 0.5 > 4 * sky.mean()
