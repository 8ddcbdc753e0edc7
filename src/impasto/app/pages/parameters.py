"""The parameters: few in sight, the rest folded away, each with a sentence of help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from impasto.app.fields import choice, default, sentence, slider
from impasto.app.limits import Limits
from impasto.app.pages import colors
from impasto.app.pages.wiring import HIDDEN
from impasto.app.tasks import INITS
from impasto.app.uploads import Inbox
from impasto.errors import InputError
from impasto.image.prints import DPI
from impasto.media.variations import FACTOR
from impasto.options import OptimizeOptions

PRESET_NAMES = {
    "Quick": "quick",
    "Default": "default",
    "Best": "best",
    "Gatys 2016": "gatys",
}
SHEETS = [
    ("No print", ""),
    ("10 x 15 cm", "10x15cm"),
    ("13 x 18 cm", "13x18cm"),
    ("20 x 30 cm", "20x30cm"),
    ("A4", "210x297mm"),
    ("30 x 40 cm", "30x40cm"),
    ("A3", "297x420mm"),
]
SEAMLESS = [
    ("No", "off"),
    ("Left to right", "x"),
    ("Top to bottom", "y"),
    ("Both", "both"),
]
# On sheets of two or three columns, whose style weights are a third and three times the middle.
VARIATIONS = [("None", 0), ("4", 4), ("6", 6), ("9", 9)]
# Weights of presets differ by orders of magnitude, so the page has them in multiples.
STYLE_FACTOR = "style_factor"
LOWEST_STYLE, HIGHEST_STYLE = 0.1, 10
METHODS = ("optimize", "arbitrary", "fast")
# What the page begins with: the first picture is there soon, and its making is watched.
FIRST_METHOD, FIRST_PRESET = "optimize", "quick"


@dataclass(frozen=True)
class ParameterFields:
    """The fields of the parameters.

    Attributes:
        preset: Where "optimize" starts from.
        keep_colors: Whether the photo's colours are kept.
        print: The format of a print.
        dpi: Its pixels per inch.
        variations: How many small pictures are painted instead of one.
        by_method: For each method its fields by the names of its options.
    """

    preset: gr.Radio
    keep_colors: gr.Checkbox
    print: gr.Dropdown
    dpi: gr.Number
    variations: gr.Radio
    by_method: Mapping[str, Mapping[str, Any]]

    @property
    def all(self) -> list[Any]:
        """All of them, each once."""
        fields = [field for named in self.by_method.values() for field in named.values()]
        own = [self.preset, self.keep_colors, self.print, self.dpi, self.variations]
        return [*own, *dict.fromkeys(fields)]

    def options(self, values: dict[Any, Any], method: str) -> tuple[str | None, dict[str, Any]]:
        """The preset and the options that the fields ask for.

        Args:
            values: Of the fields.
            method: For which method.

        Raises:
            InputError: If there is no such preset, or the style's factor is no number.
        """
        options = {name: values[field] for name, field in self.by_method[method].items()}
        options = colors.chosen(options, keep=values[self.keep_colors])
        if method != "optimize":
            return None, options
        preset = values[self.preset]
        factor = OptimizeOptions(style_weight=options.pop(STYLE_FACTOR)).style_weight
        options["style_weight"] = OptimizeOptions.preset(preset).style_weight * factor
        if values[self.variations]:
            del options["forms"]  # of all kinds
        return preset, options

    def wishes(self, values: dict[Any, Any], method: str) -> dict[str, Any]:
        """What else a task is asked for: a print, variations.

        Raises:
            InputError: If the styles of variations would not fit into the page.
        """
        sheet = str(values[self.print] or "").strip() or None
        count = values[self.variations] if method == "optimize" else 0
        low, high = LOWEST_STYLE * FACTOR, HIGHEST_STYLE / FACTOR
        if count and not low <= values[self.by_method[method][STYLE_FACTOR]] <= high:
            raise InputError(
                f"variations go from a third of the style to three times as much: set Style to "
                f"{low:.1f} at least and {high:.1f} at most"
            )
        return {"print": sheet, "dpi": values[self.dpi] if sheet else None, "variations": count}

    def varied(self, fields: Mapping[Any, Any], settings: Mapping[str, Any]) -> dict[Any, Any]:
        """What the fields would hold for a variation, to be painted at full size."""
        optimize = self.by_method["optimize"]
        usual = OptimizeOptions.preset(fields[self.preset]).style_weight
        factor = float(f"{settings['style_weight'] / usual:.2g}")
        return {
            **fields,
            self.variations: 0,
            optimize[STYLE_FACTOR]: factor,
            optimize["forms"]: settings["forms"],
        }


def build(method: gr.Radio, inbox: Inbox, more: gr.Column) -> ParameterFields:
    """Lay out the fields, most of them in ``more``; they follow the method and the preset."""
    preset, limits = _preset(), inbox.limits
    keep_colors = gr.Checkbox(
        False, label="Keep the photo's colours", elem_id="keep-colors", container=False
    )
    with more:
        amounts, sizes = _amounts(), {name: _size(name, limits) for name in METHODS}
        with gr.Accordion("More settings", open=False, elem_id="more-settings"):
            variations, match, wrap = _variations(), _match(), _wrap()
            with gr.Group(visible=False) as more_arbitrary:
                style_size = _style_size()
                strokes = _strokes()
            with gr.Group(visible=True) as more_optimize:
                optimizing = _optimizing(limits)
            gr.Markdown(limits.describe(), elem_classes="hint")
        common = {"wrap": wrap, **colors.build(method, inbox)}
        sheet = _print()
    own = {
        "optimize": {STYLE_FACTOR: amounts["optimize"], "match": match, **optimizing},
        "arbitrary": {
            "strength": amounts["arbitrary"],
            "style_size": style_size,
            "stroke_map": strokes,
            "match": match,
        },
        "fast": {},
    }
    by_method = {name: {"max_size": sizes[name], **own[name], **common} for name in METHODS}
    fields = ParameterFields(preset, keep_colors, *sheet, variations, by_method)
    parts = {
        "optimize": [
            preset,
            amounts["optimize"],
            sizes["optimize"],
            variations,
            match,
            more_optimize,
        ],
        "arbitrary": [amounts["arbitrary"], more_arbitrary, sizes["arbitrary"], match],
        "fast": [sizes["fast"]],
    }
    _follow_method(method, parts)
    _follow_preset(fields, limits)
    return fields


def _preset() -> gr.Radio:
    return gr.Radio(
        list(PRESET_NAMES.items()),
        value=FIRST_PRESET,
        label="Preset",
        elem_id="preset",
        elem_classes="compact option-preset",
    )


def _amounts() -> dict[str, gr.Slider]:
    """How much style, for the methods that can be told."""
    said = "How much the style counts, times what the preset gives it."
    strength = sentence("arbitrary", "strength")
    return {
        "optimize": slider("style_weight", "Style", (LOWEST_STYLE, HIGHEST_STYLE, 0.1), 1, said),
        "arbitrary": slider(
            "strength", "Strength", (0, 1, 0.05), 1, strength, visible=False, elem_id="strength"
        ),
    }


def _size(method: str, limits: Limits) -> gr.Slider:
    """The size of the result: networks paint larger ones in the same time."""
    most = limits.size(method)
    wanted = default(method, "max_size") if method == "optimize" else 1024
    return slider(
        "max_size",
        "Size in px",
        (32, most, 32),
        min(wanted, most),
        f"{sentence(method, 'max_size')[:-1]}; up to {most} here.",
        visible=method == FIRST_METHOD,
        elem_id=f"size-{method}",
    )


def _style_size() -> gr.Slider:
    start, info = default("arbitrary", "style_size"), sentence("arbitrary", "style_size")
    return slider("style_size", "Artwork looked at in px", (128, 1024, 64), start, info)


def _strokes() -> gr.Radio:
    return choice(
        "stroke_map",
        "Brush",
        [("The same everywhere", "off"), ("Fine where the photo has detail", "auto")],
        "Where strokes are fine and where large; a brush that is drawn over the photo counts "
        "instead.",
    )


def _match() -> gr.Radio:
    """Shown for the methods that have it: both that take artworks."""
    return choice(
        "match",
        "Style taken from",
        [("The artwork as a whole", "off"), ("Sky from sky, ground from ground", "auto")],
        "Regions that are alike in photo and artwork are found and paired; for one artwork.",
    )


def _wrap() -> gr.Radio:
    info = "Let the picture repeat without seams, as a tile or a panorama."
    return choice("wrap", "Seamless", SEAMLESS, info, elem_id="wrap")


def _variations() -> gr.Radio:
    return choice(
        "variations",
        "Variations",
        VARIATIONS,
        "Instead of one picture, so many small quick ones with more and less style, and from "
        "brushwork to large forms, on one sheet to choose from.",
        value=0,
        elem_id="variations",
    )


def _print() -> tuple[gr.Dropdown, gr.Number]:
    """The size of a print, one of those known or typed."""
    with gr.Accordion("Print", open=False, elem_id="print-part"):
        sheet = gr.Dropdown(
            SHEETS,
            value="",
            allow_custom_value=True,
            label="Paper",
            info="Enlarges the picture, and its strokes with it, to the pixels of a print that "
            "looks like the picture of the size above. Or type a size, as 12x16in.",
            elem_id="print",
            elem_classes="option-print",
        )
        dpi = gr.Number(
            DPI,
            label="Pixels per inch",
            info="The resolution of the print: 300 to look at closely, 150 for a poster.",
            precision=0,
            elem_id="dpi",
            elem_classes="option-dpi",
        )
    return sheet, dpi


def _optimizing(limits: Limits) -> dict[str, Any]:
    steps = min(OptimizeOptions.preset(FIRST_PRESET).steps, limits.max_steps)
    return {
        "steps": slider("steps", "Steps", (10, limits.max_steps, 1), steps, elem_id="steps"),
        "content_weight": slider("content_weight", "Closeness to the photo", (0, 10, 0.1), 1),
        "tv_weight": slider("tv_weight", "Smoothness", (0, 10, 0.1), 0),
        "style_scale": slider("style_scale", "Brush size", (0.25, 3, 0.05), 1),
        "forms": slider("forms", "Forms", (0, 1, 0.05), 0.5),
        "motifs": slider("motifs", "Motifs", (0, 1, 0.05), 0),
        "stroke_map": _strokes(),
        "stroke_direction": choice(
            "stroke_direction",
            "Strokes run",
            [("As the artwork has them", "off"), ("Along the photo's lines", "auto")],
            "Takes more than twice as long; lines drawn over the photo count instead.",
        ),
        "keep": choice(
            "keep",
            "Keep",
            [("Faces, lettering, what matters", "auto"), ("Nothing more than the rest", "off")],
            "What has to stay recognisable: the photo counts for more there.",
            value="auto",
        ),
        "init": gr.Dropdown(
            list(INITS),
            value="content",
            label="Start from",
            info="What the optimisation starts from; noise shows how much the losses alone know.",
            elem_classes="option-init",
        ),
        "seed": gr.Number(
            0,
            label="Seed",
            info=sentence("optimize", "seed"),
            precision=0,
            minimum=0,
            elem_classes="option-seed",
        ),
    }


def _follow_method(method: gr.Radio, parts: dict[str, list[Any]]) -> None:
    """Show what belongs to the method."""
    flat = [part for group in parts.values() for part in group]

    def show(value: str) -> list[Any]:
        return [gr.update(visible=part in parts[value]) for part in flat]

    method.change(show, method, flat, **HIDDEN)


def _follow_preset(fields: ParameterFields, limits: Limits) -> None:
    """Set size, steps, forms, motifs and what is kept as the preset has them."""
    optimize = fields.by_method["optimize"]

    def fill(name: str) -> list[Any]:
        options = OptimizeOptions.preset(name)
        return [
            min(options.max_size, limits.optimize_size),
            min(options.steps, limits.max_steps),
            options.forms,
            options.motifs,
            options.keep,
            1,
        ]

    fields.preset.input(
        fill,
        fields.preset,
        [optimize[name] for name in ("max_size", "steps", "forms", "motifs", "keep", STYLE_FACTOR)],
        **HIDDEN,
    )
