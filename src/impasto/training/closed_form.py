"""A thin network from a wide one without gradient steps: column selection and least squares.

The channels of each thin layer imitate a subset of the wide network's, chosen so that the others
are as good as linear in them. Layer by layer, the thin weights are then the least squares
solution from what the thin network itself sees there to what the chosen channels say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.backbones.vgg import VGG, stage_names

RIDGE = 1e-5  # relative to the mean of the normal equations' diagonal
POSITIONS = 2048  # positions of one crop that enter the equations at most


class LeastSquares:
    """Normal equations of a linear map, accumulated over any number of samples in float64.

    On the CPU: not every device has float64.
    """

    def __init__(self) -> None:
        self.inner: Tensor | float = 0.0
        self.cross: Tensor | float = 0.0

    def add(self, inputs: Tensor, targets: Tensor) -> None:
        """Add samples: inputs ``(N, D)``, targets ``(N, K)``."""
        self.inner = self.inner + (inputs.T @ inputs).cpu().double()
        self.cross = self.cross + (inputs.T @ targets).cpu().double()

    def solve(self) -> Tensor:
        """Return the map ``(D, K)`` of least squared error, with a little ridge."""
        assert isinstance(self.inner, Tensor) and isinstance(self.cross, Tensor)
        ridge = RIDGE * self.inner.diagonal().mean() * torch.eye(len(self.inner)).double()
        solution: Tensor = torch.linalg.solve(self.inner + ridge, self.cross)
        return solution.float()


def columns(maps: Tensor) -> Tensor:
    """Feature maps ``(B, C, h, w)`` as samples ``(B * h * w, C)`` in float32."""
    return maps.permute(0, 2, 3, 1).flatten(0, 2).float()


def second_moments(
    network: VGG, layers: Sequence[str], batches: Iterable[Tensor]
) -> dict[str, Tensor]:
    """Return the mean products ``(C, C)`` of each layer's channels over images, in float64."""
    sums: dict[str, Tensor] = {}
    count: dict[str, int] = {}
    for images in batches:
        for layer, maps in network(images, layers).items():
            samples = columns(maps)
            product = (samples.T @ samples).cpu().double()
            sums[layer] = sums[layer] + product if layer in sums else product
            count[layer] = count.get(layer, 0) + len(samples)
    return {layer: sums[layer] / count[layer] for layer in layers}


def choose_channels(moment: Tensor, count: int) -> list[int]:
    """Choose the channels from which all the others follow best, one after the other.

    Pivoted Cholesky factorisation of the second moment. The pivot is the channel that explains
    most of what is left of all channels (not the one of which most is left).

    Args:
        moment: ``(C, C)``, mean products of the channels.
        count: How many to choose, at most C.

    Returns:
        Their indices in ascending order.
    """
    left = moment.double().clone()
    tiny = 1e-9 * left.diagonal().mean()
    chosen: list[int] = []
    for _ in range(count):
        explained = left.square().sum(dim=0) / left.diagonal().clamp_min(tiny)
        explained[chosen] = -1
        pivot = int(explained.argmax())
        chosen.append(pivot)
        left -= torch.outer(left[:, pivot], left[pivot]) / left[pivot, pivot].clamp_min(tiny)
    return sorted(chosen)


def fit_trunk(
    teacher: VGG,
    plan: Sequence[int],
    widths: Sequence[int],
    moments: Mapping[str, Tensor],
    batches: Sequence[Tensor],
) -> dict[str, Tensor]:
    """Fit the convolutions of a thin network, layer by layer.

    Args:
        teacher: The wide network.
        plan: Convolutions in each block, of both networks.
        widths: Channels of each thin convolution; the thin network ends where they end.
        moments: Second moments of the teacher's maps after each ReLU.
        batches: Images ``(B, 3, H, W)`` to fit on.

    Returns:
        Parameters under torchvision's names.
    """
    stages = stage_names(plan)
    indices = [i for i, stage in enumerate(stages) if stage.startswith("conv")]
    state: dict[str, Tensor] = {}
    before = ""
    for index, width in zip(indices, widths, strict=False):
        layer = stages[index]
        channels = choose_channels(moments[layer.replace("conv", "relu")], width)
        if not before:  # both networks see the image here: the chosen filters as they are
            filters = teacher.state_dict()
            weight = filters["features.0.weight"][channels].float().cpu()
            bias = filters["features.0.bias"][channels].float().cpu()
        else:
            thin = VGG("thin", state, plan=plan).requires_grad_(False)
            thin.to(batches[0].device, teacher.dtype)
            equations = LeastSquares()
            for images in batches:
                seen = thin(images, [before])[before]
                if stages[index - 1].startswith("pool"):
                    seen = thin.pool(seen)
                _add_patches(equations, seen, teacher(images, [layer])[layer][:, channels])
            solution = equations.solve().T
            weight, bias = solution[:, :-1].reshape(width, -1, 3, 3), solution[:, -1]
        state |= {f"features.{index}.weight": weight, f"features.{index}.bias": bias}
        before = stages[index + 1]
    return state


def _add_patches(equations: LeastSquares, seen: Tensor, said: Tensor) -> None:
    """Add the 3x3 neighbourhoods of maps, and a one for the bias, as inputs."""
    for inputs, targets in zip(seen.float(), said.float(), strict=True):
        patches = F.unfold(inputs[None], 3, padding=1)[0].T
        stride = max(1, len(patches) // POSITIONS)
        # A stride that shares no factor with the width visits all columns of the map.
        chosen = torch.arange(0, len(patches), stride | 1)
        patches = F.pad(patches[chosen], (0, 1), value=1.0)
        equations.add(patches, targets.flatten(1).T[chosen])
