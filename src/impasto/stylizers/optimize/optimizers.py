"""The algorithms that change the image: L-BFGS and Adam, able to move to a finer scale.

torch's own optimisers hold parameters of one shape; a coarse-to-fine run changes the shape. The
classes here take an image with its loss and gradient and return the next image; ``rescale``
carries their state over to another size. Neither ever waits for the device.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import reduce
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.options import OptimizeOptions
from impasto.stylizers.optimize.spectrum import Spectrum


class Optimizer(Protocol):
    """An algorithm that proposes the next image.

    Attributes:
        history: How many pairs of images it keeps.
    """

    history: int

    def update(self, image: Tensor, loss: Tensor, grad: Tensor) -> Tensor:
        """Return the next image.

        Args:
            image: ``(1, 3, H, W)``, the image at which loss and gradient were taken.
            loss: The loss, a scalar.
            grad: ``(1, 3, H, W)``, the gradient of the loss.
        """
        ...

    def rescale(self, size: tuple[int, int], room: float = math.inf) -> None:
        """Carry the state over to images of (height, width), with this many bytes of room."""
        ...


def make_optimizer(options: OptimizeOptions) -> Optimizer:
    """The optimiser of these options, as it suits the losses."""
    if options.optimizer == "adam":
        return Adam(options.learning_rate)
    if options.classic_losses:
        return LBFGS(history=100, by_band=False, clip=False)  # as in the classic scripts
    if "nn" in options.style_loss:
        # By band it comes to a lower loss, but drifts away from the artwork's colours, as every
        # new matching looks to it like curvature.
        return LBFGS(history=40, by_band=False)
    return LBFGS()


def resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize ``(B, C, H, W)`` bicubically, antialiased where it shrinks."""
    if image.shape[2:] == size:
        return image
    return F.interpolate(image, size=size, mode="bicubic", antialias=True)


# Numbers of a narrow vector that are widened at a time.
CHUNK = 2**22


class LBFGS:
    """Limited-memory BFGS (Liu and Nocedal 1989) with unit steps: one evaluation a step.

    A step after which the loss has more than doubled, or is not finite, is taken back and tried
    again at a quarter of its length (departs from torch's L-BFGS, which runs on into NaN).

    Args:
        history: How many pairs of changes approximate the curvature.
        by_band: Start from the curvature of each band of frequencies (``spectrum.py``).
        first_step: Root mean square of the first change, of the full range.
        clip: Keep the image within [0, 1]. What enters the history is the change after clipping.
    """

    def __init__(
        self,
        history: int = 10,
        by_band: bool = True,
        first_step: float = 0.02,
        clip: bool = True,
    ) -> None:
        self.history = history
        self.by_band = by_band
        self.first_step = first_step
        self.clip = clip
        self.rescale((1, 1))

    def rescale(self, size: tuple[int, int], room: float = math.inf) -> None:
        """Begin anew: measured, enlarged pairs led to slower progress than none.

        Args:
            size: (height, width) of the images to come.
            room: Bytes that the history may take. Where they are few, pairs are kept in bfloat16,
                and then fewer of them.
        """
        self.room = room
        # Each pair: change of the image, change of the gradient (vectors), 1 / their product.
        self.pairs: list[tuple[Tensor, Tensor, Tensor]] = []
        self.last: tuple[Tensor, Tensor, Tensor] | None = None
        self.inverse_curvature: Tensor | None = None
        self.spectrum: Spectrum | None = None
        self.length: Tensor | float = 1.0

    def update(self, image: Tensor, loss: Tensor, grad: Tensor) -> Tensor:
        """Return the next image (see Optimizer)."""
        if self.last is not None:
            image, loss, grad = self._compare(image, loss, grad)
        self.last = (image, loss, grad)
        following = image - self.length * self._apply_inverse_hessian(grad)
        return following.clamp(0, 1) if self.clip else following

    def _compare(self, image: Tensor, loss: Tensor, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Learn from the last step, or take it back; return the point to go on from.

        Written with ``where`` and not ``if``, which would wait for the device.
        """
        assert self.last is not None
        good = loss <= 2 * self.last[1].abs()
        image = torch.where(good, image, self.last[0])
        loss = torch.where(good, loss, self.last[1])
        grad = torch.where(good, grad, self.last[2])
        self.length = torch.where(good, 1.0, 0.25 * self.length)
        count, dtype = self._capacity(image)
        change = (image - self.last[0]).to(dtype).flatten()
        gradient_change = (grad - self.last[2]).to(dtype).flatten()
        product = _dot(change, gradient_change)
        square = _dot(gradient_change, gradient_change)
        # Without positive curvature the approximation would lose its descent directions: such a
        # pair, and that of a step taken back, has weight 0.
        curved = product > 1e-10 * square
        before = 0.0 if self.inverse_curvature is None else self.inverse_curvature
        self.inverse_curvature = torch.where(curved, product / square, before)
        weight = torch.where(curved, 1 / product, 0.0)
        if self.by_band:
            self.spectrum = self.spectrum or Spectrum(
                (image.shape[2], image.shape[3]), image.device
            )
            self.spectrum.learn(change, gradient_change, torch.where(curved, product / square, 0.0))
        self.pairs = [*self.pairs, (change, gradient_change, weight)][-count:]
        return image, loss, grad

    def _capacity(self, image: Tensor) -> tuple[int, torch.dtype]:
        """How many pairs there is room for, and in which numbers."""
        room = self.room / (2 * image.numel())
        if room >= self.history * image.element_size():
            return self.history, image.dtype
        return max(1, min(self.history, int(room / torch.bfloat16.itemsize))), torch.bfloat16

    def _apply_inverse_hessian(self, grad: Tensor) -> Tensor:
        """The two-loop recursion (Nocedal and Wright 2006, algorithm 7.4)."""
        gentle = self.first_step / grad.square().mean().sqrt().clamp_min(1e-30)
        if self.inverse_curvature is None:
            return grad * gentle
        direction = grad.clone(memory_format=torch.contiguous_format).flatten()
        shares = []
        for change, gradient_change, weight in reversed(self.pairs):
            shares.append(weight * _dot(change, direction))
            _add(direction, -shares[-1], gradient_change)
        if self.spectrum is None:
            known = self.inverse_curvature > 0
            direction *= torch.where(known, self.inverse_curvature, gentle)
        else:
            direction = self.spectrum.apply(direction, gentle)
        for (change, gradient_change, weight), share in zip(
            self.pairs, reversed(shares), strict=True
        ):
            _add(direction, share - weight * _dot(gradient_change, direction), change)
        return direction.view(grad.shape)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """The inner product of two vectors, in float32 or wider."""
    return reduce(torch.add, (x @ y for x, y in _chunks(a, b)))


def _add(vector: Tensor, share: Tensor, change: Tensor) -> None:
    """Add a share of a change to a vector, in place."""
    for x, y in _chunks(vector, change):
        x.addcmul_(y, share)


def _chunks(*vectors: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Vectors in float32 or wider; narrow ones piece by piece: no wide copy of a whole one."""
    if all(vector.dtype.itemsize >= torch.float32.itemsize for vector in vectors):
        yield vectors
        return
    for pieces in zip(*(torch.split(vector, CHUNK) for vector in vectors), strict=True):
        yield tuple(x.to(torch.promote_types(x.dtype, torch.float32)) for x in pieces)


class Adam:
    """Adam (Kingma and Ba 2015), keeping the image within [0, 1].

    Args:
        learning_rate: Step size, of the full range.
        betas: Decay of the running means of gradients and of their squares. The second is 0.99
            and not 0.999, as the image changes fast (crowsonkb's choice).
    """

    def __init__(
        self, learning_rate: float = 0.02, betas: tuple[float, float] = (0.9, 0.99)
    ) -> None:
        self.history = 0
        self.learning_rate = learning_rate
        self.betas = betas
        self.steps = 0
        self.mean: Tensor | None = None
        self.square: Tensor | None = None

    def rescale(self, size: tuple[int, int], room: float = math.inf) -> None:
        """Carry the running means over, so that a new scale does not begin with a burst."""
        if self.mean is None or self.square is None:
            return
        # The loss is a mean over positions: a pixel's gradient shrinks as their number grows.
        share = self.mean.shape[2] * self.mean.shape[3] / (size[0] * size[1])
        self.mean = resize(self.mean, size) * share
        # Bicubic interpolation could turn squares negative.
        self.square = F.interpolate(self.square, size=size, mode="bilinear") * share**2

    def update(self, image: Tensor, loss: Tensor, grad: Tensor) -> Tensor:
        """Return the next image (see Optimizer)."""
        if self.mean is None or self.square is None:
            self.mean, self.square = torch.zeros_like(grad), torch.zeros_like(grad)
        self.steps += 1
        self.mean.lerp_(grad, 1 - self.betas[0])
        self.square.lerp_(grad * grad, 1 - self.betas[1])
        mean = self.mean / (1 - self.betas[0] ** self.steps)
        square = self.square / (1 - self.betas[1] ** self.steps)
        return (image - self.learning_rate * mean / (square.sqrt() + 1e-12)).clamp(0, 1)
