"""What the three stylizers do alike: arguments, masks, colours, transparency, errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import impasto
from impasto.color import srgb_to_oklab
from impasto.errors import InputError
from impasto.image import Picture
from impasto.image.picture import Floats
from impasto.stylizers.base import Stylizer
from impasto.stylizers.optimize import Optimize
from tests.models import STYLES, write_arbitrary, write_fast
from tests.small import OPTIONS, small_backbone

METHODS = ("optimize", "fast", "arbitrary")
SIZE = (40, 56)


def random_picture(seed: int, size: tuple[int, int] = SIZE) -> Picture:
    rgb = np.random.default_rng(seed).random((*size, 3), np.float32)
    return Picture(rgb, name=f"picture {seed}")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_fast(folder / "fast.safetensors")
    write_arbitrary(folder / "arbitrary.safetensors")
    return folder


@pytest.fixture
def make(models: Path) -> Any:
    def make(method: str, **options: Any) -> Stylizer[Any]:
        if method == "optimize":
            how = {"steps": 4, "max_size": 64, **OPTIONS, **options}
            return Optimize(backbone=small_backbone(), **how).set_style(random_picture(7))
        model = str(models / f"{method}.safetensors")
        stylizer = impasto.load(method, model=model, device="cpu", engine="torch", **options)
        return stylizer.set_style(STYLES[0] if method == "fast" else random_picture(7))

    return make


LEFT = np.zeros(SIZE, np.float32)
LEFT[:, :28] = 1


@pytest.mark.parametrize("method", METHODS)
def test_a_style_that_is_set_serves_many_pictures(make: Any, method: str) -> None:
    stylizer = make(method)
    contents = [random_picture(1), random_picture(2, (48, 40))]
    mapped = list(stylizer.map(contents))
    assert [each.picture.size for each in mapped] == [each.size for each in contents]
    for content, result in zip(contents, mapped, strict=True):
        np.testing.assert_array_equal(stylizer(content).picture.rgb, result.picture.rgb)
        assert result.settings["method"] == method


@pytest.mark.parametrize("method", METHODS)
def test_tensors_are_painted_as_pictures_are(make: Any, method: str) -> None:
    stylizer, contents = make(method), [random_picture(1), random_picture(2)]
    batch = torch.cat([each.tensor() for each in contents])
    painted = stylizer.apply(batch)
    expected = torch.cat([stylizer(each).picture.tensor() for each in contents])
    torch.testing.assert_close(painted, expected, atol=1e-4, rtol=0)
    with pytest.raises(InputError, match=r"have to be \(B, 3, H, W\)"):
        stylizer.apply(batch[0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "colours", [{}, {"preserve_color": "luminance"}, {"match_result": "content"}]
)
def test_what_is_outside_of_a_mask_counts_for_nothing(
    make: Any, method: str, colours: dict[str, str]
) -> None:
    """Neither for the colours of what is painted, nor as alpha."""
    stylizer, photo = make(method, **colours), random_picture(1)
    other = photo.rgb.copy()
    other[:, 28:] = (1, 0, 0)
    within: list[Floats] = []
    for rgb in (photo.rgb, other):
        result = stylizer(Picture(rgb, name="photo"), mask=LEFT)
        np.testing.assert_array_equal(result.picture.rgb[:, 28:], rgb[:, 28:])
        within.append(result.picture.rgb[:, :28].mean(axis=(0, 1)))
    np.testing.assert_allclose(within[0], within[1], atol=0.06)
    hidden = Picture(photo.rgb, LEFT, name="photo")
    np.testing.assert_array_equal(stylizer(hidden).picture.alpha, LEFT)


@pytest.mark.parametrize("method", METHODS)
def test_every_region_has_its_own_style(make: Any, method: str) -> None:
    stylizer, photo = make(method), random_picture(1)
    styles = list(STYLES) if method == "fast" else [random_picture(7), random_picture(8)]
    stylizer.set_style(styles)
    painted = stylizer(photo, content_masks=[LEFT, 1 - LEFT])
    swapped = stylizer(photo, content_masks=[1 - LEFT, LEFT])
    assert np.abs(painted.picture.rgb - swapped.picture.rgb).mean() > 0.003
    assert painted.settings["content_masks"] == ["image", "image"]
    rest = stylizer(photo, content_masks=[LEFT, LEFT])
    if method != "optimize":  # there, what is in no region keeps to the photo by its loss
        np.testing.assert_allclose(rest.picture.rgb[:, 28:], photo.rgb[:, 28:], atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"mask": np.zeros(SIZE, np.float32)}, "black all over"),
        ({"mask": np.ones(SIZE[::-1], np.float32)}, "the shape of its picture"),
        ({"content_masks": []}, "0 content masks for 1 styles"),
        ({"mask": LEFT, "content_masks": [1 - LEFT]}, "nothing to paint in style 1"),
        ({"callback": 3}, "a callback has to be a function"),
    ],
)
def test_what_cannot_be_is_refused_alike(
    make: Any, method: str, how: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        make(method)(random_picture(1), **how)


@pytest.mark.parametrize("method", METHODS)
def test_a_transparent_photo_is_refused(make: Any, method: str) -> None:
    clear = Picture(random_picture(1).rgb, np.zeros(SIZE, np.float32), name="clear")
    with pytest.raises(InputError, match="clear is fully transparent"):
        make(method)(clear)


@pytest.mark.parametrize("method", METHODS)
def test_without_a_style_nothing_is_painted(make: Any, method: str) -> None:
    stylizer = make(method)
    stylizer._styles = []
    with pytest.raises(InputError, match="no style yet"):
        stylizer(random_picture(1))


def test_a_stylizer_is_loaded_by_any_name(models: Path) -> None:
    assert impasto.load("optimize", preset="quick").method == "optimize"
    assert impasto.load(str(models / "arbitrary.safetensors")).method == "arbitrary"
    single = models / "single.safetensors"
    write_fast(single, ("great-wave",))
    assert impasto.load(single)(random_picture(1)).settings["styles"] == ["great-wave"]
    with pytest.raises(InputError, match="neither a file nor a style of the gallery"):
        impasto.load("starry-knight")
    with pytest.raises(InputError, match="takes artworks, not the model"):
        impasto.load("optimize", model="m.safetensors")
    with pytest.raises(InputError, match="presets are for the method optimize"):
        impasto.load("arbitrary", preset="quick")


@pytest.mark.parametrize("method", METHODS)
def test_a_palette_steers_the_colours(make: Any, method: str) -> None:
    """Nearer to it than what is painted without, for artworks and for learnt styles."""
    colors = "102040,f0e0c0"
    goal = srgb_to_oklab(np.array([[16, 32, 64], [240, 224, 192]], np.float32) / np.float32(255))
    distances = []
    for palette in (None, colors):
        options = {"init": "style"} if method == "optimize" else {}
        lab = srgb_to_oklab(make(method, palette=palette, **options)(random_picture(1)).picture.rgb)
        chroma = np.square(lab.reshape(-1, 1, 3) - goal).sum(axis=2).min(axis=1)
        distances.append(float(chroma.mean()))
    assert distances[1] < 0.8 * distances[0]


def test_a_palette_that_cannot_be_read_is_refused_before_painting(make: Any) -> None:
    with pytest.raises(InputError, match="cannot read"):
        make("arbitrary", palette="missing.png")
    with pytest.raises(InputError, match="not with apply"):
        make("fast", palette="102040,f0e0c0").apply(random_picture(1).tensor())


@pytest.mark.parametrize("method", METHODS)
def test_histograms_are_matched_after_painting(make: Any, method: str) -> None:
    """Quantiles of lightness, a and b are those of the goal within a bin of 32."""
    goal = random_picture(1)
    how = {"match_result": "content", "match_mode": "histogram"}
    lab, wanted = (
        srgb_to_oklab(each.rgb).reshape(-1, 3) for each in (make(method, **how)(goal).picture, goal)
    )
    shares = np.linspace(0.02, 0.98, 97)
    apart = np.abs(np.quantile(lab, shares, axis=0) - np.quantile(wanted, shares, axis=0))
    assert (apart.max(axis=0) < np.ptp(wanted, axis=0) / 32).all()
    with pytest.raises(InputError, match="does nothing without match_result"):
        make(method, match_mode="histogram")


@pytest.mark.usefixtures("plain_colors")
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("wrap", ["x", "both"])
def test_a_rolled_photo_gives_the_rolled_picture(make: Any, method: str, wrap: str) -> None:
    """Where it repeats there is no border; without wrapping it shows."""
    photo = random_picture(1, (64, 128)).resized(64, 128)
    shift = (0, 32) if wrap == "x" else (32, 64)

    def rolled(picture: Picture) -> Picture:
        return Picture(np.roll(picture.rgb, shift, axis=(0, 1)), name="rolled")

    def seam(**options: Any) -> float:
        if method == "optimize":
            options |= {"scales": 2, "max_size": 128, "tv_weight": 1.0, "steps": 6}
        stylizer = make(method, **options)
        one, other = rolled(stylizer(photo).picture), stylizer(rolled(photo)).picture
        return float(np.abs(one.rgb - other.rgb).max())

    assert seam(wrap=wrap) < 4e-3
    assert seam() > 1e-2


@pytest.mark.usefixtures("plain_colors")
@pytest.mark.parametrize("name", ["strength_map", "stroke_map", "keep"])
def test_maps_repeat_with_the_photo(make: Any, name: str) -> None:
    """At coarse scales, too: what lies beyond their borders is the other end."""
    photo, shift = random_picture(1, (64, 128)).resized(64, 128), 32
    drawn = np.clip(np.linspace(-0.5, 1.5, 128, dtype=np.float32), 0.3, 1) * np.ones((64, 1), "f")
    how = {"wrap": "x", "scales": 2, "max_size": 128, "steps": 6}
    one, other = (
        make("optimize", **how)
        .set_maps(**{name: np.roll(drawn, by, axis=1)})(
            Picture(np.roll(photo.rgb, by, axis=1), name="photo")
        )
        .picture.rgb
        for by in (0, shift)
    )
    assert np.abs(np.roll(one, shift, axis=1) - other).max() < 4e-3


@pytest.mark.usefixtures("plain_colors")
def test_tiles_wrap_as_the_whole_does(make: Any) -> None:
    photo = random_picture(1, (64, 128))
    how = {"wrap": "both", "max_size": 128, "scales": 1}
    whole, tiled = (make("optimize", tile=tile, **how)(photo).picture for tile in ("off", 64))
    np.testing.assert_allclose(tiled.rgb, whole.rgb, atol=2e-3)


@pytest.mark.parametrize(
    "option", [{"wrap": "y"}, {"preserve_color": "luminance"}, {"match_result": "content"}]
)
def test_networks_refuse_tensors_what_finishes_whole_pictures(make: Any, option: Any) -> None:
    for method in ("fast", "arbitrary"):
        with pytest.raises(InputError, match=f"{next(iter(option))} is for whole pictures"):
            make(method, **option).apply(random_picture(1, (48, 70)).tensor())


def test_sides_that_repeat_are_whole_strides(make: Any) -> None:
    photo = random_picture(1, (50, 70))
    assert make("arbitrary", wrap="x")(photo).picture.size == (50, 64)
    assert make("optimize", wrap="both", max_size=70)(photo).picture.size == (48, 64)
    for method, message in (("optimize", "multiples of 16 px"), ("fast", "multiples of 16 px")):
        with pytest.raises(InputError, match=message):
            make(method, wrap="x").apply(photo.tensor())
    with pytest.raises(InputError, match="wrap does not go together with style_loss nn"):
        make("optimize", wrap="x", style_loss="nn")
