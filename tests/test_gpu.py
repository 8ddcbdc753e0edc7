"""On a GPU the same comes out as on a CPU, but for rounding."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import impasto
from impasto.pictures import load_artwork, load_portrait

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
]
PHOTO, STYLE = load_portrait().resized(150, 128), load_artwork("night-wind", 128)


def test_optimising_comes_as_far() -> None:
    totals = [
        impasto.stylize(PHOTO, STYLE, steps=30, device=device).losses[-1].losses["total"]
        for device in ("cpu", "cuda")
    ]
    assert totals[1] == pytest.approx(totals[0], rel=0.1)


def test_a_network_paints_alike() -> None:
    cpu, gpu = (
        impasto.stylize(PHOTO, STYLE, method="arbitrary", device=device, engine="torch").picture.rgb
        for device in ("cpu", "cuda")
    )
    assert np.abs(cpu - gpu).mean() < 0.01
