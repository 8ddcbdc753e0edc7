"""Colour control against float64 references: published formulas, SciPy and scikit-image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import scipy.linalg
import skimage.color
import skimage.exposure
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from impasto import color
from impasto.color import keep_colors, match_histogram, match_linear, prepare_style
from impasto.errors import InputError
from impasto.image import Picture, load_image
from impasto.options import ColorMode

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Match = Callable[..., Any]

MATCHES: list[Match] = [match_linear, match_histogram]
MODES: list[ColorMode] = ["luminance", "linear", "histogram"]

# XYZ to OkLab, as first published (https://bottosson.github.io/posts/oklab).
M1 = np.array(
    [
        [0.8189330101, 0.3618667424, -0.1288597137],
        [0.0329845436, 0.9293118715, 0.0361456387],
        [0.0482003018, 0.2643662691, 0.6338517070],
    ]
)
M2 = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def xyz_to_oklab(xyz: Doubles) -> Doubles:
    lab: Doubles = np.cbrt(xyz @ M1.T) @ M2.T
    return lab


def oklab(rgb: NDArray[Any]) -> Doubles:
    """The reference: sRGB to XYZ by scikit-image, then the published formulas."""
    return xyz_to_oklab(skimage.color.rgb2xyz(rgb.astype(np.float64)))


def pixels(image: Picture | Floats) -> Doubles:
    """The colours of an image in OkLab ``(N, 3)``."""
    return oklab(image.rgb if isinstance(image, Picture) else image).reshape(-1, 3)


def noise(seed: int, height: int = 24, width: int = 31) -> Floats:
    """Correlated colours around mid-grey that stay in gamut when matched to one another."""
    generator = np.random.default_rng(seed)
    mixing = generator.normal(size=(3, 3)) / 40 + np.eye(3) / 20
    values = 0.45 + 0.02 * seed + generator.normal(size=(height, width, 3)).clip(-2, 2) @ mixing
    return values.clip(0, 1).astype(np.float32)


def constant(*rgb: float, size: tuple[int, int] = (4, 5)) -> Floats:
    return np.full((*size, 3), rgb, np.float32)


def change(mode: ColorMode, image: Any, target: Any) -> Any:
    """What the stylizers do in a mode: to the artwork, or with luminance to the painting."""
    if mode == "luminance":
        return keep_colors(image, target)
    return prepare_style(mode, image, target)


def two_colors() -> Floats:
    return np.concatenate([constant(0.9, 0.1, 0.2), constant(0.1, 0.2, 0.8)])


def gray(seed: int = 0) -> Floats:
    return np.repeat(np.random.default_rng(seed).random((9, 7, 1), np.float32), 3, axis=2)


DEGENERATE = {
    "black": constant(0, 0, 0),
    "white": constant(1, 1, 1),
    "red": constant(1, 0, 0),
    "one pixel": constant(0.2, 0.6, 0.4, size=(1, 1)),
    "two colours": two_colors(),
    "gray": gray(),
    "noise": noise(1),
    "extremes": np.random.default_rng(0).integers(0, 2, (8, 8, 3)).astype(np.float32),
}

images = hnp.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(3)),
    elements=st.floats(0, 1, width=32),
)


# OkLab


@pytest.mark.parametrize(
    ("xyz", "lab"),
    [
        ((0.950, 1.000, 1.089), (1.000, 0.000, 0.000)),
        ((1.000, 0.000, 0.000), (0.450, 1.236, -0.019)),
        ((0.000, 1.000, 0.000), (0.922, -0.671, 0.263)),
        ((0.000, 0.000, 1.000), (0.153, -1.415, -0.449)),
    ],
)
def test_the_reference_gives_the_published_values(
    xyz: tuple[float, ...], lab: tuple[float, ...]
) -> None:
    np.testing.assert_allclose(xyz_to_oklab(np.array(xyz)), lab, atol=6e-4)


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((1, 1, 1), (1, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((1, 0, 0), (0.62796, 0.22486, 0.12585)),
        ((0, 1, 0), (0.86644, -0.23389, 0.17950)),
        ((0, 0, 1), (0.45201, -0.03246, -0.31153)),
    ],
)
def test_primaries_have_their_known_oklab(rgb: Any, lab: Any) -> None:
    np.testing.assert_allclose(color.srgb_to_oklab(np.array(rgb, np.float32)), lab, atol=1e-4)


def test_oklab_agrees_with_the_reference_over_blocks() -> None:
    rgb = np.random.default_rng(0).random((300, 311, 3), np.float32)  # more than one block
    lab = color.srgb_to_oklab(rgb)
    assert lab.dtype == np.float32
    np.testing.assert_allclose(lab, oklab(rgb), atol=2e-4)  # both matrices are rounded


def test_oklab_and_back_is_the_identity() -> None:
    levels = np.linspace(0, 1, 33, dtype=np.float32)
    rgb = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(33 * 33, 33, 3)
    back = color.keep_colors(rgb, rgb)
    np.testing.assert_allclose(back, rgb, atol=5e-5)


def test_lightness_of_grays_is_that_of_cielab_without_its_offset() -> None:
    """Both are cube roots of luminance: L* / 100 = 1.16 L - 0.16 above L* = 8."""
    grays = np.linspace(0.1, 1, 50, dtype=np.float32)[:, None].repeat(3, axis=1)
    lab = color.srgb_to_oklab(grays)
    np.testing.assert_allclose(lab[:, 1:], 0, atol=1e-6)
    cielab = skimage.color.rgb2lab(grays[None].astype(np.float64))[0, :, 0] / 100
    np.testing.assert_allclose(1.16 * lab[:, 0] - 0.16, cielab, atol=1e-5)


# Luminance transfer


def test_luminance_transfer_keeps_lightness_and_hue() -> None:
    generator = np.random.default_rng(1)
    painting, photo = generator.random((2, 40, 40, 3), np.float32)
    kept, before, wanted = pixels(keep_colors(painting, photo)), pixels(painting), pixels(photo)
    np.testing.assert_allclose(kept[:, 0], before[:, 0], atol=2e-3)
    ratio = np.linalg.norm(kept[:, 1:], axis=1) / np.linalg.norm(wanted[:, 1:], axis=1)
    assert ratio.max() < 1.02
    assert 0.1 < np.mean(ratio > 0.99) < 0.9  # some colours fit, some had to be reduced
    np.testing.assert_allclose(kept[:, 1:], ratio[:, None] * wanted[:, 1:], atol=3e-3)


def test_luminance_transfer_reduces_chroma_no_more_than_it_must() -> None:
    painting, photo = constant(0.9, 0.9, 0.9), constant(0, 0, 1)
    kept = keep_colors(painting, photo)[0, 0]
    assert kept.max() == pytest.approx(1, abs=2e-3)  # the border of the gamut
    assert kept[2] > kept[0] + 0.05


def test_luminance_transfer_takes_the_part_that_strength_says() -> None:
    painting, photo = noise(1), noise(2)
    half = pixels(keep_colors(painting, photo, 0.25))
    expected = 0.75 * pixels(painting) + 0.25 * pixels(photo)
    np.testing.assert_allclose(half[:, 1:], expected[:, 1:], atol=1e-4)
    np.testing.assert_allclose(half[:, 0], pixels(painting)[:, 0], atol=1e-4)


def test_luminance_transfer_twice_changes_nothing_more() -> None:
    painting, photo = np.random.default_rng(2).random((2, 20, 20, 3), np.float32)
    once = keep_colors(painting, photo)
    np.testing.assert_allclose(keep_colors(once, photo), once, atol=2e-3)


def test_luminance_transfer_refuses_other_sizes() -> None:
    with pytest.raises(InputError, match="5 x 4 px and photo 4 x 5"):
        keep_colors(constant(0, 0, 0), Picture(constant(0, 0, 0, size=(5, 4)), name="photo"))


# Linear matching


def test_linear_matching_is_the_optimal_transport_between_normal_distributions() -> None:
    image, target = noise(1), noise(2)
    source, goal = pixels(image), pixels(target)
    s, t = np.cov(source.T), np.cov(goal.T)
    root = np.real(scipy.linalg.sqrtm(s))
    inverse = np.linalg.inv(root)
    matrix = inverse @ np.real(scipy.linalg.sqrtm(root @ t @ root)) @ inverse
    expected = goal.mean(0) + (source - source.mean(0)) @ matrix
    np.testing.assert_allclose(pixels(match_linear(image, target)), expected, atol=2e-4)


@pytest.mark.parametrize("match", MATCHES)
def test_matching_reaches_mean_and_covariance(match: Match) -> None:
    matched, goal = pixels(match(noise(1), noise(2, 40, 20))), pixels(noise(2, 40, 20))
    loose = 1 if match is match_linear else 5  # histograms match in other ways first
    np.testing.assert_allclose(matched.mean(0), goal.mean(0), atol=2e-4 * loose)
    np.testing.assert_allclose(np.cov(matched.T), np.cov(goal.T), atol=1e-5 * loose)


def test_a_gray_image_is_toned_by_what_goes_with_its_lightness() -> None:
    """As far as one dimension can: lightness regressed on by a and b of the target."""
    image = 0.3 + 0.3 * gray()
    goal = pixels(noise(3))
    covariance = np.cov(goal.T, bias=True)
    slope = covariance[:, 0] / covariance[0, 0]
    light = pixels(image)[:, 0]
    scaled = (light - light.mean()) / light.std() * goal[:, 0].std()
    expected = goal.mean(0) + scaled[:, None] * slope
    np.testing.assert_allclose(pixels(match_linear(image, noise(3))), expected, atol=1e-3)


def test_invisible_noise_of_a_gray_image_is_not_amplified() -> None:
    generator = np.random.default_rng(0)
    flat = constant(0.5, 0.5, 0.5, size=(40, 40))
    speck = (flat + generator.normal(scale=0.002, size=flat.shape)).astype(np.float32)
    for match in MATCHES:
        spread = pixels(match(speck, noise(1))).std(0)
        assert spread.max() < 0.01


@pytest.mark.parametrize("match", MATCHES)
def test_matching_an_image_to_itself_is_the_identity(match: Match) -> None:
    for image in (noise(1), gray(), constant(0.3, 0.6, 0.1), two_colors()):
        np.testing.assert_allclose(match(image, image), image, atol=5e-4)


def test_linear_matching_twice_changes_nothing_more() -> None:
    once = match_linear(noise(1), noise(2))
    np.testing.assert_allclose(match_linear(once, noise(2)), once, atol=2e-4)


@pytest.mark.parametrize("match", MATCHES)
def test_colours_go_the_part_of_their_way_that_strength_says(match: Match) -> None:
    image, target = noise(1), noise(2)
    expected = 0.7 * pixels(image) + 0.3 * pixels(match(image, target))
    np.testing.assert_allclose(pixels(match(image, target, 0.3)), expected, atol=2e-4)


# Histograms


def test_quantiles_along_one_axis_match_as_in_scikit_image() -> None:
    generator = np.random.default_rng(3)
    values = (generator.permutation(800) / 400 - 1).astype(np.float32)
    goal = generator.gamma(2, size=800).astype(np.float32)
    ones = np.ones(800, np.float32)
    table = color.quantile_table(color.quantiles(values, ones), color.quantiles(goal, ones))
    expected = skimage.exposure.match_histograms(values[None], goal[None])[0]
    np.testing.assert_allclose(np.interp(values, *table), expected, atol=1e-4)


def test_equal_values_go_to_the_middle_of_what_they_cover() -> None:
    values = np.array([0, 0, 0, 1], np.float32)
    goal = np.arange(5, dtype=np.float32)
    given = color.quantiles(values, np.ones_like(values)), color.quantiles(goal, np.ones_like(goal))
    old, new = color.quantile_table(*given)
    np.testing.assert_array_equal(old, [0, 1])
    # Quantiles 3/8 and 7/8 of values whose own quantiles are 0.1, 0.3 ... 0.9.
    np.testing.assert_allclose(new, [1.375, 3.875])


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_each_axis_of_oklab_has_the_histogram_of_the_target(rank: int) -> None:
    matched, goal = pixels(match_histogram(noise(1), noise(2))), pixels(noise(2))
    np.testing.assert_allclose(np.sort(matched[:, rank]), np.sort(goal[:, rank]), atol=1e-3)


def test_histogram_matching_comes_nearer_than_linear_matching() -> None:
    """Sliced distances along directions that the method did not use; two blobs, off the axes."""
    generator = np.random.default_rng(5)
    blobs = generator.choice([[0.35, 0.5, 0.4], [0.6, 0.45, 0.65]], size=600)
    target = (blobs + generator.normal(scale=0.01, size=(600, 3))).astype(np.float32)
    target = target.reshape(20, 30, 3)
    image = noise(1, 20, 30)
    axes = generator.normal(size=(3, 20))

    def distance(matched: Floats) -> float:
        ends = np.sort(pixels(matched) @ axes, axis=0), np.sort(pixels(target) @ axes, axis=0)
        return float(np.abs(ends[0] - ends[1]).mean())

    far, near = distance(match_linear(image, target)), distance(match_histogram(image, target))
    assert near < 0.35 * far


def test_large_pictures_are_matched_by_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(color, "_SAMPLES", 2000)
    monkeypatch.setattr(color, "_NODES", 200)
    monkeypatch.setattr(color, "_BLOCK", 999)
    image, target = noise(1, 70, 80), noise(2, 80, 60)
    outcome = match_histogram(image, target)
    np.testing.assert_array_equal(match_histogram(image, target), outcome)
    matched, goal = pixels(outcome), pixels(target)
    probabilities = np.linspace(0.05, 0.95, 20)
    np.testing.assert_allclose(
        np.quantile(matched, probabilities, axis=0),
        np.quantile(goal, probabilities, axis=0),
        atol=5e-3,  # spreads are about 0.05; 2000 samples miss quantiles by 2 %
    )


# Everything


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", DEGENERATE)
@pytest.mark.parametrize("other", ["black", "one pixel", "two colours", "gray", "noise"])
def test_degenerate_images_give_colours(mode: ColorMode, name: str, other: str) -> None:
    image, target = DEGENERATE[name], DEGENERATE[other]
    outcomes = [color.prepare_style(mode, image, target)]
    if mode != "luminance" or image.shape == target.shape:
        outcomes.append(change(mode, image, target))
    for outcome in outcomes:
        assert outcome.shape == image.shape
        assert outcome.dtype == np.float32
        assert np.isfinite(outcome).all()
        assert outcome.min() >= 0
        assert outcome.max() <= 1


@pytest.mark.parametrize("mode", MODES)
def test_constants_give_colours_although_rounding_makes_variances_negative(
    mode: ColorMode,
) -> None:
    for rgb in np.random.default_rng(0).random((40, 3)):
        flat = constant(*rgb, size=(7, 9))
        assert np.isfinite(color.prepare_style(mode, noise(1, 4, 4), flat)).all()
        np.testing.assert_allclose(color.prepare_style(mode, flat, flat), flat, atol=5e-4)


@settings(max_examples=60, deadline=None)
@given(image=images, target=images, mode=st.sampled_from(MODES), strength=st.floats(0, 1))
def test_any_images_give_colours(
    image: Floats, target: Floats, mode: ColorMode, strength: float
) -> None:
    kept = image.copy(), target.copy()
    outcome = color.prepare_style(mode, image, target, strength)
    np.testing.assert_array_equal(outcome, color.prepare_style(mode, image, target, strength))
    assert outcome.shape == image.shape
    assert (outcome >= 0).all()
    assert (outcome <= 1).all()
    np.testing.assert_array_equal(image, kept[0])
    np.testing.assert_array_equal(target, kept[1])


@settings(max_examples=30, deadline=None)
@given(image=images, strength=st.floats(0, 1))
def test_luminance_transfer_from_itself_is_the_identity(image: Floats, strength: float) -> None:
    np.testing.assert_allclose(keep_colors(image, image, strength), image, atol=2e-4)


@pytest.mark.parametrize("mode", MODES)
def test_strength_0_and_off_are_the_identity(mode: ColorMode) -> None:
    image, target = noise(1), noise(2)
    np.testing.assert_array_equal(prepare_style(mode, image, target, 0), image)
    np.testing.assert_array_equal(prepare_style("off", image, target, 1), image)
    np.testing.assert_array_equal(keep_colors(image, target, 0), image)


@pytest.mark.parametrize("mode", MODES)
def test_hidden_pixels_do_not_count(mode: ColorMode) -> None:
    """A picture whose other half is hidden is matched as that half alone would be."""
    image, target, hidden = noise(1), noise(2), constant(1, 0, 1, size=(24, 31))
    alpha = np.concatenate([np.ones((24, 31)), np.zeros((24, 31))]).astype(np.float32)
    wide = [Picture(np.concatenate([half, hidden]), alpha) for half in (image, target)]
    outcome = color.prepare_style(mode, wide[0], wide[1])
    np.testing.assert_allclose(
        outcome.rgb[:24], color.prepare_style(mode, image, target), atol=1e-4
    )
    assert outcome.alpha is alpha


@pytest.mark.parametrize("mode", MODES)
def test_a_pixel_of_half_alpha_counts_half(mode: ColorMode) -> None:
    image, base = noise(1), noise(2, 6, 6)
    alpha = np.where(np.arange(36).reshape(6, 6) % 2, 1, 0.5).astype(np.float32)
    repeats = np.where(np.arange(36) % 2, 2, 1)
    repeated = np.repeat(base.reshape(1, 36, 3), repeats, axis=1)
    np.testing.assert_allclose(
        color.prepare_style(mode, image, Picture(base, alpha)),
        color.prepare_style(mode, image, repeated),
        atol=1e-3 if mode == "histogram" else 1e-4,
    )


def test_preparing_the_style_for_luminance_matches_lightness_alone() -> None:
    style, content = noise(1), noise(2)
    prepared, before, goal = (
        pixels(color.prepare_style("luminance", style, content)),
        pixels(style),
        pixels(content),
    )
    assert prepared[:, 0].mean() == pytest.approx(goal[:, 0].mean(), abs=1e-4)
    assert prepared[:, 0].std() == pytest.approx(goal[:, 0].std(), abs=1e-4)
    np.testing.assert_allclose(prepared[:, 1:], before[:, 1:], atol=1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_pictures_and_arrays_give_the_same(mode: ColorMode) -> None:
    image = Picture(noise(1), name="painting", bits=16, notices=("a notice",))
    outcome = change(mode, image, Picture(noise(2)))
    np.testing.assert_array_equal(outcome.rgb, change(mode, noise(1), noise(2)))
    assert (outcome.name, outcome.bits, outcome.notices) == ("painting", 16, ("a notice",))


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
@pytest.mark.parametrize("mode", MODES)
def test_strengths_out_of_range_are_refused(mode: ColorMode, strength: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        prepare_style(mode, noise(1), noise(2), strength)
    with pytest.raises(InputError, match="between 0 and 1"):
        keep_colors(noise(1), noise(2), strength)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (constant(0, 0, 1.5), r"in \[0, 1\]"),
        (constant(0, 0, float("nan")), r"in \[0, 1\]"),
        (np.zeros((4, 5), np.float32), "rgb must be"),
        (np.zeros((4, 5, 3)), "rgb must be float32"),
        (np.zeros((0, 5, 3), np.float32), "rgb must be"),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_what_is_no_picture_is_refused(mode: ColorMode, image: Any, message: str) -> None:
    for pair in ((image, noise(1)), (noise(1), image)):
        with pytest.raises(InputError, match=message):
            change(mode, *pair)


@pytest.mark.parametrize("match", MATCHES)
def test_transparent_pictures_are_refused(match: Match) -> None:
    clear = Picture(noise(1), np.zeros((24, 31), np.float32), name="ghost")
    for pair in ((clear, noise(1)), (noise(1), clear)):
        with pytest.raises(InputError, match="ghost is fully transparent"):
            match(*pair)


def test_unknown_modes_are_refused() -> None:
    unknown: Any = "hue"
    with pytest.raises(InputError, match="unknown colour mode 'hue'"):
        prepare_style(unknown, noise(1), noise(2))


@pytest.mark.shared_data
def test_an_artwork_takes_on_the_colours_of_a_photo(shared_data: Path) -> None:
    """Real pictures leave the gamut; what is handled there costs little of the match."""
    photo = load_image(shared_data / "eval_content" / "tuebingen_neckarfront.jpg", long_side=200)
    style = load_image(shared_data / "gallery" / "the_scream_munch.jpg", long_side=200)
    goal = pixels(photo)
    before = np.abs(pixels(style).mean(0) - goal.mean(0)).max()
    for match in MATCHES:
        matched = pixels(match(style, photo))
        assert np.abs(matched.mean(0) - goal.mean(0)).max() < 0.1 * before
        np.testing.assert_allclose(np.cov(matched.T), np.cov(goal.T), atol=2e-3)
