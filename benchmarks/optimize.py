"""Speed and quality of ``impasto stylize`` beside a plain textbook implementation.

    python -m benchmarks.optimize --pairs 5 --size 512 --sheet sheet.png

The textbook method stands in this file: float32, the photo as start, one scale, torch's L-BFGS,
Gram matrices over C * H * W, weights 1 and 1e6, 300 evaluations, as in most scripts. Both look
with the same VGG-16 features, each pair in processes of its own. Prints (a) the cost of a step and
the share of the machine's matrix-product peak that it reaches, (b) how long ``default`` takes to
be at least as good as the textbook picture in content distance, Gram distance and W2 distance, (c)
wall and processor time of the whole command, quiet and beside a busy process:

    python -m benchmarks.optimize --parts c --against ../old/src

The command of another checkout (the folder that holds its package) and that of this one take
turns, so that whatever else the machine does befalls both.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.common import DATA, PAIRS, Ran, alone, command, find, peak_flops, seconds, table

if TYPE_CHECKING:
    from impasto.metrics import Distances

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYER = "relu4_2"
PLAN = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512,))


@dataclass(frozen=True)
class Task:
    """One pair to paint."""

    data: Path
    content: str
    style: str
    size: int
    steps: int

    def load(self, name: str) -> Tensor:
        """A picture as ``(1, 3, H, W)``."""
        from impasto.image import load_image

        return load_image(find(self.data, name), long_side=self.size).tensor()


class TextbookVGG:
    """VGG-16's convolutions as a script would have them."""

    MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)

    def __init__(self, file: Path) -> None:
        from safetensors.torch import load_file

        self.state = {key: value.float() for key, value in load_file(file).items()}

    def __call__(self, x: Tensor) -> dict[str, Tensor]:
        """Feature maps of an image, layer by layer."""
        x = (x - self.MEAN) / self.STD
        maps, index = {}, 0
        for block, widths in enumerate(PLAN, start=1):
            for number in range(1, len(widths) + 1):
                weight = self.state[f"features.{index}.weight"]
                x = F.relu(F.conv2d(x, weight, self.state[f"features.{index}.bias"], padding=1))
                maps[f"relu{block}_{number}"] = x
                index += 2
            x = F.max_pool2d(x, 2)
            index += 1
        return maps


def gram(maps: Tensor) -> Tensor:
    """Gram matrix over C * H * W."""
    _, channels, height, width = maps.shape
    rows = maps.view(channels, height * width)
    return rows @ rows.t() / (channels * height * width)


class TextbookLoss:
    """The classic objective."""

    def __init__(self, network: TextbookVGG, content: Tensor, style: Tensor) -> None:
        self.network = network
        with torch.no_grad():
            self.content = network(content)[CONTENT_LAYER]
            maps = network(style)
            self.grams = {layer: gram(maps[layer]) for layer in STYLE_LAYERS}

    def __call__(self, image: Tensor) -> Tensor:
        """The loss of an image."""
        maps = self.network(image)
        loss = F.mse_loss(maps[CONTENT_LAYER], self.content)
        for layer in STYLE_LAYERS:
            loss = loss + 1e6 * F.mse_loss(gram(maps[layer]), self.grams[layer])
        return loss


def paint_textbook(task: Task) -> tuple[NDArray[np.float32], float]:
    """The textbook picture ``(1, 3, H, W)`` and the seconds it took."""
    content, style = task.load(task.content), task.load(task.style)
    network = TextbookVGG(task.data / "vgg16_features.safetensors")
    began = time.perf_counter()
    loss_of = TextbookLoss(network, content, style)
    image = content.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([image])
    count = 0

    def closure() -> float:
        nonlocal count
        count += 1
        optimizer.zero_grad()
        loss = loss_of(image)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()

    while count < task.steps:
        optimizer.step(closure)  # type: ignore[no-untyped-call]
    took = time.perf_counter() - began
    return image.detach().clamp(0, 1).numpy(), took * task.steps / count


Snapshot = tuple[int, float, NDArray[np.float32]]


def paint_default(task: Task) -> list[Snapshot]:
    """``default`` with VGG-16: (step, seconds, picture) on the way through the last scale."""
    from impasto.events import Step
    from impasto.stylizers.optimize import Optimize

    snapshots: list[Snapshot] = []

    def look(step: Step) -> None:
        if step.scale == step.scales - 1 and (step.last or step.step % 5 == 0):
            snapshots.append((step.step, step.seconds, step.picture().tensor().numpy()))

    stylizer = Optimize(default_options(task))
    stylizer.set_style(find(task.data, task.style))(find(task.data, task.content), callback=[look])
    return snapshots


def default_options(task: Task) -> Any:
    """The options of ``default`` with the benchmark's VGG-16 and size."""
    from impasto.options import OptimizeOptions

    weights = str(task.data / "vgg16_features.safetensors")
    return OptimizeOptions(backbone="vgg16", weights=weights, max_size=task.size)


def step_of_textbook(task: Task) -> float:
    """Median seconds of one evaluation of loss and gradient on a square image."""
    network = TextbookVGG(task.data / "vgg16_features.safetensors")
    image, content, style = torch.rand(3, 1, 3, task.size, task.size).unbind()
    loss_of = TextbookLoss(network, content, style)
    image.requires_grad_(True)
    return seconds(lambda: torch.autograd.grad(loss_of(image), image))


def step_of_default(task: Task) -> float:
    """The same of Impasto."""
    from impasto.losses import Source
    from impasto.stylizers.optimize import Optimize
    from impasto.stylizers.optimize.objective import Objective

    stylizer = Optimize(default_options(task))
    image, content, style = torch.rand(3, 1, 3, task.size, task.size).unbind()
    objective = Objective(
        stylizer.backbone, Source(content), [Source(style)], [1.0], stylizer.options
    )
    return seconds(lambda: objective.gradient(image))


def convolution_flops(size: int) -> float:
    """FLOP of VGG-16's convolutions on a square image, there and back to the image."""
    total, channels = 0.0, 3
    for block, widths in enumerate(PLAN):
        positions = (size // 2**block) ** 2
        for width in widths:
            total += 2 * 9 * channels * width * positions
            channels = width
    return 2 * total


def report_steps(data: Path) -> None:
    """Part (a)."""
    (single, half), _ = alone(peak_flops)
    print(f"matrix product peak: {single / 1e9:.0f} GFLOP/s float32, {half / 1e9:.0f} bfloat16\n")
    rows = []
    for size in (256, 512):
        task = Task(data, "", "", size, 0)
        textbook, textbook_peak = alone(step_of_textbook, task)
        ours, our_peak = alone(step_of_default, task)
        work = convolution_flops(size)
        rows.append(
            [
                f"{size} x {size}",
                f"{textbook:.3f} s",
                f"{ours:.3f} s",
                f"{textbook / ours:.1f} x",
                f"{work / ours / 1e9:.0f} GFLOP/s",
                f"{work / ours / max(single, half):.0%}",
                f"{textbook_peak:.0f} MB",
                f"{our_peak:.0f} MB",
            ]
        )
    heads = ["step", "textbook", "impasto", "faster", "achieved", "of peak"]
    table([*heads, "textbook peak memory", "impasto peak memory"], rows)


@dataclass(frozen=True)
class Verdict:
    """What VGG-16 finds in one pair's pictures."""

    textbook: Distances
    last: Distances
    as_good: tuple[int, float] | None
    """Step and seconds at which ``default`` was first as good as the textbook in all three."""


def judge_pair(task: Task, textbook: NDArray[np.float32], snapshots: list[Snapshot]) -> Verdict:
    """Compare ``default`` on its way with the textbook picture."""
    from impasto.backbones import load_backbone
    from impasto.metrics import Judge

    judge = Judge(load_backbone("vgg16", weights=task.data / "vgg16_features.safetensors"))
    content, style = task.load(task.content), task.load(task.style)
    goal, as_good = judge(torch.from_numpy(textbook), content, style), None
    for step, passed, picture in snapshots:
        found = judge(torch.from_numpy(picture), content, style)
        good = found.content <= goal.content and found.gram <= goal.gram and found.w2 <= goal.w2
        as_good = as_good or ((step, passed) if good else None)
    return Verdict(goal, found, as_good)


def report_pair(task: Task) -> tuple[list[str], float | None, list[Tensor]]:
    """Part (b) for one pair: a row, time to quality over textbook's time, the pictures."""
    (textbook, textbook_time), textbook_peak = alone(paint_textbook, task)
    snapshots, our_peak = alone(paint_default, task)
    verdict, _ = alone(judge_pair, task, textbook, snapshots)  # alone: see its word on memory
    goal, found, reached = verdict.textbook, verdict.last, verdict.as_good
    ratio = reached[1] / textbook_time if reached else None
    row = [
        f"{task.content} / {task.style}",
        _both(goal.content, found.content),
        _both(goal.gram, found.gram),
        _both(goal.w2, found.w2),
        _both(goal.rgb, found.rgb),
        f"{textbook_time:.0f} s",
        f"{snapshots[-1][1]:.1f} s",
        f"{reached[1]:.1f} s (step {reached[0]})" if reached else "not reached",
        f"{ratio:.3f}" if ratio else "-",
        f"{textbook_peak:.0f} / {our_peak:.0f} MB",
    ]
    pictures = [textbook, snapshots[-1][2]]
    sources = [task.load(task.content), task.load(task.style)]
    return row, ratio, sources + [torch.from_numpy(picture) for picture in pictures]


def _both(textbook: float, ours: float) -> str:
    return f"{textbook:.4f} / {ours:.4f}"


def report_quality(arguments: argparse.Namespace) -> None:
    """Part (b)."""
    rows, ratios, sheet = [], [], []
    for content, style in PAIRS[: arguments.pairs]:
        task = Task(arguments.data, content, style, arguments.size, arguments.steps)
        row, ratio, pictures = report_pair(task)
        rows.append(row)
        ratios.append(ratio)
        sheet.append(pictures)
        print(" | ".join(row), flush=True)
    heads = ["pair (textbook / impasto)", "content", "gram", "w2", "rgb", "textbook time"]
    print()
    table([*heads, "impasto time", "as good after", "share of time", "peak memory"], rows)
    reached = [ratio for ratio in ratios if ratio is not None]
    print(f"\nas good in all three: {len(reached)} of {len(ratios)} pairs", end="")
    if reached:
        print(f"; median share of the textbook's time {statistics.median(reached):.3f}", end="")
    print(f"; within a fifth: {sum(ratio <= 0.2 for ratio in reached)}")
    if arguments.sheet:
        _write_sheet(sheet, arguments)


def _write_sheet(rows: list[list[Tensor]], arguments: argparse.Namespace) -> None:
    from impasto.image import Picture, save_image
    from impasto.media.sheet import sheet

    pictures = [[Picture.from_tensor(picture) for picture in row] for row in rows]
    labels = ["photo", "artwork", "textbook, 300 evaluations", "impasto default"]
    save_image(sheet(pictures, [labels], height=384), arguments.sheet)


@dataclass(frozen=True)
class Candidate:
    """A command that is timed: the folder of its package, and what differs from ``default``."""

    folder: Path
    words: Sequence[str] = ()
    one_thread: bool = False

    def run(self, task: Task, result: Path) -> Ran:
        """Paint a pair in a process of its own."""
        pictures = [find(task.data, name) for name in (task.content, task.style)]
        words = [sys.executable, "-m", "impasto", "-q", "stylize", *map(str, pictures), *self.words]
        words += ["--max-size", str(task.size), "-o", str(result)]
        threads = {"OMP_NUM_THREADS": "1"} if self.one_thread else {}
        result.unlink(missing_ok=True)
        return command(*words, PYTHONPATH=str(self.folder), **threads)


@contextmanager
def busy(wanted: bool) -> Iterator[None]:
    """Keep a core busy meanwhile, if that is wanted."""
    if not wanted:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            yield
        finally:
            process.kill()


def report_commands(arguments: argparse.Namespace) -> None:
    """Part (c)."""
    ours = Path(__file__).resolve().parents[1] / "src"
    candidates = {
        "now": Candidate(ours),
        "now, one thread": Candidate(ours, one_thread=True),
        "now, quick": Candidate(ours, ("--preset", "quick")),
    }
    if arguments.against:
        candidates = {"before": Candidate(arguments.against.resolve()), **candidates}
    task, rows, first = Task(arguments.data, *PAIRS[0], arguments.size, 0), [], None
    with tempfile.TemporaryDirectory() as folder:
        for load in ("quiet", "busy"):
            runs: dict[str, list[Ran]] = {name: [] for name in candidates}
            with busy(load == "busy"):
                for _ in range(arguments.repeats):
                    for name, candidate in candidates.items():
                        runs[name].append(candidate.run(task, Path(folder) / "result.png"))
            for name, each in runs.items():
                wall = statistics.median(run.seconds for run in each)
                processor = statistics.median(run.processor for run in each)
                first = first or (wall, processor)
                ratios = f"{wall / first[0]:.2f}", f"{processor / first[1]:.2f}"
                rows.append([f"{name}, {load}", f"{wall:.1f} s", f"{processor:.1f} s", *ratios])
    table(["command", "wall", "processor", "over the first", "over the first"], rows)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--parts", default="abc", help="which of them (default: abc)")
    parser.add_argument("--against", type=Path, help="folder of another checkout's package")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each command")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the evaluation data")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--steps", type=int, default=300, help="evaluations of the textbook method")
    parser.add_argument("--sheet", type=Path, help="write the pictures side by side")
    arguments = parser.parse_args()
    if "a" in arguments.parts:
        report_steps(arguments.data)
    if "b" in arguments.parts:
        print()
        report_quality(arguments)
    if "c" in arguments.parts:
        print()
        report_commands(arguments)


if __name__ == "__main__":
    main()
