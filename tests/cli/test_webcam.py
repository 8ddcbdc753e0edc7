"""``impasto webcam`` with a video file for a camera and no window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from impasto.cli import main
from impasto.video import camera
from tests.video.clips import Pixels, moving, write_clip

SMALL = ["--max-size", "32", "--device", "cpu", "--engine", "torch"]


class FakeWindow:
    """Keeps what it is to show."""

    shown: list[Pixels]

    def __init__(self, _title: str) -> None:
        FakeWindow.shown = []

    def __enter__(self) -> FakeWindow:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def __call__(self, pixels: Pixels, _rate: float) -> bool:
        if len(self.shown) == 6:
            raise KeyboardInterrupt
        self.shown.append(pixels)
        return True


@pytest.fixture
def clip(shipped: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(camera, "Window", FakeWindow)
    return str(write_clip(shipped / "in.mp4", moving(3)))


@pytest.mark.parametrize("style", ["photo.png", "starry-night"])
def test_artworks_and_styles_are_painted_by_networks(clip: str, style: str) -> None:
    assert main(["webcam", style, "--camera", clip, *SMALL]) == 0
    assert [frame.shape for frame in FakeWindow.shown] == [(24, 32, 3)] * 3


def test_ctrl_c_ends_it(clip: str, shipped: Path) -> None:
    longer = str(write_clip(shipped / "longer.mp4", moving(9)))
    assert main(["webcam", "starry-night", "--camera", longer, *SMALL]) == 130
    assert len(FakeWindow.shown) == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["starry-night", "--camera", "7"], "there is no camera 7"),
        (["nowhere.png", "--camera", "in.mp4"], "nowhere.png"),
        (["starry-night", "--camera", "in.mp4", "--consistency", "2"], "at most 1"),
        (["starry-night", "--camera", "in.mp4", "--strength", "0.5"], "does nothing"),
        (["starry-night", "--camera", "in.mp4", "--max-size", "0"], "at least 1"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    clip: str, arguments: list[str], message: str, capfd: Any
) -> None:
    assert main(["-q", "webcam", *arguments, "--device", "cpu"]) == 2
    err = capfd.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1
