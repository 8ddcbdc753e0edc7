"""Images recovered from content features or style statistics alone.

Figure 1 of Gatys, Ecker and Bethge (2016), after Mahendran and Vedaldi (2015): an image is
optimised from noise until a layer cannot tell it from the original (content), or until the
statistics of the layers up to one cannot (style). What the picture lacks, the layer has lost.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from impasto.backbones import load_backbone
from impasto.backbones.base import Backbone
from impasto.events import Callback
from impasto.explain.options import ReconstructOptions
from impasto.image import ImageSource, Picture, load_image
from impasto.media.sheet import strip
from impasto.options import STYLE_LAYERS
from impasto.result import Result
from impasto.stylizers.optimize import Optimize

Kind = Literal["content", "style"]

# The layers of the figure: the last of its block where the backbones have it (content), and
# the first of each block, added one by one (style).
FIGURE_LAYERS: dict[Kind, tuple[str, ...]] = {
    "content": ("relu1_2", "relu2_2", "relu3_2", "relu4_2", "relu5_1"),
    "style": tuple(STYLE_LAYERS),
}


@dataclass(frozen=True)
class Reconstruction:
    """An image recovered from its features.

    Attributes:
        label: The layers that were used, for a caption.
        result: The picture with its losses and settings.
    """

    label: str
    result: Result


def reconstruct(
    kind: Kind,
    image: ImageSource,
    layers: Sequence[str] = (),
    options: ReconstructOptions | None = None,
    *,
    backbone: Backbone | None = None,
    watch: Callable[[str], Sequence[Callback]] = lambda label: (),
) -> Iterator[Reconstruction]:
    """Recover an image from noise, once for each layer.

    Args:
        kind: "content" compares the feature maps of the layer alone, place by place. "style"
            compares the statistics of the layer together with those of the usual style layers
            before it, as in the paper, and so gives a texture.
        image: The image to recover.
        layers: Which layers; those of the paper's figure if left out.
        options: Size, steps, backbone and so on.
        backbone: A backbone to use instead of the named one.
        watch: Makes the callbacks of a run, given its label.

    Yields:
        One reconstruction for each layer, as it is done; none after an interrupted one.

    Raises:
        InputError: If the image or a layer cannot be used.
        ImpastoError: If memory runs out.
    """
    options = options or ReconstructOptions()
    backbone = backbone or load_backbone(
        options.backbone, weights=options.weights, pooling=options.pooling
    )
    layers = layers or FIGURE_LAYERS[kind]
    backbone.check(layers)
    picture = load_image(image, long_side=options.max_size)
    for layer in layers:
        used = [layer] if kind == "content" else _up_to(layer, backbone)
        label = layer if len(used) == 1 else f"{used[0]} to {layer}"
        callbacks = watch(label)
        stylizer = Optimize(_aimed(options, kind, used), backbone=backbone)
        result = stylizer.set_style(picture)(picture, callback=callbacks)
        yield Reconstruction(label, result)
        if result.stopped == "interrupted":
            return


def _up_to(layer: str, backbone: Backbone) -> list[str]:
    """A layer and the usual style layers that run before it."""
    before = backbone.layers[: backbone.layers.index(layer)]
    return [*(name for name in STYLE_LAYERS if name in before), layer]


def _aimed(options: ReconstructOptions, kind: Kind, layers: Sequence[str]) -> ReconstructOptions:
    """The options with one loss alone, on these layers."""
    weights = dict.fromkeys(layers, 1.0)
    return dataclasses.replace(
        options,
        content_weight=float(kind == "content"),
        style_weight=float(kind == "style"),
        bands_weight=0.0,
        motifs=1.0,
        content_layers=weights,
        style_layers=weights,
    )


def figure(image: Picture, reconstructions: Sequence[Reconstruction], height: int = 256) -> Picture:
    """The original and its reconstructions, side by side with captions.

    Args:
        image: The original.
        reconstructions: Those of the image.
        height: Of each picture, in pixels.
    """
    pictures = [image, *(one.result.picture for one in reconstructions)]
    labels = ["original", *(one.label for one in reconstructions)]
    return strip(pictures, labels, height=height)
