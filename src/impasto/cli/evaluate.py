"""``impasto evaluate``: measure stylized pictures against their sources."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.arguments import INTERRUPTED, add_options, collect
from impasto.cli.bars import RunBars, backbone_with_bar
from impasto.cli.method_options import opened
from impasto.cli.outputs import check_outputs
from impasto.cli.tables import aligned
from impasto.errors import InputError
from impasto.names import told_apart
from impasto.options import PRESETS, OptimizeOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from impasto.explain.evaluation import Case, Evaluator, Row
    from impasto.explain.sweep import Trial

logger = logging.getLogger(__name__)

HIGHEST = 384  # pictures of a strip, in pixels


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure stylized pictures against their sources",
        description="Measure stylized pictures: how near they are to their photo (content, SSIM, "
        "LPIPS) and to their artwork (Gram, W2). Read both sides together, and look at the "
        "pictures: one that was hardly stylized is near to its photo.",
        epilog="A manifest is a CSV file with the columns image, content and style.",
    )
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="IMAGE CONTENT STYLE; or a manifest, or a folder that holds manifest.csv; "
        "with --sweep: CONTENT STYLE",
    )
    parser.add_argument(
        "--judge", default="lite", metavar="NAME", help="backbone that measures (default: lite)"
    )
    parser.add_argument(
        "--judge-size",
        type=int,
        default=512,
        metavar="PX",
        help="longer side at which pictures are compared (default: 512)",
    )
    parser.add_argument(
        "--lpips", action="store_true", help="LPIPS as well (needs the package lpips)"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table")
    group = parser.add_argument_group("sweep")
    group.add_argument(
        "--sweep",
        metavar="OPTION=X,X,...",
        help="stylize CONTENT at each value of an option of `impasto stylize` and measure that",
    )
    group.add_argument("--plot", type=Path, metavar="FILE", help="the trade-off as a plot")
    group.add_argument("--strip", type=Path, metavar="FILE", help="the pictures side by side")
    group.add_argument(
        "--preset", choices=list(PRESETS), default="default", help="the other options"
    )
    add_options(parser.add_argument_group("optimisation (with --sweep)"), OptimizeOptions)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if args.sweep is not None:
        return _sweep(args)
    if args.plot or args.strip:
        raise InputError("--plot and --strip show a sweep: give --sweep as well")
    from impasto.explain.evaluation import mean

    check_outputs({"--csv": args.csv}, args.sources)
    cases = _cases(args.sources)
    evaluator = _evaluator(args)
    names = told_apart(case.name for case in cases)
    measured = {name: _measured(case, evaluator) for name, case in zip(names, cases, strict=True)}
    rows = {name: row for name, row in measured.items() if row}
    if rows:
        _tell(rows if len(rows) < 2 else {**rows, "mean": mean(list(rows.values()))}, "name")
        _write(rows, args, "name")
    return 0 if len(rows) == len(cases) else InputError.exit_code


def _cases(sources: list[str]) -> list[Case]:
    from impasto.explain.evaluation import Case, read_manifest

    if len(sources) == 1:
        return read_manifest(sources[0])
    if len(sources) == 3:
        return [Case(Path(sources[0]).name, *map(opened, sources))]
    raise InputError("give IMAGE CONTENT STYLE, or a manifest, or a folder that holds one")


def _evaluator(args: argparse.Namespace) -> Evaluator:
    from impasto.explain.evaluation import Evaluator, load_lpips

    lpips = load_lpips() if args.lpips else None
    return Evaluator(backbone_with_bar(args.judge), args.judge_size, lpips)


def _measured(case: Case, evaluator: Evaluator) -> Row | None:
    """The distances of a case; None, told in one line, where one of its files is unusable."""
    try:
        return evaluator(case.image, case.content, case.style)
    except InputError as error:
        logger.error("%s is left out: %s", case.name, error)
        return None


def _sweep(args: argparse.Namespace) -> int:
    from impasto.explain.sweep import parse_sweep, plot_trials, sweep

    if len(args.sources) != 2:
        raise InputError("--sweep takes two pictures: CONTENT STYLE")
    content, style = map(opened, args.sources)
    name, values = parse_sweep(args.sweep)
    options = OptimizeOptions.preset(args.preset, **collect(args, OptimizeOptions))
    _check_sweep_outputs(args)
    evaluator = _evaluator(args)
    with RunBars(args.quiet) as bars:
        trials = list(sweep(name, values, content, style, options, evaluator, watch=bars))
    if trials:
        rows = {trial.value: trial.row for trial in trials}
        _tell(rows, name)
        _write(rows, args, name)
        if args.plot:
            plot_trials(trials, name, args.plot)
        if args.strip:
            _write_strip(trials, name, args.strip)
    return 0 if len(trials) == len(values) else INTERRUPTED


def _check_sweep_outputs(args: argparse.Namespace) -> None:
    """Refuse now what could not be written after a long run."""
    from impasto.explain.plots import check_plot
    from impasto.image import check_writable

    outputs = {"--csv": args.csv, "--plot": args.plot, "--strip": args.strip}
    check_outputs(outputs, args.sources)
    if args.plot:
        check_plot(args.plot)
    if args.strip:
        check_writable(args.strip)


def _tell(rows: Mapping[str, Row], head: str) -> None:
    columns = list(next(iter(rows.values())))
    lines = [[name, *(f"{row[column]:.4f}" for column in columns)] for name, row in rows.items()]
    for line in aligned([[head, *columns], *lines]):
        print(line)


def _write(rows: Mapping[str, Row], args: argparse.Namespace, head: str) -> None:
    if args.csv:
        from impasto.explain.evaluation import write_table

        write_table(rows, args.csv, head)


def _write_strip(trials: list[Trial], name: str, path: Path) -> None:
    from impasto.image import save_image
    from impasto.media.sheet import strip

    labels = [f"{name} {trial.value}" for trial in trials]
    pictures = [trial.result.picture for trial in trials]
    height = min(HIGHEST, max(picture.size[0] for picture in pictures))
    save_image(strip(pictures, labels, height=height), path)
