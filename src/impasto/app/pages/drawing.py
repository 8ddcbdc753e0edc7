"""What is drawn over the photo: where to paint, how much, with which brush, along which lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from impasto.app.fields import editor
from impasto.app.pages.wiring import HIDDEN
from impasto.app.uploads import Inbox, drawn_mask
from impasto.errors import ImpastoError
from impasto.image import Picture
from impasto.names import must_be_known

CANVAS = 640
# What strokes may say: the field of the task, and how light it is outside and within them. None: as
# light as there is to be style.
MEANINGS: dict[str, tuple[str, tuple[float | None, float | None]]] = {
    "Paint where I draw": ("mask", (0, 1)),
    "Paint everywhere else": ("mask", (1, 0)),
    "Less style where I draw": ("strength_map", (1, None)),
    "Less style everywhere else": ("strength_map", (None, 1)),
    "Larger brush where I draw": ("stroke_map", (0.5, 1)),
    "Finer brush where I draw": ("stroke_map", (0.5, 0)),
    "Strokes along my lines": ("stroke_direction", (0, 1)),
}
LESS = 0.3
# Of the longer side.
SOFT, MOST_SOFT = 0.02, 0.2
COLOR = "rgba(255, 64, 96, 0.75)"


@dataclass(frozen=True)
class DrawingFields:
    """The fields of what is drawn over the photo.

    Attributes:
        editor: The photo with what was drawn over it.
        meaning: What the strokes say.
        less: How much style there is where there is less.
        soft: How wide their edge is, as a share of the longer side.
    """

    editor: gr.ImageEditor
    meaning: gr.Radio
    less: gr.Slider
    soft: gr.Slider

    @property
    def all(self) -> list[Any]:
        """All of them."""
        return [self.editor, self.meaning, self.less, self.soft]

    def drawn(self, values: dict[Any, Any], inbox: Inbox) -> dict[str, Picture]:
        """The mask or map that was drawn, by the field of the task; none if nothing was.

        Raises:
            InputError: If it cannot be read.
        """
        layers = [inbox.read(path, "drawing") for path in values[self.editor]]
        must_be_known("drawing", values[self.meaning], MEANINGS)
        name, (outside, within) = MEANINGS[values[self.meaning]]
        less = values[self.less]
        levels = less if outside is None else outside, less if within is None else within
        found = drawn_mask(layers, levels, soft=values[self.soft])
        return {} if found is None else {name: found}


def build(content: gr.Image, inbox: Inbox) -> DrawingFields:
    """Lay out the fields and let them follow the photo."""
    with gr.Accordion("Draw over the photo", open=False, elem_id="drawing-part") as part:
        meaning = gr.Radio(
            [*MEANINGS],
            value=next(iter(MEANINGS)),
            label="The drawing says",
            elem_id="drawing-meaning",
        )
        canvas = _canvas()
        less, soft = _sliders()
        clear = gr.Button("Clear what I drew", size="sm")

    def show(path: str | None) -> Any:
        """The photo, small; nothing where it cannot be read, which others will tell."""
        try:
            photo = inbox.read(path)
        except ImpastoError:
            return None
        small = photo.fitted(CANVAS).pil().convert("RGB")
        return {"background": small, "layers": [], "composite": None}

    def follow(value: str) -> Any:
        return gr.update(visible=None in MEANINGS.get(value, ("", ()))[1])

    meaning.change(follow, meaning, less, **HIDDEN)
    gr.on([part.expand, content.change, clear.click], show, content, canvas, **HIDDEN)
    return DrawingFields(canvas, meaning, less, soft)


def _canvas() -> gr.ImageEditor:
    canvas: gr.ImageEditor = editor(
        label="Your drawing",
        sources=(),
        layers=False,
        transforms=(),
        brush=gr.Brush(default_size=40, colors=[COLOR], color_mode="fixed"),
        eraser=gr.Eraser(default_size=40),
        canvas_size=(CANVAS, CANVAS),
        height=460,
        buttons=[],
        elem_id="drawing",
        placeholder="Choose a photo first",
    )
    return canvas


def _sliders() -> tuple[gr.Slider, gr.Slider]:
    """How much style there is where there is less, and how soft the edge is."""
    less = gr.Slider(
        0,
        1,
        LESS,
        step=0.05,
        label="Style there",
        info="How much style there is where there is less: 0 leaves the photo as it is.",
        visible=False,
        elem_id="drawing-less",
    )
    soft = gr.Slider(
        0,
        MOST_SOFT,
        SOFT,
        step=0.01,
        label="Soft edge",
        info="How gently the edge of what was drawn fades, as a share of the longer side.",
        elem_id="drawing-soft",
    )
    return less, soft
