"""Reads and writes VGG checkpoints: what a file holds, and whether it can be trusted."""

from __future__ import annotations

import logging
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from impasto.backbones.base import IMAGENET_MEAN, IMAGENET_STD
from impasto.backbones.fetch import file_sha256
from impasto.backbones.published import CHECKPOINTS, read_metadata
from impasto.backbones.vgg import CONVOLUTIONS, WIDTHS, stage_names
from impasto.errors import InputError
from impasto.files import atomic

logger = logging.getLogger(__name__)

# VGG as its authors trained it in Caffe expects BGR from 0 to 255, less this mean (of RGB).
CAFFE_MEAN = (123.68, 116.779, 103.939)
# How the SHA-256 of J. Johnson's conversions of it begins: vgg16-00b39a1b, vgg19-d01eb7cb.
_CAFFE_FILES = ("00b39a1b", "d01eb7cb")
# The root mean square of a first layer for inputs around 1 is ten times this, or more.
_LEAST_FIRST = 0.02

CONVOLUTION = re.compile(r"(?:module\.)?(features\.\d+\.(?:weight|bias))")


def load_convolutions(path: Path, name: str | None = None) -> tuple[str, dict[str, Tensor]]:
    """Load the convolutions of a VGG from a file, without ever running code from it.

    Weights in Caffe's convention are converted to torchvision's.

    Args:
        path: A ``.safetensors`` file or a torch checkpoint (``.pth``, ``.pt``), with torchvision's
            parameter names; a classifier in it is ignored, the deepest blocks may be missing.
        name: The network it must be, "vgg16" or "vgg19"; recognised by its shapes if left out.

    Returns:
        The name of the network, and its parameters in float32 under torchvision's names.

    Raises:
        InputError: If the file cannot be read, or is not (that) VGG.
    """
    state = _read(path)
    candidates = recognize(state)
    if not candidates:
        raise InputError(f"{path} does not hold the convolutions of a VGG-16 or VGG-19")
    if name is None and len(candidates) > 1:
        raise InputError(f"{path} is too short to tell {' from '.join(candidates)}: say which")
    if name is not None and name not in candidates:
        raise InputError(f"{path} holds {candidates[0]}, not {name}")
    full = {key: _float(tensor, key, path) for key, tensor in state.items()}
    return name or candidates[0], _as_torchvision(full, path)


def recognize(state: Mapping[str, Tensor]) -> list[str]:
    """Names of the networks whose first convolutions have exactly these parameters."""
    found = {key: tuple(tensor.shape) for key, tensor in state.items()}
    return [
        name
        for name in CONVOLUTIONS
        if found and found == dict(list(_shapes(name).items())[: len(found)])
    ]


def save_half(state: Mapping[str, Tensor], metadata: Mapping[str, str], path: Path) -> None:
    """Write parameters in half precision as a safetensors file, atomically.

    Args:
        state: Parameters in float32.
        metadata: What to keep with them.
        path: The file to write or replace.

    Raises:
        InputError: If a value is beyond half precision.
        ImpastoError: If the file cannot be written.
    """
    half = {key: tensor.half() for key, tensor in state.items()}
    for key, tensor in half.items():
        if not tensor.isfinite().all():
            raise InputError(
                f"{key} has values beyond half precision (65504), so these weights cannot be "
                "cached: use their file itself with --weights"
            )
    with atomic(path) as temporary:
        # Not save_file: that makes files which other users of a shared cache cannot read.
        temporary.write_bytes(save(half, {"format": "pt", **metadata}))


def _as_torchvision(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """Weights that expect what torchvision's do, told by the file's hash or its first layer."""
    source = _source_hash(path)
    first = state["features.0.weight"]
    if source.startswith(_CAFFE_FILES) or first.square().mean().sqrt() < _LEAST_FIRST:
        logger.warning("%s: weights in Caffe's convention (BGR, 0 to 255): converted", path)
        weight = first.flip(1) * 255
        mean, std, ours = (
            torch.tensor(values)[:, None, None]
            for values in (CAFFE_MEAN, IMAGENET_STD, IMAGENET_MEAN)
        )
        shift = (weight * (ours - mean / 255)).sum((1, 2, 3))
        bias = state["features.0.bias"] + shift
        return state | {"features.0.weight": weight * std, "features.0.bias": bias}
    if source and source not in {checkpoint.sha256 for checkpoint in CHECKPOINTS.values()}:
        logger.warning("%s is unknown: taken to expect RGB as torchvision's weights do", path)
    return state


def _source_hash(path: Path) -> str:
    """The SHA-256 of a file of others; "" if it is one that Impasto wrote."""
    return "" if "sha256" in read_metadata(path) else file_sha256(path)


def _shapes(name: str) -> dict[str, tuple[int, ...]]:
    """Shapes of a network's convolution parameters, in their order."""
    shapes: dict[str, tuple[int, ...]] = {}
    channels = 3
    for index, stage in enumerate(stage_names(CONVOLUTIONS[name])):
        if stage.startswith("conv"):
            width = WIDTHS[stage[len("conv")]]
            shapes[f"features.{index}.weight"] = (width, channels, 3, 3)
            shapes[f"features.{index}.bias"] = (width,)
            channels = width
    return shapes


def _float(tensor: Tensor, key: str, path: Path) -> Tensor:
    if tensor.layout is not torch.strided or not tensor.is_floating_point():
        raise InputError(f"{path}: {key} is not a dense tensor of floating-point numbers")
    full = tensor.float()
    if not full.isfinite().all():
        raise InputError(f"{path}: {key} holds values that are not finite numbers")
    return full


def _read(path: Path) -> dict[str, Tensor]:
    """The convolution parameters in a file as they are stored."""
    if not path.is_file():
        raise InputError(f"there is no weights file {path}")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if path.suffix in (".pth", ".pt"):
        return _read_torch(path)
    raise InputError(f"{path} is not a weights file: .safetensors, .pth and .pt are read")


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        with safe_open(path, framework="pt") as file:
            matches = [match for key in file.keys() if (match := CONVOLUTION.fullmatch(key))]  # noqa: SIM118
            return {match[1]: file.get_tensor(match[0]) for match in matches}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is truncated or not a safetensors file ({error})") from error


def _read_torch(path: Path) -> dict[str, Tensor]:
    try:
        # Checkpoints before torch 1.6, torchvision's VGGs among them, cannot be memory-mapped.
        content: Any = torch.load(
            path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
        )
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path} is damaged or holds code and not only weights; it was not opened"
        ) from error
    except Exception as error:  # a damaged file may fail anywhere in torch's reader
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path} is truncated or not a torch checkpoint ({reason})") from error
    if isinstance(content, Mapping) and isinstance(content.get("state_dict"), Mapping):
        content = content["state_dict"]
    if not isinstance(content, Mapping):
        raise InputError(f"{path} holds a {type(content).__name__}, not a table of parameters")
    return {
        match[1]: tensor
        for key, tensor in content.items()
        if isinstance(tensor, Tensor) and (match := CONVOLUTION.fullmatch(str(key)))
    }
