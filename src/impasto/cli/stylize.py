"""``impasto stylize``: repaint a photo in the manner of artworks."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.arguments import INTERRUPTED, add_option
from impasto.cli.method_options import (
    add_masks,
    add_method_options,
    choice_of,
    load_picture,
    load_stylizer,
    opened,
)
from impasto.cli.outputs import check_numbered, check_outputs
from impasto.cli.prints import add_print, job_of, page_of
from impasto.cli.variations import add_variations, paint_variations
from impasto.errors import InputError
from impasto.options import files_of

if TYPE_CHECKING:
    from impasto.callbacks import Frames
    from impasto.events import Callback
    from impasto.image import Picture
    from impasto.printing import PrintJob
    from impasto.result import Result

logger = logging.getLogger(__name__)

STANDARD = "-"
SIDE_FILES = ("preview", "history", "plot", "strip", "animation")
WATCHING = ("save_every", *SIDE_FILES, "tensorboard")


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "stylize",
        help="repaint a photo in the manner of an artwork",
        description="Repaint a photo in the manner of one or several artworks.",
        epilog="Long options may be written with _ instead of -, as in --max_size.",
    )
    parser.add_argument("content", nargs="?", metavar="CONTENT", help="photo; - reads stdin")
    parser.add_argument(
        "styles",
        nargs="*",
        metavar="STYLE",
        help="artwork, folder of artworks, style pack (impasto style pack), style of the gallery "
        "(impasto gallery lists them) or model file; several are blended",
    )
    parser.add_argument("--content", dest="content_option", metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument(
        "--style", dest="style_option", metavar="FILE", nargs="+", help=argparse.SUPPRESS
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="result: .png, .jpg, .webp or .tif; - writes PNG to stdout "
        "(default: CONTENT_STYLE.png in this folder)",
    )
    parser.add_argument(
        "-f", "--force", action="store_true", help="let the result replace the photo"
    )
    parser.add_argument(
        "--upscale", action="store_true", help="enlarge the photo to --max-size before painting"
    )
    add_variations(parser)
    add_method_options(parser)
    add_masks(parser)
    add_print(parser)
    _add_watching(parser.add_argument_group("watching"))
    _add_saving(parser.add_argument_group("saving"))
    parser.set_defaults(run=run)


def _add_watching(group: argparse._ArgumentGroup) -> None:
    add_option(group, "save_every", type=int, metavar="N", help="save every N steps, numbered")
    add_option(group, "preview", metavar="FILE", help="keep this file at the current picture")
    add_option(group, "history", metavar="FILE", help="losses as .csv or .json")
    add_option(group, "plot", metavar="FILE", help="loss curves as .png, .svg or .pdf")
    add_option(group, "strip", metavar="FILE", help="strip of how the picture came to be")
    add_option(group, "animation", metavar="FILE", help="the same as .gif, .webp or .mp4")
    add_option(group, "tensorboard", metavar="DIR", help="log for TensorBoard")


def _add_saving(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--quality", type=int, default=95, help="of JPEG and WebP (default: 95)")
    group.add_argument(
        "--bits", type=int, choices=(8, 16), default=8, help="per channel (default: 8)"
    )
    group.add_argument(
        "--no-exif",
        dest="exif",
        action="store_false",
        help="leave out date, camera and resolution of the photo, which are kept else",
    )


def run(args: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    content, styles = _sources(args)
    output = args.output or _default_output(content, styles, args.variations)
    _check_outputs(args, output, [content, *styles])
    page = page_of(args)
    choice = choice_of(args, styles)
    if args.variations is not None:
        _refuse_idle(args, [*WATCHING, "print", "upscale"], "--variations")
        return paint_variations(args, output, [content, *styles], choice)
    if choice.method != "optimize":
        _refuse_idle(args, WATCHING, f"--method {choice.method}")  # in one step: nothing to watch
    photo = load_picture(_from_stdin() if content == STANDARD else content)
    job = job_of(page, args, choice, photo) if page else None
    if job:
        _check_print(job, output, args)
    stylizer = load_stylizer(args, choice)
    with Watch(args, output, steps=choice.method == "optimize") as watch:
        result = stylizer(
            job.enlarged(photo) if job else _sized(photo, args),
            mask=args.mask and opened(args.mask),
            content_masks=args.content_masks and [*map(opened, args.content_masks)],
            callback=watch.callbacks,
        )
    if job:
        result = job.finished(result, exif=args.exif)
        args.exif = True  # what is to be left out is gone, and the resolution stays
    _save(result, output, args)
    watch.write()
    return exit_code(result)


def _check_print(job: PrintJob, output: str, args: argparse.Namespace) -> None:
    """Refuse a format that cannot hold a print."""
    from impasto.image import check_writable

    if output != STANDARD:
        check_writable(output, bits=args.bits, size=job.size)


def _refuse_idle(args: argparse.Namespace, names: Sequence[str], other: str) -> None:
    """Refuse options that do nothing beside another."""
    for name in names:
        if getattr(args, name) not in (None, False):
            raise InputError(f"--{name.replace('_', '-')} does nothing with {other}")


def _sources(args: argparse.Namespace) -> tuple[str, list[str]]:
    """Content and styles, given by position or, as in many scripts, by option."""
    given = [args.content, *args.styles] if args.content is not None else []
    if args.content_option is not None:
        given.insert(0, args.content_option)
    given += args.style_option or []
    if len(given) < (1 if getattr(args, "model", None) else 2):
        raise InputError("give a photo and at least one artwork: impasto stylize PHOTO ARTWORK")
    return given[0], given[1:]


def _default_output(content: str, styles: list[str], variations: int | None) -> str:
    if content == STANDARD:
        return STANDARD
    names = [Path(name).stem for name in (content, *styles[:3])]
    return "_".join([*names, *(["variations"] if variations else [])]) + ".png"


def _sized(photo: Picture, args: argparse.Namespace) -> Picture:
    """The photo, enlarged if that was asked for."""
    wanted, longest = getattr(args, "max_size", None), max(photo.size)
    if wanted is None and args.upscale:
        raise InputError("--upscale enlarges to --max-size: give that as well")
    if wanted is None or wanted <= longest:
        return photo
    if args.upscale:
        return photo.fitted(wanted, enlarge=True)
    logger.info("the photo is %d px long and is not enlarged: --upscale does that", longest)
    return photo


def _from_stdin() -> bytes:
    if sys.stdin is None:
        raise InputError("there is no standard input to read the photo from")
    return sys.stdin.buffer.read()


def _check_outputs(args: argparse.Namespace, output: str, sources: list[str]) -> None:
    """Refuse now what could not be written after a long run, or would cost the photo."""
    from impasto.explain.plots import check_plot
    from impasto.image import check_writable
    from impasto.media.animation import check_animation

    if output != STANDARD:
        check_writable(output, bits=args.bits)
    elif sys.stdout is None or sys.stdout.isatty():
        problem = "there is no standard output" if sys.stdout is None else "stdout is a terminal"
        raise InputError(f"{problem}: give a file with -o, or redirect the output")
    for path in filter(None, (args.preview, args.strip)):
        check_writable(path)
    if args.history and Path(args.history).suffix.lower() not in (".csv", ".json"):
        raise InputError(f"--history {args.history}: use one of .csv, .json")
    if args.plot:
        check_plot(args.plot)
    if args.animation:
        check_animation(args.animation)
    if args.save_every is not None and output == STANDARD:
        raise InputError("--save-every needs an output file: give one with -o")
    _check_clashes(args, output, sources)


def _check_clashes(args: argparse.Namespace, output: str, sources: list[str]) -> None:
    masks = [args.mask, *(args.content_masks or ()), *(args.style_masks or ())]
    given = [*sources, *masks, *files_of(vars(args))]
    side = {f"--{name}": getattr(args, name) for name in SIDE_FILES}
    result = None if output == STANDARD else output
    check_outputs({"-o": result, **side}, [] if args.force else given, hint=", or --force")
    check_outputs(side, given)
    if args.save_every is not None:
        check_numbered(output, [*given, *side.values()])


class Watch(ExitStack):
    """The callbacks that the arguments ask for, and what is written of them in the end."""

    def __init__(self, args: argparse.Namespace, output: str, *, steps: bool) -> None:
        super().__init__()
        from impasto import callbacks as watching

        self.args = args
        self.history = watching.History()
        self.frames = watching.Frames() if args.strip or args.animation else None
        self.callbacks: list[Callback] = [self.history]
        if self.frames:
            self.callbacks.append(self.frames)
        if args.save_every is not None:
            self.callbacks.append(watching.SaveEvery(args.save_every, output))
        if args.preview:
            self.callbacks.append(watching.Preview(args.preview))
        if args.tensorboard:
            given = {name: value for name, value in vars(args).items() if name != "run"}
            log = watching.TensorBoard(args.tensorboard, settings=given)
            self.callbacks.append(self.enter_context(log))
        if steps and not args.quiet:
            self.callbacks.append(self.enter_context(watching.ProgressBar()))

    def write(self) -> None:
        """Write losses, plot, strip and animation."""
        args = self.args
        if args.history:
            self.history.write(args.history)
        if args.plot:
            from impasto.explain.plots import plot_losses

            plot_losses(self.history, args.plot)
        if self.frames:
            _write_frames(self.frames, args)


def _write_frames(frames: Frames, args: argparse.Namespace) -> None:
    pictures = frames.pictures()
    if args.strip:
        from impasto.image import save_image
        from impasto.media.sheet import strip

        chosen = sorted({round(i * (len(pictures) - 1) / 5) for i in range(6)})
        labels = [f"step {frames.steps[i]}" for i in chosen]
        save_image(strip([pictures[i] for i in chosen], labels), args.strip)
    if args.animation:
        from impasto.media.animation import animate

        animate(pictures, args.animation)


def _save(result: Result, output: str, args: argparse.Namespace) -> None:
    if output == STANDARD:
        result.save(sys.stdout.buffer, bits=args.bits, format="PNG", exif=args.exif)
        sys.stdout.buffer.flush()
        return
    result.save(output, quality=args.quality, bits=args.bits, exif=args.exif)
    height, width = result.picture.size
    logger.info("wrote %s (%d x %d px, %.1f s)", output, width, height, result.seconds)


def exit_code(result: Result) -> int:
    """The exit code of a run, and a word about what was kept if it was interrupted."""
    if result.stopped == "interrupted":
        logger.warning(
            "interrupted: the best picture so far was kept; "
            "to go on from it: --init FILE --scales 1"
        )
        return INTERRUPTED
    return 1 if result.stopped else 0
