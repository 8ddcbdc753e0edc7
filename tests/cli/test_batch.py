"""``impasto batch`` from folders to folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
        (["in", "-o", "out"], "no style"),
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
