"""Throughput of ``impasto batch``: in this process, on Ray, and on Ray with workers killed.

    python -m benchmarks.batch --pictures 200 --workers 2
    python -m benchmarks.batch --pictures 600 --only killed  # every 20 s for two minutes

Makes small pictures, paints them with a network that comes with the package (or another), and
checks after every run that each output is there once and the manifest complete. Ray is compared
with this process on as many cores, from the first finished picture on, when all has started up.
"""

from __future__ import annotations

import argparse
import functools
import math
import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import table

KILLING = 120  # seconds from the first picture on, after which workers are left alive


@dataclass(frozen=True)
class Painted:
    """How a run went.

    Attributes:
        seconds: That it took.
        first: Seconds until the first picture was finished.
        rate: Pictures a second after it.
        each: Seconds that a picture took its worker, on average.
        killed: How many workers were killed on the way.
        whole: Whether each output is there once and the manifest complete.
    """

    seconds: float
    first: float
    rate: float
    each: float
    killed: int
    whole: bool


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill-every", type=float, default=20, metavar="SECONDS")
    parser.add_argument("--only", default="", metavar="WORD", help="runs with this in their name")
    parser.add_argument("--model", help="a per-style model")
    parser.add_argument("--engine", choices=("auto", "torch", "onnx"), default="auto")
    args = parser.parse_args()
    # Ray's workers give way to all others by default, which compares nothing on a busy machine.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112
    with tempfile.TemporaryDirectory() as folder:
        _compare(args, Path(folder))


def _compare(args: argparse.Namespace, folder: Path) -> None:
    from impasto.batch import on_ray
    from impasto.batch.engine import local

    many, pause = args.workers, args.kill_every
    _write_pictures(folder / "in", args.pictures, args.size)
    runs: list[tuple[str, Any, int, float]] = [
        ("local, 1 core", local, 1, math.inf),
        ("ray, 1 worker", on_ray.engine(workers=1), 1, math.inf),
        (f"local, {many} cores", local, many, math.inf),
        (f"ray, {many} workers", on_ray.engine(workers=many), many, math.inf),
        (f"ray, one killed every {pause:g} s", on_ray.engine(workers=many), many, pause),
    ]
    runs = [run for run in runs if args.only in run[0]]
    painted = [_run(args, folder, *run) for run in runs]
    table(
        ["engine", "s", "to the first", "pictures/s after", "s each", "killed", "all there once"],
        [
            [
                name,
                *(f"{x:.2f}" for x in (run.seconds, run.first, run.rate, run.each)),
                run.killed,
                run.whole,
            ]
            for (name, *_), run in zip(runs, painted, strict=True)
        ],
    )
    for here, there in () if args.only else (painted[0:2], painted[2:4]):
        print(f"overhead of Ray past start-up: {100 * (here.rate / there.rate - 1):.0f} %")


def _run(
    args: argparse.Namespace, folder: Path, name: str, engine: Any, cores: int, kill_every: float
) -> Painted:
    from impasto.batch import Manifest, Setup, plan, run
    from impasto.stylizers.networks.stylizer import Fast

    _use_cores(cores)
    load = functools.partial(Fast, model=args.model, engine=args.engine, device="cpu")
    output = folder / name.replace(" ", "_")
    items = plan([str(folder / "in")], load().styles[:1], str(output), name="{name}.jpg")
    began, times, kills = time.perf_counter(), [], [0.0]

    def tell(*_: object) -> None:
        times.append(time.perf_counter() - began)
        due = times[-1] - kills[-1] > kill_every and times[-1] - times[0] < KILLING
        if due and _kill_a_worker():
            kills.append(times[-1])

    with Manifest(output / "manifest.jsonl") as manifest:
        summary = run(items, Setup(load, by_name=True), manifest, engine=engine, tell=tell)
        records = list(manifest.records())
    outputs = [record["output"] for record in records]
    files = {str(path) for path in output.glob("*.jpg")}
    wanted = {item.output for item in items}
    whole = summary.done == len(items) == len(outputs) and set(outputs) == files == wanted
    each = statistics.mean(record["seconds"] for record in records)
    rate = (len(times) - 1) / (times[-1] - times[0])
    return Painted(times[-1], times[0], rate, each, len(kills) - 1, whole)


def _use_cores(count: int) -> None:
    """Paint on so many cores in this process, in torch and in ONNX Runtime."""
    import torch

    os.environ["OMP_NUM_THREADS"] = str(count)
    torch.set_num_threads(count)


def _kill_a_worker() -> bool:
    """Kill one of Ray's workers that this process started, as a lost machine would."""
    found = subprocess.run(
        ["pgrep", "-f", "ray::.*_RayWorker", "-u", str(os.getuid())],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = _ours(found.stdout.split())[:1]
    for line in ours:
        os.kill(int(line), signal.SIGKILL)
    return bool(ours)


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


def _write_pictures(folder: Path, count: int, size: int) -> None:
    from impasto.image import Picture, save_image

    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(count):
        rough = Picture(random.random((9, 12, 3), np.float32))
        save_image(rough.resized(size * 3 // 4, size), folder / f"{index:04d}.jpg")


if __name__ == "__main__":
    main()
