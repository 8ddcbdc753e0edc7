"""Where options may stand, and what they were called in older scripts."""

from __future__ import annotations

import pytest

from impasto.cli import build_parser, main


@pytest.mark.parametrize(
    "line",
    [
        "stylize a.jpg b.jpg --steps 3 -o o.png -q",
        "stylize a.jpg --steps 3 b.jpg -o o.png -q",
        "stylize --steps 3 a.jpg -o o.png b.jpg -q",
        "stylize -o o.png -q a.jpg --steps 3 -- b.jpg",
        "-q stylize a.jpg -o o.png --steps=3 b.jpg",
    ],
)
def test_options_stand_anywhere(line: str) -> None:
    args = build_parser().parse_args(line.split())
    assert (args.content, args.styles, args.output) == ("a.jpg", ["b.jpg"], "o.png")
    assert (args.steps, args.quiet, args.verbose) == (3, True, False)


def test_options_of_subcommands_stand_anywhere() -> None:
    line = "compare grid a.jpg --columns 2 b.jpg --styles c.jpg -o g.png"
    args = build_parser().parse_args(line.split())
    assert (args.contents, args.styles, args.columns) == (["a.jpg", "b.jpg"], ["c.jpg"], 2)


def test_a_name_behind_two_dashes_is_a_file() -> None:
    args = build_parser().parse_args(["stylize", "-o", "o.png", "--", "-a.jpg", "-"])
    assert (args.content, args.styles) == ("./-a.jpg", ["-"])


@pytest.mark.parametrize(
    "line",
    [
        "batch a.jpg b.jpg -o out s.jpg t.jpg",
        "batch a.jpg -r b.jpg -o out s.jpg --max-size 9 t.jpg",
        "batch a.jpg b.jpg --output=out --max-size 9 s.jpg t.jpg",
        "batch --style t.jpg -o out s.jpg --max-size 9 a.jpg b.jpg",
        "batch a.jpg b.jpg -o out s.jpg --style t.jpg",
    ],
)
def test_a_batch_has_photos_before_its_folder_and_styles_behind(line: str) -> None:
    args = build_parser().parse_args(line.split())
    assert args.inputs == ["a.jpg", "b.jpg"]
    folder, *styles = args.output
    assert (folder, sorted([*styles, *args.style])) == ("out", ["s.jpg", "t.jpg"])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("stylize -content_image a -style_image b", "-content_image is called --content, "),
        ("stylize a b --num_iterations=3", "--num_iterations is called --steps here"),
        ("stylize a b -output_image o.png", "-output_image is called -o here"),
        ("stylize a b --image-size 64", "--image-size is called --max-size here"),
        ("stylize a b -original_colors 1", "is called --preserve-color luminance here"),
        ("stylize a b -backend cudnn -gpu 0", "-backend is not needed, -gpu is called --device"),
        ("stylize --in-path a --out-path o --checkpoint m", "--checkpoint is called --model"),
        ("stylize a b --stepz 3", "unknown option --stepz, did you mean --steps"),
        ("stylize a b --zzzz", "unknown option --zzzz (see impasto stylize --help)"),
        ("batch a -o out --zzzz=3", "unknown option --zzzz (see impasto batch --help)"),
    ],
)
def test_what_is_not_known_is_told_by_its_new_name(
    line: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(line.split())
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert told in err
    assert len(err.splitlines()) == 1
