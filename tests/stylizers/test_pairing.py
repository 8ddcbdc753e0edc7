"""Regions that are found: what pairs with what, and that masks are masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import impasto
from impasto.errors import InputError
from impasto.image import Picture
from impasto.image.picture import Floats
from impasto.pictures import load_artwork
from impasto.stylizers.pairing import LEAST, Pairing, pair

SIDE = 128


def texture(kind: str, seed: int = 0) -> Floats:
    """``(SIDE, SIDE, 3)``: stripes across, or blobs."""
    noise = np.random.default_rng(seed).random((SIDE, SIDE, 1), np.float32)
    rows = np.arange(SIDE, dtype=np.float32)[:, None, None]
    if kind == "stripes":
        plane = 0.5 + 0.4 * np.sin(rows * 2.1) + 0.05 * noise
    else:
        plane = 0.9 - 0.1 * noise
    found: Floats = np.repeat(np.broadcast_to(plane, (SIDE, SIDE, 1)), 3, axis=2).astype(np.float32)
    return found


def halves(left: str, right: str, seed: int = 0) -> Picture:
    one, other = texture(left, seed), texture(right, seed + 1)
    return Picture(np.concatenate([one[:, : SIDE // 2], other[:, SIDE // 2 :]], axis=1))


def winners(masks: tuple[Floats, ...]) -> NDArray[np.intp]:
    found: NDArray[np.intp] = np.argmax(np.stack(masks), axis=0)
    return found


@pytest.fixture(scope="module")
def landscape() -> Picture:
    return load_artwork("river-dots", 192)


@pytest.fixture(scope="module")
def found(landscape: Picture) -> Pairing:
    return pair(landscape, load_artwork("wave-print", 192), 4)


def test_two_textures_are_split_where_they_meet() -> None:
    photo, artwork = halves("stripes", "plain"), halves("plain", "stripes", seed=5)
    pairing = pair(photo, artwork, 2)
    assert len(pairing.parts) == 2
    for masks in (pairing.regions(photo), pairing.parts):
        borders = np.abs(np.diff(winners(masks), axis=1)).argmax(axis=1)
        assert abs(float(np.median(borders)) - SIDE / 2) <= 8  # a position of the deepest layer
    # The same texture, on the other side.
    assert (winners(pairing.regions(photo)) != winners(pairing.parts)).mean() > 0.9


def test_the_same_picture_twice_pairs_every_region_with_itself(landscape: Picture) -> None:
    pairing = pair(landscape, landscape, 4)
    assert len(pairing.parts) >= 3
    for here, there in zip(pairing.regions(landscape), pairing.parts, strict=True):
        np.testing.assert_allclose(here, there, atol=1e-5)


def test_masks_add_up_to_one_and_every_region_is_large_enough(
    found: Pairing, landscape: Picture
) -> None:
    for masks, size in ((found.regions(landscape), (192, 192)), (found.parts, (192, 192))):
        stacked = np.stack(masks)
        assert stacked.shape[1:] == size
        assert stacked.min() > 0
        np.testing.assert_allclose(stacked.sum(axis=0), 1, atol=1e-6)
        assert stacked.mean(axis=(1, 2)).min() > LEAST / 2  # softly: others take a share


def test_the_same_pictures_give_the_same_regions(found: Pairing, landscape: Picture) -> None:
    again = pair(landscape, load_artwork("wave-print", 192), 4)
    for one, other in zip(found.parts, again.parts, strict=True):
        np.testing.assert_array_equal(one, other)


def test_there_are_no_more_regions_than_both_have() -> None:
    plain = Picture(np.full((SIDE, SIDE, 3), 0.5, np.float32))
    pairing = pair(plain, plain, 8)
    assert 1 <= len(pairing.parts) < 8
    np.testing.assert_allclose(np.sum(pairing.regions(plain), axis=0), 1, atol=1e-6)


def test_what_is_transparent_has_no_say() -> None:
    """Regions of what is visible are the same, whatever lies where nothing is seen."""
    visible = np.zeros((SIDE, SIDE), np.float32)
    visible[:, : SIDE // 2] = 1
    artwork, shares = load_artwork("night-wind", SIDE), []
    for hidden in ("stripes", "plain"):
        photo = Picture(halves("stripes", hidden).rgb, visible)
        pairing = pair(photo, artwork, 2)
        shares.append([float(part.mean()) for part in pairing.parts])
    np.testing.assert_allclose(sorted(shares[0]), sorted(shares[1]), atol=0.08)


@pytest.mark.parametrize("wrapped", [(False, True), (True, True)])
def test_regions_of_a_photo_that_repeats_have_no_seam(wrapped: tuple[bool, bool]) -> None:
    photo = load_artwork("river-dots", 128)
    rolled = Picture(np.roll(photo.rgb, 64, axis=1))
    pairing = pair(photo, load_artwork("wave-print", 128), 3, wrapped)
    for one, other in zip(pairing.regions(photo), pairing.regions(rolled), strict=True):
        assert np.abs(np.roll(one, 64, axis=1) - other).mean() < 0.02


@pytest.mark.parametrize("method", ["optimize", "arbitrary"])
def test_regions_are_painted_and_told_of(method: str, landscape: Picture) -> None:
    options: Any = {"steps": 3, "max_size": 96} if method == "optimize" else {"max_size": 96}
    artwork = load_artwork("wave-print", 128)
    pictures = {}
    for match in ("off", "auto"):
        result = impasto.stylize(
            landscape, artwork, method=method, match=match, device="cpu", **options
        )
        pictures[match] = result.picture.rgb
        assert result.settings["match"] == match
        assert result.settings["styles"] == ["wave-print"]
        assert result.settings["style_weights"] == [1.0]
    assert np.isfinite(pictures["auto"]).all()
    assert np.abs(pictures["auto"] - pictures["off"]).mean() > 0.003


@pytest.mark.parametrize(
    ("options", "styles", "more", "message"),
    [
        ({"match": "auto"}, 2, {}, "give one"),
        ({"match": "auto"}, 1, {"content_masks": [np.ones((192, 192), np.float32)]}, "no content"),
        ({"match": "auto", "regions": 1}, 1, {}, "regions has to be at least 2"),
        ({"match": "auto", "regions": 9}, 1, {}, "regions has to be at most 8"),
        ({"regions": 3}, 1, {}, "does nothing without match"),
        ({"match": "sky"}, 1, {}, "match"),
        ({"match": "auto", "method": "fast"}, 1, {}, "match"),
    ],
)
def test_what_cannot_be_is_refused_before_work(
    options: dict[str, Any],
    styles: int,
    more: dict[str, Any],
    message: str,
    landscape: Picture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("this is work")

    monkeypatch.setattr("impasto.stylizers.base.Stylizer.paint", never)
    monkeypatch.setattr("impasto.stylizers.pairing.pair", never)
    given = ["starry-night"] if options.get("method") == "fast" else [landscape] * styles
    with pytest.raises(InputError, match=message):
        impasto.stylize(landscape, given, **options, **more)


def test_a_folder_has_no_regions(tmp_path: Path, landscape: Picture) -> None:
    with pytest.raises(InputError, match="no folder or style pack"):
        impasto.stylize(landscape, tmp_path, match="auto")


def test_tensors_of_networks_have_no_regions(landscape: Picture) -> None:
    stylizer = impasto.load("arbitrary", match="auto", device="cpu").set_style(landscape)
    with pytest.raises(InputError, match="not with apply"):
        stylizer.apply(landscape.tensor())
