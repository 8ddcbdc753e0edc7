"""The base of all backbones: named layers, preprocessing, frozen weights."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from impasto.errors import InputError
from impasto.names import nearest

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class ReceptiveField:
    """The part of the image that a position of a feature map sees.

    Position i along an axis stands for the pixels ``i * stride`` to ``(i + 1) * stride - 1``.

    Attributes:
        stride: Pixels from one position to the next.
        margin: How many pixels beyond its own a position sees on each side.
    """

    stride: int
    margin: int

    @property
    def size(self) -> int:
        """Side of the square of the image that can change a position's value, in pixels."""
        return self.stride + 2 * self.margin


class Backbone(nn.Module):
    """A frozen feature extractor whose feature maps are addressed by layer names.

    Called with images ``(B, 3, H, W)``, RGB in [0, 1], and layer names, it returns a mapping of
    each name to its feature map ``(B, C, h, w)``. Normalisation happens inside. The network runs
    in the dtype of its weights (``backbone.to(torch.bfloat16)`` is faster on many machines) and
    the maps come back in that dtype.

    Args:
        name: How messages and metadata call this backbone.
        layers: Names of all layers, in the order in which they run.
        mean: Mean per RGB channel that is subtracted from the input.
        std: Standard deviation per RGB channel by which the input is then divided.
        min_size: The shortest image side, in pixels, at which the deepest layer still exists.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        name: str,
        layers: Sequence[str],
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        min_size: int = 16,
    ) -> None:
        super().__init__()
        self.name = name
        self.layers = tuple(layers)
        self.min_size = min_size
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the weights, in which the network runs."""
        return next(self.parameters()).dtype

    def check(self, layers: Iterable[str]) -> None:
        """Raise InputError with the nearest names if a layer does not exist."""
        for layer in layers:
            if layer not in self.layers:
                hint = nearest(layer, self.layers)
                raise InputError(f"the backbone {self.name} has no layer '{layer}': {hint}")

    def forward(
        self, image: Tensor, layers: Iterable[str], headless: Collection[str] = ()
    ) -> dict[str, Tensor]:
        """Return the feature maps of an image.

        Args:
            image: ``(B, 3, H, W)``, RGB in [0, 1].
            layers: Names of the layers whose maps are wanted.
            headless: Those of them that are wanted without their ``head``, by one who applies it
                later to something smaller than a map.

        Returns:
            Layer name to feature map ``(B, C, h, w)``.

        Raises:
            InputError: If a layer is unknown.
        """
        return dict(self.walk(image, layers, headless))

    def walk(
        self, image: Tensor, layers: Iterable[str], headless: Collection[str] = ()
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield layers and their feature maps in the order in which they run, as ``forward`` does.

        A loss that takes what it needs of a map before it asks for the next saves memory: autograd
        goes back in the opposite order, and otherwise begins with the gradients of all maps.
        """
        wanted = set(layers)
        self.check(wanted)
        normalised = (image - self.mean.to(image)) / self.std.to(image)
        for layer, maps in self.extract(normalised.to(self.dtype), wanted):
            head = None if layer in headless else self.head(layer)
            yield layer, maps if head is None else F.conv2d(maps, head[:, :, None, None])

    def extract(self, x: Tensor, layers: set[str]) -> Iterator[tuple[str, Tensor]]:
        """Run the network on a normalised image; subclasses say how."""
        raise NotImplementedError

    def head(self, layer: str) -> Tensor | None:
        """The linear map ``(K, C)`` over the channels that follows a layer; None for none."""
        return None

    def receptive_field(self, layer: str) -> ReceptiveField | None:
        """The receptive field of a layer; None if it is unknown."""
        return None

    def freeze(self) -> Backbone:
        """Switch to evaluation and turn gradients for the weights off; returns itself."""
        return self.eval().requires_grad_(False)

    @staticmethod
    def from_module(
        module: nn.Module,
        layers: Mapping[str, str] | Sequence[str],
        mean: Sequence[float] = IMAGENET_MEAN,
        std: Sequence[float] = IMAGENET_STD,
        name: str | None = None,
    ) -> Backbone:
        """Make a backbone of any torch module.

        Args:
            module: A network that takes ``(B, 3, H, W)`` normalised by mean and std.
            layers: Paths of submodules as in ``module.named_modules()``, in the order in which
                they run; or a mapping of layer names to such paths.
            mean: Mean per RGB channel of the network's preprocessing.
            std: Standard deviation per RGB channel of the network's preprocessing.
            name: How messages call it; the class name if left out.

        Raises:
            InputError: If the module has no such submodule.
        """
        paths = dict(layers) if isinstance(layers, Mapping) else {path: path for path in layers}
        return ModuleBackbone(module, paths, mean, std, name or type(module).__name__).freeze()


class _LastLayerReached(Exception):  # noqa: N818 - control flow, not an error
    """Raised by a hook to leave a foreign module once all the wanted maps are there."""


class ModuleBackbone(Backbone):
    """A backbone around somebody else's module, read by forward hooks."""

    def __init__(
        self,
        module: nn.Module,
        paths: Mapping[str, str],
        mean: Sequence[float],
        std: Sequence[float],
        name: str,
    ) -> None:
        super().__init__(name, tuple(paths), mean, std)
        known = dict(module.named_modules())
        for path in paths.values():
            if path not in known:
                raise InputError(f"{name} has no submodule '{path}': {nearest(path, known)}")
        self.module = module
        self.paths = dict(paths)

    def extract(self, x: Tensor, layers: set[str]) -> Iterator[tuple[str, Tensor]]:
        """Run the module until the last wanted map has been seen."""
        maps: dict[str, Tensor] = {}

        def keep(layer: str, output: Tensor) -> None:
            # A copy: the module behind may change its input in place, as many ReLUs do.
            maps[layer] = output.clone()
            if len(maps) == len(layers):
                raise _LastLayerReached

        hooks = [
            self.module.get_submodule(self.paths[layer]).register_forward_hook(
                lambda _module, _inputs, output, layer=layer: keep(layer, output)
            )
            for layer in layers
        ]
        try:
            self.module(x)
        except _LastLayerReached:
            pass
        finally:
            for hook in hooks:
                hook.remove()
        yield from maps.items()
