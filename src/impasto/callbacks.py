"""Callbacks that watch a run: progress, history, intermediates, previews, TensorBoard.

Each is called with a :class:`~impasto.events.Step` after every step and watches one run; make
new ones for the next. They ask for losses and pictures as seldom as they can, since both make a
GPU wait. Put a callback that stops the run before these, so that they see it stopped.
"""

from __future__ import annotations

import csv
import json
import logging
import math
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from impasto.errors import ImpastoError, InputError, needs
from impasto.events import Step
from impasto.files import atomic

if TYPE_CHECKING:
    from tqdm import tqdm

    from impasto.image import Picture

logger = logging.getLogger(__name__)


def _ends(step: Step) -> bool:
    return step.last or step.stopped


def _at_least(least: float, **values: float) -> None:
    for name, value in values.items():
        if not value >= least:
            raise InputError(f"{name} must be at least {least:g}, not {value}")


def _clock(seconds: float) -> str:
    """Write a time as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class ProgressBar(AbstractContextManager["ProgressBar"]):
    """A progress bar on a terminal; elsewhere one log line for each scale.

    The bar shows the share of the work that is done, not of the steps: steps at fine scales cost
    more. It is redrawn at most twice a second, which also bounds how often losses are read. Used
    as a context manager it leaves the terminal tidy after an exception or Ctrl-C.

    Args:
        stream: Where to draw; standard error if left out.
    """

    REFRESH_SECONDS = 0.5
    WIDE = 110

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self._on_terminal = self.stream is not None and self.stream.isatty()
        self._bar: tqdm[NoReturn] | None = None
        self._scale = -1
        self._drawn = -math.inf

    def __call__(self, step: Step) -> None:
        """Show the step, or log the scale if it is a new one."""
        new_scale = step.scale != self._scale
        self._scale = step.scale
        if not self._on_terminal:
            if new_scale:
                logger.info("%s, %s", _position(step), _times(step))
            return
        if new_scale or _ends(step) or step.seconds - self._drawn >= self.REFRESH_SECONDS:
            self._drawn = step.seconds
            self._draw(step)
        if _ends(step):
            self.close()

    def __exit__(self, *_exception: object) -> None:
        """Close the bar."""
        self.close()

    def close(self) -> None:
        """Leave the bar as it is and end its line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _draw(self, step: Step) -> None:
        if self._bar is None:
            self._bar = self._open()
        losses = step.losses()
        columns = self._bar.format_dict["ncols"]
        if columns is not None and columns < self.WIDE:
            losses = {name: value for name, value in losses.items() if name == "total"}
        terms = "".join(f", {name} {value:.3g}" for name, value in losses.items())
        self._bar.n = step.progress
        self._bar.bar_format = (
            f"{_position(step)} {{percentage:3.0f}}%|{{bar}}| {_times(step)}{terms}"
        )
        self._bar.refresh()

    def _open(self) -> tqdm[NoReturn]:
        from tqdm import tqdm

        return tqdm(
            total=1.0,
            file=self.stream,
            dynamic_ncols=True,
            bar_format="{percentage:3.0f}%|{bar}|",
        )


def _position(step: Step) -> str:
    height, width = step.size
    return f"step {step.step}/{step.of}, scale {step.scale + 1}/{step.scales}, {width}x{height}"


def _times(step: Step) -> str:
    return f"{_clock(step.seconds)}, {_clock(step.seconds_left)} left"


class SaveEvery:
    """Saves the picture at every n-th step: ``out.png`` gives ``out_0050.png`` and so on.

    Args:
        every: Steps from one saved picture to the next.
        path: The name from which the names are made; its suffix gives the format.
        settings: What to write into the pictures' metadata.

    Raises:
        InputError: If ``every`` is less than 1 or such a file cannot be written.
    """

    def __init__(
        self, every: int, path: str | Path, settings: Mapping[str, object] | None = None
    ) -> None:
        from impasto.image import check_writable

        _at_least(1, every=every)
        check_writable(path)
        self.every = every
        self.path = Path(path)
        self.settings = settings

    def __call__(self, step: Step) -> None:
        """Save the picture if it is due."""
        if step.step % self.every == 0:
            from impasto.image import save_image

            digits = max(4, len(str(step.of)))
            name = f"{self.path.stem}_{step.step:0{digits}d}{self.path.suffix}"
            save_image(step.picture(), self.path.with_name(name), settings=self.settings)


@dataclass(frozen=True)
class Record:
    """One line of a history.

    Attributes:
        step: Steps done so far, from 1.
        scale: Index of the scale, from 0 (coarsest).
        size: (height, width) of the image at this scale, in pixels.
        seconds: Time since the run began.
        losses: The weighted loss terms, with their sum as "total".
    """

    step: int
    scale: int
    size: tuple[int, int]
    seconds: float
    losses: dict[str, float]


class History:
    """Records the losses of a run.

    Reading losses at every step would stall a GPU, so about ``points`` steps are read, evenly
    spread, and always the first of each scale and the last of the run; of a shorter run, all.

    Args:
        points: About how many steps to record.

    Attributes:
        records: What was recorded, in order.

    Raises:
        InputError: If ``points`` is less than 1.
    """

    def __init__(self, points: int = 200) -> None:
        _at_least(1, points=points)
        self.points = points
        self.records: list[Record] = []

    def __call__(self, step: Step) -> None:
        """Record the step if it is due."""
        new_scale = not self.records or self.records[-1].scale != step.scale
        mark = step.step * self.points // step.of
        passes_mark = mark > (step.step - 1) * self.points // step.of
        if new_scale or passes_mark or _ends(step):
            self.records.append(
                Record(step.step, step.scale, step.size, step.seconds, dict(step.losses()))
            )

    @property
    def terms(self) -> list[str]:
        """Names of all loss terms that occur, "total" last."""
        names = dict.fromkeys(name for record in self.records for name in record.losses)
        return sorted(names, key=lambda name: name == "total")

    def write(self, path: str | Path) -> None:
        """Write the records as a table.

        The columns are step, scale, height, width, seconds and the loss terms. A term that a
        step lacks, or that is not finite, is left empty in CSV and is null in JSON.

        Args:
            path: A file ending in .csv or .json, written whole or not at all.

        Raises:
            InputError: If the suffix is another one.
        """
        writers = {".csv": self._write_csv, ".json": self._write_json}
        path = Path(path)
        if path.suffix.lower() not in writers:
            raise InputError(f"cannot write a history to {path.name}: use .csv or .json")
        with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writers[path.suffix.lower()](file)

    def _write_csv(self, file: TextIO) -> None:
        columns = ["step", "scale", "height", "width", "seconds", *self.terms]
        table = csv.DictWriter(file, columns)
        table.writeheader()
        table.writerows(self._rows())

    def _write_json(self, file: TextIO) -> None:
        json.dump(self._rows(), file, indent=1, allow_nan=False)
        file.write("\n")

    def _rows(self) -> list[dict[str, float | None]]:
        return [
            {
                "step": record.step,
                "scale": record.scale,
                "height": record.size[0],
                "width": record.size[1],
                "seconds": round(record.seconds, 3),
                **{term: _finite(record.losses.get(term, math.nan)) for term in self.terms},
            }
            for record in self.records
        ]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


class Frames:
    """Collects pictures over a run, for a strip or an animation.

    Frame i of n is taken once the progress reaches (i / (n - 1)) squared, so that they lie closer
    together in the beginning, where the picture changes most; the first and the last step are
    always among them. No more than ``count`` pictures are held, none larger than ``long_side``.

    Args:
        count: How many pictures to take at most.
        long_side: Length to which the longer side of larger pictures is reduced, in pixels.

    Attributes:
        steps: The step of each picture.

    Raises:
        InputError: If ``count`` is less than 2 or ``long_side`` less than 1.
    """

    def __init__(self, count: int = 24, long_side: int = 512) -> None:
        _at_least(2, count=count)
        _at_least(1, long_side=long_side)
        self.long_side = long_side
        self.steps: list[int] = []
        self._pictures: list[Picture] = []
        self._marks = [(i / (count - 1)) ** 2 for i in range(count - 1)]

    def __call__(self, step: Step) -> None:
        """Take the picture if the run has come to the next mark."""
        passed = sum(mark <= step.progress for mark in self._marks)
        if passed or _ends(step):
            self._marks = self._marks[passed:]
            self.steps.append(step.step)
            self._pictures.append(step.picture().fitted(self.long_side))

    def pictures(self) -> list[Picture]:
        """Return the pictures in order, all at the size of the last one."""
        if not self._pictures:
            return []
        size = self._pictures[-1].size
        return [
            picture if picture.size == size else picture.resized(*size)
            for picture in self._pictures
        ]


class TensorBoard(AbstractContextManager["TensorBoard"]):
    """Writes losses, pictures and settings to a TensorBoard log folder.

    Args:
        folder: The folder of the run's event file; made if it does not exist.
        every: Steps from one reading of the losses to the next.
        image_every: Steps from one picture to the next; pictures are reduced to 1024 pixels.
        settings: Names and values that are shown as a table.

    Raises:
        MissingExtraError: If the package tensorboard is not installed.
        InputError: If ``every`` or ``image_every`` is less than 1 or the folder cannot be written.
    """

    LONG_SIDE = 1024

    def __init__(
        self,
        folder: str | Path,
        every: int = 10,
        image_every: int = 50,
        settings: Mapping[str, object] | None = None,
    ) -> None:
        _at_least(1, every=every, image_every=image_every)
        with needs("tensorboard", "tensorboard", "TensorBoard logging"):
            from torch.utils.tensorboard import SummaryWriter
        self.every = every
        self.image_every = image_every
        try:
            self._writer = SummaryWriter(str(folder))
        except OSError as error:
            raise InputError(f"cannot write TensorBoard logs to {folder}: {error}") from error
        if settings:
            self._writer.add_text("settings", _markdown_table(settings))

    def __call__(self, step: Step) -> None:
        """Write the losses and the picture if they are due."""
        first_or_last = step.step == 1 or _ends(step)
        if first_or_last or step.step % self.every == 0:
            for name, value in step.losses().items():
                self._writer.add_scalar(f"loss/{name}", value, step.step)
            self._writer.add_scalar("scale", step.scale, step.step)
        if first_or_last or step.step % self.image_every == 0:
            picture = step.picture().fitted(self.LONG_SIDE)
            self._writer.add_image("picture", picture.rgb, step.step, dataformats="HWC")
        if _ends(step):
            self.close()

    def __exit__(self, *_exception: object) -> None:
        """Close the log."""
        self.close()

    def close(self) -> None:
        """Write what is pending and close the log."""
        self._writer.close()


def _markdown_table(settings: Mapping[str, object]) -> str:
    def cell(value: object) -> str:
        return " ".join(str(value).replace("|", "\\|").split())

    rows = [f"|{cell(name)}|{cell(value)}|" for name, value in settings.items()]
    return "\n".join(["|setting|value|", "|---|---|", *rows])


class Preview:
    """Keeps one file up to date with the current picture, to be watched in an image viewer.

    The file is always a whole picture. If it cannot be written the first time, the error is raised;
    later (a viewer that locks it, a full disk) a warning is logged and the run continues.

    Args:
        path: The file that is written again and again.
        every_seconds: Time from the end of one writing to the beginning of the next.

    Raises:
        InputError: If ``every_seconds`` is negative.
    """

    def __init__(self, path: str | Path, every_seconds: float = 5.0) -> None:
        _at_least(0, every_seconds=every_seconds)
        self.path = Path(path)
        self.every_seconds = every_seconds
        self._due = -math.inf

    def __call__(self, step: Step) -> None:
        """Write the picture if it is time or the run ends."""
        if step.seconds < self._due and not _ends(step):
            return
        from impasto.image import save_image

        began = time.perf_counter()
        picture = step.picture()
        try:
            save_image(picture, self.path)
        except ImpastoError as error:
            if self._due == -math.inf:
                raise
            logger.warning("the preview was not updated: %s", error)
        self._due = step.seconds + time.perf_counter() - began + self.every_seconds
