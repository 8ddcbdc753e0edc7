"""Trade-offs: one option tried at several values, each result measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.backbones.base import Backbone
from impasto.errors import InputError
from impasto.events import Callback
from impasto.explain.evaluation import Evaluator, Row
from impasto.explain.plots import GRID, INK, MUTED, check_plot, new_figure, save_figure
from impasto.image import ImageSource
from impasto.names import nearest
from impasto.options import OptimizeOptions, choices, kinds
from impasto.result import Result
from impasto.stylizers.optimize import Optimize

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STYLE_METRICS = {"Gram": "#d55e00", "W2": "#0072b2"}


@dataclass(frozen=True)
class Trial:
    """The result for one value.

    Attributes:
        value: The value, as text.
        result: The picture.
        row: Its distances, by name.
    """

    value: str
    result: Result
    row: Row


def parse_sweep(text: str) -> tuple[str, list[Any]]:
    """Read ``content_weight=0.3,1,3`` as the name of an option and its values.

    Raises:
        InputError: If there is no such option, or it has no values of this kind.
    """
    name, _, listed = text.partition("=")
    name = name.strip().replace("-", "_")
    types = kinds(OptimizeOptions)
    swept = [key for key in types if types[key] in (int, float, str) or choices(types[key])]
    if name not in swept:
        raise InputError(f"cannot sweep '{name}': {nearest(name, swept)}")
    try:
        read: Callable[[str], Any] = types[name] if types[name] in (int, float) else str
        values = [read(part) for part in listed.split(",")]
    except ValueError:
        raise InputError(f"'{text}': give numbers divided by commas, as {name}=1,3") from None
    for value in values:
        OptimizeOptions(**{name: value})  # raises what is out of range before any work
    return name, values


def sweep(
    name: str,
    values: Sequence[Any],
    content: ImageSource,
    style: ImageSource,
    options: OptimizeOptions,
    evaluator: Evaluator,
    *,
    backbone: Backbone | None = None,
    watch: Callable[[str], Sequence[Callback]] = lambda value: (),
) -> Iterator[Trial]:
    """Stylize a photo with each value of an option, and measure the results.

    Args:
        name: A field of ``OptimizeOptions``.
        values: Its values.
        content: The photo.
        style: The artwork.
        options: All other options.
        evaluator: Measures the pictures.
        backbone: A backbone to use instead of the named one.
        watch: Makes the callbacks of a run, given its value.

    Yields:
        One trial for each value, as it is done; none for an interrupted one.

    Raises:
        InputError: If a picture or a value cannot be used.
        ImpastoError: If memory runs out.
    """
    for value in values:
        text = f"{value:g}" if isinstance(value, float) else str(value)
        callbacks = watch(f"{name} {text}")
        stylizer = Optimize(dataclasses.replace(options, **{name: value}), backbone=backbone)
        result = stylizer.set_style(style)(content, callback=callbacks)
        if result.stopped == "interrupted":
            return
        yield Trial(text, result, evaluator(result.picture, content, style))


def plot_trials(trials: Sequence[Trial], name: str, path: str | Path) -> None:
    """Plot the style distances of trials over their content distance.

    Nearer to the lower left is better; the curve shows how an option trades one for the other. The
    two style distances have different scales: each is drawn on an axis of its own.

    Args:
        trials: At least one.
        name: The option, for the caption.
        path: A file ending in .png, .svg or .pdf, written whole or not at all.

    Raises:
        InputError: If the suffix is another one.
        MissingExtraError: If matplotlib is not installed.
    """
    check_plot(path)
    figure = new_figure(9, 4)
    for axes, metric in zip(figure.subplots(1, 2), STYLE_METRICS, strict=True):
        _draw(axes, trials, metric)
    figure.suptitle(f"Trade-off over {name}", color=INK, fontsize=12)
    save_figure(figure, path)


def _draw(axes: Axes, trials: Sequence[Trial], metric: str) -> None:
    points: Mapping[str, tuple[float, float]] = {
        trial.value: (trial.row["content"], trial.row[metric]) for trial in trials
    }
    axes.plot(*zip(*points.values(), strict=True), "o-", color=STYLE_METRICS[metric], linewidth=1.7)
    for value, point in points.items():
        label = axes.annotate(value, point, (6, 5), textcoords="offset points", color=INK)
        label.set(fontsize=9, parse_math=False)  # a value may be the name of a file
    axes.set_xlabel("content distance", color=MUTED)
    axes.set_ylabel(f"{metric} distance from the style", color=MUTED)
    axes.margins(0.12)
    axes.set_ylim(bottom=0)
    axes.grid(True, color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(GRID)
    axes.tick_params(which="both", length=0, colors=MUTED)
