"""The file from which a training goes on."""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from impasto.errors import ImpastoError, InputError
from impasto.files import atomic

logger = logging.getLogger(__name__)

SECONDS = 180.0

# What torch raises for files that are not its own, or not whole.
_DAMAGES = (OSError, EOFError, RuntimeError, LookupError, TypeError, ValueError)

State = dict[str, Any]


class CheckpointFile:
    """A file that holds the state of a training, renewed every few minutes.

    Args:
        path: The file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written = time.monotonic()

    def read(self, settings: Mapping[str, Any]) -> State:
        """Return the state of a training with these settings.

        Raises:
            InputError: If it cannot be read, or was made with other settings.
        """
        try:
            state = torch.load(self.path, map_location="cpu", weights_only=True)
            theirs = dict(state["settings"])
        except (*_DAMAGES, pickle.UnpicklingError) as error:
            raise InputError(f"cannot resume from '{self.path}': it is no checkpoint") from error
        if changed := [name for name in settings if theirs.get(name) != settings[name]]:
            was = ", ".join(f"{name} {theirs.get(name)}" for name in changed)
            raise InputError(f"the checkpoint '{self.path}' was made with other settings: {was}")
        return dict(state)

    def write(self, state: State) -> None:
        """Write the state, whole or not at all.

        Raises:
            ImpastoError: If it cannot be written; what was there stays as it was.
        """
        with atomic(self.path) as temporary:
            try:
                torch.save(state, temporary)
            except RuntimeError as error:  # how torch reports a full disk
                raise ImpastoError(f"cannot write the checkpoint {self.path}: {error}") from error
        self._written = time.monotonic()

    def renew(self, state: Callable[[], State]) -> None:
        """Write the state if some minutes have passed; a full disk may be emptied in time."""
        if time.monotonic() - self._written < SECONDS:
            return
        self._written = time.monotonic()
        fresh = state()
        try:
            self.write(fresh)
        except ImpastoError as error:
            logger.warning("%s; the run goes on without", error)
