"""Masks from all kinds of images, and laying one picture over another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from impasto.errors import InputError
from impasto.image import Picture, load_mask
from impasto.image.masks import composite, load_grey, weighted


def flat(height: int, width: int, value: float, **keywords: Any) -> Picture:
    return Picture(np.full((height, width, 3), value, np.float32), **keywords)


PHOTO = flat(8, 12, 0.5, name="photo")


def half(height: int = 8, width: int = 12) -> np.ndarray[Any, np.dtype[np.uint8]]:
    mask = np.zeros((height, width), np.uint8)
    mask[:, : width // 2] = 255
    return mask


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_of_image_is_a_mask(mode: str, tmp_path: Path) -> None:
    if mode == "I;16":
        image = Image.fromarray(half().astype(np.uint16) * 257)
    else:
        image = Image.fromarray(half()).convert(mode)
    image.save(tmp_path / "mask.png")
    np.testing.assert_allclose(load_mask(tmp_path / "mask.png", PHOTO), half() / 255, atol=1e-6)


def test_boolean_arrays_are_masks() -> None:
    np.testing.assert_allclose(load_mask(half() > 0, PHOTO), half() / 255, atol=1e-6)


def test_transparent_parts_count_as_black() -> None:
    rgba = np.dstack([np.full((8, 12, 3), 255, np.uint8), half()])
    np.testing.assert_allclose(load_mask(rgba, PHOTO), half() / 255, atol=1e-6)


def test_a_mask_takes_the_size_of_its_picture_and_keeps_its_area() -> None:
    mask = load_mask(half(64, 96), PHOTO)
    assert mask.shape == (8, 12)
    assert mask.mean() == pytest.approx(0.5, abs=0.01)
    assert load_mask(half(4, 6), PHOTO).shape == (8, 12)
    assert load_mask(half(21, 32), flat(341, 512, 0.5)).shape == (341, 512)  # rounded aspect


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.ones((12, 8), np.float32), "the mask image is 8 x 12 px, photo 12 x 8: .* the shape"),
        (np.zeros((8, 12), np.float32), "black all over"),
        ("nowhere.png", "nowhere.png"),
        (b"text", "image"),
    ],
)
def test_masks_that_cannot_be_used_are_one_line(mask: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        load_mask(mask, PHOTO)
    assert "\n" not in str(error.value)


def test_a_map_of_greys_may_be_black_all_over() -> None:
    assert not load_grey(np.zeros((8, 12), np.float32), PHOTO).any()
    np.testing.assert_array_equal(load_grey(half() / 510, PHOTO), half() / 510)


def test_a_composite_is_exact_at_both_ends_and_blends_between() -> None:
    painted, photo = flat(1, 3, 0.9, bits=16), flat(1, 3, 0.1)
    result = composite(painted, photo, np.array([[0, 0.5, 1]], np.float32))
    np.testing.assert_array_equal(result.rgb[0, 0], photo.rgb[0, 0])
    np.testing.assert_allclose(result.rgb[0, 1], 0.5, atol=1e-6)
    np.testing.assert_array_equal(result.rgb[0, 2], painted.rgb[0, 2])
    assert result.bits == 16
    assert composite(painted, photo, None).rgb is painted.rgb


def test_a_mask_multiplies_alpha() -> None:
    mask = np.full((8, 12), 0.5, np.float32)
    once = weighted(PHOTO, mask)
    twice = weighted(once, mask)
    assert once.alpha is not None
    assert twice.alpha is not None
    np.testing.assert_allclose(once.alpha, 0.5)
    np.testing.assert_allclose(twice.alpha, 0.25)
    assert weighted(PHOTO, None) is PHOTO
