"""Ctrl-C as a wish that a training loop fulfils between two steps."""

from __future__ import annotations

import signal
import threading
from typing import Any


class CtrlC:
    """Turns the first Ctrl-C into a wish, so that no step is left half done; true once asked.

    The second one interrupts as ever. Signals reach the main thread alone; elsewhere this does
    nothing.
    """

    def __init__(self) -> None:
        self._asked = False
        self._before: Any = None

    def __bool__(self) -> bool:
        return self._asked

    def __enter__(self) -> CtrlC:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def _ask(self, _number: int, _frame: object) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def __exit__(self, *_exception: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
