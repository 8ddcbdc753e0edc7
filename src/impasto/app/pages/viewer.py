"""The viewer: the picture as it comes into being, the result, and what can be done with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from impasto.app import status
from impasto.app.fields import live_picture
from impasto.app.jobs import Progress
from impasto.app.limits import clock
from impasto.app.session import Entry, Session

EMPTY = """<div id="empty"><div><b>Your picture appears here</b>
Choose a photo and a style, then press Paint.</div></div>"""


@dataclass(frozen=True)
class Viewer:
    """The components of the viewer."""

    empty: gr.HTML
    live: gr.Image
    slider: gr.ImageSlider
    status: gr.HTML
    actions: gr.Row
    png: gr.DownloadButton
    jpeg: gr.DownloadButton
    again: gr.Button
    details: gr.Accordion
    losses: gr.Image
    settings: gr.JSON
    history: gr.Gallery

    @property
    def all(self) -> list[Any]:
        """All of them, as outputs of an event."""
        return list(vars(self).values())

    def wait(self) -> dict[Any, Any]:
        """Until there is a new picture: the one before is not offered."""
        return {self.actions: gr.update(visible=False)}

    def progress(self, progress: Progress) -> dict[Any, Any]:
        """While the picture is coming into being."""
        return {
            self.status: status.running(progress),
            **self.wait(),
            self.empty: gr.update(visible=False),
            self.slider: gr.update(visible=False),
            self.live: gr.update(value=progress.picture.pil(), visible=True),
        }

    def show(self, entry: Entry, message: str) -> dict[Any, Any]:
        """A result."""
        return {
            self.status: status.message(message),
            self.empty: gr.update(visible=False),
            self.live: gr.update(visible=False),
            self.slider: gr.update(value=(entry.before, entry.png), visible=True),
            self.actions: gr.update(visible=True),
            self.png: entry.png,
            self.jpeg: entry.jpeg,
            self.details: gr.update(visible=True),
            self.losses: gr.update(value=entry.losses, visible=entry.losses is not None),
            self.settings: entry.settings,
        }

    def ended(self, session: Session) -> dict[Any, Any]:
        """After a job, well or not: the picture last shown, and all of the session's."""
        pictures = [(entry.jpeg, entry.title) for entry in session.entries]
        any_yet = gr.update(visible=bool(pictures))
        return {
            self.empty: gr.update(visible=not pictures),
            self.live: gr.update(visible=False),
            self.slider: any_yet,
            self.actions: any_yet,
            self.history: gr.update(value=pictures, visible=bool(pictures)),
        }


def build() -> Viewer:
    """Lay out the viewer."""
    with gr.Column(elem_id="stage"):
        empty = gr.HTML(EMPTY, padding=False)
        live, slider = live_picture("live", height=620), _build_slider()
        line = gr.HTML("", padding=False, elem_id="status")
        with gr.Row(visible=False, elem_id="actions") as actions:
            size: dict[str, Any] = {"size": "md", "min_width": 130}  # two in a row on a phone
            png = gr.DownloadButton("Download PNG", variant="primary", elem_id="png", **size)
            jpeg = gr.DownloadButton("Download JPEG", elem_id="jpeg", **size)
            again = gr.Button("Use as photo", elem_id="again", **size)
        with gr.Accordion(
            "How it came to be", open=False, visible=False, elem_id="details"
        ) as details:
            losses = _build_losses()
            settings = gr.JSON(label="Settings, also in the file's metadata", elem_id="settings")
        history = _build_history()
    return Viewer(
        empty, live, slider, line, actions, png, jpeg, again, details, losses, settings, history
    )


def _build_slider() -> gr.ImageSlider:
    return gr.ImageSlider(
        label="Before and after",
        visible=False,
        interactive=False,
        max_height=620,
        buttons=["fullscreen"],
        elem_id="slider",
        type="filepath",
    )


def _build_losses() -> gr.Image:
    return gr.Image(
        label="Losses over the steps",
        interactive=False,
        buttons=["fullscreen"],
        elem_classes="plot",
        elem_id="losses",
        alt_text="Plot of the losses",
    )


def _build_history() -> gr.Gallery:
    return gr.Gallery(
        label="Made in this session",
        show_label=False,
        columns=4,
        object_fit="cover",
        allow_preview=False,
        interactive=False,
        visible=False,
        buttons=[],
        elem_classes="thumbs",
        elem_id="history",
    )


def outcome(seconds: float, stopped: str | None, *, cancelled: bool, late: bool) -> str:
    """How a job ended, for a person."""
    if cancelled and stopped:
        return f"Cancelled after {clock(seconds)}: this is the best picture so far."
    if late and stopped:
        return f"Its time was over after {clock(seconds)}: this is the best picture so far."
    if stopped:
        return f"Ended early, {stopped}: this is the best picture so far."
    return f"Done in {seconds:.1f} s. Drag the handle to compare with the photo."
