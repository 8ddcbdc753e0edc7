"""Model files: round trip, and files that are not what they should be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from impasto.errors import ImpastoError, InputError
from impasto.stylizers.networks.description import Architecture, Description, describe
from impasto.stylizers.networks.model_files import build, load_model, save_model

FAST = Description(
    "fast", Architecture(4, 1), ("wave", "night"), ("Hokusai", "Van Gogh"), {"steps": 3}
)
ARBITRARY = Description("arbitrary", Architecture(4, 1))


@pytest.mark.parametrize("description", [FAST, ARBITRARY])
def test_what_was_saved_is_loaded(description: Description, tmp_path: Path) -> None:
    network = build(description)
    save_model(network, description, tmp_path / "model.safetensors")
    loaded, found = load_model(tmp_path / "model.safetensors", description.kind)
    assert found == description == describe(tmp_path / "model.safetensors")
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value.half().float()), name
    stored = load_file(tmp_path / "model.safetensors")
    assert {value.dtype for value in stored.values()} == {torch.float16}


def test_another_kind_is_refused(tmp_path: Path) -> None:
    save_model(build(FAST), FAST, tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="for --method fast, not arbitrary"):
        load_model(tmp_path / "model.safetensors", "arbitrary")


@pytest.mark.parametrize("length", [0, 4, 100, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, length: int) -> None:
    path = tmp_path / "model.safetensors"
    save_model(build(FAST), FAST, path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match="truncated or not a safetensors file"):
        load_model(path)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    with pytest.raises(InputError, match="no model file"):
        load_model(path)
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(InputError, match="no model of Impasto"):
        load_model(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "video"},
        {"styles": []},
        {"styles": ["one"]},
        {"architecture": {"width": 8, "blocks": 1}},
        {"architecture": {"width": 10**9, "blocks": 1}},
        {"architecture": {"depth": 3}},
        {"architecture": 7},
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    path = tmp_path / "model.safetensors"
    save_model(build(FAST), FAST, path)
    header = {
        "kind": "fast",
        "architecture": {"width": 4, "blocks": 1},
        "styles": ["a", "b"],
        "attributions": [],
        "recipe": {},
        "version": "0",
        **changes,
    }
    save_file(load_file(path), path, {name: json.dumps(value) for name, value in header.items()})
    with pytest.raises(InputError):
        load_model(path)


def test_weights_that_are_not_finite_are_neither_written_nor_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    network = build(ARBITRARY)
    save_model(network, ARBITRARY, path)
    before = path.read_bytes()
    network.painter.head.bias.data[0] = torch.nan  # type: ignore[union-attr]
    with pytest.raises(ImpastoError, match="not finite"):
        save_model(network, ARBITRARY, path)
    assert path.read_bytes() == before
    state = load_file(path)
    state["painter.head.bias"][0] = torch.inf
    with pytest.raises(InputError, match="not finite"):
        header = {
            "kind": '"arbitrary"',
            "architecture": '{"width": 4, "blocks": 1}',
            **dict.fromkeys(("styles", "attributions", "recipe"), "[]"),
            "version": '"0"',
        }
        save_file(state, path, header)
        load_model(path)
