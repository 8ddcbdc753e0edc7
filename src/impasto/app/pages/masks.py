"""The mask: drawn over the photo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from impasto.app.fields import editor
from impasto.app.pages.wiring import HIDDEN
from impasto.app.uploads import Inbox, drawn_mask
from impasto.errors import ImpastoError
from impasto.image import Picture

CANVAS = 640
INSIDE, OUTSIDE = "where I draw", "everywhere else"
# Of the longer side.
SOFT, MOST_SOFT = 0.02, 0.2
COLOR = "rgba(255, 64, 96, 0.75)"


@dataclass(frozen=True)
class MaskFields:
    """The fields of the mask.

    Attributes:
        editor: The photo with what was drawn over it.
        side: Which side of the strokes is painted.
        soft: How wide its edge is, as a share of the longer side.
    """

    editor: gr.ImageEditor
    side: gr.Radio
    soft: gr.Slider

    @property
    def all(self) -> list[Any]:
        """All of them."""
        return [self.editor, self.side, self.soft]

    def mask(self, values: dict[Any, Any], inbox: Inbox) -> Picture | None:
        """The mask that was drawn; None if nothing was.

        Raises:
            InputError: If it cannot be read.
        """
        layers = [inbox.read(path, "mask") for path in values[self.editor]]
        soft, inside = values[self.soft], values[self.side] == INSIDE
        return drawn_mask(layers, inside=inside, soft=soft)


def build(content: gr.Image, inbox: Inbox) -> MaskFields:
    """Lay out the fields and let them follow the photo."""
    with gr.Accordion("Paint only a part", open=False, elem_id="mask-part") as part:
        side = gr.Radio([INSIDE, OUTSIDE], value=INSIDE, label="Paint", elem_id="mask-side")
        canvas = editor(
            label="Draw over the photo",
            sources=(),
            layers=False,
            transforms=(),
            brush=gr.Brush(default_size=40, colors=[COLOR], color_mode="fixed"),
            eraser=gr.Eraser(default_size=40),
            canvas_size=(CANVAS, CANVAS),
            height=460,
            buttons=[],
            elem_id="mask",
            placeholder="Choose a photo first",
        )
        soft = gr.Slider(
            0,
            MOST_SOFT,
            SOFT,
            step=0.01,
            label="Soft edge",
            info="How gently the painted part fades into the photo, as a share of its longer side.",
            elem_id="mask-soft",
        )
        clear = gr.Button("Clear what I drew", size="sm")

    def show(path: str | None) -> Any:
        """The photo, small; nothing where it cannot be read, which others will tell."""
        try:
            photo = inbox.read(path)
        except ImpastoError:
            return None
        small = photo.fitted(CANVAS).pil().convert("RGB")
        return {"background": small, "layers": [], "composite": None}

    gr.on([part.expand, content.change, clear.click], show, content, canvas, **HIDDEN)
    return MaskFields(canvas, side, soft)
