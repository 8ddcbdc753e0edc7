"""The Python front door, with the embedded backbone."""

from __future__ import annotations

from typing import Any

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


PHOTO = np.random.default_rng(0).integers(0, 255, (32, 40, 3), dtype=np.uint8)
QUICK: dict[str, Any] = {"steps": 2, "precision": "float32", "device": "cpu"}


def surroundings() -> dict[str, Any]:
    """What services and notebooks have set around a call."""
    return {
        "no_grad": torch.no_grad(),
        "inference_mode": torch.inference_mode(),
        "default device": torch.device("meta"),
        "autocast": torch.autocast("cpu", torch.bfloat16),
    }


@pytest.mark.parametrize("name", surroundings())
@pytest.mark.parametrize("method", ["optimize", "arbitrary"])
def test_what_surrounds_a_call_does_not_matter(name: str, method: str) -> None:
    artwork = load_artwork("pine-linocut", 48)
    torch_only: dict[str, Any] = {"engine": "torch", "method": method, "device": "cpu"}
    options = QUICK if method == "optimize" else torch_only
    plain = impasto.stylize(PHOTO, artwork, **options)
    with surroundings()[name]:
        within = impasto.stylize(PHOTO, artwork, **options)
        set_before = torch.is_grad_enabled(), torch.get_default_device().type
    assert set_before == (name not in ("no_grad", "inference_mode"), within_device(name))
    np.testing.assert_array_equal(within.picture.rgb, plain.picture.rgb)


def within_device(name: str) -> str:
    return "meta" if name == "default device" else "cpu"


def test_a_backbone_made_in_inference_mode() -> None:
    with torch.inference_mode():
        backbone = impasto.load_backbone("lite")
        tensor = torch.from_numpy(PHOTO).permute(2, 0, 1)
    stylizer = impasto.Optimize(backbone=backbone, **QUICK)
    assert stylizer.set_style(PHOTO)(tensor).image.size == (40, 32)


def test_one_where_a_list_is_taken_is_a_list_of_one() -> None:
    mask = np.ones((32, 40), bool)
    seen: list[int] = []
    for several in (False, True):
        impasto.stylize(
            PHOTO,
            [PHOTO] if several else PHOTO,
            content_masks=[mask] if several else mask,
            style_masks=[mask] if several else mask,
            callback=[lambda step: seen.append(step.step)]
            if several
            else (lambda step: seen.append(step.step)),
            **QUICK,
        )
    assert seen == [1, 2, 1, 2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": 3},
        {"method": 3},
        {"preset": 3},
        {"style_weights": 3},
        {"style_weights": "1"},
        {"mask": 3},
        {"content_masks": []},
        {"content_masks": 3},
        {"style_masks": []},
        {"callback": 3},
        {"callback": [print, 3]},
        {"method": "fast"},
        {"method": "arbitrary", "model": 3},
    ],
)
def test_values_of_a_wrong_type(wrong: dict[str, Any]) -> None:
    with pytest.raises(impasto.InputError):
        impasto.stylize(PHOTO, PHOTO, **wrong)


def test_wrong_options_are_input_errors() -> None:
    with pytest.raises(impasto.InputError, match="unknown option 'iterations'"):
        impasto.stylize("a.jpg", "b.jpg", iterations=5)  # type: ignore[call-arg]
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
    with pytest.raises(impasto.InputError, match="masks of styles are for artworks"):
        impasto.stylize(photo, "starry-night", style_masks=[left])
