"""Which method styles call for, in Python and on the command line."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

import impasto
from impasto.cli import main
from impasto.errors import InputError
from impasto.image import load_image, read_settings
from impasto.image.picture import Floats
from impasto.methods import choose, grouped
from impasto.pictures import load_artwork
from tests.models import write_fast


def test_names_of_the_gallery_mean_fast(shipped: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="impasto"):
        choice = choose(["great_wave", "starry-night"])
    assert (choice.method, choice.model) == ("fast", None)
    assert "--method fast: great_wave, starry-night of the gallery" in caplog.text


def test_a_file_wins_over_a_name_of_the_gallery(shipped: Path) -> None:
    (shipped / "great-wave").touch()
    assert choose(["great-wave"]).method == "optimize"


def test_artworks_are_optimised_unless_another_method_is_asked_for(shipped: Path) -> None:
    assert choose(["photo.png"]).method == "optimize"
    assert choose([np.zeros((8, 8, 3))]).method == "optimize"
    assert choose(["photo.png"], "arbitrary").method == "arbitrary"


def test_a_model_is_painted_with_as_its_header_says(shipped: Path) -> None:
    own = write_fast(shipped / "own.safetensors", ("mine",))
    for choice in (choose([own]), choose([Path(own)]), choose([], model=own)):
        assert (choice.method, choice.styles, choice.model) == ("fast", [], own)
    any_style = choose(["photo.png"], model="arbitrary.safetensors")
    assert (any_style.method, any_style.styles) == ("arbitrary", ["photo.png"])


@pytest.mark.parametrize(
    ("styles", "method", "message"),
    [
        (["great-wav"], None, "neither a file nor a style of the gallery: did you mean great-wave"),
        (["photo.png"], "fats", "unknown method 'fats': did you mean fast"),
        (["fast.safetensors", "arbitrary.safetensors"], None, "more than one model"),
        ([], None, "no style"),
        (["gone.safetensors"], None, "no model file gone.safetensors"),
        (["great-wave", "photo.png"], None, "style of the gallery.* go together with artworks"),
        (["great-wav", "photo.png"], None, "did you mean great-wave"),
        (["great-wave"], "arbitrary", "style of the gallery.* go together with --method arb"),
        (["mosaic.pth"], None, "models are read as .safetensors"),
        (["photo.png", "Candy.T7"], "arbitrary", "models are read as .safetensors"),
    ],
)
def test_what_cannot_be_is_refused(
    shipped: Path, styles: list[str], method: str | None, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        choose(styles, method)


def test_a_model_of_another_program_is_told(shipped: Path) -> None:
    with pytest.raises(InputError, match=r"mosaic\.pth: models are read as \.safetensors"):
        choose([], model="mosaic.pth")
    assert grouped(["photo.png", "great-wave", "starry-night"]) == [
        ["great-wave", "starry-night"],
        ["photo.png"],
    ]


def test_one_function_paints_by_every_method(shipped: Path) -> None:
    by_network = impasto.stylize("photo.png", "great-wave", device="cpu")
    assert by_network.settings["method"] == "fast"
    any_style = impasto.stylize("photo.png", "photo.png", method="arbitrary", strength=0.5)
    assert any_style.settings["strength"] == 0.5
    optimised = impasto.stylize("photo.png", "photo.png", steps=2, max_size=32)
    assert optimised.settings["method"] == "optimize"
    with pytest.raises(InputError, match="unknown option of the method fast 'steps'"):
        impasto.stylize("photo.png", "great-wave", steps=3)
    with pytest.raises(InputError, match="presets are for the method optimize"):
        impasto.stylize("photo.png", "great-wave", preset="quick")
    with pytest.raises(InputError, match="takes artworks, not the model"):
        impasto.stylize("photo.png", "photo.png", method="optimize", model="fast.safetensors")


def test_a_stylizer_paints_many_pictures(shipped: Path) -> None:
    stylizer = impasto.load("fast", max_size=24)
    stylizer.set_style(["great-wave", "starry-night"], weights=[1, 3])
    first, second = stylizer("photo.png"), stylizer(load_artwork("orphic-discs", 40))
    assert first.picture.size == second.picture.size == (24, 24)
    assert first.settings["style_weights"] == [1, 3]
    assert not np.allclose(first.picture.rgb, second.picture.rgb)


def test_the_command_line_paints_by_networks(shipped: Path) -> None:
    assert main(["stylize", "photo.png", "great-wave", "-o", "wave.png"]) == 0
    settings = read_settings("wave.png")
    assert settings is not None
    assert (settings["method"], settings["styles"]) == ("fast", ["great-wave"])
    arguments = ["stylize", "photo.png", "photo.png", "--method", "arbitrary", "--strength", "0.7"]
    assert main([*arguments, "--max-size", "32", "-o", "any.png"]) == 0
    assert load_image("any.png").size == (32, 32)
    write_fast(shipped / "own.safetensors", ("only",))
    assert main(["stylize", "photo.png", "--model", "own.safetensors", "-o", "own.png"]) == 0
    assert load_image("own.png").size == (48, 48)


def test_a_photo_is_enlarged_only_when_asked(
    shipped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["stylize", "photo.png", "great-wave", "-o", "wave.png", "--max-size"]
    assert main([*command, "80"]) == 0
    assert load_image("wave.png").size == (48, 48)
    assert "48 px long and is not enlarged: --upscale does that" in capsys.readouterr().err
    assert main([*command, "80", "--upscale"]) == 0
    assert load_image("wave.png").size == (80, 80)
    assert main([*command, "32", "--upscale"]) == 0
    assert load_image("wave.png").size == (32, 32)
    assert "not enlarged" not in capsys.readouterr().err
    assert main(["stylize", "photo.png", "great-wave", "--upscale"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["great-wave", "--steps", "3"], "--steps does nothing with --method fast"),
        (["great-wave", "--strength", "0.5"], "--strength does nothing with --method fast"),
        (["great-wave", "--plot", "x.png"], "--plot does nothing with --method fast"),
        (["great-wave", "--preset", "quick"], "presets are for the method optimize"),
        (["photo.png", "--strength", "0.5"], "--strength does nothing with --method optimize"),
        (["photo.png", "--method", "fast"], "no style 'photo.png'"),
        (["night", "--method", "arbitrary"], "night"),
    ],
)
def test_options_of_another_method_are_refused(
    shipped: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-q", "stylize", "photo.png", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not list(shipped.glob("photo_*"))


def test_colours_are_kept_by_networks_too(shipped: Path) -> None:
    photo = load_artwork("river-dots", 48)
    plain = impasto.stylize(photo, "great-wave").picture.rgb
    kept = impasto.stylize(photo, "great-wave", preserve_color="luminance").picture.rgb
    matched = impasto.stylize(photo, "great-wave", match_result="content").picture.rgb

    def away(picture: Floats) -> float:
        """How far the mean colour is from the photo's, lightness left out."""
        colour = picture.mean(axis=(0, 1)) - photo.rgb.mean(axis=(0, 1))
        return float(np.abs(colour - colour.mean()).max())

    assert max(away(kept), away(matched)) < away(plain) / 2
    style = load_artwork("orphic-discs", 48)
    for mode in ("linear", "histogram"):
        tuned = impasto.stylize(photo, style, method="arbitrary", preserve_color=mode)
        assert not np.allclose(
            tuned.picture.rgb, impasto.stylize(photo, style, method="arbitrary").picture.rgb
        )
    result = impasto.stylize(photo, style, method="arbitrary", match_result="style")
    assert np.abs(result.picture.rgb.mean(axis=(0, 1)) - style.rgb.mean(axis=(0, 1))).max() < 0.1
