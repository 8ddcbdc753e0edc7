"""Fields of the page that Gradio does not have as the app needs them."""

from __future__ import annotations

import dataclasses
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData

from impasto.methods import OPTIONS

class Upload(gr.Image):
    """A picture that is handed on as the file that came: only ``impasto.image`` decodes it."""

    is_template = True  # drawn by the page as its base class

    def preprocess(self, payload: ImageData | None) -> str | None:
        """The path of the file in the app's temporary folder."""
        return None if payload is None else payload.path
    from collections.abc import Callable, Sequence
    from typing import TYPE_CHECKING, Any, Literal

    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component

def sentence(method: str, name: str, more: str = "") -> str:
    """What an option does, from the help that the command line shows too."""
    field = next(item for item in dataclasses.fields(OPTIONS[method]) if item.name == name)
    text: str = field.metadata["help"]
    return f"{text[0].upper()}{text[1:]}. {more}".strip()

def default(method: str, name: str) -> Any:
    """The default of an option."""
    return getattr(OPTIONS[method](), name)
