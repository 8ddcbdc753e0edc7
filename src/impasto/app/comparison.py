"""Photo and result in one place, with a handle between them, as HTML."""

from __future__ import annotations

from html import escape
from urllib.parse import quote


def comparison(before: str | None, after: str, size: tuple[int, int]) -> str:
    """The photo over the result, as far as the handle says; a slider of the browser moves it.

    Args:
        before: The file of the photo; None: the result alone.
        after: The file of the result.
        size: Their (height, width).
    """
    height, width = size
    result = (
        f'<div class="compare" style="--ratio: {width / height:.4f}">'
        f'<img src="{_address(after)}" alt="The painted picture">'
    )
    if before is None:
        return f"{result}</div>"
    return (
        f'{result}<img src="{_address(before)}" alt="" class="before">'
        '<input type="range" min="0" max="100" step="1" value="50" '
        'aria-label="How much of the photo is shown, in percent" '
        "oninput=\"this.parentNode.style.setProperty('--at', this.value + '%')\">"
        '<span class="line"><i>◂ ▸</i></span></div>'
    )


def _address(path: str) -> str:
    """Where the page finds a file; relative, so that the app may be below any address."""
    return escape("gradio_api/file=" + quote(path))
