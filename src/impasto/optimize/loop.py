"""The loop: step after step, scale after scale, telling callbacks and guarding the result."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import torch
from torch import Tensor

from impasto.errors import ImpastoError
from impasto.events import Callback, Step
from impasto.image import Picture
from impasto.optimize.optimizers import Adam, Optimizer, resize
from impasto.optimize.pyramid import Scale

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
    steps: int
    stopped: str | None = None


class Differentiable(Protocol):
    """What is minimised."""

    def gradient(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return the loss terms of an image ``(1, 3, H, W)`` and the gradient of their sum."""
        ...


class _Stop(Exception):  # noqa: N818 - control flow, not an error
    """Ends a run early; its message says why."""


class Loop:
    """One run of the optimisation.

    Args:
        scales: The plan, coarsest first.
        objective: Makes the objective of a scale.
        optimizer: Changes the image.
        content: The content image at a scale, for the detail that a new scale adds.
        detail: Share of that detail, 0 to 1.
        averaging: Decay of the average over iterates (Adam); 0 keeps the best iterate.
        tolerance: Leave a scale when the loss falls by less than this share in 10 steps.
        callbacks: Called after each step.
        finish: Makes the picture that callbacks see of the image.

    Attributes:
        index: The current scale.
        steps: Steps done so far.
    """

    def __init__(
        self,
        scales: Sequence[Scale],
        objective: Callable[[int], Differentiable],
        optimizer: Optimizer,
        content: Callable[[int], Tensor],
        *,
        detail: float = 0.0,
        averaging: float = 0.0,
        tolerance: float = 0.0,
        callbacks: Sequence[Callback] = (),
        finish: Callable[[Tensor], Picture] = Picture.from_tensor,
    ) -> None:
        self.scales = scales
        self.objective = objective
        self.optimizer = optimizer
        self.content = content
        self.detail = detail
        self.averaging = averaging if isinstance(optimizer, Adam) else 0.0
        self.tolerance = tolerance
        self.callbacks = callbacks
        self.finish = finish
        self.index = self.steps = self.skipped = self.work = 0
        self.checked: float | None = None

    def run(self, image: Tensor) -> Outcome:
        """Optimise an image that has the size of the first scale.

        Ctrl-C, a callback's ``stop`` and a loss that is not finite end the run early; the image
        is then the best of those so far.

        Raises:
            ImpastoError: If the very first loss is not finite.
        """
        self.began = time.perf_counter()
        self.keeper: Best | Average = Best(image)
        try:
            for index in range(len(self.scales)):
                self.index = index
                if index:
                    image = self._enter(index)
                self._run_scale(index, image)
        except _Stop as stop:
            return Outcome(self.keeper.value, self.steps, str(stop))
        except KeyboardInterrupt:
            return Outcome(self.keeper.value, self.steps, "interrupted")
        return Outcome(self.keeper.value, self.steps)

    def _enter(self, index: int) -> Tensor:
        """The first image of a scale: the last scale's, enlarged, with the content's detail.

        What the coarser scale could not show comes from the content (as in the Laplacian
        pyramids of Kolkin et al. 2019 and 2022); without it fine structure is lost for good.
        """
        size = self.scales[index].size
        self.optimizer.rescale(size)
        image = resize(self.keeper.value, size)
        if self.detail:
            content, coarse = self.content(index), self.content(index - 1)
            image += self.detail * (content - resize(coarse, size))
        return image.clamp_(0, 1)

    def _run_scale(self, index: int, image: Tensor) -> None:
        scale, objective = self.scales[index], self.objective(index)
        self.keeper = Average(image, self.averaging) if self.averaging else Best(image)
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
            self._tell(index, terms)
            if settled:
                break
            image = self.optimizer.update(image, loss, grad)

    def _settled(self, loss: float) -> bool:
        """Whether the loss has stopped falling at this scale.

        Raises:
            _Stop: If it is not finite.
            ImpastoError: If it never was.
        """
        if not math.isfinite(loss):
            if self.steps == 1:
                raise ImpastoError(
                    "the loss is not finite from the start: try precision float32, "
                    "smaller weights or another backbone"
                )
            raise _Stop("the loss is no longer finite")
        before, self.checked = self.checked, loss
        return before is not None and before - loss < self.tolerance * before

    def _tell(self, index: int, terms: dict[str, Tensor]) -> None:
        keeper = self.keeper
        step = Step(
            step=self.steps,
            of=sum(scale.steps for scale in self.scales) - self.skipped,
            scale=index,
            scales=len(self.scales),
            size=self.scales[index].size,
            progress=self.work / sum(scale.steps * scale.work for scale in self.scales),
            seconds=time.perf_counter() - self.began,
            losses=cache(lambda: _as_floats(terms)),
            picture=cache(lambda: self.finish(keeper.value)),
        )
        for callback in self.callbacks:
            callback(step)
        if step.stopped:
            raise _Stop("stopped by a callback")


def _as_floats(terms: dict[str, Tensor]) -> dict[str, float]:
    values = torch.stack(list(terms.values())).tolist()
    return {**dict(zip(terms, values, strict=True)), "total": sum(values)}
