"""How steep the loss is for coarse and fine changes of the image: where L-BFGS starts from.

L-BFGS takes the inverse Hessian for a multiple of the identity before it learns better from its
pairs. But a loss on feature maps is far steeper for coarse changes and for those of lightness than
for fine and coloured ones. Here each band of frequencies of each opponent colour has a multiple
of its own, learnt from the last pairs. The same loss takes 1.6 times fewer steps.

Bands are taken by the Fourier transform, as if the image were repeated on all sides. It is not, but
the pairs of L-BFGS put right what is only nearly true.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Lightness, red against blue, green against both: orthonormal, so that transposing inverts.
COLORS = ((3**-0.5, 3**-0.5, 3**-0.5), (2**-0.5, 0, -(2**-0.5)), (6**-0.5, -2 * 6**-0.5, 6**-0.5))
# Bands, horizontally and vertically: each half an octave, the last all that is coarser.
BANDS = 12
BANDS_PER_OCTAVE = 2
# Share of the last pair in what is known of a band, on a logarithmic scale.
NEWNESS = 0.7
# A band differs from the whole image at most by this factor.
MOST = 30.0


class Spectrum:
    """The inverse curvature of the loss by band and colour.

    Args:
        size: (height, width) of the image, in pixels.
        device: Where it is.
    """

    def __init__(self, size: tuple[int, int], device: torch.device) -> None:
        self.size = size
        # Sums and looking up by products of matrices: unlike index_add, the same on every device.
        self.rows = _bands(torch.fft.fftfreq(size[0])).to(device)
        self.columns = _bands(torch.fft.rfftfreq(size[1])).to(device)
        self.inverse = torch.zeros(len(COLORS), BANDS, BANDS, device=device)

    def learn(self, change: Tensor, gradient_change: Tensor, whole: Tensor) -> None:
        """Take note of a pair of L-BFGS.

        A band's inverse curvature is the root of the power of the change over that of the
        gradient's: unlike their product over either, it cannot be negative where bands depend on
        one another.

        Args:
            change: ``(3 * H * W)``, of the image.
            gradient_change: The same of the gradient.
            whole: Scalar, the inverse curvature of the image as a whole; 0: nothing is learnt.
        """
        found = torch.stack([self._ratio(change, gradient_change, color) for color in COLORS])
        found = found.clamp(whole / MOST, whole * MOST)
        mixed = self.inverse ** (1 - NEWNESS) * found**NEWNESS
        mixed = torch.where(self.inverse > 0, mixed, found)
        self.inverse = torch.where(whole > 0, mixed, self.inverse)

    def apply(self, vector: Tensor, unknown: Tensor) -> Tensor:
        """Multiply a gradient by the inverse curvature.

        Args:
            vector: ``(3 * H * W)``.
            unknown: Scalar, the factor while nothing has been learnt.
        """
        known = torch.where(self.inverse > 0, self.inverse, unknown)
        result = torch.zeros_like(vector).view(3, *self.size)
        for inverse, color in zip(known, COLORS, strict=True):
            scaled = self._transform(vector, color)
            scaled *= self.rows @ inverse.to(self.rows.dtype) @ self.columns.T
            plane = torch.fft.irfft2(scaled, s=self.size, norm="ortho")
            for channel, share in zip(result, color, strict=True):
                channel.add_(plane, alpha=share)
        return result.flatten()

    def _ratio(self, change: Tensor, gradient_change: Tensor, color: tuple[float, ...]) -> Tensor:
        ours, theirs = self._power(change, color), self._power(gradient_change, color)
        return (ours / theirs.clamp_min(torch.finfo(theirs.dtype).tiny)).sqrt()

    def _power(self, vector: Tensor, color: tuple[float, ...]) -> Tensor:
        """``(BANDS, BANDS)``, the power of a colour in the bands."""
        found = self._transform(vector, color)
        power = torch.addcmul(found.real.square(), found.imag, found.imag)
        return self.rows.T.to(power.dtype) @ power @ self.columns.to(power.dtype)

    def _transform(self, vector: Tensor, color: tuple[float, ...]) -> Tensor:
        plane = torch.zeros(self.size, device=vector.device)
        for channel, share in zip(vector.view(3, *self.size), color, strict=True):
            plane = plane.add(channel, alpha=share)
        transformed: Tensor = torch.fft.rfft2(plane, norm="ortho")
        return transformed


def _bands(frequencies: Tensor) -> Tensor:
    """``(n, BANDS)``, 1 at the band of each frequency in cycles a pixel, the finest first."""
    octaves = -torch.log2(frequencies.abs().clamp_min(1e-9) / 0.5)
    bands = (octaves * BANDS_PER_OCTAVE).long().clamp(0, BANDS - 1)
    return torch.nn.functional.one_hot(bands, BANDS).to(frequencies.dtype)
