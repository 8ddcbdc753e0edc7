"""How near and how much cheaper the embedded backbone is: lite against VGG-16.

    python benchmarks/backbone.py DATA --output FOLDER

DATA is a folder with content and style images (``eval_content``, ``eval_style``, ``gallery``) and
``vgg16_features.safetensors``. For each pair of pictures both backbones paint with the default
settings, and VGG-16 judges. Steps are timed in processes of their own, in turn, so that a busy
machine slows both. Writes the pictures, a sheet of them, and ``backbone.json``.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PAIRS = (
    ("golden_gate", "starry_night_van_gogh"),
    ("tuebingen_neckarfront", "the_scream_munch"),
    ("chicago", "udnie_picabia"),
    ("cornell", "water_lilies_monet"),
    ("sailboat", "great_wave_hokusai"),
    ("tiger", "composition_vii_kandinsky"),
    ("ocean_cove", "shipwreck_turner"),
    ("venice_gondolas", "roman_mosaic_duck"),
    ("new_york_skyline", "sketch_pencil"),
    ("flower_garden", "antimonocromatismo"),
)
FOLDERS = ("eval_content", "eval_style", "gallery")
BACKBONES = ("vgg16", "lite")
MEASURES = ("content", "gram", "w2", "rgb")
ROUNDS = 3  # processes per backbone; the best of their times counts
STEPS = 8  # timed in each process, after two that warm up


def main() -> None:
    arguments = _parser().parse_args()
    if arguments.step:
        print(json.dumps(time_step(arguments.data, arguments.step, arguments.precision)))
        return
    arguments.output.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {"size": arguments.size}
    report["speed"] = {
        precision: compare_speed(arguments.data, precision) for precision in ("bfloat16", "float32")
    }
    report["pairs"] = compare_pictures(arguments)
    report["ratios"] = summarise(report["pairs"])
    (arguments.output / "backbone.json").write_text(json.dumps(report, indent=1))
    show(report)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder of the pictures and VGG-16's weights")
    parser.add_argument("--output", type=Path, default=Path("backbone-benchmark"))
    parser.add_argument("--pairs", type=int, default=len(PAIRS), help="how many of the pairs")
    parser.add_argument("--size", type=int, default=512, help="longer side of the pictures")
    parser.add_argument("--step", choices=BACKBONES, help=argparse.SUPPRESS)
    parser.add_argument("--precision", default="bfloat16", help=argparse.SUPPRESS)
    return parser


def load(data: Path, name: str) -> Any:
    from impasto.backbones import load_backbone

    weights = data / "vgg16_features.safetensors" if name == "vgg16" else None
    return load_backbone(name, weights=weights)


def time_step(data: Path, name: str, precision: str) -> dict[str, float]:
    """Time one evaluation of the default loss and its gradient at 512 x 512, in this process."""
    import torch

    from impasto.devices import keep_memory
    from impasto.optimize.objective import Objective, Source
    from impasto.options import OptimizeOptions

    keep_memory()
    network = load(data, name).to(getattr(torch, precision)).to(memory_format=torch.channels_last)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    random = torch.Generator().manual_seed(0)
    content, style = (torch.rand(1, 3, 512, 512, generator=random) for _ in range(2))
    options = OptimizeOptions(style_loss="gram")
    objective = Objective(network, Source(content), [Source(style)], [1.0], options)
    image = content.clone(memory_format=torch.channels_last).requires_grad_()
    times = []
    for _ in range(STEPS + 2):
        started = time.perf_counter()
        image.grad = None
        torch.stack(list(objective(image).values())).sum().backward()  # type: ignore[no-untyped-call]
        times.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"seconds": min(times[2:]), "peak_mib": peak / 1024, "step_mib": (peak - before) / 1024}


def compare_speed(data: Path, precision: str) -> dict[str, dict[str, float]]:
    """Time both backbones in turn, in processes of their own."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in BACKBONES}
    for _ in range(ROUNDS):
        for name in BACKBONES:
            command = [sys.executable, __file__, str(data), "--step", name]
            done = subprocess.run(
                [*command, "--precision", precision], check=True, capture_output=True, text=True
            )
            runs[name].append(json.loads(done.stdout))
    return {
        name: {key: min(run[key] for run in listed) for key in listed[0]}
        for name, listed in runs.items()
    }


def find(data: Path, name: str) -> Path:
    return next(path for folder in FOLDERS for path in sorted((data / folder).glob(f"{name}.*")))


def compare_pictures(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Paint and judge every pair with both backbones; write the pictures and the sheet."""
    from dataclasses import asdict

    from impasto.explain.strip import sheet
    from impasto.image import fit, load_image, save_image
    from impasto.metrics import Judge
    from impasto.optimize import Optimize

    judge = Judge(load(arguments.data, "vgg16"))
    stylizers = {
        name: Optimize(max_size=arguments.size, backbone=load(arguments.data, name))
        for name in BACKBONES
    }
    records, rows, labels = [], [], []
    for content_name, style_name in PAIRS[: arguments.pairs]:
        content, style = (
            load_image(find(arguments.data, name)) for name in (content_name, style_name)
        )
        record: dict[str, Any] = {"content": content_name, "style": style_name}
        row = [content, style]
        for name, stylizer in stylizers.items():
            result = stylizer(content, style)
            picture = result.picture
            artwork = style.resized(*fit(style.size, max(picture.size)))
            distances = judge(
                picture.tensor(), content.resized(*picture.size).tensor(), artwork.tensor()
            )
            record[name] = {**asdict(distances), "seconds": result.seconds}
            save_image(picture, arguments.output / f"{content_name}_{name}.png")
            row.append(picture)
        records.append(record)
        rows.append(row)
        labels.append(f"{content_name} / {style_name}")
        print(content_name, {m: round(record["lite"][m] / record["vgg16"][m], 2) for m in MEASURES})
    picture = sheet(rows, column_labels=["content", "style", *BACKBONES], row_labels=labels)
    save_image(picture, arguments.output / "backbone.png")
    return records


def summarise(records: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Median and largest ratio of lite's distances to VGG-16's."""
    ratios = {key: [r["lite"][key] / r["vgg16"][key] for r in records] for key in MEASURES}
    return {
        key: {"median": statistics.median(listed), "max": max(listed)}
        for key, listed in ratios.items()
    }


def show(report: dict[str, Any]) -> None:
    """Print the report as tables for a person."""
    print(f"\ndistances to VGG-16's judgement at {report['size']} px, lite / vgg16")
    for key, ratio in report["ratios"].items():
        print(f"  {key:8} median {ratio['median']:.2f}  largest {ratio['max']:.2f}")
    print("\na step at 512 x 512 (loss and gradient)")
    for precision, backbones in report["speed"].items():
        for name, row in backbones.items():
            print(f"  {precision:8} {name:6} {row['seconds']:.3f} s  {row['step_mib']:.0f} MiB")
        factor = backbones["vgg16"]["seconds"] / backbones["lite"]["seconds"]
        print(f"  {precision:8} lite is {factor:.1f} times faster")


if __name__ == "__main__":
    main()
