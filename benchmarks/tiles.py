"""Large pictures: exactness, memory and time of tiles beside one piece.

    python -m benchmarks.tiles --picture out.tiff --crop crop.png

Prints (a) how far the gradient in tiles is from that in one piece, in float32, (b) the peak memory
of a step against the size, each in a process of its own, (c) the time of a step at 1024 px, and
(d) the peak memory of the whole command at 4096 x 3072 px under 4 GB. Needs no data: the pictures
are drawn by Impasto itself.
"""

from __future__ import annotations

import argparse
import io
import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchmarks.common import alone, seconds, table
from impasto.options import OptimizeOptions

SIZES = (512, 1024, 2048, 4096)
# An untiled step beyond this size would take more memory than most machines have.
LARGEST_PIECE = 2048


def make(height: int, width: int, tile: int, *, keep_maps: bool = True) -> tuple[object, Tensor]:
    """An objective of the default losses and an image for it, in float32."""
    from impasto.losses import Source
    from impasto.stylizers.optimize import Optimize
    from impasto.stylizers.optimize.objective import Objective

    stylizer = Optimize(precision="float32")
    generator = torch.Generator().manual_seed(0)
    image, content = torch.rand(2, 1, 3, height, width, generator=generator).unbind()
    styles = [Source(torch.rand(1, 3, 300, 401, generator=generator))]
    common = (stylizer.backbone, Source(content), styles, [1.0], stylizer.options)
    return Objective(*common, tile=tile, keep_maps=keep_maps), image


def gradient(height: int, width: int, tile: int) -> Tensor:
    """The gradient of the default losses."""
    objective, image = make(height, width, tile)
    grad: Tensor = objective.gradient(image)[1]  # type: ignore[attr-defined]
    return grad


def report_exactness(sizes: list[tuple[int, int]]) -> None:
    """Part (a)."""
    rows = []
    for height, width in sizes:
        whole = gradient(height, width, 0)
        for tile in (64, 160, 256):
            error = (gradient(height, width, tile) - whole).norm() / whole.norm()
            rows.append([f"{width} x {height}", tile, f"{float(error):.1e}"])
    table(["image", "tile", "relative error of the gradient"], rows)


def one_step(size: int, tile: int) -> None:
    """One evaluation on a square image."""
    gradient(size, size, tile)


def report_memory(sizes: list[int], tile: int) -> None:
    """Part (b)."""
    rows = []
    for size in sizes:
        whole = f"{alone(one_step, size, 0)[1]:.0f} MB" if size <= LARGEST_PIECE else "not tried"
        rows.append([f"{size} x {size}", whole, f"{alone(one_step, size, tile)[1]:.0f} MB"])
    table(["one step", "in one piece", f"in tiles of {tile} px"], rows)


def time_step(size: int, tile: int) -> float:
    """Median seconds of an evaluation on a square image."""
    objective, image = make(size, size, tile)
    return seconds(lambda: objective.gradient(image), 3)  # type: ignore[attr-defined]


def report_time(size: int) -> None:
    """Part (c)."""
    whole, _ = alone(time_step, size, 0)
    rows = [["one piece", f"{whole:.2f} s", "1.00"]]
    for tile in (size // 4, size // 2):
        took, _ = alone(time_step, size, tile)
        rows.append([f"tiles of {tile} px", f"{took:.2f} s", f"{took / whole:.2f}"])
    table([f"step at {size} x {size}", "time", "over one piece"], rows)


def paint(arguments: argparse.Namespace) -> None:
    """The whole way from a photo to a file."""
    import impasto
    from impasto.image import load_image
    from impasto.pictures import artwork_path

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    width, height = arguments.size
    photo = load_image(arguments.photo or artwork_path("poppy-watercolor"))
    result = impasto.stylize(
        photo.resized(height, width),
        artwork_path("night-wind"),
        max_size=max(width, height),
        steps=arguments.steps,
        memory=arguments.memory,
        precision=arguments.precision,
    )
    result.save(arguments.picture or io.BytesIO(), bits=16, format="tiff")


def report_command(arguments: argparse.Namespace) -> None:
    """Part (d)."""
    width, height = arguments.size
    _, peak = alone(paint, arguments)
    print(f"{width} x {height} px, {arguments.steps} steps, memory {arguments.memory}: ", end="")
    print(f"peak {peak / 1024:.2f} GB")
    if arguments.picture and arguments.crop:
        _write_crop(arguments.picture, arguments.crop)


def _write_crop(picture: Path, target: Path) -> None:
    """A middle part, where tiles meet."""
    from impasto.image import Picture, load_image, save_image

    rgb = load_image(picture).rgb
    top, left = (side // 2 - 384 for side in rgb.shape[:2])
    save_image(Picture(np.array(rgb[max(top, 0) :][:768, max(left, 0) :][:, :768])), target)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--parts", default="abcd", help="which parts to run (default: abcd)")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--tile", type=int, default=512)
    parser.add_argument("--size", type=int, nargs=2, default=[4096, 3072], help="of (d)")
    parser.add_argument("--steps", type=int, default=OptimizeOptions().steps, help="of (d)")
    parser.add_argument("--photo", help="of (d); enlarged to the size (default: a drawn one)")
    parser.add_argument("--precision", default="auto", help="of (d)")
    parser.add_argument("--memory", default="4GB", help="of (d)")
    parser.add_argument("--time-size", type=int, default=1024, help="of (c)")
    parser.add_argument("--picture", type=Path, help="write the picture of (d), 16 bits")
    parser.add_argument("--crop", type=Path, help="write a part of it where tiles meet")
    arguments = parser.parse_args()
    parts = {
        "a": lambda: report_exactness([(203, 301), (257, 511), (500, 333)]),
        "b": lambda: report_memory(arguments.sizes, arguments.tile),
        "c": lambda: report_time(arguments.time_size),
        "d": lambda: report_command(arguments),
    }
    for part in arguments.parts:
        parts[part]()
        print()


if __name__ == "__main__":
    main()
