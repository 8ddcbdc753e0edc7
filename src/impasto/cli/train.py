"""``impasto train``: teach networks to paint, and the embedded backbone to see."""

from __future__ import annotations

import argparse
import logging
import math
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.arguments import INTERRUPTED, add_option, add_options, collect
from impasto.cli.bars import backbone_with_bar
from impasto.errors import InputError
from impasto.options import DeviceOptions
from impasto.training.recipes import ArbitraryRecipe, DistillationRecipe, FastRecipe, Recipe

if TYPE_CHECKING:
    from impasto.events import Callback, Step
    from impasto.training.fast import NamedStyle
    from impasto.training.task import Task
    from impasto.training.trainer import Trainer

logger = logging.getLogger(__name__)

LOG_SECONDS = 60.0
TEACHER = "vgg16"
AFTER = (
    "A checkpoint beside the output is renewed every few minutes; --resume goes on exactly. "
    "On several devices: torchrun --nproc-per-node=N -m -- impasto train ..., which learns the "
    "same in less time."
)


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command with its subcommands."""
    parser = subparsers.add_parser("train", help="train a network", description="Train a network.")
    networks = parser.add_subparsers(title="networks", metavar="NETWORK", required=True)
    backbone = networks.add_parser(
        "backbone",
        help="distil VGG-16 into the small embedded backbone",
        description=f"Distil VGG-16 into the small embedded backbone 'lite'. {AFTER}",
    )
    fast = networks.add_parser(
        "fast",
        help="teach a network one or several styles",
        description=f"Teach one network one or several styles, by photos. {AFTER}",
    )
    arbitrary = networks.add_parser(
        "arbitrary",
        help="teach a network to take any style",
        description=f"Teach a network to take any style, by photos and artworks. {AFTER}",
    )
    for each in (backbone, fast, arbitrary):
        each.add_argument("--photos", type=Path, required=True, metavar="DIR")
    for each in (backbone, arbitrary):
        each.add_argument("--artworks", type=Path, required=True, metavar="DIR")
    fast.add_argument(
        "--styles",
        nargs="+",
        required=True,
        metavar="[NAME=]FILE",
        help="style images; named after their files if no name is given",
    )
    fast.add_argument(
        "--attributions",
        nargs="+",
        default=[],
        metavar="TEXT",
        help="who made the styles: one line each, in their order, kept in the model",
    )
    _add_common(backbone, DistillationRecipe, _backbone)
    _add_common(fast, FastRecipe, _fast)
    _add_common(arbitrary, ArbitraryRecipe, _arbitrary)


def _add_common(
    parser: argparse.ArgumentParser, recipe: type[Recipe], task: Callable[..., Task[Any]]
) -> None:
    """Add what all trainings take."""
    parser.set_defaults(run=partial(_run, recipe, task))
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.safetensors")
    add_options(parser.add_argument_group("recipe"), recipe)
    running = parser.add_argument_group("running")
    running.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    add_option(
        running,
        "minutes",
        type=float,
        default=math.inf,
        metavar="N",
        help="stop after this time, to resume later",
    )
    add_option(
        running,
        "accumulate",
        type=int,
        default=1,
        metavar="N",
        help="work off a batch in N parts, for less memory; what is learnt stays the same "
        "(default: 1)",
    )
    add_option(running, "weights", metavar="FILE", help="the backbone's; found if left out")
    add_options(running, DeviceOptions)
    watching = parser.add_argument_group("watching")
    add_option(watching, "preview", metavar="FILE", help="keep this file at a sheet of results")
    add_option(watching, "save_every", type=int, metavar="N", help="number such sheets, every N")
    add_option(watching, "history", metavar="FILE", help="losses as .csv or .json, kept up to date")
    add_option(watching, "plot", metavar="FILE", help="loss curves as .png, .svg or .pdf")
    add_option(watching, "tensorboard", metavar="DIR", help="log for TensorBoard")


def _run(
    recipe_type: type[Recipe], make: Callable[..., Task[Any]], args: argparse.Namespace
) -> int:
    recipe = recipe_type(**collect(args, recipe_type))
    checkpoint = _checkpoint(args)
    task = make(args, recipe)
    code = _train(task, args, checkpoint)
    if skipped := sum(len(folder.skipped) for folder in task.folders):
        plural = "picture was" if skipped == 1 else "pictures were"
        logger.warning("%d %s skipped as unreadable or too small", skipped, plural)
    return code


def _fast(args: argparse.Namespace, recipe: FastRecipe) -> Task[Any]:
    styles = _styles(args.styles, args.attributions)

    from impasto.training.fast import FastTask

    backbone = backbone_with_bar(recipe.backbone, weights=args.weights)
    return FastTask(recipe, args.photos, styles, backbone)


def _arbitrary(args: argparse.Namespace, recipe: ArbitraryRecipe) -> Task[Any]:
    from impasto.training.arbitrary import ArbitraryTask

    backbone = backbone_with_bar(recipe.backbone, weights=args.weights)
    return ArbitraryTask(recipe, args.photos, args.artworks, backbone)


def _backbone(args: argparse.Namespace, recipe: DistillationRecipe) -> Task[Any]:
    from impasto.backbones.vgg import VGG
    from impasto.training.distill import DistillationTask

    teacher = backbone_with_bar(TEACHER, weights=args.weights)
    assert isinstance(teacher, VGG)
    return DistillationTask(recipe, args.photos, args.artworks, teacher)


def _checkpoint(args: argparse.Namespace) -> Path:
    """The checkpoint beside the output; refuses now what could not be written later."""
    output: Path = args.output
    if output.suffix != ".safetensors":
        raise InputError(f"the output '{output}' must end in .safetensors")
    for name in ("output", "preview", "history"):
        path = getattr(args, name)
        if path is not None and not Path(path).resolve().parent.is_dir():
            raise InputError(f"the folder of --{name} '{path}' does not exist")
    if args.history and Path(args.history).suffix.lower() not in (".csv", ".json"):
        raise InputError(f"--history {args.history}: use one of .csv, .json")
    if args.plot:
        from impasto.explain.plots import check_plot

        check_plot(args.plot)
    checkpoint = output.with_suffix(".checkpoint.pt")
    if checkpoint.exists() and not args.resume:
        raise InputError(f"'{checkpoint}' is there from an earlier run: add --resume, or remove it")
    return checkpoint


def _styles(sources: list[str], attributions: list[str]) -> list[NamedStyle]:
    from impasto.image import load_image
    from impasto.training.fast import NamedStyle

    if attributions and len(attributions) != len(sources):
        raise InputError(f"{len(attributions)} attributions for {len(sources)} styles")
    styles = []
    for source, attribution in zip(sources, attributions or [""] * len(sources), strict=True):
        name, _, file = source.rpartition("=")
        if Path(source).exists():  # a file with = in its name
            name, file = "", source
        name = name or Path(file).stem.lower().replace("_", "-").replace(" ", "-")
        styles.append(NamedStyle(name, load_image(file), attribution))
    return styles


def _train(task: Task[Any], args: argparse.Namespace, path: Path) -> int:
    """Train, write the model, and return the exit code."""
    from impasto.training import distributed
    from impasto.training.checkpoint import CheckpointFile
    from impasto.training.trainer import Trainer

    computing = DeviceOptions(**collect(args, DeviceOptions))
    device, checkpoint = distributed.own_device(computing.device), CheckpointFile(path)
    with ExitStack() as stack:
        world = stack.enter_context(distributed.joined(device))
        if not world.writes:
            logging.getLogger("impasto").setLevel(logging.WARNING)
        painting = logging.getLogger("impasto.stylizers.optimize")  # by students, again and again
        stack.callback(painting.setLevel, painting.level)
        painting.setLevel(logging.WARNING)
        trainer = Trainer(
            task,
            device,
            computing.precision,
            world=world,
            accumulate=args.accumulate,
            state=checkpoint.read(task.settings) if args.resume else None,
        )
        tables = Tables(trainer, args.history, args.plot)
        callbacks = _watching(args, stack) if world.writes else []
        stopped = trainer.run(
            checkpoint=checkpoint, seconds=60 * args.minutes, callbacks=[tables, *callbacks]
        )
        trainer.write(args.output)
        if world.writes:
            tables.write()
            _report(trainer, args.output)
            if stopped:
                logger.warning("stopped (%s): --resume goes on from %s", stopped, path)
    return INTERRUPTED if stopped == "interrupted" else 0


def _watching(args: argparse.Namespace, stack: ExitStack) -> list[Callback]:
    """The callbacks that the arguments ask for."""
    from impasto import callbacks

    asked: list[Callback] = []
    if args.preview:
        asked.append(callbacks.Preview(args.preview, every_seconds=30))
    if args.save_every is not None:
        asked.append(callbacks.SaveEvery(args.save_every, args.output.with_suffix(".png")))
    if args.tensorboard:
        log = callbacks.TensorBoard(
            args.tensorboard, every=50, image_every=500, settings=vars(args)
        )
        asked.append(stack.enter_context(log))
    if not args.quiet:
        asked.append(stack.enter_context(callbacks.ProgressBar()))
    return asked


def _report(trainer: Trainer[Any], output: Path) -> None:
    total = trainer.losses().get("total", math.nan)
    print(
        f"{output}: {trainer.step} of {trainer.recipe.steps} steps, total {total:.4g}, "
        f"held-out {trainer.held_out():.4g}"
    )


class Tables:
    """Keeps losses on disk and in the log up to date, about once a minute."""

    def __init__(self, trainer: Trainer[Any], history: str | None, plot: str | None) -> None:
        self.trainer, self.history, self.plot = trainer, history, plot
        self._due = LOG_SECONDS

    def __call__(self, step: Step) -> None:
        """Write and log if it is time."""
        if step.seconds < self._due:
            return
        self._due = step.seconds + LOG_SECONDS
        losses = step.losses()
        logger.info(
            "step %d of %d, loss %.4g, %.0f min left",
            step.step,
            step.of,
            losses["total"],
            step.seconds_left / 60,
        )
        self.write()

    def write(self) -> None:
        """Write the history and the plot."""
        if not self.trainer.history.records:
            return
        if self.history:
            self.trainer.history.write(self.history)
        if self.plot:
            from impasto.explain.plots import plot_losses

            plot_losses(self.trainer.history, self.plot)
