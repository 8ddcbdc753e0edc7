"""What the benchmarks share: the evaluation pairs, processes of their own, tables."""

from __future__ import annotations

import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

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
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

T = TypeVar("T")


def find(data: Path, name: str) -> Path:
    """The file of a content or style image by its name without suffix."""
    for folder in ("eval_content", "gallery", "eval_style"):
        for path in sorted((data / folder).glob(f"{name}.*")):
            return path
    raise SystemExit(f"{name} is not in {data}: give the folder of the evaluation data by --data")


def alone(work: Callable[..., T], *arguments: Any) -> tuple[T, float]:
    """Run a function in a process of its own.

    Call it while this process is small: Linux counts a child's peak from its parent's.

    Returns:
        Its result and the peak memory of the process in MB (with that of importing torch).
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(_with_peak, work, *arguments).result()


def _with_peak(work: Callable[..., T], *arguments: Any) -> tuple[T, float]:
    result = work(*arguments)
    return result, _megabytes(resource.getrusage(resource.RUSAGE_SELF))


class Ran(NamedTuple):
    """A command that ran: what it printed, wall and processor time, peak memory in MB."""

    printed: str
    seconds: float
    processor: float
    memory: float


def command(*words: str | Path, **environment: str) -> Ran:
    """Run a command, with more variables in its environment.

    Call it while this process is small, as for ``alone``, if the memory matters.
    """
    began = time.perf_counter()
    surroundings = {**os.environ, **environment}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=surroundings) as process:
        printed = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, words))} failed")
    processor = usage.ru_utime + usage.ru_stime
    return Ran(printed, time.perf_counter() - began, processor, _megabytes(usage))


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Median time of a function after one run to warm up."""
    work()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def peak_flops() -> tuple[float, float]:
    """FLOP/s of a large matrix product in float32 and bfloat16 on this machine."""
    import torch

    from impasto.devices import pick_dtype

    quick = pick_dtype("auto", torch.device("cpu"))
    rates = []
    for dtype in (torch.float32, torch.bfloat16):
        # Without units for bfloat16 a large product takes minutes.
        side = 2048 if dtype in (torch.float32, quick) else 256
        a, b = torch.rand(2, side, side).to(dtype).unbind()
        rates.append(2 * side**3 / seconds(lambda a=a, b=b: a @ b, 9))  # type: ignore[misc]
    return rates[0], rates[1]


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table."""
    cells = [[str(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    for index, row in enumerate(cells):
        first, *rest = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(" | ".join([first, *rest]).rstrip(), flush=True)
        if index == 0:
            print("-+-".join("-" * width for width in widths))
