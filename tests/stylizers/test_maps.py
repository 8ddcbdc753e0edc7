"""Maps: how much style where, strokes of which size where; alike in what can follow them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import impasto
from impasto.errors import InputError
from impasto.image import Picture
from impasto.image.picture import Floats
from impasto.stylizers.base import Stylizer
from impasto.stylizers.maps import FADE, by_size, fading, find_strokes
from impasto.stylizers.optimize import Optimize
from tests.models import write_arbitrary, write_fast
from tests.small import OPTIONS, small_backbone

METHODS = ("optimize", "arbitrary")
MAPS = {"strength_map", "stroke_map", "keep"}
SIZE = (40, 56)
LEFT = np.zeros(SIZE, np.float32)
LEFT[:, :28] = 1
ONES = np.ones(SIZE, np.float32)
MIDDLE = np.full(SIZE, 128 / 255, np.float32)


def random_picture(seed: int, size: tuple[int, int] = SIZE) -> Picture:
    rgb = np.random.default_rng(seed).random((*size, 3), np.float32)
    return Picture(rgb, name=f"picture {seed}")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("models") / "arbitrary.safetensors"
    write_arbitrary(path)
    return str(path)


@pytest.fixture
def make(model: str) -> Any:
    def make(method: str, style: Picture | None = None, **options: Any) -> Stylizer[Any]:
        maps = {name: options.pop(name) for name in MAPS & options.keys()}
        stylizer: Stylizer[Any]
        if method == "optimize":
            how = {"steps": 4, "max_size": 64, **OPTIONS, **options}
            stylizer = Optimize(backbone=small_backbone(), **how)
        else:
            stylizer = impasto.load("arbitrary", model=model, device="cpu", **options)
        return stylizer.set_maps(**maps).set_style(style or random_picture(7))

    return make


PLAIN: list[dict[str, Any]] = [{}, {"preserve_color": "luminance"}, {"match_result": "style"}]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("options", PLAIN)
@pytest.mark.parametrize("maps", [{"strength_map": ONES}, {"stroke_map": MIDDLE}])
def test_a_map_that_says_nothing_changes_nothing(
    make: Any, method: str, options: dict[str, Any], maps: dict[str, Floats]
) -> None:
    photo = random_picture(1)
    plain, mapped = (make(method, **options, **how)(photo).picture for how in ({}, maps))
    np.testing.assert_array_equal(mapped.rgb, plain.rgb)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("options", [*PLAIN, {"palette": "102040,f0e0c0"}])
def test_no_strength_is_the_photo(make: Any, method: str, options: dict[str, Any]) -> None:
    photo = random_picture(1)
    clear = Picture(photo.rgb, LEFT, name="clear")
    for source in (photo, clear):
        result = make(method, strength_map=0 * ONES, **options)(source)
        np.testing.assert_array_equal(result.picture.rgb, source.rgb)
        assert (result.picture.alpha is None) == (source.alpha is None)


@pytest.mark.parametrize("method", METHODS)
def test_where_there_is_no_strength_is_the_photo_which_counts_for_nothing(
    make: Any, method: str
) -> None:
    stylizer, photo = make(method, strength_map=LEFT), random_picture(1)
    other = photo.rgb.copy()
    other[:, 28:] = (1, 0, 0)
    within: list[Floats] = []
    for rgb in (photo.rgb, other):
        painted = stylizer(Picture(rgb, name="photo")).picture.rgb
        np.testing.assert_array_equal(painted[:, 28:], rgb[:, 28:])
        assert np.abs(painted - rgb)[:, :28].mean() > 0.003
        within.append(painted[:, :28].mean(axis=(0, 1)))
    np.testing.assert_allclose(within[0], within[1], atol=0.06)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("grey", [False, True])
def test_the_less_strength_the_nearer_to_the_photo(make: Any, method: str, grey: bool) -> None:
    """A soft map is a soft transition, also from colours to black and white."""
    style = random_picture(7)
    if grey:
        style = Picture(np.repeat(style.rgb[..., :1], 3, axis=2), name="grey")
    photo = random_picture(1)
    changes = []
    for strength in (0.05, 0.3, 0.6, 1.0):
        stylizer = make(method, style, strength_map=strength * ONES)
        changes.append(float(np.abs(stylizer(photo).picture.rgb - photo.rgb).mean()))
    assert changes == sorted(changes)
    assert changes[0] < 0.35 * changes[-1]
    assert changes[1] > changes[0]


def test_noise_is_not_where_there_is_no_style(make: Any) -> None:
    photo, faint = random_picture(1), make("optimize", init="noise", strength_map=0.15 * ONES)
    assert np.abs(faint(photo).picture.rgb - photo.rgb).mean() < 0.08


@pytest.mark.parametrize("method", METHODS)
def test_strokes_follow_the_map_where_it_says_so(make: Any, method: str) -> None:
    photo = random_picture(1)
    fine, large = (
        make(method, stroke_map=np.where(LEFT > 0, level, MIDDLE))(photo).picture.rgb
        for level in (0.0, 1.0)
    )
    difference = np.abs(fine - large).mean(axis=(0, 2))
    assert difference[:20].mean() > 2 * difference[44:].mean() > 0


@pytest.mark.usefixtures("plain_colors")
def test_strokes_of_a_size_are_those_of_an_artwork_of_that_size(make: Any) -> None:
    """White is twice the size that an artwork has, black half of it."""
    photo, style = random_picture(1), random_picture(7, (48, 48))
    for level, option, size in ((0.0, 24, 24), (1.0, 96, 96)):
        mapped = make("arbitrary", style, style_size=48, stroke_map=level * ONES)(photo)
        sized = make("arbitrary", style.resized(size, size), style_size=option)(photo)
        np.testing.assert_allclose(mapped.picture.rgb, sized.picture.rgb, atol=1e-4)
    large = random_picture(7, (160, 160))
    for level, scale in ((0.0, 0.5), (1.0, 2.0)):
        mapped = make("optimize", large, stroke_map=level * ONES)(photo)
        sized = make("optimize", large, style_scale=scale)(photo)
        np.testing.assert_allclose(mapped.picture.rgb, sized.picture.rgb, atol=2e-3)


@pytest.mark.parametrize("method", METHODS)
def test_maps_go_together_with_regions_masks_and_borders_that_repeat(
    make: Any, method: str
) -> None:
    photo = random_picture(1, (48, 64))
    left, ramp = (np.zeros((48, 64), np.float32) for _ in range(2))
    left[:, :32] = 1
    ramp[:] = np.linspace(0, 1, 64)
    maps = {"strength_map": ramp, "stroke_map": "auto"}
    stylizer = make(method, wrap="x", **maps).set_style([random_picture(7), random_picture(8)])
    result = stylizer(photo, mask=1 - left, content_masks=[ramp, 1 - ramp])
    np.testing.assert_array_equal(result.picture.rgb[:, :31], photo.rgb[:, :31])
    assert np.isfinite(result.picture.rgb).all()
    assert (result.settings["strength_map"], result.settings["stroke_map"]) == ("image", "auto")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["strength_map", "stroke_map"])
def test_a_map_that_cannot_be_used_is_refused(
    make: Any, method: str, name: str, tmp_path: Path
) -> None:
    Image.new("L", (30, 60), 255).save(tmp_path / "tall.png")
    (tmp_path / "empty.png").touch()
    with pytest.raises(InputError, match=r"the map .*tall\.png .* the shape of its picture"):
        make(method, **{name: tmp_path / "tall.png"})(random_picture(1))
    for missing in ("empty.png", "nowhere.png"):
        with pytest.raises(InputError, match=missing):
            make(method, **{name: tmp_path / missing})


def test_what_cannot_follow_maps_refuses_them(make: Any, tmp_path: Path) -> None:
    write_fast(tmp_path / "fast.safetensors")
    fast = impasto.load(tmp_path / "fast.safetensors", device="cpu")
    for maps in (
        {"strength_map": LEFT},
        {"stroke_map": "auto"},
        {"stroke_map": LEFT},
        {"keep": "auto"},
    ):
        with pytest.raises(InputError, match="of the method fast"):
            fast.set_maps(**maps)
    with pytest.raises(InputError, match="of the method arbitrary"):
        make("arbitrary", keep=LEFT)
    with pytest.raises(InputError, match="maps are for whole pictures: not with apply"):
        make("arbitrary", stroke_map="auto").apply(random_picture(1).tensor())
    for options in ({"classic_losses": True}, {"content_weight": 0}):
        for name in ("strength_map", "keep"):
            with pytest.raises(InputError, match=f"{name} does nothing with"):
                make("optimize", **options).set_maps(**{name: LEFT})


def test_maps_of_tensors_are_followed_by_the_optimisation(make: Any) -> None:
    photo = random_picture(1)
    stylizer = make("optimize", strength_map=LEFT)
    expected = stylizer(photo).picture.tensor()
    np.testing.assert_allclose(stylizer.apply(photo.tensor()), expected, atol=1e-5)


def test_options_name_files_and_set_maps_replaces_them(make: Any, tmp_path: Path) -> None:
    Image.fromarray((255 * LEFT).astype(np.uint8)).save(tmp_path / "left.png")
    photo, path = random_picture(1), str(tmp_path / "left.png")
    stylizer = Optimize(
        backbone=small_backbone(), **OPTIONS, steps=4, max_size=64, strength_map=path
    ).set_style(random_picture(7))
    result = stylizer(photo)
    np.testing.assert_array_equal(result.picture.rgb[:, 28:], photo.rgb[:, 28:])
    assert result.settings["strength_map"] == path
    kept = stylizer.set_maps(keep=LEFT > 0)(photo)
    assert kept.settings["keep"] == "image"
    named = Optimize(backbone=small_backbone(), **OPTIONS, steps=4, max_size=64, keep=path)
    same = named.set_style(random_picture(7))(photo)
    np.testing.assert_array_equal(kept.picture.rgb, same.picture.rgb)
    assert same.settings["keep"] == path
    again = stylizer.set_maps()(photo)
    assert not np.array_equal(again.picture.rgb, kept.picture.rgb)
    assert again.settings["keep"] == "auto"
    assert not (again.picture.rgb[:, 28:] == photo.rgb[:, 28:]).all()
    assert (again.settings["strength_map"], again.settings["stroke_map"]) == (None, "off")


def test_a_picture_fades_into_the_photo() -> None:
    found = fading(np.array([0, 0.25 * FADE, 0.5 * FADE, FADE, 1], np.float32))
    np.testing.assert_allclose(found, [0, 0.15625, 0.5, 1, 1], atol=1e-6)


def test_sizes_share_what_lies_between_them() -> None:
    found = by_size(np.array([[0, 0.125, 0.5, 0.75, 1]], np.float32))
    assert [size for size, _ in found] == [0.5, 1, 2]
    shares = [[1, 0.75, 0, 0, 0], [0, 0.25, 1, 0.5, 0], [0, 0, 0, 0.5, 1]]
    np.testing.assert_allclose([share[0] for _, share in found], shares, atol=1e-6)
    assert [size for size, _ in by_size(np.full((2, 2), 0.8, np.float32))] == [1, 2]


def test_strokes_that_are_found_are_fine_where_there_is_detail() -> None:
    rng = np.random.default_rng(0)
    rgb = np.full((160, 240, 3), 0.4, np.float32)
    rgb[40:120, 120:200] = rng.random((80, 80, 3))
    found = find_strokes(Picture(rgb))
    assert found.shape == (160, 240)
    assert found[60:100, 140:180].max() < 0.05
    assert found[:, :90].min() > 0.45
    assert 0 <= found.min() <= found.max() <= 1
    everywhere = find_strokes(random_picture(3, (120, 160)))
    np.testing.assert_allclose(everywhere, 0.5, atol=0.1)
    np.testing.assert_allclose(find_strokes(Picture(np.ones((9, 7, 3), np.float32))), 0.5)


def test_what_is_found_in_a_photo_that_repeats_has_no_seam() -> None:
    """Detail at the left, lines across at the right: each has a say beyond the border."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:64, :128].astype(np.float32)
    detail = np.full((64, 128), 0.4, np.float32)
    detail[:, :20] = rng.random((64, 20))
    lines = np.where(columns < 64, np.sin(columns / 2), np.sin(rows / 2)) * (abs(columns - 64) > 24)
    seams = []
    for wrap in ("off", "x"):
        found = []
        for grey, how in ((detail, "stroke_map"), (0.5 + 0.5 * lines, "stroke_direction")):
            photo = Picture(np.repeat(grey[..., None], 3, axis=2).astype(np.float32))
            options = {**OPTIONS, "max_size": 128, "wrap": wrap, how: "auto"}
            order = Optimize(backbone=small_backbone(), **options).set_style(photo).order(photo)
            plane = order.strokes if order.directions is None else order.directions[2]
            assert plane is not None
            found.append(float(np.abs(plane[:, 0] - plane[:, -1]).max()))
        seams.append(found)
    assert min(seams[0]) > 0.45
    assert seams[1][0] < 0.1 and seams[1][1] < 0.4
