"""Fields of the page that Gradio does not have as the app needs them."""

from __future__ import annotations

import dataclasses
from abc import ABCMeta
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData

from impasto.methods import OPTIONS


def _path(_field: gr.Image, payload: ImageData | None) -> str | None:
    """The path of an uploaded file in the app's temporary folder."""
    return None if payload is None else payload.path


# A picture that is handed on as the file that came: only ``impasto.image`` decodes it. Made around
# Gradio's metaclass, which would write a stub beside this file; drawn by the page as its base.
_Upload: type[gr.Image] = ABCMeta.__new__(
    type(gr.Image), "Upload", (gr.Image,), {"preprocess": _path, "is_template": True}
)


def upload(value: str | None, **fields: Any) -> gr.Image:
    """A field for a picture, whose value is the path of the file that came."""
    return _Upload(value, **fields)


def sentence(method: str, name: str, more: str = "") -> str:
    """What an option does, from the help that the command line shows too."""
    field = next(item for item in dataclasses.fields(OPTIONS[method]) if item.name == name)
    text: str = field.metadata["help"]
    return f"{text[0].upper()}{text[1:]}. {more}".strip()


def default(method: str, name: str) -> Any:
    """The default of an option."""
    return getattr(OPTIONS[method](), name)
