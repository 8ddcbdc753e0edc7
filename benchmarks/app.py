"""Load on the web app: many clients at once, all through its API, on the any-style network.

    pip install ".[app]"
    python -m benchmarks.app --clients 100 --requests 50

Starts the app in a process of its own. Every client paints one picture after the other; where the
queue is full, it asks again. After each tenth of the pictures a line tells how long clients waited
(median and 99th percentile, queue and repeated asking included), answers "busy", errors of any
other kind, and the memory of the app. Ends with an error where nothing comes back any more.
"""

from __future__ import annotations

import argparse
import queue
import statistics
import threading
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from impasto.image import save_image
from impasto.pictures import load_portrait
from tests.app.server import Served, served
from tests.app.visitor import Visitor

BUSY = "queue is full"
PAUSE = 2.0  # after a "busy", seconds
STUCK = 120.0  # seconds without any answer
TENTHS = 10
HEADINGS = ["done", "busy", "errors", "median", "99 %", "memory"]

# Of each answer its kind ("done", "busy" or what went wrong) and the seconds since it was wanted.
Answers = queue.SimpleQueue[tuple[str, float]]


def client(app: Served, requests: int, photo: Path, size: int, answers: Answers) -> None:
    """Paint so many pictures."""
    with Visitor(app) as visitor:
        file = visitor.upload(photo, photo.name)
        began = time.monotonic()
        while requests:
            kind = paint(visitor, file, size)
            answers.put((kind, time.monotonic() - began))
            if kind == BUSY:
                time.sleep(PAUSE)
                continue
            requests -= 1
            began = time.monotonic()


def paint(visitor: Visitor, file: dict[str, Any], size: int) -> str:
    """Paint an uploaded photo, fetch the picture; say how it ended."""
    try:
        options = {"max_size": size}
        answer = visitor.stylize(file, styles=[file], method="arbitrary", options=options)
        if error := answer.get("error") or answer.get("detail"):
            return BUSY if BUSY in error.lower() else error
        ((picture, _),) = answer["data"]
        visitor.http.get(f"/gradio_api/file={picture['path']}").raise_for_status()
    except Exception as error:  # every kind of it is counted
        return repr(error)
    return "done"


def watch(app: Served, count: int, answers: Answers) -> Iterator[list[str]]:
    """Count answers until so many requests are through, a row of the table for each tenth."""
    for _ in range(TENTHS):
        waited: list[float] = []
        busy = errors = 0
        while len(waited) + errors < count // TENTHS:
            try:
                kind, seconds = answers.get(timeout=STUCK)
            except queue.Empty:
                raise SystemExit(f"no answer for {STUCK:.0f} s: the app is stuck") from None
            busy += kind == BUSY
            if kind == "done":
                waited.append(seconds)
            elif kind != BUSY:
                errors += 1
                print("error:", kind)
        cuts = statistics.quantiles(waited, n=100)
        memory = psutil.Process(app.process.pid).memory_info().rss / 1e6
        times = [f"{cuts[49]:.1f} s", f"{cuts[98]:.1f} s"]
        yield [str(len(waited)), str(busy), str(errors), *times, f"{memory:.0f} MB"]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--requests", type=int, default=50, help="of each client")
    parser.add_argument("--size", type=int, default=256, help="longer side of the pictures")
    parser.add_argument("--waiting", type=int, default=50, help="jobs that may wait")
    args = parser.parse_args()
    answers: Answers = queue.SimpleQueue()
    with TemporaryDirectory() as name, served("--max-waiting", str(args.waiting)) as app:
        photo, began = Path(name) / "photo.jpg", time.monotonic()
        save_image(load_portrait().resized(args.size, args.size), photo)
        for _ in range(args.clients):
            given = (app, args.requests, photo, args.size, answers)
            threading.Thread(target=client, args=given, daemon=True).start()
        print(f"{args.clients} clients of {args.requests} requests, {args.size} px")
        for row in chain([HEADINGS], watch(app, args.clients * args.requests, answers)):
            print(*(cell.rjust(9) for cell in row), flush=True)
        print(f"{time.monotonic() - began:.0f} s in all")


if __name__ == "__main__":
    main()
