"""The first page: photo, style, method, and the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from impasto.app.fields import upload
from impasto.app.jobs import Ticket
from impasto.app.pages import masks, parameters, stage, styles
from impasto.app.pages.events import HIDDEN
from impasto.app.session import Session
from impasto.app.studio import QUEUE, Studio
from impasto.app.tasks import Task
from impasto.app.uploads import read_upload
from impasto.errors import ImpastoError
from impasto.image import Picture
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
class Form:
    """What a visitor fills in."""

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

    def task(self, values: dict[Any, Any], studio: Studio) -> Task:
        """What the fields ask for.

        Raises:
            InputError: If something is missing or cannot be used.
        """
        limits, method = studio.limits, values[self.method]
        photo = read_upload(values[self.content], limits)
        chosen, weights = self.styles.chosen(values, method, limits)
        preset, options = self.parameters.options(values, method)
        mask = self.mask.mask(values)
        return Task(photo, chosen, method, weights, preset, options, mask).checked(limits)


def build(studio: Studio, session: gr.State) -> Form:
    """Lay out the page and connect it."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=320):
            form, paint, cancel = _build_form(studio)
        with gr.Column(scale=7, min_width=320):
            show = stage.build()
    _connect_paint(studio, session, form, show, paint, cancel)
    _connect_results(studio, session, form, show)
    _check_uploads(studio, form)
    return form


def _build_form(studio: Studio) -> tuple[Form, gr.Button, gr.Button]:
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
    mask = masks.build(content, studio.limits)
    method.change(HINTS.__getitem__, method, hint, **HIDDEN)
    return Form(content, method, style_fields, parameter_fields, mask), paint, cancel


def _connect_paint(
    studio: Studio,
    session: gr.State,
    form: Form,
    show: stage.Stage,
    paint: gr.Button,
    cancel: gr.Button,
) -> None:
    def begin(request: gr.Request) -> dict[Any, Any]:
        studio.jobs.expect(_ticket(request))
        return {
            paint: gr.update(visible=False),
            cancel: gr.update(visible=True, interactive=True, value="Cancel"),
            **show.wait(),
        }

    def run(values: dict[Any, Any], request: gr.Request) -> Iterator[dict[Any, Any]]:
        try:
            yield from _painting(studio, values[session], form, show, values, _ticket(request))
        except ImpastoError as error:
            raise gr.Error(str(error), title="That did not work", print_exception=False) from error

    def end(session: Session) -> dict[Any, Any]:
        return {
            paint: gr.update(visible=True),
            cancel: gr.update(visible=False),
            **show.album(session),
        }

    def stop(request: gr.Request) -> Any:
        studio.jobs.cancel(_ticket(request))
        return gr.update(value="Ending …", interactive=False)

    started = paint.click(begin, None, [paint, cancel, *show.all], **HIDDEN)
    done = started.then(
        run,
        {*form.all, session},
        show.all,
        concurrency_id=QUEUE,
        concurrency_limit=len(studio.jobs.devices),
        show_progress="minimal",
        show_progress_on=show.status,
        api_visibility="private",
    )
    done.then(end, session, [paint, cancel, *show.all], **HIDDEN)
    cancel.click(stop, None, cancel, **HIDDEN)
    paint.click(None, js=SHOW_STAGE)


def _ticket(request: gr.Request) -> Ticket:
    return Ticket(str(request.session_hash), KIND)


def _painting(
    studio: Studio,
    session: Session,
    form: Form,
    show: stage.Stage,
    values: dict[Any, Any],
    ticket: Ticket,
) -> Iterator[dict[Any, Any]]:
    """Paint, and tell how it is getting on."""
    try:
        task = form.task(values, studio)
    except ImpastoError as error:
        yield show.fail(str(error))
        raise
    work = lambda job, device: task.paint(device, [job.on_step])  # noqa: E731
    with studio.jobs.run(ticket, task.describe(), work) as job:
        if job is None:
            yield show.fail("Cancelled before its turn.")
            return
        for progress in job.updates():
            yield show.progress(progress)
        try:
            result: Result = job.result()
        except ImpastoError as error:
            yield show.fail(str(error))
            raise
        message = stage.outcome(
            result.seconds, result.stopped, cancelled=job.cancelled, late=job.late
        )
    entry = session.add(result, task.content, studio.folder)
    yield show.show(entry, message)


def _connect_results(studio: Studio, session: gr.State, form: Form, show: stage.Stage) -> None:
    def pick(event: gr.SelectData, session: Session) -> dict[Any, Any]:
        entry = session.entries[event.index]
        return show.show(entry, f"{entry.title}, of this session.")

    def reuse(path: str | None) -> Any:
        return path or gr.skip()

    show.history.select(pick, session, show.all, **HIDDEN)
    show.again.click(reuse, show.png, form.content, **HIDDEN)


def _check_uploads(studio: Studio, form: Form) -> None:
    """Tell at once of a file that is no picture, instead of after a wait."""

    def check(path: str | None) -> Any:
        try:
            picture: Picture | None = read_upload(path, studio.limits) if path else None
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
