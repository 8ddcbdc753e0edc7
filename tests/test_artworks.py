from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest

from impasto import artworks
from impasto.artworks.canvas import Layers, noise, relief, smoothstep
from impasto.artworks.dolphin_mosaic import _distance
from impasto.errors import InputError
from impasto.image import Picture

Floats: TypeAlias = npt.NDArray[np.float32]

each_artwork = pytest.mark.parametrize("name", artworks.names())


@cache
def picture(name: str, size: int, seed: int = 0) -> Picture:
    return artworks.draw(name, size, seed)


def drawn(name: str, size: int, seed: int = 0) -> Floats:
    return picture(name, size, seed).rgb


def reduced(rgb: Floats, cells: int) -> Floats:
    """The means of square blocks: what is left of a picture from afar."""
    block = len(rgb) // cells
    return np.asarray(rgb.reshape(cells, block, cells, block, 3).mean((1, 3)))


def test_there_are_several_and_all_names_differ() -> None:
    assert len(artworks.names()) == len(set(artworks.names())) >= 8


@each_artwork
@pytest.mark.parametrize("size", [64, 256])
def test_is_a_square_picture_in_range(name: str, size: int) -> None:
    whole, rgb = picture(name, size), drawn(name, size)
    assert whole.name == name
    assert whole.alpha is None
    assert rgb.shape == (size, size, 3)
    assert rgb.dtype == np.float32
    assert np.isfinite(rgb).all()
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    assert rgb.std() > 0.15, "an artwork has lights and darks"


@each_artwork
def test_the_same_seed_gives_the_same_picture_and_another_another(name: str) -> None:
    np.testing.assert_array_equal(artworks.draw(name, 64).rgb, drawn(name, 64))
    assert np.abs(drawn(name, 64, seed=1) - drawn(name, 64)).mean() > 0.01


@each_artwork
def test_is_the_same_picture_at_any_size(name: str) -> None:
    large, small = reduced(drawn(name, 512), 32), reduced(drawn(name, 256), 32)
    assert np.abs(large - small).mean() < 0.02
    other = reduced(drawn(name, 64, seed=1), 32)
    assert np.abs(large - small).mean() < 0.5 * np.abs(other - small).mean()


@each_artwork
def test_has_detail_that_the_larger_size_resolves(name: str) -> None:
    large = drawn(name, 512)
    from_afar = reduced(large, 256).repeat(2, 0).repeat(2, 1)
    assert np.abs(large - from_afar).mean() > 0.01


def test_all_differ_in_colour_or_in_texture() -> None:
    """Styles are told apart by the moments of their colours and of their finest differences."""

    def style(name: str) -> npt.NDArray[np.float64]:
        rgb = drawn(name, 256).astype(np.float64)
        fine = [np.abs(np.diff(rgb, axis=axis)).mean() for axis in (0, 1)]
        return np.concatenate([rgb.mean((0, 1)), rgb.std((0, 1)), fine])

    styles = np.array([style(name) for name in artworks.names()])
    apart = np.linalg.norm(styles[:, None] - styles, axis=-1)
    assert apart[~np.eye(len(styles), dtype=bool)].min() > 0.08


def test_an_unknown_name_is_refused_with_the_nearest_ones() -> None:
    with pytest.raises(InputError, match="night-wind"):
        artworks.draw("nigth wind")
    with pytest.raises(InputError, match="orphic-discs"):
        artworks.draw("zzz")


@pytest.mark.parametrize("size", [0, -1, 15, 2049, 10**9, 64.0, "64", True, None])
def test_a_bad_size_is_refused(size: object) -> None:
    with pytest.raises(InputError, match="16 to 2048"):
        artworks.draw("night-wind", size)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, 0.5, "0", None])
def test_a_bad_seed_is_refused(seed: object) -> None:
    with pytest.raises(InputError, match="seed"):
        artworks.draw("night-wind", 64, seed)  # type: ignore[arg-type]


def test_numpy_integers_are_whole_numbers_too() -> None:
    np.testing.assert_array_equal(
        artworks.draw("orphic-discs", np.int64(64), np.uint8(0)).rgb,  # type: ignore[arg-type]
        drawn("orphic-discs", 64),
    )


def test_noise_is_the_same_at_any_size() -> None:
    large, small = (noise(n, np.random.default_rng(3), 5, 2) for n in (256, 128))
    blocks = large.reshape(128, 2, 128, 2).mean((1, 3))
    np.testing.assert_allclose(blocks, small, atol=0.02)
    assert abs(large.mean()) < 0.5
    assert 0.5 < large.std() < 2


def test_smoothstep_rises_or_falls_between_its_limits() -> None:
    x = np.array([-1, 0, 0.25, 0.5, 1, 2], np.float32)
    np.testing.assert_allclose(smoothstep(0, 1, x), [0, 0, 0.15625, 0.5, 1, 1])
    np.testing.assert_allclose(smoothstep(1, 0, x), [1, 1, 0.84375, 0.5, 0, 0])


def test_relief_is_bright_on_the_flank_that_faces_the_upper_left() -> None:
    x, y = np.meshgrid(np.arange(32.0), np.arange(32.0))
    mound = np.exp(-((x - 16) ** 2 + (y - 16) ** 2) / 50).astype(np.float32)
    shade = relief(mound, 0.1)
    assert shade[12, 12] > 0.1
    assert shade[20, 20] < -0.1


def test_what_is_written_near_a_point_shows_in_the_whole() -> None:
    layers = Layers(64, np.random.default_rng(0))
    part = layers.near(1.0, 0.0, 0.25)
    assert part.x.shape == (16, 16)
    part.x[:] = 7
    assert (layers.x == 7).sum() == 16 * 16
    assert (layers.x[:16, 48:] == 7).all()
    assert layers.near(5.0, -5.0, 0.01).x.shape == (2, 2), "a place off the canvas is harmless"


def test_distance_is_the_euclidean_distance_to_the_nearest_outline() -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    label = np.random.default_rng(1).integers(0, 40, (6, 6)).repeat(8, 0).repeat(8, 1)
    edge = np.zeros(label.shape, bool)
    edge[:, 1:] |= label[:, 1:] != label[:, :-1]
    edge[1:] |= label[1:] != label[:-1]
    expected = ndimage.distance_transform_edt(~edge) / len(label)
    np.testing.assert_allclose(_distance(label), expected, atol=1e-6)
