"""Options of all the methods on one command line, and the stylizer that they ask for."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from impasto.cli.arguments import add_option, add_options, collect, parse_numbers
from impasto.cli.bars import download_bar
from impasto.errors import InputError
from impasto.methods import OPTIONS, Choice, choose
from impasto.options import PRESETS, OptimizeOptions, names
from impasto.stylizers.networks.options import ArbitraryOptions

if TYPE_CHECKING:
    from impasto.image import ImageSource, Picture
    from impasto.stylizers.base import Stylizer

logger = logging.getLogger(__name__)


def add_method_options(parser: argparse.ArgumentParser) -> None:
    """Add --method, --preset, --style-weights, and the options of every method."""
    parser.add_argument(
        "--method",
        choices=list(OPTIONS),
        help="optimize: step by step, the best picture; fast: a network that knows the style; "
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
        "--preserve-color, --match-result, --color-strength, --precision and --device; arbitrary "
        "also --match, --regions, --strength-map and --stroke-map.",
    )
    own = [name for name in names(ArbitraryOptions) if name not in names(OptimizeOptions)]
    add_options(networks, ArbitraryOptions, own)


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
        help="artwork, folder of artworks, style pack, style of the gallery or model file; several "
        "are blended",
    )


def choice_of(
    args: argparse.Namespace, styles: Sequence[str], *, artworks: str = "optimize"
) -> Choice:
    """The method that arguments and styles ask for; ``artworks`` as for ``choose``.

    Raises:
        InputError: If there is none, or an option was given that it does not have.
    """
    choice = choose(styles, args.method, getattr(args, "model", None), artworks=artworks)
    _refuse_idle(args, [choice])
    return choice


def choices_of(args: argparse.Namespace, groups: Sequence[Sequence[str]]) -> list[Choice]:
    """The methods of groups of styles, so that one command paints with several.

    Raises:
        InputError: As from ``choice_of``; an option has to be of use for one of them.
    """
    model = getattr(args, "model", None)
    choices = [choose(styles, args.method, model) for styles in groups]
    _refuse_idle(args, choices)
    return choices


def _refuse_idle(args: argparse.Namespace, choices: Sequence[Choice]) -> None:
    """Raise InputError for options that were given and are of no use."""
    methods = dict.fromkeys(choice.method for choice in choices)
    known = {name for method in methods for name in names(OPTIONS[method])}
    given = [name for options in OPTIONS.values() for name in collect(args, options)]
    if args.preset and "optimize" not in methods:
        raise InputError(f"presets are for the method optimize, not {' or '.join(methods)}")
    for name in given:
        if name not in known:
            option = name.replace("_", "-")
            raise InputError(f"--{option} does nothing with --method {' or '.join(methods)}")


def load_stylizer(args: argparse.Namespace, choice: Choice) -> Stylizer[Any]:
    """The stylizer that the arguments ask for, its style set.

    Raises:
        InputError: If a style, mask, option or device cannot be used.
    """
    from impasto.api import load

    styles, options = _loaded(choice), options_of(args, choice)
    with download_bar(options.get("backbone", OptimizeOptions.backbone)) as progress:
        stylizer = load(choice, progress=progress, **options)
    masks = _style_masks(args) if "style_masks" in args else None
    return stylizer.set_style(styles or None, weights=args.style_weights, masks=masks)


class Stylizers:
    """Stylizers for one style after the other; a model that serves several is loaded once.

    Args:
        load: Loads the stylizer of a choice, without its style.
    """

    def __init__(self, load: Callable[[Choice], Stylizer[Any]]) -> None:
        self._load = load
        self._known: dict[tuple[str, Any], Stylizer[Any]] = {}

    def __call__(self, choice: Choice) -> Stylizer[Any]:
        """The stylizer of a choice, its style set until the next."""
        model = (choice.method, choice.model)
        if model not in self._known:
            self._known[model] = self._load(choice)
        return self._known[model].set_style(_loaded(choice) or None)


def _loaded(choice: Choice) -> list[Any]:
    """The styles of a choice: artworks as pictures; names, folders and packs as they are."""
    from impasto.stylizers.body import is_pooled

    if choice.method == "fast":
        return choice.styles
    return [style if is_pooled(style) else load_picture(style) for style in choice.styles]


def options_of(args: argparse.Namespace, choice: Choice) -> dict[str, Any]:
    """The options that were given for the chosen method, for ``load_stylizer``."""
    options = collect(args, OPTIONS[choice.method])
    options.pop("model", None)  # it stands in the choice
    if args.preset and choice.method == "optimize":
        options["preset"] = args.preset
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
