"""``impasto webcam``: repaint what a camera sees, live."""

from __future__ import annotations

import argparse
import logging
from typing import Any

from impasto.cli.arguments import (
    INTERRUPTED,
    add_option,
    add_options,
    collect,
    parse_numbers,
)
from impasto.cli.method_options import add_styles, choice_of, load_stylizer
from impasto.options import names
from impasto.stylizers.networks.options import ArbitraryOptions
from impasto.video.options import VideoOptions

logger = logging.getLogger(__name__)

MAX_SIZE = 320


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "webcam",
        help="repaint what a camera sees, live",
        description="Repaint what a camera sees in a window, as fast as the network paints. "
        "Escape or q ends it. Extra: video.",
    )
    add_styles(parser)
    parser.add_argument(
        "--camera",
        default="0",
        metavar="N",
        help="number of the camera, URL of a stream or video file (default: 0)",
    )
    add_options(parser, VideoOptions, {"consistency"})
    add_option(
        parser, "style_weights", type=parse_numbers, metavar="X,X,...", help="of several styles"
    )
    parser.add_argument("--method", choices=("fast", "arbitrary"), help="chosen by the styles")
    size = f"longer side of the picture, at most; smaller is faster (default: {MAX_SIZE})"
    add_option(parser, "max_size", type=int, metavar="PX", default=MAX_SIZE, help=size)
    network = parser.add_argument_group("network")
    taken = ("max_size", "tile")
    own = [name for name in names(ArbitraryOptions) if name not in taken]
    add_options(network, ArbitraryOptions, own)
    parser.set_defaults(run=run, preset=None)


def run(args: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    choice = choice_of(args, args.styles, artworks="arbitrary")
    from impasto.video.camera import Camera, Window, repaint
    from impasto.video.consistency import VideoPainter, frame_painter

    options = VideoOptions(**collect(args, VideoOptions))
    with Camera(args.camera) as camera:
        stylizer = load_stylizer(args, choice)
        painter = VideoPainter(
            frame_painter(stylizer, options.consistency), consistent=options.consistency > 0
        )
        try:
            with Window("Impasto") as window:
                shown = repaint(camera.frames(args.max_size), painter, window)
        except KeyboardInterrupt:
            return INTERRUPTED
    logger.info("%d frames", shown)
    return 0
