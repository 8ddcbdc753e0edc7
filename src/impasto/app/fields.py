"""Fields of the page that Gradio does not have as the app needs them."""

from __future__ import annotations

import dataclasses
from abc import ABCMeta
from typing import Any

import gradio as gr
from gradio.components.image_editor import EditorData
from gradio.data_classes import ImageData, ListFiles

from impasto.methods import OPTIONS


def _path(_field: gr.Image, payload: ImageData | None) -> str | None:
    return None if payload is None else payload.path


def _layers(_field: gr.ImageEditor, payload: EditorData | None) -> list[str]:
    return [] if payload is None else [layer.path for layer in payload.layers]


def _paths(_field: gr.File, payload: ListFiles | None) -> list[str]:
    return [] if payload is None else [file.path for file in payload]


def _undecoded(base: Any, preprocess: Any) -> Any:
    """A field of files that hands on the paths that came: only ``Inbox`` reads and decodes.

    Made around Gradio's metaclass, which would write a stub beside this file; drawn by the page as
    its base.
    """
    members = {"preprocess": preprocess, "is_template": True}
    return ABCMeta.__new__(type(base), base.__name__, (base,), members)


# Its value is the path of the file that came, or None.
upload = _undecoded(gr.Image, _path)
# Its value are the paths of the layers that were drawn.
editor = _undecoded(gr.ImageEditor, _layers)
# Its value are the paths of the files that came.
files = _undecoded(gr.File, _paths)


def live_picture(id: str) -> gr.Image:
    """The picture as it comes into being; hidden until there is one."""
    return gr.Image(
        label="Coming into being",
        show_label=False,
        visible=False,
        interactive=False,
        buttons=[],
        elem_id=id,
        alt_text="The picture as it is now",
    )


def slider(
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


def choice(
    option: str,
    label: str,
    choices: list[tuple[str, Any]],
    info: str,
    value: Any = "off",
    **more: Any,
) -> gr.Radio:
    """A choice of one among few; its tooltip tells the option's name."""
    tip = f"option-{option}"
    return gr.Radio(choices, value=value, label=label, info=info, elem_classes=tip, **more)


def sentence(method: str, name: str, more: str = "") -> str:
    """The help of an option, as on the command line, as a sentence."""
    field = next(item for item in dataclasses.fields(OPTIONS[method]) if item.name == name)
    text: str = field.metadata["help"]
    return f"{text[0].upper()}{text[1:]}. {more}".strip()


def default(method: str, name: str) -> Any:
    """The default of an option."""
    return getattr(OPTIONS[method](), name)
