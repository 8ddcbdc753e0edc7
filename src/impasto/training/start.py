"""The start of a network: from scratch, or from a trained model.

A network that has seen hundreds of styles knows how to paint; a new style is then a matter of
minutes instead of hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from impasto.backbones.base import IMAGENET_MEAN, IMAGENET_STD
from impasto.backbones.lite import load_lite
from impasto.errors import InputError
from impasto.image import Picture
from impasto.stylizers.networks.description import Description
from impasto.stylizers.networks.encoder import COLOURS, WIDTHS, Encoder
from impasto.stylizers.networks.gallery import shipped
from impasto.stylizers.networks.model_files import Network, load_model
from impasto.stylizers.networks.network import ArbitraryNetwork, FastNetwork

LEAST = 1e-3  # size of a channel that is hardly ever there


def start_arbitrary(network: ArbitraryNetwork, source: str) -> None:
    """Give an arbitrary style network the weights of another one.

    Args:
        network: Freshly built, on the CPU.
        source: "shipped" or a model file.

    Raises:
        InputError: If the model cannot be read or has other measures.
    """
    model, _ = _load(source)
    if not isinstance(model, ArbitraryNetwork):
        raise InputError(f"{source} holds per-style networks: start from an any-style network")
    _copy(model, network, source)


def start_fast(network: FastNetwork, source: str, styles: Mapping[str, Picture]) -> None:
    """Give a per-style network its first weights.

    Args:
        network: Freshly built, on the CPU.
        source: "shipped" or a model file: it paints like that one from the start. An any-style
            network gives each style what it predicts for it; a per-style network gives a style
            that it has by this name what it learnt, others the mean of its styles. "scratch":
            only the encoder is there.
        styles: The style images by name, in the order of the network's table.

    Raises:
        InputError: If the model cannot be read or has other measures.
    """
    pictures = [(style.tensor(), style.alpha_tensor()) for style in styles.values()]
    encoder = network.painter.encoder
    if source == "scratch":
        copy_encoder(encoder, pictures[0][0])
    else:
        model, description = _load(source)
        _copy(model.painter, network.painter, source)
    with torch.no_grad():
        for number, (name, (image, alpha)) in enumerate(zip(styles, pictures, strict=True)):
            code = encoder.encode(image, alpha)
            network.means[number], network.squares[number] = code.mean[0], code.square[0]
            if source == "scratch":
                continue
            if isinstance(model, ArbitraryNetwork):
                network.table[number] = model.modulation(code)[0]
            elif name in description.styles:
                network.table[number] = model.table[description.styles.index(name)]
            else:
                network.table[number] = model.table.mean(dim=0)


@torch.no_grad()
def copy_encoder(encoder: Encoder, artworks: Tensor) -> None:
    """Copy the first layers of the embedded backbone, and measure their typical size.

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
    squares = encoder.encode(artworks).square[:, COLOURS**2 :][:, : sum(WIDTHS)].mean(dim=0)
    encoder.typical.copy_(squares.sqrt().clamp_min(LEAST))


def _convolutions(stages: Iterable[nn.Module]) -> list[nn.Conv2d]:
    return [stage for stage in stages if isinstance(stage, nn.Conv2d)]


def _load(source: str) -> tuple[Network, Description]:
    path = shipped("arbitrary") if source == "shipped" else Path(source).expanduser()
    return load_model(path)


def _copy(model: nn.Module, network: nn.Module, source: str) -> None:
    try:
        network.load_state_dict(model.state_dict())
    except RuntimeError as error:
        raise InputError(
            f"cannot start from the model '{source}': it has another width or number of blocks "
            "(--start scratch starts from nothing)"
        ) from error
