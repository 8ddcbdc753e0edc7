"""The painter: shapes, borders, gradients, moments to go by, regions, tiles."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from impasto.errors import InputError
from impasto.stylizers.networks.description import Architecture
from impasto.stylizers.networks.layers import Convolution, PixelConvolution, UpConvolution
from impasto.stylizers.networks.moments import Moments
from impasto.stylizers.networks.network import FastNetwork
from impasto.stylizers.networks.painter import COLOURS, Place, Style
from impasto.stylizers.networks.runtime import (
    Fixed,
    Smoothed,
    Together,
    measure,
    paint,
    spans,
)
from tests.models import wild

TINY = Architecture(width=4, blocks=1)


@pytest.fixture
def network() -> FastNetwork:
    """A tiny network of three styles that differ much."""
    return wild(FastNetwork, TINY, 3)


def styled(network: FastNetwork, count: int = 1) -> Style:
    return network.style(torch.eye(3)[:count])


def single(style: Style, number: int) -> Style:
    """One of several styles."""
    mean, spread = style.colours
    return Style(style.modulation[number, None], (mean[number, None], spread[number, None]))


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (5, 7), (16, 16), (33, 50)])
def test_any_size_comes_back_as_it_was(network: FastNetwork, size: tuple[int, int]) -> None:
    painted = network.painter(torch.rand(2, 3, *size), styled(network))
    assert painted.shape == (2, 3, *size)
    assert painted.dtype == torch.float32
    assert 0 <= painted.min() <= painted.max() <= 1


def test_up_convolution_is_bilinear_upsampling_and_a_convolution() -> None:
    layer = UpConvolution(3, 5).requires_grad_(False)
    maps = torch.rand(2, 3, 4, 7)
    fine = F.interpolate(maps, scale_factor=2, mode="bilinear")
    expected = F.conv2d(F.pad(fine, (1,) * 4, mode="replicate"), layer.weight)
    torch.testing.assert_close(F.pixel_shuffle(layer(maps), 2), expected, atol=1e-6, rtol=1e-5)


def test_a_pixel_convolution_is_one_of_the_rearranged_map() -> None:
    maps = torch.rand(2, 20, 4, 7)
    layer = PixelConvolution(5, 2).requires_grad_(False)
    fine = F.pad(F.pixel_shuffle(maps, 2), (1,) * 4, mode="reflect")
    expected = F.conv2d(fine, layer.weight, layer.bias)
    found = F.pixel_shuffle(layer(maps), 2)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_a_strided_convolution_is_every_second_pixel_of_a_plain_one() -> None:
    maps, layer = torch.rand(1, 3, 8, 12), Convolution(3, 4, 7, stride=2).requires_grad_(False)
    padded = F.pad(maps, (3,) * 4, mode="replicate")
    expected = F.conv2d(padded, layer.weight, layer.bias)[..., ::2, ::2]
    torch.testing.assert_close(layer(maps), expected, atol=1e-6, rtol=1e-5)


def test_a_flat_picture_stays_flat_to_the_border(network: FastNetwork) -> None:
    """Zeros beyond the border, or a checkerboard, would show."""
    painted = network.painter(torch.full((1, 3, 24, 31), 0.4), styled(network))
    torch.testing.assert_close(painted, painted[..., :1, :1].expand_as(painted), atol=4e-3, rtol=0)


def test_every_parameter_gets_a_gradient() -> None:
    network = wild(FastNetwork, TINY, 2).requires_grad_(True)
    network(torch.rand(2, 3, 16, 16), torch.eye(2)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
        assert parameter.grad.isfinite().all(), name


def test_what_is_painted_has_the_colours_of_the_style(network: FastNetwork) -> None:
    """Mean and covariance, as far as they do not lead out of the range."""
    network.spreads[:] = 0.01 * torch.tensor([[1, 0.5, 0.2], [0.5, 1, 0.4], [0.2, 0.4, 1]])
    network.colours[:] = 0.5
    painted = network(torch.rand(1, 3, 64, 96), torch.eye(3)[:1])[0].flatten(1).double()
    np.testing.assert_allclose(painted.mean(dim=1), 0.5, atol=0.01)
    np.testing.assert_allclose(np.cov(painted.numpy()), network.spreads[0], atol=1.5e-3)


def test_a_batch_is_painted_as_its_pictures_one_by_one(network: FastNetwork) -> None:
    images, style = torch.rand(3, 3, 17, 22), styled(network, 3)
    together = network.painter(images, style)
    for i in range(3):
        alone = network.painter(images[i, None], single(style, i))
        torch.testing.assert_close(together[i, None], alone, atol=1e-5, rtol=0)


def test_mixed_styles_are_the_network_with_interpolated_tables(network: FastNetwork) -> None:
    image, shares = torch.rand(1, 3, 16, 16), [0.5, 0.2, 0.3]
    mixed = network(image, torch.tensor([shares]))
    row = sum(share * row for share, row in zip(shares, network.table, strict=True))
    # Colours as of pixels that are mixed, here two for each direction of each style.
    share = torch.tensor(shares).repeat_interleave(6) / 6
    steps = torch.cat([each * (3 * 0.03) ** 0.5 * torch.eye(3) for each in (1, -1)])
    pixels = (network.colours[:, None] + steps).flatten(0, 1)
    covariance = torch.cov(pixels.T, correction=0, aweights=share)
    style = Style(row[None], ((share @ pixels)[None], covariance[None]))
    torch.testing.assert_close(mixed, network.painter(image, style), atol=1e-4, rtol=0)
    assert not torch.allclose(mixed, network(image, torch.eye(3)[:1]), atol=1e-2)


@pytest.mark.parametrize(
    "values", [{"width": 0}, {"width": 1.5}, {"blocks": -1}, {"blocks": 10**9}]
)
def test_impossible_measures_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(InputError, match="has to be"):
        Architecture(**values)


def test_a_region_that_is_everywhere_is_the_style_alone(network: FastNetwork) -> None:
    image, style = torch.rand(1, 3, 40, 56), styled(network, 2)
    masks = torch.stack([torch.ones(1, 40, 56), torch.zeros(1, 40, 56)])
    painted = network.painter(image, style, masks=masks)
    expected = network.painter(image, single(style, 0))
    torch.testing.assert_close(painted, expected, atol=1e-4, rtol=0)


def test_each_region_has_its_own_style(network: FastNetwork) -> None:
    """Far from the border between two regions, what is painted is as if each were all."""
    half = torch.rand(1, 3, 64, 200)
    image, style = torch.cat([half, half.flip(3)], 3), styled(network, 2)
    left = torch.zeros(1, 64, 400)
    left[..., :200] = 1
    painted = network.painter(image, style, masks=torch.stack([left, 1 - left]))
    for number, place in enumerate((slice(0, 60), slice(340, 400))):
        expected = network.painter(image, single(style, number))
        # The moments of the halves are those of the whole but for what is near the middle.
        difference = (painted - expected)[..., place].abs().mean()
        wrong = network.painter(image, single(style, 1 - number))
        assert difference < 0.2 * (painted - wrong)[..., place].abs().mean()


@pytest.mark.parametrize("size", [(203, 301), (64, 300), (90, 90)])
def test_tiles_fit_without_seams(network: FastNetwork, size: tuple[int, int]) -> None:
    """They are the picture by the moments that were measured."""
    painter, image, style = network.painter, torch.rand(1, 3, *size), styled(network)
    tiled = paint(painter, image, style, tile=60)
    expected = painter(image, style, Fixed(measure(painter, image, style, 60)))
    torch.testing.assert_close(tiled, expected, atol=1e-4, rtol=0)


def test_a_patch_that_is_the_picture_has_its_moments(network: FastNetwork) -> None:
    """Those of all but a tenth of its side at each border."""
    image, style, seen = torch.rand(1, 3, 60, 60), styled(network), {}
    inner = F.pad(torch.ones(1, 1, 48, 48), (6,) * 4)

    def remember(place: Place, measured: Moments) -> Moments:
        seen[place] = measured
        return measured

    network.painter(image, style, remember, weights=inner)
    measured = measure(network.painter, image, style, 60)
    assert set(measured) == {COLOURS, *range(len(network.painter.channels))}
    for place in measured:
        for ours, theirs in zip(measured[place], seen[place], strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_patches_are_taken_as_one_picture() -> None:
    random = np.random.default_rng(0)
    parts, counts = [random.normal(n, 1 + n, (3, 50)) for n in range(2)], np.array([0.25, 0.75])
    together = Together(torch.tensor(counts)[:, None])
    mean = torch.tensor(np.stack([part.mean(1) for part in parts]))
    spread = torch.tensor(np.stack([np.cov(part, bias=True) for part in parts]))
    whole = np.concatenate(parts, axis=1)
    expected = np.cov(whole, aweights=np.repeat(counts, 50), bias=True)
    for place, measured in enumerate((spread, spread.diagonal(dim1=1, dim2=2))):
        found = together(place, (mean, measured))
        np.testing.assert_allclose(
            found[0][0], np.average(whole, axis=1, weights=np.repeat(counts, 50))
        )
        np.testing.assert_allclose(found[1][0], np.diag(expected) if place else expected)


def test_pixels_that_do_not_count_do_not_change_the_others(network: FastNetwork) -> None:
    image, style = torch.rand(1, 3, 64, 160), styled(network)
    other = image.clone()
    other[..., 120:] = 0
    weights = torch.zeros(1, 1, 64, 160)
    weights[..., :80] = 1
    with_any, with_zeros = (
        network.painter(each, style, weights=weights)[..., :40] for each in (image, other)
    )
    torch.testing.assert_close(with_any, with_zeros, atol=1e-4, rtol=0)


def test_small_pictures_are_not_painted_in_tiles(network: FastNetwork) -> None:
    image, style = torch.rand(2, 3, 30, 40), styled(network, 2)
    assert torch.equal(paint(network.painter, image, style, 40), network.painter(image, style))


def test_smoothed_moments_are_those_of_all_pixels_so_far() -> None:
    """Those of each frame count by its weight in a running mean."""
    random = np.random.default_rng(0)
    smoothed = Smoothed(0.25)
    pixels, shares = np.empty((3, 0)), np.empty(0)
    for number in range(3):
        frame = random.normal(number, 1 + number, (3, 30))
        spreads = np.var(frame, axis=1), np.cov(frame, bias=True)
        pixels = np.concatenate([pixels, frame], axis=1)
        newest = 0.25 if number else 1.0
        shares = np.concatenate([shares * (1 - newest), np.full(30, newest / 30)])
        covariance = np.cov(pixels, aweights=shares, bias=True)
        for place, spread, expected in zip(
            (3, COLOURS), spreads, (np.diag(covariance), covariance), strict=True
        ):
            measured = (torch.tensor(frame.mean(1))[None], torch.tensor(spread)[None])
            mean, found = smoothed(place, measured)
            np.testing.assert_allclose(mean[0], pixels @ shares)
            np.testing.assert_allclose(found[0], expected)


def test_given_moments_take_the_place_of_those_measured() -> None:
    given = (torch.zeros(1, 2), torch.ones(1, 2))
    assert Fixed({3: given})(3, (torch.rand(1, 2), torch.rand(1, 2))) is given


@pytest.mark.parametrize(("length", "tile"), [(1, 60), (203, 60), (300, 64), (61, 60)])
def test_spans_cover_a_length_on_the_grid(length: int, tile: int) -> None:
    found = list(spans(length, tile))
    covered = [i for start, stop in found for i in range(start, stop)]
    assert covered == list(range(length))
    assert all(start % 4 == 0 and stop - start <= tile + 3 for start, stop in found)
