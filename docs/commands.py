"""Writes the reference of the commands from their parsers; mkdocs-gen-files runs it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import mkdocs_gen_files

from impasto.cli import build_parser

Subcommands = argparse._SubParsersAction  # argparse has no public name for it


def pages(parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    """The Markdown of a command and of its subcommands."""
    yield f"{'#' * level} `{parser.prog}`\n"
    yield f"{parser.description}\n"
    subcommands = [action for action in parser._actions if isinstance(action, Subcommands)]
    for group in parser._action_groups:
        shown = [
            action
            for action in group._group_actions
            if action.help != argparse.SUPPRESS and not isinstance(action, Subcommands)
        ]
        if shown:
            yield f"**{group.title}**\n"
            yield "| argument | what it does |\n|---|---|"
            yield "\n".join(map(_row, shown)) + "\n"
    if parser.epilog:
        yield f"{parser.epilog}\n"
    for action in subcommands:
        for command in action.choices.values():
            yield from pages(command, min(level + 1, 4))


def _row(action: argparse.Action) -> str:
    choices = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else ""
    value = str(action.metavar or choices or action.dest.upper())
    if action.nargs == 0:
        value = ""
    repeated = " ..." if action.nargs in ("+", "*") else ""
    flags = ", ".join(action.option_strings)
    name = f"{flags} {value}{repeated}".strip().replace("|", "\\|")
    return f"| `{name}` | {(action.help or '').replace('|', chr(92) + '|')} |"


with mkdocs_gen_files.open("reference/commands.md", "w") as file:
    file.write("# Commands\n\nGenerated from the program itself; `--help` says the same.\n\n")
    file.write("\n".join(pages(build_parser(), 2)))
