"""Muon against the singular value decomposition."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from impasto.stylizers.networks.description import Architecture
from impasto.stylizers.networks.network import FastNetwork
from impasto.training.muon import Muon, optimizers_of, orthogonal_factor


@pytest.mark.parametrize("shape", [(8, 8), (5, 40), (40, 5)])
def test_the_orthogonal_factor_is_near_that_of_the_decomposition(shape: tuple[int, int]) -> None:
    matrix = np.random.default_rng(0).normal(size=shape)
    u, _, v = np.linalg.svd(matrix, full_matrices=False)
    found = orthogonal_factor(torch.tensor(matrix).float()).double().numpy()
    alike = np.sum(found * (u @ v)) / np.linalg.norm(found) / np.linalg.norm(u @ v)
    assert alike > 0.95
    values = np.linalg.svd(found, compute_uv=False)
    assert 0.5 < values.min() <= values.max() < 1.4


def test_a_zero_gradient_changes_nothing() -> None:
    weight = torch.nn.Parameter(torch.rand(4, 5, 3, 3))
    before = weight.detach().clone()
    weight.grad = torch.zeros_like(weight)
    Muon([weight], lr=0.1).step()
    assert torch.equal(weight, before)


def test_it_finds_the_solution_of_a_badly_scaled_problem() -> None:
    random = torch.Generator().manual_seed(0)
    inputs = torch.randn(200, 6, generator=random) * torch.logspace(0, -1.5, 6)
    solution = torch.randn(6, 4, generator=random)
    weight = torch.nn.Parameter(torch.zeros(6, 4))
    optimizer = Muon([weight], lr=0.3)
    for step in range(200):
        optimizer.param_groups[0]["lr"] = 0.3 * (1 - step / 200)
        weight.grad = inputs.T @ (inputs @ weight.detach() - inputs @ solution)
        optimizer.step()
    assert (weight - solution).norm() < 0.05 * solution.norm()


def test_what_tells_styles_apart_learns_faster_than_what_they_share() -> None:
    network = FastNetwork(Architecture(width=2, blocks=1), styles=2)
    optimizers = optimizers_of(network, lr=0.1)
    paces = {
        id(each): group["pace"]
        for optimizer in optimizers
        for group in optimizer.param_groups
        for each in group["params"]
    }
    assert paces.pop(id(network.table)) > 1
    assert set(paces.values()) == {1.0}
    assert len(paces) + 1 == sum(each.requires_grad for each in network.parameters())
