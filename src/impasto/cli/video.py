"""``impasto video``: repaint a video without flicker and with its sound."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.arguments import INTERRUPTED, add_options, collect
from impasto.cli.counting import CountingBar
from impasto.cli.methods import (
    add_method_options,
    add_styles,
    choice_of,
    load_stylizer,
    options_of,
)
from impasto.video.options import VideoOptions

if TYPE_CHECKING:
    from impasto.methods import Choice

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
        help="result: .mp4, .mov, .m4v or .mkv with sound, .gif or .webp for short clips",
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
    from impasto.video.consistency import frame_painter
    from impasto.video.pipeline import check, stylize_video

    check(args.content, args.output, options)
    stylizer = load_stylizer(args, choice)
    logging.getLogger("impasto.optimize").setLevel(logging.ERROR)  # one line a frame otherwise
    with CountingBar("frame", quiet=args.quiet) as bar:
        result = stylize_video(
            args.content,
            args.output,
            frame_painter(stylizer, options.consistency),
            options,
            max_size=stylizer.options.max_size,
            settings=_settings(args, choice),
            resume=args.resume,
            tell=bar,
        )
    logger.info("wrote %s (%d frames)", args.output, result.frames)
    if result.interrupted:
        logger.warning("interrupted: %s plays as far as it got; --resume goes on", args.output)
        return INTERRUPTED
    return 0


def _settings(args: argparse.Namespace, choice: Choice) -> dict[str, Any]:
    """What decides how the frames look, for the metadata and for --resume."""
    styles = [Path(style).name for style in choice.styles]
    return {
        "method": choice.method,
        "model": choice.model and Path(choice.model).name,
        "styles": styles,
        "style_weights": args.style_weights,
        "preset": args.preset,
        **options_of(args, choice),
    }
