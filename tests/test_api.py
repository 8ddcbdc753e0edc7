"""The Python front door, with the embedded backbone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto.pictures import load_artwork


def test_pictures_of_any_kind_go_in() -> None:
    artwork = load_artwork("pine-linocut", 48)
    array = np.random.default_rng(0).integers(0, 255, (32, 40, 3), dtype=np.uint8)
    seen: list[int] = []
    result = impasto.stylize(
        array,
        [artwork, Image.fromarray(array)],
        style_weights=[2, 1],
        steps=3,
        precision="float32",
        device="cpu",
        callback=lambda step: seen.append(step.step),
    )
    assert result.image.size == (40, 32)
    assert seen == [1, 2, 3]
    assert result.settings["backbone"] == "lite"
    tensor = torch.from_numpy(array).permute(2, 0, 1)[None].float() / 255
    again = impasto.stylize(
        tensor,
        [artwork, Image.fromarray(array)],
        style_weights=[2, 1],
        steps=3,
        precision="float32",
        device="cpu",
    )
    np.testing.assert_allclose(again.picture.rgb, result.picture.rgb, atol=1e-4)


def test_wrong_options_are_input_errors() -> None:
    with pytest.raises(impasto.InputError, match="unknown option 'iterations'"):
        impasto.stylize("a.jpg", "b.jpg", iterations=5)
    artwork = load_artwork("river-dots", 32)
    with pytest.raises(impasto.InputError, match=r"a\.jpg"):
        impasto.stylize("a.jpg", artwork)
    with pytest.raises(impasto.InputError, match=r"b\.jpg"):
        impasto.stylize(artwork, "b.jpg")


def test_masks_reach_the_method_that_has_them() -> None:
    photo = np.random.default_rng(0).integers(0, 255, (32, 40, 3), dtype=np.uint8)
    left = np.zeros((32, 40), bool)
    left[:, :20] = True
    artwork = load_artwork("pine-linocut", 48)
    result = impasto.stylize(
        photo,
        artwork,
        mask=left,
        content_masks=[left, np.ones_like(left)],
        style_masks=[None, np.ones(artwork.size, bool)],
        steps=2,
        precision="float32",
        device="cpu",
    )
    np.testing.assert_array_equal(np.asarray(result.image)[:, 20:], photo[:, 20:])
    assert (np.asarray(result.image)[:, :20] != photo[:, :20]).mean() > 0.5
    with pytest.raises(impasto.InputError, match="masks of content and styles are for the method"):
        impasto.stylize(
            photo, artwork, method="arbitrary", model="m.safetensors", style_masks=[None]
        )
