"""Losses against float64 references in NumPy and SciPy, gradients by finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.ndimage
import scipy.spatial
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto import losses
from impasto.losses import Moments, bands, content, gram, neighbors, statistics, tones, wasserstein

Array = NDArray[np.float64]


def random_maps(seed: int, channels: int = 5, height: int = 6, width: int = 7) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, channels, height, width, generator=generator, dtype=torch.float64)


def reference_moments(maps: Tensor, weights: Tensor | None = None) -> tuple[Array, Array]:
    """The definition, one position at a time."""
    values = maps.numpy()
    batch, channels, height, width = values.shape
    mean, second = np.zeros((batch, channels)), np.zeros((batch, channels, channels))
    for b in range(batch):
        total = 0.0
        for y in range(height):
            for x in range(width):
                weight = 1.0 if weights is None else float(weights[b, 0, y, x])
                vector = values[b, :, y, x]
                mean[b] += weight * vector
                second[b] += weight * np.outer(vector, vector)
                total += weight
        mean[b] /= total
        second[b] /= total
    return mean, second


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_moments_are_those_of_the_definition(weighted: bool, layout: torch.memory_format) -> None:
    maps = random_maps(0).contiguous(memory_format=layout)
    random = torch.Generator().manual_seed(1)
    weights = torch.rand(2, 1, 6, 7, generator=random).double() if weighted else None
    mean, second = reference_moments(maps, weights)
    result = losses.moments(maps, weights)
    # Absolute: where products cancel, little is left to compare with.
    np.testing.assert_allclose(result.mean, mean, atol=1e-12)
    np.testing.assert_allclose(result.second, second, atol=1e-12)
    covariance = second - mean[:, :, None] * mean[:, None, :]
    np.testing.assert_allclose(result.covariance, covariance, atol=1e-12)


def test_moments_without_a_rim_are_those_of_weights_of_0_and_1() -> None:
    maps = random_maps(0).requires_grad_()
    weights = torch.zeros(1, 1, 6, 7, dtype=torch.float64)
    weights[..., 1:, 2:-1] = 1
    known, found = losses.moments(maps, weights), losses.moments(maps, rim=(1, 0, 2, 1))
    torch.testing.assert_close(found.mean, known.mean)
    torch.testing.assert_close(found.second, known.second)
    grads = (
        torch.autograd.grad(m.mean.sum() + m.second.square().sum(), maps)[0] for m in (found, known)
    )
    torch.testing.assert_close(*grads)
    assert losses.moments(maps, rim=(3, 3, 0, 0)).second.abs().max() == 0


def test_moments_through_a_matrix_are_those_of_the_mapped_maps() -> None:
    maps, matrix = random_maps(0), torch.randn(3, 5, dtype=torch.float64)
    mapped = torch.from_numpy(np.einsum("kc,bchw->bkhw", matrix.numpy(), maps.numpy()))
    mean, second = reference_moments(mapped)
    result = losses.moments(maps).through(matrix)
    np.testing.assert_allclose(result.mean, mean, atol=1e-12)
    np.testing.assert_allclose(result.second, second, atol=1e-12)


def test_moments_do_not_depend_on_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    maps = random_maps(1)
    whole = losses.moments(maps)
    monkeypatch.setattr(statistics, "CHUNK", 4)
    pieces = losses.moments(maps)
    torch.testing.assert_close(pieces.mean, whole.mean)
    torch.testing.assert_close(pieces.second, whole.second)


def test_moments_of_half_precision_maps_are_float32() -> None:
    # 300 squared overflows float16 and the sum of 42 products would lose bits in bfloat16.
    maps = torch.full((1, 3, 6, 7), 300.0)
    for dtype in (torch.bfloat16, torch.float16):
        result = losses.moments(maps.to(dtype))
        assert result.second.dtype == torch.float32
        torch.testing.assert_close(result.second, torch.full((1, 3, 3), 90000.0))


def test_one_weight_map_serves_a_batch() -> None:
    maps, weights = random_maps(2), torch.rand(1, 1, 6, 7, dtype=torch.float64)
    both = losses.moments(maps, weights)
    second = losses.moments(maps[1:], weights)
    torch.testing.assert_close(both.second[1:], second.second)


@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_of_moments(weighted: bool) -> None:
    weights = torch.rand(2, 1, 6, 7, dtype=torch.float64) if weighted else None

    def both(maps: Tensor) -> tuple[Tensor, Tensor]:
        result = losses.moments(maps, weights)
        return result.mean, result.second

    assert torch.autograd.gradcheck(both, random_maps(3).requires_grad_())


def test_content_loss_against_numpy() -> None:
    maps, target = random_maps(4), random_maps(5)
    a, b = maps.numpy(), target.numpy()
    expected = np.mean((a - b) ** 2) / np.mean(b**2)
    assert losses.content_loss(maps, target).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("headed", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_squared_error_and_power_against_numpy(weighted: bool, headed: bool) -> None:
    maps, target = random_maps(4).requires_grad_(), random_maps(5)
    weights = torch.rand(2, 1, 6, 7, dtype=torch.float64) if weighted else None
    head = torch.randn(3, 5, dtype=torch.float64) if headed else None
    w = 1.0 if weights is None else weights.numpy()
    a, b = (
        each if head is None else np.einsum("kc,bchw->bkhw", head.numpy(), each)
        for each in (maps.detach().numpy(), target.numpy())
    )
    error = content.squared_error(maps, target, weights, head)
    assert error.item() == pytest.approx(np.sum(w * (a - b) ** 2), rel=1e-6)
    power = content.power(target, weights, head)
    assert power.item() == pytest.approx(np.sum(w * b**2), rel=1e-6)
    assert torch.autograd.gradcheck(lambda m: content.squared_error(m, target, weights, head), maps)


def test_gram_loss_against_numpy() -> None:
    image, style = random_maps(6), random_maps(7)
    errors = []
    for a, b in zip(image.numpy(), style.numpy(), strict=True):
        gram_a = a.reshape(5, -1) @ a.reshape(5, -1).T / 42
        gram_b = b.reshape(5, -1) @ b.reshape(5, -1).T / 42
        errors.append(np.sum((gram_a - gram_b) ** 2) / np.sum(gram_b**2))
    result = losses.gram_loss(losses.moments(image), losses.moments(style))
    assert result.item() == pytest.approx(np.mean(errors), rel=1e-6)


def test_gram_loss_does_not_depend_on_size() -> None:
    image, style = random_maps(8), losses.moments(random_maps(9))
    larger = image.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    small = losses.gram_loss(losses.moments(image), style)
    torch.testing.assert_close(losses.gram_loss(losses.moments(larger), style), small)


def test_classic_gram_loss_against_numpy() -> None:
    image, style = random_maps(10)[:1], random_maps(11, height=9, width=4)[:1]
    a, b = image.numpy()[0].reshape(5, -1), style.numpy()[0].reshape(5, -1)
    expected = np.mean((a @ a.T / (5 * 42) - b @ b.T / (5 * 36)) ** 2)
    result = gram.gram_loss_classic(losses.moments(image), losses.moments(style))
    assert result.item() == pytest.approx(expected, rel=1e-9)


def reference_w2(image: Tensor, style: Tensor) -> float:
    """Olkin and Pukelsheim's formula with SciPy's matrix square root."""
    distances = []
    for a, b in zip(image.numpy(), style.numpy(), strict=True):
        x, y = a.reshape(a.shape[0], -1), b.reshape(b.shape[0], -1)
        cov_x, cov_y = np.cov(x, bias=True), np.cov(y, bias=True)
        root = np.real(scipy.linalg.sqrtm(cov_y))
        cross = np.real(scipy.linalg.sqrtm(root @ cov_x @ root))
        means = np.sum((x.mean(axis=1) - y.mean(axis=1)) ** 2)
        distance = means + np.trace(cov_x + cov_y - 2 * cross)
        distances.append(distance / np.mean(np.sum(y**2, axis=0)))
    return float(np.mean(distances))


def test_wasserstein_loss_against_scipy() -> None:
    image, style = random_maps(14), 1.5 * random_maps(15) + 0.3
    ours, theirs = losses.moments(image), losses.moments(style)
    result = losses.wasserstein_loss(ours, theirs)
    assert result.item() == pytest.approx(reference_w2(image, style), rel=1e-6)
    for root in (losses.sqrtm, wasserstein.factor):
        known = losses.wasserstein_loss(ours, theirs, root(theirs.covariance))
        torch.testing.assert_close(known, result)


def test_factors_have_as_many_rows_as_the_matrix_has_rank() -> None:
    rows = np.random.default_rng(0).standard_normal((2, 5, 12))
    matrix = rows.transpose(0, 2, 1) @ rows
    found = wasserstein.factor(torch.from_numpy(matrix)).numpy()
    assert found.shape == (2, 5, 12)
    np.testing.assert_allclose(found.transpose(0, 2, 1) @ found, matrix, atol=1e-9)
    assert wasserstein.factor(torch.zeros(1, 4, 4, dtype=torch.float64)).shape == (1, 1, 4)


@pytest.mark.parametrize("term", [losses.Gram, losses.W2, gram.ClassicGram])
def test_terms_with_a_head_are_those_of_the_mapped_maps(term: Any) -> None:
    """Statistics before a head, and the head to the term, against statistics behind it."""
    head = torch.randn(4, 5, dtype=torch.float64, generator=torch.manual_seed(0))
    image, style = random_maps(14).requires_grad_(), random_maps(15)
    known, unmapped = (
        term(losses.moments(torch.einsum("kc,bchw->bkhw", head, style)))(
            losses.moments(torch.einsum("kc,bchw->bkhw", head, image))
        ),
        term(losses.moments(style), head)(losses.moments(image)),
    )
    torch.testing.assert_close(unmapped, known)
    grads = (torch.autograd.grad(loss, image)[0] for loss in (unmapped, known))
    torch.testing.assert_close(*grads)


def test_wasserstein_loss_of_equal_statistics_is_zero() -> None:
    moments = losses.moments(random_maps(16))
    assert losses.wasserstein_loss(moments, moments).item() == pytest.approx(0, abs=1e-7)


def test_wasserstein_loss_of_maps_with_fewer_positions_than_channels() -> None:
    image = random_maps(17, channels=8, height=2, width=2).requires_grad_()
    style = losses.moments(random_maps(18, channels=8, height=2, width=2))
    loss = losses.wasserstein_loss(losses.moments(image), style)
    assert loss.item() == pytest.approx(
        reference_w2(image.detach(), random_maps(18, channels=8, height=2, width=2)), rel=1e-5
    )
    (grad,) = torch.autograd.grad(loss, image)
    assert torch.isfinite(grad).all()


@pytest.mark.parametrize(
    "loss", [losses.gram_loss, losses.wasserstein_loss, gram.gram_loss_classic]
)
def test_gradients_of_style_losses(loss: Any) -> None:
    style = losses.moments(random_maps(19))
    assert torch.autograd.gradcheck(
        lambda maps: loss(losses.moments(maps), style), random_maps(20).requires_grad_()
    )


def test_gradients_of_content_loss_and_total_variation() -> None:
    target, maps = random_maps(21), random_maps(22).requires_grad_()
    assert torch.autograd.gradcheck(lambda m: losses.content_loss(m, target), maps)
    assert torch.autograd.gradcheck(losses.total_variation, maps)


def test_total_variation_against_numpy() -> None:
    image = random_maps(23)
    a = image.numpy()
    expected = np.mean(np.diff(a, axis=2) ** 2) + np.mean(np.diff(a, axis=3) ** 2)
    assert losses.total_variation(image).item() == pytest.approx(expected)


def test_total_variation_of_one_pixel_is_zero() -> None:
    assert losses.total_variation(torch.rand(1, 3, 1, 1)).item() == 0


def test_flat_grey_images_give_finite_losses() -> None:
    flat = torch.full((1, 4, 5, 5), 0.5, requires_grad=True)
    style = losses.moments(torch.zeros(1, 4, 5, 5))
    for loss in (losses.gram_loss, losses.wasserstein_loss):
        value = loss(losses.moments(flat), style)
        (grad,) = torch.autograd.grad(value, flat)
        assert torch.isfinite(value)
        assert torch.isfinite(grad).all()


def test_a_loss_that_is_not_finite_is_no_crash() -> None:
    broken = torch.full((1, 3, 4, 4), float("nan"), requires_grad=True)
    style = losses.moments(random_maps(24, channels=3)[:1].float())
    loss = losses.wasserstein_loss(losses.moments(broken), style)
    assert torch.isnan(loss)


def test_blended_moments_are_not_blended_covariances() -> None:
    """Two flat colours mixed half and half have a spread that neither of them has."""
    black, white = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    a, b = losses.moments(black), losses.moments(white)
    mixed = Moments((a.mean + b.mean) / 2, (a.second + b.second) / 2)
    torch.testing.assert_close(mixed.covariance, torch.full((1, 3, 3), 0.25))


def reference_hypercolumns(maps: list[Tensor], size: tuple[int, int], scales: list[float]) -> Array:
    """Averages over cells and bilinear interpolation, one position at a time."""
    columns = []
    for y in range(size[0]):
        for x in range(size[1]):
            column = []
            for layer, scale in zip(maps, scales, strict=True):
                values = layer[0].numpy()
                _, height, width = values.shape
                if height > size[0]:
                    dy, dx = height // size[0], width // size[1]
                    cell = values[:, y * dy : (y + 1) * dy, x * dx : (x + 1) * dx]
                    column.append(scale * cell.mean(axis=(1, 2)))
                    continue
                # Pixel centres at half-integers, the border repeated.
                v = np.clip((y + 0.5) * height / size[0] - 0.5, 0, height - 1)
                u = np.clip((x + 0.5) * width / size[1] - 0.5, 0, width - 1)
                top, left = int(v), int(u)
                bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
                upper = values[:, top, left] * (1 - u + left) + values[:, top, right] * (u - left)
                lower = values[:, bottom, left] * (1 - u + left)
                lower = lower + values[:, bottom, right] * (u - left)
                column.append(scale * (upper * (1 - v + top) + lower * (v - top)))
            columns.append(np.concatenate(column))
    return np.stack(columns)


def pyramid(seed: int, height: int = 4, width: int = 6) -> list[Tensor]:
    """Maps of three layers: twice the grid, the grid, half of it."""
    return [
        random_maps(seed, 2, 2 * height, 2 * width)[:1],
        random_maps(seed + 1, 3, height, width)[:1],
        random_maps(seed + 2, 4, height // 2, width // 2)[:1],
    ]


def test_hypercolumns_against_numpy() -> None:
    maps, scales = pyramid(25), [0.5, 1.0, 2.0]
    result = neighbors.hypercolumns(maps, (4, 6), scales)
    np.testing.assert_allclose(result, reference_hypercolumns(maps, (4, 6), scales), atol=1e-12)


def test_nearest_against_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, bank = torch.randn(37, 5).double(), torch.randn(23, 5).double()
    expected = scipy.spatial.distance.cdist(rows.numpy(), bank.numpy(), "cosine").argmin(axis=1)
    np.testing.assert_array_equal(neighbors.nearest(rows, bank), expected)
    monkeypatch.setattr(neighbors, "SIMILARITIES", 50)  # two rows at a time
    np.testing.assert_array_equal(neighbors.nearest(rows, bank), expected)


def test_neighbors_are_searched_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """No product of more than the bound is ever made."""
    largest = 0
    multiply = Tensor.__matmul__

    def watched(self: Tensor, other: Tensor) -> Tensor:
        nonlocal largest
        product: Tensor = multiply(self, other)
        largest = max(largest, product.numel())
        return product

    monkeypatch.setattr(Tensor, "__matmul__", watched)
    monkeypatch.setattr(neighbors, "SIMILARITIES", 1000)
    neighbors.nearest(torch.randn(500, 3), torch.randn(100, 3))
    assert 0 < largest <= 1000


def test_neighbor_loss_against_numpy() -> None:
    rows, targets, weights = (torch.rand(9, n).double() for n in (4, 4, 1))
    distances = ((rows.numpy() - targets.numpy()) ** 2).sum(axis=1)
    assert neighbors.neighbor_loss(rows, targets).item() == pytest.approx(distances.mean())
    expected = np.average(distances, weights=weights[:, 0].numpy())
    assert neighbors.neighbor_loss(rows, targets, weights).item() == pytest.approx(expected)


@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_of_the_neighbor_loss(weighted: bool) -> None:
    """Through hypercolumns to the maps of every layer."""
    targets = torch.randn(24, 9, dtype=torch.float64)
    weights = torch.rand(24, 1, dtype=torch.float64) if weighted else None
    maps = tuple(layer.requires_grad_() for layer in pyramid(28))

    def loss(*layers: Tensor) -> Tensor:
        columns = neighbors.hypercolumns(layers, (4, 6), [0.5, 1.0, 2.0])
        return neighbors.neighbor_loss(columns, targets, weights)

    assert torch.autograd.gradcheck(loss, maps)


def reference_band_energies(image: Tensor, weights: Tensor | None = None) -> Array:
    """SciPy's filter, borders repeated; a level after the other."""
    opponents = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])
    level = np.einsum("kc,chw->khw", opponents, image.numpy()[0])
    shares = np.ones(level.shape[1:]) if weights is None else weights.numpy()[0, 0]

    def smooth(planes: Array) -> Array:
        for axis in (1, 2):  # 1 2 1, whose repeated border is that of its own input
            planes = scipy.ndimage.correlate1d(planes, [0.25, 0.5, 0.25], axis, mode="nearest")
        return planes

    def energy(band: Array) -> Array:
        height, width = band.shape[1:]
        cells = shares.reshape(height, len(shares) // height, width, -1)
        at = cells.mean(axis=(1, 3))
        return np.asarray((band**2 * at).sum(axis=(1, 2)) / at.sum())

    octaves = []
    for _ in range(3):
        coarse = smooth(smooth(level))
        octaves.append(level - coarse)
        level = coarse[:, ::2, ::2]
    return np.stack([energy(octaves[0] - smooth(octaves[0])), *map(energy, octaves)])


@pytest.fixture(params=[1, 3], ids=["by colour", "at once"])
def colors_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bands of small images and, one colour after the other, of large ones."""
    monkeypatch.setattr(bands, "LARGE", 0 if request.param == 1 else bands.LARGE)


@pytest.mark.usefixtures("colors_at_once")
@pytest.mark.parametrize("weighted", [False, True])
def test_band_energies_against_scipy(weighted: bool) -> None:
    image, other = torch.rand(2, 3, 16, 24, dtype=torch.float64).chunk(2)
    weights = torch.rand(1, 1, 16, 24, dtype=torch.float64) if weighted else None
    found = losses.band_energies(torch.cat([image, other]), weights)
    for one, energies in zip((image, other), found, strict=True):
        np.testing.assert_allclose(energies, reference_band_energies(one, weights), rtol=1e-9)


def test_bands_tell_an_octave_from_the_next() -> None:
    """Stripes of one colour difference, one, two and four pixels wide."""
    found = []
    for width in (1, 2, 4):
        stripe = torch.arange(64).div(width, rounding_mode="floor") % 2 - 0.5
        image = torch.stack([0.5 + 0.2 * stripe, torch.full((64,), 0.5), 0.5 - 0.2 * stripe])
        found.append(losses.band_energies(image[None, :, None].expand(-1, -1, 64, -1))[0])
    assert [int(energies[1:, 1].argmax()) for energies in found] == [0, 0, 1]
    for energies in found:
        assert float(energies[:, (0, 2)].abs().max()) < 1e-9
    torch.testing.assert_close(found[0][:2, 1], torch.full((2,), 0.02), rtol=0.05, atol=0)
    # 1 2 1 takes away half of a wave of four pixels.
    torch.testing.assert_close(
        found[1][0, 1] / found[1][1, 1], torch.tensor(0.25), rtol=0.05, atol=0
    )


def test_bands_loss_against_numpy() -> None:
    energies, target = 0.01 * torch.rand(2, 4, 4, 3, dtype=torch.float64)
    ours, theirs = (np.sqrt(each.numpy() + 1e-8) for each in (energies, target))
    excess = np.maximum(ours - theirs, 0)
    errors = (excess**2).sum(axis=2) / (target.numpy().sum(axis=2) + bands.FLAT**2)
    assert losses.bands_loss(energies, target).item() == pytest.approx(errors.mean())
    assert losses.bands_loss(target, target).item() == 0
    assert losses.bands_loss(target / 4, target).item() == 0


@pytest.mark.usefixtures("colors_at_once")
@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_of_the_bands_loss(weighted: bool) -> None:
    target = losses.band_energies(torch.rand(1, 3, 9, 8, dtype=torch.float64))
    weights = torch.rand(1, 1, 7, 10, dtype=torch.float64) if weighted else None
    image = torch.rand(2, 3, 7, 10, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: losses.bands_loss(losses.band_energies(x, weights), target), image
    )


def test_a_neutral_image_has_finite_band_gradients() -> None:
    flat = torch.full((1, 3, 8, 8), 0.5, requires_grad=True)
    loss = losses.bands_loss(losses.band_energies(flat), torch.zeros(1, 4, 3))
    assert torch.isfinite(torch.autograd.grad(loss, flat)[0]).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_tones_against_numpy(weighted: bool) -> None:
    """Of areas of 4 x 4 pixels."""
    image, target = torch.rand(2, 3, 64, 128, dtype=torch.float64).chunk(2)
    target = target[..., ::4, ::4].repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    alpha = torch.rand(1, 1, 64, 128, dtype=torch.float64) if weighted else None

    def means(planes: Tensor) -> Array:
        blocks: Array = planes[0].numpy().reshape(-1, 16, 4, 32, 4).mean(axis=(2, 4))
        return blocks.reshape(-1, 16 * 32)

    ours, theirs = (means(each.mean(dim=1, keepdim=True)) for each in (image, target))
    share = np.ones((1, 512)) if alpha is None else means(alpha)
    share = share / share.sum()
    middle = (share * theirs).sum(axis=1, keepdims=True)
    errors, variance = (
        (share * np.square(away)).sum() for away in (ours - theirs, theirs - middle)
    )
    term = losses.Tones(losses.Source(target, alpha))
    assert term(image).item() == pytest.approx(errors / variance)
    assert term(target).item() == 0
    assert torch.autograd.gradcheck(term, image.requires_grad_())


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (20, 24)])
def test_tones_of_any_shape(size: tuple[int, int]) -> None:
    """Also of images smaller than the areas are many, and where nothing counts."""
    target, image = torch.rand(2, 3, *size).chunk(2)
    assert losses.Tones(losses.Source(target))(image) > 0
    assert losses.Tones(losses.Source(target, torch.zeros(1, 1, *size)))(image) == 0


def test_strokes_within_an_area_are_of_one_tone() -> None:
    flat = torch.full((1, 3, 64, 128), 0.5)
    term = losses.Tones(losses.Source(flat))
    strokes = torch.where(torch.arange(128) % 2 > 0, 0.9, 0.1).expand(1, 3, 64, -1)
    assert term(strokes).item() == pytest.approx(0, abs=1e-6)
    lighter = flat + 0.1 * (torch.arange(128) < 64)
    assert term(lighter).item() == pytest.approx(0.1**2 / 2 / tones.FLAT)


def test_bands_blend_like_pixels() -> None:
    """Two artworks in equal shares are the energies of both side by side."""
    sources = [losses.Source(torch.rand(1, 3, 8, 8)) for _ in range(2)]
    one, other = (losses.band_energies(each.image) for each in sources)
    blend = losses.Bands(torch.cat([one, other]), [3, 1], sources[0])
    torch.testing.assert_close(blend.target, 0.75 * one + 0.25 * other)


def test_what_wraps_is_the_middle_of_what_repeats() -> None:
    """Bands and total variation of an image that repeats, against three by three of it."""
    image = torch.rand(1, 3, 32, 48, dtype=torch.float64, generator=torch.manual_seed(0))
    both = (True, True)
    many = image.repeat(1, 1, 9, 9)
    found = losses.band_energies(image, None, both)
    torch.testing.assert_close(found, losses.band_energies(many, None, both))
    torch.testing.assert_close(found, losses.band_energies(image.roll((8, 20), (2, 3)), None, both))
    # Only the borders of the large one differ.
    torch.testing.assert_close(found, losses.band_energies(many), rtol=0.06, atol=0)
    joined = torch.cat([image, image[:, :, :1]], 2)
    rows = joined.diff(dim=2).square().mean()
    plain = losses.total_variation(image)
    columns = plain - image.diff(dim=2).square().mean()
    torch.testing.assert_close(losses.total_variation(image, (True, False)), rows + columns)
    small = torch.rand(1, 3, 16, 8, dtype=torch.float64).requires_grad_()
    target = torch.zeros(1, losses.bands.BANDS, 3, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        lambda x: losses.bands_loss(losses.band_energies(x, None, (True, False)), target), small
    )
