from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.callbacks import History, Record
from impasto.errors import InputError
from impasto.explain.plots import plot_losses


def history(count: int = 30, **terms: float) -> History:
    """A history of three scales whose terms fall as 1 / step."""
    made = History()
    for step in range(1, count + 1):
        scale = 3 * (step - 1) // count
        losses = {name: value / step for name, value in terms.items()}
        losses["total"] = sum(losses.values())
        made.records.append(Record(step, scale, (96 * 2**scale, 128 * 2**scale), step, losses))
    return made


def texts(path: Path) -> list[str]:
    """The texts of an SVG, which matplotlib keeps as comments beside their outlines."""
    text = path.read_text(encoding="utf-8")
    ElementTree.fromstring(text)  # well formed
    return re.findall(r"<!-- (.*?) -->", text)


def test_png_is_a_readable_picture_of_readme_width(tmp_path: Path) -> None:
    plot_losses(history(content=1, style=10), tmp_path / "losses.png")
    with Image.open(tmp_path / "losses.png") as image:
        assert image.size == (1280, 672)
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3)
    for color in ((0x22, 0x22, 0x22), (0x00, 0x72, 0xB2), (0xD5, 0x5E, 0x00)):
        assert (pixels == color).all(axis=1).sum() > 500  # each line is drawn
    assert list(tmp_path.iterdir()) == [tmp_path / "losses.png"]


def test_svg_names_curves_and_scales(tmp_path: Path) -> None:
    plot_losses(history(content=1, style=10, tv=0, style_edges=3), tmp_path / "losses.SVG")
    found = texts(tmp_path / "losses.SVG")
    assert {"content", "style", "style_edges", "total", "step", "weighted loss"} <= set(found)
    sign = "\N{MULTIPLICATION SIGN}"
    assert {f"128 {sign} 96", f"256 {sign} 192", f"512 {sign} 384"} <= set(found)
    assert "tv" not in found  # zero has no place on a logarithmic axis


def test_pdf_is_a_pdf(tmp_path: Path) -> None:
    plot_losses(history(content=1), tmp_path / "losses.pdf")
    assert (tmp_path / "losses.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("value", [1.0, 1e-30, 1e30])
def test_one_step_and_extreme_values_are_plotted(tmp_path: Path, value: float) -> None:
    plot_losses(history(count=1, content=value), tmp_path / "losses.svg")
    assert "content" in texts(tmp_path / "losses.svg")


def test_values_that_are_not_finite_are_gaps(tmp_path: Path) -> None:
    made = history(content=1)
    made.records[-1].losses.update(content=float("nan"), total=float("inf"))
    plot_losses(made, tmp_path / "losses.svg")
    assert {"content", "total"} <= set(texts(tmp_path / "losses.svg"))


def test_refuses_other_suffixes_and_nothing_to_plot(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.png, \.svg, \.pdf"):
        plot_losses(history(content=1), tmp_path / "losses.bmp")
    with pytest.raises(InputError, match="no losses"):
        plot_losses(History(), tmp_path / "losses.png")
    with pytest.raises(InputError, match="no losses"):
        plot_losses(history(content=0), tmp_path / "losses.png")
    assert list(tmp_path.iterdir()) == []


def test_labels_are_pushed_apart_within_the_axes(tmp_path: Path) -> None:
    terms = ("content", "style", "tv", "nn")
    plot_losses(history(content=1, style=1.001, tv=1.002, nn=1.003), tmp_path / "losses.svg")
    placed = {
        name: float(y)
        for name, y in re.findall(
            r"<!-- (\w+) -->\s*<g [^>]*translate\([\d.]+ ([\d.]+)\)",
            (tmp_path / "losses.svg").read_text(encoding="utf-8"),
        )
    }
    heights = [placed[name] for name in terms]  # downwards, in points
    assert heights == sorted(heights, reverse=True)
    assert min(-np.diff(heights)) > 10
    assert min(heights) > 0 and max(heights) < 4.2 * 72


def test_does_not_import_pyplot(tmp_path: Path) -> None:
    code = (
        "import sys; from impasto.callbacks import History, Record;"
        "from impasto.explain.plots import plot_losses; history = History();"
        "history.records.append(Record(1, 0, (3, 4), 1.0, {'total': 1.0}));"
        f"plot_losses(history, {str(tmp_path / 'losses.png')!r});"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "False", result.stderr
