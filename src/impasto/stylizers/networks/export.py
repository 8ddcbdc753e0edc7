"""Networks as ONNX files, for ONNX Runtime and whatever else reads them."""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from impasto.errors import ImpastoError, InputError, MissingExtraError
from impasto.files import atomic
from impasto.stylizers.networks.codes import StyleCode
from impasto.stylizers.networks.description import Description
from impasto.stylizers.networks.model_files import load_model
from impasto.stylizers.networks.network import ArbitraryNetwork, FastNetwork
from impasto.stylizers.networks.onnx_engine import stamp

logger = logging.getLogger(__name__)

OPSET = 18
LARGE = 4096  # bytes of a constant that is worth it
TOLERANCE = 1e-3  # largest difference from torch, of the full range; a grey level is 4e-3
CHECKED_SIZES = ((64, 80), (37, 50))


class Exported(nn.Module):
    """A part of a network with plain tensors as inputs and outputs."""

    def __init__(self, network: FastNetwork | ArbitraryNetwork) -> None:
        super().__init__()
        self.network: Any = network


class PaintStyles(Exported):
    """A per-style network: ``image``, ``style_weights`` to ``painted``."""

    def forward(self, image: Tensor, style_weights: Tensor) -> Tensor:
        """Repaint ``(1, 4, H, W)`` with style weights ``(1, S)``."""
        style = self.network.style(style_weights)
        painted: Tensor = self.network.painter(image[:, :3], style, weights=image[:, 3:])
        return painted


class PaintCode(Exported):
    """The any-style network: ``image``, ``style_mean``, ``style_square`` to ``painted``."""

    def forward(self, image: Tensor, mean: Tensor, square: Tensor) -> Tensor:
        """Repaint ``(1, 4, H, W)`` with the moments of a code."""
        style = self.network.style(StyleCode(mean, square))
        painted: Tensor = self.network.painter(image[:, :3], style, weights=image[:, 3:])
        return painted


class EncodeStyle(Exported):
    """The encoder of the any-style network: ``image`` to ``style_mean``, ``style_square``."""

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Encode ``(1, 4, h, w)``; blend codes, or weaken them, by averaging these moments."""
        code = self.network.encode(image[:, :3], image[:, 3:])
        return code.mean, code.square


@dataclass(frozen=True)
class Graph:
    """One ONNX file to be.

    Attributes:
        module: What it computes; its first input is an image of any size.
        others: The inputs after the image.
        inputs: Names of all inputs.
        outputs: Names of the outputs.
    """

    module: nn.Module
    others: tuple[Tensor, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def export(model: str | Path, output: str | Path) -> list[Path]:
    """Write a model as ONNX with dynamic height and width, compared with torch where possible.

    A per-style network becomes one file with the inputs ``image`` ``(1, 4, H, W)`` in [0, 1] and
    ``style_weights`` ``(1, S)``. The any-style network becomes two: ``NAME.style.onnx`` turns a
    style image into ``style_mean`` and ``style_square``, which ``NAME.onnx`` takes beside its
    image. Images are RGB, and in the fourth channel how much each pixel counts for the moments by
    which a network goes: alpha times mask, or 1 everywhere.

    Args:
        model: A model file.
        output: The file to write, ending in .onnx.

    Returns:
        The files written.

    Raises:
        InputError: If the model cannot be read or the file cannot be written there.
        MissingExtraError: If the packages onnx and onnxscript are not installed.
        ImpastoError: If ONNX Runtime computes something else than torch.
    """
    output = Path(output)
    if output.suffix.lower() != ".onnx":
        raise InputError(f"cannot export to {output}: the file has to end in .onnx")
    for package in ("onnx", "onnxscript"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "onnx", "exporting to ONNX")
    network, description = load_model(model)
    written = []
    for suffix, graph in _graphs(network).items():
        path = output.with_suffix(suffix)
        with atomic(path) as temporary:
            _write(graph, description, temporary)
            _compare(graph, temporary)
        written.append(path)
    return written


def _graphs(network: FastNetwork | ArbitraryNetwork) -> dict[str, Graph]:
    if isinstance(network, FastNetwork):
        styles = network.table.shape[0]
        weights = torch.full((1, styles), 1 / styles)
        names = ("image", "style_weights")
        return {".onnx": Graph(PaintStyles(network), (weights,), names, ("painted",))}
    with torch.no_grad():
        code = network.encode(torch.rand(1, 3, 64, 64))
    moments = ("style_mean", "style_square")
    return {
        ".onnx": Graph(
            PaintCode(network), (code.mean, code.square), ("image", *moments), ("painted",)
        ),
        ".style.onnx": Graph(EncodeStyle(network), (), ("image",), moments),
    }


def _write(graph: Graph, description: Description, path: Path) -> None:
    height, width = torch.export.Dim("height", min=2), torch.export.Dim("width", min=2)
    shapes = ({2: height, 3: width}, *({} for _ in graph.others))
    with _quiet():
        program = torch.onnx.export(
            graph.module.eval(),
            (torch.rand(1, 4, 64, 80), *graph.others),
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_shapes=shapes,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
        assert program is not None
        program.model.metadata_props["impasto"] = json.dumps(stamp(description))
        program.save(str(path))
    _halve(path)


def _halve(path: Path) -> None:
    """Store large constants in half precision, as model files do; runtimes widen them at first."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load(path)
    graph, wide = model.graph, []
    for constant in list(graph.initializer):
        if constant.data_type != onnx.TensorProto.FLOAT or len(constant.raw_data) < LARGE:
            continue
        half = numpy_helper.to_array(constant).astype(np.float16)
        graph.initializer.remove(constant)
        graph.initializer.append(numpy_helper.from_array(half, f"{constant.name}.half"))
        names: Any = [f"{constant.name}.half"], [constant.name]
        wide.append(onnx.helper.make_node("Cast", *names, to=onnx.TensorProto.FLOAT))
    nodes = [*wide, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, path)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the exporter tells about itself."""
    exporter = logging.getLogger("torch.onnx")
    level = exporter.level
    exporter.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        exporter.setLevel(level)


def _compare(graph: Graph, path: Path) -> None:
    """Compare the file with torch on two sizes, one of them odd."""
    if importlib.util.find_spec("onnxruntime") is None:
        logger.warning("onnxruntime is not installed, so the ONNX file was not checked")
        return
    runtime = importlib.import_module("onnxruntime")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for size in CHECKED_SIZES:
        inputs = (torch.rand(1, 4, *size), *graph.others)
        with torch.inference_mode():
            expected = graph.module(*inputs)
        arrays = {name: value.numpy() for name, value in zip(graph.inputs, inputs, strict=True)}
        difference = _difference(session.run(None, arrays), expected)
        if difference > TOLERANCE:
            raise ImpastoError(f"ONNX Runtime differs from torch by {difference:.2g}: not written")


def _difference(found: Sequence[object], expected: Tensor | Sequence[Tensor]) -> float:
    wanted = [expected] if isinstance(expected, Tensor) else expected
    pairs = zip(found, wanted, strict=True)
    return max(float((torch.as_tensor(ours) - theirs).abs().max()) for ours, theirs in pairs)
