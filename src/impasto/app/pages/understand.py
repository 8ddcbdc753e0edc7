"""The second page: what a network sees in a picture, and what its layers remember of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import gradio as gr

from impasto.app import status
from impasto.app.fields import live_picture
from impasto.app.insight import Look, Recovery, look
from impasto.app.jobs import Job, Ticket
from impasto.app.pages.paint import PaintFields
from impasto.app.pages.wiring import HIDDEN, Buttons
from impasto.app.session import Session
from impasto.app.studio import QUEUE, Studio
from impasto.errors import InputError
from impasto.explain.reconstruct import FIGURE_LAYERS
from impasto.image import Picture
from impasto.names import must_be_known
from impasto.options import STYLE_LAYERS

PHOTO, ARTWORK, RESULT = "The photo", "The artwork", "The latest result"
MOST_STEPS = 300
INTRODUCTION = """A network that was trained to recognise things turns a picture into *feature
maps*: what is where, layer by layer. Style transfer compares pictures by these maps, so what a
layer sees and what it forgets decides how the result looks."""
MAPS = """## What the layers see
Each small picture is one channel: where it is strong, the layer has found its feature. First
layers find edges and colours; deep ones, parts of things. The *Gram matrix* tells which features
go together, wherever they are: this is the style."""
RECOVERY = """## What the layers remember
From noise, a picture is optimised until a layer cannot tell it from yours. What it lacks, the
layer has lost. *Content* compares the maps place by place, *style* only their statistics."""


@dataclass(frozen=True)
class PictureChoice:
    """The choice of a picture: one of the first page."""

    which: gr.Radio
    form: PaintFields
    session: gr.State

    @property
    def inputs(self) -> set[Any]:
        """The fields it is read from."""
        return {self.which, self.form.content, self.form.styles.artworks[0], self.session}

    def picture(self, values: dict[Any, Any], studio: Studio) -> Picture:
        """The picture.

        Raises:
            InputError: If there is none, or it cannot be read.
        """
        if values[self.which] == PHOTO:
            return studio.inbox.read(values[self.form.content])
        if values[self.which] == ARTWORK:
            return studio.inbox.read(values[self.form.styles.artworks[0]], "artwork")
        session: Session = values[self.session]
        if not session.entries:
            raise InputError("no result yet: paint one on the first page")
        return studio.inbox.read(session.entries[0].shown, "result")


def build(studio: Studio, session: gr.State, form: PaintFields) -> None:
    """Lay out the page and connect it."""
    gr.Markdown(INTRODUCTION)
    which = gr.Radio([PHOTO, ARTWORK, RESULT], value=PHOTO, label="Look at", elem_id="look-at")
    source = PictureChoice(which, form, session)
    with gr.Row(equal_height=False):
        with gr.Column(min_width=320):
            _build_maps(studio, source)
        with gr.Column(min_width=320):
            _build_recovery(studio, source)


def _build_maps(studio: Studio, source: PictureChoice) -> None:
    gr.Markdown(MAPS, elem_classes="section")
    layers = gr.CheckboxGroup(list(STYLE_LAYERS), value=list(STYLE_LAYERS), label="Layers")
    channels = gr.Slider(
        2, 10, 6, step=1, label="Channels", info="How many of each layer, the liveliest first."
    )
    button = gr.Button("Show feature maps", variant="primary", elem_id="show-maps")
    line = gr.HTML("", padding=False)
    maps = _figure("Feature maps", "maps")
    fields = gr.Markdown("", elem_classes="layers")
    grams = _figure("Gram matrices", "grams")

    def run(values: dict[Any, Any], request: gr.Request) -> dict[Any, Any]:
        ticket = Ticket(str(request.session_hash), "maps")
        found = _look(studio, source.picture(values, studio), values, ticket)
        return {
            line: "",
            maps: gr.update(value=found.maps, visible=True),
            grams: gr.update(value=found.grams, visible=True),
            fields: _fields(found),
        }

    def _look(studio: Studio, picture: Picture, values: dict[Any, Any], ticket: Ticket) -> Look:
        def work(_job: Job[Look], _device: str) -> Look:
            return look(picture, chosen, values[channels], studio.folder)

        chosen = _in_order(values[layers], tuple(STYLE_LAYERS))
        studio.jobs.expect(ticket)
        with studio.jobs.run(ticket, "feature maps", work) as job:
            assert job is not None  # nobody can cancel it
            return job.result()

    button.click(
        run,
        {*source.inputs, layers, channels},
        [line, maps, grams, fields],
        concurrency_id=QUEUE,
        concurrency_limit=len(studio.jobs.devices),
        show_progress_on=line,
        api_visibility="private",
    )


def _figure(label: str, id: str) -> gr.Image:
    return gr.Image(
        label=label,
        show_label=False,
        visible=False,
        interactive=False,
        buttons=["download", "fullscreen"],
        elem_id=id,
        elem_classes="plot",
        alt_text=label,
    )


def _fields(found: Look) -> str:
    """The receptive field of each layer, as a table."""
    rows = [f"| {layer} | {channels} | {side} px |" for layer, channels, side in found.fields]
    return "\n".join(["| layer | channels | looks at squares of |", "|---|---|---|", *rows])


@dataclass
class _Recovered:
    """The pictures recovered so far."""

    layers: int
    label: str = ""
    pictures: list[tuple[Any, str]] = field(default_factory=list)

    def begin(self, label: str) -> None:
        self.label = label

    @property
    def position(self) -> str:
        return f"{self.label}, {len(self.pictures) + 1} of {self.layers}"


@dataclass(frozen=True)
class _RecoveryFields:
    """The parts of the page that recovering needs."""

    kind: gr.Radio
    layers: gr.CheckboxGroup
    size: gr.Slider
    steps: gr.Slider
    buttons: Buttons
    live: gr.Image
    album: gr.Gallery


def _build_recovery(studio: Studio, source: PictureChoice) -> None:
    gr.Markdown(RECOVERY, elem_classes="section")
    every = list(FIGURE_LAYERS["content"])
    kind = gr.Radio(["content", "style"], value="content", label="Recover", elem_id="recover-kind")
    layers = gr.CheckboxGroup(every, value=every, label="Layers", elem_id="recover-layers")
    size = gr.Slider(64, 384, 192, step=32, label="Size in px", info="Longer side of the pictures.")
    steps = gr.Slider(
        10, MOST_STEPS, 120, step=10, label="Steps", info="For each layer.", elem_id="recover-steps"
    )
    with gr.Row(elem_classes="go"):
        button = gr.Button("Recover the picture", variant="primary", elem_id="recover")
        cancel = gr.Button("Cancel", variant="stop", visible=False, elem_id="recover-cancel")
    line = gr.HTML("", padding=False, elem_id="recover-status")
    buttons = Buttons("recover", button, cancel, line)
    live, album = live_picture("recover-live"), _build_album()
    form = _RecoveryFields(kind, layers, size, steps, buttons, live, album)
    _connect_recovery(studio, source, form)
    _connect_kind(form)


def _build_album() -> gr.Gallery:
    return gr.Gallery(
        label="Recovered",
        show_label=False,
        columns=3,
        object_fit="contain",
        visible=False,
        interactive=False,
        elem_id="recovered",
    )


def _connect_recovery(studio: Studio, source: PictureChoice, form: _RecoveryFields) -> None:
    """Let the buttons begin and end the work, and the page show how it is getting on."""

    def work(values: dict[Any, Any], ticket: Ticket) -> Iterator[dict[Any, Any]]:
        wish = _wish(values, source.picture(values, studio), form)
        for text, picture, pictures in _recovering(studio, wish, ticket):
            yield {
                form.buttons.line: text,
                form.live: gr.update(value=picture, visible=picture is not None),
                form.album: gr.update(value=pictures, visible=bool(pictures)),
            }

    form.buttons.connect(
        studio,
        source.session,
        work,
        {*source.inputs, form.kind, form.layers, form.size, form.steps},
        [form.live, form.album],
        waiting={},
        ended=lambda _session: {form.live: gr.update(visible=False)},
    )


def _connect_kind(form: _RecoveryFields) -> None:
    """Offer the layers from which that kind can be recovered."""

    def offer(kind: Literal["content", "style"]) -> Any:
        every = list(FIGURE_LAYERS[kind])
        return gr.update(choices=every, value=every)

    form.kind.change(offer, form.kind, form.layers, **HIDDEN)


def _wish(values: dict[Any, Any], picture: Picture, form: _RecoveryFields) -> Recovery:
    kind = values[form.kind]
    must_be_known("kind", kind, FIGURE_LAYERS)
    layers = _in_order(values[form.layers], FIGURE_LAYERS[kind])
    return Recovery(picture, kind, layers, values[form.size], values[form.steps])


def _recovering(
    studio: Studio, wish: Recovery, ticket: Ticket
) -> Iterator[tuple[str, Any, list[tuple[Any, str]]]]:
    """Recover, and tell how it is getting on: a line, the picture as it is, the finished ones."""
    found = _Recovered(len(wish.layers))

    def work(job: Job[None], device: str) -> None:
        for label, picture in wish.recover(job, device, found.begin):
            found.pictures.append((picture.pil(), label))

    with studio.jobs.run(ticket, f"reconstruction of {wish.kind}", work) as job:
        if job is None:
            yield status.message("Cancelled before its turn."), None, []
            return
        for progress in job.updates():
            text = status.running(progress, found.position)
            yield text, progress.picture.pil(), list(found.pictures)
        job.result()
        ended = "Cancelled." if job.cancelled else "Its time was over." if job.late else "Done."
    yield status.message(ended), None, found.pictures


def _in_order(chosen: list[str], layers: tuple[str, ...]) -> list[str]:
    """The chosen layers from the first to the deepest."""
    known = [layer for layer in layers if layer in chosen]
    if not known:
        raise InputError("no layer yet: tick at least one")
    return known
