"""The commands that explain, on pictures other than plain RGB of a usual size."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from impasto.cli import main
from impasto.image import load_image, save_image
from impasto.pictures import load_artwork

SIZE = 48

# Each command on the picture odd.png, and the pictures that it should write.
SMALL = "--max-size 32 --steps 1 --device cpu"
COMMANDS = {
    "evaluate": "evaluate odd.png odd.png odd.png --csv table.csv",
    "sweep": f"evaluate odd.png odd.png --sweep tv_weight=0,1 {SMALL} "
    "--plot plot.png --strip strip.png",
    "features": "features odd.png --max-size 32 -o maps.png --grams grams.png",
    "content": f"reconstruct content odd.png --layer relu1_1 relu2_1 {SMALL} -o figure.png",
    "style": f"reconstruct style odd.png --layer relu1_1 {SMALL} -o one.png",
    "grid": f"compare grid odd.png --styles odd.png {SMALL} -o grid.png",
    "methods": f"compare methods odd.png odd.png --methods quick {SMALL} -o methods.png",
    "strip": "compare strip odd.png odd.png -o strip.png",
    "plot": f"stylize odd.png odd.png {SMALL} -o out.png --plot plot.png --strip strip.png",
}


def _noise(*shape: int, dtype: type[np.unsignedinteger] = np.uint8) -> NDArray[np.unsignedinteger]:
    values: NDArray[np.unsignedinteger] = np.random.default_rng(0).integers(
        0, np.iinfo(dtype).max, shape, dtype, endpoint=True
    )
    return values


def _palette() -> Image.Image:
    image = Image.fromarray(_noise(SIZE, SIZE, 3)).quantize(7)
    image.info["transparency"] = 3
    return image


ODD: dict[str, Callable[[], Image.Image]] = {
    "grey with alpha": lambda: Image.fromarray(_noise(SIZE, SIZE, 4), "RGBA").convert("LA"),
    "16 bits": lambda: Image.fromarray(_noise(SIZE, SIZE, dtype=np.uint16)),
    "palette with transparency": _palette,
    "one colour": lambda: Image.new("RGB", (SIZE, SIZE), "white"),
    "narrow": lambda: Image.fromarray(_noise(SIZE, SIZE // 2, 3)),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("name", COMMANDS)
def test_an_odd_picture_is_shown_and_measured(name: str, kind: str, folder: Path) -> None:
    ODD[kind]().save("odd.png")
    assert main(["-q", *COMMANDS[name].split()]) == 0
    words = COMMANDS[name].split()
    written = {word for word in words[2:] if word.endswith((".png", ".csv"))} - {"odd.png"}
    assert {path.name for path in folder.iterdir()} == {*written, "odd.png"}
    for figure in written - {"table.csv"}:
        pixels = load_image(figure).rgb
        assert np.isfinite(pixels).all()
        assert pixels.std() > 0 or kind == "one colour", "a figure shows something"


def test_a_picture_against_itself_is_at_no_distance(capsys: pytest.CaptureFixture[str]) -> None:
    ODD["palette with transparency"]().save("odd.png")
    assert main(["-q", "evaluate", "odd.png", "odd.png", "odd.png"]) == 0
    head, row = (line.split() for line in capsys.readouterr().out.splitlines())
    values = dict(zip(head, row, strict=False))
    assert (values["content"], values["SSIM"], values["Gram"]) == ("0.0000", "1.0000", "0.0000")


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "strip"])
def test_a_single_pixel_is_refused_in_one_line(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (1, 1), "teal").save("odd.png")
    assert main(["-q", *COMMANDS[name].split()]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert len(err.splitlines()) == 1
    assert "too small" in err or "px" in err
    assert [path.name for path in folder.iterdir()] == ["odd.png"]


def test_a_strip_shows_even_a_single_pixel() -> None:
    Image.new("RGB", (1, 1), "teal").save("odd.png")
    save_image(load_artwork("river-dots", SIZE), "dots.png")
    assert main(["-q", "compare", "strip", "odd.png", "dots.png", "-o", "strip.png"]) == 0
    height, width = load_image("strip.png").size
    assert height > 256
    assert width > 2 * 128
