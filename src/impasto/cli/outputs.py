"""Refusing before a run what its outputs could not be, or would destroy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from impasto.errors import InputError
from impasto.files import check_place, identity

FilePath = str | os.PathLike[str]


def check_outputs(
    outputs: Mapping[str, FilePath | None], inputs: Iterable[FilePath | None], *, hint: str = ""
) -> None:
    """Check that every output can be written, and is no other output and no input.

    Args:
        outputs: By the options that name them; None where there is none.
        inputs: What is read; names that are no files do no harm.
        hint: Added where an input would be replaced.

    Raises:
        InputError: If one cannot be, or two are one file, also through links.
    """
    there = (path for path in inputs if path and os.path.exists(path))  # noqa: PTH110, never raises
    read = {identity(path): path for path in there}
    written: dict[object, str] = {}
    for option, path in outputs.items():
        if path is None:
            continue
        check_place(path)
        file = identity(path)
        if file in read:
            problem = f"{option} {path} would replace {read[file]}, which is read"
            raise InputError(f"{problem}: give another name{hint}")
        other = written.setdefault(file, option)
        if other != option:
            raise InputError(f"{other} and {option} are both {path}: give each a file of its own")


def check_numbered(output: FilePath, others: Iterable[FilePath | None]) -> None:
    """Check that pictures numbered after an output, as ``out_0050.png``, replace no other file.

    Raises:
        InputError: If one is called like this.
    """
    output = Path(output)
    name = re.compile(rf"{re.escape(output.stem)}_\d{{4,}}{re.escape(output.suffix)}")
    folder = identity(output.parent)
    for path in (Path(other) for other in others if other):
        if name.fullmatch(path.name) and identity(path.parent) == folder:
            raise InputError(f"--save-every could replace {path}: give -o another name")
