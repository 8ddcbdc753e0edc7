"""The line below the method: how it works, how long it is going to take, what size comes out."""

from __future__ import annotations

from typing import Any

import gradio as gr

from impasto.app.limits import clock
from impasto.app.pages.parameters import ParameterFields
from impasto.app.pages.wiring import HIDDEN
from impasto.app.studio import Studio
from impasto.app.tasks import check_print, print_job
from impasto.errors import ImpastoError
from impasto.image import fit
from impasto.image.wrapping import snapped
from impasto.media.variations import quick
from impasto.options import BorderOptions

HINTS = {
    "optimize": "The best picture, changed step by step while you watch.",
    "arbitrary": "One network for every artwork.",
    "fast": "A network that has learnt these styles.",
}


def connect(
    studio: Studio,
    method: gr.Radio,
    content: gr.Image,
    parameters: ParameterFields,
    hint: gr.Markdown,
    result: gr.HTML,
) -> None:
    """Let the line follow the fields, and each result, which corrects the estimate."""
    shape = gr.State(None)  # (height, width) of the photo

    def measure(path: str | None) -> Any:
        try:
            return studio.inbox.read(path).size
        except ImpastoError:  # which others tell
            return None

    def tell(values: dict[Any, Any]) -> str:
        try:
            seconds, size = _expected(studio, parameters, values, values[method], values[shape])
        except ImpastoError as error:
            return f"This cannot be: {error}."
        about = f"About {clock(seconds)} on {studio.estimates.where}"
        return " ".join([HINTS[values[method]], f"{about}: {size}." if size else f"{about}."])

    fields = {method, *parameters.all}
    telling = {"fn": tell, "inputs": {shape, *fields}, "outputs": hint, **HIDDEN}
    # When the page opens, and whenever the photo changes. That a state changes is told to nobody
    # by events without a queue, so the line follows the measuring itself.
    gr.on(None, measure, content, shape, **HIDDEN).then(trigger_mode="always_last", **telling)
    gr.on([field.change for field in fields], **telling)
    result.change(**telling)


def _expected(
    studio: Studio,
    parameters: ParameterFields,
    values: dict[Any, Any],
    method: str,
    photo: tuple[int, int] | None,
) -> tuple[float, str]:
    """How many seconds it is going to take, and the size that comes out, in words."""
    preset, options = parameters.options(values, method)
    wishes = parameters.wishes(values, method)
    if count := wishes["variations"]:
        small = {**options, **quick(options["max_size"])}
        seconds = count * studio.estimates.seconds(method, preset, small)
        return seconds, f"{count} pictures of {small['max_size']} px"
    size, told = None, ""
    if photo:
        page = wishes["print"], wishes["dpi"]
        if job := print_job(*page, method, photo, options["max_size"]):
            check_print(job, studio.limits)
            size, told = job.size, f"a print of {job.describe()}"
        else:
            wrapped = BorderOptions(wrap=options["wrap"]).wrapped
            size = snapped(fit(photo, options["max_size"]), wrapped)
            told = f"{size[1]} x {size[0]} px"
    return studio.estimates.seconds(method, preset, options, size), told
