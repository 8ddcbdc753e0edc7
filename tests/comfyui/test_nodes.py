"""What the nodes say of themselves, take, refuse, show and keep."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from impasto.cli import main
from impasto.errors import InputError
from impasto.image import load_image, save_image
from impasto.pictures import load_artwork
from impasto.stylizers.optimize import Optimize
from impasto.version import __version__
from tests.comfyui.runner import Core
from tests.comfyui.standin import FOLDER, Comfy, Loaded, loaded
from tests.comfyui.workflows import FIRST, PHOTO, SECOND

QUICK: dict[str, Any] = {
    "preset": "quick",
    "max_size": 64,
    "steps": 6,
    "style_weight": 0.0,
    "style_scale": 1.0,
    "preserve_color": "off",
    "init": "content",
    "seed": 0,
    "consistency": 0.0,
}
ANY: dict[str, Any] = {
    "strength": 1.0,
    "style_size": 64,
    "max_size": 64,
    "preserve_color": "off",
    "consistency": 0.0,
}
GALLERY: dict[str, Any] = {
    "style": "starry-night",
    "max_size": 64,
    "preserve_color": "off",
    "consistency": 0.0,
}
BLEND: dict[str, Any] = {
    "method": "arbitrary",
    "max_size": 64,
    "preserve_color": "off",
    **{f"weight_{i}": 1.0 for i in range(1, 5)},
}


@pytest.fixture(scope="session")
def photo(inputs: Path) -> Tensor:
    image: Tensor = Core(inputs).load_image(PHOTO)[0]
    return image


@pytest.fixture(scope="session")
def artwork(inputs: Path) -> Tensor:
    image: Tensor = Core(inputs).load_image(FIRST)[0]
    return image


def run(node: Loaded, **inputs: Any) -> Any:
    """The first output of a node, run as ComfyUI does."""
    with torch.inference_mode():
        return node.run(**inputs)[0]


def half(photo: Tensor) -> Tensor:
    """A mask of the left half."""
    mask = torch.zeros(photo.shape[:3])
    mask[..., : mask.shape[2] // 2] = 1
    return mask


# What ComfyUI is told


def test_both_contracts_say_the_same(comfy: Comfy) -> None:
    with loaded(comfy, schema=False) as old:
        pass
    with loaded(comfy, schema=True) as new:
        pass
    assert list(old) == list(new) and len(new) == 6
    for id, node in old.items():
        other = new[id]
        assert node.inputs == other.inputs and node.outputs == other.outputs
        assert (node.title, node.description) == (other.title, other.description)
        assert node.category == other.category == "Impasto"
        assert all(socket.told["tooltip"] for socket in node.inputs.values())


def test_values_have_limits_that_comfyui_can_show(v3: dict[str, Loaded]) -> None:
    for node in v3.values():
        for socket in node.inputs.values():
            if socket.kind in ("INT", "FLOAT"):
                low, high = socket.told["min"], socket.told["max"]
                assert low <= socket.told["default"] <= high < float("inf")


def test_without_impasto_one_line_says_what_to_install(
    comfy: Comfy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "impasto", None)
    with (
        pytest.raises(ImportError, match=r"^the nodes .* pip install impasto$"),
        loaded(comfy, schema=True),
    ):
        pass


def test_folder_can_be_published() -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.11 reads TOML")
    told = tomllib.loads((FOLDER / "pyproject.toml").read_text(encoding="utf-8"))
    needed = (FOLDER / "requirements.txt").read_text(encoding="utf-8").split()
    assert told["project"]["dependencies"] == needed == [f"impasto>={__version__}"]
    assert told["project"]["version"].count(".") == 2
    assert {"PublisherId", "DisplayName"} <= set(told["tool"]["comfy"])


# Pictures


def test_seed_counts_where_the_start_is_noise(
    v3: dict[str, Loaded], photo: Tensor, artwork: Tensor
) -> None:
    node = v3["ImpastoStylize"]
    made = [
        run(node, photo=photo, artwork=artwork, **{**QUICK, "init": "noise", "seed": seed})
        for seed in (1, 1, 2)
    ]
    assert torch.equal(made[0], made[1]) and not torch.equal(made[0], made[2])


def test_alpha_comes_out_as_it_went_in(
    v3: dict[str, Loaded], photo: Tensor, tmp_path: Path
) -> None:
    pixels = torch.cat([photo, half(photo)[..., None]], dim=3)
    save_image(load_image(pixels[0].numpy()), tmp_path / "in.png")
    out = run(v3["ImpastoGalleryStyle"], photo=pixels, **{**GALLERY, "max_size": 2048})
    assert torch.equal(out[..., 3], pixels[..., 3])
    command = ["stylize", "--quiet", str(tmp_path / "in.png"), "starry-night"]
    assert main([*command, "-o", str(tmp_path / "out.png")]) == 0
    expected = load_image(tmp_path / "out.png")
    seen = pixels[0, ..., 3].numpy() == 1
    found = np.rint(out[0, ..., :3].numpy() * 255)
    assert np.array_equal(found[seen], expected.integers(8)[..., :3][seen])


def test_pictures_of_a_batch_are_painted_each_by_itself(
    nodes: dict[str, Loaded], photo: Tensor
) -> None:
    node, other = nodes["ImpastoGalleryStyle"], photo.flip(2)
    both = run(node, photo=torch.cat([photo, other]), **GALLERY)
    alone = [run(node, photo=each, **GALLERY) for each in (photo, other)]
    assert torch.equal(both, torch.cat(alone))


def test_each_picture_has_its_mask(v3: dict[str, Loaded], photo: Tensor) -> None:
    node, mask = v3["ImpastoGalleryStyle"], half(photo)
    batch = torch.cat([photo, photo])
    whole = {**GALLERY, "max_size": 2048}
    out = run(node, photo=batch, mask=torch.cat([mask, torch.zeros_like(mask)]), **whole)
    outside = mask[0] == 0
    assert torch.equal(out[0][outside], photo[0][outside])
    assert not torch.equal(out[0][~outside], photo[0][~outside])
    assert torch.equal(out[1], photo[0]), "a black mask leaves its picture as it is"
    shared = run(node, photo=batch, mask=mask[0], **whole)
    assert torch.equal(shared[0], out[0]) and torch.equal(shared[0], shared[1])


def test_weights_blend_as_on_the_command_line(
    nodes: dict[str, Loaded], inputs: Path, tmp_path: Path
) -> None:
    core = Core(inputs)
    artworks = {f"artwork_{i}": core.load_image(name)[0] for i, name in ((1, FIRST), (3, SECOND))}
    given = {**BLEND, "weight_1": 2.0, "weight_2": 9.0, "weight_3": 1.0, **artworks}
    out = run(nodes["ImpastoBlend"], photo=core.load_image(PHOTO)[0], **given)
    files = [str(inputs / name) for name in (PHOTO, FIRST, SECOND)]
    options = ["--method", "arbitrary", "--max-size", "64", "--style-weights", "2,1"]
    assert main(["stylize", "--quiet", *files, *options, "-o", str(tmp_path / "out.png")]) == 0
    expected = load_image(tmp_path / "out.png").integers(8)
    assert np.array_equal(np.rint(out[0].numpy() * 255), expected)


def test_keeping_colours_afterwards_is_keeping_them(v3: dict[str, Loaded], photo: Tensor) -> None:
    node = v3["ImpastoGalleryStyle"]
    kept = run(node, photo=photo, **{**GALLERY, "max_size": 72, "preserve_color": "luminance"})
    painted = run(node, photo=photo, **{**GALLERY, "max_size": 72})
    change = v3["ImpastoKeepColours"]
    after = run(change, painted=painted, photo=photo, mode="luminance", strength=1.0)
    assert torch.equal(after, kept) and not torch.equal(after, painted)
    same = run(change, painted=painted, photo=photo, mode="linear", strength=0.0)
    assert torch.equal(same, painted)


def test_measures_are_those_of_the_command_line(
    nodes: dict[str, Loaded], inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, artwork = (Core(inputs).load_image(name)[0] for name in (PHOTO, FIRST))
    files = [str(inputs / name) for name in (PHOTO, PHOTO, FIRST)]
    assert main(["evaluate", "--quiet", *files]) == 0
    head, row = (line.split() for line in capsys.readouterr().out.splitlines()[:2])
    assert head and row
    with torch.inference_mode():
        report, content, similarity, gram, w2 = nodes["ImpastoEvaluate"].run(
            painted=photo, photo=photo, artwork=artwork, judge="lite", max_size=512
        )
    assert [line.rsplit(" ", 1)[1] for line in report.splitlines()] == row[1:]
    assert content == 0 and similarity == pytest.approx(1) and gram > 0.01 and w2 > 0.01


# Maps, bodies of work and palettes


def commanded(*arguments: str) -> Any:
    """The pixels of what the command line paints into the last of its files."""
    assert main(["stylize", "--quiet", *arguments]) == 0
    return load_image(arguments[-1]).integers(8)


@pytest.mark.parametrize("name", ["strength_map", "stroke_map", "keep", "stroke_direction"])
def test_maps_are_those_of_the_command_line(
    name: str, nodes: dict[str, Loaded], inputs: Path, tmp_path: Path
) -> None:
    core = Core(inputs)
    photo, artwork = (core.load_image(each)[0] for each in (PHOTO, FIRST))
    levels = np.tile(np.linspace(0, 255, photo.shape[2]).astype(np.uint8), (photo.shape[1], 1))
    Image.fromarray(levels).convert("RGB").save(inputs / "levels.png")
    drawn = {name: core.load_mask("levels.png", "red")[0]}
    option = "--" + name.replace("_", "-")
    files = [str(inputs / PHOTO), str(inputs / FIRST), option, str(inputs / "levels.png")]
    options = ["--preset", "quick", "--steps", "6", "--max-size", "64"]
    expected = commanded(*files, *options, "-o", str(tmp_path / "out.png"))
    found = run(nodes["ImpastoStylize"], photo=photo, artwork=artwork, **drawn, **QUICK)
    assert np.array_equal(np.rint(found[0].numpy() * 255), expected)
    plain = run(nodes["ImpastoStylize"], photo=photo, artwork=artwork, **QUICK)
    assert not torch.equal(found, plain), "the map is followed"
    assert torch.equal(run(nodes["ImpastoStylize"], photo=photo, artwork=artwork, **QUICK), plain)
    if name.endswith("_map"):
        given = {**ANY, "photo": photo, "artwork": artwork}
        options = ["--method", "arbitrary", "--max-size", "64", "--style-size", "64"]
        expected = commanded(*files, *options, "-o", str(tmp_path / "any.png"))
        found = run(nodes["ImpastoAnyStyle"], **drawn, **given)
        assert np.array_equal(np.rint(found[0].numpy() * 255), expected)


@pytest.mark.parametrize("name", ["ImpastoStylize", "ImpastoAnyStyle", "ImpastoBlend"])
def test_maps_that_say_nothing_change_nothing(
    name: str, v3: dict[str, Loaded], photo: Tensor, artwork: Tensor
) -> None:
    options = {"ImpastoStylize": QUICK, "ImpastoAnyStyle": ANY, "ImpastoBlend": BLEND}[name]
    ones = torch.ones(photo.shape[:3])
    given: dict[str, Any] = {**options, "photo": photo, "artwork": artwork}
    if name == "ImpastoBlend":
        del given["artwork"]
        given |= {"artwork_1": artwork, "artwork_2": 1 - artwork, "region_1": half(photo)}
        given["region_2"] = 1 - given["region_1"]
    plain = run(v3[name], **given)
    assert torch.equal(run(v3[name], strength_map=ones, **given), plain)
    assert torch.equal(run(v3[name], stroke_map=0.5 * ones, **given), plain)
    whole = {**given, "max_size": 72}  # as it is: a smaller photo would be another one
    assert torch.equal(run(v3[name], strength_map=0 * ones, **whole), photo)
    if name == "ImpastoStylize":
        # Without a map it is found in the photo; what is plain all over has nothing to keep.
        plain = run(v3[name], **{**given, "photo": 0 * photo + 0.4})
        kept = run(v3[name], keep=0 * ones, **{**given, "photo": 0 * photo + 0.4})
        assert torch.equal(kept, plain)


def test_each_picture_has_its_maps(v3: dict[str, Loaded], photo: Tensor, artwork: Tensor) -> None:
    node, batch, ones = v3["ImpastoStylize"], torch.cat([photo] * 2), torch.ones(photo.shape[:3])
    given: dict[str, Any] = {**QUICK, "max_size": 72, "steps": 2, "artwork": artwork}
    strength = torch.cat([0 * ones, ones])
    out = run(node, photo=batch, strength_map=strength, **given)
    assert torch.equal(out[0], photo[0])
    assert torch.equal(out[1], run(node, photo=photo, **given)[0])
    pytest.importorskip("cv2")
    film = run(node, photo=batch, strength_map=strength.flip(0), **{**given, "consistency": 0.7})
    assert torch.allclose(film[1], photo[0], atol=1e-6)
    assert not torch.allclose(film[0], photo[0], atol=0.05)


@pytest.mark.parametrize("name", ["ImpastoStylize", "ImpastoAnyStyle"])
def test_a_batch_of_artworks_is_a_folder_of_them(
    name: str, nodes: dict[str, Loaded], inputs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "works"
    folder.mkdir()
    for index, artwork in enumerate(("night-wind", "stained-glass")):
        save_image(load_artwork(artwork, 64).resized(64, 48), folder / f"{index}.png")
    core, works = Core(inputs), Core(folder)
    batch = torch.cat([works.load_image(f"{index}.png")[0] for index in range(2)])
    quick = name == "ImpastoStylize"
    options = ["--preset", "quick", "--steps", "6"] if quick else ["--method", "arbitrary"]
    options += [] if quick else ["--style-size", "64"]
    files = [str(inputs / PHOTO), str(folder)]
    expected = commanded(*files, *options, "--max-size", "64", "-o", str(tmp_path / "out.png"))
    given: dict[str, Any] = {**(QUICK if quick else ANY), "photo": core.load_image(PHOTO)[0]}
    found = run(nodes[name], artwork=batch, **given)
    assert np.array_equal(np.rint(found[0].numpy() * 255), expected)
    assert not torch.equal(found, run(nodes[name], artwork=batch[:1], **given))


def test_bodies_of_work_are_blended(v3: dict[str, Loaded], photo: Tensor, artwork: Tensor) -> None:
    node, both = v3["ImpastoBlend"], torch.cat([artwork, artwork.flip(3)])
    given = {**BLEND, "photo": photo}
    out = run(node, artwork_1=both, artwork_2=artwork, **{**given, "weight_2": 0.0})
    alone = run(v3["ImpastoAnyStyle"], photo=photo, artwork=both, **{**ANY, "style_size": 512})
    assert torch.equal(out, alone)


def test_palettes_are_those_of_the_command_line(
    nodes: dict[str, Loaded], inputs: Path, tmp_path: Path
) -> None:
    core, colours = Core(inputs), "#1d3557, e63946,f1faee"
    photo, artwork = (core.load_image(each)[0] for each in (PHOTO, FIRST))
    files = [str(inputs / PHOTO), str(inputs / FIRST), "--palette", colours, "--max-size", "64"]
    for name, given, options in (
        ("ImpastoStylize", QUICK, ["--preset", "quick", "--steps", "6"]),
        ("ImpastoAnyStyle", ANY, ["--method", "arbitrary", "--style-size", "64"]),
    ):
        expected = commanded(*files, *options, "-o", str(tmp_path / f"{name}.png"))
        found = run(nodes[name], photo=photo, artwork=artwork, palette=colours, **given)
        assert np.array_equal(np.rint(found[0].numpy() * 255), expected)
        plain = run(nodes[name], photo=photo, artwork=artwork, palette=" ", **given)
        assert not torch.equal(found, plain)


# Films


@pytest.mark.parametrize("name", ["ImpastoGalleryStyle", "ImpastoStylize"])
def test_frames_of_a_film_flicker_less(
    v3: dict[str, Loaded], comfy: Comfy, photo: Tensor, artwork: Tensor, name: str
) -> None:
    pytest.importorskip("cv2")
    noise = 0.06 * torch.rand((3, *photo.shape[1:]), generator=torch.Generator().manual_seed(0))
    film = (255 * (photo + noise).clamp(0, 1)).round() / 255
    given = {**QUICK, "artwork": artwork} if name == "ImpastoStylize" else GALLERY
    given = {**given, "max_size": 72}  # as it is: frames of films have 8 bits
    alone, together = (
        run(v3[name], photo=film, **{**given, "consistency": consistency})
        for consistency in (0.0, 1.0)
    )
    assert torch.allclose(alone[0], together[0], atol=0.001), "the first frame follows none"
    flicker = [(each[1:] - each[:-1]).abs().mean() for each in (alone, together)]
    assert flicker[1] < 0.8 * flicker[0]
    assert comfy.told[-1][:2] == (300, 300)


def test_frames_of_a_film_have_masks(v3: dict[str, Loaded], photo: Tensor) -> None:
    pytest.importorskip("cv2")
    mask = half(photo)
    film, masks = torch.cat([photo] * 2), torch.cat([mask, torch.zeros_like(mask)])
    given = {**GALLERY, "max_size": 2048, "consistency": 0.7}
    out = run(v3["ImpastoGalleryStyle"], photo=film, mask=masks, **given)
    assert torch.allclose(out[1], photo[0], atol=1e-6)
    assert not torch.allclose(out[0], photo[0], atol=0.05)


# Progress and cancelling


def test_progress_is_shown_with_pictures(
    nodes: dict[str, Loaded], comfy: Comfy, photo: Tensor, artwork: Tensor
) -> None:
    run(nodes["ImpastoStylize"], photo=torch.cat([photo] * 2), artwork=artwork, **QUICK)
    values = [value for value, _, _ in comfy.told]
    assert values == sorted(values) and values[-1] == 200
    assert {total for _, total, _ in comfy.told} == {200} and len(values) == 2 * (6 + 1)
    shown = [preview for _, _, preview in comfy.told if preview]
    assert len(shown) >= 4
    for format, picture, side in shown:
        assert (format, picture.mode, side) == ("JPEG", "RGB", 512)


@pytest.mark.parametrize("base", [Exception, BaseException])
@pytest.mark.parametrize("consistency", [0.0, 0.7])
def test_cancelling_is_comfyuis_own_exception(
    photo: Tensor, artwork: Tensor, base: type[BaseException], consistency: float
) -> None:
    """In older versions an Exception, in newer ones a BaseException."""
    cancelled = type("InterruptProcessingException", (base,), {})
    comfy = Comfy(cancelled)
    given = {**QUICK, "consistency": consistency, "photo": torch.cat([photo] * 2)}
    with loaded(comfy, schema=True) as nodes:
        node = nodes["ImpastoStylize"]
        before = run(node, artwork=artwork, **given)
        comfy.told.clear()
        comfy.cancel_at = 4
        with pytest.raises(cancelled):
            run(node, artwork=artwork, **given)
        assert len(comfy.told) == 4, "it ends at the step that was cancelled"
        comfy.cancel_at = None
        assert torch.equal(run(node, artwork=artwork, **given), before)


def test_a_batch_of_a_network_is_cancelled_between_pictures(
    v3: dict[str, Loaded], comfy: Comfy, photo: Tensor
) -> None:
    comfy.cancel_at = 1
    with pytest.raises(comfy.InterruptProcessingException):
        run(v3["ImpastoGalleryStyle"], photo=torch.cat([photo] * 3), **GALLERY)
    assert len(comfy.told) == 1


def test_stylizers_are_kept(
    v3: dict[str, Loaded], photo: Tensor, artwork: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    begin = Optimize.__init__

    def count(self: Optimize, *args: Any, **options: Any) -> None:
        made.append(self)
        begin(self, *args, **options)

    monkeypatch.setattr(Optimize, "__init__", count)
    for style_scale in (1.0, 1.0, 0.5, 1.0):
        run(
            v3["ImpastoStylize"],
            photo=photo,
            artwork=artwork,
            **{**QUICK, "style_scale": style_scale, "steps": 1},
        )
    assert len(made) == 2


# What cannot be used


def refused(node: Loaded, message: str, **inputs: Any) -> None:
    with pytest.raises(InputError, match=message) as caught:
        run(node, **inputs)
    assert "\n" not in str(caught.value)


def test_comfyuis_device_is_taken(
    v3: dict[str, Loaded], comfy: Comfy, photo: Tensor, artwork: Tensor
) -> None:
    comfy.device = torch.device("cuda:77")
    message = "the device 'cuda:77' is not here"
    refused(v3["ImpastoStylize"], message, photo=photo, artwork=artwork, **QUICK)


def test_what_is_no_image_is_refused(
    nodes: dict[str, Loaded], photo: Tensor, artwork: Tensor
) -> None:
    node = nodes["ImpastoGalleryStyle"]
    broken = photo.clone()
    broken[0, 0, 0, 0] = float("nan")
    refused(node, r"photo has to be \[B, H, W, 3 or 4\], not \[72", photo=photo[0], **GALLERY)
    refused(node, "not finite", photo=broken, **GALLERY)
    flat = artwork[..., 0]
    message = r"artwork has to be \[B, H, W, 3 or 4\]"
    refused(nodes["ImpastoStylize"], message, photo=photo, artwork=flat, **QUICK)


def test_masks_that_do_not_fit_are_refused(v3: dict[str, Loaded], photo: Tensor) -> None:
    node = v3["ImpastoGalleryStyle"]
    black = torch.zeros(1, 64, 64)  # what Load Image gives where there is no alpha
    refused(node, "mask is black all over: white says where", photo=photo, mask=black, **GALLERY)
    message = r"the mask mask is 64 x 64 px, photo \d+ x 64"
    refused(node, message, photo=photo, mask=black + 1, **GALLERY)
    three = torch.cat([half(photo)] * 3)
    message = "mask holds 3 images for 2: give one or as many"
    refused(node, message, photo=torch.cat([photo] * 2), mask=three, **GALLERY)


def test_maps_and_palettes_that_cannot_be_followed_are_refused(
    v3: dict[str, Loaded], photo: Tensor, artwork: Tensor, tmp_path: Path
) -> None:
    node, given = v3["ImpastoStylize"], {**QUICK, "photo": photo, "artwork": artwork}
    empty = torch.zeros(1, 64, 64)  # what Load Image gives where there is no alpha
    refused(
        node, r"the map strength_map is 64 x 64 px, photo \d+ x 64", strength_map=empty, **given
    )
    refused(node, r"the mask keep is 64 x 64 px, photo \d+ x 64", keep=empty, **given)
    two = torch.cat([half(photo)] * 2)
    message = "stroke_map holds 2 images for 1: give one or as many"
    refused(node, message, stroke_map=two, **given)
    refused(
        node,
        "strength_map does nothing with",
        strength_map=half(photo),
        **{**given, "preset": "gatys"},
    )
    (tmp_path / "colours.txt").write_text("1d3557\ne63946\n")
    for text in (str(tmp_path / "colours.txt"), "red,green", "1d3557,"):
        refused(node, "palette has to be colours as 1d3557", palette=text, **given)
    refused(node, "one colour", palette="1d3557", **given)


def test_artworks_and_regions_belong_together(
    nodes: dict[str, Loaded], photo: Tensor, artwork: Tensor
) -> None:
    node, mask = nodes["ImpastoBlend"], half(photo)
    given = {**BLEND, "photo": photo, "artwork_1": artwork, "artwork_2": artwork}
    refused(node, "artwork_2 has no region: give each artwork one, or none", region_1=mask, **given)
    refused(node, "region_3 has no artwork_3", region_3=mask, **given)
    none = {"weight_1": 0.0, "weight_2": 0.0}
    refused(node, "not all 0", **{**given, **none})


def test_photos_of_another_shape_are_refused(
    v3: dict[str, Loaded], photo: Tensor, artwork: Tensor
) -> None:
    wide = photo[:, :40]
    colours = {"mode": "luminance", "strength": 1.0}
    refused(v3["ImpastoKeepColours"], "their shapes differ", painted=photo, photo=wide, **colours)
    judge: dict[str, Any] = {"judge": "lite", "max_size": 512, "artwork": artwork}
    refused(v3["ImpastoEvaluate"], "differ in shape", painted=photo, photo=wide, **judge)


def test_frames_with_alpha_are_no_film(v3: dict[str, Loaded], photo: Tensor) -> None:
    film = torch.cat([torch.cat([photo, half(photo)[..., None]], dim=3)] * 2)
    given = {**GALLERY, "consistency": 0.7}
    refused(v3["ImpastoGalleryStyle"], "no alpha", photo=film, **given)
