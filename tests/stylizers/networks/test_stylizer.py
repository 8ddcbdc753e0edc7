"""The stylizers: pictures in, pictures out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from impasto import color
from impasto.errors import ImpastoError, InputError
from impasto.image import Picture, read_settings
from impasto.stylizers.networks import gallery
from impasto.stylizers.networks.options import ArbitraryOptions, FastOptions
from impasto.stylizers.networks.stylizer import Arbitrary, Fast
from impasto.stylizers.optimize import Optimize
from tests.models import write_arbitrary, write_fast


def picture(height: int, width: int, *, alpha: bool = False, name: str = "photo") -> Picture:
    random = np.random.default_rng(height)
    rgb = random.random((height, width, 3), np.float32)
    return Picture(rgb, random.random((height, width), np.float32) if alpha else None, name)


@pytest.fixture(scope="module")
def fast_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_fast(tmp_path_factory.mktemp("models") / "fast.safetensors")


@pytest.fixture(scope="module")
def arbitrary_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_arbitrary(tmp_path_factory.mktemp("models") / "arbitrary.safetensors")


def test_fast_keeps_size_and_alpha_and_says_what_it_did(fast_model: str, tmp_path: Path) -> None:
    photo = picture(21, 33, alpha=True)
    result = Fast(model=fast_model, device="cpu").set_style("great_wave")(photo)
    assert result.picture.size == (21, 33)
    assert result.picture.alpha is not None and photo.alpha is not None
    np.testing.assert_array_equal(result.picture.alpha, photo.alpha)
    result.save(tmp_path / "out.png")
    settings = read_settings(tmp_path / "out.png")
    assert settings is not None
    assert settings["method"] == "fast"
    assert settings["styles"] == ["great-wave"]
    assert settings["content"] == "photo"


def test_what_is_no_picture_is_not_handed_over(
    fast_model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = Fast(model=fast_model, device="cpu").set_style("great-wave")
    nothing = np.full((1, 3, 16, 16), np.nan, np.float32)
    monkeypatch.setattr(fast.engine, "paint", lambda *_: nothing)
    with pytest.raises(ImpastoError, match="its training has failed"):
        fast(picture(16, 16))


def test_max_size_limits_the_longer_side(fast_model: str) -> None:
    fast = Fast(FastOptions(model=fast_model, max_size=20, device="cpu"))
    assert fast.set_style("great-wave")(picture(30, 60)).picture.size == (10, 20)


def test_styles_mix_by_weight(fast_model: str) -> None:
    fast, photo = Fast(model=fast_model, device="cpu"), picture(16, 16)
    wave, night = (fast.set_style(name)(photo).picture.rgb for name in fast.styles)
    mixed = fast.set_style(fast.styles, weights=[3, 1])(photo).picture.rgb
    only = fast.set_style(fast.styles, weights=[0, 2])(photo).picture.rgb
    np.testing.assert_allclose(only, night, atol=1e-6)
    assert np.abs(mixed - wave).mean() < np.abs(mixed - night).mean()


def test_a_batch_of_tensors_is_painted_at_once(fast_model: str) -> None:
    fast, images = Fast(model=fast_model, device="cpu"), torch.rand(2, 3, 16, 20)
    fast.set_style("great-wave")
    painted = fast.apply(images)
    single = fast.set_style("great-wave")(Picture.from_tensor(images[1, None])).picture
    np.testing.assert_allclose(painted[1].permute(1, 2, 0), single.rgb, atol=1e-5)
    with pytest.raises(InputError, match="B, 3, H, W"):
        fast.apply(images[0])


def test_tiles_look_like_the_whole(fast_model: str) -> None:
    photo = picture(150, 150)
    whole = (
        Fast(model=fast_model, device="cpu", tile="off").set_style("great-wave")(photo).picture.rgb
    )
    tiled = Fast(model=fast_model, device="cpu", tile=64).set_style("great-wave")(photo).picture.rgb
    assert np.abs(whole - tiled).mean() < 0.02


def test_bfloat16_is_close(fast_model: str) -> None:
    photo = picture(24, 24)
    exact = Fast(model=fast_model, device="cpu").set_style("great-wave")(photo).picture.rgb
    rough = Fast(model=fast_model, device="cpu", precision="bfloat16").set_style("great-wave")(
        photo
    )
    assert 0 < np.abs(exact - rough.picture.rgb).mean() < 0.02


@pytest.mark.parametrize(
    ("styles", "weights", "message"),
    [
        ("great-wav", None, "did you mean great-wave"),
        (None, None, "which style"),
        ([], None, "no style"),
        (["great-wave"], [1, 2], "one for each"),
        (["great-wave"], [0], "not all 0"),
        (["great-wave"], [float("nan")], "below 0"),
    ],
)
def test_styles_that_cannot_be_are_refused(
    fast_model: str, styles: object, weights: list[float] | None, message: str
) -> None:
    fast = Fast(model=fast_model, device="cpu")
    with pytest.raises(InputError, match=message):
        fast.set_style(styles, weights=weights)(picture(8, 8))


def test_models_that_cannot_be_are_refused(
    fast_model: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="--method fast, not arbitrary"):
        Arbitrary(model=fast_model)
    monkeypatch.setattr(gallery, "MODELS", tmp_path)
    with pytest.raises(InputError, match="impasto train fast"):
        Fast()
    with pytest.raises(InputError, match=r"unknown option .*'modle': did you mean model"):
        Fast(modle=fast_model)
    with pytest.raises(InputError, match="not both"):
        Fast(FastOptions(), model=fast_model)


def test_the_style_is_set_once_and_used_for_many(arbitrary_model: str) -> None:
    network = Arbitrary(model=arbitrary_model, device="cpu")
    with pytest.raises(InputError, match="set_style"):
        network(picture(8, 8))
    network.set_style(picture(30, 20, name="painting"))
    first, second = network(picture(16, 24, alpha=True)), network(picture(9, 5))
    assert first.picture.size == (16, 24)
    assert first.picture.alpha is not None
    assert second.picture.size == (9, 5)
    assert first.settings["styles"] == ["painting"]
    called = network.set_style(picture(30, 20, name="painting"))(picture(9, 5))
    np.testing.assert_array_equal(called.picture.rgb, second.picture.rgb)


def test_strength_goes_from_the_content_to_the_style(arbitrary_model: str) -> None:
    photo, painting = picture(24, 24), picture(30, 20)
    dark = Picture(painting.rgb**4)
    by_strength = {
        strength: Arbitrary(
            ArbitraryOptions(model=arbitrary_model, strength=strength, device="cpu")
        )
        .set_style(dark)(photo)
        .picture.rgb
        for strength in (0.0, 0.5, 1.0)
    }
    own = Arbitrary(model=arbitrary_model, device="cpu").set_style(photo)(photo).picture.rgb
    np.testing.assert_allclose(by_strength[0.0], own, atol=1e-5)
    near, far = (np.abs(by_strength[s] - own).mean() for s in (0.5, 1.0))
    assert 0 < near < far


def test_blended_styles_with_all_the_weight_on_one_are_that_one(arbitrary_model: str) -> None:
    network = Arbitrary(model=arbitrary_model, device="cpu")
    photo, styles = picture(16, 16), [picture(20, 20), picture(12, 30)]
    only = network.set_style(styles, weights=[0, 1])(photo).picture.rgb
    np.testing.assert_allclose(only, network.set_style(styles[1])(photo).picture.rgb, atol=1e-5)


def test_a_style_that_cannot_be_seen_is_refused(arbitrary_model: str) -> None:
    clear = Picture(np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), np.float32), "glass.png")
    with pytest.raises(InputError, match=r"glass.png is fully transparent"):
        Arbitrary(model=arbitrary_model, device="cpu").set_style(clear)


def moments(pixels: np.ndarray) -> list[np.ndarray]:
    lab = color.srgb_to_oklab(pixels.reshape(-1, 3))
    return [lab.mean(axis=0), np.cov(lab.T)]


@pytest.mark.parametrize("match", ["content", "style"])
def test_colours_are_matched_within_the_mask_alone(arbitrary_model: str, match: str) -> None:
    photo, style = picture(16, 20), picture(12, 14)
    muted = Picture(0.3 + 0.4 * photo.rgb)
    muted.rgb[:, 10:] = (1, 0, 0)
    mask = np.zeros((16, 20), np.float32)
    mask[:, :10] = 1
    quiet = Picture(0.3 + 0.3 * style.rgb)
    network = Arbitrary(model=arbitrary_model, device="cpu", match_result=match)
    result = network.set_style(quiet)(muted, mask=mask).picture.rgb
    goal = muted.rgb[:, :10] if match == "content" else quiet.rgb
    for found, wanted in zip(moments(result[:, :10]), moments(goal), strict=True):
        np.testing.assert_allclose(found, wanted, atol=0.01)


@pytest.mark.parametrize("hidden_by", ["mask", "alpha"])
@pytest.mark.parametrize(
    "options", [{"preserve_color": "linear"}, {"preserve_color": "histogram"}, {"strength": 0.3}]
)
def test_what_is_not_painted_or_seen_hardly_counts(
    arbitrary_model: str, hidden_by: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another right half of the photo leaves the style of its left half nearly as it is."""
    left = np.zeros((64, 80), np.float32)
    left[:, :40] = 1
    network = Arbitrary(model=arbitrary_model, device="cpu", engine="torch", **options)
    seen: list[Any] = []

    def watched(image: np.ndarray, style: Any, *_: Any) -> np.ndarray:
        seen.append(np.concatenate(style, axis=1))
        return image

    monkeypatch.setattr(network.engine, "paint", watched)
    for hidden in (True, False):
        for colour in ((1, 0, 0), (0, 0.2, 1)):
            rgb = picture(64, 80).rgb
            rgb[:, 40:] = colour
            photo = Picture(rgb, left if hidden and hidden_by == "alpha" else None)
            network.set_style(picture(12, 14))(
                photo, mask=left if hidden and hidden_by == "mask" else None
            )
    apart = [float(np.abs(seen[i] - seen[i + 1]).mean()) for i in (0, 2)]
    assert apart[0] < 0.2 * apart[1]


def test_what_cannot_be_seen_gets_the_same_answer_from_all(
    fast_model: str, arbitrary_model: str
) -> None:
    clear = Picture(np.zeros((40, 40, 3), np.float32), np.zeros((40, 40), np.float32), "glass.png")
    half = Picture(picture(40, 40).rgb, np.eye(40, dtype=np.float32), "half.png")
    elsewhere = 1 - np.eye(40, dtype=np.float32)
    messages = set()
    methods: list[Callable[[Picture, Any], Any]] = [
        lambda photo, mask: Fast(model=fast_model, device="cpu").set_style("great-wave")(
            photo, mask=mask
        ),
        lambda photo, mask: Arbitrary(model=arbitrary_model, device="cpu").set_style(
            picture(20, 20)
        )(photo, mask=mask),
        lambda photo, mask: Optimize(device="cpu", steps=1).set_style(picture(40, 40))(
            photo, mask=mask
        ),
    ]
    for paint in methods:
        for photo, mask in ((clear, None), (clear, elsewhere), (half, elsewhere)):
            with pytest.raises(InputError) as caught:
                paint(photo, mask)
            messages.add(str(caught.value))
    assert len(messages) == 2
