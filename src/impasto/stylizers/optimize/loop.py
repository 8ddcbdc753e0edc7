"""The loop: step after step, scale after scale, telling callbacks and guarding the result."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from impasto.devices import fewer_threads
from impasto.errors import ImpastoError
from impasto.events import Callback, Step
from impasto.stylizers.optimize.optimizers import Adam, Optimizer
from impasto.stylizers.optimize.stage import Stage

# Reading a loss makes a GPU wait for all that was queued, so it is read only this often.
CHECK_EVERY = 10


class Best:
    """Keeps the image with the lowest loss, never one whose loss is not finite.

    Everything stays on the device: no waiting for it.
    """

    def __init__(self, start: Tensor) -> None:
        self.value = start
        self.loss = torch.full((), float("inf"), device=start.device)

    def update(self, image: Tensor, loss: Tensor) -> None:
        """Take note of an image and its loss."""
        better = loss < self.loss
        self.value = torch.where(better, image, self.value)
        self.loss = torch.where(better, loss, self.loss)


class Average:
    """Keeps the running average of the images, which is calmer than any one of them.

    Iterates of Adam jitter around the optimum; their bias-corrected exponential average does
    not (crowsonkb's recipe). Images whose loss is not finite are left out.
    """

    def __init__(self, start: Tensor, decay: float) -> None:
        self.decay = decay
        self.start = start
        self.sum = torch.zeros_like(start)
        self.weight = torch.zeros((), device=start.device)

    @property
    def value(self) -> Tensor:
        """The average so far; the start while there is none."""
        return torch.where(self.weight > 0, self.sum / self.weight.clamp_min(1e-9), self.start)

    def update(self, image: Tensor, loss: Tensor) -> None:
        """Take note of an image and its loss."""
        finite = torch.isfinite(loss)
        self.sum = torch.where(finite, torch.lerp(image, self.sum, self.decay), self.sum)
        self.weight = torch.where(finite, self.decay * self.weight + 1 - self.decay, self.weight)


@dataclass
class Outcome:
    """How a run ended: the image ``(1, 3, H, W)``, and why if it was not by its last step."""

    image: Tensor
    stage: Stage
    steps: int
    stopped: str | None = None


class _Stop(Exception):  # noqa: N818 - control flow, not an error
    """Ends a run early; its message says why."""


class Loop:
    """One run of the optimisation, from the coarsest scale to the finest.

    Args:
        stages: The scales, coarsest first.
        optimizer: Changes the image.
        averaging: Decay of the average over iterates (Adam); 0 keeps the best iterate.
        tolerance: Leave a scale when the loss falls by less than this share in 10 steps.
        callbacks: Called after each step.

    Attributes:
        index: The current scale.
        steps: Steps done so far.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        optimizer: Optimizer,
        *,
        averaging: float = 0.0,
        tolerance: float = 0.0,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.stages = stages
        self.optimizer = optimizer
        self.averaging = averaging if isinstance(optimizer, Adam) else 0.0
        self.tolerance = tolerance
        self.callbacks = callbacks
        self.index = self.steps = self.skipped = self.work = 0
        self.keeper: Best | Average
        self.checked: float | None = None

    def run(self) -> Outcome:
        """Optimise the image.

        Ctrl-C, a callback's ``stop`` and a loss that is not finite end the run early; the image
        is then the best of those so far.

        Raises:
            ImpastoError: If the very first loss is not finite.
        """
        self.began = time.perf_counter()
        image = self.stages[0].start()
        stopped = None
        try:
            for index, stage in enumerate(self.stages):
                self.index = index
                if index:
                    image = stage.refine(self.keeper.value, self.stages[index - 1])
                self.keeper = Average(image, self.averaging) if self.averaging else Best(image)
                self.optimizer.rescale(stage.scale.size, stage.layout.room)
                with fewer_threads(stage.device, stage.scale.threads):
                    self._step_on(stage, image)
        except _Stop as stop:
            stopped = str(stop)
        except KeyboardInterrupt:
            stopped = "interrupted"
        return Outcome(self.keeper.value, self.stages[self.index], self.steps, stopped)

    def _step_on(self, stage: Stage, image: Tensor) -> None:
        """Do the steps of a scale."""
        objective, scale = stage.objective(), stage.scale
        self.checked = None
        for number in range(1, scale.steps + 1):
            terms, grad = objective.gradient(image)
            loss = torch.stack(list(terms.values())).sum()
            self.keeper.update(image, loss)
            self.steps += 1
            self.work += scale.work
            settled = (number == 1 or number % CHECK_EVERY == 0) and self._settled(float(loss))
            if settled:
                self.skipped += scale.steps - number
                self.work += scale.work * (scale.steps - number)
            self._tell(stage, terms)
            if settled:
                break
            image = self.optimizer.update(image, loss, grad)

    def _settled(self, loss: float) -> bool:
        """Whether the loss has stopped falling at this scale."""
        if not math.isfinite(loss):
            if self.steps == 1:
                raise ImpastoError(
                    "the loss is not finite from the start: try precision float32, "
                    "smaller weights or another backbone"
                )
            raise _Stop("the loss is no longer finite")
        before, self.checked = self.checked, loss
        return before is not None and before - loss < self.tolerance * before

    def _tell(self, stage: Stage, terms: dict[str, Tensor]) -> None:
        keeper, scales = self.keeper, [stage.scale for stage in self.stages]
        step = Step(
            step=self.steps,
            of=sum(scale.steps for scale in scales) - self.skipped,
            scale=self.index,
            scales=len(scales),
            size=stage.scale.size,
            progress=self.work / sum(scale.steps * scale.work for scale in scales),
            seconds=time.perf_counter() - self.began,
            losses=cache(lambda: _as_floats(terms)),
            picture=cache(lambda: stage.finish(keeper.value)),
        )
        for callback in self.callbacks:
            callback(step)
        if step.stopped:
            raise _Stop("stopped by a callback")


def _as_floats(terms: dict[str, Tensor]) -> dict[str, float]:
    values = torch.stack(list(terms.values())).tolist()
    return {**dict(zip(terms, values, strict=True)), "total": sum(values)}
