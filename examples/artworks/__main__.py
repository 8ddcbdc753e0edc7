"""Draws artworks into files named after them: those named, or all.

    python examples/artworks night-wind --size 1024 --seed 3

The package's own were made by ``python examples/artworks --folder src/impasto/pictures/artworks``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a folder that is run is no package

from artworks import PAINTERS, draw


def main() -> None:
    """Draw what the command line asks for."""
    parser = argparse.ArgumentParser(prog="artworks", description="Draw Impasto's artworks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(PAINTERS)}, or all")
    parser.add_argument("--size", type=int, default=512, metavar="PX", help="16 to 2048")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="another hand")
    parser.add_argument("--folder", type=Path, default=Path(), metavar="DIR", help="where to")
    args = parser.parse_args()
    unknown = set(args.names) - set(PAINTERS)
    if unknown or not 16 <= args.size <= 2048 or args.seed < 0:
        parser.error(f"unknown artworks {unknown}" if unknown else "size or seed out of range")
    for name in args.names or PAINTERS:
        draw(name, args.size, args.seed).save(args.folder / f"{name}.webp", quality=86)


if __name__ == "__main__":
    main()
