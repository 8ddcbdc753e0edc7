"""The app in a process of its own, as people start it."""

from __future__ import annotations

import os
import queue
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

PATIENCE = 180.0  # seconds for the app to start, on a busy machine
# Runs a module, and prints every file and host with a certain word in its name that it opens.
WATCH = """
import runpy, sys
word = sys.argv.pop(1)
def tell(event, arguments):
    if event in ("open", "os.listdir", "os.scandir", "socket.getaddrinfo", "socket.connect"):
        if word in str(arguments):
            print("opened:", event, arguments, flush=True)
sys.addaudithook(tell)
runpy.run_module("impasto", run_name="__main__")
"""


@dataclass
class Served:
    """A running app.

    Attributes:
        url: Where it is.
        process: What runs it.
        lines: What it has logged so far.
    """

    url: str
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)


@contextmanager
def served(*options: str, watched: str | None = None) -> Iterator[Served]:
    """Run ``impasto app`` with options while the block lasts.

    With ``watched`` each file and host that it opens with this word in its name is logged.
    """
    run = ["-m", "impasto"] if watched is None else ["-c", WATCH, watched]
    command = [sys.executable, *run, "app", "--port", str(free_port()), *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    lines: list[str] = []
    found: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            if match := re.search(r"the app is at (\S+)", line):
                found.put(match[1])
        found.put(None)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        url = found.get(timeout=PATIENCE)
        assert url, "\n".join(lines)
        yield Served(url.rstrip("/"), process, lines)
    finally:
        process.terminate()
        process.wait(PATIENCE)
        reader.join()
        assert process.stdout is not None
        process.stdout.close()


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
