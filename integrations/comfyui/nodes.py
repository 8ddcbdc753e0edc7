"""The nodes: what they are called, what they take, and what they do."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import Tensor

from impasto import InputError, OptimizeOptions, Picture, load_backbone
from impasto.color import keep_colors, match_histogram, match_linear
from impasto.explain.evaluation import Evaluator, mean
from impasto.image import fit
from impasto.options import PRESETS, parse_colors
from impasto.stylizers.body import Works
from impasto.stylizers.networks.gallery import gallery
from impasto.stylizers.networks.options import ArbitraryOptions, FastOptions
from impasto.video.options import VideoOptions

from .describe import Node, Socket, option
from .painting import alike, images_of, paint, pictures_of, style_of, stylizer_of

# The most that a node offers where Impasto sets no limit.
LONGEST = 16384
MOST = 10_000
ARTWORKS = 4

PHOTO = Socket("photo", "IMAGE", "the photo; a batch is painted picture by picture")
ARTWORK = Socket("artwork", "IMAGE", "the artwork")
MANNER = Socket(
    "artwork", "IMAGE", "the artwork whose manner is taken; of a batch, that of all as one body"
)
MASK = Socket("mask", "MASK", "where to paint; elsewhere the photo stays", optional=True)
MAPS = (
    Socket(
        "strength_map",
        "MASK",
        "how much style where: 1 all of it, 0 the photo itself",
        optional=True,
    ),
    Socket(
        "stroke_map",
        "MASK",
        "strokes of which size where: 1 twice as large, 0.5 as without it, 0 half as large",
        optional=True,
    ),
)
KEEP = Socket(
    "keep",
    "MASK",
    "what has to stay recognisable: 1 as much as can be, 0 no more than without it",
    optional=True,
)
LINES = Socket(
    "stroke_direction",
    "MASK",
    "along what strokes run: the lines of a drawing, or of the photo itself",
    optional=True,
)
PALETTE = Socket(
    "palette",
    "STRING",
    "bring the artwork to these colours before painting, as 1d3557,e63946,f1faee; empty: its own",
    optional=True,
    widget={"default": ""},
)
PAINTED = Socket("painted", "IMAGE", "the painted picture")
FILM = option(VideoOptions, "consistency", default=0.0, step=0.01)
FILM = replace(
    FILM,
    tooltip="above 0 the batch is a film, and each frame follows the one before by so much "
    "(0.7 suits most films; needs OpenCV); 0: each picture by itself",
)


def _size(owner: type) -> Socket:
    return option(owner, "max_size", max=LONGEST)


def _colours(palette: str) -> str | None:
    """A palette as the option takes it; never a file, which a workflow must not name.

    Raises:
        InputError: If it is no list of colours.
    """
    if not palette.strip():
        return None
    if parse_colors(palette) is None:
        raise InputError(f"palette has to be colours as 1d3557,e63946,f1faee, not {palette!r}")
    return palette


# Stylize


def stylize(
    photo: Tensor,
    artwork: Tensor,
    preset: str,
    steps: int,
    style_weight: float,
    consistency: float,
    palette: str = "",
    mask: Tensor | None = None,
    strength_map: Tensor | None = None,
    stroke_map: Tensor | None = None,
    keep: Tensor | None = None,
    stroke_direction: Tensor | None = None,
    **options: Any,
) -> tuple[Tensor]:
    """Optimise the picture."""
    given = {"steps": steps, "style_weight": style_weight}
    options |= {name: value for name, value in given.items() if value}
    stylizer = stylizer_of("optimize", preset=preset, palette=_colours(palette), **options)
    stylizer.set_style(style_of(artwork, "artwork"))
    maps = {
        "strength_map": strength_map,
        "stroke_map": stroke_map,
        "keep": keep,
        "stroke_direction": stroke_direction,
    }
    return (paint(stylizer, photo, mask=mask, maps=maps, consistency=consistency),)


STYLIZE = Node(
    "ImpastoStylize",
    "Stylize (Impasto)",
    "Repaints a photo in the manner of an artwork by optimising the picture: the best quality, "
    "in seconds on a GPU and minutes on a CPU. Shows the picture as it develops.",
    (
        PHOTO,
        MANNER,
        Socket(
            "preset",
            "COMBO",
            "where the options start from: best takes its time, quick a quarter of the default's",
            widget={"default": "default", "options": list(PRESETS)},
        ),
        _size(OptimizeOptions),
        Socket(
            "steps",
            "INT",
            "evaluations of loss and gradient, all scales together; 0: as the preset says",
            widget={"default": 0, "min": 0, "max": MOST},
        ),
        Socket(
            "style_weight",
            "FLOAT",
            "weight of the style loss, beside 1 for the photo's; 0: as the preset says",
            widget={"default": 0.0, "min": 0.0, "max": 1e8, "step": 0.1},
        ),
        option(OptimizeOptions, "style_scale", step=0.01),
        option(OptimizeOptions, "preserve_color"),
        replace(
            option(OptimizeOptions, "init", options=["content", "noise", "style", "gray"]),
            tooltip="what to start from: the photo, noise, the artwork's colours or grey",
        ),
        option(OptimizeOptions, "seed", control_after_generate=True),
        FILM,
        PALETTE,
        MASK,
        *MAPS,
        KEEP,
        LINES,
    ),
    (PAINTED,),
    stylize,
)


# Networks


def any_style(
    photo: Tensor,
    artwork: Tensor,
    consistency: float,
    palette: str = "",
    mask: Tensor | None = None,
    strength_map: Tensor | None = None,
    stroke_map: Tensor | None = None,
    **options: Any,
) -> tuple[Tensor]:
    """Paint with the network for any style."""
    stylizer = stylizer_of("arbitrary", palette=_colours(palette), **options)
    stylizer.set_style(style_of(artwork, "artwork"))
    maps = {"strength_map": strength_map, "stroke_map": stroke_map}
    return (paint(stylizer, photo, mask=mask, maps=maps, consistency=consistency),)


ANY_STYLE = Node(
    "ImpastoAnyStyle",
    "Any Style (Impasto)",
    "Repaints a photo in the manner of any artwork with a network, at once.",
    (
        PHOTO,
        MANNER,
        option(ArbitraryOptions, "strength", step=0.01),
        option(ArbitraryOptions, "style_size", max=LONGEST),
        _size(ArbitraryOptions),
        option(ArbitraryOptions, "preserve_color"),
        FILM,
        PALETTE,
        MASK,
        *MAPS,
    ),
    (PAINTED,),
    any_style,
)


def gallery_style(
    photo: Tensor, style: str, consistency: float, mask: Tensor | None = None, **options: Any
) -> tuple[Tensor]:
    """Paint with the network of the gallery."""
    stylizer = stylizer_of("fast", **options).set_style(style)
    return (paint(stylizer, photo, mask=mask, consistency=consistency),)


GALLERY_STYLE = Node(
    "ImpastoGalleryStyle",
    "Gallery Style (Impasto)",
    "Repaints a photo in a style that a network has learnt, at once.",
    (
        PHOTO,
        Socket(
            "style", "COMBO", "a style of the gallery", widget={"options": list(gallery().styles)}
        ),
        _size(FastOptions),
        option(FastOptions, "preserve_color"),
        FILM,
        MASK,
    ),
    (PAINTED,),
    gallery_style,
)


# Several artworks


def blend(
    photo: Tensor,
    method: str,
    mask: Tensor | None = None,
    strength_map: Tensor | None = None,
    stroke_map: Tensor | None = None,
    **inputs: Any,
) -> tuple[Tensor]:
    """Paint with several artworks, blended or each in its region."""
    artworks, weights, regions = _artworks(inputs)
    name, _, preset = method.partition(" ")
    options = {key: inputs[key] for key in ("max_size", "preserve_color")}
    stylizer = stylizer_of(name, **options, **({"preset": preset} if preset else {}))
    stylizer.set_style(artworks, weights=weights)
    maps = {"strength_map": strength_map, "stroke_map": stroke_map}
    return (paint(stylizer, photo, mask=mask, regions=regions, maps=maps),)


def _artworks(
    inputs: dict[str, Any],
) -> tuple[list[Picture | Works], list[float], list[Tensor] | None]:
    """The artworks, how much each counts, and their regions, if there are any.

    Raises:
        InputError: If a region lacks its artwork, or only some artworks have a region.
    """
    used = [i for i in range(1, ARTWORKS + 1) if inputs.get(f"artwork_{i}") is not None]
    for i in range(1, ARTWORKS + 1):
        if i not in used and inputs.get(f"region_{i}") is not None:
            raise InputError(f"region_{i} has no artwork_{i}")
    artworks = [style_of(inputs[f"artwork_{i}"], f"artwork_{i}") for i in used]
    weights = [inputs[f"weight_{i}"] for i in used]
    regions = {i: inputs[f"region_{i}"] for i in used if inputs.get(f"region_{i}") is not None}
    lacking = [i for i in used if i not in regions]
    if regions and lacking:
        raise InputError(f"artwork_{lacking[0]} has no region: give each artwork one, or none")
    return artworks, weights, list(regions.values()) or None


def _blend_inputs() -> tuple[Socket, ...]:
    numbers = range(1, ARTWORKS + 1)
    weight = {"default": 1.0, "min": 0.0, "max": 100.0, "step": 0.1}
    return (
        PHOTO,
        Socket(
            "method",
            "COMBO",
            "arbitrary: a network, at once; optimize: the best quality, from one of its presets",
            widget={"options": ["arbitrary", *(f"optimize {preset}" for preset in PRESETS)]},
        ),
        _size(OptimizeOptions),
        option(ArbitraryOptions, "preserve_color"),
        *(
            Socket(f"weight_{i}", "FLOAT", f"how much artwork {i} counts", widget=weight)
            for i in numbers
        ),
        *(
            Socket(f"artwork_{i}", "IMAGE", "an artwork, or a batch as one body", optional=i > 2)
            for i in numbers
        ),
        *(
            Socket(f"region_{i}", "MASK", f"the part of the photo for artwork {i}", optional=True)
            for i in numbers
        ),
        MASK,
        *MAPS,
    )


BLEND = Node(
    "ImpastoBlend",
    "Blend / Regions (Impasto)",
    "Repaints a photo in the manner of up to four artworks: blended, or each in its region. "
    "What is in no region stays as it is.",
    _blend_inputs(),
    (PAINTED,),
    blend,
)


# Colours and measures

_CHANGES: dict[str, Callable[[Picture, Picture, float], Picture]] = {
    "luminance": keep_colors,
    "linear": match_linear,
    "histogram": match_histogram,
}


def keep_colours(painted: Tensor, photo: Tensor, mode: str, strength: float) -> tuple[Tensor]:
    """Give painted pictures the colours of their photos."""
    paintings = pictures_of(painted, "painted")
    photos = alike(pictures_of(photo, "photo"), len(paintings), "photo")
    change = _CHANGES[mode]
    pairs = zip(paintings, photos, strict=True)
    return (images_of([change(each, _fitted(source, each), strength) for each, source in pairs]),)


def _fitted(photo: Picture, painting: Picture) -> Picture:
    """A photo at the size of its painting.

    Raises:
        InputError: If they differ in shape.
    """
    sizes = fit(photo.size, max(painting.size), enlarge=True), painting.size
    if any(abs(one - other) > 2 for one, other in zip(*sizes, strict=True)):
        (height, width), (rows, columns) = photo.size, painting.size
        raise InputError(
            f"photo is {width} x {height} px, painted {columns} x {rows}: their shapes differ"
        )
    return photo.resized(*painting.size)


KEEP_COLOURS = Node(
    "ImpastoKeepColours",
    "Keep Colours (Impasto)",
    "Gives a painted picture the colours of its photo, whatever painted it.",
    (
        PAINTED,
        Socket("photo", "IMAGE", "whose colours are taken"),
        Socket(
            "mode",
            "COMBO",
            "luminance: the photo's colours, pixel by pixel; linear and histogram: its palette",
            widget={"default": "luminance", "options": list(_CHANGES)},
        ),
        replace(option(OptimizeOptions, "color_strength", step=0.01), name="strength"),
    ),
    (PAINTED,),
    keep_colours,
)


@functools.lru_cache(maxsize=1)
def _evaluator(judge: str, max_size: int) -> Evaluator:
    return Evaluator(load_backbone(judge), max_size)


def evaluate(
    painted: Tensor, photo: Tensor, artwork: Tensor, judge: str, max_size: int
) -> tuple[Any, ...]:
    """Measure painted pictures."""
    paintings = pictures_of(painted, "painted")
    count = len(paintings)
    photos = alike(pictures_of(photo, "photo"), count, "photo")
    artworks = alike(pictures_of(artwork, "artwork"), count, "artwork")
    rows = [
        _evaluator(judge, max_size)(*each) for each in zip(paintings, photos, artworks, strict=True)
    ]
    found = mean(rows)
    report = "\n".join(f"{name} {value:.4f}" for name, value in found.items())
    return report, found["content"], found["SSIM"], found["Gram"], found["W2"]


EVALUATE = Node(
    "ImpastoEvaluate",
    "Evaluate (Impasto)",
    "Measures how near a painted picture is to its photo and to its artwork; of a batch, the "
    "mean. Read both sides together: a picture that was hardly painted is near to its photo.",
    (
        PAINTED,
        Socket("photo", "IMAGE", "the photo that was painted"),
        ARTWORK,
        Socket(
            "judge",
            "COMBO",
            "the network that looks: vgg16 is the real one, lite is quick",
            widget={"default": "lite", "options": ["lite", "vgg16"]},
        ),
        Socket(
            "max_size",
            "INT",
            "longer side at which pictures are compared",
            widget={"default": 512, "min": 32, "max": LONGEST},
        ),
    ),
    (
        Socket("report", "STRING", "all measures, one a line"),
        Socket("content", "FLOAT", "distance to the photo; 0 is equal"),
        Socket("SSIM", "FLOAT", "structural similarity to the photo; 1 is equal"),
        Socket("Gram", "FLOAT", "distance to the artwork by Gram matrices; 0 is equal"),
        Socket("W2", "FLOAT", "distance to the artwork by Wasserstein-2; 0 is equal"),
    ),
    evaluate,
)

NODES = (STYLIZE, ANY_STYLE, GALLERY_STYLE, BLEND, KEEP_COLOURS, EVALUATE)
