"""Running a network in ONNX Runtime, on the CPU, without importing torch."""

from __future__ import annotations

import functools
import importlib.util
import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from impasto.cores import free_cores
from impasto.errors import ImpastoError, InputError, MissingExtraError
from impasto.stylizers.networks.codes import StyleCode
from impasto.stylizers.networks.description import Description, describe
from impasto.stylizers.networks.engines import Code, Floats, Style
from impasto.stylizers.networks.options import NetworkOptions


class OnnxEngine:
    """Runs exported networks in ONNX Runtime on the CPU.

    Args:
        model: The model file whose ONNX files lie beside it.

    Raises:
        MissingExtraError: If onnxruntime is not installed.
        InputError: If the ONNX files are missing or of another state of the model.
    """

    def __init__(self, model: Path) -> None:
        if importlib.util.find_spec("onnxruntime") is None:
            raise MissingExtraError("onnxruntime", "onnx", "the onnx engine")
        if reason := _unfit(model):
            raise InputError(reason)
        self.model = model
        self._threads = free_cores()

    @property
    def settings(self) -> dict[str, object]:
        """See ``Engine``."""
        runtime = importlib.import_module("onnxruntime")
        return {"engine": "onnx", "onnxruntime": runtime.__version__, "device": "cpu"}

    def paint(self, image: Floats, style: Style, weights: Floats | None = None) -> Floats:
        """See ``Engine``."""
        painted: Floats = self._run(".onnx", _counted(image, weights), *style)[0]
        return painted

    def encode(self, image: Floats, weights: Floats | None = None) -> Code:
        """See ``Engine``."""
        return StyleCode(*self._run(".style.onnx", _counted(image, weights)))

    def _run(self, suffix: str, *inputs: Floats) -> Any:
        path = self.model.with_suffix(suffix)
        session = _session(path, path.stat().st_mtime_ns, self._threads)
        names = [each.name for each in session.get_inputs()]
        try:
            return session.run(None, dict(zip(names, inputs, strict=True)))
        except Exception as error:
            # The classes of ONNX Runtime's errors are private to its extension module.
            if "alloc" not in str(error).lower():
                raise
            height, width = inputs[0].shape[2:]
            raise ImpastoError(
                f"not enough memory for {width} x {height} px: lower --max-size or --tile"
            ) from error


# Reading a file takes longer than painting a small picture, and whoever paints many makes many
# engines: the last files stay open, each for the numbers of threads that were free.
@functools.lru_cache(maxsize=4)
def _session(path: Path, changed: int, threads: int) -> Any:
    """A session of a file that was ``changed`` then; it may run in several threads at once."""
    runtime = importlib.import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _counted(image: Floats, weights: Floats | None) -> Floats:
    """An image with, as its fourth channel, how much each pixel counts."""
    shares = np.ones_like(image[:, :1]) if weights is None else weights
    return np.concatenate([image, shares], axis=1)


def _unfit(model: Path) -> str | None:
    """The reason why the ONNX files beside a model cannot replace it; None if they can."""
    description = describe(model)
    suffixes = [".onnx"] if description.kind == "fast" else [".onnx", ".style.onnx"]
    for suffix in suffixes:
        path = model.with_suffix(suffix)
        if not path.is_file():
            return f"there is no {path}: `impasto export {model}` writes it"
        if json.dumps(stamp(description)).encode() not in path.read_bytes():
            return f"{path} was exported from another state of {model}: `impasto export` it again"
    return None


def stamp(description: Description) -> dict[str, Any]:
    """The description of a model as the metadata of its ONNX files hold it."""
    fields: dict[str, Any] = json.loads(json.dumps(asdict(description), default=str))
    return fields


def chosen_onnx_engine(model: Path, options: NetworkOptions) -> OnnxEngine | None:
    """ONNX Runtime's engine, where the options ask for it, or leave the choice and it is at hand.

    Raises:
        MissingExtraError: If it was asked for and onnxruntime is not installed.
        InputError: If it was asked for and the ONNX files cannot replace the model.
    """
    asked = options.engine == "onnx"
    if not (asked or _leave_the_choice(options)):
        return None
    try:
        return OnnxEngine(model)
    except (InputError, MissingExtraError):
        if asked:
            raise
        return None


def _leave_the_choice(options: NetworkOptions) -> bool:
    """Whether ONNX Runtime may be taken.

    Never where there may be a GPU for torch: only torch can tell, and importing it takes longer
    than painting.
    """
    if options.engine != "auto" or options.precision == "bfloat16":
        return False
    if importlib.util.find_spec("torch") is None:
        return options.device in ("auto", "cpu")
    return options.device == "cpu" or (options.device == "auto" and not _may_have_gpu())


def _may_have_gpu() -> bool:
    if sys.platform == "darwin":
        return True
    signs = ("/dev/nvidiactl", "/dev/kfd")
    return any(Path(sign).exists() for sign in signs) or shutil.which("nvidia-smi") is not None
