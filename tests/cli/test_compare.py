"""``impasto compare`` from files to collages, and its refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from impasto.cli import main
from impasto.events import Step
from impasto.image import load_image, save_image
from impasto.pictures import load_artwork
from impasto.stylizers.networks.description import Architecture, Description
from impasto.stylizers.networks.model_files import build, save_model

SMALL = ["--max-size", "32", "--steps", "1", "--device", "cpu", "--height", "40"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_image(load_artwork("river-dots", 40), "dots.png")
    Image.new("L", (40, 24), 99).save("grey.png")
    Image.new("RGBA", (30, 40), (9, 99, 200, 128)).save("clear.png")
    return tmp_path


def test_a_grid_of_odd_pictures() -> None:
    styles = ["--styles", "dots.png", "grey.png"]
    assert main(["-q", "compare", "grid", "clear.png", "grey.png", *styles, *SMALL]) == 0
    height, width = load_image("grid.jpg").size
    assert height > 3 * 40 and width > 3 * 40


def test_a_grid_of_artworks_and_networks(tmp_path: Path) -> None:
    description = Description("fast", Architecture(4, 1), ("wave",))
    save_model(build(description), description, tmp_path / "wave.safetensors")
    (tmp_path / "other").mkdir()
    save_image(load_artwork("river-dots", 40), "other/dots.png")
    styles = ["--styles", "wave.safetensors", "dots.png", "other/dots.png"]
    small = ["--max-size", "32", "--height", "40", "-o", "grid.png"]
    # What one of the methods knows is taken.
    options = ["--preset", "quick", "--steps", "2", "--device", "cpu"]
    assert main(["-q", "compare", "grid", "grey.png", *styles, *small, *options]) == 0
    assert main(["-q", "compare", "grid", "grey.png", *styles, *small, "--strength", "0"]) == 2
    assert load_image("grid.png").size[1] > 4 * 40


def test_an_interrupted_grid_keeps_what_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    from impasto.callbacks import ProgressBar

    steps: list[Step] = []

    def interrupt(_self: ProgressBar, step: Step) -> None:
        steps.append(step)
        if len(steps) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressBar, "__call__", interrupt)
    assert main(["compare", "grid", "grey.png", "clear.png", "--styles", "dots.png", *SMALL]) == 130
    assert load_image("grid.jpg").size[0] > 3 * 40


def test_methods_side_by_side() -> None:
    methods = ["--methods", "quick", "gatys", "-o", "methods.png"]
    assert main(["-q", "compare", "methods", "grey.png", "dots.png", *methods, *SMALL]) == 0
    assert load_image("methods.png").size[1] > 4 * 40


def test_networks_among_the_methods(tmp_path: Path) -> None:
    files = []
    for description in (
        Description("fast", Architecture(4, 1), ("wave",)),
        Description("arbitrary", Architecture(4, 1)),
    ):
        files.append(str(tmp_path / f"{description.kind}.safetensors"))
        save_model(build(description), description, files[-1])
    arguments = ["--methods", *files, "-o", "methods.png", "--max-size", "32", "--height", "40"]
    assert main(["-q", "compare", "methods", "grey.png", "dots.png", *arguments]) == 0
    assert load_image("methods.png").size[1] > 4 * 40


def test_a_strip_of_finished_pictures() -> None:
    labels = ["--labels", "before", "after", "-o", "strip.png", "--height", "40"]
    assert main(["-q", "compare", "strip", "grey.png", "clear.png", *labels]) == 0
    assert load_image("strip.png").size[0] > 40


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["grid", "grey.png", "--styles", "none.png"], "none.png"),
        (["grid", "grey.png", "--styles", "dots.png", "--columns", "0"], "columns"),
        (["grid", "grey.png", "--styles", "dots.png", "--style-weights", "1"], "by itself"),
        (["grid", "grey.png", "--styles", "dots.png", "--strength", "0.5"], "--strength"),
        (["methods", "grey.png", "dots.png", "--methods", "oil"], "unknown method 'oil'"),
        (["methods", "grey.png", "dots.png", "-o", "m.xyz"], ".png"),
        (["strip", "grey.png", "--labels", "a", "b"], "one label a picture"),
        (["strip", "grey.png", "--height", "0"], "height has to be at least 1"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.iterdir())
    assert main(["-q", "compare", *arguments]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1
    assert sorted(folder.iterdir()) == before
