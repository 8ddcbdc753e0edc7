"""The viewer: the picture as it comes into being, the result, and what can be done with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from impasto.app.comparison import comparison
from impasto.app.fields import live_picture
from impasto.app.jobs import Progress
from impasto.app.limits import clock
from impasto.app.session import Entry, Session
from impasto.result import Result

EMPTY = """<div id="empty"><div><b>Your picture appears here</b>
Choose a photo and an artwork, then press Paint.</div></div>"""
# On a phone the stage is out of sight while the form is filled in, and so is what will be there.
SHOW_STAGE = """() => {
    const stage = document.getElementById("stage"), view = document.getElementById("view");
    const below = view.getBoundingClientRect().bottom > innerHeight;
    if (below || getComputedStyle(stage).position === "static")
        stage.scrollIntoView({behavior: "smooth", block: "start"});
}"""
# A result is told of before it and its downloads have been laid out; the observer looks when they
# have.
SHOW_RESULT = """() => {
    const stage = document.getElementById("stage");
    new ResizeObserver((_, observer) => {
        const last = document.getElementById("actions");
        if (!stage.querySelector(".compare")?.offsetHeight || !last?.offsetHeight) return;
        observer.disconnect();
        const below = last.getBoundingClientRect().bottom > innerHeight;
        if (below || stage.getBoundingClientRect().top < 0)
            stage.scrollIntoView({behavior: "smooth", block: "start"});
    }).observe(stage);
}"""


@dataclass(frozen=True)
class Viewer:
    """The components of the viewer."""

    empty: gr.HTML
    live: gr.Image
    compare: gr.HTML
    actions: gr.Row
    png: gr.DownloadButton
    jpeg: gr.DownloadButton
    again: gr.Button
    restore: gr.Button
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
            **self.wait(),
            self.empty: gr.update(visible=False),
            self.compare: gr.update(visible=False),
            self.live: gr.update(value=progress.picture.pil(), visible=True),
        }

    def show(self, entry: Entry) -> dict[Any, Any]:
        """A result."""
        shown = comparison(entry.before, entry.shown, entry.size)
        return {
            self.empty: gr.update(visible=False),
            self.live: gr.update(visible=False),
            self.compare: gr.update(value=shown, visible=True),
            self.actions: gr.update(visible=True),
            self.png: entry.png,
            self.jpeg: entry.jpeg,
            self.again: gr.update(visible=entry.before is not None),
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
            self.compare: any_yet,
            self.actions: any_yet,
            self.history: gr.update(value=pictures, visible=bool(pictures)),
        }


def build() -> Viewer:
    """Lay out the viewer."""
    with gr.Column(elem_id="view"):
        empty = gr.HTML(EMPTY, padding=False)
        live = live_picture("live")
        compare = gr.HTML("", padding=False, visible=False, elem_id="compare")
    with gr.Row(visible=False, elem_id="actions") as actions:
        size: dict[str, Any] = {"size": "md", "min_width": 100}
        png = gr.DownloadButton("Download", variant="primary", elem_id="png", **size)
        jpeg = gr.DownloadButton("As JPEG", elem_id="jpeg", **size)
        again = gr.Button("Use as photo", elem_id="again", **size)
        restore = gr.Button("Use its settings", elem_id="restore", **size)
    with gr.Accordion("How it came to be", open=False, visible=False, elem_id="details") as details:
        losses = _build_losses()
        settings = gr.JSON(label="Settings, also in the file's metadata", elem_id="settings")
    history = _build_history()
    compare.change(None, js=SHOW_RESULT)
    pictures = empty, live, compare
    return Viewer(*pictures, actions, png, jpeg, again, restore, details, losses, settings, history)


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
        object_fit="cover",
        allow_preview=False,
        interactive=False,
        visible=False,
        buttons=[],
        elem_classes="thumbs",
        elem_id="history",
    )


def outcome(result: Result, *, cancelled: bool, late: bool) -> str:
    """How a job ended, for a person."""
    seconds, stopped = result.seconds, result.stopped
    height, width = result.picture.size
    if cancelled and stopped:
        return f"Cancelled after {clock(seconds)}: this is the best picture so far."
    if late and stopped:
        return f"Its time was over after {clock(seconds)}: this is the best picture so far."
    if stopped:
        return f"Ended early, {stopped}: this is the best picture so far."
    if "variations" in result.settings:
        return (
            f"Done in {clock(seconds)}: pick one of the small pictures below, then press “Use its "
            "settings” and Paint."
        )
    return f"Done in {clock(seconds)}: {width} x {height} px."
