"""Where networks start: the embedded backbone's encoder, or another model's weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from impasto.backbones import load_backbone
from impasto.backbones.vgg import VGG
from impasto.errors import InputError
from impasto.pictures import load_artwork
from impasto.stylizers.networks.description import Architecture, Description
from impasto.stylizers.networks.model_files import save_model
from impasto.stylizers.networks.network import ArbitraryNetwork, FastNetwork
from impasto.training.start import copy_encoder, start_arbitrary, start_fast

SMALL = Architecture(width=4, blocks=1)
STYLES = {name: load_artwork("night-wind", 64) for name in ("new", "b")}


@pytest.fixture
def arbitrary_file(tmp_path: Path) -> tuple[ArbitraryNetwork, str]:
    torch.manual_seed(1)
    network = ArbitraryNetwork(SMALL)
    path = tmp_path / "arbitrary.safetensors"
    save_model(network, Description("arbitrary", SMALL), path)
    return network, str(path)


@pytest.fixture
def fast_file(tmp_path: Path) -> tuple[FastNetwork, str]:
    torch.manual_seed(2)
    network = FastNetwork(SMALL, 3)
    torch.nn.init.normal_(network.table)
    path = tmp_path / "fast.safetensors"
    save_model(network, Description("fast", SMALL, ("a", "b", "c")), path)
    return network, str(path)


def test_the_encoder_sees_what_the_embedded_backbone_sees() -> None:
    """Up to relu2_1 its maps are the backbone's, inside: borders are padded in another way."""
    network = ArbitraryNetwork(SMALL)
    copy_encoder(network.encoder)
    image = torch.rand(1, 3, 24, 32)
    lite = load_backbone("lite")
    assert isinstance(lite, VGG)
    normalised = (image - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor(
        [0.229, 0.224, 0.225]
    )[:, None, None]
    maps = dict(VGG.extract(lite, normalised, {"relu1_2", "relu2_1"}))
    with torch.no_grad():
        first = network.encoder.layers[1](network.encoder.layers[0](4 * image - 2).relu()).relu()
        second = network.encoder.layers[2](torch.nn.functional.max_pool2d(first, 2)).relu()
    inner = (..., slice(3, -3), slice(3, -3))
    torch.testing.assert_close(first[inner], maps["relu1_2"][inner], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(second[inner], maps["relu2_1"][inner], rtol=1e-3, atol=1e-3)
    assert not any(parameter.requires_grad for parameter in network.encoder.parameters())


def test_an_arbitrary_network_goes_on_from_a_model(
    arbitrary_file: tuple[ArbitraryNetwork, str],
) -> None:
    model, path = arbitrary_file
    network = ArbitraryNetwork(SMALL)
    start_arbitrary(network, path)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value, rtol=1e-3, atol=1e-3)


def test_a_fast_network_goes_on_from_a_model_and_a_new_style_from_the_mean_of_its_styles(
    fast_file: tuple[FastNetwork, str],
) -> None:
    model, path = fast_file
    network = FastNetwork(SMALL, 2)
    start_fast(network, path, STYLES)
    torch.testing.assert_close(network.table[0], model.table.mean(dim=0), rtol=0, atol=5e-3)
    torch.testing.assert_close(network.table[1], model.table[1], rtol=0, atol=5e-3)
    for name, value in model.painter.state_dict().items():
        torch.testing.assert_close(network.painter.state_dict()[name], value, rtol=0, atol=1e-3)


def test_from_scratch_only_the_colours_of_the_styles_are_there() -> None:
    network = FastNetwork(SMALL, 2)
    before = {name: value.clone() for name, value in network.named_parameters()}
    start_fast(network, "scratch", STYLES)
    for name, value in network.named_parameters():
        assert torch.equal(value, before[name]), name
    pixels = STYLES["b"].rgb.reshape(-1, 3).astype(np.float64)
    np.testing.assert_allclose(network.colours[1], pixels.mean(0), rtol=1e-4)
    np.testing.assert_allclose(network.spreads[1], np.cov(pixels.T, bias=True), atol=1e-5)


def test_a_model_of_other_measures_or_kind_is_refused(
    arbitrary_file: tuple[ArbitraryNetwork, str], fast_file: tuple[FastNetwork, str]
) -> None:
    with pytest.raises(InputError, match="another width"):
        start_fast(FastNetwork(Architecture(8, 1), 2), fast_file[1], STYLES)
    with pytest.raises(InputError, match="another width"):
        start_arbitrary(ArbitraryNetwork(Architecture(4, 2)), arbitrary_file[1])
    with pytest.raises(InputError, match="for --method fast, not arbitrary"):
        start_arbitrary(ArbitraryNetwork(SMALL), fast_file[1])
    with pytest.raises(InputError, match="no model file"):
        start_arbitrary(ArbitraryNetwork(SMALL), "nowhere.safetensors")
