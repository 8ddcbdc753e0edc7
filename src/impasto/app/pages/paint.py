"""The first page: photo, style, method, and the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from impasto.app import library, status
from impasto.app.fields import upload
from impasto.app.jobs import Ticket
from impasto.app.pages import drawing, hints, parameters, styles, viewer
from impasto.app.pages.parameters import FIRST_METHOD
from impasto.app.pages.wiring import HIDDEN, TELLING, Buttons, picked, warn_of_file
from impasto.app.session import Entry, Session
from impasto.app.studio import Studio, painting
from impasto.app.tasks import OFFERED, PaintTask
from impasto.errors import ImpastoError
from impasto.names import must_be_known
from impasto.result import Result

KIND = "paint"
FIRST_PHOTO = "cat"
METHOD_NAMES = [
    ("Optimise", "optimize"),
    ("Instant, any artwork", "arbitrary"),
    ("Instant, gallery", "fast"),
]


@dataclass(frozen=True)
class PaintFields:
    """The fields that a visitor fills in."""

    content: gr.Image
    method: gr.Radio
    styles: styles.StyleFields
    parameters: parameters.ParameterFields
    drawing: drawing.DrawingFields

    @property
    def all(self) -> set[Any]:
        """All fields."""
        fields = [self.content, self.method, *self.styles.all, *self.parameters.all]
        return {*fields, *self.drawing.all}

    def remembered(self, values: dict[Any, Any]) -> dict[Any, Any]:
        """What the fields hold, but for what was drawn, by which they can be restored."""
        return {field: values[field] for field in self.all - {*self.drawing.all}}

    def restored(self, fields: Mapping[Any, Any]) -> dict[Any, Any]:
        """The fields as they were."""
        return {**fields, **self.styles.restored(fields, fields[self.method])}

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
        task = PaintTask(photo, chosen, method, weights, preset, options)
        drawn: dict[str, Any] = self.drawing.drawn(values, inbox)
        wishes = self.parameters.wishes(values, method)
        return replace(task, **wishes, **drawn).checked(studio.limits)


def build(studio: Studio, session: gr.State) -> PaintFields:
    """Lay out the page and connect it.

    Photo and style, the picture, and what else can be set: on a phone in this order, below each
    other; where there is room the picture is beside the rest.
    """
    with gr.Row(elem_id="paint-page"):
        form_column = gr.Column(elem_id="form", min_width=320)
        with gr.Column(elem_id="stage", min_width=320):
            buttons = _build_buttons()
            show = viewer.build()
        more = gr.Column(elem_id="more", min_width=320)
    with form_column:
        form, hint = _build_form(studio, more)
    _connect_paint(studio, session, form, show, buttons)
    _connect_results(session, form, show, buttons.line)
    _check_uploads(studio, form)
    hints.connect(studio, form.method, form.content, form.parameters, hint, show.compare)
    return form


def _build_buttons() -> Buttons:
    with gr.Row(elem_id="go", elem_classes="go"):
        paint = gr.Button("Paint", variant="primary", size="lg", elem_id="paint", min_width=120)
        cancel = gr.Button(
            "Cancel", variant="stop", size="lg", visible=False, elem_id="cancel", min_width=120
        )
        line = gr.HTML("", padding=False, elem_id="status")
    return Buttons(KIND, paint, cancel, line)


def _build_form(studio: Studio, more: gr.Column) -> tuple[PaintFields, gr.Markdown]:
    photos = library.photos()
    with gr.Row(elem_id="pictures", equal_height=True) as pictures:
        content = _build_content(photos[FIRST_PHOTO])
    with gr.Row(elem_id="examples") as examples:
        shelf = styles.thumbnails(photos, "Photos", id="photos")
    shelves = gr.Column()
    method = gr.Radio(
        METHOD_NAMES,
        value=FIRST_METHOD,
        label="Method",
        elem_id="method",
        elem_classes="compact",
    )
    parameter_fields = parameters.build(method, studio.inbox, more)
    with shelves:
        style_fields = styles.build(method, pictures, examples, more)
    hint = gr.Markdown("", elem_classes="hint", elem_id="hint")
    with more:
        over = drawing.build(content, studio.inbox)

    def pick(event: gr.SelectData) -> str:
        return picked(event, list(photos.values()))

    shelf.select(pick, None, content, **HIDDEN)
    return PaintFields(content, method, style_fields, parameter_fields, over), hint


def _build_content(file: str) -> gr.Image:
    content: gr.Image = upload(
        file,
        label="Photo",
        sources=["upload", "webcam", "clipboard"],
        height=styles.PICTURE_HEIGHT,
        elem_id="content",
        elem_classes="picture",
        buttons=[],
        min_width=110,
        alt_text="The photo",
    )
    return content


def _connect_paint(
    studio: Studio, session: gr.State, form: PaintFields, show: viewer.Viewer, buttons: Buttons
) -> None:
    def work(values: dict[Any, Any], ticket: Ticket) -> Iterator[dict[Any, Any]]:
        """Paint, and tell how it is getting on."""
        task, done = form.task(values, studio), list[Result]()
        with studio.jobs.run(ticket, task.describe(), painting(task, done)) as job:
            if job is None:
                yield {buttons.line: status.message("Cancelled before its turn.")}
                return
            for progress in job.updates():
                which = f"{len(done) + 1} of {task.variations}" if task.variations else ""
                yield {buttons.line: status.running(progress, which), **show.progress(progress)}
            job.result()
            result = task.whole(done)
            message = viewer.outcome(result, cancelled=job.cancelled, late=job.late)
        if result.stopped is None and not task.variations:
            made = task.method, task.preset, task.options, result.picture.size
            studio.estimates.learn(result.seconds, *made)
        entry = _keep(values[session], task, done, studio, form, form.remembered(values))
        yield {buttons.line: status.message(message), **show.show(entry)}

    inputs = {*form.all, session}
    buttons.connect(studio, session, work, inputs, show.all, waiting=show.wait(), ended=show.ended)
    buttons.go.click(None, js=viewer.SHOW_STAGE)


def _keep(
    visitor: Session,
    task: PaintTask,
    done: Sequence[Result],
    studio: Studio,
    form: PaintFields,
    fields: Mapping[Any, Any],
) -> Entry:
    """Keep what was painted, each variation for itself, and return what is to be shown."""
    where = task.content, studio.folder
    if not task.variations:
        return visitor.add(done[0], *where, fields)
    for result in reversed(done):  # the latest comes first
        varied = form.parameters.varied(fields, result.settings)
        visitor.add(result, *where, varied, task.label(result))
    return visitor.add(task.whole(done), *where, fields, f"{len(done)} variations")


def _connect_results(
    session: gr.State, form: PaintFields, show: viewer.Viewer, line: gr.HTML
) -> None:
    def pick(event: gr.SelectData, visitor: Session) -> dict[Any, Any]:
        visitor.shown = picked(event, visitor.entries)
        height, width = visitor.shown.size
        text = f"{visitor.shown.title}: {width} x {height} px."
        return {line: status.message(text), **show.show(visitor.shown)}

    def reuse(visitor: Session) -> Any:
        return visitor.shown.shown if visitor.shown else gr.skip()

    def restore(visitor: Session) -> dict[Any, Any]:
        return form.restored(visitor.shown.fields) if visitor.shown else {}

    show.history.select(pick, session, [line, *show.all], **HIDDEN)
    show.again.click(reuse, session, form.content, **HIDDEN)
    outputs = {*form.all, *form.styles.slots} - {*form.drawing.all}
    show.restore.click(restore, session, list(outputs), **HIDDEN)


def _check_uploads(studio: Studio, form: PaintFields) -> None:
    """Tell at once of a file that cannot be used, instead of after a wait."""
    inbox, works = studio.inbox, form.styles.works
    checks: list[tuple[Any, Any, Any]] = [(works.upload, works, inbox.read_body)]
    checks += [(it.input, it, inbox.read) for it in (form.content, *form.styles.artworks)]
    for arrived, field, read in checks:
        arrived(_checking(read), field, field, **TELLING)


def _checking(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """An event that empties a field whose file cannot be read, and says why."""

    def check(value: Any) -> Any:
        try:
            found = read(value) if value else value
        except ImpastoError as error:
            warn_of_file(error)
            return None
        for notice in getattr(found, "notices", ()):
            gr.Info(f"{found.name}: {notice}")
        return gr.skip()

    return check
