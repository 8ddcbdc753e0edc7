"""The two networks: one for any style, and one for a fixed set of styles, which may be mixed."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from impasto.stylizers.networks.codes import StyleCode, blend
from impasto.stylizers.networks.description import Architecture
from impasto.stylizers.networks.encoder import WIDTHS, Encoder, colours_of, maps_of
from impasto.stylizers.networks.moments import covariance, uncentred
from impasto.stylizers.networks.painter import Painter, Style

HIDDEN = 128


class ArbitraryNetwork(nn.Module):
    """Paints in the style of any image; its modulation is predicted (Ghiasi et al. 2017).

    Args:
        architecture: The measures of the painter.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.painter = Painter(architecture)
        self.encoder = Encoder()
        size = self.painter.modulation_size
        last = nn.Linear(HIDDEN, 2 * size)
        self.predictor = nn.Sequential(nn.Linear(2 * sum(WIDTHS), HIDDEN), nn.ReLU(), last)
        # At first every style is the plain one: scales near 1, shifts near 0.
        nn.init.normal_(last.weight, std=0.1 / HIDDEN**0.5)
        with torch.no_grad():
            last.bias.copy_(torch.cat([torch.ones(size), torch.zeros(size)]))

    def encode(self, image: Tensor, weights: Tensor | None = None) -> StyleCode[Tensor]:
        """Encode style images, once for many content images.

        Args:
            image: ``(B, 3, h, w)``, RGB in [0, 1], of any size; strokes of the result will have
                the size in pixels that they have here.
            weights: ``(B, 1, h, w)``, how much each pixel counts, for example its alpha.
        """
        code: StyleCode[Tensor] = self.encoder(image, weights)
        return code

    def style(self, code: StyleCode[Tensor]) -> Style:
        """The styles of codes, their modulation predicted."""
        # The moments are in float32; half precision here would shift every colour a little.
        with torch.autocast(code.mean.device.type, enabled=False):
            flat: Tensor = self.predictor(torch.cat(maps_of(code), 1))
            return Style(flat.view(len(flat), 2, -1), colours_of(code))

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
            code = blend([self.encode(content), code], [1 - strength, strength])
        painted: Tensor = self.painter(content, self.style(code))
        return painted


class FastNetwork(nn.Module):
    """Paints in styles that it has learnt (Johnson et al. 2016, Dumoulin et al. 2017).

    Args:
        architecture: The measures of the painter.
        styles: How many styles there are.
    """

    colours: Tensor
    spreads: Tensor

    def __init__(self, architecture: Architecture, styles: int = 1) -> None:
        super().__init__()
        self.painter = Painter(architecture)
        plain = torch.tensor([1.0, 0.0])[:, None].expand(2, self.painter.modulation_size)
        self.table = nn.Parameter(plain.repeat(styles, 1, 1))
        # Mean and covariance of the artworks' colours.
        self.register_buffer("colours", torch.zeros(styles, 3))
        self.register_buffer("spreads", torch.zeros(styles, 3, 3))

    def forward(self, image: Tensor, style_weights: Tensor) -> Tensor:
        """Repaint pictures.

        Args:
            image: ``(B, 3, H, W)``, RGB in [0, 1], of any size.
            style_weights: ``(B or 1, S)``, the share of each style; a row adds up to 1.

        Returns:
            ``(B, 3, H, W)``, RGB in [0, 1], float32.
        """
        painted: Tensor = self.painter(image, self.style(style_weights))
        return painted

    def style(self, style_weights: Tensor) -> Style:
        """The styles of weights ``(B, S)``: means of the table's rows, and of the colours."""
        shares = style_weights.to(self.table)
        mean, products = uncentred((self.colours, self.spreads))
        # In float32, as in the other network.
        with torch.autocast(shares.device.type, enabled=False):
            modulation = torch.einsum("bs,skn->bkn", shares, self.table)
            blended = shares @ mean, torch.einsum("bs,sij->bij", shares, products)
        return Style(modulation, covariance(blended))
