"""Devices and precisions: what is asked for, or an error."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any

import psutil
import pytest
import torch

from impasto import devices
from impasto.cores import LOOK, free_cores
from impasto.errors import InputError


def test_the_fastest_kind_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "available", lambda: ["cuda:0", "cuda:1", "cpu"])
    assert devices.pick_device() == torch.device("cuda:0")
    assert devices.pick_device("cuda") == torch.device("cuda:0")
    assert devices.pick_device("cuda:1") == torch.device("cuda:1")
    assert devices.pick_device("cpu") == torch.device("cpu")
    for absent in ("cuda:2", "mps", "xpu"):
        with pytest.raises(InputError, match=f"'{absent}' is not here: this machine has cuda:0"):
            devices.pick_device(absent)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="unknown device 'gpu'"):
        devices.pick_device("gpu")


def test_the_cpu_is_always_there() -> None:
    assert devices.available()[-1] == "cpu"
    assert "threads" in devices.describe(torch.device("cpu"))


def test_precision_is_as_asked() -> None:
    cpu = torch.device("cpu")
    assert devices.pick_dtype("float32", cpu) == torch.float32
    assert devices.pick_dtype("bfloat16", cpu) == torch.bfloat16
    assert devices.pick_dtype("auto", cpu) in (torch.float32, torch.bfloat16)
    assert devices.pick_dtype("auto", torch.device("mps")) == torch.float32


def test_the_allocator_is_left_alone_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(_name: str) -> None:
        raise AssertionError("the C library was touched")

    monkeypatch.setenv("IMPASTO_MALLOC", "system")
    monkeypatch.setattr("ctypes.CDLL", forbidden)
    devices.keep_memory.cache_clear()
    devices.keep_memory()
    devices.keep_memory.cache_clear()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the C library is not glibc")
def test_freed_memory_is_given_back() -> None:
    code = """
import threading, numpy, psutil
from impasto import devices
devices.keep_memory()

together, last = threading.Barrier(2), []

def work():
    blocks = [numpy.ones(8_000_000, numpy.uint8) for _ in range(25)]
    together.wait()  # neither takes what the other has freed
    last.append(blocks.pop())  # what lies below it glibc does not give back by itself

threads = [threading.Thread(target=work) for _ in range(2)]
for each in threads: each.start()
for each in threads: each.join()

def taken():
    memory = psutil.Process().memory_full_info()
    return memory.uss + memory.swap

kept = taken()
devices.release_memory()
print((kept - taken()) / 1e6)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert float(done.stdout) > 150


def spent(seconds: float, idle: float) -> Iterator[Any]:
    """What the system says before and after so many seconds of all cores, idle for a share."""
    zero = psutil.cpu_times()._replace(**dict.fromkeys(psutil.cpu_times()._fields, 0.0))
    later = zero._replace(user=(1 - idle) * seconds, idle=idle * seconds)
    return chain([zero], repeat(later))


def test_threads_are_those_of_free_cores_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that shares its core with somebody else makes all the others wait."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.setattr("time.process_time", lambda: 0.0)  # all of it is somebody else's
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        for idle, threads in ((1.0, 4), (0.52, 2), (0.03, 1)):
            ticks = spent(4 * LOOK, idle)
            monkeypatch.setattr("psutil.cpu_times", lambda ticks=ticks: next(ticks))
            with devices.fewer_threads(torch.device("cpu"), free_cores):
                assert torch.get_num_threads() == threads
            assert torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(("spinning", "free"), [(True, 2), (False, 1)])
def test_threads_of_this_process_leave_their_cores_free(
    monkeypatch: pytest.MonkeyPatch, spinning: bool, free: int
) -> None:
    """Those of torch wait busily for a while after each operation."""

    clock = [0.0]

    def half_busy(interval: float) -> float:
        clock[0] += interval
        return 50.0

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    monkeypatch.setattr("psutil.cpu_percent", half_busy)
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    monkeypatch.setattr("time.process_time", lambda: clock[0] if spinning else 0.0)
    assert free_cores() == free
