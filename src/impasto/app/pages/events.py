"""How the pages' events are wired."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import gradio as gr

from impasto.app import status
from impasto.app.jobs import Ticket
from impasto.app.session import Session
from impasto.app.studio import QUEUE, Studio
from impasto.errors import ImpastoError, InputError

# For what only changes the page: at once, without a spinner, and not for programs to call.
HIDDEN: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}

T = TypeVar("T")
Updates = dict[Any, Any]


def picked(event: gr.SelectData, items: Sequence[T]) -> T:
    """What was picked from a gallery.

    Raises:
        InputError: If there is no such picture.
    """
    index = event.index
    if not isinstance(index, int) or not 0 <= index < len(items):
        raise InputError("that picture is no longer here")
    return items[index]


@dataclass(frozen=True)
class Buttons:
    """What begins a job, ends it early, and tells how it is getting on.

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
        work: Callable[[Updates, Ticket], Iterator[Updates]],
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

        def ticket(request: gr.Request) -> Ticket:
            return Ticket(str(request.session_hash), self.kind)

        def begin(request: gr.Request) -> Updates:
            studio.jobs.expect(ticket(request))
            cancel = gr.update(visible=True, interactive=True, value="Cancel")
            go = gr.update(visible=False)
            return {self.go: go, self.cancel: cancel, self.line: status.waiting(), **waiting}

        def run(values: Updates, request: gr.Request) -> Iterator[Updates]:
            try:
                yield from work(values, ticket(request))
            except ImpastoError as error:
                yield {self.line: status.message(str(error), "error")}
                raise
            finally:
                studio.jobs.cancel(ticket(request))

        def end(visitor: Session, request: gr.Request) -> Updates:
            shown = {self.go: gr.update(visible=True), self.cancel: gr.update(visible=False)}
            if studio.jobs.cancel(ticket(request)):  # it never ran: the queue is full
                line = "This could not begin: try again in a moment."
                shown[self.line] = status.message(line, "error")
            return {**shown, **ended(visitor)}

        def stop(request: gr.Request) -> Any:
            studio.jobs.cancel(ticket(request))
            return gr.update(value="Ending …", interactive=False)

        everything = [self.go, self.cancel, self.line, *outputs]
        job = self.go.click(begin, None, everything, **HIDDEN).then(
            run,
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
            follow(end, session, everything, **HIDDEN)
        self.cancel.click(stop, None, self.cancel, **HIDDEN)
