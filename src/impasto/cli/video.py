"""``impasto video``: repaint a video without flicker and with its sound."""

from __future__ import annotations

import argparse
import dataclasses
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.arguments import INTERRUPTED, add_options, collect
from impasto.cli.bars import CountingBar
from impasto.cli.method_options import (
    add_method_options,
    add_styles,
    choice_of,
    load_stylizer,
)
from impasto.errors import InputError
from impasto.options import MAPS, OFF_OR_AUTO, files_of
from impasto.video.options import VideoOptions

if TYPE_CHECKING:
    from impasto.methods import Choice
    from impasto.video.clip import Clip

logger = logging.getLogger(__name__)


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "video",
        help="repaint a video",
        description="Repaint a video without flicker, with its sound, frame rate and times. After "
        "Ctrl-C the result plays as far as it got, and --resume goes on.",
    )
    parser.add_argument("content", metavar="IN", help="video")
    add_styles(parser)
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="OUT",
        help="result: .mp4, .mov, .m4v, .mkv or .webm with sound, .gif or .webp for short clips",
    )
    parser.add_argument(
        "--mask",
        metavar="FILE",
        help="where to paint: a picture, or a video of masks; elsewhere the film stays",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with an earlier run that was ended"
    )
    add_options(parser.add_argument_group("video"), VideoOptions)
    add_method_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    options = VideoOptions(**collect(args, VideoOptions))
    choice = choice_of(args, args.styles)
    from impasto.image import fit
    from impasto.video.consistency import frame_painter
    from impasto.video.masks import MovingMaps, blank
    from impasto.video.pipeline import check, stylize_video

    _check_output(args)
    clip = check(args.content, args.output, options)
    moving = _moving_maps(args, clip)
    stylizer = load_stylizer(args, choice)
    stylizer.check_maps(blank(clip, fit(clip.size, stylizer.options.max_size)))
    # One line a frame otherwise.
    logging.getLogger("impasto.stylizers.optimize").setLevel(logging.ERROR)
    with CountingBar("frame", quiet=args.quiet) as bar:
        result = stylize_video(
            args.content,
            args.output,
            frame_painter(stylizer, options.consistency),
            options,
            mask=args.mask,
            maps=MovingMaps(moving, stylizer),
            max_size=stylizer.options.max_size,
            settings=_settings(args, choice, stylizer),
            resume=args.resume,
            tell=bar,
        )
    logger.info("wrote %s (%d frames)", args.output, result.frames)
    if result.interrupted:
        logger.warning("interrupted: %s plays as far as it got; --resume goes on", args.output)
        return INTERRUPTED
    return 0


def _moving_maps(args: argparse.Namespace, clip: Clip) -> dict[str, Path]:
    """Maps that are videos; they are taken from the arguments, as stylizers take pictures."""
    from impasto.video.masks import moving

    given = {name: getattr(args, name, "off") for name in MAPS}
    found = {
        name: Path(path)
        for name, path in given.items()
        if path not in OFF_OR_AUTO and moving(Path(path), clip)
    }
    for name in found:
        delattr(args, name)
    return found


def _check_output(args: argparse.Namespace) -> None:
    """Refuse to write over an artwork or a mask."""
    for path in (*args.styles, args.mask, *files_of(vars(args))):
        if path and Path(path).resolve() == Path(args.output).resolve():
            raise InputError(f"-o {args.output} would replace {path}, which is needed to paint")


def _files(style: str) -> list[str]:
    """The file of a style, or those of a folder."""
    from impasto.stylizers.body.folder import pictures_in

    return [*map(str, pictures_in(style))] if Path(style).is_dir() else [style]


def _settings(args: argparse.Namespace, choice: Choice, stylizer: Any) -> dict[str, Any]:
    """The settings that decide how the frames look, for the metadata and for --resume."""
    from impasto.video.segments import fingerprint

    options = {
        name: value
        for name, value in dataclasses.asdict(stylizer.options).items()
        if name not in ("device", "memory", "tile")
    }
    files = [
        *(file for style in choice.styles for file in _files(style)),
        getattr(stylizer, "path", None),
        *files_of(options),
    ]
    known = {str(file): Path(file) for file in files if file and Path(file).is_file()}
    return {
        "method": choice.method,
        "model": choice.model and Path(choice.model).name,
        "styles": [Path(style).name for style in choice.styles],
        "style_weights": args.style_weights,
        **options,
        "files": {path.name: fingerprint(path) for path in known.values()},
    }
