"""The app from programs: endpoints for Gradio's client, in Python or JavaScript."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData
from gradio.events import api

from impasto.app.jobs import Job, Ticket
from impasto.app.library import artworks
from impasto.app.studio import QUEUE, Studio
from impasto.app.tasks import OFFERED, Task
from impasto.app.uploads import read_upload
from impasto.errors import ImpastoError
from impasto.image import Picture
from impasto.names import must_be_known
from impasto.networks.gallery import gallery
from impasto.result import Result

FORMATS = ("png", "jpg", "webp", "tiff")
# Clients fetch a result at once.
KEEP_SECONDS = 300


def build(studio: Studio) -> None:
    """Add the endpoints ``/stylize`` and ``/styles``; to be called within the blocks."""

    def stylize(
        content: FileData,
        styles: list[FileData] = [],  # noqa: B006 - the schema shows it, nobody changes it
        method: str = "arbitrary",
        gallery_styles: list[str] = [],  # noqa: B006
        style_weights: list[float] = [],  # noqa: B006
        preset: str = "default",
        options: dict[str, Any] = {},  # noqa: B006
        mask: FileData | None = None,
        format: str = "png",
    ) -> tuple[FileData, dict[str, Any]]:
        """Repaint a photo.

        Give artworks as styles, names as gallery_styles; options by name, as max_size. Returns
        the picture and its settings.
        """
        limits = studio.limits
        try:
            must_be_known("format", format, FORMATS)
            photo = read_upload(_path(content), limits)
            chosen: list[Picture | str] = [
                read_upload(_path(style), limits, "artwork") for style in styles
            ]
            where = None if mask is None else read_upload(_path(mask), limits, "mask")
            task = Task(
                photo,
                [*chosen, *gallery_styles],
                method,
                style_weights or None,
                preset,
                options,
                where,
            ).checked(limits)
            return _painted(studio, task, format)
        except ImpastoError as error:
            raise gr.Error(str(error), print_exception=False) from error

    def styles() -> dict[str, Any]:
        """Name what can be chosen: the gallery's styles, example artworks, methods, options."""
        return {
            "gallery_styles": list(gallery().styles),
            "artworks": list(artworks()),
            "methods": {method: list(names) for method, names in OFFERED.items()},
            "limits": vars(studio.limits),
        }

    api(
        stylize,
        api_name="stylize",
        concurrency_id=QUEUE,
        concurrency_limit=len(studio.jobs.devices),
    )
    api(styles, api_name="styles", queue=False)


def _path(file: Any) -> str:
    """The path of an uploaded file, which Gradio has checked to lie in its own folder."""
    return str(file["path"] if isinstance(file, dict) else file.path)


def _painted(studio: Studio, task: Task, format: str) -> tuple[Any, dict[str, Any]]:
    def work(job: Job[Result], device: str) -> Result:
        return task.paint(device, [job.on_step])

    ticket = Ticket(secrets.token_hex(8), "api")
    studio.jobs.expect(ticket)
    with studio.jobs.run(ticket, f"{task.describe()} (API)", work) as job:
        assert job is not None  # nobody knows its ticket
        result = job.result()
    folder = studio.folder / "results"
    folder.mkdir(exist_ok=True)
    _sweep(folder)
    path = folder / f"{secrets.token_hex(16)}.{format}"
    result.save(path)
    return FileData(path=str(path), orig_name=path.name), dict(result.settings)


def _sweep(folder: Path) -> None:
    """Remove results that their clients have long fetched."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another job was quicker
            if time.time() - path.stat().st_mtime > KEEP_SECONDS:
                path.unlink()
