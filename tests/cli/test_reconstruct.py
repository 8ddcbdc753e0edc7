"""``impasto reconstruct`` from files to files, and its refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.cli import main
from impasto.image import load_image, read_settings

SMALL = ["--max-size", "32", "--steps", "2", "--precision", "float32", "--device", "cpu"]


@pytest.mark.parametrize("mode", ["L", "RGBA", "RGB"])
def test_one_layer_gives_the_picture(tmp_path: Path, mode: str) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "in.png"
    Image.fromarray(rng.integers(0, 256, (40, 30, 4), np.uint8), "RGBA").convert(mode).save(path)
    out = tmp_path / "out.png"
    code = main(
        ["-q", "reconstruct", "content", str(path), "--layer", "relu2_2", "-o", str(out), *SMALL]
    )
    assert code == 0
    assert load_image(out).size == (32, 24)
    settings = read_settings(out)
    assert settings is not None
    assert settings["content_layers"] == {"relu2_2": 1.0}
    assert settings["style_weight"] == 0


def test_several_layers_give_a_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (64, 48), "teal").save("art.png")
    layers = ["--layer", "relu1_1", "relu3_1"]
    assert main(["-q", "reconstruct", "style", "art.png", *layers, *SMALL]) == 0
    height, width = load_image("art_style.png").size
    assert width > 3 * 256 and height > 256


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["content", "nowhere.png"], "nowhere.png"),
        (["content", "tiny.png"], "too small"),
        (["content", "in.png", "--layer", "relu9_9"], "no layer 'relu9_9'"),
        (["content", "in.png", "-o", "nowhere/out.png"], "nowhere"),
        (["content", "in.png", "--steps", "0"], "steps has to be at least 1"),
        (["colour", "in.png"], "invalid choice"),
        (["content", "cut.png"], "cut.png"),
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
    Path("cut.png").write_bytes(Path("in.png").read_bytes()[:60])
    before = sorted(tmp_path.iterdir())
    try:
        code = main(["-q", "reconstruct", *arguments])
    except SystemExit as end:
        code = int(end.code or 0)
    err = capsys.readouterr().err
    assert code == 2, err
    assert message in err
    assert len(err.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before
