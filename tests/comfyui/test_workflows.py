"""The example workflows, run from their files, and the command line beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from impasto.cli import main
from tests.comfyui.runner import Core, Runner, as_prompt, read
from tests.comfyui.standin import Loaded
from tests.comfyui.workflows import (
    API,
    CLIP,
    FIRST,
    MASKS,
    PAGES,
    PHOTO,
    SECOND,
    WORKFLOWS,
    texts,
)
from tests.video.clips import moving, write_clip

# What the command line is told for the same picture.
COMMANDS = {
    "stylize": [FIRST, "--preset", "quick"],
    "gallery-style": ["great-wave"],
    "regions": [FIRST, SECOND, "--preset", "quick", "--content-masks", "red.png", "green.png"],
}


def run(name: str, nodes: dict[str, Loaded], inputs: Path) -> dict[str, Any]:
    return Runner(nodes, inputs)(read(API / f"{name}.json"))


def integers(images: Tensor) -> Any:
    return np.rint(images[0].numpy() * 255)


def painted(*arguments: str) -> Any:
    """What the command line paints."""
    assert main(["stylize", "--quiet", *arguments]) == 0
    with Image.open(arguments[-1]) as file:
        return np.asarray(file, np.float64)


def test_files_are_what_the_code_makes(v3: dict[str, Loaded]) -> None:
    files = texts(v3)
    assert {*API.glob("*.json"), *PAGES.glob("*.json")} == set(files)
    for path, text in files.items():
        assert path.read_text(encoding="utf-8") == text, "run python -m tests.comfyui.workflows"


@pytest.mark.parametrize("name", WORKFLOWS)
def test_page_sends_what_the_api_takes(name: str, nodes: dict[str, Loaded], inputs: Path) -> None:
    known = {**Core(inputs).nodes(), **nodes}
    assert as_prompt(read(PAGES / f"{name}.json"), known) == read(API / f"{name}.json")


def test_workflows_are_shown_with_pictures() -> None:
    for name in set(WORKFLOWS) - {"film"}:
        with Image.open(PAGES / f"{name}.jpg") as picture:
            assert picture.size == (200, 133)


@pytest.mark.parametrize("name", COMMANDS)
def test_pictures_are_those_of_the_command_line(
    name: str,
    v3: dict[str, Loaded],
    inputs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Image.open(inputs / MASKS) as masks:
        for color, band in zip(("red", "green"), masks.split(), strict=False):
            band.save(tmp_path / f"{color}.png")
    for file in inputs.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)
    images = run(name, v3, inputs)["SaveImage"]
    assert images.shape[0] == 1 and images.dtype == torch.float32
    expected = painted(PHOTO, *COMMANDS[name], "-o", "out.png")
    assert np.array_equal(integers(images), expected)


def test_colours_are_kept_and_measured(nodes: dict[str, Loaded], inputs: Path) -> None:
    ends = run("any-style", nodes, inputs)
    assert ends["SaveImage"].shape == (1, 72, 61, 3)
    rows = dict(line.rsplit(" ", 1) for line in ends["PreviewAny"].splitlines())
    assert 0 < float(rows["content"]) < 1 and 0 < float(rows["W2"]) < 2


def test_film_keeps_its_frames_and_rate(v3: dict[str, Loaded], tmp_path: Path) -> None:
    write_clip(tmp_path / CLIP, moving(3))
    images, _, rate = run("film", v3, tmp_path)["SaveVideo"]
    source, _, expected = Core(tmp_path).load_video(CLIP)[0]
    assert images.shape == source.shape and rate == expected
    assert (images - source).abs().mean() > 0.05
