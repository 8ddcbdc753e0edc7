"""``impasto train``: train the networks that Impasto ships."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.arguments import INTERRUPTED
from impasto.cli.train_networks import add_networks
from impasto.errors import InputError

if TYPE_CHECKING:
    from impasto.backbones.lite import Lite
    from impasto.training.distill import Distillation

CHECKPOINT_SECONDS = 180
LOG_SECONDS = 60

logger = logging.getLogger(__name__)


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command with its subcommands."""
    parser = subparsers.add_parser(
        "train",
        help="train a network",
        description="Train a network.",
    )
    networks = parser.add_subparsers(title="networks", metavar="NETWORK", required=True)
    backbone = networks.add_parser(
        "backbone",
        help="distil VGG-16 into the small embedded backbone",
        description=(
            "Distil VGG-16 into the small embedded backbone 'lite'. A checkpoint beside the "
            "output is renewed every few minutes; --resume goes on from it exactly."
        ),
    )
    backbone.add_argument("--photos", type=Path, required=True, metavar="DIR")
    backbone.add_argument("--artworks", type=Path, required=True, metavar="DIR")
    backbone.add_argument("--teacher", choices=["vgg16"], default="vgg16")
    backbone.add_argument(
        "--weights", type=Path, metavar="FILE", help="the teacher's weights; found if left out"
    )
    backbone.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.safetensors")
    backbone.add_argument(
        "--steps", type=_positive, metavar="N", help="gradient steps of the whole training"
    )
    backbone.add_argument(
        "--minutes",
        type=float,
        default=float("inf"),
        metavar="N",
        help="stop after this time, to resume later",
    )
    backbone.add_argument(
        "--start",
        default="scratch",
        metavar="MODEL",
        help="where it starts: scratch (fitted in closed form), shipped (the weights that come "
        "with the package) or a file that this command wrote (default: scratch)",
    )
    backbone.add_argument("--batch", type=_positive, metavar="N", help="crops in a batch")
    backbone.add_argument("--size", type=_positive, metavar="PX", help="side of the crops")
    backbone.add_argument(
        "--learning-rate", type=float, metavar="X", help="learning rate at its highest"
    )
    backbone.add_argument("--seed", type=int, default=0, metavar="N")
    backbone.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    backbone.set_defaults(run=_backbone)
    add_networks(networks)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _backbone(arguments: argparse.Namespace) -> int:
    from impasto.training.distributed import started

    if started() > 1:
        raise InputError("the backbone is distilled in one process: start it without torchrun")
    if arguments.output.suffix != ".safetensors":
        raise InputError(f"the output '{arguments.output}' must end in .safetensors")
    if not arguments.output.resolve().parent.is_dir():
        raise InputError(f"the folder of the output '{arguments.output}' does not exist")
    checkpoint = arguments.output.with_suffix(".checkpoint.pt")
    if checkpoint.exists() and not arguments.resume:
        raise InputError(f"'{checkpoint}' is there from an earlier run: add --resume, or remove it")
    run = _distillation(arguments)
    if arguments.resume:
        run.resume(checkpoint)
    else:
        student = _student(arguments.start)
        print(f"Fitting {'its heads' if student else 'the thin network'} ...", file=sys.stderr)
        run.start(student)
    with _silenced("impasto.optimize"):  # by which the student paints, again and again
        interrupted = _train(run, checkpoint, 60 * arguments.minutes)
    run.write(arguments.output)
    print(f"{arguments.output}: {run.step} of {run.recipe.steps} steps, loss {run.loss:.4f}")
    if skipped := run.crops.skipped:
        print(f"{skipped} pictures could not be read and were skipped", file=sys.stderr)
    if run.step < run.recipe.steps:
        logger.warning("stopped: --resume goes on from %s", checkpoint)
    return INTERRUPTED if interrupted else 0


@contextmanager
def _silenced(name: str) -> Iterator[None]:
    """Let a logger tell warnings only."""
    silent = logging.getLogger(name)
    before = silent.level
    silent.setLevel(logging.WARNING)
    try:
        yield
    finally:
        silent.setLevel(before)


def _distillation(arguments: argparse.Namespace) -> Distillation:
    import torch

    from impasto.backbones import load_backbone
    from impasto.backbones.vgg import VGG
    from impasto.devices import pick_dtype
    from impasto.training.crops import Crops
    from impasto.training.data import PictureFolder
    from impasto.training.distill import Distillation, Recipe

    given = {name: getattr(arguments, name) for name in ("steps", "batch", "size", "learning_rate")}
    recipe = Recipe(
        start=arguments.start,
        seed=arguments.seed,
        **{name: value for name, value in given.items() if value},
    )
    photos, artworks = PictureFolder(arguments.photos), PictureFolder(arguments.artworks)
    teacher = load_backbone(arguments.teacher, weights=arguments.weights)
    assert isinstance(teacher, VGG)
    teacher.to(pick_dtype("auto", torch.device("cpu")))
    return Distillation(recipe, teacher, Crops(photos, artworks, recipe.size))


def _student(start: str) -> Lite | None:
    """The trained student to start from, if it is to be one."""
    from impasto.backbones.lite import load_lite

    if start == "scratch":
        return None
    return load_lite(weights=None if start == "shipped" else Path(start))


def _train(run: Distillation, checkpoint: Path, seconds: float) -> bool:
    """Take steps until the end or the time is reached, with a bar and checkpoints.

    Returns:
        Whether it was interrupted.
    """
    from tqdm import tqdm

    from impasto.training.interrupt import CtrlC

    of, first, started = run.recipe.steps, run.step, time.monotonic()
    saved = logged = started
    with tqdm(total=of, initial=first, unit="step", disable=None) as bar, CtrlC() as asked:
        while run.step < of and not asked and time.monotonic() - started < seconds:
            run.advance()
            bar.update()
            bar.set_postfix_str(f"loss {run.loss:.4f}", refresh=False)
            now = time.monotonic()
            if now - saved > CHECKPOINT_SECONDS:
                run.save(checkpoint)
                saved = now
            if bar.disable and now - logged > LOG_SECONDS:
                left = (now - started) / (run.step - first) * (of - run.step) / 60
                logger.info("step %d of %d, loss %.4f, %.0f min left", run.step, of, run.loss, left)
                logged = now
    run.save(checkpoint)
    return bool(asked)
