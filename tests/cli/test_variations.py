"""``impasto stylize --variations``: a sheet, and commands that make what it shows."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from impasto.cli import build_parser, main
from impasto.image import load_image, save_image
from impasto.options import PRESETS
from impasto.pictures import load_artwork


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_image(load_artwork("river-dots", 48), tmp_path / "a photo.png")
    save_image(load_artwork("orphic-discs", 48), tmp_path / "artwork.png")
    return tmp_path


def test_each_picture_of_the_sheet_has_its_command(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PRESETS, "quick", {"steps": 2})
    line = ["stylize", "a photo.png", "artwork.png", "--device", "cpu", "--backbone", "lite"]
    line += ["--style-layers", "relu1_1,relu2_1=0.5", "--classic-losses"]
    assert main([*line, "--variations", "4"]) == 0
    commands = [shlex.split(each) for each in capsys.readouterr().out.splitlines()]
    sheet = load_image(folder / "a photo_artwork_variations.png")
    height, width = sheet.size
    assert height > width > 2 * 256
    parser = build_parser()
    found = [parser.parse_args(each[1:]) for each in commands]
    pairs = {(args.style_weight, args.forms) for args in found}
    assert len(pairs) == len(commands) == 4
    for args in found:
        assert (args.content, args.styles) == ("a photo.png", ["artwork.png"])
        assert args.style_layers == {"relu1_1": 1.0, "relu2_1": 0.5}
        assert args.classic_losses
        assert args.backbone == "lite"
        assert not hasattr(args, "steps")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--variations", "1"], "variations is from 2 to 24, not 1"),
        (["--variations", "4", "--method", "arbitrary"], "not arbitrary"),
        (["--variations", "4", "--strip", "s.png"], "--strip does nothing with --variations"),
        (["--variations", "4", "--print", "3x4cm"], "--print does nothing with --variations"),
    ],
)
def test_variations_that_cannot_be_are_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stylize", "a photo.png", "artwork.png", *arguments]) == 2
    assert message in capsys.readouterr().err
