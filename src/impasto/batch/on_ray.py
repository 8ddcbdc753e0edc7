"""A batch on Ray: on all cores or GPUs of this machine, or on a cluster.

Ray Data keeps the workers busy without piling work up, starts lost workers again and repeats what
they were doing. Results are written whole under a name that depends on the item alone, so that an
item that is repeated is there once; the manifest is written here, by one process.
"""

from __future__ import annotations

import dataclasses
import importlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from impasto.batch.items import Item
from impasto.batch.manifest import Line
from impasto.batch.work import Setup, Worker
from impasto.errors import ImpastoError, InputError, needs


def engine(
    address: str | None = None, workers: int | None = None, cpus: float = 1, gpus: float = 0
) -> Callable[[Sequence[Item], Setup], Iterator[Line]]:
    """Make an engine for ``run``.

    Args:
        address: Of a running cluster, "auto" for the one that this machine belongs to; left
            out, Ray is started on this machine.
        workers: How many workers; as many as the cluster has room for if left out.
        cpus: Processors for each worker, which are also its threads.
        gpus: GPUs for each worker; a share below 1 lets workers share one.

    Raises:
        InputError: If a number is too small, or this machine has no room for a worker.
        MissingExtraError: If Ray is not installed.
    """
    if (workers is not None and workers < 1) or cpus < 0 or gpus < 0:
        raise InputError("a batch on Ray needs at least 1 worker, and no less than 0 for each")
    with needs("ray", "ray", "running a batch on Ray"):
        ray: Any = importlib.import_module("ray")
        importlib.import_module("ray.data")

    def make(items: Sequence[Item], setup: Setup) -> Iterator[Line]:
        for name in ("ray", "ray.data"):  # their messages would break the progress bar
            logging.getLogger(name).setLevel(logging.ERROR)
        _connect(ray, address)
        room = _room(ray.cluster_resources(), cpus, gpus)
        if not (room or address):  # a cluster may grow
            size = f"{cpus:g} CPUs and {gpus:g} GPUs"
            raise InputError(f"this machine has no room for a worker of {size}")
        ray.data.DataContext.get_current().enable_progress_bars = False
        count = min(workers or max(1, room), len(items))
        rows = [dataclasses.asdict(item) for item in items]
        lines = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
            _RayWorker,
            fn_constructor_args=(setup, cpus),
            compute=ray.data.ActorPoolStrategy(size=count),
            num_cpus=cpus,
            num_gpus=gpus,
        )
        yield from _records(ray, lines)

    return make


def _records(ray: Any, lines: Any) -> Iterator[Line]:
    try:
        for row in lines.iter_rows():
            yield row["record"]
    except ray.exceptions.RayError as error:
        raise ImpastoError(f"Ray gave up: {_last_line(error)}") from error


class _RayWorker:
    """Keeps a model in a process of Ray's."""

    def __init__(self, setup: Setup, cpus: float) -> None:
        import torch

        threads = max(1, int(cpus))
        os.environ["OMP_NUM_THREADS"] = str(threads)  # for ONNX Runtime, whose sessions are to come
        torch.set_num_threads(threads)
        self.worker = Worker(setup)

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Make an item."""
        return {"record": self.worker.make(Item(**row))}


def _connect(ray: Any, address: str | None) -> None:
    if ray.is_initialized():
        return
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            include_dashboard=False,
        )
    except Exception as error:  # Ray raises plain ones, as where it takes too long to start
        where = f"reach Ray at {address}" if address else "start Ray"
        raise ImpastoError(f"cannot {where}: {_last_line(error)}") from error


def _room(resources: dict[str, float], cpus: float, gpus: float) -> int:
    rooms = [resources.get("CPU", 1) // cpus] if cpus else []
    if gpus:
        rooms.append(resources.get("GPU", 0) // gpus)
    return int(min(rooms, default=1))


def _last_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[-1]
