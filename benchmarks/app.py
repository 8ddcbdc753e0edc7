"""Load on the web app: many clients at once, all through its API, on the any-style network.

    pip install ".[app]"
    python -m benchmarks.app --clients 20 --seconds 120

Starts the app in a process of its own. Every client paints one picture after the other until the
time is over. Told are: pictures that came, answers "busy" (the queue was full), errors of any
other kind, and how the memory of the app went; a second wave after the first tells growth from
warming up.
"""

from __future__ import annotations

import argparse
import statistics
import threading
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.common import table
from impasto.image import save_image
from impasto.pictures import load_portrait
from tests.app.server import Served, served

BUSY = "queue is full"
PAUSE = 0.5  # after a "busy", seconds


class Wave:
    """What happened to all clients while they worked at the same time."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.errors: set[str] = set()
        self._lock = threading.Lock()

    def add(self, answer: str, seconds: float = 0.0, error: str = "") -> None:
        """Note an answer."""
        with self._lock:
            self.answers[answer] += 1
            if answer == "done":
                self.seconds.append(seconds)
            if error:
                self.errors.add(error)


def client(url: str, photo: str, size: int, until: float, wave: Wave, folder: Path) -> None:
    """Paint until the time is over."""
    from gradio_client import Client, handle_file

    connection = Client(url, verbose=False, download_files=folder)
    while time.monotonic() < until:
        began = time.monotonic()
        try:
            path, _ = connection.predict(
                handle_file(photo),
                styles=[handle_file(photo)],
                method="arbitrary",
                options={"max_size": size},
                format="jpg",
                api_name="/stylize",
            )
            Path(path).unlink()
            wave.add("done", time.monotonic() - began)
        except Exception as error:
            busy = BUSY in str(error).lower()
            wave.add("busy" if busy else "error", error="" if busy else repr(error))
            time.sleep(PAUSE)


def run_wave(app: Served, clients: int, size: int, seconds: float, folder: Path) -> Wave:
    """Let all clients work at once."""
    photo = str(folder / "photo.jpg")
    wave, until = Wave(), time.monotonic() + seconds
    threads = [
        threading.Thread(target=client, args=(app.url, photo, size, until, wave, folder))
        for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wave


def memory(app: Served) -> float:
    """Resident memory of the app in MB."""
    return psutil.Process(app.process.pid).memory_info().rss / 1e6


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=120, help="all waves together")
    parser.add_argument("--waves", type=int, default=4)
    parser.add_argument("--size", type=int, default=256, help="longer side of the pictures")
    parser.add_argument("--waiting", type=int, default=15, help="jobs that may wait")
    args = parser.parse_args()
    rows = []
    with TemporaryDirectory() as name, served("--max-waiting", str(args.waiting)) as app:
        folder = Path(name)
        save_image(load_portrait(), folder / "photo.jpg")
        started = memory(app)
        for number in range(1, args.waves + 1):
            wave = run_wave(app, args.clients, args.size, args.seconds / args.waves, folder)
            wait = statistics.median(wave.seconds) if wave.seconds else float("nan")
            counts = [str(wave.answers[name]) for name in ("done", "busy", "error")]
            rows.append([str(number), *counts, f"{wait:.1f} s", f"{memory(app):.0f} MB"])
            for error in sorted(wave.errors):
                print("error:", error)
    print(
        f"{args.clients} clients, {args.seconds:.0f} s, {args.size} px, at the start "
        f"{started:.0f} MB"
    )
    table(["wave", "done", "busy", "errors", "median wait", "memory of the app"], rows)


if __name__ == "__main__":
    main()
