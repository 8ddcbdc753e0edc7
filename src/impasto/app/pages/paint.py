"""The first page: photo, style, method, and the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from impasto.app import status
from impasto.app.fields import upload
from impasto.app.jobs import Ticket
from impasto.app.pages import masks, parameters, styles, viewer
from impasto.app.pages.wiring import HIDDEN, Buttons, picked
from impasto.app.session import Session
from impasto.app.studio import Studio
from impasto.app.tasks import OFFERED, PaintTask
from impasto.errors import ImpastoError
from impasto.image import Picture
from impasto.names import must_be_known
from impasto.pictures import PORTRAIT
from impasto.result import Result

KIND = "paint"
METHODS = [
    ("Instant, any artwork", "arbitrary"),
    ("Instant, gallery style", "fast"),
    ("Optimise, the best picture", "optimize"),
]
HINTS = {
    "arbitrary": "One network for every artwork: about a second.",
    "fast": "A network that has learnt these styles: about a second.",
    "optimize": "Changes the picture step by step, and you watch: half a minute.",
}
# On a phone the picture is below the fields.
SHOW_STAGE = """() => { if (matchMedia("(max-width: 640px)").matches)
    document.getElementById("stage").scrollIntoView({behavior: "smooth"}); }"""


@dataclass(frozen=True)
class PaintFields:
    """The fields that a visitor fills in."""

    content: gr.Image
    method: gr.Radio
    styles: styles.StyleFields
    parameters: parameters.ParameterFields
    mask: masks.MaskFields

    @property
    def all(self) -> set[Any]:
        """All fields."""
        fields = [self.content, self.method, *self.styles.all, *self.parameters.all]
        return {*fields, *self.mask.all}

    def task(self, values: dict[Any, Any], studio: Studio) -> PaintTask:
        """The task that the fields ask for.

        Raises:
            InputError: If something is missing or cannot be used.
        """
        inbox, method = studio.inbox, values[self.method]
        must_be_known("method", method, OFFERED)
        photo = inbox.read(values[self.content])
        chosen, weights = self.styles.chosen(values, method, inbox)
        preset, options = self.parameters.options(values, method)
        mask = self.mask.mask(values, inbox)
        return PaintTask(photo, chosen, method, weights, preset, options, mask).checked(
            studio.limits
        )


def build(studio: Studio, session: gr.State) -> PaintFields:
    """Lay out the page and connect it."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=320):
            form, paint, cancel = _build_form(studio)
        with gr.Column(scale=7, min_width=320):
            show = viewer.build()
    _connect_paint(studio, session, form, show, Buttons(KIND, paint, cancel, show.status))
    _connect_results(session, form, show)
    _check_uploads(studio, form)
    return form


def _build_form(studio: Studio) -> tuple[PaintFields, gr.Button, gr.Button]:
    content = upload(
        str(PORTRAIT),
        label="Photo",
        sources=["upload", "webcam", "clipboard"],
        height=230,
        elem_id="content",
        buttons=[],
        alt_text="The photo",
    )
    method = gr.Radio(METHODS, value="arbitrary", label="Method", elem_id="method")
    hint = gr.Markdown(HINTS["arbitrary"], elem_classes="hint")
    style_fields = styles.build(method)
    with gr.Row(elem_id="go"):
        paint = gr.Button("Paint", variant="primary", size="lg", elem_id="paint")
        cancel = gr.Button("Cancel", variant="stop", size="lg", visible=False, elem_id="cancel")
    parameter_fields = parameters.build(method, studio.limits)
    mask = masks.build(content, studio.inbox)
    method.change(HINTS.__getitem__, method, hint, **HIDDEN)
    return PaintFields(content, method, style_fields, parameter_fields, mask), paint, cancel


def _connect_paint(
    studio: Studio, session: gr.State, form: PaintFields, show: viewer.Viewer, buttons: Buttons
) -> None:
    def work(values: dict[Any, Any], ticket: Ticket) -> Iterator[dict[Any, Any]]:
        return _painting(studio, values[session], form.task(values, studio), show, ticket)

    inputs, outputs = {*form.all, session}, [part for part in show.all if part is not show.status]
    buttons.connect(studio, session, work, inputs, outputs, waiting=show.wait(), ended=show.ended)
    buttons.go.click(None, js=SHOW_STAGE)


def _painting(
    studio: Studio, session: Session, task: PaintTask, show: viewer.Viewer, ticket: Ticket
) -> Iterator[dict[Any, Any]]:
    """Paint, and tell how it is getting on."""
    work = lambda job, device: task.paint(device, [job.on_step])  # noqa: E731
    with studio.jobs.run(ticket, task.describe(), work) as job:
        if job is None:
            yield {show.status: status.message("Cancelled before its turn.")}
            return
        for progress in job.updates():
            yield show.progress(progress)
        result: Result = job.result()
        message = viewer.outcome(
            result.seconds, result.stopped, cancelled=job.cancelled, late=job.late
        )
    entry = session.add(result, task.content, studio.folder)
    yield show.show(entry, message)


def _connect_results(session: gr.State, form: PaintFields, show: viewer.Viewer) -> None:
    def pick(event: gr.SelectData, visitor: Session) -> dict[Any, Any]:
        visitor.shown = picked(event, visitor.entries)
        return show.show(visitor.shown, f"{visitor.shown.title}, of this session.")

    def reuse(visitor: Session) -> Any:
        return visitor.shown.png if visitor.shown else gr.skip()

    show.history.select(pick, session, show.all, **HIDDEN)
    show.again.click(reuse, session, form.content, **HIDDEN)


def _check_uploads(studio: Studio, form: PaintFields) -> None:
    """Tell at once of a file that is no picture, instead of after a wait."""

    def check(path: str | None) -> Any:
        try:
            picture: Picture | None = studio.inbox.read(path) if path else None
        except ImpastoError as error:
            gr.Warning(str(error), duration=15, title="This file cannot be used")
            return None
        for notice in picture.notices if picture else ():
            gr.Info(f"{picture.name}: {notice}" if picture else notice)
        return gr.skip()

    for field in (form.content, *form.styles.artworks):
        # In the queue, which alone brings messages to the page, but waiting for nobody.
        field.change(
            check,
            field,
            field,
            concurrency_limit=None,
            show_progress="hidden",
            api_visibility="private",
        )
