"""The progress bars of the command line: of things that are counted, of runs, of downloads."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm

    from impasto.backbones.base import Backbone
    from impasto.backbones.fetch import Progress
    from impasto.callbacks import ProgressBar

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


class RunBars(ExitStack):
    """A progress bar for each run, none where all has to be quiet."""

    def __init__(self, quiet: bool) -> None:
        super().__init__()
        self.quiet = quiet

    def __call__(self, label: str = "") -> list[ProgressBar]:
        """The callbacks of the next run, whose label is logged."""
        from impasto.callbacks import ProgressBar

        if label:
            logger.info("%s", label)
        return [] if self.quiet else [self.enter_context(ProgressBar())]


@contextmanager
def download_bar(name: str) -> Iterator[Progress]:
    """A progress bar for a download: it appears with the first bytes, on a terminal only."""
    bar: tqdm[NoReturn] | None = None

    def show(done: int, total: int) -> None:
        nonlocal bar
        if bar is None:
            from tqdm import tqdm

            bar = tqdm(
                desc=name, total=total, initial=done, unit="B", unit_scale=True, disable=None
            )
        bar.update(done - bar.n)

    try:
        yield show
    finally:
        if bar is not None:
            bar.close()


def backbone_with_bar(name: str, **options: Any) -> Backbone:
    """Load a backbone, as ``load_backbone`` does, with a bar for a download."""
    from impasto.backbones import load_backbone

    with download_bar(name) as progress:
        return load_backbone(name, progress=progress, **options)
