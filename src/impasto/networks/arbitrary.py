"""The arbitrary style network: a thin encoder turns any picture into a style.

As in Ghiasi et al. 2017 a network looks at the style image and predicts the scales and shifts of
a transformer network. It is not a classifier of millions of weights: means and deviations of thin
feature maps at several depths are enough (as in AdaIN, Huang and Belongie 2017, and MicroAST, Wang
et al. 2023), and being moments they can be blended. The encoder has the shape of the embedded
backbone's first layers and starts as a copy of them: what tells styles apart is known there.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from impasto.networks.codes import StyleCode, blend
from impasto.networks.description import Architecture
from impasto.networks.transformer import Convolution, Painter

# Those of the embedded backbone, up to relu3_3; it pools before these layers.
ENCODER_WIDTHS = (16, 16, 48, 32, 96, 64, 96)
POOLED = (2, 4)
HIDDEN = 128
EPS = 1e-5


class StyleEncoder(nn.Module):
    """Thin convolutions at three resolutions, each half of the one before.

    No normalisation: the moments that it would remove are the style.
    """

    def __init__(self) -> None:
        super().__init__()
        channels = itertools.pairwise((3, *ENCODER_WIDTHS))
        self.layers = nn.ModuleList(Convolution(*pair, 3) for pair in channels)

    def forward(self, image: Tensor, weights: Tensor | None = None) -> StyleCode[Tensor]:
        """Encode style images; see ``ArbitraryNetwork.encode_style``."""
        means, squares = [], []
        maps = 4 * image - 2
        for number, layer in enumerate(self.layers):
            if number in POOLED:
                maps = F.max_pool2d(maps, 2, ceil_mode=True)
            maps = layer(maps).relu()
            means.append(_mean(maps.float(), weights))
            squares.append(_mean(maps.float().square(), weights))
        return StyleCode(torch.cat(means, 1), torch.cat(squares, 1))


def _mean(maps: Tensor, weights: Tensor | None) -> Tensor:
    """Mean of ``(B, C, h, w)`` over positions, weighted by ``(B, 1, H, W)``: ``(B, C)``."""
    if weights is None:
        return maps.mean(dim=(2, 3))
    shares = F.interpolate(weights.float(), size=maps.shape[2:], mode="area")
    return (maps * shares).sum(dim=(2, 3)) / shares.sum(dim=(2, 3)).clamp_min(EPS)


class ArbitraryNetwork(nn.Module):
    """A transformer network whose modulation is predicted from a style image.

    Args:
        architecture: The measures of the transformer network.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.painter = Painter(architecture)
        self.encoder = StyleEncoder()
        size = self.painter.modulation_size
        first = nn.Linear(2 * sum(ENCODER_WIDTHS), HIDDEN)
        last = nn.Linear(HIDDEN, 2 * size)
        self.predictor = nn.Sequential(first, nn.ReLU(), last)
        # At first every style is the plain one: scales near 1, shifts near 0.
        nn.init.normal_(last.weight, std=0.1 / HIDDEN**0.5)
        with torch.no_grad():
            last.bias.copy_(torch.cat([torch.ones(size), torch.zeros(size)]))

    def encode_style(self, image: Tensor, weights: Tensor | None = None) -> StyleCode[Tensor]:
        """Encode style images, once for many content images.

        Args:
            image: ``(B, 3, h, w)``, RGB in [0, 1], of any size; strokes of the result will have
                the size in pixels that they have here.
            weights: ``(B, 1, h, w)``, how much each pixel counts, for example its alpha.
        """
        code: StyleCode[Tensor] = self.encoder(image, weights)
        return code

    def modulation(self, code: StyleCode[Tensor]) -> Tensor:
        """Predict the modulation ``(B, 2, N)`` of a code."""
        # The moments are in float32; half precision here would shift every colour a little.
        with torch.autocast(code.mean.device.type, enabled=False):
            variance = (code.square - code.mean.square()).clamp_min(0)
            flat: Tensor = self.predictor(torch.cat([code.mean, (variance + EPS).sqrt()], 1))
        return flat.view(flat.shape[0], 2, -1)

    def forward(self, content: Tensor, code: StyleCode[Tensor], strength: float = 1.0) -> Tensor:
        """Repaint pictures.

        Args:
            content: ``(B, 3, H, W)``, RGB in [0, 1], of any size.
            code: Of ``B`` style images, or of one.
            strength: 1 takes the style as it is, 0 the content's own statistics, which gives the
                content again as far as the network can; between them the moments are blended.

        Returns:
            ``(B, 3, H, W)``, RGB in [0, 1], float32.
        """
        if strength != 1:
            code = blend([self.encode_style(content), code], [1 - strength, strength])
        painted: Tensor = self.painter(content, self.modulation(code))
        return painted
