"""``impasto features`` from files to files, and its refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from impasto.cli import main
from impasto.image import load_image


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_maps_and_matrices_are_drawn_and_fields_printed(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new(mode, (48, 32), "white").save("in.png")
    assert main(["-q", "features", "in.png", "--layer", "relu2_1", "relu3_1"]) == 0
    head, second, third = (line.split() for line in capsys.readouterr().out.splitlines())
    assert head[0] == "layer"
    assert second == ["relu2_1", "48", "24", "x", "16", "2", "px", "10", "px"]
    assert third[-2:] == ["24", "px"]
    for name in ("in_features.png", "in_grams.png"):
        assert load_image(name).size[1] > 300


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.png"], "nowhere.png"),
        (["tiny.png"], "too small"),
        (["in.png", "--layer", "relu9_9"], "no layer 'relu9_9'"),
        (["in.png", "--grams", "grams.txt"], "use one of"),
        (["in.png", "-o", "nowhere/maps.png"], "does not exist"),
        (["in.png", "--channels", "0"], "channels has to be at least 1"),
        (["in.png", "--max-size", "0"], "long side"),
        (["in.png", "--backbone", "vgg99"], "vgg19"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (40, 40), "teal").save("in.png")
    Image.new("RGB", (4, 4), "teal").save("tiny.png")
    before = sorted(tmp_path.iterdir())
    assert main(["-q", "features", *arguments]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before
