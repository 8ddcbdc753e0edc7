"""``impasto stylize`` and ``impasto demo`` from files to files, and their refusals."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import fsspec
import numpy as np
import pytest
from PIL import Image

from impasto.cli import main
from impasto.image import load_image, read_settings, save_image
from impasto.pictures import ARTWORKS, load_artwork

SMALL = ["--max-size", "48", "--steps", "4", "--precision", "float32", "--device", "cpu"]


@pytest.fixture
def photo(tmp_path: Path) -> str:
    path = tmp_path / "photo.png"
    save_image(load_artwork("river-dots", 64), path)
    return str(path)


@pytest.fixture
def artwork(tmp_path: Path) -> str:
    path = tmp_path / "artwork.jpg"
    save_image(load_artwork("orphic-discs", 64), path)
    return str(path)


def test_a_picture_is_made_with_all_that_was_asked_for(
    photo: str, artwork: str, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    code = main(
        ["stylize", photo, artwork, "-o", str(out), *SMALL, "--save-every", "2"]
        + [
            f"--{name}={tmp_path / file}"
            for name, file in {
                "history": "losses.csv",
                "plot": "plot.svg",
                "strip": "strip.png",
                "animation": "animation.gif",
                "preview": "preview.jpg",
            }.items()
        ]
    )
    assert code == 0
    assert load_image(out).size == (48, 48)
    settings = read_settings(out)
    assert settings is not None
    assert settings["backbone"] == "lite"
    assert settings["steps"] == 4
    names = {path.name for path in tmp_path.iterdir()}
    assert names >= {
        "out_0002.png",
        "out_0004.png",
        "losses.csv",
        "plot.svg",
        "strip.png",
        "animation.gif",
        "preview.jpg",
    }
    assert len((tmp_path / "losses.csv").read_text().splitlines()) == 5
    assert not any(name.startswith(".") for name in names)


def test_options_of_older_scripts_work(photo: str, artwork: str, tmp_path: Path) -> None:
    out = tmp_path / "out.jpg"
    code = main(
        f"stylize --content {photo} --style {artwork} --output {out} --max_size 40 --steps 2 "
        "--content_weight 2 --style_weight 5 --style_layers relu1_1,relu3_1=0.5 "
        "--precision float32".split()
    )
    assert code == 0
    settings = read_settings(out)
    assert settings is not None
    assert settings["max_size"] == 40
    assert (settings["content_weight"], settings["style_weight"]) == (2, 5)
    assert settings["style_layers"] == {"relu1_1": 1, "relu3_1": 0.5}


def test_masks_and_regions(photo: str, artwork: str, tmp_path: Path) -> None:
    left = np.zeros((64, 64), np.uint8)
    left[:, :32] = 255
    for name, mask in {"left": left, "right": 255 - left, "top": left.T}.items():
        Image.fromarray(mask).save(tmp_path / f"{name}.png")
    masks = {name: str(tmp_path / f"{name}.png") for name in ("left", "right", "top")}
    out = tmp_path / "out.png"
    arguments = ["stylize", photo, artwork, artwork, "-o", str(out), *SMALL, "--mask", masks["top"]]
    arguments += ["--content-masks", masks["left"], masks["right"]]
    assert main([*arguments, "--style-masks", "all", masks["left"]]) == 0
    below = load_image(photo).resized(48, 48).rgb[25:]
    np.testing.assert_allclose(load_image(out).rgb[25:], below, atol=0.51 / 255)
    settings = read_settings(out)
    assert settings is not None
    assert settings["mask"] == masks["top"]
    assert settings["content_masks"] == [masks["left"], masks["right"]]
    assert settings["style_masks"] == [None, masks["left"]]


def test_several_styles_and_a_preset(photo: str, artwork: str, tmp_path: Path) -> None:
    out = tmp_path / "out.webp"
    arguments = ["stylize", photo, artwork, photo, "--style-weights", "2,1", "-o", str(out)]
    assert main([*arguments, *SMALL, "--preset", "gatys"]) == 0
    settings = read_settings(out)
    assert settings is not None
    assert settings["style_weights"] == [2, 1]
    assert settings["classic_losses"] is True
    assert settings["steps"] == 4


def test_the_output_has_a_name_by_default(
    photo: str, artwork: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["stylize", photo, artwork, *SMALL]) == 0
    assert Path("photo_artwork.png").is_file()


def test_stdin_to_stdout(photo: str, artwork: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(Path(photo).read_bytes())))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out))
    assert main(["-q", "stylize", "-", artwork, *SMALL]) == 0
    assert load_image(out.getvalue()).size == (48, 48)


def test_pictures_are_taken_by_url(
    photo: str, artwork: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    memory = fsspec.filesystem("memory")
    for name, path in {"photo": photo, "art": artwork}.items():
        memory.pipe_file(f"/{name}", Path(path).read_bytes())
    out = tmp_path / "out.png"
    masks = ["--mask", "memory://photo", "--style-masks", "memory://art"]
    command = ["-q", "stylize", "memory://photo", "memory://art", *masks, "-o", str(out), *SMALL]
    assert main(command) == 0
    settings = read_settings(out)
    assert settings is not None
    assert settings["mask"] == "memory://photo"
    assert settings["styles"] == ["memory://art"]
    for url in ("memory://gone.jpg", "weird://photo"):
        assert main(["-q", "stylize", url, artwork, "-o", str(out)]) == 2
        assert url in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["PHOTO"], "give a photo and at least one artwork"),
        (["nowhere.jpg", "ART"], "nowhere.jpg"),
        (["PHOTO", "TEXT"], "text.jpg"),
        (["PHOTO", "ART", "-o", "nowhere/out.png"], "nowhere"),
        (["PHOTO", "ART", "-o", "out.xyz"], ".png"),
        (["PHOTO", "ART", "--steps", "0"], "steps has to be at least 1"),
        (["PHOTO", "ART", "--style-weight", "-1"], "style_weight has to be at least 0"),
        (["PHOTO", "ART", "--backbone", "vgg99"], "vgg19"),
        (["PHOTO", "ART", "--style-layers", "relu9_9"], "no layer 'relu9_9'"),
        (["PHOTO", "ART", "--device", "tpu"], "tpu"),
        (["PHOTO", "ART", "--style-weights", "1,2"], "2 style weights for 1 styles"),
        (["PHOTO", "ART", "--steps", "many"], "invalid int value: 'many'"),
        (["PHOTO", "ART", "--style-layers", "relu1_1=x"], "the weight of a layer is a number"),
        (["PHOTO", "ART", "--style-weights", "x"], "numbers divided by commas"),
        (["PHOTO", "ART", "--mask", "nowhere.png"], "nowhere.png"),
        (["PHOTO", "ART", "ART", "--content-masks", "PHOTO"], "1 content masks for 2 styles"),
        (["PHOTO", "ART", "--style-masks", "TEXT"], "text.jpg"),
        (["PHOTO", "ART", "--plot", "curve.txt"], "cannot write a plot to curve.txt: use one of"),
        (["PHOTO", "ART", "--history", "nowhere/l.csv"], "nowhere does not exist"),
        (["PHOTO", "ART", "--save-every", "0"], "at least 1"),
        (["PHOTO", "ART", "-o", "out.jpg", "--bits", "16"], "16"),
        (["PHOTO", "ART", "--weights", "TEXT"], "text.jpg"),
        (["PHOTO", "ART", "--keep", "nowhere.png"], "nowhere.png"),
        (["PHOTO", "ART", "--keep", "TEXT"], "text.jpg"),
        (["PHOTO", "ART", "--keep", "PHOTO", "-o", "PHOTO"], "photo"),
        (["PHOTO", "ART", "--keep", "auto", "--method", "arbitrary"], "--keep does nothing with"),
        (["PHOTO", "ART", "--keep", "auto", "--preset", "gatys"], "keep does nothing with classic"),
        (["PHOTO", "ART", "--strength-map", "TALL"], "a map has to have the shape of its picture"),
        (["PHOTO", "ART", "--stroke-map", "TEXT"], "text.jpg"),
        (["PHOTO", "ART", "--stroke-map", "nowhere.png", "--method", "arbitrary"], "nowhere.png"),
        (["PHOTO", "ART", "--strength-map", "PHOTO", "-o", "PHOTO"], "would replace"),
        (["PHOTO", "ART", "--strength-map", "PHOTO", "--preset", "gatys"], "classic_losses"),
        (
            ["PHOTO", "great-wave", "--strength-map", "PHOTO"],
            "--strength-map does nothing with --method fast",
        ),
        (["PHOTO", "great-wave", "--stroke-map", "auto"], "does nothing with --method fast"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str],
    message: str,
    photo: str,
    artwork: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.jpg").write_text("this is no picture")
    Image.new("L", (20, 90), 255).save("tall.png")
    places = {"PHOTO": photo, "ART": artwork, "TEXT": "text.jpg", "TALL": "tall.png"}
    before = sorted(tmp_path.iterdir())
    weights = ["--backbone", "vgg16"] if "--weights" in arguments else []
    try:
        code = main(["-q", "stylize", *(places.get(a, a) for a in arguments), *weights])
    except SystemExit as end:  # argparse's own refusals
        code = int(end.code or 0)
    err = capsys.readouterr().err
    assert code == 2, err
    assert err.startswith("impasto: ")
    assert message in err
    assert len(err.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "command",
    [
        "stylize PHOTO ART --plot p.png",
        "evaluate PHOTO ART --sweep steps=1 --plot p.png",
        "features PHOTO",
        "train fast --photos . --styles ART -o n.safetensors --plot p.png",
    ],
)
def test_a_plot_without_matplotlib_is_refused_before_the_work(
    command: str,
    photo: str,
    artwork: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    places, before = {"PHOTO": photo, "ART": artwork}, sorted(tmp_path.iterdir())
    assert main([places.get(word, word) for word in command.split()]) == 2
    assert capsys.readouterr().err.endswith(
        "impasto: plotting needs the package 'matplotlib': pip install 'impasto[plots]'\n"
    )
    assert sorted(tmp_path.iterdir()) == before


def test_ctrl_c_saves_the_best_picture(
    photo: str,
    artwork: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from impasto.callbacks import ProgressBar

    def interrupt(_self: ProgressBar, step: object) -> None:
        if getattr(step, "step", 0) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressBar, "__call__", interrupt)
    out, losses = tmp_path / "out.png", tmp_path / "losses.json"
    assert (
        main(["stylize", photo, artwork, "-o", str(out), "--history", str(losses), *SMALL]) == 130
    )
    assert load_image(out).size == (48, 48)
    assert len(json.loads(losses.read_text())) == 3
    assert "--init" in capsys.readouterr().err
    settings = read_settings(out)
    assert settings is not None
    assert settings["stopped"] == "interrupted"


def test_the_demo_needs_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo", *SMALL]) == 0
    assert max(load_image("demo.png").size) == 48
    assert load_image("demo_strip.png").size[1] > 300


def test_the_demo_lists_its_artworks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--list"]) == 0
    assert capsys.readouterr().out.split() == list(ARTWORKS)
