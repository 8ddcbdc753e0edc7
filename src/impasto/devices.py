"""The device and the number format of a computation."""

from __future__ import annotations

import ctypes
import functools
import logging
import os
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch

from impasto.errors import InputError
from impasto.options import Precision

logger = logging.getLogger(__name__)

KINDS = ("cuda", "xpu", "mps", "cpu")

# glibc's numbers of the settings (malloc.h).
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4


@contextmanager
def own_state() -> Iterator[None]:
    """Torch as an optimisation needs it, whatever the code around it has set for this thread.

    With gradients, in the numbers that were asked for, new tensors on the CPU. Also a decorator.
    """
    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        for kind in ("cpu", "cuda"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        yield


@contextmanager
def fewer_threads(device: torch.device, most: Callable[[], int]) -> Iterator[None]:
    """Compute with no more threads than so many, which is asked where there is a choice."""
    before = torch.get_num_threads()
    if device.type == "cpu" and before > 1:
        torch.set_num_threads(min(before, most()))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def available() -> list[str]:
    """Names of the devices that can be used here, the fastest kind first."""
    found = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    found += [f"xpu:{i}" for i in range(torch.xpu.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def pick_device(name: str = "auto") -> torch.device:
    """Return the device of this name; the fastest kind there is for "auto".

    Raises:
        InputError: If the name is unknown or the device is not there. Never another device
            than the one that was asked for.
    """
    found = available()
    if name == "auto":
        return torch.device(found[0])
    if name.partition(":")[0] not in KINDS:
        raise InputError(f"unknown device '{name}': use auto, {', '.join(found)}")
    matches = [device for device in found if name in (device, device.partition(":")[0])]
    if not matches:
        raise InputError(f"the device '{name}' is not here: this machine has {', '.join(found)}")
    return torch.device(matches[0])


def describe(device: torch.device) -> str:
    """The device for a person: its name and, on a CPU, the number of threads."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        return f"cpu ({torch.get_num_threads()} threads)"
    return str(device)


def pick_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """The dtype in which a backbone runs; for "auto" bfloat16 where hardware multiplies it."""
    if precision == "auto":
        fast = _has_fast_bfloat16(device)
        return torch.bfloat16 if fast else torch.float32
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


def _has_fast_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if device.type == "cpu" and platform.machine().lower() in ("x86_64", "amd64"):
        # torch tells this under private names only; without them float32 is always right.
        checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        return any(getattr(torch.cpu, check, bool)() for check in checks)
    return False


def used_memory(device: torch.device) -> int:
    """Bytes that this process takes on a device (all of the process on a CPU)."""
    if device.type in ("cuda", "xpu"):
        return int(getattr(torch, device.type).memory_allocated(device))
    import psutil

    return int(psutil.Process().memory_info().rss)


def free_memory(device: torch.device) -> int:
    """Bytes that this process may still take on a device."""
    if device.type in ("cuda", "xpu"):
        kind = getattr(torch, device.type)
        # What torch has reserved and does not use is free for this process.
        unused = kind.memory_reserved(device) - kind.memory_allocated(device)
        return int(kind.mem_get_info(device)[0] + unused)
    import psutil

    return min(int(psutil.virtual_memory().available), _left_to_container())


def _left_to_container() -> int:
    """Bytes left of the limit that Linux' control groups (v2) set, as in a container."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text())
        return max(0, limit - int((group / "memory.current").read_text()))
    except (OSError, ValueError):  # no such file, or "max": no limit
        return sys.maxsize


@functools.cache
def keep_memory() -> None:
    """Make glibc keep freed memory instead of returning it after every layer.

    By default each large feature map is fresh memory from the system, and its page faults take
    up to half of a CPU run. Set IMPASTO_MALLOC=system to leave the allocator alone. Does nothing
    where the C library is not glibc.
    """
    if os.environ.get("IMPASTO_MALLOC") == "system":
        return
    _tell_glibc("mallopt", _M_MMAP_MAX, 0)
    _tell_glibc("mallopt", _M_TRIM_THRESHOLD, 2**31 - 1)


def release_memory() -> None:
    """Give freed memory back to the system, between pieces of work (see ``keep_memory``).

    glibc keeps what each thread has freed in an arena of its own, in pieces that larger tensors do
    not fit into: a server whose work goes from thread to thread, or a run whose image grows, would
    take a multiple of what it needs. Does nothing where the C library is not glibc.
    """
    _tell_glibc("malloc_trim", 0)


def _tell_glibc(function: str, *numbers: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    try:
        getattr(ctypes.CDLL("libc.so.6"), function)(*numbers)
    except (OSError, AttributeError):
        logger.debug("no glibc here: its allocator is left alone")
