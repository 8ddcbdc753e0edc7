"""``impasto stylize --print``: size, resolution, and strokes that grow with the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.cli import main
from impasto.image import load_image, read_settings, save_image
from impasto.pictures import load_artwork

FAST = ["--device", "cpu", "--precision", "float32", "--backbone", "lite"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_image(load_artwork("river-dots", 64).resized(48, 64), tmp_path / "photo.png")
    save_image(load_artwork("orphic-discs", 64), tmp_path / "artwork.png")
    return tmp_path


def test_the_print_looks_like_its_preview(folder: Path) -> None:
    """More than the same number of pixels does without the artwork enlarged with it."""
    line = ["stylize", "photo.png", "artwork.png", *FAST, "--steps", "24"]
    line += ["--tones-weight", "0", "--style-weight", "8"]  # strokes are what is compared
    size = ["--print", "6x8cm", "--dpi", "61", "--max-size", "64"]
    assert main([*line, "--max-size", "64", "-o", "preview.png"]) == 0
    assert main([*line, *size, "--no-exif", "-o", "print.png"]) == 0
    assert main([*line, "--max-size", "192", "--upscale", "-o", "large.png"]) == 0
    found = {name: load_image(folder / f"{name}.png") for name in ("preview", "print", "large")}
    assert found["print"].size == found["large"].size == (144, 192)
    preview = found["preview"].rgb
    small = {name: each.resized(48, 64).rgb for name, each in found.items()}
    apart = {name: np.abs(rgb - preview).mean() for name, rgb in small.items()}
    assert apart["print"] < 0.8 * apart["large"]
    settings = read_settings(folder / "print.png")
    assert settings is not None
    assert (settings["print"], settings["dpi"], settings["max_size"]) == ("6x8cm", 61, 192)
    with Image.open("print.png") as image:
        assert image.info["dpi"][0] == pytest.approx(61, abs=0.1)


def test_a_network_paints_the_preview_which_is_enlarged(folder: Path) -> None:
    line = ["stylize", "photo.png", "artwork.png", "--method", "arbitrary", "--device", "cpu"]
    line += ["--max-size", "64", "--bits", "16"]
    assert main([*line, "-o", "preview.png"]) == 0
    assert main([*line, "--print", "6x8cm", "--dpi", "61", "-o", "print.png"]) == 0
    preview, enlarged = load_image(folder / "preview.png"), load_image(folder / "print.png")
    expected = preview.resized(144, 192).rgb
    assert np.abs(expected - enlarged.rgb).max() < 0.01


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--print", "6x8"], "a print is given as"),
        (["--dpi", "300"], "--dpi is for prints"),
        (["--print", "6x8cm", "--upscale", "--max-size", "64"], "leave --upscale out"),
        (["--print", "6x8cm", "--dpi", "20", "--max-size", "64"], "has to be from 1 to as many"),
        (["--print", "6x8cm", "--max-size", "0"], "has to be from 1 to as many"),
        (["--print", "140x140cm", "-o", "x.webp"], "WebP cannot hold"),
        (["--print", "6x8cm", "--dpi", "0"], "dpi has to be a whole number from 1"),
    ],
)
def test_prints_that_cannot_be_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stylize", "photo.png", "artwork.png", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_folder_has_no_strokes_to_enlarge(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "works").mkdir()
    save_image(load_artwork("orphic-discs", 64), folder / "works" / "one.png")
    assert main(["stylize", "photo.png", "works", "--print", "6x8cm", "--dpi", "61"]) == 2
    assert "preview_size enlarges the strokes of artworks" in capsys.readouterr().err
