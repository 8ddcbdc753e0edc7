"""``impasto video`` from file to file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from impasto.cli import main
from impasto.image import save_image
from impasto.networks.description import Architecture, Description
from impasto.networks.files import build, save_model
from impasto.pictures import load_artwork
from impasto.video.consistency import NetworkPainter
from tests.video.clips import decoded, moving, packets, write_clip

SMALL = ["--max-size", "48", "--device", "cpu"]


@pytest.fixture
def clip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    description = Description("fast", Architecture(4, 1), ("wild",))
    save_model(build(description), description, "wild.safetensors")
    save_image(load_artwork("river-dots", 48), "artwork.png")
    return str(write_clip(tmp_path / "in.mp4", moving(4), audio="aac"))


def test_a_network_paints_a_video(clip: str) -> None:
    assert main(["video", clip, "-o", "out.mp4", "wild.safetensors", *SMALL]) == 0
    frames, _ = decoded(Path("out.mp4"))
    assert len(frames) == 4
    assert frames[0].shape == (36, 48, 3)
    assert packets(Path("out.mp4")) == packets(Path(clip))


def test_a_video_is_optimised(clip: str) -> None:
    command = ["video", clip, "artwork.png", "-o", "out.gif", *SMALL, "--steps", "3"]
    assert main([*command, "--end", "0.1"]) == 0
    assert len(decoded(Path("out.gif"))[0]) == 3


def test_ctrl_c_and_resume(clip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    paint = NetworkPainter.__call__

    def interrupt(*arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return paint(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(NetworkPainter, "__call__", interrupt)
    command = ["video", clip, "-o", "out.mp4", "wild.safetensors", *SMALL]
    assert main(command) == 130
    assert len(decoded(Path("out.mp4"))[0]) == 2
    assert main(command) == 2
    assert main([*command, "--resume"]) == 0
    assert len(decoded(Path("out.mp4"))[0]) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.mp4", "artwork.png", "-o", "out.mp4"], "no such file"),
        (["text.mp4", "artwork.png", "-o", "out.mp4"], "no video"),
        (["in.mp4", "artwork.png", "-o", "out.avi"], "use one of .mp4"),
        (["in.mp4", "nowhere.png", "-o", "out.mp4"], "nowhere.png"),
        (["in.mp4", "artwork.png", "-o", "out.mp4", "--consistency", "2"], "at most 1"),
        (["in.mp4", "artwork.png", "-o", "out.mp4", "--start", "9"], "no frames"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    clip: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("text.mp4").write_text("no video")
    before = sorted(Path().iterdir())
    assert main(["-q", "video", *arguments, "--method", "optimize", *SMALL]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1
    assert sorted(Path().iterdir()) == before
