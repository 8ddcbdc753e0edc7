"""Fields of colours: kept, brought to a palette, matched when the picture is done."""

from __future__ import annotations

from typing import Any

import gradio as gr

from impasto.app.fields import choice, slider
from impasto.app.pages.wiring import HIDDEN, TELLING, warn_of_file
from impasto.app.uploads import Inbox
from impasto.errors import ImpastoError
from impasto.options import parse_colors
from impasto.palette import main_colors

KEPT = [
    ("Lightness alone is painted", "luminance"),
    ("The artwork is matched, linear", "linear"),
    ("The artwork is matched, histogram", "histogram"),
]
MATCHED = [
    ("As they were painted", "off"),
    ("The photo's", "content"),
    ("The artwork's", "style"),
]


def build(method: gr.Radio, inbox: Inbox) -> dict[str, Any]:
    """Lay out the fields, by the names of their options; they follow the method."""
    with gr.Accordion("Colours", open=False, elem_id="colors"):
        kept = gr.Dropdown(
            KEPT,
            value="luminance",
            label="How colours are kept",
            info="Where the photo's colours are to be kept.",
            elem_classes="option-preserve_color",
        )
        palette = _palette(inbox)
        matched, mode = _matched()
        strength = slider("color_strength", "Colour strength", (0, 1, 0.05), 1)
    _follow_method(method, kept, matched)
    return {
        "preserve_color": kept,
        "palette": palette,
        "match_result": matched,
        "match_mode": mode,
        "color_strength": strength,
    }


def chosen(options: dict[str, Any], *, keep: bool) -> dict[str, Any]:
    """The options of the fields' values, without what does nothing.

    Args:
        options: By name, those of other fields among them.
        keep: Whether the photo's colours are to be kept.
    """
    palette = (options["palette"] or "").strip()
    found = {**options, "palette": palette or None}
    if not keep:
        found["preserve_color"] = "off"
    if found["match_result"] == "off":
        del found["match_mode"]
    return found


def _palette(inbox: Inbox) -> gr.Textbox:
    palette = gr.Textbox(
        label="Palette",
        placeholder="1d3557, 457b9d, f1faee, e63946",
        info="Colours to paint with instead of the artwork's, in hexadecimal digits.",
        max_lines=1,
        elem_id="palette",
        elem_classes="option-palette",
    )
    swatches = gr.HTML("", padding=False, elem_id="swatches")
    palette.change(_swatches, palette, swatches, **HIDDEN)
    button = gr.UploadButton(
        "Take the colours of a picture",
        file_types=["image"],
        size="sm",
        elem_id="palette-picture",
    )

    def take(path: Any) -> Any:
        try:
            return main_colors(inbox.read(path, "picture"))
        except ImpastoError as error:
            warn_of_file(error)
            return gr.skip()

    button.upload(take, button, palette, **TELLING)
    return palette


def _swatches(text: str) -> str:
    """The colours of a palette as they look; nothing where it is none."""
    colors = (text or "").strip() and parse_colors(text)
    spots = "".join(f'<i style="background: rgb{color}"></i>' for color in colors or ())
    return f'<div class="swatches">{spots}</div>' if spots else ""


def _matched() -> tuple[gr.Radio, gr.Radio]:
    matched = choice(
        "match_result",
        "Colours afterwards",
        MATCHED,
        "What the colours of the finished picture are matched to.",
        elem_id="match-result",
    )
    mode = gr.Radio(
        [("Smoothly", "linear"), ("Exactly, perhaps with grain", "histogram")],
        value="linear",
        label="How they are matched",
        visible=False,
        elem_classes="option-match_mode",
    )
    matched.change(lambda value: gr.update(visible=value != "off"), matched, mode, **HIDDEN)
    return matched, mode


def _follow_method(method: gr.Radio, kept: gr.Dropdown, matched: gr.Radio) -> None:
    """Offer what the method can do: a network of the gallery has learnt its artworks' colours."""

    def offer(value: str, *now: str) -> list[Any]:
        offered = (KEPT[:1], MATCHED[:2]) if value == "fast" else (KEPT, MATCHED)
        return [
            gr.update(choices=some, value=old if old in {it for _, it in some} else some[0][1])
            for some, old in zip(offered, now, strict=True)
        ]

    method.change(offer, [method, kept, matched], [kept, matched], **HIDDEN)
