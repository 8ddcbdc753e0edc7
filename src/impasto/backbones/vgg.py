"""VGG-16 and VGG-19 (Simonyan and Zisserman 2015), convolutions only.

Layers and parameters keep torchvision's order and names ("features.0.weight"), so that its
checkpoints load as they are. Layer names follow the papers: ``conv4_2`` is the map before its
ReLU, ``relu4_2`` the one after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from impasto.backbones.base import IMAGENET_MEAN, IMAGENET_STD, Backbone, ReceptiveField
from impasto.errors import InputError
from impasto.options import Pooling

CONVOLUTIONS: dict[str, tuple[int, ...]] = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
WIDTHS: dict[str, int] = {"1": 64, "2": 128, "3": 256, "4": 512, "5": 512}

# An average over 2 x 2 is smaller than their maximum; this factor keeps the scale of what comes
# after, which was trained behind max pooling. Measured over photos with VGG-16, the mean of
# relu2_1, 3_1, 4_1, 5_1 over that with max pooling: 1.2, 1.3, 1.2, 1.0 (0.8, 0.6, 0.4, 0.2
# without a factor; 1.6, 2.4, 3.0, 3.2 with crowsonkb's factor of 2).
AVERAGE_POOLING_SCALE = 1.5


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
        _check_shapes(name, state, convolutions)
        self.features = nn.ModuleList(
            _convolution(state, i) if stage.startswith("conv") else nn.Identity()
            for i, stage in enumerate(names)
        )

    def extract(self, x: Tensor, layers: set[str]) -> Iterator[tuple[str, Tensor]]:
        """Run the stages up to the last wanted layer."""
        left = len(layers)
        for name, stage in zip(self.names, self.features, strict=True):
            if name.startswith("conv"):
                x = stage(x)
            elif name.startswith("relu"):
                # In place unless the map before it is wanted too: half of the memory.
                x = F.relu(x, inplace=name.replace("relu", "conv") not in layers)
            else:
                x = self.pool(x)
            if name in layers:
                yield name, x
                left -= 1
            if not left:
                return

    def receptive_field(self, layer: str) -> ReceptiveField:
        """The receptive field of a layer: 3 x 3 convolutions and 2 x 2 pools add up."""
        stride, margin = 1, 0
        for name in self.names[: self.names.index(layer) + 1]:
            if name.startswith("conv"):
                margin += stride
            elif name.startswith("pool"):
                stride *= 2
        return ReceptiveField(stride, margin)

    def pool(self, x: Tensor) -> Tensor:
        """Halve height and width.

        Raises:
            InputError: If nothing would be left.
        """
        if min(x.shape[-2:]) < 2:
            raise InputError(
                f"the image is too small for {self.name}: all of its layers need "
                f"{self.min_size} pixels in height and width"
            )
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


def _check_shapes(name: str, state: Mapping[str, Tensor], convolutions: Sequence[int]) -> None:
    """Raise InputError unless each convolution takes what the one before it gives."""
    channels = 3
    for index in convolutions:
        width = state[f"features.{index}.weight"].shape[:1].numel()
        wanted = {"weight": (width, channels, 3, 3), "bias": (width,)}
        for kind, shape in wanted.items():
            key = f"features.{index}.{kind}"
            found = tuple(state[key].shape) if key in state else "missing"
            if found != shape:
                raise InputError(
                    f"these are not the weights of {name}: {key} is {found}, not {shape}"
                )
        channels = width


def _convolution(state: Mapping[str, Tensor], index: int) -> nn.Conv2d:
    weight, bias = state[f"features.{index}.weight"], state[f"features.{index}.bias"]
    # The first convolution repeats the border: zeros beside a picture are an edge that the
    # style statistics would paint as a frame. (Departs from VGG; deeper ones keep zeros.)
    convolution = nn.Conv2d(
        weight.shape[1],
        weight.shape[0],
        3,
        padding=1,
        padding_mode="replicate" if index == 0 else "zeros",
        device="meta",  # a random start would be wasted, and disturb torch's generator
    )
    # Assigned: ``to_empty`` imports SymPy, half a second.
    convolution.load_state_dict({"weight": weight.float(), "bias": bias.float()}, assign=True)
    return convolution
