"""Jobs: watched, cancelled, out of time, failing; one a device; a line in the log for each."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from impasto.app import jobs as module
from impasto.app.jobs import Job, Jobs, Ticket
from impasto.errors import InputError
from impasto.events import Step
from impasto.image import Picture

HERE = Ticket("here", "paint")
PICTURE = Picture(np.zeros((2, 2, 3), np.float32))
FOREVER = 3600.0


def step(number: int, of: int = 1000) -> Step:
    return Step(number, of, 0, 1, (2, 2), number / of, 1.0, dict, lambda: PICTURE)


def paint_until_stopped(job: Job[int]) -> int:
    """Steps without an end, unless it is stopped."""
    for number in range(1, 100_000):
        now = step(number, 100_000)
        job.on_step(now)
        if now.stopped:
            return number
        time.sleep(0.001)
    raise AssertionError("nobody stopped it")


@pytest.fixture(autouse=True)
def _previews_at_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PREVIEW_SECONDS", 0.0)
    monkeypatch.setattr(module, "PREVIEW_SHARE", 1e9)


def test_a_job_gives_its_result_and_can_be_watched() -> None:
    gate = threading.Semaphore(0)

    def work(job: Job[str]) -> str:
        for number in (1, 2, 3):
            job.on_step(step(number, 3))
            gate.acquire()
        return "done"

    job = Job(work, FOREVER)
    seen = []
    for progress in job.updates():
        seen.append(progress.step)
        gate.release()
    assert seen == [1, 2, 3]
    assert job.result() == "done"


def test_a_job_without_steps_ends_at_once() -> None:
    job = Job(lambda job: 5, FOREVER)
    assert list(job.updates()) == []
    assert job.result() == 5


def test_the_last_step_is_always_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PREVIEW_SECONDS", FOREVER)
    made = []

    def work(job: Job[None]) -> None:
        for number in range(1, 11):
            now = step(number, 10)
            now.picture = lambda number=number: made.append(number) or PICTURE  # type: ignore
            job.on_step(now)

    Job(work, FOREVER).result()
    assert made == [1, 10]


def test_cancelling_stops_the_run_and_keeps_what_there_is() -> None:
    job = Job(paint_until_stopped, FOREVER)
    next(job.updates())
    job.cancel()
    assert job.result() >= 1
    assert (job.cancelled, job.late) == (True, False)


def test_a_job_that_takes_too_long_is_stopped() -> None:
    job = Job(paint_until_stopped, 0.02)
    assert job.result() >= 1
    assert (job.cancelled, job.late) == (False, True)


def test_an_error_comes_out_where_the_result_would() -> None:
    def work(job: Job[None]) -> None:
        raise InputError("no such colour")

    job = Job(work, FOREVER)
    assert list(job.updates()) == []
    with pytest.raises(InputError, match="no such colour"):
        job.result()


@pytest.fixture
def jobs(caplog: pytest.LogCaptureFixture) -> Iterator[Jobs]:
    caplog.set_level(logging.INFO, "impasto")
    yield Jobs(["one", "two"], FOREVER)


def start(jobs: Jobs, ticket: Ticket, work: Callable[..., Any]) -> threading.Thread:
    def run() -> None:
        with jobs.run(ticket, "a test", work) as job:
            if job is not None:
                job.result()

    jobs.expect(ticket)
    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_each_device_has_one_job_at_a_time(jobs: Jobs) -> None:
    lock, busy, most = threading.Lock(), set[str](), [0]

    def work(job: Job[None], device: str) -> None:
        with lock:
            assert device not in busy
            busy.add(device)
            most[0] = max(most[0], len(busy))
        time.sleep(0.01)
        with lock:
            busy.remove(device)

    threads = [start(jobs, Ticket(str(i), "paint"), work) for i in range(8)]
    for thread in threads:
        thread.join()
    assert most[0] == 2


def test_a_session_cancels_its_own_job_only(jobs: Jobs) -> None:
    began = threading.Barrier(3)
    ended = []

    def work(name: str) -> Callable[..., Any]:
        def paint(job: Job[int], device: str) -> None:
            began.wait()
            paint_until_stopped(job)
            ended.append(name)

        return paint

    there = Ticket("there", "paint")
    first, second = start(jobs, HERE, work("here")), start(jobs, there, work("there"))
    began.wait()
    jobs.cancel(HERE)
    first.join()
    assert ended == ["here"]
    jobs.leave("there")
    second.join()
    assert ended == ["here", "there"]


def test_a_job_that_waits_can_be_withdrawn(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "impasto")
    jobs = Jobs(["only"], FOREVER)
    first = start(jobs, HERE, lambda job, device: paint_until_stopped(job))
    waiting = Ticket("waiting", "paint")
    second = start(jobs, waiting, lambda job, device: pytest.fail("it was withdrawn"))
    jobs.cancel(waiting)
    jobs.cancel(HERE)
    first.join()
    second.join()
    assert any("withdrawn" in line for line in caplog.messages)


def test_none_is_at_work_any_more_when_they_are_closed() -> None:
    jobs, began, ended = Jobs(["only"], FOREVER), threading.Event(), []

    def work(job: Job[int], device: str) -> None:
        began.set()
        paint_until_stopped(job)
        ended.append(device)

    first = start(jobs, HERE, work)
    began.wait()
    second = start(jobs, Ticket("waiting", "paint"), lambda job, device: pytest.fail("it waited"))
    jobs.close()
    assert ended == ["only"]
    first.join()
    second.join()


def test_a_job_whose_watcher_goes_away_is_ended(
    jobs: Jobs, caplog: pytest.LogCaptureFixture
) -> None:
    jobs.expect(HERE)

    def watch() -> Iterator[int]:
        work = lambda job, device: paint_until_stopped(job)  # noqa: E731
        with jobs.run(HERE, "a test", work) as job:
            assert job is not None
            for progress in job.updates():
                yield progress.step

    watching = watch()
    next(watching)
    watching.close()  # type: ignore[attr-defined]
    assert "a test: abandoned" in caplog.messages[-1]
    assert not [thread for thread in threading.enumerate() if thread.name == "impasto-job"]


def test_every_job_has_a_line_in_the_log(jobs: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(job: Job[None], device: str) -> None:
        raise InputError("too blue")

    start(jobs, HERE, lambda job, device: None).join()
    jobs.expect(HERE)
    with pytest.raises(InputError), jobs.run(HERE, "another", refuse) as job:
        assert job is not None
        job.result()
    assert [line.split(" after")[0] for line in caplog.messages] == [
        "job 1: a test: done",
        "job 2: another: refused: too blue",
    ]
