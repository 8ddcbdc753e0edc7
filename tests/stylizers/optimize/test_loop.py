"""The loop: steps, callbacks, early ends, what is kept."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from impasto.errors import ImpastoError
from impasto.events import Step
from impasto.image import Picture
from impasto.stylizers.optimize.loop import Average, Best, Loop
from impasto.stylizers.optimize.optimizers import LBFGS, Adam, resize
from impasto.stylizers.optimize.pyramid import Scale

SCALES = [Scale((4, 6), 12), Scale((8, 12), 8)]


class Bowl:
    """An objective: the squared distance to a flat colour."""

    def __init__(self, goal: float, failing_after: int | None = None, floor: float = 0.0) -> None:
        self.goal = goal
        self.floor = floor
        self.failing_after = failing_after
        self.calls = 0

    def gradient(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        self.calls += 1
        loss = (image - self.goal).square().mean() + self.floor
        if self.failing_after is not None and self.calls > self.failing_after:
            loss = loss * float("nan")
        return {"content": loss, "style": 2 * loss}, 6 * (image - self.goal) / image.numel()


class FakeStage:
    """A scale whose pictures are flat."""

    def __init__(self, bowl: Bowl, scale: Scale) -> None:
        self.bowl, self.scale, self.device = bowl, scale, torch.device("cpu")
        self.layout = SimpleNamespace(room=math.inf)

    def objective(self) -> Bowl:
        return self.bowl

    def start(self) -> Tensor:
        return torch.full((1, 3, *self.scale.size), 0.5)

    def refine(self, image: Tensor, before: FakeStage) -> Tensor:
        return resize(image, self.scale.size)

    def finish(self, image: Tensor) -> Picture:
        return Picture.from_tensor(image)


def make(
    bowl: Bowl | None = None, callbacks: Any = (), optimizer: Any = None, **options: Any
) -> Loop:
    stages: Any = [FakeStage(bowl or Bowl(0.8), scale) for scale in SCALES]
    return Loop(stages, optimizer or LBFGS(), callbacks=callbacks, **options)


def test_a_run_goes_through_all_scales_and_reaches_the_goal() -> None:
    steps: list[Step] = []
    outcome = make(callbacks=[steps.append]).run()
    assert outcome.stopped is None
    assert outcome.steps == 20
    torch.testing.assert_close(outcome.image, torch.full((1, 3, 8, 12), 0.8), atol=1e-3, rtol=0)
    assert [step.step for step in steps] == list(range(1, 21))
    assert [step.size for step in steps] == 12 * [(4, 6)] + 8 * [(8, 12)]
    assert {step.of for step in steps} == {20}
    assert steps[-1].last
    assert steps[-1].progress == pytest.approx(1)
    progress = [step.progress for step in steps]
    assert progress == sorted(progress)
    assert steps[0].losses()["total"] == pytest.approx(3 * 0.09)
    assert set(steps[0].losses()) == {"content", "style", "total"}
    assert steps[-1].picture().size == (8, 12)


def test_adam_gives_the_average() -> None:
    outcome = make(optimizer=Adam(0.05), averaging=0.9).run()
    assert 0.6 < float(outcome.image.mean()) < 0.85


def test_a_callback_stops_the_run() -> None:
    def stop(step: Step) -> None:
        if step.step == 5:
            step.stop()

    outcome = make(callbacks=[stop]).run()
    assert outcome.steps == 5
    assert outcome.stopped == "stopped by a callback"
    assert outcome.image.shape == (1, 3, 4, 6)


def test_ctrl_c_keeps_the_best_image() -> None:
    def interrupt(step: Step) -> None:
        if step.step == 15:
            raise KeyboardInterrupt

    outcome = make(callbacks=[interrupt]).run()
    assert outcome.stopped == "interrupted"
    torch.testing.assert_close(outcome.image, torch.full((1, 3, 8, 12), 0.8), atol=0.02, rtol=0)


def test_a_loss_that_breaks_keeps_the_last_good_image() -> None:
    outcome = make(Bowl(0.8, failing_after=6)).run()
    assert outcome.stopped == "the loss is no longer finite"
    assert torch.isfinite(outcome.image).all()
    assert float(outcome.image.mean()) > 0.6


def test_a_loss_that_breaks_never_enters_the_average() -> None:
    outcome = make(Bowl(0.8, failing_after=6), optimizer=Adam(0.05), averaging=0.9).run()
    assert torch.isfinite(outcome.image).all()
    assert outcome.stopped


def test_a_loss_that_is_broken_from_the_start_is_an_error() -> None:
    with pytest.raises(ImpastoError, match="not finite from the start"):
        make(Bowl(0.8, failing_after=0)).run()


def test_a_settled_scale_is_left_early() -> None:
    steps: list[Step] = []
    outcome = make(Bowl(0.5, floor=1.0), callbacks=[steps.append], tolerance=0.01).run()
    assert outcome.steps < 20
    assert steps[-1].last
    assert steps[-1].of == outcome.steps
    assert steps[-1].progress == pytest.approx(1)
    assert steps[-1].size == (8, 12)


def test_best_keeps_the_lowest_finite_loss() -> None:
    best = Best(torch.zeros(1))
    for value, loss in ((1.0, 5.0), (2.0, 3.0), (3.0, float("nan")), (4.0, 4.0)):
        best.update(torch.tensor([value]), torch.tensor(loss))
    assert best.value.item() == 2.0


def test_average_is_bias_corrected() -> None:
    average = Average(torch.zeros(1), decay=0.9)
    assert average.value.item() == 0
    values = [1.0, 2.0, 4.0]
    for value in values:
        average.update(torch.tensor([value]), torch.tensor(1.0))
    weights = [0.9**2, 0.9, 1.0]
    expected = sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights)
    assert average.value.item() == pytest.approx(expected, rel=1e-6)
