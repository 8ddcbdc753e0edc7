"""The line that tells how a job is getting on, as HTML."""

from __future__ import annotations

from html import escape

from impasto.app.jobs import Progress
from impasto.app.limits import clock


def waiting() -> str:
    """Before a job has its turn, or has shown anything."""
    return _line("Waiting for its turn …", bar='<div class="bar"><i class="unknown"></i></div>')


def running(progress: Progress, what: str = "") -> str:
    """While a job goes on."""
    percent = round(100 * progress.share)
    bar = (
        f'<div class="bar" role="progressbar" aria-label="Progress" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{percent}"><i style="width: {percent}%"></i></div>'
    )
    left = f"about {clock(progress.seconds_left)} left" if progress.step > 2 else "just begun"
    step = f"step {progress.step} of {progress.of}"
    return _line(" · ".join(filter(None, [what, step, left])), bar)


def message(text: str, kind: str = "") -> str:
    """How a job ended.

    Args:
        text: Shown as it is.
        kind: "error", or nothing.
    """
    return _line(text, kind=kind)


def _line(text: str, bar: str = "", kind: str = "") -> str:
    return f'<div class="job {kind}" role="status">{bar}<span>{escape(text)}</span></div>'
