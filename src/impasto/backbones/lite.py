"""The embedded backbone: a thin network with VGG's layer names that sees what VGG-16 sees.

Its trunk is a VGG of narrow layers. Behind every layer sits a *head*, a linear 1x1 convolution
that turns the thin map into the leading principal coordinates of VGG-16's map of that layer.
An orthogonal change of coordinates alters neither distances between maps nor distances between
their Gram or covariance matrices, so the usual losses on these maps approximate those on VGG-16's,
without its 512 channels. ``impasto.training.distill`` is how the weights came to be.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from impasto.backbones.vgg import VGG
from impasto.errors import InputError
from impasto.options import Pooling

PLAN = (2, 2, 3, 3, 3)
WEIGHTS = Path(__file__).resolve().parents[1] / "models" / "lite.safetensors"


class Lite(VGG):
    """A thin VGG-16 with a head behind each layer.

    Its layers are those after a ReLU ("relu1_1" to "relu5_1"); their maps are signed. Maps
    before a ReLU do not exist.

    Args:
        state: Parameters "features.{index}.weight|bias" of the trunk, numbered as in
            torchvision's VGG-16, and "heads.{layer}.weight" ``(K, C, 1, 1)``.
        pooling: "max" as trained, or "average".

    Raises:
        InputError: If the parameters are not those of such a network.
    """

    def __init__(self, state: Mapping[str, Tensor], pooling: Pooling = "max") -> None:
        super().__init__("lite", state, pooling, PLAN)
        self.layers = tuple(layer for layer in self.layers if layer.startswith("relu"))
        self.heads = nn.ModuleDict({layer: _head(state, layer) for layer in self.layers})

    def head(self, layer: str) -> Tensor:
        """The head behind a layer, ``(K, C)``."""
        return self.heads.get_parameter(f"{layer}.weight").flatten(1)


def _head(state: Mapping[str, Tensor], layer: str) -> nn.Conv2d:
    key = f"heads.{layer}.weight"
    if key not in state:
        raise InputError(f"these are not the weights of lite: {key} is missing")
    weight = state[key]
    head = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=False, device="meta")
    head.load_state_dict({"weight": weight.float()}, assign=True)
    return head


def load_lite(pooling: Pooling = "max", weights: Path | None = None) -> Lite:
    """Load the embedded backbone, frozen, in float32, on the CPU; needs no network.

    Args:
        pooling: "max" as trained, or "average" for smoother pictures.
        weights: A file that ``impasto train backbone`` wrote; those that are shipped if left out.

    Raises:
        InputError: If the package was installed without its weights, or the file is none.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = weights or WEIGHTS
    if path == WEIGHTS and not path.is_file():
        raise InputError(f"the weights of lite are missing ({path}): install impasto again")
    try:
        state = load_file(path)
    except (OSError, SafetensorError) as error:
        raise InputError(f"cannot read the weights of lite in '{path}': {error}") from error
    lite = Lite(state, pooling)
    lite.freeze()
    return lite
