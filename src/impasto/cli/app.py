"""``impasto app``: the web app."""

from __future__ import annotations

import argparse
import os
from typing import Any

from impasto.app.limits import Limits
from impasto.cli.arguments import add_options, collect

PASSWORD = "IMPASTO_APP_PASSWORD"


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "app",
        help="open the web app",
        description="Serve a page in which photos are repainted: on this machine, or with --host "
        "for others too. Works offline; nothing is sent anywhere. Ctrl-C ends it.",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0: for other machines"
    )
    parser.add_argument("--port", type=int, default=7860, help="port to listen on (default: 7860)")
    parser.add_argument(
        "--password",
        default=os.environ.get(PASSWORD),
        help=f"ask for it before anything is shown (or the environment's {PASSWORD})",
    )
    parser.add_argument("--open", action="store_true", help="open the page in a browser here")
    add_options(parser.add_argument_group("limits"), Limits)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    from impasto.app.server import serve

    limits = Limits(**collect(args, Limits))
    serve(args.host, args.port, password=args.password, limits=limits, open_browser=args.open)
    return 0
