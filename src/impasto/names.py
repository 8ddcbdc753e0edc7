"""Names that people type: the nearest known ones in a message, equal ones told apart."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from impasto.errors import InputError


def must_be_known(what: str, name: object, known: Collection[str]) -> None:
    """Raise InputError, with the nearest names, unless a name is among those known."""
    if not isinstance(name, str):
        raise InputError(f"{what} has to be text, not {name!r}: choose {', '.join(known)}")
    if name not in known:
        raise InputError(f"unknown {what} {name!r}: {nearest(name, known)}")


def nearest(name: str, known: Collection[str]) -> str:
    """A hint at the known names nearest to one, or at all of them where none is near."""
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"choose {', '.join(known)}"


def told_apart(names: Iterable[str]) -> list[str]:
    """The names, with a number after those that have occurred before: ``a``, ``a (2)``."""
    apart: list[str] = []
    for name in names:
        number, unused = 1, name
        while unused in apart:
            number += 1
            unused = f"{name} ({number})"
        apart.append(unused)
    return apart
