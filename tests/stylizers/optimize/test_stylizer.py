"""The stylizer from pictures to result, with a small backbone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import impasto
from impasto.color import srgb_to_oklab
from impasto.errors import ImpastoError, InputError
from impasto.events import Step
from impasto.image import Picture, read_settings
from impasto.losses import moments
from impasto.metrics import Judge, gram_distance
from impasto.options import OptimizeOptions
from impasto.pictures import load_artwork
from impasto.stylizers.optimize import Optimize, stage
from impasto.stylizers.optimize.striking import Artwork
from tests.small import OPTIONS, small_backbone


def gradient(height: int = 48, width: int = 64) -> Picture:
    """A photo: two smooth gradients."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    return Picture(np.stack([x, y, 0.5 * x + 0.5 * y], axis=2).astype(np.float32), name="photo")


def stripes(height: int = 40, width: int = 56) -> Picture:
    """An artwork: thin red and blue stripes."""
    rgb = np.zeros((height, width, 3), np.float32)
    rgb[:, ::4] = rgb[:, 1::4] = (0.9, 0.1, 0.1)
    rgb[:, 2::4] = rgb[:, 3::4] = (0.1, 0.1, 0.8)
    return Picture(rgb, name="stripes")


def make(**options: Any) -> Optimize:
    return Optimize(
        OptimizeOptions(**{**OPTIONS, "steps": 30, "max_size": 64, **options}),
        backbone=small_backbone(),
    )


def test_the_style_comes_nearer_and_the_content_stays() -> None:
    result = make().set_style(stripes())(gradient())
    backbone = small_backbone()

    def distance(picture: Picture) -> float:
        maps = backbone(picture.tensor(), ["relu3_1"])["relu3_1"]
        target = backbone(stripes().tensor(), ["relu3_1"])["relu3_1"]
        return gram_distance(moments(maps), moments(target))

    assert distance(result.picture) < 0.3 * distance(gradient())
    assert result.picture.size == (48, 64)
    totals = [record.losses["total"] for record in result.losses]
    assert totals[-1] < 0.5 * totals[0]
    assert result.stopped is None


def test_a_stylizer_serves_many_pictures() -> None:
    stylizer = make(steps=3)
    first = stylizer.set_style(stripes())(gradient())
    second = stylizer.set_style([stripes(), gradient()], weights=[1, 3])(gradient(32, 32))
    assert first.picture.size == (48, 64)
    assert second.picture.size == (32, 32)
    again = stylizer.set_style(stripes())(gradient())
    np.testing.assert_array_equal(first.picture.rgb, again.picture.rgb)


@pytest.mark.parametrize("init", ["content", "noise", "style", "gray"])
@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_every_start_and_optimizer_lowers_the_loss(init: str, optimizer: str) -> None:
    result = make(init=init, optimizer=optimizer, learning_rate=0.05).set_style(stripes())(
        gradient()
    )
    totals = [record.losses["total"] for record in result.losses]
    assert totals[-1] < totals[0]
    assert 0 <= result.picture.rgb.min() <= result.picture.rgb.max() <= 1


def lines_along_the_borders(picture: Picture) -> float:
    """Share of the energy in lines parallel to the borders."""
    grey = picture.rgb.mean(axis=2)
    power = np.abs(np.fft.fft2(grey - grey.mean())) ** 2
    return float((power[:2, 8:-8].sum() + power[8:-8, :2].sum()) / power.sum())


def test_a_blank_canvas_is_painted_without_lines_from_its_borders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    white = Picture(np.ones((96, 96, 3), np.float32), name="canvas")

    def lines() -> float:
        painted = Optimize(steps=25, max_size=96, device="cpu").set_style(
            load_artwork("stained-glass", 96)
        )
        return lines_along_the_borders(painted(white).picture)

    assert lines() < 0.1
    monkeypatch.setattr(stage, "TRACE", 0.0)
    assert lines() > 0.15  # so the figure can tell


def test_a_mask_says_what_is_kept(tmp_path: Path) -> None:
    mask = np.zeros((48, 64), np.uint8)
    mask[:, :32] = 255
    Image.fromarray(mask).save(tmp_path / "left.png")
    Image.fromarray(0 * mask).save(tmp_path / "black.png")

    def change(keep: Path | str) -> Any:
        painted = make(keep=keep).set_style(stripes())(gradient()).picture.rgb
        return np.abs(painted - gradient().rgb).mean(axis=(0, 2))

    plain, left = change("off"), change(tmp_path / "left.png")
    np.testing.assert_array_equal(change(tmp_path / "black.png"), plain)
    assert left[:28].mean() < 0.8 * plain[:28].mean()
    assert left[36:].mean() > 0.9 * plain[36:].mean()


def test_a_mask_of_another_shape_or_none_is_refused(tmp_path: Path) -> None:
    Image.new("L", (64, 32), 255).save(tmp_path / "wide.png")
    with pytest.raises(InputError, match="the shape of its picture"):
        make(keep=tmp_path / "wide.png").set_style(stripes())(gradient())
    with pytest.raises(InputError, match=r"nowhere\.png"):
        make(keep="nowhere.png")


def test_what_an_artwork_shows_does_not_count_to_its_style() -> None:
    rng = np.random.default_rng(0)
    marked = Picture((0.5 + 0.02 * rng.random((96, 128, 3))).astype(np.float32))
    marked.rgb[40:60, 80:100] = rng.random((20, 20, 3))

    def counts(motifs: float) -> Any:
        artwork = make(motifs=motifs).set_style(marked).order(gradient()).styles[0]
        assert artwork.alpha is None
        return artwork.manner if isinstance(artwork, Artwork) else np.ones((96, 128))

    assert counts(1).min() == 1
    assert counts(0)[44:56, 84:96].max() < 0.1
    assert counts(0)[:, :60].mean() > 0.9
    np.testing.assert_allclose(counts(0.25), 0.75 * counts(0) + 0.25, atol=1e-6)


def test_the_seed_decides_the_noise() -> None:
    one, same, other = (
        make(init="noise", steps=2, seed=seed).set_style(stripes())(gradient()).picture.rgb
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_start_from_style_has_its_colors() -> None:
    first: list[Picture] = []

    def look(step: Step) -> None:
        first.append(step.picture())
        step.stop()

    make(init="style", scales=1).set_style(stripes())(gradient(200, 200), callback=[look])
    start = first[0].rgb.reshape(-1, 3)
    artwork = stripes().rgb.reshape(-1, 3)
    np.testing.assert_allclose(start.mean(axis=0), artwork.mean(axis=0), atol=0.08)
    red_to_blue = np.corrcoef(start[:, 0], start[:, 2])[0, 1]
    assert red_to_blue < -0.5  # red and blue exclude each other


def test_a_given_image_is_the_start(tmp_path: Path) -> None:
    path = tmp_path / "start.png"
    Image.new("RGB", (64, 48), (255, 0, 0)).save(path)
    seen: list[Picture] = []

    def look(step: Step) -> None:
        seen.append(step.picture())
        step.stop()

    result = make(init=str(path), scales=1, style_weight=0.0).set_style(stripes())(
        gradient(), callback=[look]
    )
    np.testing.assert_allclose(seen[0].rgb[..., 0], 1.0)
    np.testing.assert_allclose(seen[0].rgb[..., 1:], 0.0)
    assert result.stopped == "stopped by a callback"


def test_a_missing_start_image_is_one_line() -> None:
    with pytest.raises(InputError, match=r"nowhere\.png"):
        make(init="nowhere.png").set_style(stripes())(gradient())


def test_alpha_comes_back() -> None:
    alpha = np.ones((48, 64), np.float32)
    alpha[:10] = 0
    photo = Picture(gradient().rgb, alpha, name="photo")
    result = make(steps=3).set_style(stripes())(photo)
    assert result.picture.alpha is not None
    np.testing.assert_allclose(result.picture.alpha, alpha, atol=1e-6)
    assert result.image.mode == "RGBA"


def test_luminance_keeps_the_chroma_of_the_photo() -> None:
    """Lightness comes from the painting, chroma in OkLab from the photo."""
    photo = gradient().rgb * 0.4 + 0.3
    result = make(preserve_color="luminance").set_style(stripes())(Picture(photo, name="photo"))
    ours, theirs = srgb_to_oklab(result.picture.rgb), srgb_to_oklab(photo)
    assert np.abs(ours[..., 1:] - theirs[..., 1:]).mean() < 0.01
    assert np.abs(ours[..., 0] - theirs[..., 0]).mean() > 0.03
    plain = srgb_to_oklab(make().set_style(stripes())(Picture(photo, name="photo")).picture.rgb)
    assert np.abs(plain[..., 1:] - theirs[..., 1:]).mean() > 0.03


@pytest.mark.parametrize("mode", ["linear", "histogram"])
def test_matching_paints_in_the_colors_of_the_photo(mode: str) -> None:
    tint = np.array([0.1, 0.6, 0.1], np.float32)
    photo = Picture((0.2 * gradient().rgb + tint).astype(np.float32), name="photo")
    mean = photo.rgb.mean(axis=(0, 1))
    kept = make(preserve_color=mode).set_style(stripes())(photo).picture.rgb.mean(axis=(0, 1))
    plain = make().set_style(stripes())(photo).picture.rgb.mean(axis=(0, 1))
    assert np.abs(kept - mean).max() < 0.1
    assert np.abs(plain - mean).max() > 0.2


def test_an_artwork_in_black_and_white_gives_a_neutral_picture() -> None:
    drawing = Picture(np.repeat(stripes().rgb[..., :1], 3, axis=2), name="drawing")
    plain = make().set_style(drawing)(gradient()).picture.rgb
    kept = make(preserve_color="linear").set_style(drawing)(gradient()).picture.rgb
    assert np.ptp(plain, axis=2).mean() < 0.02
    assert np.ptp(kept, axis=2).mean() > np.ptp(gradient().rgb, axis=2).mean() / 4


@pytest.mark.parametrize("reference", ["content", "style"])
def test_the_finished_picture_is_matched(reference: str) -> None:
    result = make(steps=5, match_result=reference).set_style(stripes())(gradient()).picture.rgb
    target = (gradient() if reference == "content" else stripes()).rgb
    ours, theirs = (srgb_to_oklab(rgb).mean(axis=(0, 1)) for rgb in (result, target))
    np.testing.assert_allclose(ours, theirs, atol=0.04)  # some colours are clipped


def test_the_photo_is_never_enlarged_nor_squashed() -> None:
    assert make(steps=1, max_size=500).set_style(stripes())(gradient()).picture.size == (48, 64)
    assert make(steps=1, max_size=32).set_style(stripes())(gradient()).picture.size == (24, 32)


def test_an_artwork_keeps_its_aspect(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[tuple[int, int]] = []
    resized = Picture.resized

    def spy(self: Picture, height: int, width: int) -> Picture:
        if self.name == "stripes":
            sizes.append((height, width))
        return resized(self, height, width)

    monkeypatch.setattr(Picture, "resized", spy)
    make(steps=1, scales=1, max_size=32).set_style(stripes(40, 80))(gradient())
    make(steps=1, scales=1, max_size=32, style_scale=2).set_style(stripes(40, 80))(gradient())
    make(steps=1, scales=1, max_size=32, style_scale=9).set_style(stripes(40, 80))(gradient())
    looked_at_for_its_colours = (40, 80)
    assert [size for size in sizes if size != looked_at_for_its_colours] == [(16, 32), (32, 64)]
    assert sizes[-1] == (40, 80)


def test_the_result_can_be_made_again_from_its_file(tmp_path: Path) -> None:
    result = make(steps=2, tv_weight=0.5).set_style(stripes(), weights=[2])(gradient())
    result.save(tmp_path / "out.png")
    settings = read_settings(tmp_path / "out.png")
    assert settings is not None
    assert settings["method"] == "optimize"
    assert settings["content"] == "photo"
    assert settings["styles"] == ["stripes"]
    assert settings["style_weights"] == [2]
    assert settings["tv_weight"] == 0.5
    assert settings["seed"] == 0
    assert settings["style_layers"] == OPTIONS["style_layers"]
    assert settings["impasto"] == impasto.__version__


@pytest.mark.parametrize(
    ("styles", "weights", "message"),
    [
        ([], None, "at least one"),
        ([stripes()], [1, 2], "2 style weights for 1"),
        ([stripes(), stripes()], [0, 0], "not all 0"),
        ([stripes(), stripes()], [1, -1], "none below 0"),
        ([stripes()], [float("nan")], "none below 0"),
    ],
)
def test_wrong_styles_are_one_line(styles: Any, weights: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make().set_style(styles, weights=weights)(gradient())


def test_pictures_that_are_too_small_are_refused() -> None:
    with pytest.raises(InputError, match="photo is 1 x 1 px here, too small"):
        make().set_style(stripes())(gradient(1, 1))
    with pytest.raises(InputError, match="stripes is 56 x 2 px here, too small"):
        make().set_style(stripes(2, 56))(gradient())


def test_a_fully_transparent_picture_is_refused() -> None:
    nothing = Picture(gradient().rgb, np.zeros((48, 64), np.float32), name="ghost")
    with pytest.raises(InputError, match="ghost is fully transparent"):
        make().set_style(stripes())(nothing)


def test_running_out_of_memory_says_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    from impasto.stylizers.optimize.objective import Objective

    ask = Objective.gradient

    def full(self: Objective, image: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        if max(image.shape) > 100:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 8 GiB")
        return ask(self, image)

    monkeypatch.setattr(Objective, "gradient", full)
    with pytest.raises(ImpastoError, match=r"out of memory at 160 x 160 px.*80"):
        make(steps=4, scales=2, max_size=160).set_style(stripes())(gradient(160, 160))


@pytest.mark.usefixtures("plain_colors")
def test_tiles_paint_the_same_picture() -> None:
    whole, tiled = (
        make(steps=8, max_size=160, tile=tile, keep="off")
        .set_style(stripes())(gradient(150, 160))
        .picture.rgb
        for tile in ("off", 64)
    )
    difference = np.abs(tiled - whole)
    # Sums in another order differ by rounding: gradients by a hundred-thousandth, which eight
    # steps enlarge. Where that turns the choice of a maximum, which depends on the processor, a few
    # pixels differ by more; a seam would be one in forty.
    assert float(np.quantile(difference, 0.99)) < 5e-4
    assert float(difference.max()) < 0.04


def test_what_does_not_fit_is_said_before_the_run() -> None:
    steps: list[Step] = []
    with pytest.raises(InputError, match=r"64 x 48 px would take .* more memory"):
        make(memory="1MB").set_style(stripes())(gradient(), callback=[steps.append])
    assert not steps


def test_unknown_layers_devices_and_backbones_are_refused() -> None:
    with pytest.raises(InputError, match="no layer 'relu9_1'"):
        make(style_layers={"relu9_1": 1.0})
    with pytest.raises(InputError, match="device 'tpu'"):
        make(device="tpu")
    with pytest.raises(InputError, match="no backbone 'vgg99'"):
        Optimize(OptimizeOptions(**{**OPTIONS, "backbone": "vgg99"}))
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="'cuda' is not here: this machine has"):
            make(device="cuda")


def test_bfloat16_is_close_to_float32() -> None:
    how = {"steps": 4, "init": "noise"}
    exact = make(**how).set_style(stripes())(gradient()).picture.rgb
    rough = make(**how, precision="bfloat16").set_style(stripes())(gradient()).picture.rgb
    assert np.abs(exact - rough).mean() < 0.03
    assert not np.array_equal(exact, rough)


def test_the_callers_backbone_is_left_as_it_was() -> None:
    backbone = small_backbone()
    Optimize(OptimizeOptions(**{**OPTIONS, "precision": "bfloat16"}), backbone=backbone)
    assert backbone.dtype == torch.float32


@pytest.mark.shared_data
def test_the_judge_finds_a_picture_equal_to_itself(shared_data: Path) -> None:
    from impasto.backbones import load_backbone

    judge = Judge(load_backbone("vgg16", weights=shared_data / "vgg16_features.safetensors"))
    photo = gradient().tensor()
    same = judge(photo, photo, photo)
    assert same.content == pytest.approx(0, abs=1e-9)
    assert same.gram == pytest.approx(0, abs=1e-9)
    assert same.w2 == pytest.approx(0, abs=1e-6)
    other = judge(photo, photo, stripes().tensor())
    assert other.content == pytest.approx(0, abs=1e-9)
    assert min(other.gram, other.w2, other.rgb) > 0.05


def left_half(height: int = 48, width: int = 64) -> Any:
    mask = np.zeros((height, width), np.float32)
    mask[:, : width // 2] = 1
    return mask


def test_a_mask_of_ones_gives_the_picture_without_mask() -> None:
    plain = make(steps=8).set_style(stripes())(gradient()).picture.rgb
    masked = (
        make(steps=8).set_style(stripes())(gradient(), mask=np.ones((48, 64), bool)).picture.rgb
    )
    np.testing.assert_array_equal(masked, plain)


def test_outside_of_the_mask_the_photo_stays() -> None:
    mask = left_half()
    mask[:, 32:40] = 0.5
    seen: list[Picture] = []
    result = make(steps=12, init="noise").set_style(stripes())(
        gradient(), mask=mask, callback=[lambda step: seen.append(step.picture())]
    )
    for picture in (seen[-1], result.picture):
        np.testing.assert_array_equal(picture.rgb[:, 40:], gradient().rgb[:, 40:])
        assert np.abs(picture.rgb - gradient().rgb)[:, :32].mean() > 0.05
    assert result.picture.alpha is None
    assert result.settings["mask"] == "image"


def test_matched_colors_stay_within_the_mask() -> None:
    result = make(steps=4, match_result="style").set_style(stripes())(gradient(), mask=left_half())
    np.testing.assert_array_equal(result.picture.rgb[:, 32:], gradient().rgb[:, 32:])
    ours, theirs = (
        srgb_to_oklab(rgb).mean(axis=(0, 1)) for rgb in (result.picture.rgb[:, :32], stripes().rgb)
    )
    # As near as colours come that have to stay in range; unmatched they are 0.08 apart.
    np.testing.assert_allclose(ours, theirs, atol=0.04)


@pytest.mark.parametrize("masks", [{"mask": left_half()}, {"content_masks": [left_half()]}])
def test_colors_outside_of_masks_do_not_leak_into_the_artwork(
    masks: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With colours kept, an artwork takes those of the part of the photo that it paints."""
    from impasto.stylizers import base

    recolored: list[Picture] = []
    prepare = base.prepare_style  # type: ignore[attr-defined]

    def spy(*arguments: Any) -> Picture:
        recolored.append(prepare(*arguments))
        return recolored[-1]

    monkeypatch.setattr(base, "prepare_style", spy)
    other = gradient().rgb.copy()
    other[:, 32:] = (1, 0, 0)
    for photo in (gradient(), Picture(other, name="photo")):
        for given in (masks, {}):
            make(preserve_color="linear", steps=1, scales=1).set_style(stripes())(photo, **given)
    np.testing.assert_array_equal(recolored[0].rgb, recolored[2].rgb)
    assert np.abs(recolored[1].rgb - recolored[3].rgb).mean() > 0.05


def flat(color: tuple[float, float, float], name: str) -> Picture:
    """An artwork of one colour, nearly."""
    noise = np.random.default_rng(0).normal(0, 0.05, (40, 56, 3))
    return Picture((np.array(color) + noise).clip(0, 1).astype(np.float32), name=name)


RED, BLUE = flat((0.9, 0.1, 0.1), "red"), flat((0.1, 0.1, 0.9), "blue")


@pytest.mark.parametrize("loss", ["gram+w2", "nn"])
def test_every_style_paints_its_region(loss: str) -> None:
    masks = [left_half(), 1 - left_half()]
    stylizer = make(style_weight=30.0, style_loss=loss)
    result = stylizer.set_style([RED, BLUE])(gradient(), content_masks=masks)
    left, right = result.picture.rgb[:, :24], result.picture.rgb[:, 40:]
    difference = left.mean(axis=(0, 1)) - right.mean(axis=(0, 1))  # red is -0.5 in the photo
    assert difference[0] > 0.1
    assert difference[2] < -0.3
    assert result.settings["content_masks"] == ["image", "image"]


def test_one_artwork_serves_every_region() -> None:
    both = Picture(np.concatenate([RED.rgb, BLUE.rgb], axis=1), name="both")
    masks, parts = [left_half(), 1 - left_half()], [left_half(40, 112), 1 - left_half(40, 112)]
    result = (
        make(style_weight=30.0)
        .set_style(both, masks=parts)(gradient(), content_masks=masks)
        .picture
    )
    assert (result.rgb[:, :24] - result.rgb[:, 40:]).mean(axis=(0, 1))[0] > 0.3


def test_a_style_mask_picks_a_part_of_an_artwork() -> None:
    both = Picture(np.concatenate([RED.rgb, BLUE.rgb], axis=1), name="both")
    red = make(style_weight=30.0).set_style(both, masks=[left_half(40, 112)])(gradient()).picture
    blue = (
        make(style_weight=30.0).set_style(both, masks=[1 - left_half(40, 112)])(gradient()).picture
    )
    assert (red.rgb - blue.rgb).mean(axis=(0, 1))[0] > 0.3


def test_overlapping_masks_share_their_pixels() -> None:
    ones = np.ones((48, 64), np.float32)
    # Noise: a start in the colours of the stripes has next to no gradient, and any rounding steers.
    how = {"steps": 4, "init": "noise"}
    result = make(**how).set_style([stripes(), stripes()])(gradient(), content_masks=[ones, ones])
    plain = make(**how).set_style(stripes())(gradient())
    np.testing.assert_allclose(result.picture.rgb, plain.picture.rgb, atol=1e-3)


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        ({"mask": np.zeros((48, 64), np.float32)}, "black all over"),
        ({"mask": np.ones((64, 48), np.float32)}, "the shape of its picture"),
        ({"content_masks": [left_half()] * 3}, "3 content masks for 2 styles"),
        ({"content_masks": []}, "0 content masks for 2 styles"),
        ({"style_masks": [None]}, "1 style masks for 2 styles"),
        ({"style_masks": [None, np.zeros((40, 56), np.float32)]}, "black all over"),
        (
            {"mask": left_half(), "content_masks": [left_half(), 1 - left_half()]},
            "nothing to paint in style 2",
        ),
    ],
)
def test_masks_that_do_not_fit_are_one_line(masks: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        parts = masks.pop("style_masks", None)
        make().set_style([stripes(), stripes()], masks=parts)(gradient(), **masks)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("loss", ["nn", "gram+w2+nn"])
def test_nearest_neighbours_bring_the_style(loss: str) -> None:
    stylizer = make(style_loss=loss, bands_weight=0.0)
    result = stylizer.set_style([stripes(), RED], weights=[1, 0])(gradient())
    totals = [record.losses["total"] for record in result.losses]
    assert totals[-1] < 0.7 * totals[0]
    colors = result.picture.rgb.mean(axis=(0, 1))
    theirs, start = stripes().rgb.mean(axis=(0, 1)), gradient().rgb.mean(axis=(0, 1))
    assert np.abs(colors - theirs).mean() < 0.9 * np.abs(start - theirs).mean()
