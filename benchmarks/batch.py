"""Throughput of ``impasto batch``: in this process, on Ray, and on Ray with a worker killed.

    python -m benchmarks.batch --pictures 200 --model model.safetensors

Makes small pictures, paints them with a network (a random one if no model is given: the time is
the same), and checks after every run that each output is there once and the manifest complete.
The time on Ray is counted from the first finished picture on, when all has started up.
"""

from __future__ import annotations

import argparse
import functools
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--model", help="a per-style model")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        _compare(args, Path(folder))


def _compare(args: argparse.Namespace, folder: Path) -> None:
    from impasto.batch import on_ray
    from impasto.batch.engine import local

    model = args.model or _random_model(folder / "random.safetensors")
    _write_pictures(folder / "in", args.pictures, args.size)
    ray = functools.partial(on_ray.engine, workers=args.workers)
    rows, rates = [], {}
    runs: list[tuple[str, Any, int | None]] = [
        ("local", local, None),
        ("ray, 1 worker", on_ray.engine(workers=1), None),
        (f"ray, {args.workers} workers", ray(), None),
        ("ray, one killed half-way", ray(), args.pictures // 2),
    ]
    for name, engine, kill_at in runs:
        seconds, first, whole = _run(folder, name, engine, model, kill_at)
        rates[name] = (args.pictures - 1) / (seconds - first)
        rows.append([name, f"{seconds:.1f}", f"{first:.1f}", f"{rates[name]:.2f}", whole])
    table(["engine", "seconds", "till the first", "pictures/s after it", "all there once"], rows)
    overhead = rates["local"] / rates["ray, 1 worker"] - 1
    print(f"overhead of Ray past start-up, one worker beside none: {100 * overhead:.0f} %")


def _run(
    folder: Path, name: str, engine: Any, model: str, kill_at: int | None
) -> tuple[float, float, bool]:
    """Seconds in all, seconds until the first picture, and whether all is there once."""
    from impasto.batch import Manifest, Recipe, plan, run
    from impasto.networks import Fast

    output = folder / name.replace(" ", "_")
    items = plan([str(folder / "in")], ["random"], str(output), name="{name}.jpg")
    load = functools.partial(Fast, model=model, device="cpu")
    recipe = Recipe(_first_style(load), {"model": model}, by_name=True)
    began, times = time.perf_counter(), []

    def tell(*_: object) -> None:
        times.append(time.perf_counter() - began)
        if len(times) == kill_at:
            _kill_a_worker()

    with Manifest(output / "manifest.jsonl") as manifest:
        summary = run(items, recipe, manifest, engine=engine, tell=tell)
        records = [record["output"] for record in manifest.records()]
    files = {str(path) for path in output.glob("*.jpg")}
    wanted = {item.output for item in items}
    whole = summary.done == len(items) == len(records) and set(records) == files == wanted
    return times[-1], times[0], whole


def _first_style(load: Callable[[], Any]) -> Callable[[], Any]:
    """A stylizer that takes any name for its only style."""

    def loaded() -> Any:
        stylizer = load()
        set_style = stylizer.set_style
        stylizer.set_style = lambda _name: set_style(stylizer.styles[0])
        return stylizer

    return loaded


def _kill_a_worker() -> None:
    """Kill one of Ray's workers that this process started, as a lost machine would."""
    found = subprocess.run(
        ["pgrep", "-f", "ray::.*_RayWorker", "-u", str(os.getuid())],
        capture_output=True,
        text=True,
        check=False,
    )
    for line in _ours(found.stdout.split())[:1]:
        os.kill(int(line), signal.SIGKILL)


def _ours(pids: Sequence[str]) -> list[str]:
    """Those that descend from this process."""

    def parent(pid: str) -> str:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1]

    def descends(pid: str) -> bool:
        while int(pid) > 1:
            pid = parent(pid)
            if pid == str(os.getpid()):
                return True
        return False

    return [pid for pid in pids if descends(pid)]


def _random_model(path: Path) -> str:
    from impasto.networks.description import Architecture, Description
    from impasto.networks.files import build, save_model

    description = Description("fast", Architecture(), ("random",))
    save_model(build(description), description, path)
    return str(path)


def _write_pictures(folder: Path, count: int, size: int) -> None:
    from impasto.image import Picture, save_image

    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(count):
        rough = Picture(random.random((9, 12, 3), np.float32))
        save_image(rough.resized(size * 3 // 4, size), folder / f"{index:04d}.jpg")


if __name__ == "__main__":
    main()
