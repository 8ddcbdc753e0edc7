"""The options of the stylizers: one place for defaults, help and checks.

The command line and the Python API both read these dataclasses, so they cannot drift apart. No
heavy import here: ``impasto --help`` has to answer at once.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args, get_origin, get_type_hints

from impasto.errors import InputError
from impasto.names import must_be_known

StyleLoss = Literal["gram", "w2", "gram+w2", "nn", "gram+w2+nn"]
Precision = Literal["auto", "float32", "bfloat16"]
Pooling = Literal["max", "average"]
ColorMode = Literal["off", "luminance", "linear", "histogram"]
Wrap = Literal["off", "x", "y", "both"]
LayerWeights = dict[str, float]

MOST_WEIGHT = 1e8  # what heavier ones are divided down to
# All alike, as in Gatys et al.
CLASSIC_STYLE_LAYERS = {f"relu{block}_1": 1.0 for block in range(1, 6)}
# Departs from them: deep layers pull hardest at the content, and bring the artwork's objects with
# its large shapes. Judges preferred this balance to an even one with relu5_1 at a half.
STYLE_LAYERS = {"relu1_1": 1.6, "relu2_1": 1.2, "relu3_1": 0.85, "relu4_1": 0.65, "relu5_1": 0.25}
# relu4_2 as in Gatys et al.; the lower layers keep thin lines, which a coarse-to-fine run bends
# more than a run at one scale does, and leave more room for style at the same content distance.
CONTENT_LAYERS = {"relu4_2": 1.0, "relu3_2": 0.6, "relu2_2": 0.4, "relu1_2": 0.1}

# What keep, stroke_map and stroke_direction may be beside a file.
OFF_OR_AUTO = ("off", "auto")
# Options that may name a map of the photo.
MAPS = ("strength_map", "stroke_map", "keep", "stroke_direction")
# Options that may name a file which is needed to paint.
FILES = ("weights", "model", "init", "palette", *MAPS)


def option(
    default: Any,
    help: str,
    *,
    minimum: float = -math.inf,
    maximum: float = math.inf,
    metavar: str | None = None,
) -> Any:
    """A dataclass field with what the command line and the checks have to know about it.

    Args:
        default: The default; a mapping is copied for each instance.
        help: One sentence for ``--help``.
        minimum: The smallest value allowed.
        maximum: The greatest value allowed.
        metavar: What ``--help`` calls the value.
    """
    metadata = {
        "help": help,
        "minimum": minimum,
        "maximum": maximum,
        "metavar": metavar,
    }
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def with_default(options: type[Any], name: str, default: Any, help: str = "") -> Any:
    """The field of a base class, with another default and perhaps other help."""
    given: Mapping[str, Any] = options.__dataclass_fields__[name].metadata
    return option(default, **{**given, "help": help or given["help"]})


@dataclass(frozen=True, kw_only=True)
class CheckedOptions:
    """Options whose values are checked against the types and limits of their fields.

    Raises:
        InputError: If a value is of the wrong type, out of its range or not among its choices.
    """

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, kw_only=True)
class LossOptions(CheckedOptions):
    """The terms of a loss and their weights."""

    content_weight: float = option(1.0, "weight of the content loss", minimum=0)
    style_weight: float = option(2.8, "weight of the style loss", minimum=0)
    tv_weight: float = option(0.0, "weight of the total variation (smoothness)", minimum=0)
    bands_weight: float = option(
        12.0, "weight of the bands: fine structure and speckle as in the artwork", minimum=0
    )
    content_layers: LayerWeights = option(
        CONTENT_LAYERS, "content layers with their weights", metavar="LAYER[=W],..."
    )
    style_layers: LayerWeights = option(
        STYLE_LAYERS, "style layers with their weights", metavar="LAYER[=W],..."
    )
    style_loss: StyleLoss = option(
        "gram+w2",
        "what the style loss compares: Gram matrices, Wasserstein-2 distances, nearest neighbours",
    )


@dataclass(frozen=True, kw_only=True)
class ColorOptions(CheckedOptions):
    """Colours that are kept or matched."""

    preserve_color: ColorMode = option(
        "off",
        "keep the photo's colours: luminance paints its lightness alone; linear and histogram "
        "match the artwork's colours to the photo's before painting",
    )
    match_result: Literal["off", "content", "style"] = option(
        "off",
        "match the finished picture's colours to those of the photo or of the first artwork",
    )
    match_mode: Literal["linear", "histogram"] = option(
        "linear",
        "how match_result matches: linear by mean and covariance, smooth; histogram by the whole "
        "distribution",
    )
    color_strength: float = option(
        1.0, "how far colours are kept or matched, 0 to 1", minimum=0, maximum=1
    )
    palette: str | None = option(
        None,
        "bring the artwork to these colours before painting, as 1d3557,e63946,f1faee, or to those "
        "of a picture or list of colours",
        metavar="FILE|HEX,HEX,...",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.match_mode != "linear" and self.match_result == "off":
            raise InputError(f"match_mode {self.match_mode} does nothing without match_result")
        if self.palette is None:
            return
        for name, allowed in (("preserve_color", ("off",)), ("match_result", ("off", "style"))):
            value = getattr(self, name)
            if value not in allowed:
                raise InputError(
                    f"palette and {name} {value} contradict each other: use one of them"
                )


@dataclass(frozen=True, kw_only=True)
class DeviceOptions(CheckedOptions):
    """Where to compute, and in which numbers."""

    precision: Precision = option(
        "auto", "numbers in which the backbone computes; losses are always in float32"
    )
    device: str = option("auto", "auto, cpu, cuda, cuda:1, xpu or mps")


@dataclass(frozen=True, kw_only=True)
class BorderOptions(CheckedOptions):
    """What lies beyond the borders of the picture."""

    wrap: Wrap = option(
        "off", "let the picture repeat without seams: left to right (x), top to bottom (y), or both"
    )

    @property
    def wrapped(self) -> tuple[bool, bool]:
        """Whether rows and whether columns go on at the other end of the picture."""
        return self.wrap in ("y", "both"), self.wrap in ("x", "both")


@dataclass(frozen=True, kw_only=True)
class MapOptions(CheckedOptions):
    """Pictures in greys, of the shape of the photo, that say what is to be where."""

    strength_map: str | None = option(
        None, "how much style where: white all of it, black the photo itself", metavar="FILE"
    )
    stroke_map: str = option(
        "off",
        "strokes of which size where: a map says so, white twice, black half; auto: fine ones "
        "where the photo has detail; or off",
        metavar="auto|FILE|off",
    )


MOST_REGIONS = 8


@dataclass(frozen=True, kw_only=True)
class RegionOptions(CheckedOptions):
    """Regions that are found, and not drawn."""

    match: Literal["off", "auto"] = option(
        "off", "auto: paint what is alike from what is alike: sky from sky, ground from ground"
    )
    regions: int = option(
        4, "how many regions match looks for, at most", minimum=2, maximum=MOST_REGIONS
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.regions != RegionOptions.regions and self.match == "off":
            raise InputError(f"regions {self.regions} does nothing without match auto")


GROUPS = (
    LossOptions,
    ColorOptions,
    RegionOptions,
    BorderOptions,
    MapOptions,
    DeviceOptions,
)


@dataclass(frozen=True, kw_only=True)
class OptimizeOptions(
    DeviceOptions, MapOptions, BorderOptions, RegionOptions, ColorOptions, LossOptions
):
    """Options of the optimisation of the image (Gatys et al. 2016 and what came after).

    The fields' metadata hold help and limits; ``impasto stylize --help`` lists them.

    Raises:
        InputError: If a value is of the wrong type, out of its range or not among its choices.
    """

    backbone: str = option(
        "auto",
        "feature network that looks at the picture; auto: lite on a CPU, vgg16 on a GPU",
        metavar="NAME",
    )
    weights: str | None = option(
        None, "file with the weights of the backbone, instead of the cache", metavar="FILE"
    )
    pooling: Pooling = option("max", "pooling of the backbone")
    max_size: int = option(512, "longer side of the result", minimum=1, metavar="PX")
    steps: int = option(60, "evaluations of loss and gradient, all scales together", minimum=1)
    scales: int = option(
        0, "scales of the coarse-to-fine pyramid; 0: as many as the size calls for", minimum=0
    )
    detail: float = option(
        1.0, "share of the content's fine detail that enters with each scale", minimum=0, maximum=1
    )
    keep: str = option(
        "auto",
        "what has to stay recognisable: auto finds it in the photo, if the content has weight; a "
        "mask says how much (grey); or off",
        metavar="auto|FILE|off",
    )
    stroke_direction: str = option(
        "off",
        "along what strokes run: auto: the lines of the photo; those of a drawing; or off",
        metavar="auto|FILE|off",
    )
    tones_weight: float = option(
        0.3,
        "weight of the tones: large areas as light as the photo's, if the content has weight",
        minimum=0,
    )
    forms: float = option(
        0.5,
        "what is taken over: 0 brushwork alone, 1 the artwork's large shapes as well",
        minimum=0,
        maximum=1,
    )
    motifs: float = option(
        0.0,
        "how much what an artwork shows (faces, lettering, figures) counts to its large shapes: 0 "
        "not at all, 1 as everything else",
        minimum=0,
        maximum=1,
    )
    classic_losses: bool = option(
        False, "absolute losses as in Gatys' method instead of relative ones"
    )
    style_scale: float = option(
        1.0, "longer side of the style image over that of the result", minimum=0.01, maximum=16
    )
    preview_size: int = option(
        0,
        "longer side of a preview that the result is to look like, enlarged with its strokes; 0: "
        "none",
        minimum=0,
        metavar="PX",
    )
    optimizer: Literal["lbfgs", "adam"] = option("lbfgs", "algorithm that changes the image")
    learning_rate: float = option(0.02, "step size of Adam, of the full range", minimum=1e-6)
    averaging: float = option(
        0.99, "decay of the average over Adam's iterates; 0: none", minimum=0, maximum=0.9999
    )
    init: str = option(
        "content",
        "what to start from: content, noise, style (its colours), gray, or an image file",
        metavar="WHAT",
    )
    tile: int | str = option(
        "auto",
        "work on tiles of N pixels, slower in less memory; auto: where memory is short; or off",
        metavar="N",
    )
    memory: str = option(
        "auto", "most memory to take, as 4GB; auto: four fifths of what is free", metavar="SIZE"
    )
    tolerance: float = option(
        0.0, "leave a scale once 10 steps lower the loss by less than this share", minimum=0
    )
    seed: int = option(0, "seed of the noise", minimum=0, maximum=2**63 - 1)

    def __post_init__(self) -> None:
        """Check every value against its field."""
        super().__post_init__()
        parse_tile(self.tile)
        parse_memory(self.memory)
        if self.preview_size > self.max_size:
            raise InputError(
                f"preview_size {self.preview_size} is more than max_size {self.max_size}"
            )
        if self.content_weight == 0 and self.style_weight == 0:
            raise InputError("content_weight and style_weight are both 0: nothing to optimise")
        if self.keep not in OFF_OR_AUTO:
            self.check_content("keep")
        if self.strength_map is not None:
            self.check_content("strength_map")
        self._moderate()

    def check_content(self, name: str) -> None:
        """Refuse a map that lets the content count for more where it has no weight of its own.

        Raises:
            InputError: If it is so.
        """
        if not self.keeps_content:
            why = "classic_losses" if self.classic_losses else "a content_weight of 0"
            raise InputError(f"{name} does nothing with {why}")

    @property
    def keeps_content(self) -> bool:
        """Whether the content can count for more in one place than in another."""
        return self.content_weight > 0 and not self.classic_losses

    @property
    def keeps_tones(self) -> bool:
        """Whether the tones of the content, in the colours of the style, count."""
        return self.tones_weight > 0 and self.style_weight > 0 and self.keeps_content

    def _moderate(self) -> None:
        """Divide all weights alike where they are extreme: only their ratios count.

        Otherwise squares of gradients leave the range of float32, and the photo stays as it is.
        """
        names = [item.name for item in dataclasses.fields(self) if "_weight" in item.name]
        weights = {name: getattr(self, name) for name in names}
        layers = [getattr(self, name.replace("_weight", "_layers"), {"": 1.0}) for name in names]
        heaviest = max(w * max(of.values()) for w, of in zip(weights.values(), layers, strict=True))
        if not heaviest < math.inf:
            raise InputError("the weights are too large: only their ratios count")
        if heaviest > MOST_WEIGHT:
            for name, weight in weights.items():
                object.__setattr__(self, name, weight * (MOST_WEIGHT / heaviest))

    @classmethod
    def preset(cls, name: str, **overrides: Any) -> OptimizeOptions:
        """Return the options of a preset, some of them overridden.

        Raises:
            InputError: If the preset or an option is unknown, or a value is wrong.
        """
        must_be_known("preset", name, PRESETS)
        for given in overrides:
            must_be_known("option", given, names(cls))
        options = cls(**{**copy.deepcopy(PRESETS[name]), **overrides})
        if overrides.get("keep", "off") != "off":  # asked for, and not just there
            options.check_content("keep")
        return options


# "best" adds nearest neighbours and takes its time; "quick" takes a third of the default's. What
# balance of depths suits neighbours is not judged yet: "best" weighs the layers almost evenly.
# Neighbours put things in their places themselves: judges preferred "best" without tones.
# "gatys" is the classic recipe as most scripts have it: one scale from the content image, L-BFGS,
# Gram matrices over C * H * W, mean squared errors, weights 1 and 1e6, 300 evaluations.
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "best": {
        "steps": 500,
        "style_loss": "gram+w2+nn",
        "style_weight": 2.4,
        "forms": 0.75,
        "tones_weight": 0.0,
    },
    "quick": {"steps": 26},
    "gatys": {
        "scales": 1,
        "steps": 300,
        "content_weight": 1.0,
        "style_weight": 1e6,
        "bands_weight": 0.0,
        "tones_weight": 0.0,
        "keep": "off",
        "motifs": 1.0,
        "content_layers": {"relu4_2": 1.0},
        "style_layers": CLASSIC_STYLE_LAYERS,
        "style_loss": "gram",
        "classic_losses": True,
        "precision": "float32",
    },
}


_hints: Any = functools.cache(get_type_hints)  # the same classes are asked for again and again


def kinds(options: type[Any]) -> dict[str, Any]:
    """The types of the fields of an options dataclass, by name."""
    found: dict[str, Any] = _hints(options)
    return found


def files_of(options: Mapping[str, Any]) -> list[str]:
    """The files that options name, of which the picture depends on what they hold."""
    given = (options.get(name) for name in FILES)
    return [file for file in given if file and os.path.isfile(file)]  # noqa: PTH113, never raises


def choices(kind: Any) -> tuple[str, ...]:
    """The values of a ``Literal``; none for other types."""
    return get_args(kind) if get_origin(kind) is Literal else ()


def names(options: type[Any]) -> list[str]:
    """The names of the fields of an options dataclass, with those of the shared groups last."""
    shared = {item.name for group in GROUPS for item in dataclasses.fields(group)}
    return sorted((item.name for item in dataclasses.fields(options)), key=shared.__contains__)


def check(options: Any) -> None:
    """Check the values of an options dataclass against its fields' types and metadata.

    Values that mean the same become plain types: numbers of NumPy and torch, paths, a
    ``torch.device``, mappings.

    Raises:
        InputError: At the first value that does not fit.
    """
    types = kinds(type(options))
    for item in dataclasses.fields(options):
        value, kind = _plain(getattr(options, item.name)), types[item.name]
        object.__setattr__(options, item.name, value)
        if kind in _NUMBERS:
            limits = item.metadata["minimum"], item.metadata["maximum"]
            _check_number(item.name, value, kind, *limits)
        elif kind == LayerWeights:
            _check_layers(item.name, value)
        elif kind is bool:
            if not isinstance(value, bool):
                raise InputError(f"{item.name} has to be True or False, not {value!r}")
        elif known := choices(kind):
            must_be_known(item.name, value, known)
        elif kind in _TEXTS and not isinstance(value, kind):
            raise InputError(f"{item.name} has to be text, not {value!r}")


def _plain(value: Any) -> Any:
    """A value as Python's own type, where there is one for it."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {name: _plain(weight) for name, weight in value.items()}
    if getattr(value, "ndim", None) == 0:  # of NumPy or torch
        return value.item()
    torch = sys.modules.get("torch")  # no device without it, and importing it takes seconds
    return str(value) if torch is not None and isinstance(value, torch.device) else value


_NUMBERS: dict[Any, Any] = {int: int, float: (int, float)}
_TEXTS: tuple[Any, ...] = (str, str | None)


def _check_number(name: str, value: Any, kind: Any, minimum: float, maximum: float) -> None:
    if not isinstance(value, _NUMBERS[kind]) or isinstance(value, bool):
        article = "a whole number" if kind is int else "a number"
        raise InputError(f"{name} has to be {article}, not {value!r}")
    if not abs(value) <= sys.float_info.max:  # also false for NaN
        raise InputError(f"{name} has to be finite")
    if value < minimum:
        raise InputError(f"{name} has to be at least {minimum:g}, not {value}")
    if value > maximum:
        raise InputError(f"{name} has to be at most {maximum:g}, not {value}")


def check_weights(weights: Any, count: int) -> list[float]:
    """The weights of so many styles, all alike if left out.

    Raises:
        InputError: If there are not as many, or they are no weights.
    """
    if weights is None:
        return [1.0] * count
    if not isinstance(weights, Iterable) or getattr(weights, "ndim", 1) != 1:
        raise InputError(f"style weights are a list of numbers, not {weights!r}")
    values = [_plain(value) for value in weights]
    if len(values) != count:
        raise InputError(f"{len(values)} style weights for {count} styles: give one for each")
    numbers = all(isinstance(value, (int, float)) and value >= 0 for value in values)
    if not numbers or not 0 < sum(values) < math.inf:
        raise InputError(f"style weights {values}: numbers, none below 0, finite, and not all 0")
    return [float(value) for value in values]


def _check_layers(name: str, value: Any) -> None:
    if not isinstance(value, dict) or not value:
        raise InputError(f"{name} has to map layer names to weights, not {value!r}")
    for layer, weight in value.items():
        if not isinstance(layer, str):
            raise InputError(f"{name}: the name of a layer has to be text, not {layer!r}")
        _check_number(f"{name}: the weight of {layer}", weight, float, 0, math.inf)
    if not any(value.values()):
        raise InputError(f"{name}: all weights are 0")


def parse_layers(text: str) -> LayerWeights:
    """Read layers as the command line takes them: ``relu1_1,relu4_1=0.5``.

    Raises:
        InputError: If a weight is not a number.
    """
    weights: LayerWeights = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        layer, _, weight = part.partition("=")
        try:
            weights[layer.strip()] = float(weight or 1)
        except ValueError:
            raise InputError(
                f"'{part}': the weight of a layer is a number, as {layer}=0.5"
            ) from None
    return weights


MOST_COLORS = 256


def parse_colors(text: str) -> list[tuple[int, int, int]] | None:
    """Read colours in hexadecimal digits: ``1d3557,#e63946``; None if it is no list of these."""
    found = [re.fullmatch(r"#?([0-9a-f]{6})", part.strip().lower()) for part in text.split(",")]
    if not all(found):
        return None
    values = [bytes.fromhex(match[1]) for match in found if match]
    return [(red, green, blue) for red, green, blue in values]


SMALLEST_TILE = 64


def parse_tile(text: int | str) -> int | None:
    """Read the side of a tile in pixels; 0 for "off", None for "auto".

    Raises:
        InputError: If it is neither, or too small.
    """
    if text in ("auto", "off"):
        return None if text == "auto" else 0
    if not (str(text).isdecimal() and int(text) >= SMALLEST_TILE):
        raise InputError(f"tile is auto, off or at least {SMALLEST_TILE} pixels, not {text!r}")
    return int(text)


def parse_memory(text: str) -> int | None:
    """Read an amount of memory such as 4GB or 800MB, in bytes; None for "auto".

    Raises:
        InputError: If it is neither.
    """
    if text == "auto":
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt])(?:i?b)?", str(text).strip().lower())
    if not match or not float(match[1]):
        raise InputError(f"memory is auto or an amount such as 4GB or 800MB, not {text!r}")
    return int(float(match[1]) * 1024 ** (1 + "kmgt".index(match[2])))
