"""Options of all the methods on one command line, and the stylizer that they ask for."""

from __future__ import annotations

import argparse
import dataclasses
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from impasto.cli.arguments import add_option, add_options, collect, names, parse_numbers
from impasto.errors import InputError
from impasto.methods import OPTIONS, Choice, choose
from impasto.networks.options import ArbitraryOptions
from impasto.options import PRESETS, OptimizeOptions

if TYPE_CHECKING:
    from impasto.api import Stylizer
    from impasto.backbones.fetch import Progress
    from impasto.image import ImageSource, Picture
    from impasto.networks import Arbitrary, Fast
    from impasto.optimize import Optimize

logger = logging.getLogger(__name__)


def add_method_options(parser: argparse.ArgumentParser) -> None:
    """Add --method, --preset, --style-weights, and the options of every method."""
    parser.add_argument(
        "--method",
        choices=list(OPTIONS),
        help="optimize: minutes, the best picture; fast: a network that knows the style; "
        "arbitrary: a network for any artwork (left out: fast for a style of the gallery or a "
        "model file, optimize for artworks)",
    )
    parser.add_argument(
        "--preset", choices=list(PRESETS), help="where --method optimize starts from"
    )
    add_option(
        parser,
        "style_weights",
        type=parse_numbers,
        metavar="X,X,...",
        help="how much each style counts",
    )
    add_options(parser.add_argument_group("optimisation"), OptimizeOptions)
    networks = parser.add_argument_group(
        "networks",
        "Options of --method fast and arbitrary; they also take --max-size (default here: 2048), "
        "--preserve-color, --match-result, --color-strength, --precision and --device.",
    )
    add_options(networks, ArbitraryOptions, names(ArbitraryOptions) - names(OptimizeOptions))


def add_masks(parser: argparse.ArgumentParser) -> None:
    """Add the masks of a single picture."""
    group = parser.add_argument_group("masks", "White belongs to a mask, grey does in part.")
    add_option(group, "mask", metavar="FILE", help="where to paint; elsewhere the photo stays")
    add_option(
        group,
        "content_masks",
        nargs="+",
        metavar="FILE",
        help="for each artwork the region of the photo that is to have its style",
    )
    add_option(
        group,
        "style_masks",
        nargs="+",
        metavar="FILE",
        help="for each artwork the part whose style is taken; 'all': all of it",
    )


def add_styles(parser: argparse.ArgumentParser) -> None:
    """Add the styles, of which there is at least one."""
    parser.add_argument(
        "styles",
        nargs="+",
        metavar="STYLE",
        help="artwork, style of the gallery or model file; several are blended",
    )


def choice_of(
    args: argparse.Namespace, styles: Sequence[str], *, artworks: str = "optimize"
) -> Choice:
    """The method that arguments and styles ask for; ``artworks`` as for ``choose``.

    Raises:
        InputError: If there is none, or an option was given that it does not have.
    """
    choice = choose(styles, args.method, getattr(args, "model", None), artworks=artworks)
    known = {item.name for item in dataclasses.fields(OPTIONS[choice.method])}
    for options in OPTIONS.values():
        for name in collect(args, options):
            if name not in known:
                option = name.replace("_", "-")
                raise InputError(f"--{option} does nothing with --method {choice.method}")
    return choice


def make_stylizer(args: argparse.Namespace, choice: Choice) -> Stylizer:
    """The stylizer that the arguments ask for, masks included, its style set.

    Raises:
        InputError: If a style, option or device cannot be used.
    """
    from impasto.api import make_stylizer

    styles, options = _loaded(choice), options_of(args, choice)
    with _download_bar(options) as progress:
        return make_stylizer(
            styles,
            method=choice.method,
            model=choice.model,
            preset=args.preset,
            style_weights=args.style_weights,
            style_masks=_style_masks(args),
            progress=progress,
            **options,
        )


def load_stylizer(args: argparse.Namespace, choice: Choice) -> Optimize | Fast | Arbitrary:
    """The ``Optimize``, ``Fast`` or ``Arbitrary`` that the arguments ask for, its style set.

    Raises:
        InputError: If a style, option or device cannot be used.
    """
    from impasto.api import load_stylizer

    styles, options = _loaded(choice), options_of(args, choice)
    with _download_bar(options) as progress:
        stylizer: Any = load_stylizer(choice, preset=args.preset, progress=progress, **options)
    stylizer.set_style(styles or None, style_weights=args.style_weights)
    loaded: Optimize | Fast | Arbitrary = stylizer
    return loaded


class Stylizers:
    """Stylizers for one style after the other; a model that serves several is loaded once.

    Args:
        load: Loads the stylizer of a choice, without its style.
    """

    def __init__(self, load: Callable[[Choice], Any]) -> None:
        self._load = load
        self._known: dict[tuple[str, str | None], Any] = {}

    def __call__(self, choice: Choice) -> Any:
        """The ``Optimize``, ``Fast`` or ``Arbitrary`` of a choice, its style set until the next."""
        model = (choice.method, choice.model)
        if model not in self._known:
            self._known[model] = self._load(choice)
        self._known[model].set_style(_loaded(choice) or None)
        return self._known[model]


def _loaded(choice: Choice) -> list[Any]:
    """The styles of a choice: artworks as pictures, names as they are."""
    return choice.styles if choice.method == "fast" else [*map(load_picture, choice.styles)]


def _download_bar(options: dict[str, Any]) -> AbstractContextManager[Progress]:
    from impasto.cli.weights import download_bar

    return download_bar(options.get("backbone", OptimizeOptions.backbone))


def options_of(args: argparse.Namespace, choice: Choice) -> dict[str, Any]:
    """The options of the chosen method that were given; its model stands in the choice."""
    options = collect(args, OPTIONS[choice.method])
    options.pop("model", None)
    return options


def _style_masks(args: argparse.Namespace) -> list[ImageSource | None] | None:
    if args.style_masks is None:
        return None
    return [None if name == "all" else opened(name) for name in args.style_masks]


def load_picture(source: str | bytes, long_side: int | None = None) -> Picture:
    """Load a picture from a path, a URL or bytes, and log what there is to say about it.

    Raises:
        InputError: If it cannot be read.
        ImpastoError: If a URL cannot be reached.
    """
    from impasto.batch import storage
    from impasto.image import load_image

    if isinstance(source, str):
        picture = storage.load_picture(source, long_side)
    else:
        picture = load_image(source, long_side=long_side)
    for notice in picture.notices:
        logger.warning("%s: %s", picture.name, notice)
    return picture


def opened(source: str) -> ImageSource:
    """A path as it is, or the picture behind a URL, for what loads pictures itself.

    Raises:
        InputError: If what is behind the URL is no picture.
        ImpastoError: If it cannot be reached.
    """
    from impasto.batch.storage import is_local

    return source if is_local(source) else load_picture(source)
