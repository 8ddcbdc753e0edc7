"""The painter: shapes, borders, gradients, moments to go by, regions, tiles."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.errors import InputError
from impasto.stylizers.networks.codes import StyleCode
from impasto.stylizers.networks.description import Architecture
from impasto.stylizers.networks.layers import PixelConvolution, UpConvolution
from impasto.stylizers.networks.network import ArbitraryNetwork, FastNetwork
from impasto.stylizers.networks.painter import COLOURS, TAKEN, bounded
from impasto.stylizers.networks.runtime import Fixed, Smoothed, measure, paint, spans
from tests.models import wild

TINY = Architecture(width=4, blocks=1)


@pytest.fixture
def network() -> ArbitraryNetwork:
    """A tiny network whose predictions differ much from style to style."""
    return wild(ArbitraryNetwork(TINY))


@pytest.fixture
def fast() -> FastNetwork:
    """A tiny network of three styles."""
    return wild(FastNetwork(TINY, 3))


def styled(network: ArbitraryNetwork, count: int = 1) -> tuple[StyleCode[Tensor], Tensor]:
    code = network.encode(torch.rand(count, 3, 40, 30) ** 2)
    return code, network.modulation(code)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3), (5, 7), (16, 16), (33, 50)])
def test_any_size_comes_back_as_it_was(network: ArbitraryNetwork, size: tuple[int, int]) -> None:
    painted = network.painter(torch.rand(2, 3, *size), *styled(network))
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
    for side, inner in ((3, slice(None)), (5, slice(1, -1))):
        layer = PixelConvolution(5, 2, side).requires_grad_(False)
        fine = F.pad(F.pixel_shuffle(maps, 2), (side // 2,) * 4, mode="reflect")
        expected = F.conv2d(fine, layer.weight, layer.bias)[..., inner, inner]
        found = F.pixel_shuffle(layer(maps), 2)[..., inner, inner]
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_a_flat_picture_stays_flat_to_the_border(network: ArbitraryNetwork) -> None:
    """Zeros beyond the border, or a checkerboard, would show."""
    painted = network.painter(torch.full((1, 3, 24, 31), 0.4), *styled(network))
    torch.testing.assert_close(painted, painted[..., :1, :1].expand_as(painted), atol=2e-3, rtol=0)


def test_every_parameter_gets_a_gradient() -> None:
    network = wild(FastNetwork(TINY, 2)).requires_grad_(True)
    network(torch.rand(2, 3, 16, 16), torch.eye(2)).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name
        assert parameter.grad.isfinite().all(), name


def test_a_new_network_gives_the_recoloured_photo() -> None:
    """It starts as the identity: in the photo's own colours nearly the photo."""
    torch.manual_seed(0)
    network = ArbitraryNetwork(Architecture()).requires_grad_(False)
    photo = F.interpolate(torch.rand(1, 3, 6, 6), size=(48, 48), mode="bilinear")
    painted = network(photo, network.encode(photo))
    assert float((painted - photo).abs().mean()) < 0.1


def test_a_batch_is_painted_as_its_pictures_one_by_one(network: ArbitraryNetwork) -> None:
    images, (code, modulation) = torch.rand(3, 3, 17, 22), styled(network, 3)
    together = network.painter(images, code, modulation)
    for i in range(3):
        own = StyleCode(code.mean[i, None], code.square[i, None])
        single = network.painter(images[i, None], own, modulation[i, None])
        torch.testing.assert_close(together[i, None], single, atol=1e-5, rtol=0)


def test_mixed_styles_are_the_network_with_interpolated_tables(fast: FastNetwork) -> None:
    image, shares = torch.rand(1, 3, 16, 16), [0.5, 0.2, 0.3]
    mixed = fast(image, torch.tensor([shares]))
    single = FastNetwork(TINY, 1).requires_grad_(False)
    single.painter.load_state_dict(fast.painter.state_dict())
    for name in ("table", "means", "squares"):
        rows = zip(shares, getattr(fast, name), strict=True)
        getattr(single, name).copy_(sum(share * row for share, row in rows)[None])
    torch.testing.assert_close(mixed, single(image, torch.ones(1, 1)), atol=1e-5, rtol=0)
    assert not torch.allclose(mixed, fast(image, torch.eye(3)[:1]), atol=1e-3)


@pytest.mark.parametrize(
    "values", [{"width": 0}, {"width": 1.5}, {"blocks": -1}, {"blocks": 10**9}]
)
def test_impossible_measures_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(InputError, match="has to be"):
        Architecture(**values)


def test_a_region_that_is_everywhere_is_the_style_alone(network: ArbitraryNetwork) -> None:
    image, (code, modulation) = torch.rand(1, 3, 40, 56), styled(network, 2)
    masks = torch.stack([torch.ones(1, 40, 56), torch.zeros(1, 40, 56)])
    painted = network.painter(image, code, modulation, masks=masks)
    alone = StyleCode(code.mean[:1], code.square[:1])
    expected = network.painter(image, alone, modulation[:1])
    torch.testing.assert_close(painted, expected, atol=1e-4, rtol=0)


def test_each_region_has_its_own_style(network: ArbitraryNetwork) -> None:
    """Far from the border between two regions, what is painted is as if each were all."""
    half = torch.rand(1, 3, 64, 200)
    image, (code, modulation) = torch.cat([half, half.flip(3)], 3), styled(network, 2)
    left = torch.zeros(1, 64, 400)
    left[..., :200] = 1
    painted = network.painter(image, code, modulation, masks=torch.stack([left, 1 - left]))
    for number, place in enumerate((slice(0, 60), slice(340, 400))):
        alone = StyleCode(code.mean[number, None], code.square[number, None])
        expected = network.painter(image, alone, modulation[number, None])
        # The moments of the halves are those of the whole but for what is near the middle.
        difference = (painted - expected)[..., place].abs().mean()
        other = StyleCode(code.mean[1 - number, None], code.square[1 - number, None])
        wrong = network.painter(image, other, modulation[1 - number, None])
        assert difference < 0.2 * (painted - wrong)[..., place].abs().mean()


@pytest.mark.parametrize("size", [(203, 301), (64, 300), (90, 90)])
def test_tiles_fit_without_seams(network: ArbitraryNetwork, size: tuple[int, int]) -> None:
    painter, image = network.painter, torch.rand(1, 3, *size)
    style = styled(network)
    tiled = paint(painter, image, *style, tile=60)
    torch.testing.assert_close(tiled, painter(image, *style), atol=1e-4, rtol=0)


def test_moments_added_up_over_tiles_are_those_of_the_whole(network: ArbitraryNetwork) -> None:
    image, (code, _) = torch.rand(1, 3, 83, 118), styled(network)
    tiled, whole = (measure(network.painter, image, code, side) for side in (40, 400))
    assert set(tiled) == {COLOURS, *TAKEN}
    for place in tiled:
        for ours, theirs in zip(tiled[place], whole[place], strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-6)


def test_small_pictures_are_not_painted_in_tiles(network: ArbitraryNetwork) -> None:
    image, style = torch.rand(2, 3, 30, 40), styled(network, 2)
    assert torch.equal(paint(network.painter, image, *style, 40), network.painter(image, *style))


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
    assert all(start % 8 == 0 and stop - start <= tile + 7 for start, stop in found)


def test_deep_maps_are_bounded_and_what_is_faint_stays_faint() -> None:
    """Unbounded, the residual blocks of a first training blew up, and their ReLUs died.

    At unit length each, a clear sky was as loud as a crowd, and was painted as full.
    """
    maps = torch.randn(2, 8, 5, 6)
    maps /= maps.square().mean(dim=1, keepdim=True).sqrt()
    torch.testing.assert_close(bounded(maps), maps)
    torch.testing.assert_close(bounded(1e3 * maps), 2**0.5 * maps, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(bounded(1e-3 * maps), 1e-3 * 2**0.5 * maps, rtol=1e-5, atol=1e-8)
