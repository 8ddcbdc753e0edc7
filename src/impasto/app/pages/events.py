"""How the pages' events are wired."""

from __future__ import annotations

from typing import Any

# For what only changes the page: at once, without a spinner, and not for programs to call.
HIDDEN: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
