"""The state of a run, as its callbacks see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from impasto.image import Picture


@dataclass
class Step:
    """The state of a run after one step (one evaluation of loss and gradient).

    Losses and picture are functions because reading them makes a GPU wait: a callback asks
    only for what it uses, when it uses it.

    Attributes:
        step: Steps done so far in the whole run, from 1.
        of: Steps planned in the whole run.
        scale: Index of the current scale, from 0 (coarsest).
        scales: Number of scales.
        size: (height, width) of the image at this scale, in pixels.
        progress: Share of the run's estimated work that is done, in [0, 1]; steps at fine
            scales count for more than steps at coarse ones.
        seconds: Time since the run began.
        losses: Returns the weighted loss terms of this step, with their sum as "total".
        picture: Returns the picture as it would be saved now, at the current scale.
    """

    step: int
    of: int
    scale: int
    scales: int
    size: tuple[int, int]
    progress: float
    seconds: float
    losses: Callable[[], dict[str, float]]
    picture: Callable[[], Picture]
    stopped: bool = field(default=False, init=False)

    @property
    def seconds_left(self) -> float:
        """Estimate of the time that the rest of the run takes, in seconds."""
        return self.seconds * (1 - self.progress) / max(self.progress, 1e-9)

    @property
    def last(self) -> bool:
        """Whether this is the last step of the run."""
        return self.step >= self.of

    def stop(self) -> None:
        """Ask the run to end after this step and return the picture as it is."""
        self.stopped = True


Callback = Callable[[Step], None]
"""Called with a ``Step`` after every step of a run; its return value is ignored."""
