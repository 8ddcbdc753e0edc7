"""The command line: options in, progress out. No painting here, and no heavy imports."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from impasto.cli import (
    app,
    batch,
    compare,
    demo,
    evaluate,
    export,
    features,
    gallery,
    reconstruct,
    stylize,
    train,
    video,
    webcam,
    weights,
)
from impasto.cli.arguments import INTERRUPTED, Parser
from impasto.errors import ImpastoError
from impasto.version import __version__

COMMANDS = (
    demo,
    stylize,
    app,
    gallery,
    batch,
    video,
    webcam,
    compare,
    evaluate,
    reconstruct,
    features,
    train,
    export,
    weights,
)


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = Parser(
        prog="impasto",
        description="Neural style transfer: repaint a photo in the manner of an artwork.",
    )
    parser.add_argument("--version", action="version", version=f"impasto {__version__}")
    parser.add_argument("-v", "--verbose", action="store_true", help="show debugging messages")
    parser.add_argument("-q", "--quiet", action="store_true", help="show warnings and errors only")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: done. 1: something failed on the way. 2: the input cannot be used. 130: interrupted.
    """
    args = build_parser().parse_args(arguments)
    level = logging.DEBUG if args.verbose else logging.WARNING if args.quiet else logging.INFO
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr, force=True)
    logging.getLogger("impasto").setLevel(level)
    try:
        return int(args.run(args))
    except ImpastoError as error:
        if args.verbose:
            logging.getLogger("impasto").exception("the whole story:")
        print(f"impasto: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("impasto: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone; leave without a second error at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
