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
    "Default": "default",
    "Quick": "quick",
    "Best, slow": "best",
    "Gatys 2016": "gatys",
}
COLORS = [
    ("The artwork's", "off"),
    ("The photo's (luminance)", "luminance"),
    ("Matched (linear)", "linear"),
    ("Matched (histogram)", "histogram"),
]
# Weights of presets differ by orders of magnitude, so the page has them in multiples.
STYLE_FACTOR = "style_factor"


@dataclass(frozen=True)
class ParameterFields:
    """The fields of the parameters.

    Attributes:
        preset: Where "optimize" starts from.
        by_method: For each method its fields by the names of its options.
    """

    preset: gr.Radio
    by_method: Mapping[str, Mapping[str, Any]]

    @property
    def all(self) -> list[Any]:
        """All of them, each once."""
        fields = [field for named in self.by_method.values() for field in named.values()]
        return [self.preset, *dict.fromkeys(fields)]

    def options(self, values: dict[Any, Any], method: str) -> tuple[str | None, dict[str, Any]]:
        """The preset and the options that the fields ask for.

        Args:
            values: Of the fields.
            method: For which method.

        Raises:
            InputError: If there is no such preset, or the style's factor is no number.
        """
        options = {name: values[field] for name, field in self.by_method[method].items()}
        if method != "optimize":
            return None, options
        preset = values[self.preset]
        factor = OptimizeOptions(style_weight=options.pop(STYLE_FACTOR)).style_weight
        options["style_weight"] = OptimizeOptions.preset(preset).style_weight * factor
        return preset, options


def build(method: gr.Radio, limits: Limits) -> ParameterFields:
    """Lay out the fields and let them follow the method and the preset."""
    with gr.Group(visible=False) as optimize_part:
        preset = gr.Radio(
            list(PRESET_NAMES.items()),
            value="default",
            label="Preset",
            info="Sets size, steps and losses; gatys is the classic recipe.",
            elem_id="preset",
        )
        style_factor = _slider(
            0.1, 10, 1, 0.1, "Style", "How much the style counts, times what the preset gives it."
        )
    with gr.Group(visible=True) as arbitrary_part:
        strength = _slider(
            0, 1, 1, 0.05, "Strength", sentence("arbitrary", "strength"), id="strength"
        )
    sizes = {name: _size(name, limits) for name in ("arbitrary", "fast", "optimize")}
    with gr.Accordion("More settings", open=False, elem_id="more-settings"):
        common = _common()
        with gr.Group(visible=True) as more_arbitrary:
            style_size = _style_size()
        with gr.Group(visible=False) as more_optimize:
            optimizing = _optimizing(limits)
        gr.Markdown(limits.describe(), elem_classes="hint")
    own = {
        "arbitrary": {"strength": strength, "style_size": style_size},
        "fast": {},
        "optimize": {STYLE_FACTOR: style_factor, **optimizing},
    }
    by_method = {name: {"max_size": sizes[name], **own[name], **common} for name in own}
    fields = ParameterFields(preset, by_method)
    parts = {
        "arbitrary": [arbitrary_part, more_arbitrary, sizes["arbitrary"]],
        "fast": [sizes["fast"]],
        "optimize": [optimize_part, more_optimize, sizes["optimize"]],
    }
    _follow_method(method, parts, common["preserve_color"])
    _follow_preset(fields, limits)
    return fields


def _slider(
    low: float, high: float, value: float, step: float, label: str, info: str, **more: Any
) -> gr.Slider:
    id = more.pop("id", None)
    return gr.Slider(low, high, value, step=step, label=label, info=info, elem_id=id, **more)


def _size(method: str, limits: Limits) -> gr.Slider:
    """The size of the result: networks paint larger ones in the same time."""
    most = limits.size(method)
    wanted = default(method, "max_size") if method == "optimize" else 1024
    return _slider(
        32,
        most,
        min(wanted, most),
        32,
        "Size in px",
        f"{sentence(method, 'max_size')[:-1]}; up to {most} here.",
        visible=method == "arbitrary",
        id=f"size-{method}",
    )


def _style_size() -> gr.Slider:
    start, info = default("arbitrary", "style_size"), sentence("arbitrary", "style_size")
    return _slider(128, 1024, start, 64, "Artwork looked at in px", info)


def _common() -> dict[str, Any]:
    return {
        "preserve_color": gr.Dropdown(
            COLORS, value="off", label="Colours", info=sentence("optimize", "preserve_color")
        ),
        "color_strength": _slider(
            0, 1, 1, 0.05, "Colour strength", sentence("optimize", "color_strength")
        ),
    }


def _optimizing(limits: Limits) -> dict[str, Any]:
    def say(name: str) -> str:
        return sentence("optimize", name)

    return {
        "steps": _slider(
            10,
            limits.max_steps,
            min(default("optimize", "steps"), limits.max_steps),
            10,
            "Steps",
            say("steps"),
            id="steps",
        ),
        "content_weight": _slider(0, 10, 1, 0.1, "Content weight", say("content_weight")),
        "tv_weight": _slider(0, 10, 0, 0.1, "Smoothness", say("tv_weight")),
        "style_scale": _slider(0.25, 3, 1, 0.05, "Brush size", say("style_scale")),
        "forms": _slider(0, 1, 0.5, 0.05, "Forms", say("forms")),
        "keep": gr.Radio(
            [("Nothing more than the rest", "off"), ("What matters in the photo", "auto")],
            value="off",
            label="Keep recognisable",
            info="The photo counts for more where faces, lettering and other details are.",
        ),
        "init": gr.Dropdown(
            list(INITS),
            value="content",
            label="Start from",
            info="What the optimisation starts from; noise shows how much the losses alone know.",
        ),
        "seed": gr.Number(0, label="Seed", info=say("seed"), precision=0, minimum=0),
    }


def _follow_method(method: gr.Radio, parts: dict[str, list[Any]], colors: gr.Dropdown) -> None:
    """Show what belongs to the method."""
    flat = [part for group in parts.values() for part in group]

    def show(value: str, color: str) -> list[Any]:
        shown = [gr.update(visible=part in parts[value]) for part in flat]
        choices = COLORS[:2] if value == "fast" else COLORS
        known = color in [name for _, name in choices]
        return [*shown, gr.update(choices=choices, value=color if known else "off")]

    method.change(
        show,
        [method, colors],
        [*flat, colors],
        **HIDDEN,
    )


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
