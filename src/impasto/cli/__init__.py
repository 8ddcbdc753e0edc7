"""The command line: options in, progress out. No painting here, and no heavy imports."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import gc
import io
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
    style,
    stylize,
    train,
    video,
    webcam,
    weights,
)
from impasto.cli.arguments import INTERRUPTED, Parser
from impasto.errors import ImpastoError, torch_needed
from impasto.version import __version__

COMMANDS = (
    demo,
    stylize,
    app,
    gallery,
    style,
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
    parser.set_defaults(verbose=False, quiet=False)
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(subparsers)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    0: done. 1: something failed on the way. 2: the input cannot be used. 130: interrupted.
    """
    _prepare_streams()
    _spare_the_collector()
    args = build_parser().parse_args(arguments)
    level = logging.DEBUG if args.verbose else logging.WARNING if args.quiet else logging.INFO
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr, force=True)
    logging.getLogger("impasto").setLevel(level)
    try:
        with torch_needed():
            code = int(args.run(args))
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except ImpastoError as error:
        if args.verbose:
            logging.getLogger("impasto").exception("the whole story:")
        print(f"impasto: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("impasto: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone
        _leave_stdout()
        return 1
    except OSError as error:  # a full disk behind stdout, a system that refuses
        where = f": {error.filename}" if error.filename else ""
        print(f"impasto: {error.strerror or error}{where}", file=sys.stderr)
        _leave_stdout()
        return 1


def _prepare_streams() -> None:
    """Make of what a shell or service leaves us streams that can be written to."""
    if sys.stderr is None:  # closed; print would take stdout for it
        sys.stderr = open(os.devnull, "w")  # noqa: PTH123, SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names that it cannot encode
    for stream in (sys.stdin, sys.stdout):
        with contextlib.suppress(AttributeError, OSError, ValueError):  # closed, or not of a file
            os.set_blocking(stream.fileno(), True)  # a full pipe is waited for


def _spare_the_collector() -> None:
    """Search the modules less often for garbage, and not once more at exit: half a second's work.

    Torch brings hundreds of thousands of objects that live as long as the process.
    """
    gc.set_threshold(10_000)
    atexit.register(gc.freeze)


def _leave_stdout() -> None:
    """Keep Python from trying to flush, and failing, once more at exit."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
