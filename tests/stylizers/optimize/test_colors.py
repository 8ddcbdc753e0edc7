"""The artworks' colours, brought to a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from impasto.image import Picture
from impasto.losses import band_energies
from impasto.options import OptimizeOptions
from impasto.stylizers.optimize.colors import with_style_colors
from impasto.stylizers.order import Order

RNG = np.random.default_rng(0)
# Without edges or grain: there a smoothed change of colours is the change itself.
START = F.interpolate(
    torch.from_numpy(0.05 + 0.9 * RNG.random((1, 3, 6, 8))).float(), (48, 64), mode="bilinear"
)
PHOTO = Picture.from_tensor(START, name="photo")


def artwork(low: float, high: float) -> Picture:
    """Reds of a distribution with two humps."""
    red = np.where(RNG.random((40, 56)) < 0.25, low, high) + 0.1 * RNG.random((40, 56))
    rest = 0.3 + 0.05 * RNG.random((2, 40, 56))
    return Picture(np.stack([red, *rest], axis=2).astype(np.float32), name="artwork")


def order(*styles: Picture, **rest: Any) -> Order:
    weights = rest.pop("weights", [1.0] * len(styles))
    return Order(rest.pop("photo", PHOTO), styles, weights, **rest)


def brought(to_be_painted: Order, share: float = 1.0, **options: Any) -> Tensor:
    return with_style_colors(START, to_be_painted, OptimizeOptions(**options), share)


def reds(image: Tensor | NDArray[np.float32]) -> NDArray[np.float64]:
    """Quantiles of red, but for the gap between the humps."""
    quantiles: NDArray[np.float64] = np.quantile(np.asarray(image), [0.05, 0.15, 0.4, 0.6, 0.9])
    return quantiles


def test_the_whole_distribution_is_the_artworks() -> None:
    style = artwork(0.2, 0.7)
    found = brought(order(style))
    np.testing.assert_allclose(reds(found[0, 0]), reds(style.rgb[..., 0]), atol=0.04)
    half = brought(order(style), 0.5)
    torch.testing.assert_close(half, (START + found) / 2)


def test_styles_are_mixed_in_their_shares() -> None:
    dark, light = artwork(0.1, 0.1), artwork(0.8, 0.8)
    found = brought(order(dark, light, weights=[3.0, 1.0]))
    assert float((found[0, 0] < 0.4).float().mean()) == pytest.approx(0.75, abs=0.04)


def test_a_region_has_the_colours_of_its_style_and_the_rest_its_own() -> None:
    left, right = (np.zeros((48, 64), np.float32) for _ in range(2))
    left[:, :24], right[:, 40:] = 1, 1
    dark, light = artwork(0.1, 0.1), artwork(0.8, 0.8)
    found = brought(order(dark, light, regions=(left, right)))
    assert found[0, 0, :, :24].max() < 0.3
    assert found[0, 0, :, 40:].min() > 0.7
    torch.testing.assert_close(found[..., 24:40], START[..., 24:40])
    empty = brought(order(dark, light, regions=(left, 0 * right)))
    torch.testing.assert_close(empty[..., 24:], START[..., 24:])


def test_colours_go_by_what_there_is_and_not_by_where_it_is() -> None:
    options, given = OptimizeOptions(wrap="both"), order(artwork(0.2, 0.7))
    rolled = with_style_colors(START.roll((7, 20), (2, 3)), given, options)
    expected = with_style_colors(START, given, options).roll((7, 20), (2, 3))
    torch.testing.assert_close(rolled, expected)


def test_grain_that_hardly_shows_is_not_made_specks_of_colour() -> None:
    """Humps far apart ask for a steep map, on which a nearly flat photo lies."""
    grain = 0.01 * torch.from_numpy(RNG.standard_normal((1, 3, 48, 64))).float()
    photo = Picture.from_tensor(0.5 + grain)
    style = artwork(0.2, 0.7)
    found = with_style_colors(photo.tensor(), order(style, photo=photo), OptimizeOptions())
    before, after = (
        float(band_energies(image)[0, 0, 1:].sum().sqrt()) for image in (photo.tensor(), found)
    )
    assert after < 1.2 * before  # four times as much where the change is not smoothed


def test_what_is_transparent_has_no_say() -> None:
    alpha = np.ones((48, 64), np.float32)
    alpha[:, 32:] = 0
    style = artwork(0.2, 0.7)
    garbage = Picture(np.where(alpha[..., None] > 0, PHOTO.rgb, 0).astype(np.float32), alpha)
    options = OptimizeOptions()
    found = with_style_colors(garbage.tensor(), order(style, photo=garbage), options)
    np.testing.assert_allclose(reds(found[0, 0, :, :32]), reds(style.rgb[..., 0]), atol=0.04)


def test_colours_change_no_farther_than_style_outweighs_the_content() -> None:
    style = artwork(0.2, 0.7)
    all_of_it = brought(order(style)) - START
    torch.testing.assert_close(brought(order(style), style_weight=0.5) - START, all_of_it / 4)
    left = np.zeros((48, 64), np.float32)
    left[:, :32] = 1
    kept = brought(order(style, keep=1 + 4 * left), style_weight=2.0) - START
    torch.testing.assert_close(kept[..., :32], all_of_it[..., :32] / 5)
    torch.testing.assert_close(kept[..., 32:], all_of_it[..., 32:])
    mapped = brought(order(style, strength=left)) - START
    torch.testing.assert_close(mapped, all_of_it * torch.from_numpy(left))


@pytest.mark.parametrize(
    "options", [{"style_weight": 0.0}, {"content_weight": 0.0}, {"classic_losses": True}]
)
def test_losses_alone_decide_without_content_without_style_and_in_the_classic_recipe(
    options: dict[str, Any],
) -> None:
    assert brought(order(artwork(0.2, 0.7)), **options) is START
