"""The code that drew the example artworks still draws them."""

from __future__ import annotations

import artworks
import numpy as np
import numpy.typing as npt
import pytest

from impasto.pictures import ARTWORKS, load_artwork

SIDE = 64


def drawn(name: str, seed: int = 0) -> npt.NDArray[np.float32]:
    return np.asarray(artworks.draw(name, SIDE, seed), np.float32) / np.float32(255)


@pytest.mark.parametrize("name", ARTWORKS)
def test_what_ships_is_what_the_code_draws(name: str) -> None:
    shipped = load_artwork(name, SIDE).rgb
    # At this size the canvas differs from that of the shipped picture: the same, less fine.
    assert np.abs(drawn(name) - shipped).mean() < 0.02
    assert np.abs(drawn(name, seed=1) - shipped).mean() > 0.04


def test_every_artwork_ships_and_every_shipped_one_can_be_drawn() -> None:
    assert tuple(artworks.PAINTERS) == ARTWORKS
