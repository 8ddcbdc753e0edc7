"""How the pages' events are wired."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import gradio as gr

from impasto.app import status
from impasto.app.jobs import Jobs, Ticket
from impasto.app.session import Session
from impasto.app.studio import QUEUE, Studio
from impasto.errors import ImpastoError, InputError

# For what only changes the page: at once, without a spinner, and not for programs to call.
HIDDEN: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# For what may have to tell something: in the queue, which alone brings messages to the page, but
# waiting for nobody.
TELLING: dict[str, Any] = {**HIDDEN, "queue": True, "concurrency_limit": None}

T = TypeVar("T")
Updates = dict[Any, Any]
Work = Callable[[Updates, Ticket], Iterator[Updates]]


def picked(event: gr.SelectData, items: Sequence[T]) -> T:
    """The item that was picked from a gallery.

    Raises:
        InputError: If there is no such picture.
    """
    index = event.index
    if not isinstance(index, int) or not 0 <= index < len(items):
        raise InputError("that picture is no longer here")
    return items[index]


def warn_of_file(error: ImpastoError) -> None:
    """Tell of a file that cannot be used."""
    gr.Warning(str(error), duration=15, title="This file cannot be used")


@dataclass(frozen=True)
class Buttons:
    """The controls of a job: they begin it, end it early, and tell how it is getting on.

    Attributes:
        kind: The kind of the job.
        go: Begins it; meanwhile ``cancel`` is in its place.
        cancel: Ends it early.
        line: Tells how it is getting on.
    """

    kind: str
    go: gr.Button
    cancel: gr.Button
    line: gr.HTML

    def connect(
        self,
        studio: Studio,
        session: gr.State,
        work: Work,
        inputs: set[Any],
        outputs: Sequence[Any],
        *,
        waiting: Updates,
        ended: Callable[[Session], Updates],
    ) -> None:
        """Let the buttons begin and end jobs: however one ends, the next can begin.

        Args:
            studio: Where it is done.
            session: The visitor's.
            work: Does it, given the values of the inputs, and yields what the page is to show.
            inputs: The fields that it needs.
            outputs: What it changes, without these buttons and the line.
            waiting: What to show until its turn has come.
            ended: What to show when it has ended, well or not.
        """
        events = _Events(self, studio.jobs, work, waiting, ended)
        everything = [self.go, self.cancel, self.line, *outputs]
        job = self.go.click(events.begin, None, everything, **HIDDEN).then(
            events.run,
            inputs,
            [self.line, *outputs],
            concurrency_id=QUEUE,
            concurrency_limit=len(studio.jobs.devices),
            show_progress="minimal",
            show_progress_on=self.line,
            api_visibility="private",
        )
        # Gradio runs what follows "then" after a success only.
        for follow in (job.then, job.failure):
            follow(events.end, session, everything, **HIDDEN)
        self.cancel.click(events.stop, None, self.cancel, **HIDDEN)


@dataclass(frozen=True)
class _Events:
    """From the press of a button to the end of its job."""

    buttons: Buttons
    jobs: Jobs
    work: Work
    waiting: Updates
    ended: Callable[[Session], Updates]

    def _ticket(self, request: gr.Request) -> Ticket:
        return Ticket(str(request.session_hash), self.buttons.kind)

    def begin(self, request: gr.Request) -> Updates:
        self.jobs.expect(self._ticket(request))
        return {
            self.buttons.go: gr.update(visible=False),
            self.buttons.cancel: gr.update(visible=True, interactive=True, value="Cancel"),
            self.buttons.line: status.waiting(),
            **self.waiting,
        }

    def run(self, values: Updates, request: gr.Request) -> Iterator[Updates]:
        ticket = self._ticket(request)
        try:
            yield from self.work(values, ticket)
        except ImpastoError as error:
            yield {self.buttons.line: status.message(str(error), "error")}
            raise
        finally:
            self.jobs.cancel(ticket)

    def end(self, visitor: Session, request: gr.Request) -> Updates:
        shown = {
            **self.ended(visitor),
            self.buttons.go: gr.update(visible=True),
            self.buttons.cancel: gr.update(visible=False),
        }
        if self.jobs.cancel(self._ticket(request)):  # it never ran: the queue is full
            line = "This could not begin: try again in a moment."
            shown[self.buttons.line] = status.message(line, "error")
        return shown

    def stop(self, request: gr.Request) -> Any:
        self.jobs.cancel(self._ticket(request))
        return gr.update(value="Ending …", interactive=False)
