"""What a node looks like from outside, told once for both of ComfyUI's contracts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from impasto.options import choices, kinds

CATEGORY = "Impasto"

_KINDS: dict[Any, str] = {int: "INT", float: "FLOAT"}


@dataclass(frozen=True)
class Socket:
    """An input or an output of a node.

    Attributes:
        name: Its name; inputs are handed over by it.
        kind: IMAGE, MASK, INT, FLOAT, COMBO or STRING.
        tooltip: One sentence.
        optional: Whether a node runs without it.
        widget: For a value that is set in the node: default, min, max and step, or options.
    """

    name: str
    kind: str
    tooltip: str
    optional: bool = False
    widget: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Node:
    """A node.

    Attributes:
        id: Its name in workflows.
        title: Its name for people.
        description: What it does.
        inputs: In the order in which they are shown.
        outputs: In the order in which ``run`` returns them.
        run: Does it, given the inputs by their names.
    """

    id: str
    title: str
    description: str
    inputs: tuple[Socket, ...]
    outputs: tuple[Socket, ...]
    run: Callable[..., tuple[Any, ...]]


def option(owner: type, name: str, **widget: Any) -> Socket:
    """The input for an option of Impasto, with its default, limits and help.

    Args:
        owner: The dataclass of the options.
        name: The option.
        **widget: What the option does not say or says otherwise.
    """
    item = next(each for each in dataclasses.fields(owner) if each.name == name)
    limits, kind = item.metadata, kinds(owner)[name]
    if "options" in widget or choices(kind):
        told = {"default": item.default, "options": list(choices(kind)), **widget}
        return Socket(name, "COMBO", limits["help"], widget=told)
    told = {"default": item.default, "min": limits["minimum"], "max": limits["maximum"], **widget}
    told = {key: value for key, value in told.items() if isfinite(value)}
    return Socket(name, _KINDS[kind], limits["help"], widget=told)
