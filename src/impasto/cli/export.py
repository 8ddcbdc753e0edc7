"""``impasto export``: write a network as ONNX."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from impasto.cli.outputs import check_outputs


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "export",
        help="write a network as ONNX",
        description=(
            "Write a network as ONNX with dynamic height and width, compared with torch where "
            "onnxruntime is installed. The arbitrary style network becomes two files: FILE.onnx "
            "and FILE.style.onnx, which encodes a style image."
        ),
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="a model file (.safetensors)")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE.onnx", help="default: beside the model"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    output = args.output or args.model.with_suffix(".onnx")
    check_outputs({"-o": output}, [args.model])
    from impasto.stylizers.networks.export import export

    for path in export(args.model, output):
        print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return 0
