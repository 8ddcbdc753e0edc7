"""``impasto features``: what a backbone sees in an image."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.bars import backbone_with_bar
from impasto.cli.method_options import load_picture
from impasto.cli.outputs import check_outputs
from impasto.cli.tables import aligned
from impasto.errors import InputError
from impasto.options import STYLE_LAYERS, RegionOptions

if TYPE_CHECKING:
    from torch import Tensor

    from impasto.backbones.base import Backbone

logger = logging.getLogger(__name__)


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "features",
        help="show what a backbone sees in an image",
        description="Draw the feature maps of an image (IMAGE_features.png) and their Gram "
        "matrices (IMAGE_grams.png), and print how large each layer's receptive field is. With "
        "--regions draw what --match auto pairs in a photo and an artwork (IMAGE_regions.png).",
    )
    parser.add_argument("image", metavar="IMAGE", help="the image")
    parser.add_argument(
        "artwork", nargs="?", metavar="ARTWORK", help="whose regions are paired with the image's"
    )
    parser.add_argument(
        "--regions",
        type=int,
        nargs="?",
        const=RegionOptions.regions,
        metavar="N",
        help=f"draw paired regions of both, at most N (default: {RegionOptions.regions})",
    )
    parser.add_argument(
        "--layer",
        dest="layers",
        nargs="+",
        default=list(STYLE_LAYERS),
        metavar="LAYER",
        help="layers as relu4_2 (default: the first of each block)",
    )
    parser.add_argument(
        "--channels", type=int, default=8, metavar="N", help="of each layer (default: 8)"
    )
    parser.add_argument(
        "--backbone", default="lite", metavar="NAME", help="lite, vgg19 or vgg16 (default: lite)"
    )
    parser.add_argument(
        "--max-size", type=int, default=384, metavar="PX", help="longer side (default: 384)"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="feature maps as .png, .svg or .pdf"
    )
    parser.add_argument("--grams", type=Path, metavar="FILE", help="Gram matrices, as such a file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    stem = Path(args.image).stem
    if args.regions is not None or args.artwork is not None:
        return _draw_regions(args, args.output or Path(f"{stem}_regions.png"))
    outputs = (
        args.output or Path(f"{stem}_features.png"),
        args.grams or Path(f"{stem}_grams.png"),
    )

    from impasto.explain.features import feature_maps, plot_grams, plot_maps
    from impasto.explain.plots import check_plot

    for path in outputs:
        check_plot(path)
    check_outputs(dict(zip(("-o", "--grams"), outputs, strict=True)), [args.image])
    picture = load_picture(args.image, args.max_size)
    backbone = backbone_with_bar(args.backbone)
    maps = feature_maps(backbone, picture, args.layers)
    for line in aligned(_rows(backbone, maps)):
        print(line)
    plot_maps(maps, outputs[0], args.channels)
    plot_grams(maps, outputs[1])
    logger.info("wrote %s and %s", *outputs)
    return 0


def _draw_regions(args: argparse.Namespace, output: Path) -> int:
    if args.regions is None or args.artwork is None:
        raise InputError("regions are paired: give IMAGE, ARTWORK and --regions")
    count = RegionOptions(match="auto", regions=args.regions).regions
    if args.grams:
        raise InputError("--grams does nothing with --regions")

    from impasto.explain.plots import check_plot
    from impasto.explain.regions import plot_regions
    from impasto.image.masks import must_be_seen
    from impasto.stylizers.pairing import pair

    check_plot(output)
    check_outputs({"-o": output}, [args.image, args.artwork])
    photo, artwork = (load_picture(each, args.max_size) for each in (args.image, args.artwork))
    for picture in (photo, artwork):
        must_be_seen(picture)
    plot_regions(photo, pair(photo, artwork, count), output)
    logger.info("wrote %s", output)
    return 0


def _rows(backbone: Backbone, maps: dict[str, Tensor]) -> list[tuple[str, ...]]:
    from impasto.explain.features import receptive_field

    rows: list[tuple[str, ...]] = [("layer", "channels", "map", "stride", "receptive field")]
    for layer, planes in maps.items():
        field = receptive_field(backbone, layer)
        channels, height, width = map(str, planes.shape)
        rows.append(
            (layer, channels, f"{width} x {height}", f"{field.stride} px", f"{field.size} px")
        )
    return rows
