"""All there is to know of a GPU, in one command of at most ten minutes.

    python -m benchmarks.gpu
    python -m benchmarks.gpu --device cpu --small

Part by part, each with a heading, so that what is there by the time of a failure is of use:

- peaks: FLOP/s of matrix products in float32 and bfloat16;
- agree: the same runs on the CPU in float32 and here, how far the outcome differs;
- steps: of the optimisation from 512 to 4096 px, as written and compiled: a second, share of the
  bfloat16 peak, peak memory, and the tiles where memory is short;
- networks: the network for any style at 3840 x 2160 px;
- training: pictures a second of the same network's training;
- waiting: the lines of code at which the processor waits for the device, and the share of a run's
  time in which the device computes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from benchmarks.common import table
from impasto.devices import describe, pick_device, used_memory
from impasto.options import OptimizeOptions
from impasto.pictures import ARTWORKS, load_artwork, load_portrait

SIZES = (512, 1024, 2048, 4096)
TRAINED = (8, 256)  # photos in a batch, side of a crop


@dataclass(frozen=True)
class Bench:
    """What is measured and for how long.

    Attributes:
        device: Where.
        sizes: Sides of the squares that are optimised, in pixels.
        film: (height, width) that the network paints.
        batch: Photos in a batch of the training, and the side of their crops.
        backbone: That looks at pictures.
        steps: Of the runs that are compared and watched.
        seconds: For which each figure is measured.
        compiled: Whether compiled steps are measured as well.
    """

    device: torch.device
    sizes: Sequence[int] = SIZES
    film: tuple[int, int] = (2160, 3840)
    batch: tuple[int, int] = TRAINED
    backbone: str = "auto"
    steps: int = 30
    seconds: float = 5.0
    compiled: bool = True

    def wait(self) -> None:
        """Wait until the device has done all that it was told."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def rate(self, work: Callable[[], object]) -> float:
        """How often a second a function runs, after one run to warm up."""
        work()
        self.wait()
        began, count = time.perf_counter(), 0
        while count < 2 or time.perf_counter() - began < self.seconds:
            work()
            count += 1
            if count % 5 == 0:
                self.wait()
        self.wait()
        return count / (time.perf_counter() - began)

    @contextmanager
    def peak(self) -> Iterator[list[float]]:
        """Fills a list with the peak memory of what is done meanwhile in GB, as it ends."""
        found: list[float] = []
        cuda = self.device.type == "cuda"
        if cuda:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(self.device)
        yield found
        used = torch.cuda.max_memory_allocated if cuda else used_memory
        found.append(used(self.device) / 1024**3)


def report_peaks(bench: Bench) -> float:
    """Print the rates of matrix products; return that in bfloat16."""
    side = 8192 if bench.device.type == "cuda" else 512
    rates = {}
    for dtype in (torch.float32, torch.bfloat16):
        a, b = torch.rand(2, side, side, device=bench.device).to(dtype).unbind()
        rates[dtype] = 2 * side**3 * bench.rate(lambda a=a, b=b: a @ b)  # type: ignore[misc]
    for dtype, rate in rates.items():
        print(f"{str(dtype).removeprefix('torch.')}: {rate / 1e12:.3g} TFLOP/s")
    return rates[torch.bfloat16]


def report_agreement(bench: Bench) -> None:
    """Print how far the outcome differs from the CPU's."""
    import impasto

    photo, artwork = load_portrait().resized(150, 128), load_artwork("night-wind", 128)
    places: list[dict[str, Any]] = [
        {"device": "cpu", "precision": "float32"},
        {"device": str(bench.device)},
    ]
    small: dict[str, Any] = {"backbone": "lite", "steps": bench.steps}
    rows = []
    for name, settings in (
        ("optimize", small),
        ("arbitrary", {"method": "arbitrary", "engine": "torch"}),
    ):
        ours, theirs = (impasto.stylize(photo, artwork, **where, **settings) for where in places)
        error = abs(ours.picture.rgb - theirs.picture.rgb)
        losses = [
            f"{run.losses[-1].losses['total']:.4f}" if run.losses else "-" for run in (ours, theirs)
        ]
        rows.append([name, f"{error.mean():.4f}", f"{error.max():.3f}", *losses])
    table(["method", "mean difference", "largest", "loss on the CPU", "here"], rows)


def make_step(bench: Bench, side: int) -> tuple[Callable[[], object], Any, str]:
    """A step of the optimisation of a square, its objective, and how the planner lays it out."""
    from impasto.losses import Source
    from impasto.stylizers.optimize import Optimize
    from impasto.stylizers.optimize.memory import Planner
    from impasto.stylizers.optimize.objective import Objective
    from impasto.stylizers.optimize.optimizers import make_optimizer
    from impasto.stylizers.optimize.pyramid import Scale

    options = OptimizeOptions(
        backbone=bench.backbone, device=str(bench.device), precision="bfloat16", max_size=side
    )
    stylizer, optimizer = Optimize(options), make_optimizer(options)
    planner = Planner(stylizer.backbone, options, bench.device, stylizer.costs, optimizer.history)
    layout = planner.layout(Scale((side, side), options.steps), [(side, side)])
    content, style = torch.rand(2, 1, 3, side, side, device=bench.device).unbind()
    objective = Objective(
        stylizer.backbone,
        Source(content),
        [Source(style)],
        [1.0],
        options,
        tile=layout.tile,
        keep_maps=layout.keep_maps,
    )
    optimizer.rescale((side, side), layout.room)
    images = [content]

    def step() -> None:
        terms, grad = objective.gradient(images[-1])
        loss = torch.stack(list(terms.values())).sum()
        images[:] = [optimizer.update(images[-1], loss, grad)]

    return step, objective, f"tiles of {layout.tile} px" if layout.tile else "one piece"


def report_steps(bench: Bench, peak: float) -> None:
    """Print rates and memory of steps, as written and compiled."""
    from torch.utils.flop_counter import FlopCounterMode

    rows = []
    for side in bench.sizes:
        for compiled in (False, True) if bench.compiled else (False,):
            with bench.peak() as memory:
                step, objective, pieces = make_step(bench, side)
                with FlopCounterMode(display=False) as counter:
                    step()
                if compiled:
                    objective._look = torch.compile(objective._look)
                rate = bench.rate(step)
            share = counter.get_total_flops() * rate / peak
            how = "compiled" if compiled else "as written"
            rows.append([side, how, pieces, f"{rate:.2f}", f"{share:.0%}", f"{memory[0]:.1f}"])
            del step, objective
    table(["side in px", "step", "in", "steps a second", "of bfloat16 peak", "memory in GB"], rows)


def report_networks(bench: Bench) -> None:
    """Print the rate of the network for any style."""
    import impasto

    rows = []
    image = torch.rand(1, 3, *bench.film, device=bench.device)
    for precision in ("float32", "bfloat16"):
        stylizer = impasto.load(
            "arbitrary", engine="torch", device=str(bench.device), precision=precision
        )
        stylizer.set_style(load_artwork("night-wind"))
        with bench.peak() as memory:
            rate = bench.rate(lambda stylizer=stylizer: stylizer.apply(image))  # type: ignore[misc]
        rows.append([precision, f"{rate:.2f}", f"{memory[0]:.1f}"])
    height, width = bench.film
    table([f"arbitrary, {width} x {height} px", "pictures a second", "memory in GB"], rows)


def report_training(bench: Bench) -> None:
    """Print the rate of the training of the network for any style."""
    from impasto.backbones import load_backbone, pick_backbone
    from impasto.image import save_image
    from impasto.training.arbitrary import ArbitraryTask
    from impasto.training.recipes import ArbitraryRecipe
    from impasto.training.trainer import Trainer

    count, side = bench.batch
    recipe = ArbitraryRecipe(batch=count, size=side, start="shipped")
    backbone = load_backbone(pick_backbone(bench.backbone, bench.device))
    with tempfile.TemporaryDirectory() as folder:
        for name in ARTWORKS:
            save_image(load_artwork(name), Path(folder) / f"{name}.jpg")
        task = ArbitraryTask(recipe, Path(folder), Path(folder), backbone)
        with bench.peak() as memory:
            trainer = Trainer(task, str(bench.device), "auto")
            batch = trainer.batch(0)
            rate = bench.rate(lambda: trainer.advance(batch))
    heads = [f"training, {count} crops of {side} px", "steps a second", "memory in GB"]
    table(heads, [[backbone.name, f"{rate:.2f}", f"{memory[0]:.1f}"]])


def report_waiting(bench: Bench) -> None:
    """Print where the processor waits for the device, and for how much of the time it computes."""
    from torch.profiler import ProfilerActivity, profile

    import impasto

    side = bench.sizes[0]
    photo, artwork = load_portrait().resized(side, side), load_artwork("night-wind", side)
    stylizer = impasto.load(
        "optimize",
        backbone=bench.backbone,
        device=str(bench.device),
        steps=bench.steps,
        max_size=side,
    )
    stylizer.set_style(artwork)
    stylizer(photo)
    cuda = bench.device.type == "cuda"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if cuda:
            torch.cuda.set_sync_debug_mode("warn")
        stylizer(photo)
        if cuda:
            torch.cuda.set_sync_debug_mode("default")
    places = Counter(f"{each.filename}:{each.lineno}" for each in caught)
    print(f"waits in a run of {bench.steps} steps: {sum(places.values())}")
    for place, count in places.most_common():
        print(f"  {count} at {place}")
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]
    began = time.perf_counter()
    with profile(activities=activities) as found:
        stylizer(photo)
        bench.wait()
    took = time.perf_counter() - began
    events = found.key_averages()
    if cuda:
        busy = sum(event.self_device_time_total for event in events) / 1e6
        print(f"the device computes for {busy / took:.0%} of the time of a profiled run")
    order = "self_cuda_time_total" if cuda else "self_cpu_time_total"
    print(events.table(sort_by=order, row_limit=12, max_name_column_width=40))


def main(words: Sequence[str] | None = None) -> int:
    """Run all parts; 1 if one of them failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cuda", help="as for impasto (default: cuda)")
    parser.add_argument("--small", action="store_true", help="in seconds: to see that it works")
    arguments = parser.parse_args(words)
    device = pick_device(arguments.device)
    bench = Bench(device)
    if arguments.small:
        bench = Bench(device, (64,), (96, 128), (1, 64), "lite", 3, 0.0, compiled=False)
    print(f"{describe(device)}, torch {torch.__version__}")
    peak, failed = 1.0, 0
    parts: dict[str, Callable[[], float | None]] = {
        "peaks": lambda: report_peaks(bench),
        "agree": lambda: report_agreement(bench),
        "steps": lambda: report_steps(bench, peak),
        "networks": lambda: report_networks(bench),
        "training": lambda: report_training(bench),
        "waiting": lambda: report_waiting(bench),
    }
    for name, part in parts.items():
        print(f"\n{name}", flush=True)
        try:
            peak = part() or peak
        except Exception:  # a GPU is there for minutes: the other parts go on
            traceback.print_exc()
            failed = 1
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
