"""The closed-form start against NumPy, and on networks whose thin twin is known."""

from __future__ import annotations

import numpy as np
import torch

from impasto.backbones.vgg import VGG
from impasto.training.closed_form import LeastSquares, choose_channels, fit_trunk, second_moments
from tests.training.teachers import small_teacher


def test_least_squares_over_batches_is_that_of_all_samples() -> None:
    random = np.random.default_rng(0)
    inputs, targets = random.normal(size=(300, 5)), random.normal(size=(300, 2))
    equations = LeastSquares()
    for part in np.split(np.arange(300), 3):
        equations.add(torch.tensor(inputs[part]).float(), torch.tensor(targets[part]).float())
    expected = np.linalg.lstsq(inputs, targets, rcond=None)[0]
    np.testing.assert_allclose(equations.solve().numpy(), expected, atol=1e-4)


def test_second_moments_are_the_mean_products() -> None:
    teacher = small_teacher()
    images = torch.rand(3, 3, 16, 16, generator=torch.Generator().manual_seed(5))
    maps = teacher(images, ["relu2_1"])["relu2_1"].double().numpy()
    expected = np.einsum("bchw,bdhw->cd", maps, maps) / (maps.size / maps.shape[1])
    moments = second_moments(teacher, ["relu2_1"], [images[:1], images[1:]])
    np.testing.assert_allclose(moments["relu2_1"].numpy(), expected, rtol=1e-4, atol=1e-4)


def test_chosen_channels_span_all_others() -> None:
    """Nine channels that are mixtures of three: any good choice of three explains everything."""
    random = np.random.default_rng(1)
    channels = random.normal(size=(200, 3)) @ random.normal(size=(3, 9))
    chosen = choose_channels(torch.tensor(channels.T @ channels / 200), 3)
    assert chosen == sorted(set(chosen))
    weights = np.linalg.lstsq(channels[:, chosen], channels, rcond=None)[0]
    np.testing.assert_allclose(channels[:, chosen] @ weights, channels, atol=1e-6)


def test_the_first_choice_explains_most() -> None:
    random = np.random.default_rng(2)
    channels = random.normal(size=(500, 6)) @ random.normal(size=(6, 6))
    left = []
    for index in range(6):
        one = channels[:, [index]]
        rest = channels - one @ np.linalg.lstsq(one, channels, rcond=None)[0]
        left.append(np.square(rest).sum())
    assert choose_channels(torch.tensor(channels.T @ channels / 500), 1) == [int(np.argmin(left))]


def test_a_trunk_of_full_width_is_the_teacher() -> None:
    teacher = small_teacher()
    random = torch.Generator().manual_seed(3)
    batches = [torch.rand(4, 3, 48, 48, generator=random) for _ in range(12)]
    layers = [layer for layer in teacher.layers if layer.startswith("relu")][:5]
    widths = [teacher.state_dict()[f"features.{i}.bias"].numel() for i in (0, 2, 5, 7, 10)]
    moments = second_moments(teacher, layers, batches)
    state = fit_trunk(teacher, (2, 2, 3, 3, 3), widths, moments, batches)

    thin = VGG("thin", state, plan=(2, 2, 3, 3, 3)).freeze()
    image = torch.rand(1, 3, 32, 32, generator=random)
    for layer in layers:
        ours, theirs = thin(image, [layer])[layer], teacher(image, [layer])[layer]
        assert (ours - theirs).norm() < 0.02 * theirs.norm(), layer
