from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import InputError, MissingExtraError
from impasto.image import Picture
from impasto.media.animation import animate

COLORS = [(200, 40, 40), (40, 160, 60), (50, 60, 180), (120, 120, 120)]


def pictures(height: int = 33, width: int = 47) -> list[Picture]:
    """Frames of one colour each, with odd sides."""
    return [
        Picture(np.tile(np.array(color, np.float32) / np.float32(255), (height, width, 1)))
        for color in COLORS
    ]


def read(path: Path) -> tuple[list[tuple[int, ...]], list[int], int]:
    """The middle pixels and durations (ms) of the frames, and how often they repeat."""
    with Image.open(path) as image:
        colors, durations = [], []
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            image.load()
            durations.append(int(image.info["duration"]))
            pixel = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
            assert isinstance(pixel, tuple)
            colors.append(tuple(map(int, pixel)))
        assert image.size == (47, 33)
        return colors, durations, image.info["loop"]


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".GIF"])
def test_animations_keep_colours_times_and_repeat(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"run{suffix}"
    animate(pictures(), path, seconds=1.0, hold=0.5)
    colors, durations, loop = read(path)
    assert np.abs(np.subtract(colors, COLORS)).max() <= 4
    assert durations == [330, 340, 330, 500]
    assert loop == 0  # for ever
    assert list(tmp_path.iterdir()) == [path]


def test_gif_keeps_smooth_colours(tmp_path: Path) -> None:
    ramp = np.linspace(0, 1, 128, dtype=np.float32)
    rgb = np.stack([*np.meshgrid(ramp, ramp), np.full((128, 128), 0.5, np.float32)], axis=2)
    animate([Picture(rgb.astype(np.float32))], tmp_path / "ramp.gif")
    with Image.open(tmp_path / "ramp.gif") as image:
        shown = np.asarray(image.convert("RGB"), np.float32) / 255
    blocks = (shown - rgb).reshape(16, 8, 16, 8, 3).mean(axis=(1, 3))
    assert np.abs(blocks).max() < 0.05  # the mean of every 8 x 8 pixels


def test_mp4_is_h264_with_right_colours_times_and_even_sides(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="the extra 'video' is not installed")
    animate(pictures(), tmp_path / "run.mp4", seconds=3.0, hold=1.0)
    with av.open(str(tmp_path / "run.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        frames = [(float(f.time), f.to_ndarray(format="rgb24")) for f in container.decode(stream)]
    assert len(frames) == 4 * 25
    assert frames[0][1].shape == (34, 48, 3)
    for second, color in zip((0.5, 1.5, 2.5, 3.9), COLORS, strict=True):
        shown = next(pixels for time, pixels in frames if time >= second)
        assert np.abs(shown.astype(int) - color).max() <= 6


def test_mp4_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"impasto\[video\]"):
        animate(pictures(), tmp_path / "run.mp4")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".mp4"])
def test_one_tiny_picture_is_held(tmp_path: Path, suffix: str) -> None:
    if suffix == ".mp4":
        pytest.importorskip("av", reason="the extra 'video' is not installed")
    animate(pictures(1, 1)[:1], tmp_path / f"run{suffix}")
    assert (tmp_path / f"run{suffix}").stat().st_size > 0


@pytest.mark.parametrize(
    ("count", "seconds", "hold", "times"),
    [(24, 6.0, 1.5, {260, 270}), (24, 0.1, 0.001, {20})],  # browsers honour 20 ms and more
)
def test_times_do_not_drift(
    tmp_path: Path, count: int, seconds: float, hold: float, times: set[int]
) -> None:
    shades = np.linspace(0, 1, count, dtype=np.float32)
    frames = [Picture(np.full((33, 47, 3), shade, np.float32)) for shade in shades]
    animate(frames, tmp_path / "run.gif", seconds=seconds, hold=hold)
    _, durations, _ = read(tmp_path / "run.gif")
    assert len(durations) == count
    assert set(durations[:-1]) == times
    if seconds > 1:
        assert (sum(durations), durations[-1]) == (7500, 1500)


@pytest.mark.parametrize("name", ["run.avi", "run", ".gif"])
def test_refuses_other_suffixes(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"\.gif, \.webp, \.mp4"):
        animate(pictures(), tmp_path / name)


def test_refuses_what_cannot_be_animated(tmp_path: Path) -> None:
    path = tmp_path / "run.gif"
    path.write_text("old")
    with pytest.raises(InputError, match="at least one"):
        animate([], path)
    with pytest.raises(InputError, match="one size"):
        animate([*pictures(), *pictures(2, 2)], path)
    with pytest.raises(InputError, match="16383"):
        animate(pictures(1, 16384), path)
    for seconds, hold in ((0, 1), (1, 0), (float("nan"), 1), (1, float("inf"))):
        with pytest.raises(InputError, match="seconds and hold"):
            animate(pictures(), path, seconds=seconds, hold=hold)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_keywords: object) -> None:
        raise RuntimeError

    path = tmp_path / "run.gif"
    path.write_text("old")
    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(RuntimeError):
        animate(pictures(), path)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]
