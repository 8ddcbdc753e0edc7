"""Running a batch: skip what is finished, make the rest, keep count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from impasto.batch import storage
from impasto.batch.items import Item
from impasto.batch.manifest import Line, Manifest
from impasto.batch.work import Setup, Worker
from impasto.errors import ImpastoError

# Makes items and gives their records as they come, in any order.
Engine = Callable[[Sequence[Item], Setup], Iterable[Line]]
# Told of each record, how many of the items that were left are through, and how many were left.
Report = Callable[[Line, int, int], None]


@dataclass
class Summary:
    """How a batch went.

    Attributes:
        done: Pictures that were made now.
        failed: Pictures that could not be made; the manifest says why.
        skipped: Pictures that were there from an earlier run.
        interrupted: Whether Ctrl-C ended it.
    """

    done: int = 0
    failed: int = 0
    skipped: int = 0
    interrupted: bool = False

    def __add__(self, other: Summary) -> Summary:
        return Summary(
            self.done + other.done,
            self.failed + other.failed,
            self.skipped + other.skipped,
            self.interrupted or other.interrupted,
        )


def local(items: Sequence[Item], setup: Setup) -> Iterator[Line]:
    """Make items one after the other in this process."""
    worker = Worker(setup)
    for item in items:
        yield worker.make(item)


def run(
    items: Sequence[Item],
    setup: Setup,
    manifest: Manifest,
    *,
    engine: Engine = local,
    tell: Report | None = None,
) -> Summary:
    """Make all items that are not finished yet.

    Args:
        items: What to make.
        setup: How.
        manifest: Takes a record for each; says what earlier runs have finished.
        engine: Makes the items.
        tell: Called with each record, the number of items that are through, and of how many.

    Returns:
        How many were made, failed and skipped. Ctrl-C ends the batch, which can be resumed.

    Raises:
        InputError: If the stylizer cannot be made.
        ImpastoError: If the manifest cannot be written.
    """
    left = unfinished(items, setup, manifest)
    summary = Summary(skipped=len(items) - len(left))
    if not left:
        return summary
    try:
        for record in engine(left, setup):
            manifest.write(record)
            if record["status"] == "done":
                summary.done += 1
            else:
                summary.failed += 1
            if tell:
                tell(record, summary.done + summary.failed, len(left))
    except KeyboardInterrupt:
        summary.interrupted = True
    return summary


def unfinished(items: Sequence[Item], setup: Setup, manifest: Manifest) -> list[Item]:
    """The items that are not there yet, or were made of another picture or with other settings."""
    finished = manifest.finished()
    return [item for item in items if not _is_finished(item, setup, finished)]


def _is_finished(item: Item, setup: Setup, finished: dict[str, str]) -> bool:
    if item.output not in finished:
        return False
    try:
        return setup.key(item) == finished[item.output] and storage.exists(item.output)
    except ImpastoError:
        return False  # making it will tell what is wrong
