"""Distances against NumPy and SciPy in float64."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import torch
from skimage.metrics import structural_similarity

from impasto import metrics
from impasto.errors import InputError
from impasto.flow import Motion
from impasto.losses import moments
from impasto.metrics import Judge
from tests.small import small_backbone


def maps(seed: int, height: int = 5, width: int = 6) -> torch.Tensor:
    return torch.randn(1, 4, height, width, generator=torch.Generator().manual_seed(seed))


def test_perceptual_distance_compares_directions() -> None:
    a, b = maps(0), maps(1)
    x, y = (m[0].double().numpy().reshape(4, -1) for m in (a, b))
    x, y = x / np.linalg.norm(x, axis=0), y / np.linalg.norm(y, axis=0)
    expected = np.mean(np.sum((x - y) ** 2, axis=0))
    assert metrics.perceptual_distance(a, b) == pytest.approx(expected)
    assert metrics.perceptual_distance(a, 7 * a) == pytest.approx(0, abs=1e-12)
    assert metrics.perceptual_distance(a, -a) == pytest.approx(4)


def test_gram_distance_is_relative_to_the_style() -> None:
    a, b = maps(2), maps(3, 7, 3)
    x, y = (m[0].double().numpy().reshape(4, -1) for m in (a, b))
    gram_a, gram_b = x @ x.T / x.shape[1], y @ y.T / y.shape[1]
    expected = np.sum((gram_a - gram_b) ** 2) / np.sum(gram_b**2)
    assert metrics.gram_distance(moments(a), moments(b)) == pytest.approx(expected, rel=1e-5)
    nothing = moments(torch.zeros(1, 4, 3, 3))
    assert metrics.gram_distance(nothing, moments(b)) == pytest.approx(1)


def test_w2_distance_is_that_of_normal_distributions() -> None:
    a, b = maps(4), 2 * maps(5) + 1
    x, y = (m[0].double().numpy().reshape(4, -1) for m in (a, b))
    cov_x, cov_y = np.cov(x, bias=True), np.cov(y, bias=True)
    cross = np.trace(np.real(scipy.linalg.sqrtm(cov_x @ cov_y)))
    means = np.sum((x.mean(axis=1) - y.mean(axis=1)) ** 2)
    distance = means + np.trace(cov_x) + np.trace(cov_y) - 2 * cross
    expected = distance / np.mean(np.sum(y**2, axis=0))
    assert metrics.w2_distance(moments(a), moments(b)) == pytest.approx(expected, rel=1e-5)


def test_the_judge_takes_means_over_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "CONTENT_LAYERS", ("relu1_1", "relu2_2"))
    monkeypatch.setattr(metrics, "GRAM_LAYERS", ("relu1_1", "relu3_1"))
    monkeypatch.setattr(metrics, "W2_LAYERS", ("relu3_1",))
    backbone = small_backbone()
    image, content, style = torch.rand(
        3, 1, 3, 24, 24, generator=torch.Generator().manual_seed(6)
    ).unbind()
    found = Judge(backbone)(image, content, style)
    maps_of = [backbone(x, ["relu1_1", "relu2_2", "relu3_1"]) for x in (image, content, style)]
    assert found.content == pytest.approx(
        np.mean(
            [
                metrics.perceptual_distance(maps_of[0][k], maps_of[1][k])
                for k in ("relu1_1", "relu2_2")
            ]
        )
    )
    grams = [
        metrics.gram_distance(moments(maps_of[0][k]), moments(maps_of[2][k]))
        for k in ("relu1_1", "relu3_1")
    ]
    assert found.gram == pytest.approx(np.mean(grams))
    assert found.w2_layers == {
        "relu3_1": metrics.w2_distance(
            moments(maps_of[0]["relu3_1"]), moments(maps_of[2]["relu3_1"])
        )
    }
    assert found.w2 == pytest.approx(found.w2_layers["relu3_1"])
    assert found.ssim == metrics.ssim(image, content)
    assert found.rgb == pytest.approx(metrics.w2_distance(moments(image), moments(style)))


def test_ssim_is_that_of_scikit_image() -> None:
    generator = torch.Generator().manual_seed(7)
    a = torch.rand(1, 3, 24, 31, generator=generator)
    b = (0.6 * a + 0.3 * torch.rand(a.shape, generator=generator)).clamp(0, 1)
    x, y = ((p[0].double().numpy() * [[[0.299]], [[0.587]], [[0.114]]]).sum(axis=0) for p in (a, b))
    expected = structural_similarity(  # type: ignore[no-untyped-call]
        x, y, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert metrics.ssim(a, b) == pytest.approx(expected, rel=1e-9)
    assert metrics.ssim(a, a) == pytest.approx(1)


def test_ssim_refuses_pictures_smaller_than_its_window() -> None:
    with pytest.raises(InputError, match="at least 11 px"):
        metrics.ssim(torch.rand(1, 3, 10, 20), torch.rand(1, 3, 10, 20))


def test_the_warping_error_is_that_of_the_paper() -> None:
    random = np.random.default_rng(7)
    before, after = random.random((2, 3, 6, 8))
    visible = (random.random((6, 8)) < 0.7).astype(float)
    shift = np.zeros((2, 6, 8))
    shift[0] = 1  # this frame's pixel (x, y) was at (x + 1, y)
    warped = np.concatenate([before[:, :, 1:], before[:, :, -1:]], axis=2)
    expected = (visible * ((after - warped) ** 2).sum(axis=0)).sum() / visible.sum()
    tensors = [torch.from_numpy(x)[None].float() for x in (before, after, shift)]
    motion = Motion(tensors[2], torch.from_numpy(visible)[None, None].float())
    found = metrics.warping_error(tensors[0], tensors[1], motion)
    assert found == pytest.approx(expected, rel=1e-4)
    hidden = Motion(tensors[2], torch.zeros(1, 1, 6, 8))
    assert metrics.warping_error(tensors[0], tensors[1], hidden) == 0


def test_the_warping_error_of_a_video_leaves_out_cuts() -> None:
    random = torch.Generator().manual_seed(8)
    scene, other = (
        torch.nn.functional.interpolate(
            torch.rand(1, 3, 30, 40, generator=random), scale_factor=6, mode="bicubic"
        ).clamp(0, 1)
        for _ in range(2)
    )
    source = [scene, scene, other, other]
    assert metrics.mean_warping_error(source, source) == pytest.approx(0, abs=1e-6)
    flickering = [scene, (scene + 0.1).clamp(0, 1), other, other]
    change = (flickering[1] - scene).square().sum(dim=1).mean()
    found = metrics.mean_warping_error(flickering, source)
    assert found == pytest.approx(float(change) / 2, rel=0.1)
    with pytest.raises(InputError, match="two frames of one scene"):
        metrics.mean_warping_error([scene, other], [scene, other])


def waves(period: float, colors: tuple[float, float, float], size: int = 96) -> torch.Tensor:
    """Vertical waves of so many pixels around grey."""
    wave = torch.cos(2 * torch.pi * torch.arange(size) / period)
    image = 0.5 + torch.tensor(colors)[:, None, None] * wave
    return image.expand(3, size, size)[None]


def test_grain_is_the_root_mean_square_of_what_is_fine() -> None:
    grey, red_blue = (0.1, 0.1, 0.1), (0.1, 0.0, -0.1)
    lightness, color = metrics.grain(waves(3, grey))
    assert lightness == pytest.approx(0.1 * 1.5**0.5, rel=0.02)  # an amplitude over root 2, times 3
    assert color == pytest.approx(0, abs=1e-4)
    lightness, color = metrics.grain(waves(2.5, red_blue))
    assert color == pytest.approx(0.1, rel=0.02)
    assert lightness == pytest.approx(0, abs=1e-4)
    assert max(metrics.grain(waves(6, grey))) < 0.002  # too coarse


def test_grain_of_flat_borders_is_none() -> None:
    """The jump from one border to the other is not in the image."""
    ramp = torch.linspace(0, 1, 80).expand(1, 3, 60, 80)
    assert max(metrics.grain(ramp)) < 1e-3


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_weave_stands_out(period: int) -> None:
    noise = 0.05 * torch.randn(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    assert metrics.weave(0.5 + noise) < 2
    woven = waves(period, (0.01, 0.01, 0.01), 128) + noise
    assert metrics.weave(woven) > 5


def test_the_judge_measures_grain_against_the_artwork_and_weave_against_the_photo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metrics, "CONTENT_LAYERS", ("relu2_2",))
    monkeypatch.setattr(metrics, "GRAM_LAYERS", ("relu1_1", "relu2_1"))
    monkeypatch.setattr(metrics, "W2_LAYERS", ("relu2_1",))
    coarse, fine = waves(3, (0.1, 0.1, 0.1)), waves(3, (0.2, 0.2, 0.2))
    found = Judge(small_backbone())(fine, fine, coarse)
    assert found.grain_lightness == pytest.approx(2, rel=1e-3)
    assert found.grain_color == pytest.approx(0, abs=1e-3)
    assert found.weave == pytest.approx(1)
