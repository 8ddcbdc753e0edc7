"""Whatever the bytes of a file of users: what was meant, or an error of one line.

``pytest tests/fuzz --seconds 600`` goes on for longer. What is found goes into ``finds``, named
after its target: ``picture-what-was-wrong``.
"""

from __future__ import annotations

import io
import json
import logging
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from safetensors.torch import save

from impasto.backbones.checkpoints import load_convolutions
from impasto.batch.manifest import Manifest
from impasto.errors import ImpastoError, InputError
from impasto.image import Picture, load_image, load_mask, read_settings, save_image
from impasto.stylizers.networks.model_files import load_model
from tests.fuzz.mutation import mutated
from tests.image import pngs, profiles
from tests.image.test_hostile import SEEDS
from tests.models import write_arbitrary, write_fast

FINDS = Path(__file__).parent / "finds"
LEAST = 30  # cases of each target, however slow the machine
PHOTO = Picture(np.full((8, 10, 3), 0.5, np.float32))

Target = Callable[[bytes, Path], object]


def picture(data: bytes, _folder: Path) -> None:
    read = load_image(data, max_pixels=1_000_000, long_side=12)
    for kind, bits in (("png", 8), ("png", 16), ("jpeg", 8), ("webp", 8), ("tiff", 16)):
        stream = io.BytesIO()
        save_image(read.resized(5, 7), stream, format=kind, bits=bits)
        assert load_image(stream.getvalue()).size == (5, 7)


def settings(data: bytes, _folder: Path) -> None:
    found = read_settings(data)
    assert found is None or isinstance(found, dict)


def mask(data: bytes, _folder: Path) -> None:
    read = load_mask(data, PHOTO)
    assert read.shape == PHOTO.size and read.min() >= 0 and read.max() <= 1


def model(data: bytes, folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(data)
    load_model(path)


def weights(data: bytes, folder: Path) -> None:
    for suffix in (".safetensors", ".pth"):
        path = folder / f"weights{suffix}"
        path.write_bytes(data)
        load_convolutions(path)


def manifest(data: bytes, folder: Path) -> None:
    path = folder / "manifest.jsonl"
    path.write_bytes(data)
    with Manifest(path) as opened:
        assert all(isinstance(key, str) for key in opened.finished().values())


def picture_seeds() -> list[bytes]:
    array = np.random.default_rng(0).integers(0, 256, (8, 10, 3), dtype=np.uint8)
    colours = [pngs.cicp(9, 16), pngs.gamma(1), pngs.profile(profiles.rgb_profile(1.0))]
    tiff = io.BytesIO()
    with tifffile.TiffWriter(tiff) as file:
        file.write(array[::2, ::2].copy(), photometric="rgb", subifds=1, subfiletype=1)
        file.write(array, photometric="rgb", subfiletype=0)
    return [*SEEDS, pngs.png(array, *colours), tiff.getvalue(), _with_settings("png")]


def _with_settings(kind: str) -> bytes:
    stream = io.BytesIO()
    save_image(PHOTO, stream, format=kind, settings={"steps": 3, "styles": ["a.jpg"]})
    return stream.getvalue()


def seeds_of(target: Target, folder: Path) -> list[bytes]:
    if target is model:
        paths = [write_fast(folder / "fast"), write_arbitrary(folder / "arbitrary")]
        return [Path(path).read_bytes() for path in paths]
    if target is weights:
        state = {"features.0.weight": torch.zeros(64, 3, 3, 3), "features.0.bias": torch.zeros(64)}
        stream = io.BytesIO()
        torch.save(state, stream)
        return [save(state), stream.getvalue()]
    if target is manifest:
        records: list[Any] = [
            {"output": "a.png", "status": "done", "key": "1"},
            {"output": 3},
            [],
            7,
        ]
        return [b"".join(json.dumps(record).encode() + b"\n" for record in records)]
    if target is settings:
        return [_with_settings(kind) for kind in ("png", "jpeg", "webp", "tiff")]
    return picture_seeds()


TARGETS: list[Target] = [picture, settings, mask, model, weights, manifest]


def survives(target: Target, data: bytes, folder: Path) -> None:
    try:
        target(data, folder)
    except ImpastoError as error:
        assert "\n" not in str(error)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__)
def test_damaged_files(target: Target, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    share = pytestconfig.getoption("--seconds") / len(TARGETS)
    seeds, began, number = seeds_of(target, tmp_path), time.monotonic(), 0
    while number < LEAST or time.monotonic() - began < share:
        data = mutated(seeds, Random(number))
        try:
            survives(target, data, tmp_path)
        except BaseException:
            find = tmp_path / f"{target.__name__}-{number}"
            find.write_bytes(data)
            print(f"case {number}: {find}")
            raise
        number += 1
    print(f"{number} cases")


@pytest.mark.parametrize("find", sorted(FINDS.glob("*-*")), ids=lambda path: path.name)
def test_what_was_found_before(find: Path, tmp_path: Path) -> None:
    target = {target.__name__: target for target in TARGETS}[find.name.partition("-")[0]]
    survives(target, find.read_bytes(), tmp_path)


def _file(header: bytes, body: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + body


def _tensor(start: int, end: int, shape: list[int], kind: str = "F32") -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": [start, end]}


def _header(**tensors: dict[str, Any]) -> bytes:
    return json.dumps(tensors).encode()


# What audits of the format have tried: https://github.com/huggingface/safetensors (SAFETY).
ATTACKS = {
    "a header longer than the file": _file(b"{}", length=1 << 20),
    "a header of exabytes": _file(b"{}", length=(1 << 64) - 1),
    "a header that is not JSON": _file(b"\x80\x04cos\nsystem\n."),
    "a header of deep nesting": _file(b'{"a":' * 100_000),
    "tensors that overlap": _file(_header(a=_tensor(0, 8, [2]), b=_tensor(4, 12, [2])), bytes(12)),
    "a hole with hidden data": _file(_header(a=_tensor(64, 72, [2])), bytes(72)),
    "offsets beyond the file": _file(_header(a=_tensor(0, 1 << 40, [1 << 38])), bytes(8)),
    "a shape whose size overflows": _file(_header(a=_tensor(0, 8, [1 << 33, 1 << 33])), bytes(8)),
    "the same name twice": _file(
        _header(a=_tensor(0, 8, [2]))[:-1] + b"," + _header(a=_tensor(8, 16, [2]))[1:], bytes(16)
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_by_the_header_of_safetensors(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(ATTACKS[name])
    for load in (load_model, load_convolutions):
        with pytest.raises(InputError) as caught:
            load(path)
        assert "\n" not in str(caught.value)
