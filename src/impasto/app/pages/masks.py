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
COLOR = "rgba(255, 64, 96, 0.75)"


@dataclass(frozen=True)
class MaskFields:
    """The fields of the mask.

    Attributes:
        editor: The photo with what was drawn over it.
        side: Which side of the strokes is painted.
    """

    editor: gr.ImageEditor
    side: gr.Radio

    @property
    def all(self) -> list[Any]:
        """Both of them."""
        return [self.editor, self.side]

    def mask(self, values: dict[Any, Any], inbox: Inbox) -> Picture | None:
        """The mask that was drawn; None if nothing was.

        Raises:
            InputError: If it cannot be read.
        """
        layers = [inbox.read(path, "mask") for path in values[self.editor]]
        return drawn_mask(layers, inside=values[self.side] == INSIDE)


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
    return MaskFields(canvas, side)
