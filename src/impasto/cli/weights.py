"""``impasto weights``: list, download and import the weights of the backbones."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.arguments import INTERRUPTED
from impasto.cli.bars import download_bar
from impasto.cli.tables import aligned
from impasto.errors import InputError

if TYPE_CHECKING:
    from impasto.backbones import KnownBackbone


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command with its four actions."""
    parser = subparsers.add_parser(
        "weights",
        help="list, download and import the weights of the backbones",
        description="List, download and import the weights of the backbones.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    listing = actions.add_parser("list", help="list the backbones and where their weights are")
    listing.set_defaults(run=_list)

    download = actions.add_parser("download", help="download weights into the cache")
    download.add_argument("names", nargs="+", metavar="NAME", help="vgg19, or torchvision's vgg16")
    download.set_defaults(run=_download)

    importing = actions.add_parser("import", help="convert a weights file into the cache")
    importing.add_argument("file", type=Path, metavar="FILE", help=".safetensors, .pth or .pt")
    importing.add_argument(
        "--name", metavar="NAME", help="the network it holds; recognised by its shapes if left out"
    )
    importing.set_defaults(run=_import)

    path = actions.add_parser("path", help="print the cache folder, or the file of a backbone")
    path.add_argument("name", nargs="?", metavar="NAME", help="the backbone whose file to print")
    path.set_defaults(run=_path)


def _list(_: argparse.Namespace) -> int:
    from impasto.backbones import BACKBONES

    rows = [("name", "state", "size", "licence", "file")]
    rows += [_row(entry) for entry in BACKBONES.values()]
    for line in aligned(rows):
        print(line)
    return 0


def _row(entry: KnownBackbone) -> tuple[str, str, str, str, str]:
    """A backbone's row of the table."""
    from impasto.backbones.fetch import partial_path
    from impasto.backbones.published import read_metadata
    from impasto.backbones.weights import cached_path, embedded_path, find, original_path

    licence = entry.licence
    if entry.checkpoint is None:
        file, state = embedded_path(entry.name), "embedded"
    elif found := find(entry.checkpoint):
        file, state = found, "cached" if found == cached_path(entry.name) else "given"
        licence = read_metadata(found).get("licence", "unknown")
    elif entry.embedded:
        file, state = embedded_path(entry.name), "embedded, in 8 bits"
    elif (part := partial_path(original_path(entry.checkpoint))).is_file():
        file, state = part, "partly downloaded"
    else:
        return entry.name, "not downloaded", _megabytes(entry.checkpoint.size), licence, "-"
    size = _megabytes(file.stat().st_size) if file.is_file() else "missing"
    return entry.name, state, size, licence, str(file)


def _download(args: argparse.Namespace) -> int:
    from impasto.backbones import find_entry
    from impasto.backbones.weights import download

    entries = [find_entry(name) for name in args.names]
    for entry in entries:
        if entry.checkpoint is None:
            print(f"{entry.name} is embedded: there is nothing to download")
            continue
        try:
            with download_bar(entry.name) as progress:
                path = download(entry.checkpoint, progress)
        except KeyboardInterrupt:
            print(
                "stopped; what has arrived is kept: "
                f"`impasto weights download {entry.name}` goes on from there",
                file=sys.stderr,
            )
            return INTERRUPTED
        print(_summary(entry.name, path))
    return 0


def _import(args: argparse.Namespace) -> int:
    from impasto.backbones.published import CHECKPOINTS
    from impasto.backbones.weights import import_weights

    if args.name is not None and args.name not in CHECKPOINTS:
        raise InputError(f"cannot import '{args.name}': --name is {' or '.join(CHECKPOINTS)}")
    path = import_weights(args.file, args.name)
    print(_summary(path.stem, path))
    return 0


def _path(args: argparse.Namespace) -> int:
    from impasto.backbones import find_entry
    from impasto.backbones.weights import cache_folder, embedded_path, find, unavailable

    if args.name is None:
        print(cache_folder())
        return 0
    entry = find_entry(args.name)
    path = find(entry.checkpoint) if entry.checkpoint else None
    if path is None and entry.embedded:
        path = embedded_path(entry.name)
    if path is None:
        raise unavailable(entry.name, "not downloaded yet")
    print(path)
    return 0


def _summary(name: str, path: Path) -> str:
    return f"{name}: {_megabytes(path.stat().st_size)} in {path}"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
