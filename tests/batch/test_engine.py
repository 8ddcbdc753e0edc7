"""Batches from start to end, restarts and failures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from impasto.batch import Item, Manifest, Summary, plan, run
from impasto.errors import ImpastoError, InputError
from impasto.image import load_image, read_settings
from tests.batch.fake import setup, write_photos


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    write_photos(tmp_path / "in", ["a.png", "b.png", "sub/c.png"])
    return tmp_path / "in"


def items_of(photos: Path, *styles: str) -> list[Item]:
    out = str(photos.parent / "out")
    return plan([str(photos)], styles or ("night",), out, recursive=True)


def go(items: list[Item], folder: Path, **settings: object) -> Summary:
    with Manifest(folder / "manifest.jsonl") as manifest:
        return run(items, setup(**settings), manifest)


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def test_all_are_made_with_a_record_each(photos: Path, tmp_path: Path) -> None:
    items = items_of(photos)
    assert go(items, tmp_path) == Summary(done=3)
    for item in items:
        content, output = load_image(item.content).rgb, load_image(item.output).rgb
        np.testing.assert_allclose(output, 1 - content, atol=1 / 255)
        settings = read_settings(item.output) or {}
        assert (settings["method"], settings["style"]) == ("negative", "night")
    lines = records(tmp_path)
    assert [line["output"] for line in lines] == [item.output for item in items]
    assert {line["status"] for line in lines} == {"done"}
    assert lines[0]["settings"]["method"] == "negative"
    assert lines[0]["seconds"] >= 0 and "T" in lines[0]["finished"]


def test_what_is_to_be_known_of_a_photo_is_recorded(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert go(items_of(tmp_path / "a.gif"), tmp_path) == Summary(done=1)
    assert records(tmp_path)[0]["notices"] == ["animated: took the first of 2 frames"]


def test_what_is_finished_is_skipped(photos: Path, tmp_path: Path) -> None:
    items = items_of(photos)
    go(items, tmp_path)
    assert go(items, tmp_path) == Summary(skipped=3)
    Path(items[0].output).unlink()
    assert go(items, tmp_path) == Summary(done=1, skipped=2)
    write_photos(photos, ["b.png"])  # a changed photo
    assert go(items, tmp_path) == Summary(done=1, skipped=2)
    assert go(items, tmp_path, max_size=64) == Summary(done=3)  # other settings
    assert len(records(tmp_path)) == 8


def test_a_bad_file_is_recorded_and_the_rest_goes_on(photos: Path, tmp_path: Path) -> None:
    (photos / "b.png").write_bytes((photos / "b.png").read_bytes()[:60])
    items = items_of(photos)
    assert go(items, tmp_path) == Summary(done=2, failed=1)
    (failed,) = [line for line in records(tmp_path) if line["status"] == "failed"]
    assert failed["content"].endswith("b.png")
    assert "cannot read" in failed["error"]
    assert not Path(failed["output"]).exists()
    write_photos(photos, ["b.png"])
    assert go(items, tmp_path) == Summary(done=1, skipped=2)


def test_failures_of_every_kind_are_recorded(photos: Path, tmp_path: Path) -> None:
    items = items_of(photos / "a.png", "failing", "odd", "night")
    assert go(items, tmp_path) == Summary(done=1, failed=2)
    errors = [line.get("error") for line in records(tmp_path)]
    assert errors == ["no style of this kind", "ZeroDivisionError: division by zero", None]


def test_a_folder_that_cannot_be_written_fails_the_item(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    assert go(items_of(photos), tmp_path) == Summary(failed=3)
    assert "cannot write" in records(tmp_path)[0]["error"]


def test_ctrl_c_leaves_the_item_for_the_next_time(photos: Path, tmp_path: Path) -> None:
    items = items_of(photos / "a.png", "night", "interrupting", "day")
    assert go(items, tmp_path) == Summary(done=1, interrupted=True)
    assert len(records(tmp_path)) == 1
    assert not Path(items[1].output).exists()


def test_a_line_that_was_cut_off_does_no_harm(photos: Path, tmp_path: Path) -> None:
    items = items_of(photos)
    go(items, tmp_path)
    path = tmp_path / "manifest.jsonl"
    path.write_text(path.read_text()[:-20])
    assert go(items, tmp_path) == Summary(done=1, skipped=2)
    with Manifest(path) as manifest:
        assert len(list(manifest.records())) == 3
        assert len(manifest.finished()) == 3


def test_a_manifest_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="cannot write"):
        Manifest(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="is no manifest"):
        Manifest(tmp_path / "notes.txt")
    assert (tmp_path / "notes.txt").read_text() == "mine"
    really = Path.open

    def on_a_full_disk(path: Path, mode: str = "r", **keywords: Any) -> Any:
        return really(Path("/dev/full") if mode == "ab" else path, mode, **keywords)

    (tmp_path / "manifest.jsonl").touch()
    monkeypatch.setattr(Path, "open", on_a_full_disk)
    manifest = Manifest(tmp_path / "manifest.jsonl")
    with manifest, pytest.raises(ImpastoError, match="No space left"):
        manifest.write({})
