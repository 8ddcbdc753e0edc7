"""How good embedded backbones of several widths become under equal training: size against quality.

    python -m benchmarks.widths --steps 100 --pairs 4 --size 256 --plot widths.png

Each width starts in closed form and takes the same few gradient steps, so the table says what a
width is worth, not how good long training makes it: the last row is ``lite`` as shipped. VGG-16,
the teacher, judges the pictures.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks.common import DATA, PAIRS, find, table

WIDTHS = {"half": 0.5, "three quarters": 0.75, "as lite": 1.0, "one and a half": 1.5}
LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1")
MEASURES = ("content", "gram", "w2", "rgb")


def distil(arguments: argparse.Namespace, teacher: Any, width: float) -> Any:
    """Train a student of this width for the given number of steps."""
    from impasto.training.distill import DistillationTask
    from impasto.training.recipes import DistillationRecipe
    from impasto.training.trainer import Trainer

    data = arguments.data
    recipe = DistillationRecipe(width=width, steps=arguments.steps)
    task = DistillationTask(recipe, data / "content", data / "style", teacher)
    trainer = Trainer(task, "cpu", "float32")
    trainer.run()
    return trainer.average


def gram_errors(student: Any, teacher: Any, data: Path) -> list[float]:
    """By how much the student misjudges the Gram distance of two pictures: median per layer."""
    from impasto.image import load_image
    from impasto.losses import moments

    found: dict[str, list[float]] = {layer: [] for layer in LAYERS}
    for pair in PAIRS:
        a, b = (load_image(find(data, name), long_side=256).tensor() for name in pair)
        with torch.no_grad():
            ours = [student(image, LAYERS) for image in (a, b)]
            true = [teacher(image, LAYERS) for image in (a, b)]
        for layer in LAYERS:
            distances = []
            for maps in (ours, true):
                image, style = (moments(each[layer].float()).second for each in maps)
                distances.append(float((image - style).norm() / style.norm()))
            found[layer].append(abs(distances[0] / distances[1] - 1))
    return [statistics.median(found[layer]) for layer in LAYERS]


def paint(arguments: argparse.Namespace, backbone: Any, judge: Any) -> list[dict[str, float]]:
    """What the judge finds in each pair's picture."""
    from impasto.image import load_image
    from impasto.stylizers.optimize import Optimize

    stylizer = Optimize(backbone=backbone, max_size=arguments.size)
    verdicts = []
    for names in PAIRS[: arguments.pairs]:
        content, style = (
            load_image(find(arguments.data, name), long_side=arguments.size) for name in names
        )
        picture = stylizer.set_style(style)(content).picture
        found = judge(picture.tensor(), content.tensor(), style.tensor())
        verdicts.append({measure: float(getattr(found, measure)) for measure in MEASURES})
    return verdicts


def cost(widths: tuple[int, ...], heads: tuple[int, ...]) -> tuple[float, float]:
    """Parameters in millions, and multiplications per pixel of a pass in thousands."""
    plan = ((0, 0), (1, 1), (2, 2, 2), (3, 3, 3), (4,))
    channels, parameters, products = 3, 0.0, 0.0
    levels = [level for block in plan for level in block]
    for width, head, level in zip(widths, heads, levels, strict=True):
        weights = 9 * channels * width + head * width
        parameters += weights
        products += weights / 4**level
        channels = width
    return parameters / 1e6, products / 1e3


def shape_of(student: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Widths of the trunk and of the heads."""
    heads = [head.weight.shape for head in student.heads.values()]
    return tuple(shape[1] for shape in heads), tuple(shape[0] for shape in heads)


def plot(points: Mapping[str, tuple[float, float]], path: Path) -> None:
    """Draw the W2 ratio over the file's size."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, (size, ratio) in points.items():
        axes.plot(size, ratio, "o", color="#c2410c" if name == "lite, shipped" else "#334155")
        axes.annotate(name, (size, ratio), xytext=(6, 4), textcoords="offset points")
    axes.set(xlabel="file, MB", ylabel="style distance (W2) of its pictures over VGG-16's")
    axes.margins(x=0.35, y=0.2)
    axes.grid(alpha=0.3)
    figure.savefig(path)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the evaluation data")
    parser.add_argument("--steps", type=int, default=100, help="gradient steps of each width")
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--widths", nargs="+", choices=WIDTHS, default=[*WIDTHS])
    parser.add_argument("--plot", type=Path, help="draw size against quality")
    report(parser.parse_args())


def report(arguments: argparse.Namespace) -> None:
    """Train, paint and print."""
    from impasto.backbones import load_backbone
    from impasto.metrics import Judge

    teacher = load_backbone("vgg16", weights=arguments.data / "vgg16_features.safetensors")
    judge = Judge(teacher)
    goal = paint(arguments, teacher, judge)
    students = {name: WIDTHS[name] for name in arguments.widths}
    rows, points = [], {}
    for name in [*students, "lite, shipped"]:
        student: Any = (
            distil(arguments, teacher, students[name])
            if name in students
            else load_backbone("lite")
        )
        verdicts = paint(arguments, student, judge)
        ratios = {
            measure: statistics.median(
                ours[measure] / theirs[measure] for ours, theirs in zip(verdicts, goal, strict=True)
            )
            for measure in MEASURES
        }
        parameters, products = cost(*shape_of(student))
        points[name] = (2 * parameters, ratios["w2"])
        rows.append(
            [
                name,
                f"{2 * parameters:.1f} MB",
                f"{products:.0f} k",
                *(f"{error:.2f}" for error in gram_errors(student, teacher, arguments.data)),
                *(f"{ratios[measure]:.2f}" for measure in MEASURES),
            ]
        )
        print(" | ".join(rows[-1]), flush=True)
    print()
    heads = [f"Gram error {layer}" for layer in LAYERS]
    table(["width", "file", "products a pixel", *heads, *(f"{m} ratio" for m in MEASURES)], rows)
    if arguments.plot:
        plot(points, arguments.plot)


if __name__ == "__main__":
    main()
