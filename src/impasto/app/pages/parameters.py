"""The parameters: few in sight, the rest folded away, each with a sentence of help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from impasto.app.fields import default, sentence
from impasto.app.limits import Limits
from impasto.app.pages.wiring import HIDDEN
from impasto.app.tasks import INITS
from impasto.options import OptimizeOptions

PRESET_NAMES = {
    "Quick": "quick",
    "Default": "default",
    "Best": "best",
    "Gatys 2016": "gatys",
}
KEPT_COLORS = [
    ("Lightness alone is painted", "luminance"),
    ("The artwork is matched, linear", "linear"),
    ("The artwork is matched, histogram", "histogram"),
]
# Weights of presets differ by orders of magnitude, so the page has them in multiples.
STYLE_FACTOR = "style_factor"
METHODS = ("optimize", "arbitrary", "fast")
# What the page begins with: the first picture is there soon, and its making is watched.
FIRST_METHOD, FIRST_PRESET = "optimize", "quick"


@dataclass(frozen=True)
class ParameterFields:
    """The fields of the parameters.

    Attributes:
        preset: Where "optimize" starts from.
        keep_colors: Whether the photo's colours are kept.
        by_method: For each method its fields by the names of its options.
    """

    preset: gr.Radio
    keep_colors: gr.Checkbox
    by_method: Mapping[str, Mapping[str, Any]]

    @property
    def all(self) -> list[Any]:
        """All of them, each once."""
        fields = [field for named in self.by_method.values() for field in named.values()]
        return [self.preset, self.keep_colors, *dict.fromkeys(fields)]

    def options(self, values: dict[Any, Any], method: str) -> tuple[str | None, dict[str, Any]]:
        """The preset and the options that the fields ask for.

        Args:
            values: Of the fields.
            method: For which method.

        Raises:
            InputError: If there is no such preset, or the style's factor is no number.
        """
        options = {name: values[field] for name, field in self.by_method[method].items()}
        if not values[self.keep_colors]:
            options["preserve_color"] = "off"
        if method != "optimize":
            return None, options
        preset = values[self.preset]
        factor = OptimizeOptions(style_weight=options.pop(STYLE_FACTOR)).style_weight
        options["style_weight"] = OptimizeOptions.preset(preset).style_weight * factor
        return preset, options


def build(method: gr.Radio, limits: Limits, more: gr.Column) -> ParameterFields:
    """Lay out the fields, most of them in ``more``; they follow the method and the preset."""
    preset = gr.Radio(
        list(PRESET_NAMES.items()),
        value=FIRST_PRESET,
        label="Preset",
        elem_id="preset",
        elem_classes="compact option-preset",
    )
    keep_colors = gr.Checkbox(
        False, label="Keep the photo's colours", elem_id="keep-colors", container=False
    )
    with more:
        amounts, sizes = _amounts(), {name: _size(name, limits) for name in METHODS}
        with gr.Accordion("More settings", open=False, elem_id="more-settings"):
            common, match = _common(), _match()
            with gr.Group(visible=False) as more_arbitrary:
                style_size = _style_size()
                strokes = _strokes()
            with gr.Group(visible=True) as more_optimize:
                optimizing = _optimizing(limits)
            gr.Markdown(limits.describe(), elem_classes="hint")
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
    fields = ParameterFields(preset, keep_colors, by_method)
    parts = {
        "optimize": [preset, amounts["optimize"], more_optimize, sizes["optimize"], match],
        "arbitrary": [amounts["arbitrary"], more_arbitrary, sizes["arbitrary"], match],
        "fast": [sizes["fast"]],
    }
    _follow_method(method, parts, common["preserve_color"])
    _follow_preset(fields, limits)
    return fields


def _slider(
    option: str,
    label: str,
    span: tuple[float, float, float],
    value: float,
    info: str | None = None,
    **more: Any,
) -> gr.Slider:
    """A slider over (lowest, highest, step); its tooltip tells the option's name."""
    low, high, step = span
    info = sentence("optimize", option) if info is None else info
    tip = f"option-{option}"
    return gr.Slider(low, high, value, step=step, label=label, info=info, elem_classes=tip, **more)


def _amounts() -> dict[str, gr.Slider]:
    """How much style, for the methods that can be told."""
    said = "How much the style counts, times what the preset gives it."
    strength = sentence("arbitrary", "strength")
    return {
        "optimize": _slider("style_weight", "Style", (0.1, 10, 0.1), 1, said),
        "arbitrary": _slider(
            "strength", "Strength", (0, 1, 0.05), 1, strength, visible=False, elem_id="strength"
        ),
    }


def _size(method: str, limits: Limits) -> gr.Slider:
    """The size of the result: networks paint larger ones in the same time."""
    most = limits.size(method)
    wanted = default(method, "max_size") if method == "optimize" else 1024
    return _slider(
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
    return _slider("style_size", "Artwork looked at in px", (128, 1024, 64), start, info)


def _strokes() -> gr.Radio:
    return gr.Radio(
        [("The same everywhere", "off"), ("Fine where the photo has detail", "auto")],
        value="off",
        label="Brush",
        info="Where strokes are fine and where large; a brush that is drawn over the photo counts "
        "instead.",
        elem_classes="option-stroke_map",
    )


def _match() -> gr.Radio:
    """Shown for the methods that have it: both that take artworks."""
    return gr.Radio(
        [("The artwork as a whole", "off"), ("Sky from sky, ground from ground", "auto")],
        value="off",
        label="Style taken from",
        info="Regions that are alike in photo and artwork are found and paired; for one artwork.",
        elem_classes="option-match",
    )


def _common() -> dict[str, Any]:
    return {
        "preserve_color": gr.Dropdown(
            KEPT_COLORS,
            value="luminance",
            label="How colours are kept",
            info="Where the photo's colours are to be kept.",
            elem_classes="option-preserve_color",
        ),
        "color_strength": _slider("color_strength", "Colour strength", (0, 1, 0.05), 1),
    }


def _optimizing(limits: Limits) -> dict[str, Any]:
    steps = min(OptimizeOptions.preset(FIRST_PRESET).steps, limits.max_steps)
    return {
        "steps": _slider("steps", "Steps", (10, limits.max_steps, 1), steps, elem_id="steps"),
        "content_weight": _slider("content_weight", "Closeness to the photo", (0, 10, 0.1), 1),
        "tv_weight": _slider("tv_weight", "Smoothness", (0, 10, 0.1), 0),
        "style_scale": _slider("style_scale", "Brush size", (0.25, 3, 0.05), 1),
        "forms": _slider("forms", "Forms", (0, 1, 0.05), 0.5),
        "stroke_map": _strokes(),
        "keep": gr.Radio(
            [("Nothing more than the rest", "off"), ("Faces, lettering, what matters", "auto")],
            value="off",
            label="Keep",
            info="What has to stay recognisable: the photo counts for more there.",
            elem_classes="option-keep",
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


def _follow_method(method: gr.Radio, parts: dict[str, list[Any]], colors: gr.Dropdown) -> None:
    """Show what belongs to the method."""
    flat = [part for group in parts.values() for part in group]

    def show(value: str, color: str) -> list[Any]:
        shown = [gr.update(visible=part in parts[value]) for part in flat]
        choices = KEPT_COLORS[:1] if value == "fast" else KEPT_COLORS
        known = color in [name for _, name in choices]
        return [*shown, gr.update(choices=choices, value=color if known else "luminance")]

    method.change(show, [method, colors], [*flat, colors], **HIDDEN)


def _follow_preset(fields: ParameterFields, limits: Limits) -> None:
    """Set size and steps as the preset has them."""
    optimize = fields.by_method["optimize"]

    def fill(name: str) -> list[Any]:
        options = OptimizeOptions.preset(name)
        return [
            min(options.max_size, limits.optimize_size),
            min(options.steps, limits.max_steps),
            1,
        ]

    fields.preset.input(
        fill,
        fields.preset,
        [optimize["max_size"], optimize["steps"], optimize[STYLE_FACTOR]],
        **HIDDEN,
    )
