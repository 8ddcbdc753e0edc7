"""``impasto reconstruct``: recover an image from its features alone."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.arguments import INTERRUPTED, add_options, collect
from impasto.cli.bars import RunBars, backbone_with_bar
from impasto.cli.method_options import load_picture
from impasto.cli.outputs import check_outputs
from impasto.explain.options import OFFERED, ReconstructOptions

if TYPE_CHECKING:
    from impasto.explain.reconstruct import Reconstruction
    from impasto.image import Picture

logger = logging.getLogger(__name__)


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "reconstruct",
        help="recover an image from its features alone",
        description="Recover an image from noise, from its content features alone or, as a "
        "texture, from its style statistics alone (figure 1 of Gatys et al. 2015). With one layer "
        "the picture is written, with several a figure of all of them beside the original.",
    )
    parser.add_argument(
        "kind",
        choices=("content", "style"),
        help="content: the feature maps of each layer; style: the statistics of each layer "
        "and of the style layers before it",
    )
    parser.add_argument("image", metavar="IMAGE", help="the image to recover")
    parser.add_argument(
        "--layer",
        dest="layers",
        nargs="+",
        default=[],
        metavar="LAYER",
        help="layers as relu4_2 (default: one of each block)",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="the picture (default: IMAGE_KIND.png)"
    )
    add_options(parser.add_argument_group("optimisation"), ReconstructOptions, OFFERED)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    options = ReconstructOptions(**collect(args, ReconstructOptions))
    output = args.output or f"{Path(args.image).stem}_{args.kind}.png"

    from impasto.explain.reconstruct import reconstruct
    from impasto.image import check_writable, save_image

    check_writable(output)
    check_outputs({"-o": output}, [args.image])
    picture = load_picture(args.image, options.max_size)
    backbone = backbone_with_bar(options.backbone, weights=options.weights, pooling=options.pooling)
    with RunBars(args.quiet) as bars:
        found = list(
            reconstruct(args.kind, picture, args.layers, options, backbone=backbone, watch=bars)
        )
    save_image(_shown(picture, found, args), output, settings=found[-1].result.settings)
    logger.info("wrote %s", output)
    return INTERRUPTED if found[-1].result.stopped == "interrupted" else 0


def _shown(picture: Picture, found: list[Reconstruction], args: argparse.Namespace) -> Picture:
    from impasto.explain.reconstruct import figure

    if len(args.layers) == 1:
        return found[0].result.picture
    return figure(picture, found)
