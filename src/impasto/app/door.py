"""The door of the app: what comes from outside is looked at before anything is done with it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import gradio as gr
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from impasto.app.studio import Studio
from impasto.errors import ImpastoError, InputError

logger = logging.getLogger(__name__)

# What Gradio offers and this app does not need: fetching from other servers, functions of its
# components, recordings of the page.
CLOSED = re.compile(r"/(proxy=|file=https?:|component_server|process_recording|vibe-)", re.I)
# The page of settings of Gradio's, which opens on this whatever the footer offers.
SETTINGS = ("view", "settings")
# Whoever listens for the answer to a job, and whose session it is.
LISTENING = re.compile(r"/(?:queue/data|call/(?:v2/)?[^/]+/(?P<event>[^/]+))$")
UPLOAD = re.compile(r"/upload/?$")
# Fields and names; pictures come as uploads, whose size has a limit of its own.
MOST_BYTES = 1_000_000
MOST_CHARACTERS = 300
FAILED = "the app could not do this: try it in another way"


class GuardedBlocks(gr.Blocks):
    """Blocks that refuse in one line what no event of the page can use, and log no traceback.

    Args:
        studio: Where uploads arrive.
        **settings: Those of Gradio's blocks.
    """

    def __init__(self, studio: Studio, **settings: Any) -> None:
        super().__init__(**settings)
        self.studio = studio

    async def process_api(self, *args: Any, **kwargs: Any) -> Any:
        """Do what an event or endpoint asks for.

        Raises:
            gradio.Error: With one line, whatever went wrong.
        """
        try:
            self._check(kwargs["inputs"])
            return await super().process_api(*args, **kwargs)
        except (ImpastoError, gr.Error) as error:
            line = _line(error.message if isinstance(error, gr.Error) else error)
        except Exception as error:
            logger.warning("a request failed: %s", _line(f"{type(error).__name__}: {error}"))
            logger.debug("the whole story:", exc_info=True)
            line = FAILED
        raise gr.Error(line, title="That did not work", print_exception=False)

    def _check(self, value: Any) -> None:
        """Refuse files that were not uploaded here; Gradio would fetch addresses."""
        if isinstance(value, dict):
            if "path" in value and not self.studio.inbox.holds(value["path"]):
                raise InputError("only files that were uploaded here can be used: upload it")
            value = list(value.values())
        if isinstance(value, list):
            for item in value:
                self._check(item)


class Door:
    """The guard before Gradio: refuses closed or overlong requests, and notices who has gone.

    Args:
        app: Gradio's.
        gone: Told of each session that no longer listens while it waits for an answer.
    """

    def __init__(self, app: ASGIApp, gone: Callable[[str], None]) -> None:
        self._app, self._gone = app, gone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif CLOSED.search(scope["path"]):
            await _refused(404, "this app does not offer that")(scope, receive, send)
        elif SETTINGS in (asked := parse_qsl(scope["query_string"].decode("latin-1"))):
            rest = urlencode([pair for pair in asked if pair != SETTINGS])
            await RedirectResponse(f"./?{rest}" if rest else "./")(scope, receive, send)
        elif not _short(scope):
            await _refused(413, "this request is too long")(scope, receive, send)
        else:
            await self._pass(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = finished = left = False

        async def sending(message: Message) -> None:
            nonlocal begun, finished
            begun = True
            finished = message["type"].endswith(".body") and not message.get("more_body")
            await send(message)

        async def receiving() -> Message:
            nonlocal left
            message = await receive()
            left = left or (message["type"] == "http.disconnect" and not finished)
            return message

        try:
            await self._app(scope, receiving, sending)
        except Exception as error:
            problem = _line(f"{type(error).__name__}: {error}")
            logger.warning("cannot use a request of %s: %s", _line(scope["path"]), problem)
            if not begun:
                await _refused(400, "this request cannot be used")(scope, receive, send)
        finally:
            if (left or not finished) and (session := _listener(scope)):
                self._gone(session)


def _short(scope: Scope) -> bool:
    """Whether the body of a request is as short as it has to be, and says so before it is read."""
    if scope["method"] != "POST" or UPLOAD.search(scope["path"]):
        return True
    length = Headers(scope=scope).get("content-length", "")
    return length.isdecimal() and int(length) <= MOST_BYTES


def _listener(scope: Scope) -> str | None:
    """The session that listens for an answer by this request; None for other requests."""
    match = LISTENING.search(scope["path"])
    if not match or scope["method"] != "GET":
        return None
    query = parse_qs(scope["query_string"].decode("latin-1"))
    return match["event"] or query.get("session_hash", [None])[0]


def _refused(status: int, line: str) -> JSONResponse:
    return JSONResponse({"detail": line}, status)


def _line(text: object) -> str:
    """A text from outside or from Gradio as one short line."""
    return " ".join(str(text).split())[:MOST_CHARACTERS]
