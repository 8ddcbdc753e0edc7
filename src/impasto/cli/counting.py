"""A progress bar over things that are counted: frames of a video, pictures of a batch."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, ExitStack

logger = logging.getLogger(__name__)


class CountingBar(AbstractContextManager["CountingBar"]):
    """A bar with the time left on a terminal, log lines above it; elsewhere a line each tenth.

    Args:
        unit: What is counted.
        quiet: Show nothing.
    """

    def __init__(self, unit: str, *, quiet: bool) -> None:
        from tqdm import tqdm

        self.unit = unit
        self._bar = tqdm(unit=unit, disable=True if quiet else None, smoothing=0.05)
        self._tenth = 0
        self._stack = ExitStack()

    def __enter__(self) -> CountingBar:
        """Keep log lines apart from the bar."""
        from tqdm.contrib.logging import logging_redirect_tqdm

        self._stack.callback(self._bar.close)
        if not self._bar.disable:
            self._stack.enter_context(logging_redirect_tqdm([logging.getLogger()]))
        return self

    def __exit__(self, *_exception: object) -> None:
        """Leave the bar as it is and end its line."""
        self._stack.close()

    def __call__(self, done: int, of: int | None) -> None:
        """Show how many are done, of how many where that is known."""
        if self._bar.disable:
            self._log(done, of)
            return
        if self._bar.total != of:
            # What was done in earlier runs says nothing of the speed of this one.
            self._bar.reset(of)
            self._bar.initial = self._bar.n = done - 1
        self._bar.update(done - self._bar.n)

    def _log(self, done: int, of: int | None) -> None:
        tenth = 10 * done // of if of else 0
        if tenth > self._tenth:
            self._tenth = tenth
            logger.info("%s %d of %d", self.unit, done, of)
