"""The manifest of a batch: one line of JSON for each picture that was made or failed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from impasto.errors import ImpastoError, InputError

Line = dict[str, Any]


def read_records(path: Path) -> Iterator[Line]:
    """The lines of a manifest; none if there is none, or the file is no manifest."""
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield record


class Manifest(AbstractContextManager["Manifest"]):
    """Appends a line for each item, so that a batch can be resumed however it ended.

    Args:
        path: A local file; its folder is made if need be. Lines of earlier runs stay.

    Raises:
        InputError: If the file cannot be written, or is there and is no manifest.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
        except OSError as error:
            raise InputError(f"cannot write {path}: {error.strerror or error}") from error
        if self.path.read_bytes()[:1] not in (b"", b"{"):
            self._file.close()
            raise InputError(f"cannot append to {path}: it is there and is no manifest")
        self._end_last_line()

    def __exit__(self, *_exception: object) -> None:
        """Close the file."""
        self._file.close()

    def records(self) -> Iterator[Line]:
        """The lines of the file; a line that was cut off (a power cut) is passed over."""
        return read_records(self.path)

    def finished(self) -> dict[str, str]:
        """For each output whose last record says that it is done, the key of its item."""
        last = {str(record.get("output")): record for record in self.records()}
        return {
            output: str(record.get("key"))
            for output, record in last.items()
            if record.get("status") == "done"
        }

    def write(self, record: Line) -> None:
        """Append a record.

        Raises:
            ImpastoError: If the disk is full.
        """
        try:
            self._file.write(json.dumps(record, default=str).encode() + b"\n")
        except OSError as error:
            raise ImpastoError(f"cannot write {self.path}: {error.strerror or error}") from error

    def _end_last_line(self) -> None:
        """A record must not be glued to a line that was cut off."""
        if self.path.read_bytes()[-1:] not in (b"", b"\n"):
            self._file.write(b"\n")
