"""The start of a student, fitted to its teacher or trained before, and its targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.backbones.lite import PLAN, Lite
from impasto.backbones.vgg import VGG
from impasto.training.closed_form import LeastSquares, columns, fit_trunk, second_moments

# Channels of the eleven convolutions conv1_1 to conv5_1 of lite.
WIDTHS = (16, 16, 48, 32, 96, 64, 96, 256, 256, 256, 256)


class Targets:
    """The student's targets: the teacher's maps in their leading principal coordinates.

    Args:
        teacher: The wide network.
        axes: Per layer the axes of the coordinates that are kept, ``(K, C, 1, 1)``.
        power: Per layer the mean squared norm of the teacher's features.
    """

    def __init__(
        self, teacher: VGG, axes: Mapping[str, Tensor], power: Mapping[str, float]
    ) -> None:
        self.teacher = teacher
        self.axes = dict(axes)
        self.power = dict(power)

    @classmethod
    def from_moments(
        cls, teacher: VGG, moments: Mapping[str, Tensor], counts: Mapping[str, int]
    ) -> Targets:
        """Keep the given number of principal coordinates per layer.

        Args:
            teacher: The wide network.
            moments: Second moments of its maps, ``(C, C)`` per layer.
            counts: Coordinates to keep per layer.
        """
        axes = {}
        for layer, count in counts.items():
            ascending = torch.linalg.eigh(moments[layer])[1]
            axes[layer] = ascending.flip(1)[:, :count].T[:, :, None, None].float()
        return cls(teacher, axes, {layer: float(moments[layer].trace()) for layer in counts})

    @torch.no_grad()
    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return ``(B, K, h, w)`` per layer in float32 for images ``(B, 3, H, W)``."""
        maps = self.teacher(images, self.axes)
        return {
            layer: F.conv2d(maps[layer], axes.to(maps[layer])).float()
            for layer, axes in self.axes.items()
        }


def make_student(
    teacher: VGG, batches: Sequence[Tensor], trained: Lite | None = None, width: float = 1.0
) -> tuple[Lite, Targets]:
    """Make a student by least squares, or of a trained one, and its targets.

    The axes behind the heads of a trained one are not known any more: its heads are fitted anew.

    Args:
        teacher: The wide network.
        batches: Images ``(B, 3, H, W)`` to fit on.
        trained: A student that has learnt already.
        width: Widths of a new student over those of lite.
    """
    layers = [layer for layer in teacher.layers if layer.startswith("relu")][: len(WIDTHS)]
    widths = [max(1, round(width * channels)) for channels in WIDTHS]
    if trained is not None:
        widths = [trained.head(layer).shape[0] for layer in layers]
    moments = second_moments(teacher, layers, batches)
    targets = Targets.from_moments(teacher, moments, dict(zip(layers, widths, strict=True)))
    if trained is None:
        trunk = fit_trunk(teacher, PLAN, widths, moments, batches)
    else:
        trunk = {name: each for name, each in trained.state_dict().items() if "features" in name}
    return _fit_heads(trunk, targets, batches), targets


def _fit_heads(trunk: Mapping[str, Tensor], targets: Targets, batches: Sequence[Tensor]) -> Lite:
    """Fit the heads behind a thin trunk's layers to the targets by least squares."""
    thin = VGG("thin", trunk, plan=PLAN).requires_grad_(False)
    thin.to(batches[0].device, targets.teacher.dtype)
    equations = {layer: LeastSquares() for layer in targets.axes}
    for images in batches:
        seen, wanted = thin(images, targets.axes), targets(images)
        for layer, each in equations.items():
            each.add(columns(seen[layer]), columns(wanted[layer]))
    heads = {
        f"heads.{layer}.weight": each.solve().T[:, :, None, None]
        for layer, each in equations.items()
    }
    return Lite({**trunk, **heads})
