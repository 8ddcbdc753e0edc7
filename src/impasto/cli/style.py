"""``impasto style``: a body of work as one small file."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command with its actions."""
    parser = subparsers.add_parser(
        "style",
        help="pack a folder of artworks into a style that travels without them",
        description="Pack a folder of artworks into a style that travels without them, and tell "
        "what a pack was made of.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    pack = actions.add_parser("pack", help="write the statistics of a folder of artworks")
    pack.add_argument("folder", metavar="FOLDER")
    pack.add_argument("-o", "--output", metavar="FILE", help="default: FOLDER.style, here")
    pack.add_argument(
        "--max-size",
        type=int,
        default=1024,
        metavar="PX",
        help="longest side at which the artworks are looked at (default: 1024)",
    )
    pack.add_argument(
        "--backbones",
        nargs="+",
        default=["lite", "vgg16"],
        metavar="NAME",
        help="those of --method optimize that it is for (default: lite vgg16)",
    )
    pack.set_defaults(run=_pack)
    show = actions.add_parser("show", help="tell what a pack was made of")
    show.add_argument("pack", metavar="FILE")
    show.set_defaults(run=_show)


def _pack(args: argparse.Namespace) -> int:
    from impasto.api import pack_style

    output = Path(args.output or f"{Path(args.folder).resolve().name}.style")
    pack = pack_style(args.folder, output, max_size=args.max_size, backbones=args.backbones)
    size = output.stat().st_size / 1e6
    logger.info("wrote %s (%d pictures, %.1f MB)", output, len(pack.sources), size)
    return 0


def _show(args: argparse.Namespace) -> int:
    from impasto.stylizers.body.pack_file import read_pack

    pack = read_pack(args.pack)
    for eye, table in pack.tables.items():
        print(f"{eye}: {', '.join(map(str, sorted(table)))} px")
    print(f"{len(pack.sources)} pictures: {', '.join(pack.sources)}")
    return 0
