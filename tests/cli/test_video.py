"""``impasto video`` from file to file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.cli import main
from impasto.image import save_image
from impasto.pictures import load_artwork
from impasto.stylizers.networks.description import Architecture, Description
from impasto.stylizers.networks.model_files import build, save_model
from impasto.video.clip import open_clip
from impasto.video.consistency import NetworkPainter, OptimizingPainter
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
    command += ["--keep", "auto"]
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


def test_a_mask_says_where(clip: str) -> None:
    mask = np.zeros((48, 64), np.uint8)
    mask[:, :32] = 255
    Image.fromarray(mask).save("mask.png")
    command = ["video", clip, "-o", "out.mkv", "wild.safetensors", *SMALL]
    assert main([*command, "--mask", "mask.png", "--crf", "4"]) == 0
    frames, _ = decoded(Path("out.mkv"))
    photo = [frame.pixels for frame in open_clip(clip).frames((36, 48))]
    for found, before in zip(frames, photo, strict=True):
        difference = np.abs(found.astype(int) - before).mean(axis=(0, 2))
        assert difference[28:].mean() < 7  # colours have half the resolution
        assert difference[:20].mean() > 20


@pytest.mark.parametrize("method", ["optimize", "arbitrary"])
def test_maps_count_for_every_frame(clip: str, method: str) -> None:
    strength = np.zeros((24, 32), np.uint8)
    strength[:, :16] = 255
    Image.fromarray(strength).save("strength.png")
    command = ["video", clip, "artwork.png", "-o", "out.mkv", *SMALL, "--crf", "4"]
    command += ["--strength-map", "strength.png", "--stroke-map", "auto", "--method", method]
    assert main([*command, *(["--steps", "3"] if method == "optimize" else [])]) == 0
    frames, _ = decoded(Path("out.mkv"))
    photo = [frame.pixels for frame in open_clip(clip).frames((36, 48))]
    assert len(frames) == len(photo) == 4
    for found, before in zip(frames, photo, strict=True):
        difference = np.abs(found.astype(int) - before).mean(axis=(0, 2))
        assert difference[30:].mean() < 7  # colours have half the resolution
        assert difference[:18].mean() > 2 * difference[30:].mean()


@pytest.mark.parametrize("method", ["optimize", "arbitrary"])
def test_a_video_of_maps_goes_along_with_the_film(clip: str, method: str) -> None:
    white, black = np.full((48, 64, 3), 255, np.uint8), np.zeros((48, 64, 3), np.uint8)
    write_clip(Path("strength.mkv"), [white, black, black, white])
    Image.fromarray(black).save("strokes.png")
    command = ["video", clip, "artwork.png", "-o", "out.mkv", *SMALL, "--crf", "4"]
    command += ["--strength-map", "strength.mkv", "--stroke-map", "strokes.png"]
    command += ["--method", method]
    assert main([*command, *(["--steps", "3"] if method == "optimize" else [])]) == 0
    frames, _ = decoded(Path("out.mkv"))
    photo = [frame.pixels for frame in open_clip(clip).frames((36, 48))]
    changed = [np.abs(a.astype(int) - b).mean() for a, b in zip(frames, photo, strict=True)]
    assert max(changed[1:3]) < 7  # no style, and colours have half the resolution
    assert min(changed[0], changed[3]) > 10


def test_a_video_of_maps_of_another_shape_is_refused(
    clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clip(Path("strength.mkv"), moving(4, (64, 64)))
    command = ["-q", "video", clip, "artwork.png", "-o", "out.mkv", *SMALL]
    assert main([*command, "--strength-map", "strength.mkv"]) == 2
    assert "a map has to have the shape of its picture" in capsys.readouterr().err
    assert not Path("out.mkv").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [("artwork", "files"), ("map", "files"), ("option", "steps"), ("default", "style_weight")],
)
def test_resume_notices_what_has_changed(
    clip: str,
    change: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["-q", "video", clip, "artwork.png", "-o", "out.mp4", *SMALL]
    Image.new("L", (64, 48), 200).save("map.png")
    command += ["--strength-map", "map.png"]
    paint = OptimizingPainter.__call__
    done: list[int] = []

    def once(*arguments: object) -> object:
        if done:
            raise KeyboardInterrupt
        done.append(1)
        return paint(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(OptimizingPainter, "__call__", once)
    assert main([*command, "--steps", "2"]) == 130
    steps = "2"
    if change == "artwork":
        save_image(load_artwork("stained-glass", 48), "artwork.png")
    elif change == "map":
        Image.new("L", (64, 48), 100).save("map.png")
    elif change == "option":
        steps = "3"
    else:  # as another release may have it
        settings = Path("out.mp4.partial/settings.json")
        told = json.loads(settings.read_text())
        settings.write_text(json.dumps({**told, "style_weight": 7.5}))
    capsys.readouterr()
    assert main([*command, "--steps", steps, "--resume"]) == 2
    assert f"other settings ({said})" in capsys.readouterr().err


def test_what_is_known_of_a_film_is_told_once(
    clip: str, capsys: pytest.CaptureFixture[str]
) -> None:
    transparent = np.zeros((36, 48, 4), np.uint8)
    first, second = (Image.fromarray(transparent + i) for i in range(2))
    first.save("clear.webp", save_all=True, append_images=[second], duration=100, lossless=True)
    command = ["video", "clear.webp", "wild.safetensors", "-o", "out.gif", *SMALL]
    assert main(command) == 0
    assert capsys.readouterr().err.count("clear.webp is transparent: it is laid on white") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["in.mp4", "artwork.webp", "-o", "artwork.webp"], "would replace artwork.webp"),
        (
            ["in.mp4", "artwork.png", "--keep", "artwork.webp", "-o", "artwork.webp"],
            "would replace artwork.webp",
        ),
        (["in.mp4", "artwork.png", "-o", "out.mp4", "--mask", "tall.png"], "have the shape"),
        (["in.mp4", "artwork.png", "-o", "out.mp4", "--stroke-map", "tall.png"], "have the shape"),
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
    save_image(load_artwork("river-dots", 48), "artwork.webp")
    Image.new("L", (20, 60), 255).save("tall.png")
    before = sorted(Path().iterdir())
    assert main(["-q", "video", *arguments, "--method", "optimize", *SMALL]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1
    assert sorted(Path().iterdir()) == before
