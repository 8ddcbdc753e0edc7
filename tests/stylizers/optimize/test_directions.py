"""Strokes of given directions: what is found, which strokes count, what is painted."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import impasto
from impasto.errors import InputError
from impasto.image import Picture, save_image
from impasto.image.picture import Floats
from impasto.pictures import load_artwork
from impasto.stylizers.optimize import Optimize
from impasto.stylizers.optimize.directions import BORDER, DIRECTIONS, find_directions, turned
from tests.models import write_arbitrary
from tests.small import OPTIONS, small_backbone

SIZE = (96, 128)
DEGREES = [0, 45, 90, 135]


def lines(degrees: float, size: tuple[int, int] = SIZE) -> Floats:
    """Lines that run to the right and, as degrees grow, down."""
    rows, columns = np.mgrid[: size[0], : size[1]].astype(np.float32)
    angle = math.radians(degrees)
    across: Floats = rows * np.float32(math.cos(angle)) - columns * np.float32(math.sin(angle))
    return (0.5 + 0.5 * np.sin(across / 2)).astype(np.float32)


def picture(grey: Floats, name: str = "lines") -> Picture:
    return Picture(np.repeat(grey[..., None], 3, axis=2), name=name)


def slopes(rgb: Floats) -> tuple[float, float]:
    """How much a picture changes downwards and to the right."""
    down, right = np.gradient(rgb.mean(axis=2))
    return float(np.square(down).mean()), float(np.square(right).mean())


@pytest.mark.parametrize("direction", range(DIRECTIONS))
def test_lines_have_their_direction(direction: int) -> None:
    found = find_directions(lines(DEGREES[direction]))
    np.testing.assert_allclose(sum(found), 1, atol=1e-5)
    assert found[direction].mean() > 0.95
    between = find_directions(lines(DEGREES[direction] + 22.5))
    shares = [float(share.mean()) for share in between]
    assert 0.4 < shares[direction] < 0.6 and 0.4 < shares[(direction + 1) % DIRECTIONS] < 0.6


def test_where_there_are_no_lines_those_around_say_so() -> None:
    half = lines(90)
    half[:, 40:] = 0.5
    found = find_directions(half)
    assert found[2][:, :32].mean() > 0.95
    assert found[2][:, 96:].mean() > 0.8
    for share in find_directions(np.full(SIZE, 0.5, np.float32)):
        np.testing.assert_allclose(share, 0.25, atol=1e-3)


def test_each_place_of_an_artwork_counts_for_each_direction_in_one_turn() -> None:
    parts = turned(picture(lines(0)))
    for direction, copies in enumerate(parts):
        counts = [float(copy.alpha.mean()) for copy in copies if copy.alpha is not None]
        assert np.argmax(counts) == direction and len(counts) == DIRECTIONS
        assert counts[direction] > 5 * sorted(counts)[-2]
    assert [copy.size for copy in parts[0]] == [(96, 128), (159, 159), (128, 96), (159, 159)]
    np.testing.assert_allclose(parts[0][2].rgb, np.rot90(picture(lines(0)).rgb, -1), atol=1e-6)


def test_neither_transparent_nor_blank_corners_count() -> None:
    alpha = np.zeros(SIZE, np.float32)
    alpha[:, :64] = 1
    artwork = Picture(picture(lines(0)).rgb, alpha)
    for copies in turned(artwork):
        for copy in copies:
            assert copy.alpha is not None
            hidden = np.rot90(copy.alpha, 1) if copy.size == (128, 96) else copy.alpha
            if hidden.shape == SIZE:
                assert not hidden[:, 64:].any()
            else:
                assert not hidden[: BORDER + 8, : BORDER + 8].any()


def test_strokes_run_along_the_drawing() -> None:
    photo, artwork = load_artwork("river-dots", 128).resized(*SIZE), load_artwork("night-wind", 128)
    optimize = Optimize(device="cpu", precision="float32", steps=40, max_size=128)
    painted = {}
    for degrees in (0, 90):
        optimize.set_maps(stroke_direction=lines(degrees)).set_style(artwork)
        painted[degrees] = slopes(optimize(photo).picture.rgb)
    (down, right), (other_down, other_right) = painted[0], painted[90]
    assert down > 1.8 * right and other_right > 1.8 * other_down


@pytest.mark.parametrize("loss", ["gram+w2", "nn"])
def test_directions_go_together_with_all_else(loss: str) -> None:
    photo, artwork = load_artwork("river-dots", 64), load_artwork("night-wind", 64)
    left = np.zeros(photo.size, np.float32)
    left[:, : photo.size[1] // 2] = 1
    options: dict[str, Any] = {**OPTIONS, "steps": 3, "max_size": 64, "style_loss": loss}
    optimize = Optimize(backbone=small_backbone(), **options)
    optimize.set_maps(strength_map=left, stroke_map=left, stroke_direction="auto")
    optimize.set_style([artwork, load_artwork("wave-print", 64)])
    result = optimize(photo, content_masks=[left, 1 - left])
    assert np.isfinite(result.losses[-1].losses["total"])
    assert result.settings["stroke_direction"] == "auto"
    assert (result.picture.rgb != photo.rgb)[:, : photo.size[1] // 2].any()


def test_a_file_is_the_drawing(tmp_path: Path) -> None:
    Image.fromarray((255 * lines(90)).astype(np.uint8)).save(tmp_path / "lines.png")
    photo, artwork = load_artwork("river-dots", 128).resized(*SIZE), load_artwork("night-wind", 96)
    options: dict[str, Any] = {**OPTIONS, "steps": 3, "max_size": 128}
    path = str(tmp_path / "lines.png")
    named = Optimize(backbone=small_backbone(), **options, stroke_direction=path)
    found = named.set_style(artwork)(photo)
    assert found.settings["stroke_direction"] == path
    drawn = Optimize(backbone=small_backbone(), **options).set_maps(stroke_direction=path)
    same = drawn.set_style(artwork)(photo)
    np.testing.assert_array_equal(found.picture.rgb, same.picture.rgb)
    without = drawn.set_maps()(photo)
    assert not np.array_equal(found.picture.rgb, without.picture.rgb)


def test_what_has_no_strokes_to_look_at_is_refused(tmp_path: Path) -> None:
    (tmp_path / "works").mkdir()
    save_image(load_artwork("night-wind", 64), tmp_path / "works" / "one.png")
    optimize = Optimize(backbone=small_backbone(), stroke_direction="auto", **OPTIONS)
    with pytest.raises(InputError, match="stroke_direction looks for strokes in artworks"):
        optimize.set_style(tmp_path / "works")
    later = Optimize(backbone=small_backbone(), **OPTIONS).set_style(tmp_path / "works")
    with pytest.raises(InputError, match="stroke_direction looks for strokes in artworks"):
        later.set_maps(stroke_direction="auto")(picture(lines(0)))
    optimize.set_style(load_artwork("night-wind", 64)).set_maps(stroke_direction=lines(0, (40, 90)))
    with pytest.raises(InputError, match="the drawing image is 90 x 40 px"):
        optimize(picture(lines(0)))
    arbitrary = impasto.load("arbitrary", model=write_arbitrary(tmp_path / "a.safetensors"))
    with pytest.raises(InputError, match="of the method arbitrary"):
        arbitrary.set_maps(stroke_direction="auto")
    with pytest.raises(InputError, match=r"nowhere\.png"):
        Optimize(backbone=small_backbone(), stroke_direction="nowhere.png", **OPTIONS)
