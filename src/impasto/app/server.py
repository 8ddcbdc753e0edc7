"""The app as a whole: pages, limits, server, temporary folder."""

from __future__ import annotations

import hmac
import logging
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from impasto.app.limits import Limits
from impasto.errors import InputError, needs

if TYPE_CHECKING:
    import gradio as gr

    from impasto.app.door import GuardedBlocks

logger = logging.getLogger(__name__)

# Visitors whose state is kept, the latest; Gradio holds 0.4 MB for each, even for a single picture
# through the API.
SESSIONS = 200
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def serve(
    host: str = "127.0.0.1",
    port: int = 7860,
    *,
    password: str | None = None,
    limits: Limits | None = None,
    open_browser: bool = False,
) -> None:
    """Serve the app until Ctrl-C, or until the process is asked to end.

    Args:
        host: The address to listen on; others than the loopback let other machines in.
        port: The port to listen on.
        password: Asked for before anything is shown, if given.
        limits: How much a visitor may ask for.
        open_browser: Whether to open the page here.

    Raises:
        MissingExtraError: If Gradio is not installed.
        InputError: If the address or port cannot be used.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up then, too
    with running(host, port, password=password, limits=limits, open_browser=open_browser) as app:
        logger.info("the app is at %s (Ctrl-C ends it)", app.local_url)
        with suppress(KeyboardInterrupt):
            # Not one long wait: another thread may take the signal, and it would not end.
            while True:
                time.sleep(0.2)
    logger.info("the app has ended")


@contextmanager
def running(
    host: str = "127.0.0.1",
    port: int = 7860,
    *,
    password: str | None = None,
    limits: Limits | None = None,
    open_browser: bool = False,
) -> Iterator[gr.Blocks]:
    """Run the app while the block lasts; arguments and errors are those of ``serve``."""
    limits = limits or Limits()
    if host not in LOOPBACK and not password:
        logger.warning("%s lets other machines in: think of --password", host)
    with tempfile.TemporaryDirectory(prefix="impasto-app-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        _prepare(folder)
        from impasto.app.site import build

        app = build(folder, limits)
        try:
            _launch(app, host, port, password, limits, open_browser)
            yield app
        finally:
            app.close(verbose=False)
            app.studio.jobs.close()


def _prepare(folder: Path) -> None:
    """Set what Gradio reads when it is imported: no telemetry, our own folder."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    with needs("gradio", "app", "the web app"):
        import gradio  # noqa: F401


def _launch(
    app: GuardedBlocks,
    host: str,
    port: int,
    password: str | None,
    limits: Limits,
    open_browser: bool,
) -> None:
    from starlette.middleware import Middleware

    from impasto.app.door import Door
    from impasto.app.script import SCRIPT
    from impasto.app.theme import CSS, HEAD, theme

    door = Middleware(Door, gone=app.studio.jobs.leave)
    try:
        app.launch(
            server_name=host,
            server_port=port,
            auth=_checker(password) if password else None,
            auth_message="Any name will do; the password is the one the app was started with.",
            max_file_size=limits.max_megabytes * 1_000_000,
            theme=theme(),
            css=CSS,
            head=HEAD + SCRIPT,
            state_session_capacity=SESSIONS,
            footer_links=["api"],
            inbrowser=open_browser,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            ssr_mode=False,
            run_history=False,
            enable_monitoring=False,
            mcp_server=False,
            pwa=False,
            show_error=True,
            app_kwargs={"middleware": [door]},
        )
    except OSError as error:
        raise InputError(f"cannot listen on {host}, port {port}: {error}") from error


def _checker(password: str) -> Callable[[str, str], bool]:
    def check(_name: str, given: str) -> bool:
        return hmac.compare_digest(given.encode(), password.encode())

    return check
