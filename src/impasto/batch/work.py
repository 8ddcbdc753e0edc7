"""Making one picture of a batch, the same in this process and in a worker elsewhere."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import PurePosixPath
from typing import Any

from impasto.batch import storage
from impasto.batch.items import Item
from impasto.batch.manifest import Line
from impasto.errors import ImpastoError
from impasto.image import save_image
from impasto.result import Result
from impasto.stylizers.base import Stylizer


@dataclass(frozen=True)
class Setup:
    """How the pictures of a batch are made, small enough to be sent to a worker.

    Attributes:
        load: Loads the stylizer; called once in each process.
        settings: All that decides how the results look: items that were made with others are
            made again.
        by_name: Whether styles are names that the stylizer knows, and not files.
        quality: Of JPEG and WebP, 1 to 100.
    """

    load: Callable[[], Stylizer[Any]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    by_name: bool = False
    quality: int = 95

    def key(self, item: Item) -> str:
        """A key that changes when the item would give another picture.

        Raises:
            InputError: If the content or style image is not there.
        """
        files = [item.content] if self.by_name else [item.content, item.style]
        what = [item.content, item.style, *map(storage.stamp, files)]
        text = json.dumps([*what, self.settings, self.quality], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Worker:
    """Makes one picture after the other; the model is loaded once, a style when it changes.

    Not several of a size at once: a network on a CPU would gain 13 to 23 % by that, only where
    photos have one size, and one odd picture would take its neighbours with it.

    Args:
        setup: How.

    Raises:
        InputError: If the stylizer cannot be loaded.
    """

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.stylizer = setup.load()
        self._style: str | None = None

    def make(self, item: Item) -> Line:
        """Make one picture, write it, and say how it went; a failure is part of the record.

        Raises:
            KeyboardInterrupt: Also where the stylizer caught it and gave the best so far: a
                picture that is not finished does not count as done.
        """
        began = time.perf_counter()
        outcome: Line = {}
        try:
            outcome = self._make(item)
        except ImpastoError as error:
            outcome.update(status="failed", error=str(error))
        except Exception as error:  # one odd file must not end ten thousand good ones
            outcome.update(status="failed", error=f"{type(error).__name__}: {error}")
        return {
            **dataclasses.asdict(item),
            **outcome,
            "seconds": round(time.perf_counter() - began, 3),
            "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        }

    def _make(self, item: Item) -> Line:
        key = self.setup.key(item)
        content = storage.load_picture(item.content)
        self._set_style(item.style)
        result = self.stylizer(content)
        if result.stopped == "interrupted":
            raise KeyboardInterrupt
        if result.stopped:
            raise ImpastoError(result.stopped)
        storage.write(item.output, _encoded(result, item.output, self.setup.quality))
        told = {"notices": list(content.notices)} if content.notices else {}
        return {"status": "done", "key": key, "settings": dict(result.settings), **told}

    def _set_style(self, style: str) -> None:
        if style != self._style:
            self._style = None
            self.stylizer.set_style(style if self.setup.by_name else storage.load_style(style))
            self._style = style


def _encoded(result: Result, output: str, quality: int) -> bytes:
    stream = io.BytesIO()
    suffix = PurePosixPath(output).suffix.removeprefix(".")
    save_image(result.picture, stream, settings=result.settings, quality=quality, format=suffix)
    return stream.getvalue()
