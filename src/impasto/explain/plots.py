"""Plots of what happened in a run.

Drawn on matplotlib's figure objects, without pyplot, so that no global state is touched and plots
can be made in any thread.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING

from impasto.errors import InputError, needs
from impasto.files import atomic

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from impasto.callbacks import History

FORMATS = (".png", ".svg", ".pdf")
INK = "#222222"
MUTED = "#767676"
GRID = "#e6e6e6"
TERM_COLORS = {"total": INK, "content": "#0072b2", "style": "#d55e00", "tv": "#009e73"}
OTHER_COLORS = ("#a2559c", "#b8860b", "#3a9fc4")


def plot_losses(history: History, path: str | Path) -> None:
    """Plot the loss terms of a run over its steps, on a logarithmic axis.

    The start of each scale is marked with a thin line and its size. Values that are not positive
    have no place on the axis and are left out.

    Args:
        history: The records of a run; terms are plotted as weighted, with their total.
        path: A file ending in .png, .svg or .pdf, written whole or not at all.

    Raises:
        InputError: If the suffix is another one or there is nothing to plot.
        MissingExtraError: If matplotlib is not installed.
    """
    check_plot(path)
    curves = _curves(history)
    if not curves:
        raise InputError("there are no losses to plot: the history has no positive values")

    figure = new_figure(8, 4.2)
    axes = figure.add_subplot()
    _draw_curves(axes, history, curves)
    _draw_scales(axes, history)
    _style(axes)
    save_figure(figure, path)


def check_plot(path: str | Path) -> None:
    """Refuse, before any work is done, what could not be plotted later.

    Raises:
        InputError: If a plot cannot be written to such a file.
        MissingExtraError: If matplotlib is not installed.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"cannot write a plot to {path.name}: use one of {', '.join(FORMATS)}")
    if not path.resolve().parent.is_dir():
        raise InputError(f"cannot write {path}: the folder {path.parent} does not exist")
    with needs("matplotlib", "plots", "plotting"):
        import matplotlib.figure  # noqa: F401


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches at 160 dots per inch."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=160, layout="constrained")


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure in the format that its suffix names, whole or not at all."""
    with atomic(path) as temporary:
        figure.savefig(temporary, format=Path(path).suffix[1:].lower())


def _curves(history: History) -> dict[str, list[float]]:
    """Return the values of each term that has any to draw, NaN where there is none."""
    curves = {
        term: [
            value if 0 < (value := record.losses.get(term, math.nan)) < math.inf else math.nan
            for record in history.records
        ]
        for term in history.terms
    }
    return {term: values for term, values in curves.items() if not all(map(math.isnan, values))}


def _draw_curves(axes: Axes, history: History, curves: dict[str, list[float]]) -> None:
    """Draw the curves and write their names beside their right ends, in their colours."""
    steps = [record.step for record in history.records]
    bottom, top = _limits(curves)
    axes.set(yscale="log", ylim=(bottom, top), xlim=(steps[0], max(steps[-1], steps[0] + 1)))
    others = iter(itertools.cycle(OTHER_COLORS))
    colors = {name: TERM_COLORS.get(name) or next(others) for name in curves}
    for name, values in curves.items():
        width = 2.4 if name == "total" else 1.7
        marker = "o" if len(steps) == 1 else None
        axes.plot(steps, values, color=colors[name], linewidth=width, marker=marker, clip_on=False)
    ends = {name: [v for v in values if v > 0][-1] for name, values in curves.items()}
    heights = {name: math.log(end / bottom) / math.log(top / bottom) for name, end in ends.items()}
    for name, height in _apart(heights, 0.055).items():
        axes.annotate(
            name,
            (1, height),
            xycoords="axes fraction",
            xytext=(7, 0),
            textcoords="offset points",
            verticalalignment="center",
            color=colors[name],
            fontweight="bold" if name == "total" else "normal",
        )


def _limits(curves: dict[str, list[float]]) -> tuple[float, float]:
    """Return the ends of the y axis: all values with some room, at least one decade."""
    logs = [math.log10(value) for values in curves.values() for value in values if value > 0]
    low, high = min(logs), max(logs)
    room = max(0.05 * (high - low), (1 - (high - low)) / 2)
    return float(10 ** (low - room)), float(10 ** (high + room))


def _apart(heights: dict[str, float], gap: float) -> dict[str, float]:
    """Push labels apart, upwards and then down from the top, until none touch."""
    names = sorted(heights, key=lambda name: heights[name])
    placed: list[float] = []
    for name in names:
        placed.append(max(heights[name], placed[-1] + gap) if placed else heights[name])
    ceiling = 1.0
    for i in reversed(range(len(placed))):
        placed[i] = min(placed[i], ceiling)
        ceiling = placed[i] - gap
    return dict(zip(names, placed, strict=True))


def _draw_scales(axes: Axes, history: History) -> None:
    """Mark where each scale starts and write its size above, unless the labels would touch."""
    starts = [
        record
        for previous, record in zip([None, *history.records], history.records, strict=False)
        if previous is None or previous.scale != record.scale
    ]
    first, last = axes.get_xlim()
    # From the finest on, whose size matters most and may stand out to the right.
    edge = math.inf
    for record in reversed(starts):
        if record.step > first:
            axes.axvline(record.step, color=MUTED, linewidth=0.8, linestyle=(0, (2, 3)))
        if edge - record.step >= 0.11 * (last - first):
            edge = record.step
            height, width = record.size
            axes.annotate(
                f"{width} \N{MULTIPLICATION SIGN} {height}",
                (record.step, 1),
                xycoords=("data", "axes fraction"),
                xytext=(0, 5),
                textcoords="offset points",
                color=MUTED,
                fontsize=8.5,
            )


def _style(axes: Axes) -> None:
    """Give the plot a light grid, no box, and plain labels."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    axes.set_xlabel("step", color=MUTED)
    axes.set_ylabel("weighted loss", color=MUTED)
    axes.grid(True, axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.tick_params(which="both", length=0, colors=MUTED)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True))
    bottom, top = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if top < 1000 * bottom else (1,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
