"""``impasto evaluate`` from files to tables, and its refusals."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from PIL import Image

from impasto.cli import main
from impasto.image import load_image, save_image
from impasto.pictures import load_artwork


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    save_image(load_artwork("river-dots", 32), "out.png")
    save_image(load_artwork("river-dots", 48), "photo.png")
    Image.new("L", (40, 24), 99).save("grey.png")
    return tmp_path


def test_one_pair_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-q", "evaluate", "out.png", "photo.png", "grey.png"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split()[:4] == ["name", "content", "SSIM", "Gram"]
    assert row.startswith("out.png")


def test_a_bad_file_does_not_end_a_manifest(capsys: pytest.CaptureFixture[str]) -> None:
    Path("manifest.csv").write_text(
        "image,content,style\nout.png,photo.png,grey.png\nnone.png,photo.png,grey.png\n"
        "out.png,photo.png,photo.png\n"
    )
    assert main(["-q", "evaluate", ".", "--csv", "table.csv"]) == 2
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in out.splitlines()] == ["name", "out.png", "out.png", "mean"]
    assert "none.png is left out" in err
    with Path("table.csv").open() as file:
        first, second = csv.DictReader(file)
    assert second["name"] == "out.png (2)"
    assert float(second["Gram"]) < float(first["Gram"])


def test_a_sweep_is_measured_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--max-size", "32", "--steps", "2", "--device", "cpu"]
    show = ["--plot", "plot.png", "--strip", "strip.png"]
    sweep = ["--sweep", "style-weight=1,10"]
    assert main(["-q", "evaluate", "photo.png", "grey.png", *sweep, *small, *show]) == 0
    head, one, ten = (line.split()[0] for line in capsys.readouterr().out.splitlines())
    assert (head, one, ten) == ("style_weight", "1", "10")
    assert load_image("plot.png").size[1] > 500
    height, width = load_image("strip.png").size
    assert height > 24
    assert width > 64, "two pictures of 32 pixels, side by side"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["out.png", "photo.png"], "give IMAGE CONTENT STYLE"),
        (["out.png", "photo.png", "none.png"], "none.png"),
        (["out.png", "grey.png", "photo.png"], "another photo"),
        (["nowhere"], "cannot read the manifest"),
        (["out.png", "photo.png", "grey.png", "--judge", "vgg99"], "vgg19"),
        (["out.png", "photo.png", "grey.png", "--csv", "nowhere/t.csv"], "does not exist"),
        (["out.png", "photo.png", "grey.png", "--plot", "p.png"], "give --sweep"),
        (["photo.png", "--sweep", "style_weight=1"], "takes two pictures"),
        (["photo.png", "grey.png", "--sweep", "colour=1"], "cannot sweep"),
        (["photo.png", "grey.png", "--sweep", "steps=1", "--plot", "p.txt"], "use one of"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.iterdir())
    assert main(["-q", "evaluate", *arguments]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1
    assert sorted(folder.iterdir()) == before
