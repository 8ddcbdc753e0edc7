"""``impasto batch``: folders of photos in one or several styles."""

from __future__ import annotations

import argparse
import functools
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.arguments import INTERRUPTED, add_option
from impasto.cli.bars import CountingBar, download_bar
from impasto.cli.method_options import add_method_options, choices_of, options_of
from impasto.errors import InputError
from impasto.methods import MODEL_SUFFIX, grouped

if TYPE_CHECKING:
    from impasto.batch import Item, Setup, Summary
    from impasto.batch.engine import Engine, Report
    from impasto.batch.manifest import Line
    from impasto.methods import Choice

logger = logging.getLogger(__name__)

MANIFEST = "manifest.jsonl"


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "batch",
        help="repaint folders of photos",
        description="Repaint many photos, each in one or several styles. What a manifest says is "
        "finished is skipped, so a batch that was ended goes on when it is started again.",
        epilog="Exit code: 0 all there, 1 some failed (the manifest says why), 2 nothing could be "
        "started, 130 interrupted.",
    )
    parser.add_argument(
        "inputs", nargs="*", metavar="IN", help="photos, folders or patterns ('in/**/*.jpg')"
    )
    parser.add_argument(
        "-o",
        "--output",
        nargs="+",
        default=[],
        metavar=("DIR", "STYLE"),
        help="folder of the results, then the styles: artworks, names of the gallery or a model "
        "file; every photo is painted in each",
    )
    parser.add_argument("--style", nargs="+", default=[], metavar="STYLE", help="further styles")
    parser.add_argument(
        "-r", "--recursive", action="store_true", help="search subfolders; results mirror them"
    )
    parser.add_argument(
        "--name",
        metavar="TEMPLATE",
        help="how results are called, of {name}, {suffix} and {style} (default: {name}.png, or "
        "{name}_{style}.png for several styles)",
    )
    parser.add_argument(
        "--manifest", metavar="FILE", help=f"record of what was done (default: DIR/{MANIFEST})"
    )
    parser.add_argument("--quality", type=int, default=95, help="of JPEG and WebP (default: 95)")
    _add_engine(parser.add_argument_group("workers"))
    add_method_options(parser)
    add_option(parser, "dry_run", action="store_true", help="list what would be made, and stop")
    parser.set_defaults(run=run)
    parser.mixed = functools.partial(_photos_then_styles, parser.mixed)


def _photos_then_styles(
    parse: Callable[..., tuple[Any, list[str]]], args: Sequence[str], namespace: Any
) -> tuple[Any, list[str]]:
    """Parse so that positional arguments are photos before ``-o`` and styles behind it.

    Where none stand before it, those behind it are photos.
    """
    turn = (i for i, argument in enumerate(args) if argument.startswith(("-o", "--out")))
    at = next(turn, len(args))
    namespace, unknown = parse(args[:at], namespace)
    photos = vars(namespace).pop("inputs")
    namespace, more = parse(args[at:], namespace)
    if photos:
        namespace.style = [*namespace.inputs, *namespace.style]
        namespace.inputs = photos
    return namespace, [*unknown, *more]


def _add_engine(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--on", choices=("local", "ray"), default="local", help="ray: many workers (extra: ray)"
    )
    group.add_argument("--address", metavar="HOST:PORT", help="of a Ray cluster, or auto")
    group.add_argument("--workers", type=int, metavar="N", help="default: all there is room for")
    add_option(
        group, "worker_cpus", type=float, metavar="X", help="processors a worker (default: 1)"
    )
    add_option(group, "worker_gpus", type=float, metavar="X", help="GPUs a worker (default: 0)")


def run(args: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from impasto.batch import Manifest, Summary, plan, storage
    from impasto.batch import run as run_batch
    from impasto.batch.manifest import read_records

    if args.style_weights is not None:
        raise InputError("--style-weights does nothing in a batch: each style is painted by itself")
    engine = _engine(args)
    if not args.inputs or not args.output:
        raise InputError("give photos, a folder and styles: impasto batch IN -o DIR STYLE")
    named: list[str] = [*args.output, *args.style]
    folder, styles = named[0], named[1:]
    if not styles and getattr(args, "model", None) is None:
        raise InputError("no style: name it behind the folder, as in -o DIR STYLE, or by --style")
    parts = [(choice, _styles_of(choice)) for choice in _choices(args, styles)]
    names = [name for _, part in parts for name in part]
    manifest_path = _manifest_path(args, folder)
    made = [str(record.get("output")) for record in read_records(manifest_path)]
    items = plan(args.inputs, names, folder, name=args.name, recursive=args.recursive, made=made)
    if args.dry_run:
        for item in items:
            print(f"{item.content} in {item.style}: {item.output}")
        return 0
    setups = [(_setup(args, choice), part) for choice, part in parts]
    storage.check_folder(folder)
    summary = Summary()
    with (
        Manifest(manifest_path) as manifest,
        CountingBar("picture", quiet=args.quiet) as bar,
    ):
        for setup, part in setups:
            these = [item for item in items if item.style in part]
            summary += run_batch(these, setup, manifest, engine=engine, tell=_telling(bar))
            if summary.interrupted:
                break
    return _report(summary, items, manifest.path)


def _telling(bar: CountingBar) -> Report:
    """Count each item, and log what failed or is to be known."""

    def tell(record: Line, done: int, of: int) -> None:
        if record["status"] == "failed":
            logger.warning("%s: %s", record["output"], record["error"])
        else:
            logger.debug("wrote %s (%.1f s)", record["output"], record["seconds"])
        for notice in record.get("notices", ()):
            logger.warning("%s: %s", record["content"], notice)
        bar(done, of)

    return tell


def _engine(args: argparse.Namespace) -> Engine:
    """The engine that the arguments ask for."""
    from impasto.batch.engine import local

    given = {
        "address": args.address,
        "workers": args.workers,
        "cpus": args.worker_cpus,
        "gpus": args.worker_gpus,
    }
    given = {name: value for name, value in given.items() if value is not None}
    if args.on == "local":
        if given:
            raise InputError("--address, --workers, --worker-cpus, --worker-gpus: for --on ray")
        return local
    from impasto.batch import on_ray

    return on_ray.engine(**given)


def _choices(args: argparse.Namespace, styles: list[str]) -> list[Choice]:
    """The methods of the styles; names of the gallery and artworks may stand together."""
    apart = not (args.method or getattr(args, "model", None))
    if apart and not any(style.endswith(MODEL_SUFFIX) for style in styles):
        return choices_of(args, grouped(styles))
    return choices_of(args, [styles])


def _styles_of(choice: Choice) -> Sequence[str]:
    """The styles of the items, each of them checked."""
    from impasto.batch import storage
    from impasto.stylizers.networks.description import describe
    from impasto.stylizers.networks.gallery import shipped, style_index

    if choice.method != "fast":
        for style in choice.styles:
            storage.load_style(style)
        return choice.styles
    known = describe(choice.model or shipped("fast")).styles
    return [known[style_index(name, known)] for name in choice.styles] or known


def _setup(args: argparse.Namespace, choice: Choice) -> Setup:
    """How the arguments ask for the pictures to be made."""
    from impasto import api
    from impasto.batch import Setup, storage
    from impasto.options import OptimizeOptions, files_of

    if not 1 <= args.quality <= 100:
        raise InputError(f"quality must be from 1 to 100, not {args.quality}")
    options = options_of(args, choice)
    load = functools.partial(api.load, choice, **options)
    with download_bar(options.get("backbone", OptimizeOptions.backbone)) as progress:
        load(progress=progress)  # what is wrong with the options is told once, and now
    settings = {"method": choice.method, "preset": None, **options}
    files = files_of({**options, "model": choice.model})
    settings["files"] = {file: storage.stamp(file) for file in files}
    return Setup(load, settings, by_name=choice.method == "fast", quality=args.quality)


def _manifest_path(args: argparse.Namespace, folder: str) -> Path:
    from impasto.batch import storage

    if args.manifest:
        return Path(args.manifest)
    if not storage.is_local(folder):
        raise InputError(f"{folder} cannot be appended to: name a local file by --manifest")
    return Path(folder) / MANIFEST


def _report(summary: Summary, items: Sequence[Item], manifest: Path) -> int:
    logger.info(
        "%d made, %d failed, %d there already, of %d; see %s",
        summary.done,
        summary.failed,
        summary.skipped,
        len(items),
        manifest,
    )
    if summary.interrupted:
        logger.warning("interrupted: start it again to go on")
        return INTERRUPTED
    return 1 if summary.failed else 0
