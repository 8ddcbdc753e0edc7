"""No output replaces an input or another output."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from impasto.cli import main

SMALL = ["--max-size", "32", "--steps", "2", "--device", "cpu"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, color in {"photo.png": "teal", "art.png": "orange", "o_0002.png": "white"}.items():
        Image.new("RGB", (32, 24), color).save(name)
    Path("link.png").symlink_to("photo.png")
    Path("hard.png").hardlink_to("photo.png")
    Path("dangling.png").symlink_to("new.png")
    Path("sub").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("stylize photo.png art.png -o photo.png", "-o photo.png would replace photo.png"),
        ("stylize photo.png art.png -o sub/../photo.png", "would replace photo.png"),
        ("stylize photo.png art.png -o link.png", "-o link.png would replace photo.png"),
        ("stylize link.png art.png -o photo.png", "would replace link.png"),
        ("stylize photo.png art.png -o hard.png", "would replace photo.png"),
        ("stylize photo.png art.png -o art.png", "give another name, or --force"),
        ("stylize photo.png art.png -o o.png --mask o_0002.png --save-every 2", "--save-every"),
        ("stylize photo.png art.png -o o.png --plot o.png", "-o and --plot are both o.png"),
        ("stylize photo.png art.png -o o.png --strip ./o.png", "-o and --strip are both"),
        ("stylize photo.png art.png -o new.png --preview dangling.png", "-o and --preview"),
        ("stylize photo.png art.png -o o.png --force --strip photo.png", "--strip photo.png would"),
        ("features photo.png -o photo.png", "-o photo.png would replace"),
        ("features photo.png -o x.png --grams x.png", "-o and --grams are both x.png"),
        ("reconstruct style photo.png -o photo.png", "-o photo.png would replace"),
        ("compare strip photo.png art.png -o art.png", "-o art.png would replace"),
        ("compare grid photo.png --styles art.png -o link.png", "-o link.png would replace"),
        ("compare methods photo.png art.png -o photo.png", "-o photo.png would replace"),
        ("evaluate photo.png photo.png art.png --csv art.png", "--csv art.png would replace"),
        ("evaluate photo.png art.png --sweep seed=1 --plot p.png --strip p.png", "--plot and"),
        ("sheet photo.png art.png -o photo.png", "-o photo.png would replace"),
    ],
)
def test_what_would_be_lost_is_refused_before_painting(
    line: str, told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in folder.glob("*.png") if path.exists()}
    assert main(["-q", *line.split()]) == 2
    err = capsys.readouterr().err
    assert told in err
    assert len(err.splitlines()) == 1
    assert {path: path.read_bytes() for path in folder.glob("*.png") if path.exists()} == before


def test_force_lets_the_result_replace_the_photo(folder: Path) -> None:
    before = (folder / "photo.png").read_bytes()
    line = ["-q", "stylize", "photo.png", "art.png", "-o", "photo.png", *SMALL]
    assert main(line) == 2
    assert main([*line, "--force"]) == 0
    assert (folder / "photo.png").read_bytes() != before


@pytest.mark.parametrize("option", ["--history=x.csv", "--plot=x.png", "--animation=x.gif"])
def test_an_output_without_a_place_is_refused_before_painting(
    option: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name, _, file = option.partition("=")
    Path(file).mkdir()
    assert main(["-q", "stylize", "photo.png", "art.png", name, file, *SMALL]) == 2
    assert f"cannot write {file}: it is a folder" in capsys.readouterr().err
    assert not Path("photo_art.png").exists()


def test_a_package_that_an_output_needs_is_asked_for_before_painting(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    assert main(["-q", "stylize", "photo.png", "art.png", "--animation", "x.mp4", *SMALL]) == 2
    assert "pip install 'impasto[video]'" in capsys.readouterr().err
    assert not Path("photo_art.png").exists()
