"""Contents by styles to files."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from impasto.batch import plan, storage
from impasto.errors import InputError
from tests.batch.fake import write_photos


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    write_photos(tmp_path / "in", ["a.png", "b.jpg", "sub/a.png", "sub/deep/c.webp"])
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    (tmp_path / "in" / "._a.png").write_bytes(b"what macOS leaves behind")
    return tmp_path / "in"


def outputs(*inputs: str | Path, **options: object) -> list[str]:
    items = plan([str(i) for i in inputs], ["wave.jpg"], "out", **options)  # type: ignore[arg-type]
    return [item.output for item in items]


def test_a_folder_gives_its_pictures(photos: Path) -> None:
    assert outputs(photos) == ["out/a.png", "out/b.png"]


def test_subfolders_are_mirrored(photos: Path) -> None:
    expected = ["out/a.png", "out/b.png", "out/sub/a.png", "out/sub/deep/c.png"]
    assert outputs(photos, recursive=True) == expected


def test_patterns_are_mirrored_below_their_first_wildcard(photos: Path) -> None:
    assert outputs(photos / "**" / "*.png") == ["out/a.png", "out/sub/a.png"]
    assert outputs(photos / "s?b" / "*.png") == ["out/sub/a.png"]


def test_a_file_name_is_a_file_name_first(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(photos)
    write_photos(photos / "x[1]", ["e.png", "f*.png", "deep/g.png"])
    write_photos(photos / "x1", ["h.png"])
    odd = ["c::d.png", "take:2.png", "file:a.png", "memory:b.png", "~c.png", "a#1.png", "{x}.png"]
    write_photos(photos, odd)
    for name in odd:
        assert outputs(name) == [f"out/{name}"]
        assert storage.read(name) == (photos / name).read_bytes()
    assert outputs("x[1]/*.png") == ["out/e.png", "out/f*.png"]
    assert outputs("x[1]/**/*.png") == ["out/deep/g.png", "out/e.png", "out/f*.png"]
    assert outputs("x[1]/f*.png") == ["out/f*.png"]
    assert outputs("x[1-9]/*.png") == ["out/x1/h.png"]
    write_photos(photos / "s3:" / "bucket", ["i.png"])
    assert outputs("s3://bucket") == ["out/i.png"]
    storage.write("out:2/c::d.png", b"done")
    assert (photos / "out:2" / "c::d.png").read_bytes() == b"done"


def test_files_are_taken_as_they_are_and_once(photos: Path) -> None:
    assert outputs(photos / "b.jpg", photos / "b.jpg", photos / "sub/a.png") == [
        "out/b.png",
        "out/a.png",
    ]


def test_every_content_in_every_style_under_a_name_of_its_own(photos: Path) -> None:
    items = plan([str(photos)], ["art/wave.jpg", "v1.5-night"], "out")
    assert [(Path(item.content).name, item.style, item.output) for item in items] == [
        ("a.png", "art/wave.jpg", "out/a_wave.png"),
        ("b.jpg", "art/wave.jpg", "out/b_wave.png"),
        ("a.png", "v1.5-night", "out/a_v1.5-night.png"),
        ("b.jpg", "v1.5-night", "out/b_v1.5-night.png"),
    ]


def test_the_name_is_a_template(photos: Path) -> None:
    found = outputs(photos, name="{style}/{name}_{suffix}.jpg")
    assert found == ["out/wave/a_png.jpg", "out/wave/b_jpg.jpg"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{title}.png", r"no field \{title\}"),
        ("{0}.png", r"no field \{0\}"),
        ("{name.png", "no template"),
        ("{name}", "has to end in one of .jpg"),
        ("../{name}.png", "leads out"),
        ("/{name}.png", "leads out"),
    ],
)
def test_names_that_cannot_be_are_refused(photos: Path, name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        outputs(photos, name=name)


def test_two_items_of_one_name_are_refused(photos: Path) -> None:
    write_photos(photos, ["a.jpg"])
    with pytest.raises(InputError, match=r"a.jpg.* and .*a.png.* would both become out/a.png"):
        outputs(photos)
    assert len(outputs(photos, name="{name}_{suffix}.png")) == 3
    # On Windows and macOS these two would be one file.
    with pytest.raises(InputError, match="would both become"):
        plan([str(photos / "b.jpg")], ["Wave.jpg", "wave.jpg"], "out")


def test_results_never_become_contents(photos: Path) -> None:
    items = plan([str(photos)], ["wave.jpg"], str(photos / "sub"), recursive=True)
    assert len(items) == 2
    with pytest.raises(InputError, match="nothing to do"):
        plan([str(photos / "sub")], ["wave.jpg"], str(photos / "sub"))


def test_what_is_not_there_is_told(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file, folder or pattern"):
        outputs(tmp_path / "nowhere")
    with pytest.raises(InputError, match="no such file, folder or pattern"):
        outputs(photos / "*.tiff")
    (tmp_path / "empty" / "below").mkdir(parents=True)
    with pytest.raises(InputError, match=r"no pictures in .*--recursive"):
        outputs(tmp_path / "empty")
    with pytest.raises(InputError, match="cannot reach the URL weird://photos"):
        outputs("weird://photos")


def test_a_folder_that_may_not_be_read_is_told(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: object, path: str, **_: object) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(fsspec.implementations.local.LocalFileSystem, "ls", refuse)
    with pytest.raises(InputError, match="no permission"):
        outputs(photos)


def test_urls_are_listed_and_written(photos: Path) -> None:
    memory = fsspec.filesystem("memory")
    for name in ("x/a.png", "x/y/b.png"):
        memory.pipe_file(f"/bucket/{name}", (photos / "a.png").read_bytes())
    items = plan(["memory://bucket/x"], ["wave.jpg"], "memory://results", recursive=True)
    assert [item.output for item in items] == ["memory://results/a.png", "memory://results/y/b.png"]
    assert storage.read(items[1].content) == (photos / "a.png").read_bytes()
    storage.write(items[1].output, b"done")
    assert storage.exists(items[1].output) and not storage.exists(items[0].output)
    assert memory.cat_file("/results/y/b.png") == b"done"


def test_folders_above_a_file_are_made(tmp_path: Path) -> None:
    for path in (f"{tmp_path}/a/b.bin", f"file://{tmp_path}/c/d/e.bin"):
        storage.write(path, b"done")
        assert storage.read(path) == b"done"
