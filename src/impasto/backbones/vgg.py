"""VGG-16 and VGG-19 (Simonyan and Zisserman 2015), convolutions only.

Layers and parameters keep torchvision's order and names ("features.0.weight"), so that its
checkpoints load as they are. Layer names follow the papers: ``conv4_2`` is the map before its
ReLU, ``relu4_2`` the one after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from impasto.backbones.base import IMAGENET_MEAN, IMAGENET_STD, Backbone
from impasto.errors import InputError

Pooling = Literal["max", "average"]

CONVOLUTIONS: dict[str, tuple[int, ...]] = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
WIDTHS: dict[str, int] = {"1": 64, "2": 128, "3": 256, "4": 512, "5": 512}

# An average over 2 x 2 is smaller than their maximum; this factor keeps the scale of what comes
# after, which was trained behind max pooling (measured over photos; crowsonkb uses 2.0 as well).
AVERAGE_POOLING_SCALE = 2.0


class VGG(Backbone):
    """The convolutional part of a VGG, as deep as its weights reach.

    Args:
        name: "vgg16", "vgg19" or the name of a network with other widths.
        state: Parameters under torchvision's names. The network ends where they end.
        pooling: "max" as trained, or "average" (smoother pictures, Gatys et al. 2015,
            section "Methods"), rescaled.
        plan: Convolutions in each of the five blocks; that of ``name`` if left out.
        mean: Mean per RGB channel of the preprocessing.
        std: Standard deviation per RGB channel of the preprocessing.

    Raises:
        InputError: If the parameters are not those of this network.
    """

    def __init__(
        self,
        name: str,
        state: Mapping[str, Tensor],
        pooling: Pooling = "max",
        plan: Sequence[int] | None = None,
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
    ) -> None:
        names = stage_names(plan or CONVOLUTIONS[name])
        convolutions = [i for i, stage in enumerate(names) if f"features.{i}.weight" in state]
        if not convolutions or convolutions != [
            i for i, stage in enumerate(names[: convolutions[-1] + 1]) if stage.startswith("conv")
        ]:
            raise InputError(f"these are not the weights of {name}: its convolutions are missing")
        names = names[: convolutions[-1] + 2]
        layers = [stage for stage in names if not stage.startswith("pool")]
        blocks = int(names[-1].removeprefix("relu").split("_")[0])
        super().__init__(name, layers, mean, std, min_size=2 ** (blocks - 1))
        self.pooling = pooling
        self.names = names
        self.features = nn.ModuleList(
            _convolution(state, i) if stage.startswith("conv") else nn.Identity()
            for i, stage in enumerate(names)
        )
        # The first convolution repeats the border: zeros beside a picture are an edge that the
        # style statistics would paint as a frame. (Departs from VGG; deeper ones keep zeros.)
        self.features[0].padding_mode = "replicate"
        self.features[0]._reversed_padding_repeated_twice = [1, 1, 1, 1]

    def extract(self, x: Tensor, layers: set[str]) -> dict[str, Tensor]:
        """Run the stages up to the last wanted layer."""
        maps: dict[str, Tensor] = {}
        for name, stage in zip(self.names, self.features, strict=True):
            if name.startswith("conv"):
                x = stage(x)
            elif name.startswith("relu"):
                # In place unless the map before it is wanted too: half of the memory.
                x = F.relu(x, inplace=name.replace("relu", "conv") not in layers)
            else:
                x = self.pool(x)
            if name in layers:
                maps[name] = x
            if len(maps) == len(layers):
                break
        return maps

    def pool(self, x: Tensor) -> Tensor:
        """Halve height and width."""
        if self.pooling == "max":
            return F.max_pool2d(x, 2)
        return AVERAGE_POOLING_SCALE * F.avg_pool2d(x, 2)


def stage_names(plan: Sequence[int]) -> list[str]:
    """Names of a VGG's stages in torchvision's order: conv1_1, relu1_1, ..., pool1, conv2_1, ..."""
    names: list[str] = []
    for block, count in enumerate(plan, start=1):
        for number in range(1, count + 1):
            names += [f"conv{block}_{number}", f"relu{block}_{number}"]
        names.append(f"pool{block}")
    return names


def _convolution(state: Mapping[str, Tensor], index: int) -> nn.Conv2d:
    weight, bias = state[f"features.{index}.weight"], state[f"features.{index}.bias"]
    convolution = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
    convolution.weight.data.copy_(weight)
    convolution.bias.data.copy_(bias)
    return convolution
