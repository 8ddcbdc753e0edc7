"""The state that all pages of the app share: limits, jobs, the temporary folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from impasto.app.estimates import Estimates
from impasto.app.jobs import Job, Jobs
from impasto.app.limits import Limits
from impasto.app.tasks import PaintTask
from impasto.app.uploads import Inbox
from impasto.result import Result

# Events with this id wait for one of the devices, whichever page they come from.
QUEUE = "device"


@dataclass(frozen=True)
class Studio:
    """The state that all pages of the app share.

    Attributes:
        limits: How much a visitor may ask for.
        jobs: What runs on the devices.
        folder: Where results are kept while their session lasts.
        estimates: How long jobs take.
    """

    limits: Limits
    jobs: Jobs
    folder: Path
    estimates: Estimates

    @property
    def inbox(self) -> Inbox:
        """The uploads: in the same folder, so that a result can be the next photo."""
        return Inbox(self.folder, self.limits)


def painting(task: PaintTask, done: list[Result]) -> Callable[[Job[None], str], None]:
    """The work that paints a task and adds what is done of it, until the job is to end."""

    def work(job: Job[None], device: str) -> None:
        for result in task.paint_all(device, [job.on_step]):
            done.append(result)
            if job.ending:
                return

    return work


def devices() -> list[str]:
    """The devices that jobs run on: all accelerators, or else the CPU."""
    from impasto.devices import available

    found = available()
    return [name for name in found if name != "cpu"] or ["cpu"]
