"""From options dataclasses to command-line arguments and back."""

from __future__ import annotations

import argparse
import dataclasses
import difflib
from collections.abc import Callable, Collection, Sequence
from typing import Any, NoReturn

from impasto.cli.classics import renamed
from impasto.errors import InputError
from impasto.options import LayerWeights, choices, kinds, names, parse_layers

INTERRUPTED = 130  # the exit code that shells report after Ctrl-C


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, and whose options may stand anywhere."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        self._mixes = True
        self.mixed = self.parse_known_intermixed_args  # batch has a way of its own
        common: dict[str, Any] = {"action": "store_true", "default": argparse.SUPPRESS}
        self.add_argument("-v", "--verbose", help="show debugging messages", **common)
        self.add_argument("-q", "--quiet", help="show warnings and errors only", **common)

    def add_subparsers(self, **keywords: Any) -> Any:
        """Leave what follows the name of a subcommand to its parser."""
        self._mixes = False
        return super().add_subparsers(**keywords)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Take options before, between and after the positional arguments, as commands do."""
        if not self._mixes:
            return super().parse_known_args(args, namespace)
        options = self._option_string_actions
        if told := renamed(args, options):
            self.error(f"{told} here")
        self._mixes = False  # parse_known_intermixed_args calls this method
        try:
            namespace, rest = self.mixed(_as_paths(args), namespace)
        finally:
            self._mixes = True
        if unknown := [argument for argument in rest if argument.startswith("-")]:
            flag = unknown[0].partition("=")[0]
            plain = [option for option in options if "_" not in option]
            near = difflib.get_close_matches(flag.replace("_", "-"), plain, n=2)
            hint = f", did you mean {' or '.join(near)}?" if near else ""
            self.error(f"unknown option {flag}{hint}")
        return namespace, rest

    def error(self, message: str) -> NoReturn:
        """Exit with code 2."""
        self.exit(2, f"impasto: {message} (see {self.prog} --help)\n")


def _as_paths(args: Sequence[str]) -> list[str]:
    """Arguments with ``./`` before those behind ``--`` that would still be taken for options."""
    end = args.index("--") if "--" in args else len(args)
    before, files = args[: end + 1], args[end + 1 :]
    return [*before, *(f"./{name}" if name[:1] == "-" != name else name for name in files)]


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


METAVARS: dict[Any, str] = {int: "N", float: "X"}
PARSERS: dict[Any, Callable[[str], Any]] = {
    int: int,
    float: float,
    LayerWeights: _told(parse_layers),
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
    fields, types = {item.name: item for item in dataclasses.fields(options)}, kinds(options)
    for name in names(options) if only is None else only:
        item, kind = fields[name], types[name]
        keywords: dict[str, Any] = {
            "help": f"{item.metadata['help']} {_default(item)}".rstrip(),
            "default": argparse.SUPPRESS,
        }
        if kind is bool:
            keywords["action"] = "store_true"
        else:
            keywords["metavar"] = item.metadata["metavar"] or METAVARS.get(kind)
            keywords["type"] = PARSERS.get(kind, str)
            keywords["choices"] = choices(kind) or None
        add_option(parser, name, **keywords)


def collect(args: argparse.Namespace, options: type[Any]) -> dict[str, Any]:
    """The values of an options dataclass that were given on the command line."""
    known = names(options)
    return {name: value for name, value in vars(args).items() if name in known}


def _default(item: dataclasses.Field[Any]) -> str:
    value = item.default
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return f"(default: {value})"
    return ""
