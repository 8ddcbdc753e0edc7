"""``impasto features`` from files to files, and its refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from impasto.cli import main
from impasto.image import load_image
from impasto.pictures import artwork_path


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


def test_paired_regions_are_drawn_beside_their_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photo, artwork = (str(artwork_path(name)) for name in ("river-dots", "wave-print"))
    arguments = ["features", photo, artwork, "--regions", "3", "--max-size", "96"]
    assert main(["-q", *arguments]) == 0
    drawn = load_image("river-dots_regions.png")
    assert drawn.size[1] > 3 * drawn.size[0]  # four pictures in a row
    assert [path.name for path in tmp_path.iterdir()] == ["river-dots_regions.png"]


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
        (["in.png", "--regions"], "give IMAGE, ARTWORK and --regions"),
        (["in.png", "in.png"], "give IMAGE, ARTWORK and --regions"),
        (["in.png", "in.png", "--regions", "1"], "regions has to be at least 2"),
        (["in.png", "in.png", "--regions", "9"], "regions has to be at most 8"),
        (["in.png", "nowhere.png", "--regions"], "nowhere.png"),
        (["in.png", "in.png", "--regions", "--grams", "grams.png"], "--grams does nothing"),
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
