"""From options dataclasses to command-line arguments and back."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Collection
from typing import Any, NoReturn

from impasto.errors import InputError
from impasto.options import parse_layers

INTERRUPTED = 130  # the exit code that shells report after Ctrl-C


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the whole usage above it."""

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        self.exit(2, f"impasto: {message} (see {self.prog} --help)\n")


def _told(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    """Let argparse show the message of an InputError, which it takes for any ValueError."""

    def parse_or_tell(text: str) -> Any:
        try:
            return parse(text)
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parse_or_tell


def parse_numbers(text: str) -> list[float]:
    """Read numbers divided by commas.

    Raises:
        argparse.ArgumentTypeError: If one of them is no number.
    """
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}': numbers divided by commas, as 2,1") from None


PARSERS: dict[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "LayerWeights": _told(parse_layers),
}


def add_option(parser: argparse._ActionsContainer, name: str, **keywords: Any) -> None:
    """Add a long option that may be written with ``-`` or, as in many scripts, with ``_``."""
    flags = dict.fromkeys(["--" + name.replace("_", "-"), "--" + name])
    parser.add_argument(*list(flags)[:1], dest=name, **keywords)
    if len(flags) > 1:
        keywords["help"] = argparse.SUPPRESS
        parser.add_argument(*list(flags)[1:], dest=name, **keywords)


def add_options(
    parser: argparse._ActionsContainer, options: type[Any], only: Collection[str] | None = None
) -> None:
    """Add an argument for every field of an options dataclass, or for some of them.

    Arguments that are not given stay away from the namespace, so that a preset can set them.
    """
    for item in dataclasses.fields(options):
        if only is not None and item.name not in only:
            continue
        keywords: dict[str, Any] = {
            "help": f"{item.metadata['help']} {_default(item)}".rstrip(),
            "default": argparse.SUPPRESS,
        }
        if item.type == "bool":
            keywords["action"] = "store_true"
        else:
            keywords["metavar"] = item.metadata["metavar"] or _metavar(item)
            keywords["type"] = PARSERS.get(str(item.type), str)
            keywords["choices"] = item.metadata["choices"]
        add_option(parser, item.name, **keywords)


def collect(args: argparse.Namespace, options: type[Any]) -> dict[str, Any]:
    """The values of an options dataclass that were given on the command line."""
    known = names(options)
    return {name: value for name, value in vars(args).items() if name in known}


def names(options: type[Any]) -> set[str]:
    """The names of the fields of an options dataclass."""
    return {item.name for item in dataclasses.fields(options)}


def _metavar(item: dataclasses.Field[Any]) -> str | None:
    return None if item.metadata["choices"] else {"int": "N", "float": "X"}.get(str(item.type))


def _default(item: dataclasses.Field[Any]) -> str:
    value = item.default
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return f"(default: {value})"
    return ""
