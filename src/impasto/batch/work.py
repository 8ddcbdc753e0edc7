"""Making one picture of a batch, the same in this process and in a worker elsewhere."""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import PurePosixPath
from typing import Any

from impasto.batch import storage
from impasto.batch.items import Item
from impasto.batch.manifest import Record
from impasto.errors import ImpastoError
from impasto.image import Picture, load_image, save_image
from impasto.result import Result

# Takes a content image and the style of an item.
Stylizer = Callable[[Picture, str], Result]


@dataclass(frozen=True)
class Recipe:
    """How the pictures of a batch are made, small enough to be sent to a worker.

    Attributes:
        make: Makes the stylizer; called once in each process.
        settings: All that decides how the results look: items that were made with others are
            made again.
        quality: Of JPEG and WebP, 1 to 100.
    """

    make: Callable[[], Stylizer]
    settings: Mapping[str, Any] = field(default_factory=dict)
    quality: int = 95

    def key(self, item: Item) -> str:
        """What changes when the item would give another picture.

        Raises:
            InputError: If the content image is not there.
        """
        what = [item.content, storage.stamp(item.content), item.style]
        text = json.dumps([*what, self.settings, self.quality], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def make(item: Item, stylizer: Stylizer, recipe: Recipe) -> Record:
    """Make one picture, write it, and say how it went; a failure is part of the record.

    Raises:
        KeyboardInterrupt: Also where the stylizer caught it and gave the best so far: a picture
            that is not finished does not count as done.
    """
    began = time.perf_counter()
    outcome: Record = {}
    try:
        outcome["key"] = recipe.key(item)
        content = load_image(storage.read(item.content))
        result = stylizer(_named(content, item.content), item.style)
        if result.stopped == "interrupted":
            raise KeyboardInterrupt
        storage.write(item.output, _encoded(result, item.output, recipe.quality))
        outcome.update(status="done", settings=dict(result.settings))
        if result.stopped:
            outcome["notice"] = result.stopped
    except ImpastoError as error:
        outcome.update(status="failed", error=str(error))
    except Exception as error:  # one odd file must not end ten thousand good ones
        outcome.update(status="failed", error=f"{type(error).__name__}: {error}")
    return {
        "content": item.content,
        "style": item.style,
        "output": item.output,
        **outcome,
        "seconds": round(time.perf_counter() - began, 3),
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _named(picture: Picture, path: str) -> Picture:
    return replace(picture, name=path)


def _encoded(result: Result, output: str, quality: int) -> bytes:
    stream = io.BytesIO()
    suffix = PurePosixPath(output).suffix.removeprefix(".")
    save_image(result.picture, stream, settings=result.settings, quality=quality, format=suffix)
    return stream.getvalue()
