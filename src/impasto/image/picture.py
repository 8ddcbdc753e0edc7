"""The picture that everything in Impasto takes and gives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import InputError
from impasto.image.origin import Origin

if TYPE_CHECKING:
    import torch

Floats: TypeAlias = NDArray[np.float32]

# Below this coverage, dividing a premultiplied colour by its alpha only amplifies rounding.
_FAINT = 1e-3


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture in memory.

    Attributes:
        rgb: ``(H, W, 3)`` float32, sRGB-encoded, in [0, 1].
        alpha: ``(H, W)`` float32 in [0, 1], 1 is opaque; None where all is opaque.
        name: How messages call the picture.
        bits: Bits per channel of the source, 8 or 16.
        notices: What the user should know about how the picture was read, one line each.
        origin: Date, camera and resolution of the photo, which its file told.

    Raises:
        InputError: If the arrays do not have these shapes and types.
    """

    rgb: Floats
    alpha: Floats | None = None
    name: str = "image"
    bits: int = 8
    notices: tuple[str, ...] = ()
    origin: Origin | None = None

    def __post_init__(self) -> None:
        rgb, alpha = self.rgb, self.alpha
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.float32 or not rgb.size:
            raise InputError(
                f"{self.name}: rgb must be float32 (H, W, 3), not {rgb.dtype} {rgb.shape}"
            )
        if alpha is not None and (alpha.shape != rgb.shape[:2] or alpha.dtype != np.float32):
            raise InputError(
                f"{self.name}: alpha must be float32 {rgb.shape[:2]}, "
                f"not {alpha.dtype} {alpha.shape}"
            )

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.rgb.shape[0], self.rgb.shape[1]

    def tensor(
        self, device: torch.device | str = "cpu", dtype: torch.dtype | None = None
    ) -> torch.Tensor:
        """The colours as a new tensor ``(1, 3, H, W)``, RGB in [0, 1], float32 unless told."""
        import torch

        # A copy in C order: the tensor never shares memory with the picture.
        planes = np.array(self.rgb.transpose(2, 0, 1)[None], order="C")
        return torch.from_numpy(planes).to(device=device, dtype=dtype)

    def alpha_tensor(
        self, device: torch.device | str = "cpu", dtype: torch.dtype | None = None
    ) -> torch.Tensor | None:
        """The alpha as a new tensor ``(1, 1, H, W)`` in [0, 1]; None where all is opaque."""
        import torch

        if self.alpha is None:
            return None
        return torch.from_numpy(self.alpha[None, None].copy()).to(device=device, dtype=dtype)

    @classmethod
    def from_tensor(
        cls,
        tensor: torch.Tensor,
        alpha: torch.Tensor | None = None,
        *,
        name: str = "image",
        bits: int = 8,
        notices: tuple[str, ...] = (),
    ) -> Picture:
        """Make a picture of tensors on any device; values are clamped to [0, 1].

        Args:
            tensor: ``(1, 3, H, W)`` or ``(3, H, W)``, sRGB-encoded RGB.
            alpha: ``(1, 1, H, W)``, ``(1, H, W)`` or ``(H, W)``; None is opaque.
            name: How messages call the picture.
            bits: Bits per channel that the picture is worth, 8 or 16.
            notices: See the attribute.

        Raises:
            InputError: If a shape does not fit or a value is not finite.
        """
        rgb = _to_array(tensor, name)
        if rgb.ndim == 4 and rgb.shape[0] == 1:
            rgb = rgb[0]
        if rgb.ndim != 3 or rgb.shape[0] != 3:
            raise InputError(f"{name}: the tensor must be (1, 3, H, W), not {tuple(tensor.shape)}")
        plane = None
        if alpha is not None:
            plane = _to_array(alpha, name)
            if plane.shape[-2:] != rgb.shape[1:] or plane.size != rgb[0].size:
                raise InputError(
                    f"{name}: alpha must be {(1, 1, *rgb.shape[1:])}, not {tuple(alpha.shape)}"
                )
            plane = plane.reshape(rgb.shape[1:])
        pixels = np.ascontiguousarray(rgb.transpose(1, 2, 0))
        return cls(pixels, plane, name, bits, notices)

    def resized(self, height: int, width: int) -> Picture:
        """Return the picture at another size, in pixels; the aspect is the caller's business.

        Bicubic with antialiasing, in floating point, so 16-bit pictures stay exact. Where there
        is alpha, colours are weighted by it, so that transparent pixels never bleed into
        visible ones. Overshoot is clipped to [0, 1].

        Raises:
            InputError: If a side is below one pixel.
        """
        if height < 1 or width < 1:
            raise InputError(f"{self.name}: cannot resize to {width} x {height} pixels")
        if (height, width) == self.size:
            return self
        plain = resample(self.rgb, height, width)
        if self.alpha is None:
            return replace(self, rgb=plain)
        alpha = resample(self.alpha[..., None], height, width)
        weighted = resample(self.rgb * self.alpha[..., None], height, width)
        faint = alpha < _FAINT
        rgb = np.where(faint, plain, weighted / np.maximum(alpha, _FAINT)).clip(0, 1)
        return replace(self, rgb=rgb, alpha=alpha[..., 0])

    def fitted(self, long_side: int, *, enlarge: bool = False) -> Picture:
        """The picture with a longer side of so many pixels, or as it is if smaller; see ``fit``."""
        return self.resized(*fit(self.size, long_side, enlarge=enlarge))

    def pil(self) -> Image.Image:
        """The picture as an 8-bit Pillow image, RGB, or RGBA where there is alpha."""
        return Image.fromarray(self.integers(8))

    def integers(self, bits: int) -> NDArray[np.uint8] | NDArray[np.uint16]:
        """The picture as ``(H, W, 3)`` or, with alpha, ``(H, W, 4)`` integers of 8 or 16 bits."""
        planes = self.rgb if self.alpha is None else np.dstack([self.rgb, self.alpha])
        top = (1 << bits) - 1
        rounded = np.rint(planes * np.float32(top)).clip(0, top)
        return rounded.astype(np.uint8) if bits == 8 else rounded.astype(np.uint16)


def _to_array(tensor: torch.Tensor, name: str) -> Floats:
    """Bring a tensor to a float32 array on the CPU, clamped to [0, 1]."""
    values = tensor.detach().float().cpu().numpy()
    if not np.isfinite(values).all():
        raise InputError(f"{name}: the tensor holds values that are not finite (NaN or infinity)")
    clamped: Floats = np.clip(values, 0, 1)
    return clamped


def resample(
    planes: Floats, height: int, width: int, method: Image.Resampling = Image.Resampling.BICUBIC
) -> Floats:
    """Resize ``(H, W, C)`` float planes with Pillow's antialiased filters, clipped to [0, 1]."""
    out = np.empty((height, width, planes.shape[2]), np.float32)
    for channel in range(planes.shape[2]):
        plane = Image.fromarray(np.ascontiguousarray(planes[..., channel]))
        out[..., channel] = np.asarray(plane.resize((width, height), method))
    return out.clip(0, 1, out=out)


def fit(size: tuple[int, int], long_side: int, *, enlarge: bool = False) -> tuple[int, int]:
    """Scale a size so that its longer side has a given length, the aspect kept.

    Args:
        size: (height, width) in pixels.
        long_side: Wanted length of the longer side, in pixels.
        enlarge: Whether a smaller size is scaled up; otherwise it stays as it is.

    Returns:
        The new (height, width), each at least 1.

    Raises:
        InputError: If long_side is below one pixel.
    """
    if long_side < 1:
        raise InputError(f"a picture cannot have a long side of {long_side} pixels")
    longest = max(size)
    if longest <= long_side and not enlarge:
        return size
    height, width = (max(1, round(side * long_side / longest)) for side in size)
    return height, width
