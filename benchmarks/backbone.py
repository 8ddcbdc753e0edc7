"""How near to VGG-16 the embedded backbone comes, and how much cheaper it is.

    python -m benchmarks.backbone --pairs 10 --size 512 --sheet sheet.png

Both backbones paint each pair with the default settings; VGG-16 judges. Steps and a whole
``impasto stylize`` are timed in processes of their own.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.common import DATA, PAIRS, alone, find, seconds, table
from impasto.devices import pick_dtype

BACKBONES = ("vgg16", "lite")
MEASURES = ("content", "gram", "w2", "rgb")


def options(data: Path, name: str, **others: Any) -> Any:
    """The default options with this backbone."""
    from impasto.options import OptimizeOptions

    weights = str(data / "vgg16_features.safetensors") if name == "vgg16" else None
    return OptimizeOptions(backbone=name, weights=weights, **others)


def time_step(data: Path, name: str, precision: str, side: int) -> float:
    """Median seconds of one evaluation of the default loss and its gradient."""
    from impasto.losses import Source
    from impasto.stylizers.optimize import Optimize
    from impasto.stylizers.optimize.objective import Objective

    stylizer = Optimize(options(data, name, precision=precision))
    image, content, style = torch.rand(3, 1, 3, side, side).unbind()
    objective = Objective(
        stylizer.backbone, Source(content), [Source(style)], [1.0], stylizer.options
    )
    return seconds(lambda: objective.gradient(image))


def report_steps(data: Path) -> None:
    """Print time and memory of a step.

    Memory is counted from that of a process that makes small steps: it has loaded weights and the
    code of libraries, which are not the step's.
    """
    rows = []
    quick = pick_dtype("auto", torch.device("cpu"))
    # Without units for bfloat16 a step takes minutes.
    for precision in ("float32",) if quick == torch.float32 else ("bfloat16", "float32"):
        times, memory = {}, {}
        for name in BACKBONES:
            _, base = alone(time_step, data, name, precision, 64)
            times[name], peak = alone(time_step, data, name, precision, 512)
            memory[name] = peak - base
        rows.append(
            [
                precision,
                *(f"{times[name]:.3f} s" for name in BACKBONES),
                f"{times['vgg16'] / times['lite']:.1f} x",
                *(f"{memory[name]:.0f} MB" for name in BACKBONES),
                f"{memory['vgg16'] / memory['lite']:.1f} x",
            ]
        )
    heads = ["step at 512 x 512", *BACKBONES, "faster", "vgg16 memory", "lite memory", "less"]
    table(heads, rows)


def report_process(data: Path) -> None:
    """Print the time of the whole command with its default settings."""
    content, style = (str(find(data, name)) for name in PAIRS[0])
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "impasto", "-q", "stylize", content, style]
        began = time.perf_counter()
        subprocess.run([*command, "-o", str(Path(folder) / "out.png")], check=True)
        print(
            f"\nimpasto stylize at 512 px, the whole command: {time.perf_counter() - began:.1f} s"
        )


def report_pictures(arguments: argparse.Namespace) -> None:
    """Paint and judge every pair with both backbones; print ratios, write the sheet."""
    from impasto.backbones import load_backbone
    from impasto.image import load_image, save_image
    from impasto.media.sheet import sheet
    from impasto.metrics import Judge
    from impasto.stylizers.optimize import Optimize

    data, size = arguments.data, arguments.size
    judge = Judge(load_backbone("vgg16", weights=data / "vgg16_features.safetensors"))
    stylizers = {name: Optimize(options(data, name, max_size=size)) for name in BACKBONES}
    ratios: dict[str, list[float]] = {measure: [] for measure in MEASURES}
    rows, pictures = [], []
    for pair in PAIRS[: arguments.pairs]:
        content, style = (load_image(find(data, name), long_side=size) for name in pair)
        results = {name: stylizer.set_style(style)(content) for name, stylizer in stylizers.items()}
        found = {
            name: judge(result.picture.tensor(), content.tensor(), style.tensor())
            for name, result in results.items()
        }
        cells = []
        for measure in MEASURES:
            full, lite = (float(getattr(found[name], measure)) for name in ("vgg16", "lite"))
            ratios[measure].append(lite / full)
            cells.append(f"{full:.4f} / {lite:.4f}")
        times = " / ".join(f"{results[name].seconds:.1f}" for name in BACKBONES)
        rows.append([" / ".join(pair), *cells, times])
        pictures.append([content, style, *(results[name].picture for name in BACKBONES)])
    print()
    table(["pair (vgg16 / lite)", *MEASURES, "seconds"], rows)
    print("\nlite over vgg16")
    table(
        ["", "median", "largest"],
        [[m, f"{statistics.median(ratios[m]):.2f}", f"{max(ratios[m]):.2f}"] for m in MEASURES],
    )
    if arguments.sheet:
        labels = ["photo", "artwork", *BACKBONES]
        save_image(sheet(pictures, [labels], height=320), arguments.sheet)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the evaluation data")
    parser.add_argument("--pairs", type=int, default=len(PAIRS))
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--sheet", type=Path, help="write the pictures side by side")
    arguments = parser.parse_args()
    report_steps(arguments.data)
    report_process(arguments.data)
    report_pictures(arguments)


if __name__ == "__main__":
    main()
