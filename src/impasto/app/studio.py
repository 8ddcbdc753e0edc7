"""The state that all pages of the app share: limits, jobs, the temporary folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from impasto.app.estimates import Estimates
from impasto.app.jobs import Jobs
from impasto.app.limits import Limits
from impasto.app.uploads import Inbox

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


def devices() -> list[str]:
    """The devices that jobs run on: all accelerators, or else the CPU."""
    from impasto.devices import available

    found = available()
    return [name for name in found if name != "cpu"] or ["cpu"]
