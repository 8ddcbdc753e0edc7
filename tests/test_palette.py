"""Palettes: how they are read, and where they bring colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from impasto.color import srgb_to_oklab
from impasto.errors import InputError
from impasto.image import Picture, save_image
from impasto.image.picture import Floats
from impasto.options import OptimizeOptions, parse_colors
from impasto.palette import load_palette, main_colors
from impasto.pictures import load_artwork
from impasto.stylizers.networks.options import FastOptions

FIVE = "1d3557,#457B9D, f1faee,e63946,2a9d3a"


def colors_of(picture: Picture) -> Floats:
    return srgb_to_oklab(picture.rgb).reshape(-1, 3)


def nearest(lab: Floats, palette: Floats) -> Any:
    return np.square(lab[:, None] - palette[None]).sum(axis=2).argmin(axis=1)


def test_each_colour_gets_an_equal_share() -> None:
    artwork, palette = load_artwork("night-wind", 96), load_palette(FIVE)
    plain = nearest(colors_of(artwork), palette.colors)
    before = np.bincount(plain, minlength=5) / len(plain)
    found = nearest(colors_of(palette.apply(artwork)), palette.colors)
    shares = np.bincount(found, minlength=5) / len(found)
    assert np.abs(before - 0.2).max() > 0.15  # far from it at first
    np.testing.assert_allclose(shares, 0.2, atol=0.09)  # borders are shared


def test_colours_go_where_an_exact_transport_brings_them() -> None:
    """The assignment that moves 500 colours least, each of five to a fifth of them."""
    rng = np.random.default_rng(0)
    grey, tint = rng.uniform(0.2, 0.8, (20, 25, 1)), rng.uniform(-0.06, 0.06, (20, 25, 3))
    image = Picture((grey + tint).astype(np.float32))
    palette = load_palette(FIVE)
    source = colors_of(image)
    costs = np.square(source[:, None] - np.repeat(palette.colors, 100, axis=0)[None]).sum(axis=2)
    rows, columns = linear_sum_assignment(costs)
    exact = columns[np.argsort(rows)] // 100
    found = nearest(colors_of(palette.apply(image)), palette.colors)
    assert (found == exact).mean() > 0.85
    assert (nearest(source, palette.colors) == exact).mean() < 0.75  # no plain nearest colour


def test_strength_and_transparency() -> None:
    artwork, palette = load_artwork("orphic-discs", 48), load_palette(FIVE)
    np.testing.assert_allclose(palette.apply(artwork, 0.0).rgb, artwork.rgb, atol=1e-5)
    full, half = (colors_of(palette.apply(artwork, strength)) for strength in (1.0, 0.5))
    way = (half - colors_of(artwork)) / 0.5
    inside = np.abs(full - colors_of(artwork) - way).max(axis=1) < 5e-3  # the rest left the gamut
    assert inside.mean() > 0.75
    alpha = np.ones((48, 48), np.float32)
    alpha[:, 24:] = 0
    shown = Picture(artwork.rgb, alpha)
    other = artwork.rgb.copy()
    other[:, 24:] = 0
    np.testing.assert_array_equal(
        palette.apply(shown).rgb[:, :24], palette.apply(Picture(other, alpha)).rgb[:, :24]
    )


def test_a_picture_lends_its_colours(tmp_path: Path) -> None:
    save_image(load_artwork("wave-print", 48), tmp_path / "wave.png")
    palette = load_palette(str(tmp_path / "wave.png"))
    brought = colors_of(palette.apply(load_artwork("orphic-discs", 48)))
    wave = colors_of(load_artwork("wave-print", 48))
    np.testing.assert_allclose(brought.mean(axis=0), wave.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(np.cov(brought.T), np.cov(wave.T), atol=0.01)


def test_lists_are_read(tmp_path: Path) -> None:
    (tmp_path / "five.hex").write_text(FIVE.replace(",", "\n"))
    read = load_palette(str(tmp_path / "five.hex"))
    np.testing.assert_array_equal(read.colors, load_palette(FIVE).colors)
    assert parse_colors("#FF0000, 00ff00") == [(255, 0, 0), (0, 255, 0)]
    assert parse_colors("red") is None
    assert parse_colors("12345") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ff0000", "has one colour"),
        ("ff0000,#FF0000", "has one colour"),
        ("ff0000,red", "cannot read"),
        ("missing.png", "cannot read"),
        ("missing.hex", "cannot read the palette missing.hex"),
        ("plain.png", "has one colour"),
        ("words.txt", "no list of colours"),
        ("binary.txt", "it is no text"),
        (",".join(f"{value:06x}" for value in range(257)), "257 colours"),
    ],
)
def test_odd_palettes_are_refused(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_image(Picture(np.full((4, 4, 3), 0.5, np.float32)), tmp_path / "plain.png")
    (tmp_path / "words.txt").write_text("red green")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\xfd")
    with pytest.raises(InputError, match=message):
        load_palette(text)


@pytest.mark.parametrize("kind", [OptimizeOptions, FastOptions])
@pytest.mark.parametrize("wish", [{"preserve_color": "luminance"}, {"match_result": "content"}])
def test_contradictions_are_refused(kind: Any, wish: dict[str, str]) -> None:
    assert kind(palette=FIVE).palette == FIVE
    with pytest.raises(InputError, match="contradict each other"):
        kind(palette=FIVE, **wish)


def test_main_colours_are_those_of_a_picture_in_equal_shares() -> None:
    colors = parse_colors("000000,404040,808080,ffffff,ff0000,00ff00,0000ff,ffff00")
    assert colors
    stripes = np.repeat(np.array(colors, np.float32) / np.float32(255), 16, axis=0)
    picture = Picture(np.broadcast_to(stripes, (128, 128, 3)).copy(), name="stripes")
    found = parse_colors(main_colors(picture).replace(" ", ""))
    assert found and set(found) == set(colors)
    lightness = srgb_to_oklab(np.array(found, np.float32) / np.float32(255))[:, 0]
    assert (np.diff(lightness) >= 0).all()
    load_palette(main_colors(picture))
    half = np.ones((128, 128), np.float32)
    half[:, :64] = 0  # red, green, blue and yellow alone are seen
    assert set(parse_colors(main_colors(Picture(picture.rgb, half))) or ()) == set(colors[4:])


@pytest.mark.parametrize(("grey", "alpha"), [(0.5, 1.0), (0.5, 0.0)])
def test_what_has_no_colours_to_take_is_refused(grey: float, alpha: float) -> None:
    plain = np.full((8, 8, 3), grey, np.float32)
    with pytest.raises(InputError, match=r"one colour|fully transparent"):
        main_colors(Picture(plain, np.full((8, 8), alpha, np.float32), name="plain"))
