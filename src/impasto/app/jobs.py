"""Jobs: work in a thread of its own that can be watched and cancelled, one a device."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from impasto.devices import release_memory
from impasto.errors import ImpastoError
from impasto.events import Step
from impasto.image import Picture

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Ticket(NamedTuple):
    """By what a job is known: the session that wants it, and its kind."""

    session: str
    kind: str


PREVIEW_SECONDS = 0.6
# Making a preview may take this share of the time at most.
PREVIEW_SHARE = 0.15


@dataclass(frozen=True)
class Progress:
    """How far a job has come.

    Attributes:
        step: Steps done so far.
        of: Steps planned.
        share: Share of the work that is done, in [0, 1].
        seconds_left: Estimate of the time that the rest takes.
        picture: The picture as it is.
    """

    step: int
    of: int
    share: float
    seconds_left: float
    picture: Picture


class Job(Generic[T]):
    """Work in a thread of its own.

    Args:
        work: Does it. It is given the job, whose ``on_step`` is the callback of a stylizer.
        max_seconds: After so long the work is asked to end with the best picture so far.

    Attributes:
        cancelled: Whether it was asked to end by a person.
        late: Whether it was asked to end because its time was over.
    """

    def __init__(self, work: Callable[[Job[T]], T], max_seconds: float) -> None:
        self.cancelled = self.late = False
        self._work = work
        self._deadline = time.monotonic() + max_seconds
        self._due = -float("inf")
        self._changed = threading.Condition()
        self._progress: Progress | None = None
        self._done = False
        self._result: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="impasto-job", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Ask the work to end after its current step."""
        self.cancelled = True

    @property
    def ending(self) -> bool:
        """Whether the work was asked to end: by a person, or because its time is over."""
        self.late = self.late or (not self.cancelled and time.monotonic() > self._deadline)
        return self.cancelled or self.late

    def on_step(self, step: Step) -> None:
        """Show the step to whoever watches, now and then, and stop the run if it is to end."""
        if self.ending:
            step.stop()
        began = time.monotonic()
        if began < self._due and not step.last:
            return
        progress = Progress(step.step, step.of, step.progress, step.seconds_left, step.picture())
        ended = time.monotonic()
        self._due = ended + max(PREVIEW_SECONDS, (ended - began) / PREVIEW_SHARE)
        with self._changed:
            self._progress = progress
            self._changed.notify_all()

    def updates(self) -> Iterator[Progress]:
        """The latest progress, each time there is some, until the work ends."""
        shown = None
        while True:
            with self._changed:
                while self._progress is shown and not self._done:
                    self._changed.wait()
                latest = self._progress
            if latest is None or latest is shown:
                return
            shown = latest
            yield latest

    def result(self) -> T:
        """Wait for the work and return what it made, or raise what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result[0]

    def end(self) -> None:
        """Ask the work to end and wait until it has."""
        self.cancel()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._result = [self._work(self)]
        except BaseException as error:
            self._error = error
        with self._changed:
            self._done = True
            self._changed.notify_all()


class Jobs:
    """The jobs of all visitors: a device for each that runs, and a line in the log.

    Each is known by its ticket: the session that wants it and its kind. Whoever wants a job says
    so (``expect``) before waiting for a turn, and may cancel it from then on.

    Args:
        devices: What jobs run on, one at a time each.
        max_seconds: The time that a job may take.
    """

    def __init__(self, devices: Sequence[str], max_seconds: float) -> None:
        self.devices = tuple(devices)
        self.max_seconds = max_seconds
        self._free: queue.SimpleQueue[str] = queue.SimpleQueue()
        for device in devices:
            self._free.put(device)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._waiting: set[Ticket] = set()
        self._running: dict[Ticket, Job[Any]] = {}

    def expect(self, ticket: Ticket) -> None:
        """Take note that a job waits for its turn."""
        with self._lock:
            self._waiting.add(ticket)

    def cancel(self, ticket: Ticket) -> bool:
        """End a job with the best so far, or strike it off those that wait.

        Returns:
            Whether it still waited.
        """
        with self._lock:
            waited = ticket in self._waiting
            self._waiting.discard(ticket)
            if ticket in self._running:
                self._running[ticket].cancel()
            return waited

    def leave(self, session: str) -> None:
        """End whatever a session has asked for."""
        with self._lock:
            tickets = [*self._waiting, *self._running]
        for ticket in tickets:
            if ticket.session == session:
                self.cancel(ticket)

    def close(self) -> None:
        """End all jobs and wait until they have: Python cannot end well while torch computes."""
        with self._lock:
            self._waiting.clear()
            running = [*self._running.values()]
        for job in running:
            job.end()

    @contextmanager
    def run(
        self, ticket: Ticket, what: str, work: Callable[[Job[T], str], T]
    ) -> Iterator[Job[T] | None]:
        """Run work on a device; it has ended when the block is left.

        Args:
            ticket: Whose job it is; it has to be expected.
            what: What the log calls it.
            work: Given the job and the name of its device.

        Yields:
            The job; None if it was cancelled while it waited.
        """
        device = self._free.get()
        number, began = next(self._numbers), time.monotonic()
        job = self._started(ticket, lambda job: work(job, device))
        outcome = "withdrawn" if job is None else "abandoned"
        try:
            yield job
            if job is not None:
                outcome = "cancelled" if job.cancelled else "out of time" if job.late else "done"
        except ImpastoError as error:
            outcome = f"refused: {error}"
            raise
        except Exception as error:
            outcome = f"failed: {type(error).__name__}: {error}"
            raise
        finally:
            if job is not None:
                job.end()
            with self._lock:
                self._running.pop(ticket, None)
            release_memory()
            self._free.put(device)
            seconds = time.monotonic() - began
            logger.info("job %d: %s: %s after %.1f s", number, what, outcome, seconds)

    def _started(self, ticket: Ticket, work: Callable[[Job[T]], T]) -> Job[T] | None:
        """Start a job whose turn has come; None if it was cancelled while it waited."""
        with self._lock:
            if ticket not in self._waiting:
                return None
            self._waiting.discard(ticket)
            job = Job(work, self.max_seconds)
            self._running[ticket] = job
            return job
