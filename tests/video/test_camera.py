"""Live pictures: a video file stands for the camera."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from impasto.errors import ImpastoError, InputError, MissingExtraError
from impasto.video.camera import Camera, Window, repaint
from impasto.video.consistency import VideoPainter
from tests.video.clips import Negative, Pixels, moving, write_clip


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return str(write_clip(tmp_path / "in.mp4", moving(5)))


def test_frames_come_in_rgb_and_shrunk(clip: str, tmp_path: Path) -> None:
    with Camera(clip) as camera:
        frames = list(camera.frames(32))
    assert [frame.shape for frame in frames] == [(24, 32, 3)] * 5
    red = np.full((48, 64, 3), (200, 60, 30), np.uint8)
    with Camera(str(write_clip(tmp_path / "red.mp4", [red]))) as camera:
        (frame,) = camera.frames(640)
    assert frame.shape == red.shape
    assert np.abs(frame.astype(int) - red).max() <= 12  # OpenCV guesses the matrix


def test_frames_are_repainted_with_memory_and_their_rate(clip: str) -> None:
    shown: list[tuple[Pixels, float]] = []

    def show(pixels: Pixels, rate: float) -> bool:
        shown.append((pixels, rate))
        return len(shown) < 4

    ticks = count(0.0, 0.25)
    painter = Negative()
    with Camera(clip) as camera:
        frames = camera.frames(64)
        assert repaint(frames, VideoPainter(painter), show, clock=lambda: next(ticks)) == 4
    assert [memory is None for memory in painter.memories] == [True, False, False, False]
    assert [rate for _, rate in shown] == pytest.approx([4.0] * 4)
    sources = moving(5)
    for (pixels, _), source in zip(shown, sources, strict=False):
        assert np.abs(pixels.astype(int) - (255 - source.astype(int))).mean() < 6


def test_the_rate_follows_the_newest_frames() -> None:
    times = iter([0.0, 9.0, 10.0, *np.arange(10.1, 20, 0.1)])
    rates: list[float] = []

    def show(_pixels: Pixels, rate: float) -> bool:
        rates.append(rate)
        return len(rates) < 60

    painter = VideoPainter(Negative(), consistent=False)
    repaint(moving(60, (8, 8)), painter, show, clock=lambda: next(times))
    assert rates[0] == pytest.approx(1 / 9)
    assert rates[1] == pytest.approx(1)  # the slow start is forgotten
    assert 9 < rates[-1] < 10.1


@pytest.mark.parametrize("source", ["7", "nowhere.mp4"])
def test_no_camera_is_one_line(source: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match=f"there is no camera {source}"):
        Camera(source)
    assert capfd.readouterr().err == ""


def test_without_a_display_there_is_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tkinter")
    monkeypatch.delenv("DISPLAY", raising=False)
    if sys.platform != "linux":
        pytest.skip("a window needs no DISPLAY here")
    with pytest.raises(ImpastoError, match="cannot open a window"):
        Window("Impasto")


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tkinter", None)
    with pytest.raises(ImpastoError, match="python3-tk"):
        Window("Impasto")
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r"impasto\[video\]"):
        Camera("0")
