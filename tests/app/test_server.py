"""The server ends when it is asked to."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import signal, threading, time
from contextlib import nullcontext
from types import SimpleNamespace
from impasto.app import server

def end() -> None:
    time.sleep(0.5)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

server.running = lambda *_, **__: nullcontext(SimpleNamespace(local_url=""))
threading.Thread(target=end).start()
server.serve()
"""


@pytest.mark.skipif(os.name == "nt", reason="no signals to threads there")
def test_it_ends_when_another_thread_takes_the_signal() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=60)
