"""``impasto batch`` from folders to folders."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.batch.work import Worker
from impasto.cli import main
from impasto.image import load_image, read_settings, save_image
from impasto.pictures import load_artwork
from tests.batch.fake import write_photos

SMALL = ["--max-size", "32", "--steps", "2", "--precision", "float32", "--device", "cpu"]


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_photos(tmp_path / "in", ["a.png", "sub/b.jpg"])
    for name in ("river-dots", "orphic-discs"):
        save_image(load_artwork(name, 48), f"{name}.png")
    return tmp_path / "in"


def test_contents_by_styles_and_a_restart(photos: Path, caplog: pytest.LogCaptureFixture) -> None:
    command = ["batch", "in", "-r", "-o", "out", "river-dots.png", "orphic-discs.png", *SMALL]
    command += ["--name", "{style}/{name}.jpg"]
    assert main([*command, "--dry-run"]) == 0
    assert not Path("out").exists()
    assert main(command) == 0
    made = sorted(str(p) for p in Path("out").rglob("*.jpg"))
    assert made == [
        "out/orphic-discs/a.jpg",
        "out/river-dots/a.jpg",
        "out/sub/orphic-discs/b.jpg",
        "out/sub/river-dots/b.jpg",
    ]
    settings = read_settings(made[0])
    assert settings is not None
    assert settings["steps"] == 2
    assert settings["styles"] == ["orphic-discs.png"]
    assert main(command) == 0
    assert len(Path("out/manifest.jsonl").read_text().splitlines()) == 4
    assert main([*command, "--seed", "1"]) == 0  # other settings
    assert len(Path("out/manifest.jsonl").read_text().splitlines()) == 8


def test_a_map_counts_for_every_photo_and_another_one_makes_them_again(photos: Path) -> None:
    white = np.full((30, 40), 255, np.uint8)
    half = np.where(np.arange(40) < 20, white, 0).astype(np.uint8)
    command = ["batch", "in", "-r", "-o", "out", "river-dots.png", *SMALL]
    command += ["--strength-map", "map.png"]
    for levels in (half, 0 * half):
        Image.fromarray(levels).save("map.png")
        assert main(command) == 0
    records = [json.loads(line) for line in Path("out/manifest.jsonl").read_text().splitlines()]
    assert [record["status"] for record in records] == ["done"] * 4
    assert {record["settings"]["strength_map"] for record in records} == {"map.png"}
    for name in ("a.png", "sub/b.png"):
        source = Path("in", name)
        source = source if source.exists() else source.with_suffix(".jpg")
        photo = load_image(source, long_side=32).rgb
        np.testing.assert_allclose(load_image(Path("out", name)).rgb, photo, atol=0.003)


def test_results_beside_the_photos(
    photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos)
    command = ["batch", ".", "-r", "-o", ".", "../river-dots.png", *SMALL]
    assert main(command) == 2
    assert "would replace" in capsys.readouterr().err
    command += ["--name", "{name}_art.png"]
    assert main(command) == 0
    assert main(command) == 0
    assert main([*command, "--name", "{name}_new.png"]) == 0
    made = sorted(str(path) for path in Path().rglob("*_*.png"))
    assert made == ["a_art.png", "a_new.png", "sub/b_art.png", "sub/b_new.png"]
    assert "left out 2 results of earlier runs" in capsys.readouterr().err


def test_a_folder_that_cannot_be_is_told_before_painting(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("out").touch()
    command = ["-q", "batch", "in", "-o", "out/sub", "river-dots.png", "--manifest", "m.jsonl"]
    assert main([*command, *SMALL]) == 2
    assert "cannot write to out/sub: Not a directory" in capsys.readouterr().err
    assert not Path("m.jsonl").exists()


def test_names_of_the_gallery_and_artworks_in_one_batch(shipped: Path) -> None:
    command = ["batch", "photo.png", "-o", "out", "great-wave", "photo.png", *SMALL]
    assert main(command) == 0
    assert sorted(path.name for path in Path("out").glob("*.png")) == [
        "photo_great-wave.png",
        "photo_photo.png",
    ]
    methods = {}
    for path in Path("out").glob("*.png"):
        methods[path.stem] = (read_settings(path) or {})["method"]
    assert methods == {"photo_great-wave": "fast", "photo_photo": "optimize"}
    assert main(command) == 0
    assert len(Path("out/manifest.jsonl").read_text().splitlines()) == 2


def test_failures_are_told_by_the_exit_code_and_the_manifest(photos: Path) -> None:
    (photos / "c.png").write_bytes(b"no picture")
    assert main(["batch", "in", "-o", "out", "river-dots.png", *SMALL]) == 1
    records = [json.loads(line) for line in Path("out/manifest.jsonl").read_text().splitlines()]
    assert {Path(r["content"]).name: r["status"] for r in records} == {
        "a.png": "done",
        "c.png": "failed",
    }
    assert load_image("out/a.png").size == (24, 32)


def test_ctrl_c_is_told(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Worker, "make", interrupt)
    assert main(["batch", "in", "-o", "out", "river-dots.png", *SMALL]) == 130


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in", "-o", "out"], "no style: name it behind the folder"),
        (["nowhere", "-o", "out", "river-dots.png"], "no such file, folder or pattern: nowhere"),
        (["in", "-o", "out", "in/notes.txt"], "notes.txt"),
        (["in", "-o", "out", "river-dots.png", "--name", "{x}.png"], "no field {x}"),
        (["in", "-o", "out", "river-dots.png", "--quality", "0"], "quality"),
        (["in", "-o", "out", "river-dots.png", "--style-weights", "1"], "in a batch"),
        (["in", "-o", "memory://out", "river-dots.png"], "--manifest"),
        (["in", "-o", "out", "river-dots.png", "--workers", "2"], "--on ray"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    photos: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "notes.txt").write_text("no picture")
    assert main(["-q", "batch", *arguments, *SMALL]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1
    assert not Path("out").exists()
