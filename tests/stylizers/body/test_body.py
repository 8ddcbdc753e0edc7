"""A folder of artworks as one style, and packs of it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor

import impasto
from impasto.backbones.base import Backbone
from impasto.color import srgb_to_oklab
from impasto.errors import InputError
from impasto.image import Picture, save_image
from impasto.losses import band_energies
from impasto.pictures import load_artwork
from impasto.stylizers.body import StylePack, Works, load_pooled
from impasto.stylizers.body.folder import ladder, pool
from impasto.stylizers.body.pack_file import read_pack, write_pack
from impasto.stylizers.optimize import Optimize
from tests.models import write_arbitrary
from tests.small import OPTIONS, small_backbone, small_state

SIZES = ((64, 128), (128, 96))


def noise(seed: int, size: tuple[int, int], *, alpha: bool = False) -> Picture:
    """Patches of colours, so that statistics change with the size at which they are taken."""
    generator = np.random.default_rng(seed)
    small = generator.random((size[0] // 4, size[1] // 4, 3), np.float32)
    rgb = np.round(np.kron(small, np.ones((4, 4, 1), np.float32)) * 255) / np.float32(255)
    plane = None
    if alpha:
        plane = np.ones(size, np.float32)
        plane[: size[0] // 2] = 0
    return Picture(rgb.astype(np.float32), plane, name=f"picture {seed}")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "styles"


@pytest.fixture
def works(tmp_path: Path) -> Path:
    """A folder with two pictures and what is none."""
    folder = tmp_path / "works"
    (folder / "more").mkdir(parents=True)
    for seed, size in enumerate(SIZES):
        save_image(noise(seed, size), folder / f"{seed}.png")
    save_image(noise(9, (64, 64)), folder / "more" / "deeper.png")
    (folder / "notes.txt").write_text("no picture")
    (folder / ".hidden.png").write_text("neither")
    return folder


@pytest.fixture
def optimize() -> Optimize:
    return Optimize(backbone=small_backbone(), steps=3, max_size=128, **OPTIONS)


def maps_of(backbone: Backbone, picture: Picture, layer: str) -> Tensor:
    with torch.no_grad():
        maps: Tensor = backbone(picture.tensor(), [layer])[layer]
    return maps


@pytest.mark.parametrize("layer", ["relu1_1", "relu2_1", "relu3_1"])
def test_pooled_moments_are_weighted_by_area(optimize: Optimize, works: Path, layer: str) -> None:
    """Of the positions of all maps but their rims; sides are whole strides of the deepest layer."""
    pack = load_pooled(str(works), optimize.eye, 128)
    total, mean, second = 0, torch.zeros(()).double(), torch.zeros(()).double()
    for seed, size in enumerate(SIZES):
        inner = maps_of(optimize.backbone, noise(seed, size), layer)[0, :, 1:-1, 1:-1]
        rows, area = inner.flatten(1).double().T, math.prod(size)
        mean = mean + area * rows.mean(dim=0)
        second = second + area * (rows.T @ rows) / len(rows)
        total += area
    mean, second = mean / total, second / total
    found = pack.at("small", 128)
    np.testing.assert_allclose(found[f"{layer}.mean"], mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[f"{layer}.second"], second, rtol=1e-5, atol=1e-6)


def test_bands_and_colours_are_weighted_by_area(optimize: Optimize, works: Path) -> None:
    pack = load_pooled(str(works), optimize.eye, 128)
    areas = np.array([math.prod(size) for size in SIZES])
    energies = [band_energies(noise(i, size).tensor())[0] for i, size in enumerate(SIZES)]
    expected = sum(area * each.numpy() for area, each in zip(areas, energies, strict=True))
    np.testing.assert_allclose(pack.at("small", 128)["bands"], expected / areas.sum(), rtol=1e-4)
    union = np.concatenate(
        [srgb_to_oklab(noise(i, size).rgb).reshape(-1, 3) for i, size in enumerate(SIZES)]
    )
    sampled = srgb_to_oklab(pack.colors.rgb).reshape(-1, 3)
    np.testing.assert_allclose(sampled.mean(axis=0), union.mean(axis=0), atol=0.01)
    np.testing.assert_allclose(np.cov(sampled.T), np.cov(union.T), atol=0.002)


def test_what_is_transparent_does_not_count(optimize: Optimize, tmp_path: Path) -> None:
    half, whole = noise(1, (128, 128), alpha=True), noise(2, (64, 128))
    found = []
    for name, pictures in (("half", [half, whole]), ("other", [noise(3, (128, 128)), whole])):
        folder = tmp_path / name
        folder.mkdir()
        first = pictures[0].rgb.copy()
        first[64:] = half.rgb[64:]
        alpha = half.alpha
        save_image(Picture(first, alpha, name="first"), folder / "a.png")
        save_image(whole, folder / "b.png")
        found.append(load_pooled(str(folder), optimize.eye, 128))
    for name in ("relu1_1.mean", "bands"):
        one, other = (pack.at("small", 128)[name] for pack in found)
        np.testing.assert_allclose(one, other, rtol=0.05)
    np.testing.assert_allclose(found[0].colors.rgb.mean(), found[1].colors.rgb.mean(), atol=1e-6)


@pytest.mark.usefixtures("plain_colors")
def test_a_folder_of_one_picture_is_that_picture(optimize: Optimize, tmp_path: Path) -> None:
    """At sizes that are looked at, as here: 64 and 128."""
    artwork, photo = noise(1, (128, 128)), noise(5, (128, 96))
    folder = tmp_path / "one"
    folder.mkdir()
    save_image(artwork, folder / "it.png")
    painted = [
        optimize.set_style(style)(photo).picture.rgb for style in (artwork, folder, str(folder))
    ]
    np.testing.assert_allclose(painted[0], painted[1], atol=1e-4)
    np.testing.assert_array_equal(painted[1], painted[2])


@pytest.mark.parametrize("method", ["optimize", "arbitrary"])
def test_pack_and_folder_give_the_same_picture(
    method: str, works: Path, tmp_path: Path, optimize: Optimize
) -> None:
    stylizer: Any = optimize
    if method == "arbitrary":
        model = write_arbitrary(tmp_path / "arbitrary.safetensors")
        stylizer = impasto.load(method, model=model, device="cpu", engine="torch", style_size=128)
    pack = pool(sorted(works.glob("[01].png")), [stylizer.eye], 256, "works")
    write_pack(pack, tmp_path / "works.style")
    photo = noise(5, (96, 128))
    results = [
        stylizer.set_style(style)(photo, mask=np.ones((96, 128), np.float32))
        for style in (works, tmp_path / "works.style", pack)
    ]
    for other in results[1:]:
        np.testing.assert_array_equal(results[0].picture.rgb, other.picture.rgb)
    single = stylizer.set_style(noise(0, SIZES[0]))(photo)
    assert np.abs(single.picture.rgb - results[0].picture.rgb).max() > 0.003
    assert results[1].settings["styles"] == [str(tmp_path / "works.style")]


def test_a_pack_blends_with_artworks_and_has_regions(optimize: Optimize, works: Path) -> None:
    photo, artwork = noise(5, (96, 128)), noise(7, (96, 96))
    left = np.zeros((96, 128), np.float32)
    left[:, :64] = 1
    optimize.set_style([works, artwork], weights=[2, 1])
    assert np.isfinite(optimize(photo, content_masks=[left, 1 - left]).losses[-1].losses["total"])
    blended = optimize(photo).picture.rgb
    alone = optimize.set_style([works, artwork], weights=[1, 0])(photo).picture.rgb
    np.testing.assert_array_equal(alone, optimize.set_style(works)(photo).picture.rgb)
    assert np.abs(blended - alone).max() > 0.001


@pytest.mark.parametrize("options", [{"match_result": "style"}, {"init": "style"}])
def test_colours_of_a_folder_serve_as_an_artworks(options: Any, works: Path) -> None:
    optimize = Optimize(backbone=small_backbone(), steps=2, max_size=96, **OPTIONS, **options)
    result = optimize.set_style(works)(noise(5, (96, 72)))
    assert result.stopped is None
    if "match_result" in options:
        found = srgb_to_oklab(result.picture.rgb).reshape(-1, 3).mean(axis=0)
        union = np.concatenate(
            [srgb_to_oklab(noise(i, size).rgb).reshape(-1, 3) for i, size in enumerate(SIZES)]
        )
        np.testing.assert_allclose(found, union.mean(axis=0), atol=0.02)


def test_between_two_sizes_both_are_mixed(optimize: Optimize, works: Path) -> None:
    pack = load_pooled(str(works), optimize.eye, 128)
    low, high = (pack.at("small", side)["bands"] for side in (64, 128))
    between = pack.at("small", math.sqrt(64 * 128))["bands"]
    np.testing.assert_allclose(between, (low + high) / 2, rtol=1e-5)
    np.testing.assert_array_equal(pack.at("small", 4000)["bands"], high)
    np.testing.assert_array_equal(pack.at("small", 5)["bands"], low)
    assert ladder(700) == [64, 128, 256, 512, 700]
    assert ladder(50) == [50]


def test_what_is_too_small_for_a_size_is_left_out_of_it(optimize: Optimize, tmp_path: Path) -> None:
    for name, seed, size in (("a", 1, 128), ("b", 2, 128), ("c", 3, 64)):
        save_image(noise(seed, (size, size)), tmp_path / f"{name}.png")
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    all_three = pool(paths, [optimize.eye], 512, "works").at("small", 128)
    large = pool(paths[:2], [optimize.eye], 512, "works").at("small", 128)
    np.testing.assert_array_equal(all_three["bands"], large["bands"])


def test_works_are_seen_as_in_a_folder_and_not_cached(
    optimize: Optimize, works: Path, cache: Path
) -> None:
    files = works / "0.png", works / "1.png"
    body = load_pooled(Works("two", files), optimize.eye, 100)
    assert not cache.exists()
    assert (body.name, body.sources) == ("two", ("0.png", "1.png"))
    folder = load_pooled(str(works), optimize.eye, 100)
    np.testing.assert_array_equal(body.at("small", 80)["bands"], folder.at("small", 80)["bands"])
    one, twice = (load_pooled(Works("", files[:1] * n), optimize.eye, 100) for n in (1, 2))
    np.testing.assert_allclose(one.at("small", 80)["bands"], twice.at("small", 80)["bands"])


def test_a_folder_is_looked_at_once(
    optimize: Optimize, works: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_pooled(str(works), optimize.eye, 100)
    (kept,) = cache.iterdir()

    def never(*_: Any) -> StylePack:
        raise AssertionError("looked at again")

    with monkeypatch.context() as patch:
        patch.setattr("impasto.stylizers.body.folder.pool", never)
        again = load_pooled(str(works), optimize.eye, 128)
        np.testing.assert_array_equal(
            first.at("small", 80)["bands"], again.at("small", 80)["bands"]
        )
        save_image(noise(8, (64, 64)), works / "0.png")  # other contents, the same name
        with pytest.raises(AssertionError, match="looked at again"):
            load_pooled(str(works), optimize.eye, 128)
    save_image(noise(0, SIZES[0]), works / "0.png")
    kept.write_bytes(b"damaged")
    assert (
        load_pooled(str(works), optimize.eye, 128).at("small", 64).keys()
        == first.at("small", 64).keys()
    )
    assert read_pack(kept).sources == ("0.png", "1.png")


def test_a_cache_that_cannot_be_written_does_no_harm(
    optimize: Optimize, works: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "file"))
    assert load_pooled(str(works), optimize.eye, 128).sources == ("0.png", "1.png")


def test_what_cannot_be_packed_or_taken_is_refused(
    optimize: Optimize, works: Path, tmp_path: Path
) -> None:
    def refused(message: str, style: Any, stylizer: Optimize = optimize, **how: Any) -> None:
        with pytest.raises(InputError, match=message):
            stylizer.set_style(style, **how)(noise(5, (96, 96)))

    empty = tmp_path / "empty"
    empty.mkdir()
    refused("holds no pictures", empty)
    refused("there is no style pack", tmp_path / "missing.style")
    mask = np.ones((64, 64), np.float32)
    refused("a style mask is for a single artwork", works, masks=[mask])
    pack = tmp_path / "works.style"
    write_pack(load_pooled(str(works), optimize.eye, 64), pack)
    linear = Optimize(backbone=small_backbone(), preserve_color="linear", **OPTIONS)
    for style in (works, pack):
        refused("preserve_color linear recolours artworks", style, linear)
    save_image(noise(1, (64, 64)).resized(2, 64), empty / "thin.png")
    refused("thin.png is 64 x 2 px, too small", empty)
    (empty / "thin.png").write_bytes(b"no picture")
    refused("cannot read .*thin.png", empty)
    with pytest.raises(InputError, match="the model has no style"):
        impasto.load("fast").set_style(str(works))


@pytest.mark.parametrize("backbone", ["small", "lite"])
def test_neighbours_of_a_folder_are_those_of_its_pictures(backbone: str, tmp_path: Path) -> None:
    """With one in it, it is that picture but for the rim, which pooled statistics leave out."""
    artwork, folder = load_artwork("wave-print", 96), tmp_path / "works"
    folder.mkdir()
    save_image(artwork, folder / "only.png")
    options: dict[str, Any] = {"steps": 8, "max_size": 96, "style_loss": "nn", "bands_weight": 0}
    if backbone == "small":
        optimize = Optimize(backbone=small_backbone(), **{**OPTIONS, **options})
    else:
        optimize = Optimize(device="cpu", precision="float32", **options)
    photo = load_artwork("night-wind", 96)
    alone = optimize.set_style(folder / "only.png")(photo).picture.rgb
    pooled = optimize.set_style(folder)(photo).picture.rgb
    assert np.abs(alone - photo.rgb).mean() > 0.02
    assert np.abs(alone - pooled).mean() < 0.2 * np.abs(alone - photo.rgb).mean()


def columns_of(backbone: Backbone, picture: Picture) -> Any:
    """What ``relu2_1``, whose stride is 2, shows at each place of 4 x 4 pixels: ``(M, C)``."""
    maps = maps_of(backbone, picture, "relu2_1")
    _, channels, height, width = maps.shape
    cells = maps.numpy().reshape(channels, height // 2, 2, width // 2, 2).mean(axis=(2, 4))
    return cells.reshape(channels, -1).T


def test_places_are_those_of_all_pictures_by_their_areas(
    optimize: Optimize, works: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("impasto.stylizers.body.folder.MOST_PLACES", 100)
    save_image(noise(3, (32, 32)), works / "small.png")
    pack = load_pooled(str(works), optimize.eye, 128)
    counts = [round(100 * math.prod(size) / (64 * 128 + 128 * 96)) for size in SIZES]
    assert sum(counts) == 100
    rows = []
    for seed, count in enumerate(counts):
        columns = columns_of(optimize.backbone, noise(seed, SIZES[seed]))
        rows.append(columns[np.arange(count) * len(columns) // count])
    found = pack.at("small", 128)
    np.testing.assert_allclose(found["relu2_1.places"], np.concatenate(rows), rtol=2e-3, atol=1e-5)
    assert {len(found[f"{layer}.places"]) for layer in OPTIONS["style_layers"]} == {100}
    low = pack.at("small", 64)["relu2_1.places"]
    between = pack.at("small", 64 * 2**0.25)["relu2_1.places"]
    np.testing.assert_array_equal(between[:75], low[np.arange(75) * 100 // 75])
    np.testing.assert_array_equal(between[75:], found["relu2_1.places"][::4])


def test_places_of_tiles_are_spread_over_what_is_visible(
    optimize: Optimize, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("impasto.stylizers.optimize.eye.TILE", 64)
    picture = noise(1, (128, 96), alpha=True)
    tiled = optimize.eye.look(picture, 64)["relu2_1.places"]
    visible = columns_of(optimize.backbone, picture)[16 * 24 :]
    assert len(tiled) == 64
    distances = np.abs(visible[None] - tiled[:, None]).max(axis=2).min(axis=1)
    assert distances.max() < 1e-5, "each is a place of the whole picture"


def test_neighbours_of_a_pack_are_those_of_its_folder(works: Path, tmp_path: Path) -> None:
    options = {**OPTIONS, "steps": 8, "max_size": 128, "style_loss": "nn"}
    optimize = Optimize(backbone=small_backbone(), **options)
    pack = pool(sorted(works.glob("[01].png")), [optimize.eye], 256, "works")
    write_pack(pack, tmp_path / "works.style")
    photo = noise(5, (96, 128))
    first, again, packed = (
        optimize.set_style(style)(photo).picture.rgb
        for style in (works, works, tmp_path / "works.style")
    )
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, packed)
    assert np.abs(first - photo.rgb).mean() > 0.02


def test_packs_that_do_not_fit_are_refused(optimize: Optimize, works: Path, tmp_path: Path) -> None:
    path = tmp_path / "works.style"
    write_pack(load_pooled(str(works), optimize.eye, 64), path)
    other = Optimize(backbone=small_backbone(), **{**OPTIONS, "pooling": "average"})
    with pytest.raises(InputError, match="made with another small"):
        other.set_style(path)
    layers = {"relu2_2": 1.0}
    other = Optimize(backbone=small_backbone(), **{**OPTIONS, "style_layers": layers})
    with pytest.raises(InputError, match="holds no statistics of small's relu2_2"):
        other.set_style(path)
    arbitrary = impasto.load("arbitrary", model=write_arbitrary(tmp_path / "a.safetensors"))
    with pytest.raises(InputError, match="holds statistics of small, not of arbitrary"):
        arbitrary.set_style(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"impasto_style": "1"}, "^[^\n]*a style pack of format 1, this Impasto reads 3[^\n]*$"),
        ({"impasto_style": "4"}, "a style pack of format 4, this Impasto reads 3"),
        ({"impasto_style": "nonsense"}, "damaged"),
        ({"impasto_style": None}, "no style pack"),
        ({"marks": '{"vgg16": "x"}'}, "damaged"),
        ({"marks": "3"}, "damaged"),
        ({"sources": None}, "damaged"),
        ({"colors": np.zeros((2, 2, 3), np.uint8)}, "damaged"),
        ({"small/64/bands": np.full((3, 3), np.nan, np.float32)}, "damaged"),
        ({"small/64/relu1_1.second": np.zeros(5, np.float32)}, "damaged"),
        ({"small/64/relu1_1.places": np.zeros((9, 8), np.float32)}, "damaged"),
        ({"small/64/relu1_1.places": np.zeros((9, 8), np.float16)}, "damaged"),
        ({"small/64/relu1_1.places": np.full((192, 8), np.inf, np.float16)}, "damaged"),
        ({"small/64/relu9_1.places": np.zeros((192, 8), np.float16)}, "damaged"),
        ({"small/0/bands": np.zeros((3, 3), np.float32)}, "damaged"),
        ({"../../x": np.zeros(3, np.float32)}, "damaged"),
        ({"small/64/bands": np.zeros((2, 3), np.float32)}, "another small"),
    ],
)
def test_odd_packs_are_refused(
    optimize: Optimize, works: Path, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = tmp_path / "works.style"
    write_pack(load_pooled(str(works), optimize.eye, 64), path)
    tensors = load_file(path)
    length = int.from_bytes(path.read_bytes()[:8], "little")
    header = json.loads(path.read_bytes()[8 : 8 + length])["__metadata__"]
    for key, value in change.items():
        if isinstance(value, np.ndarray):
            tensors[key] = value
        elif value is None:
            del header[key]
        else:
            header[key] = value
    save_file(tensors, path, header)
    with pytest.raises(InputError, match=message):
        optimize.set_style(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="truncated or no style pack"):
        optimize.set_style(path)


def test_weights_tell_backbones_apart() -> None:
    from impasto.backbones.vgg import VGG
    from tests.small import PLAN

    one, same, other = (
        Optimize(backbone=VGG("small", small_state(seed), plan=PLAN).freeze(), **OPTIONS).eye.mark
        for seed in (0, 0, 1)
    )
    assert one == same != other
