"""``impasto style``: packs from folders, and what they are taken for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from impasto.cli import main
from impasto.image import load_image, read_settings, save_image
from impasto.pictures import load_artwork

SMALL = ["--max-size", "64", "--steps", "2", "--device", "cpu"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    works = tmp_path / "works"
    works.mkdir()
    for name in ("orphic-discs", "night-wind"):
        save_image(load_artwork(name, 64), works / f"{name}.jpg")
    save_image(load_artwork("river-dots", 64), tmp_path / "photo.png")
    return tmp_path


def test_a_pack_paints_as_its_folder_does(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["style", "pack", "works/", "--max-size", "64", "--backbones", "lite"]) == 0
    assert main(["style", "show", "works.style"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "lite: 64 px",
        "arbitrary: 64 px",
        "2 pictures: night-wind.jpg, orphic-discs.jpg",
    ]
    lite = [*SMALL, "--backbone", "lite"]
    for loss in ("gram+w2+nn", "gram+w2"):
        options = [*lite, "--style-loss", loss, "--force"]
        assert main(["stylize", "photo.png", "works/", *options]) == 0
        assert main(["stylize", "photo.png", "works.style", "-o", "packed.png", *options]) == 0
        one, other = (load_image(folder / name) for name in ("photo_works.png", "packed.png"))
        np.testing.assert_array_equal(one.rgb, other.rgb)
    settings = read_settings(folder / "packed.png")
    assert settings is not None
    assert settings["styles"] == ["works.style"]
    batch = ["batch", "photo.png", "-o", "out", "works.style", "--method", "arbitrary"]
    assert main([*batch, "--style-size", "64", "--max-size", "64", "--device", "cpu"]) == 0
    assert load_image(folder / "out" / "photo.png").size == (64, 64)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["works", "-o", "works.safetensors"], "a style pack is named *.style"),
        (["works", "-o", "missing/works.style"], "does not exist"),
        (["works", "--max-size", "0"], "max_size has to be at least 1"),
        (["works", "--backbones", "vgg61"], "there is no backbone 'vgg61'"),
        (["cache", "-o", "x.style"], "cannot read cache"),
        (["works/night-wind.jpg", "-o", "x.style"], "cannot read works/night-wind.jpg"),
    ],
)
def test_what_cannot_be_packed_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    assert main(["style", "pack", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not list(folder.glob("**/*.style"))
