"""What each style loss makes of the same time, and of all the time it wants.

    python -m benchmarks.styles --pairs 5 --size 512 --sheet sheet.png

Gram matrices, Wasserstein-2 distances, both, nearest neighbours, and all three, each with the
default options but for the loss and its weight. First every loss gets the steps that fit into the
time that the default takes; then many times as many ("converged"). Pictures are judged with VGG-16
and not with the backbone that they were made with. A table for each, the mean over the pairs last,
and a sheet.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.common import DATA, PAIRS, alone, find, table
from impasto.options import OptimizeOptions

# Each with a style weight that leaves about as much of the content as the default does: only then
# can the style distances be compared.
LOSSES = {"gram": 7.0, "w2": 5.0, "gram+w2": 2.8, "nn": 2.8, "gram+w2+nn": 2.0}
REFERENCE = "gram+w2"
# A run that took this much more or less than its time is run again with other steps.
TOLERANCE = 0.1


@dataclass(frozen=True)
class Task:
    """One picture to paint."""

    data: Path
    content: str
    style: str
    loss: str
    size: int
    steps: int
    backbone: str


@dataclass(frozen=True)
class Painting:
    """What came of it: ``(1, 3, H, W)``, the steps and seconds it took, peak memory in MB."""

    pixels: NDArray[np.float32]
    steps: int
    seconds: float
    memory: float


def paint(task: Task) -> Painting:
    """Paint in a process of its own."""
    (pixels, took), peak = alone(_paint, task)
    return Painting(pixels, task.steps, took, peak)


def _paint(task: Task) -> tuple[NDArray[np.float32], float]:
    from impasto.stylizers.optimize import Optimize

    weights = str(task.data / "vgg16_features.safetensors") if task.backbone == "vgg16" else None
    stylizer = Optimize(
        OptimizeOptions(
            backbone=task.backbone,
            weights=weights,
            max_size=task.size,
            steps=task.steps,
            style_loss=task.loss,  # type: ignore[arg-type]
            style_weight=LOSSES[task.loss],
        )
    )
    result = stylizer.set_style(find(task.data, task.style))(find(task.data, task.content))
    return result.picture.tensor().numpy(), result.seconds


def paint_in(seconds: float, task: Task) -> Painting:
    """Paint with as many steps as fit into a time, judged by a run with the task's own steps."""
    painting = paint(task)
    if abs(painting.seconds / seconds - 1) <= TOLERANCE:
        return painting
    steps = max(1, round(task.steps * seconds / painting.seconds))
    return paint(replace(task, steps=steps))


def paint_pair(content: str, style: str, arguments: argparse.Namespace) -> list[list[Painting]]:
    """All losses at equal time, and all of them converged."""
    settings = arguments.size, arguments.steps, arguments.backbone
    tasks = [Task(arguments.data, content, style, loss, *settings) for loss in LOSSES]
    reference = paint(next(task for task in tasks if task.loss == REFERENCE))
    equal = [
        reference if task.loss == REFERENCE else paint_in(reference.seconds, task) for task in tasks
    ]
    longer = arguments.steps * arguments.converged
    return [equal, [paint(replace(task, steps=longer)) for task in tasks]]


class Report:
    """Judges pictures and collects the rows of the tables.

    Args:
        arguments: Of the command line.
    """

    TITLES = ("in equal time", "converged")

    def __init__(self, arguments: argparse.Namespace) -> None:
        from impasto.backbones import load_backbone
        from impasto.metrics import Judge

        self.arguments = arguments
        weights = arguments.data / "vgg16_features.safetensors"
        self.judge = Judge(load_backbone("vgg16", weights=weights))
        self.rows: tuple[list[list[Any]], ...] = ([], [])
        self.sheet: list[list[Any]] = []

    def add(self, content: str, style: str, runs: list[list[Painting]]) -> None:
        """Take up the pictures of a pair."""
        from impasto.image import Picture, fit, load_image

        data, size = self.arguments.data, self.arguments.size
        photo = load_image(find(data, content), long_side=size)
        artwork = load_image(find(data, style))
        artwork = artwork.resized(*fit(artwork.size, size))
        for rows, paintings in zip(self.rows, runs, strict=True):
            pictures = [torch.from_numpy(painting.pixels) for painting in paintings]
            for loss, painting, picture in zip(LOSSES, paintings, pictures, strict=True):
                found = self.judge(picture, photo.tensor(), artwork.tensor())
                distances = [found.content, found.gram, found.w2, found.rgb]
                numbers = [*distances, painting.steps, painting.seconds, painting.memory]
                rows.append([f"{content} / {style}", loss, *numbers])
                print(" | ".join(_written(rows[-1])), flush=True)
            self.sheet.append([photo, artwork, *map(Picture.from_tensor, pictures)])

    def show(self) -> None:
        """Print the tables and write the sheet."""
        heads = ["pair", "loss", "content", "gram", "w2", "rgb", "steps", "seconds", "MB"]
        for title, rows in zip(self.TITLES, self.rows, strict=True):
            means = [
                [
                    "mean",
                    loss,
                    *map(fmean, zip(*(r[2:] for r in rows if r[1] == loss), strict=True)),
                ]
                for loss in LOSSES
            ]
            print(f"\n{title}:")
            table(heads, [_written(row) for row in (*rows, *means)])
        if self.arguments.sheet:
            self._write_sheet()

    def _write_sheet(self) -> None:
        from impasto.image import save_image
        from impasto.media.sheet import sheet

        captions = [[title, "artwork", *LOSSES] for _ in self.sheet[::2] for title in self.TITLES]
        picture = sheet(self.sheet, captions, height=min(384, self.arguments.size))
        save_image(picture, self.arguments.sheet)


def _written(row: list[Any]) -> list[str]:
    pair, loss, *distances = row[:6]
    steps, took, memory = row[6:]
    written = [f"{value:.4f}" for value in distances]
    return [pair, loss, *written, f"{steps:.0f}", f"{took:.1f}", f"{memory:.0f}"]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the evaluation data")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument(
        "--steps", type=int, default=OptimizeOptions().steps, help="of the default loss"
    )
    parser.add_argument("--converged", type=int, default=4, help="times as many steps")
    parser.add_argument("--backbone", default="lite", choices=("lite", "vgg16"))
    parser.add_argument("--sheet", type=Path, help="write the pictures side by side")
    arguments = parser.parse_args()
    report = Report(arguments)
    for content, style in PAIRS[: arguments.pairs]:
        report.add(content, style, paint_pair(content, style, arguments))
    report.show()


if __name__ == "__main__":
    main()
