"""The start of a network: from scratch, or from a trained model.

A network that has seen hundreds of styles knows how to paint; a new style is then a matter of
minutes instead of hours.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from impasto.backbones.base import IMAGENET_MEAN, IMAGENET_STD
from impasto.backbones.lite import load_lite
from impasto.errors import InputError
from impasto.image import Picture
from impasto.stylizers.networks.description import Description, Kind
from impasto.stylizers.networks.encoder import Encoder
from impasto.stylizers.networks.gallery import shipped
from impasto.stylizers.networks.model_files import Network, load_model
from impasto.stylizers.networks.moments import covariance, second_moments
from impasto.stylizers.networks.network import ArbitraryNetwork, FastNetwork


def start_arbitrary(network: ArbitraryNetwork, source: str) -> None:
    """Give an arbitrary style network the weights of another one.

    Args:
        network: Freshly built, on the CPU.
        source: "shipped" or a model file.

    Raises:
        InputError: If the model cannot be read or has other measures.
    """
    model, _ = _load(source, "arbitrary")
    assert isinstance(model, ArbitraryNetwork)
    _copy(model, network, source)


def start_fast(network: FastNetwork, source: str, styles: Mapping[str, Picture]) -> None:
    """Give a per-style network the colours of its styles, and its first weights.

    Args:
        network: Freshly built, on the CPU.
        source: "scratch", "shipped" or a model file. A style that has the same name there starts
            as what was learnt, others as the mean of its styles.
        styles: The style images by name, in the order of the network's table.

    Raises:
        InputError: If the model cannot be read or has other measures.
    """
    for number, picture in enumerate(styles.values()):
        colours = covariance(second_moments(picture.tensor(), picture.alpha_tensor()))
        network.colours[number], network.spreads[number] = colours[0][0], colours[1][0]
    if source == "scratch":
        return
    model, description = _load(source, "fast")
    assert isinstance(model, FastNetwork)
    _copy(model.painter, network.painter, source)
    with torch.no_grad():
        for number, name in enumerate(styles):
            known = name in description.styles
            network.table[number] = (
                model.table[description.styles.index(name)] if known else model.table.mean(dim=0)
            )


def joined(
    source: str, network: FastNetwork, description: Description
) -> tuple[FastNetwork, Description]:
    """A per-style network with the styles of another that has the same painter.

    Args:
        source: "shipped" or the model file of that other, whose styles come first, in their order.
        network: The network; its styles take the place of those of the same name.
        description: What it is.

    Returns:
        The network that knows all of them, and what it is.
    """
    model, before = _load(source, "fast")
    assert isinstance(model, FastNetwork)
    rows = {name: (model, number) for number, name in enumerate(before.styles)}
    rows |= {name: (network, number) for number, name in enumerate(description.styles)}
    makers = dict(itertools.zip_longest(before.styles, before.attributions, fillvalue=""))
    makers |= itertools.zip_longest(description.styles, description.attributions, fillvalue="")
    whole = FastNetwork(before.architecture, len(rows))
    whole.painter.load_state_dict(model.painter.state_dict())
    with torch.no_grad():
        for part in ("table", "colours", "spreads"):
            found = [getattr(of, part)[number].cpu() for of, number in rows.values()]
            getattr(whole, part).copy_(torch.stack(found))
    styles, attributions = tuple(rows), tuple(makers[name] for name in rows)
    return whole, replace(description, styles=styles, attributions=attributions)


@torch.no_grad()
def copy_encoder(encoder: Encoder) -> None:
    """Copy the first layers of the embedded backbone.

    The encoder wants ``4 * image - 2``, the backbone normalises by mean and deviation; the first
    convolution makes up for the difference.
    """
    trunk = _convolutions(load_lite().features)
    layers = _convolutions(encoder.layers)
    mean, std = torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD)
    for layer, stage in zip(layers, trunk, strict=False):
        layer.load_state_dict(stage.state_dict())
    first = layers[0]
    assert first.bias is not None
    first.bias += (first.weight.sum(dim=(2, 3)) * (0.5 - mean) / std).sum(dim=1)
    first.weight /= 4 * std[:, None, None]


def _convolutions(stages: Iterable[nn.Module]) -> list[nn.Conv2d]:
    return [stage for stage in stages if isinstance(stage, nn.Conv2d)]


def _load(source: str, kind: Kind) -> tuple[Network, Description]:
    path = shipped(kind) if source == "shipped" else Path(source).expanduser()
    return load_model(path, kind)


def _copy(model: nn.Module, network: nn.Module, source: str) -> None:
    try:
        network.load_state_dict(model.state_dict())
    except RuntimeError as error:
        raise InputError(
            f"cannot start from the model '{source}': it has another width or number of blocks "
            "(--start scratch starts from nothing)"
        ) from error
