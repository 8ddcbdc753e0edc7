"""The transformer network: shapes, borders, gradients, styles and their mixtures, tiles."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.errors import InputError
from impasto.networks import runtime
from impasto.networks.description import Architecture
from impasto.networks.runtime import Measured, paint, patches, spans
from impasto.networks.transformer import (
    Head,
    Painter,
    TransformerNetwork,
    UpConvolution,
    instance_norm,
)

TINY = Architecture(width=4, blocks=2)


@pytest.fixture
def network() -> TransformerNetwork:
    """A tiny network of three styles, far from its initial state."""
    torch.manual_seed(0)
    network = TransformerNetwork(TINY, 3)
    with torch.no_grad():
        network.table.add_(0.5 * torch.randn_like(network.table))
    return network.eval().requires_grad_(False)


def modulation(painter: Painter, count: int = 1) -> Tensor:
    size = painter.modulation_size
    return torch.stack([1 + 0.3 * torch.randn(count, size), torch.randn(count, size)], 1)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (5, 7), (16, 16), (33, 50)])
def test_any_size_comes_back_as_it_was(network: TransformerNetwork, size: tuple[int, int]) -> None:
    painted = network(torch.rand(2, 3, *size), torch.eye(3)[:2])
    assert painted.shape == (2, 3, *size)
    assert painted.dtype == torch.float32
    assert 0 <= painted.min() <= painted.max() <= 1


def test_instance_norm_is_that_of_the_formula() -> None:
    random = np.random.default_rng(0)
    maps, scale, shift = random.normal(3, 2, (2, 4, 5, 6)), *random.normal(size=(2, 2, 4))
    mean = maps.mean((2, 3), keepdims=True)
    deviation = np.sqrt(maps.var((2, 3), keepdims=True) + 1e-5)
    expected = (maps - mean) / deviation * scale[..., None, None] + shift[..., None, None]
    found = instance_norm(*(torch.tensor(value).float() for value in (maps, scale, shift)))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_up_convolution_is_bilinear_upsampling_and_a_convolution() -> None:
    layer = UpConvolution(3, 5).requires_grad_(False)
    maps = torch.rand(2, 3, 4, 7)
    fine = F.interpolate(maps, scale_factor=2, mode="bilinear")
    expected = F.conv2d(F.pad(fine, (1,) * 4, mode="replicate"), layer.weight)
    torch.testing.assert_close(F.pixel_shuffle(layer(maps), 2), expected, atol=1e-6, rtol=1e-5)


def test_head_is_a_convolution_of_the_rearranged_map() -> None:
    layer = Head(5).requires_grad_(False)
    maps = torch.rand(2, 20, 4, 7)
    fine = F.pad(F.pixel_shuffle(maps, 2), (1,) * 4, mode="reflect")
    expected = F.conv2d(fine, layer.weight, layer.bias)
    torch.testing.assert_close(layer(maps), expected, atol=1e-6, rtol=1e-5)


def test_a_flat_picture_stays_flat_to_the_border(network: TransformerNetwork) -> None:
    """Zeros beyond the border, or a checkerboard, would show."""
    painted = network(torch.full((1, 3, 24, 31), 0.4), torch.eye(3)[:1])
    # Less than half a grey level: normalisation amplifies the rounding of flat maps.
    torch.testing.assert_close(painted, painted[..., :1, :1].expand_as(painted), atol=2e-3, rtol=0)


def test_every_parameter_gets_a_gradient() -> None:
    network = TransformerNetwork(TINY, 2)
    network(torch.rand(2, 3, 16, 16), torch.eye(2)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
        assert parameter.grad.isfinite().all(), name


def test_a_batch_is_painted_as_its_pictures_one_by_one(network: TransformerNetwork) -> None:
    images, styles = torch.rand(3, 3, 17, 22), torch.eye(3)
    singles = [network(images[i, None], styles[i, None]) for i in range(3)]
    torch.testing.assert_close(network(images, styles), torch.cat(singles), atol=1e-5, rtol=0)


def test_mixed_styles_are_the_network_with_interpolated_parameters(
    network: TransformerNetwork,
) -> None:
    image = torch.rand(1, 3, 16, 16)
    mixed = network(image, torch.tensor([[0.5, 0.2, 0.3]]))
    single = TransformerNetwork(TINY, 1).requires_grad_(False)
    single.painter.load_state_dict(network.painter.state_dict())
    table = network.table
    single.table.copy_((0.5 * table[0] + 0.2 * table[1] + 0.3 * table[2])[None])
    torch.testing.assert_close(mixed, single(image, torch.ones(1, 1)), atol=1e-5, rtol=0)
    assert not torch.allclose(mixed, network(image, torch.eye(3)[:1]), atol=1e-3)


@pytest.mark.parametrize(
    "values", [{"width": 0}, {"width": 1.5}, {"blocks": -1}, {"blocks": 10**9}]
)
def test_impossible_measures_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(InputError, match="has to be"):
        Architecture(**values)


@pytest.mark.parametrize("size", [(203, 301), (64, 300), (90, 90)])
def test_tiles_fit_without_seams(
    monkeypatch: pytest.MonkeyPatch, network: TransformerNetwork, size: tuple[int, int]
) -> None:
    monkeypatch.setattr(runtime, "PATCH", 48)
    painter, image = network.painter, torch.rand(1, 3, *size)
    styled = modulation(painter)
    measured = Measured()
    painter(patches(image), styled, measured)
    whole = painter(image, styled, measured.fixed())
    tiled = paint(painter, image, styled, tile=60)
    torch.testing.assert_close(tiled, whole, atol=1e-5, rtol=0)


def test_statistics_of_patches_that_cover_the_picture_are_its_own(
    network: TransformerNetwork,
) -> None:
    """A picture of one patch is normalised as a whole picture is."""
    painter, image = network.painter, torch.rand(1, 3, 40, 40)
    styled = modulation(painter)
    measured = Measured()
    torch.testing.assert_close(painter(image, styled, measured), painter(image, styled))
    torch.testing.assert_close(painter(image, styled, measured.fixed()), painter(image, styled))


def test_small_pictures_are_not_painted_in_tiles(network: TransformerNetwork) -> None:
    image, styled = torch.rand(2, 3, 30, 40), modulation(network.painter, 2)
    assert torch.equal(paint(network.painter, image, styled, 40), network.painter(image, styled))


@pytest.mark.parametrize(("length", "tile"), [(1, 60), (203, 60), (300, 64), (61, 60)])
def test_spans_cover_a_length_on_the_grid(length: int, tile: int) -> None:
    found = list(spans(length, tile))
    covered = [i for start, stop in found for i in range(start, stop)]
    assert covered == list(range(length))
    assert all(start % 4 == 0 and stop - start <= tile + 3 for start, stop in found)
