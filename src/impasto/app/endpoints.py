"""The app from programs: endpoints for Gradio's client, in Python or JavaScript."""

from __future__ import annotations

import asyncio
import functools
import inspect
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import gradio as gr
from gradio.data_classes import FileData
from gradio.events import api
from pydantic import ConfigDict, ValidationError, validate_call

from impasto.app.jobs import Ticket
from impasto.app.library import artworks
from impasto.app.studio import QUEUE, Studio, painting
from impasto.app.tasks import OFFERED, PaintTask, Style
from impasto.app.uploads import Inbox
from impasto.errors import InputError
from impasto.image import check_writable
from impasto.result import Result
from impasto.stylizers.networks.gallery import gallery

Format = Literal["png", "jpg", "webp", "tiff"]
Answer = tuple[FileData, dict[str, Any]]
# Clients fetch a result at once.
KEEP_SECONDS = 300


def build(studio: Studio) -> None:
    """Add the endpoints ``/stylize`` and ``/styles``; to be called within the blocks."""
    api(
        _repainting(studio),
        api_name="stylize",
        concurrency_id=QUEUE,
        concurrency_limit=len(studio.jobs.devices),
    )
    api(_listing(studio), api_name="styles", queue=False)


def _repainting(studio: Studio) -> Callable[..., Awaitable[Answer]]:
    """The endpoint that repaints a photo."""

    @_typed
    async def stylize(
        content: FileData,
        styles: list[FileData] = [],  # noqa: B006 - the schema shows it, nobody changes it
        method: str = "arbitrary",
        gallery_styles: list[str] = [],  # noqa: B006
        style_weights: list[float] = [],  # noqa: B006
        preset: str = "default",
        options: dict[str, Any] = {},  # noqa: B006
        mask: FileData | None = None,
        format: Format = "png",
        strength_map: FileData | None = None,
        stroke_map: FileData | None = None,
        works: list[FileData] = [],  # noqa: B006
        print: str | None = None,
        dpi: int | None = None,
        variations: int = 0,
        stroke_direction: FileData | None = None,
        request: gr.Request = None,  # type: ignore[assignment] # Gradio fills it in
    ) -> Answer:
        """Repaint a photo.

        Give artworks as styles, those that count as one as works, names as gallery_styles;
        options by name, as max_size. Returns the picture and its settings.
        """

        def task() -> PaintTask:
            photo = studio.inbox.read(content.path)
            chosen = [*_artworks(studio.inbox, styles, works), *gallery_styles]
            maps = _maps(studio.inbox, mask, strength_map, stroke_map, stroke_direction)
            wanted = PaintTask(photo, chosen, method, style_weights or None, preset, options, *maps)
            return replace(wanted, print=print, dpi=dpi, variations=variations)

        # One session may ask for several at once.
        ticket = Ticket(str(request.session_hash), secrets.token_hex(8))
        studio.jobs.expect(ticket)
        try:
            return await asyncio.to_thread(_painted, studio, task, format, ticket)
        finally:
            studio.jobs.cancel(ticket)  # ends the work where its client has cancelled it

    return stylize


def _artworks(
    inbox: Inbox, styles: Sequence[FileData], works: Sequence[FileData]
) -> Iterator[Style]:
    """The artworks that were uploaded, and the body of work."""
    for style in styles:
        yield inbox.read(style.path, "artwork")
    if works:
        yield inbox.read_body([work.path for work in works])


def _maps(inbox: Inbox, *files: FileData | None) -> Any:
    """The masks and maps that were uploaded."""
    return [None if file is None else inbox.read(file.path, "mask") for file in files]


def _listing(studio: Studio) -> Callable[[], dict[str, Any]]:
    """The endpoint that names the choices."""

    def styles() -> dict[str, Any]:
        """Name what can be chosen: the gallery's styles, example artworks, methods, options."""
        return {
            "gallery_styles": list(gallery().styles),
            "artworks": list(artworks()),
            "methods": {method: list(names) for method, names in OFFERED.items()},
            "limits": vars(studio.limits),
        }

    return styles


def _typed(endpoint: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    """An endpoint that takes arguments of the types in its signature alone."""
    checked = validate_call(config=ConfigDict(arbitrary_types_allowed=True))(endpoint)
    names = list(inspect.signature(endpoint).parameters)

    @functools.wraps(endpoint)
    async def call(*arguments: Any) -> Answer:
        try:
            return await checked(*arguments)
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(f"{names[int(first['loc'][0])]}: {first['msg']}") from None

    return call


def _painted(studio: Studio, task: Callable[[], PaintTask], format: str, ticket: Ticket) -> Answer:
    wanted = task().checked(studio.limits)
    if wanted.print_job:
        check_writable(studio.folder / f"print.{format}", size=wanted.print_job.size)
    done: list[Result] = []
    with studio.jobs.run(ticket, f"{wanted.describe()} (API)", painting(wanted, done)) as job:
        if job is None:
            raise InputError("cancelled before its turn")
        job.result()
    result = wanted.whole(done)
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
