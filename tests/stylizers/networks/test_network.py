"""The arbitrary style network: codes, strength, blends."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from impasto.stylizers.networks.codes import StyleCode, blend
from impasto.stylizers.networks.description import Architecture
from impasto.stylizers.networks.network import ArbitraryNetwork
from tests.models import wild


@pytest.fixture
def network() -> ArbitraryNetwork:
    """A tiny network whose predictions differ much from style to style."""
    return wild(ArbitraryNetwork, Architecture(width=4, blocks=1))


def test_it_has_fewer_than_two_million_parameters() -> None:
    with torch.device("meta"):
        network = ArbitraryNetwork(Architecture())
    assert sum(parameter.numel() for parameter in network.parameters()) < 2_000_000


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (9, 33)])
@pytest.mark.parametrize("style_size", [(1, 1), (20, 7)])
def test_any_sizes_will_do(
    network: ArbitraryNetwork, size: tuple[int, int], style_size: tuple[int, int]
) -> None:
    code = network.encode(torch.rand(1, 3, *style_size))
    painted = network(torch.rand(2, 3, *size), code, 0.5)
    assert painted.shape == (2, 3, *size)
    assert painted.isfinite().all()


def test_the_code_holds_moments_of_the_feature_maps(network: ArbitraryNetwork) -> None:
    image = torch.rand(2, 3, 12, 10)
    code = network.encode(image)
    colours = image.double().numpy()
    np.testing.assert_allclose(code.mean[:, :3], colours.mean((2, 3)), rtol=1e-4)
    products = np.einsum("bihw,bjhw->bij", colours, colours) / 120
    np.testing.assert_allclose(code.square[:, :9], products.reshape(2, 9), rtol=1e-4)
    first = network.encoder.layers[0]
    maps = first(4 * image - 2).relu().double().numpy()
    np.testing.assert_allclose(code.mean[:, 3:19], maps.mean((2, 3)), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(code.square[:, 9:25], (maps**2).mean((2, 3)), rtol=1e-4, atol=1e-6)


def test_full_strength_is_the_style_and_none_the_content_itself(network: ArbitraryNetwork) -> None:
    content, code = torch.rand(1, 3, 20, 20), network.encode(torch.rand(1, 3, 16, 16) ** 3)
    assert torch.equal(network(content, code, 1.0), network(content, code))
    own = network(content, network.encode(content))
    torch.testing.assert_close(network(content, code, 0.0), own, atol=1e-5, rtol=0)
    assert not torch.allclose(network(content, code), own, atol=1e-2)


def test_strength_goes_steadily_from_one_end_to_the_other(network: ArbitraryNetwork) -> None:
    content, code = torch.rand(1, 3, 20, 20), network.encode(torch.rand(1, 3, 16, 16) ** 3)
    own = network(content, network.encode(content))
    distances = [float((network(content, code, s) - own).norm()) for s in (0.25, 0.5, 0.75, 1.0)]
    assert distances == sorted(distances)


def test_a_blend_has_the_moments_of_the_mixed_pixels(network: ArbitraryNetwork) -> None:
    random = np.random.default_rng(0)
    first, second = random.normal(1, 1, (1, 3, 50)), random.normal(4, 2, (1, 3, 150))
    codes = [
        StyleCode(torch.tensor(x.mean(2)), torch.tensor(np.square(x).mean(2)))
        for x in (first, second)
    ]
    mixed = blend(codes, [1, 3])
    both = np.concatenate([first, second], 2)
    np.testing.assert_allclose(mixed.mean, both.mean(2))
    np.testing.assert_allclose(mixed.square - mixed.mean**2, both.var(2))


def test_pixels_without_weight_do_not_count(network: ArbitraryNetwork) -> None:
    """The half that is masked may hold anything, apart from what convolutions see beyond it."""
    image, weights = torch.rand(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)
    weights[..., :32] = 1
    other = image.clone()
    other[..., 48:] = 0
    code, same = network.encode(image, weights), network.encode(other, weights)
    torch.testing.assert_close(code.mean[:, :19], same.mean[:, :19])
    plain, masked = network.encode(image), network.encode(image, weights)
    assert not torch.allclose(plain.mean, masked.mean)


def test_every_parameter_gets_a_gradient() -> None:
    network = ArbitraryNetwork(Architecture(width=4, blocks=1))
    code = network.encode(torch.rand(2, 3, 32, 32))
    network(torch.rand(2, 3, 16, 16), code).square().sum().backward()
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_a_batch_is_painted_as_its_pictures_one_by_one(network: ArbitraryNetwork) -> None:
    contents, styles = torch.rand(3, 3, 17, 22), torch.rand(3, 3, 19, 12)
    together = network(contents, network.encode(styles))
    for i in range(3):
        single = network(contents[i, None], network.encode(styles[i, None]))
        torch.testing.assert_close(together[i, None], single, atol=1e-5, rtol=0)
