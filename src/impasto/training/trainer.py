"""The trainer of all networks: steps, averaging, exact resumption.

Everything random depends on the seed, the step and the number of a picture in its batch alone. So
a run that was interrupted and resumed from its checkpoint gives the weights of the unbroken run,
batches can be prepared ahead in threads, and divided among processes (``distributed``).
"""

from __future__ import annotations

import copy
import math
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random
from typing import Generic

import torch
from torch import Tensor, nn

from impasto.callbacks import History, Record
from impasto.devices import keep_memory, pick_device, pick_dtype
from impasto.errors import ImpastoError
from impasto.events import Callback, Step
from impasto.image import Picture
from impasto.options import Precision
from impasto.training.checkpoint import CheckpointFile, State
from impasto.training.distributed import World
from impasto.training.interrupt import CtrlC
from impasto.training.muon import optimizers_of
from impasto.training.task import Batch, Task

WARM_UP = 100  # steps over which the learning rate rises
AHEAD = 4  # batches that are prepared ahead
HELD_OUT_EVERY = 500  # steps between two measurements of the held-out loss


class Trainer(Generic[Batch]):
    """A training run.

    Args:
        task: What is learnt.
        device: Where: a name for ``impasto.devices.pick_device``.
        precision: Numbers in which the convolutions compute; weights stay in float32.
        world: The processes that train together; this one alone if left out.
        accumulate: Parts in which a batch is worked off one after the other, for less memory.
        state: What ``state`` returned, to go on from there exactly; number of processes and
            parts may have changed.

    Attributes:
        step: Gradient steps done.
        average: The network with moving averages of its weights: the result.
        history: The losses so far.
        seconds: Time spent in training, over all resumptions.

    Raises:
        InputError: If the device does not exist, or a batch cannot be divided.
    """

    def __init__(
        self,
        task: Task[Batch],
        device: str = "auto",
        precision: Precision = "auto",
        *,
        world: World | None = None,
        accumulate: int = 1,
        state: State | None = None,
    ) -> None:
        self.task = task
        self.recipe = task.recipe
        self.world = world or World()
        self._shares = self.world.shares(self.recipe.batch, accumulate)
        self.device = pick_device(device)
        self.dtype = pick_dtype(precision, self.device)
        if self.device.type == "cpu":
            keep_memory()
        task.to(self.device, self.dtype)
        self.network = self._build(state)
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimizers = optimizers_of(self.network, self.recipe.learning_rate)
        self.step = 0
        self.seconds = 0.0
        self.history = History()
        self._held_out = math.nan
        self._terms: dict[str, Tensor] = {}
        if state is not None:
            self._go_on(state)

    def _build(self, state: State | None) -> nn.Module:
        if state is not None:
            self.task.load_state(state["task"])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.recipe.seed)
            network = self.task.network(None if state is None else state["network"])
        return network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def _go_on(self, state: State) -> None:
        self.average.load_state_dict(state["average"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.seconds = state["step"], state["seconds"]
        self._held_out = state["held_out"]
        size = (self.recipe.size, self.recipe.size)
        self.history.records = [
            Record(step, 0, size, seconds, losses) for step, seconds, losses in state["history"]
        ]

    def state(self) -> State:
        """All that a run has to know to go on from here.

        Raises:
            ImpastoError: If the loss is not finite.
        """
        self._check()
        records = [(each.step, each.seconds, each.losses) for each in self.history.records]
        return {
            "settings": self.task.settings,
            "task": self.task.state(),
            "step": self.step,
            "seconds": self.seconds,
            "history": records,
            "held_out": self._held_out,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [each.state_dict() for each in self.optimizers],
        }

    def advance(self, parts: Sequence[Batch] | None = None) -> None:
        """Take one gradient step.

        Args:
            parts: The batch of this step, if it was prepared already.

        Raises:
            ImpastoError: If a matrix in the loss is not finite.
        """
        self.task.prepare(self.step, self.average)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["pace"] * self._learning_rate()
        self.network.zero_grad()
        self._terms = self._gradients(self.batch(self.step) if parts is None else parts)
        nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        self._follow()

    def batch(self, step: int) -> list[Batch]:
        """The batch of a step, as far as it is for this process, in its parts."""
        seed = self.recipe.seed
        return [
            self.task.batch([Random(f"{seed} {step} {number}") for number in numbers])
            for numbers in self._shares
        ]

    def _gradients(self, parts: Sequence[Batch]) -> dict[str, Tensor]:
        """Find the gradients of a batch; return its loss terms, with their sum as "total"."""
        found = [self._backward(part, len(parts)) for part in parts]
        self.world.share_gradients(self.network)
        mean = self.world.mean(
            torch.stack([torch.stack(list(each.values())) for each in found]).mean(dim=0)
        )
        return {**dict(zip(found[0], mean, strict=True)), "total": mean.sum()}

    def _backward(self, part: Batch, of: int) -> dict[str, Tensor]:
        """Add the gradients of a part of a batch; return its loss terms."""
        try:
            with self._autocast():
                terms = self.task.terms(self.network, part)
        except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
            raise self._not_finite() from error
        (torch.stack(list(terms.values())).sum() / of).backward()  # type: ignore[no-untyped-call]
        return {name: value.detach() for name, value in terms.items()}

    @torch.no_grad()
    def _follow(self) -> None:
        """Let the average follow the weights, the faster the younger it is."""
        decay = min(self.recipe.averaging, (1 + self.step) / (10 + self.step))
        pairs = zip(self.average.parameters(), self.network.parameters(), strict=True)
        for mean, value in pairs:
            mean.lerp_(value, 1 - decay)

    def _learning_rate(self) -> float:
        rate = self.recipe.learning_rate * min(1.0, (self.step + 1) / WARM_UP)
        if self.recipe.schedule == "constant":
            return rate
        return rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * self.step / self.recipe.steps)))

    def _autocast(self) -> AbstractContextManager[None]:
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)

    def losses(self) -> dict[str, float]:
        """The weighted loss terms of the last step, "total", and the last held-out loss."""
        losses = {name: float(value) for name, value in self._terms.items()}
        if math.isfinite(self._held_out):
            losses["held-out"] = self._held_out
        return losses

    @torch.no_grad()
    def held_out(self) -> float:
        """The loss of the averaged network on pictures on which it does not learn."""
        with self._autocast():
            return self.task.held_out(self.average)

    @torch.no_grad()
    def sheet(self) -> Picture:
        """A contact sheet that shows what the averaged network does."""
        with self._autocast():
            return self.task.sheet(self.average)

    def run(
        self,
        *,
        checkpoint: CheckpointFile | None = None,
        seconds: float = math.inf,
        callbacks: Sequence[Callback] = (),
    ) -> str | None:
        """Take steps until all are done, the time is over, or somebody stops the run.

        Args:
            checkpoint: Renewed every few minutes and in the end, by the process that writes.
            seconds: Time after which the run stops, to be resumed later.
            callbacks: Called with a Step after each step, in the process that writes; its picture
                is the contact sheet.

        Returns:
            Why the run ended before its last step: "interrupted" (Ctrl-C), "time" or "stopped"
            (by a callback); None if it did not.

        Raises:
            ImpastoError: If the loss is no longer finite; the checkpoint is from before.
        """
        why: str | None = None
        began, before = time.monotonic(), self.seconds
        checkpoint = checkpoint if self.world.writes else None
        with _Ahead(self.batch, self.recipe.steps) as batches, CtrlC() as asked:
            while self.step < self.recipe.steps:
                if asked:
                    why = "interrupted"
                elif time.monotonic() - began >= seconds:
                    why = "time"
                if why := self.world.agree(why):
                    break
                self.advance(batches(self.step))
                self.seconds = before + time.monotonic() - began
                why = self._report(callbacks)
                if checkpoint:
                    checkpoint.renew(self.state)
        if checkpoint:
            checkpoint.write(self.state())
        return why if self.step < self.recipe.steps else None

    def _report(self, callbacks: Sequence[Callback]) -> str | None:
        if self.step in (1, self.recipe.steps) or self.step % HELD_OUT_EVERY == 0:
            self._check()
            if self.world.writes:
                self._held_out = self.held_out()
        if not self.world.writes:
            return None
        step = Step(
            step=self.step,
            of=self.recipe.steps,
            scale=0,
            scales=1,
            size=(self.recipe.size, self.recipe.size),
            progress=self.step / self.recipe.steps,
            seconds=self.seconds,
            losses=self.losses,
            picture=self.sheet,
        )
        for callback in callbacks:
            callback(step)
        self.history(step)
        return "stopped" if step.stopped else None

    def _check(self) -> None:
        """Reading a loss makes a GPU wait, so this is done now and then."""
        if not math.isfinite(sum(map(float, self._terms.values()))):
            raise self._not_finite()

    def _not_finite(self) -> ImpastoError:
        return ImpastoError(
            f"the loss is not finite at step {self.step}: lower the learning rate or the "
            "weights of the losses, or use --precision float32"
        )

    def write(self, path: Path) -> None:
        """Write the averaged network as the task does it; one process does.

        Raises:
            ImpastoError: If it cannot be written.
        """
        if self.world.writes:
            self.task.write(self.average, path, self.step)


class _Ahead(AbstractContextManager["_Ahead[Batch]"], Generic[Batch]):
    """Prepares the batches of the next steps in threads."""

    def __init__(self, make: Callable[[int], list[Batch]], steps: int) -> None:
        self._make = make
        self._steps = steps
        self._pool = ThreadPoolExecutor(max(1, min(8, (os.cpu_count() or 2) // 2)))
        self._coming: dict[int, Future[list[Batch]]] = {}

    def __call__(self, step: int) -> list[Batch]:
        for coming in range(step, min(step + AHEAD, self._steps)):
            if coming not in self._coming:
                self._coming[coming] = self._pool.submit(self._make, coming)
        return self._coming.pop(step).result()

    def __exit__(self, *_exception: object) -> None:
        """Drop what is not needed any more."""
        self._pool.shutdown(cancel_futures=True)
