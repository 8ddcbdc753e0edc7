"""All pages of the app together."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from impasto.app import endpoints
from impasto.app.door import GuardedBlocks
from impasto.app.estimates import Estimates
from impasto.app.jobs import Jobs
from impasto.app.limits import Limits
from impasto.app.pages import paint, understand
from impasto.app.session import Session
from impasto.app.studio import Studio, devices

# In seconds: how often old files are looked for, and when they are old.
CLEAN_EVERY, KEEP_FOR = 60, 3 * 3600


def build(folder: Path, limits: Limits) -> GuardedBlocks:
    """Lay out the pages and connect them.

    Args:
        folder: Where results are kept while their session lasts.
        limits: How much a visitor may ask for.
    """
    names = devices()
    jobs, estimates = Jobs(names, limits.max_seconds), Estimates(names[0])
    studio = Studio(limits, jobs, folder, estimates)

    app = GuardedBlocks(
        studio, title="Impasto", analytics_enabled=False, delete_cache=(CLEAN_EVERY, KEEP_FOR)
    )
    with app:
        gr.Markdown("# Impasto\nRepaint a photo in the manner of an artwork.", elem_id="title")
        session = gr.State(Session(), delete_callback=Session.close)
        with gr.Tab("Paint", id="paint"):
            form = paint.build(studio, session)
        with gr.Tab("Understand", id="understand"):
            understand.build(studio, session, form)
        endpoints.build(studio)
    app.queue(max_size=limits.max_waiting, api_open=False)
    return app
