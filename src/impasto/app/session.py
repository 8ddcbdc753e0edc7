"""A visitor's results so far: pictures in files, with their settings."""

from __future__ import annotations

import logging
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from impasto.app.library import title
from impasto.callbacks import History
from impasto.errors import ImpastoError
from impasto.explain.plots import plot_losses
from impasto.image import Picture, save_image
from impasto.result import Result

logger = logging.getLogger(__name__)

KEPT = 24
# The page shows larger results at this size, and goes on from it.
SHOWN = 2048


@dataclass(frozen=True)
class Entry:
    """One result of a session.

    Attributes:
        title: What it is, in a few words.
        before: The photo at the size of what is shown, a file; None beside a contact sheet.
        shown: The result as the page shows it: the PNG, or a smaller file of a large one.
        png: The result as PNG, with its settings in the metadata.
        jpeg: The result as JPEG, a path.
        losses: The plot of the losses; None for methods that have none.
        settings: All that is needed to make it again.
        size: (height, width) in pixels.
        fields: What the fields of the page held, by field.
    """

    title: str
    before: str | None
    shown: str
    png: str
    jpeg: str
    losses: str | None
    settings: dict[str, object]
    size: tuple[int, int]
    fields: Mapping[Any, Any]

    @property
    def files(self) -> list[str]:
        """All its files."""
        every = self.before, self.shown, self.png, self.jpeg, self.losses
        return [name for name in every if name]


@dataclass
class Session:
    """The results of one visitor, the latest first, and their folder, which goes with them.

    Attributes:
        entries: The results.
        shown: The one in the viewer.
        count: How many there have been.
        folder: Where they are, once there is one.
    """

    entries: list[Entry] = field(default_factory=list)
    shown: Entry | None = None
    count: int = 0
    folder: Path | None = None

    def add(
        self,
        result: Result,
        photo: Picture,
        root: Path,
        fields: Mapping[Any, Any],
        label: str = "",
    ) -> Entry:
        """Keep a result; the oldest one goes where there are many.

        Args:
            result: What was painted.
            photo: Of what.
            root: Where the folder of the session is made, if there is none yet.
            fields: What the fields of the page held.
            label: What it is, in place of its styles.

        Raises:
            ImpastoError: If the files cannot be written.
        """
        if self.folder is None:
            self.folder = Path(tempfile.mkdtemp(prefix="session-", dir=root))
        self.count += 1
        entry = _written(result, photo, self.folder, self.count, fields, label)
        self.entries.insert(0, entry)
        self.shown = entry
        for old in self.entries[KEPT:]:
            for name in old.files:
                Path(name).unlink(missing_ok=True)
        del self.entries[KEPT:]
        return entry

    def close(self) -> None:
        """Remove the folder."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def _written(
    result: Result,
    photo: Picture,
    folder: Path,
    number: int,
    fields: Mapping[Any, Any],
    label: str,
) -> Entry:
    styles = result.settings["styles"]
    names = [Path(str(name)).stem for name in styles] if isinstance(styles, list) else []
    stem = _file_stem("_".join([Path(photo.name).stem, *names, str(number)]))
    png, jpeg = (str(folder / f"{stem}{suffix}") for suffix in (".png", ".jpg"))
    result.save(png)
    result.save(jpeg)
    shown, small = png, result.picture.fitted(SHOWN)
    if small.size != result.picture.size:
        shown = str(folder / f"{stem}.shown.webp")
        save_image(small, shown)
    before = None
    if "variations" not in result.settings:
        before = str(folder / f"{stem}.before.webp")
        save_image(photo.resized(*small.size), before, quality=85)
    losses = _plotted(result, folder / f"{stem}.losses.png")
    made = f"{number}: {label or ' + '.join(title(name) for name in names)}"
    files = before, shown, png, jpeg, losses
    return Entry(made, *files, dict(result.settings), result.picture.size, fields)


def _plotted(result: Result, path: Path) -> str | None:
    """Plot the losses, where the method has any that can be drawn."""
    history = History()
    history.records = list(result.losses)
    try:
        plot_losses(history, path)
    except ImpastoError as error:
        logger.debug("no plot of the losses: %s", error)
        return None
    return str(path)


def _file_stem(name: str) -> str:
    """A name that any file system takes."""
    return re.sub(r"[^\w.-]+", "-", name)[:80].strip("-.") or "result"
