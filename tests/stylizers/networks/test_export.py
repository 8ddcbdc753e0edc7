"""Networks as ONNX files."""

from __future__ import annotations

import argparse
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from impasto.cli import export as command
from impasto.errors import ImpastoError, InputError, MissingExtraError
from impasto.stylizers.networks import export as exporting
from impasto.stylizers.networks.codes import StyleCode
from impasto.stylizers.networks.description import Architecture, Description
from impasto.stylizers.networks.export import export
from impasto.stylizers.networks.model_files import build, load_model, save_model
from impasto.stylizers.networks.network import ArbitraryNetwork, FastNetwork

FAST = Description("fast", Architecture(4, 1), ("wave", "night"))
ARBITRARY = Description("arbitrary", Architecture(4, 1))


@pytest.fixture
def model(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    description = request.param if hasattr(request, "param") else FAST
    torch.manual_seed(0)
    save_model(build(description), description, tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def test_another_suffix_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has to end in \.onnx"):
        export(model, tmp_path / "model.pb")


def test_without_the_packages_the_extra_is_named(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"impasto\[onnx\]"):
        export(model, tmp_path / "model.onnx")


def session(path: Path) -> Any:
    runtime = pytest.importorskip("onnxruntime")
    return runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


@pytest.mark.slow
@pytest.mark.parametrize("model", [FAST], indirect=True)
def test_a_per_style_network_paints_alike(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxscript")
    assert export(model, tmp_path / "model.onnx") == [tmp_path / "model.onnx"]
    network, _ = load_model(model)
    assert isinstance(network, FastNetwork)
    run = session(tmp_path / "model.onnx")
    image, weights = torch.rand(1, 3, 21, 46), torch.tensor([[0.3, 0.7]])
    counted = torch.cat([image, torch.ones(1, 1, 21, 46)], 1)
    inputs = {"image": counted.numpy(), "style_weights": weights.numpy()}
    (painted,) = run.run(["painted"], inputs)
    torch.testing.assert_close(torch.tensor(painted), network(image, weights), atol=1e-3, rtol=0)
    told = json.loads(run.get_modelmeta().custom_metadata_map["impasto"])
    assert told["styles"] == ["wave", "night"]

    before = (tmp_path / "model.onnx").read_bytes()
    monkeypatch.setattr(exporting, "TOLERANCE", -1.0)
    with pytest.raises(ImpastoError, match="differs from torch"):
        export(model, tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").read_bytes() == before


@pytest.mark.slow
@pytest.mark.parametrize("model", [ARBITRARY], indirect=True)
def test_the_arbitrary_style_network_becomes_two_files(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxscript")
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["export", str(model)])
    assert args.run(args) == 0
    assert "model.style.onnx" in capsys.readouterr().out
    network, _ = load_model(model)
    assert isinstance(network, ArbitraryNetwork)
    image, style = torch.rand(1, 3, 30, 17), torch.rand(1, 3, 41, 50)
    counted = [torch.cat([each, torch.ones_like(each[:, :1])], 1) for each in (image, style)]
    encode, paint = session(model.with_suffix(".style.onnx")), session(model.with_suffix(".onnx"))
    mean, square = encode.run(["style_mean", "style_square"], {"image": counted[1].numpy()})
    code = network.encode(style)
    torch.testing.assert_close(torch.tensor(mean), code.mean, atol=1e-5, rtol=1e-4)
    (painted,) = paint.run(
        ["painted"], {"image": counted[0].numpy(), "style_mean": mean, "style_square": square}
    )
    expected = network(image, StyleCode(code.mean, code.square))
    torch.testing.assert_close(torch.tensor(painted), expected, atol=1e-3, rtol=0)
