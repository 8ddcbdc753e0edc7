"""Content and style distances of a finished picture to its sources.

Distances are taken with a backbone of full size, whatever made the picture. They say how near
the picture is to each source, not whether it is beautiful: a picture that was hardly stylized
is near to its content. Always read content and style together, and look at the picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.errors import InputError
from impasto.flow import Motion, Pixels, estimate
from impasto.losses import Moments, moments, wasserstein_loss
from impasto.losses.bands import OPPONENTS

CONTENT_LAYERS = ("relu1_2", "relu2_2", "relu3_3", "relu4_2")
GRAM_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
W2_LAYERS = ("relu2_1", "relu3_1", "relu4_1")

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as Wang et al. measured
SSIM_RADIUS, SSIM_SIGMA = 5, 1.5

# Fine is what lies above this frequency, in cycles a pixel.
FINE = 0.25
# An artwork's grain counts for at least one level of 8 bits: fainter grain nobody sees.
LEVEL = 1 / 255
# Power at a frequency of a picture of one colour: rounding.
SILENCE = 1e-12
# Pixels from line to line of the weaves that strides of networks and pyramids leave.
PERIODS = (2, 4, 8)


@dataclass(frozen=True)
class Distances:
    """How far a picture is from its sources; 0 is equal.

    Attributes:
        content: Mean squared distance of feature maps whose vectors have unit length at each
            position, over relu1_2, relu2_2, relu3_3 and relu4_2 (LPIPS of Zhang et al. 2018
            without its learnt channel weights). Between 0 and 2 for maps after a ReLU.
        ssim: Structural similarity of picture and content (``ssim``); here 1 is equal.
        gram: |G - G_s|^2 / |G_s|^2 of Gram matrices, mean over relu1_1 to relu5_1.
        w2_layers: Squared Wasserstein-2 distance of the maps' normal distributions over the
            style's second moment, at relu2_1, relu3_1 and relu4_1.
        rgb: The same of the pixels' colours.
        grain_lightness: Fine energy of lightness over the artwork's (``grain``); here 1 is equal.
        grain_color: The same of the two opponent colours.
        weave: How much regular patterns stand out, compared with the photo (``weave``); here
            about 1 is none.
    """

    content: float
    ssim: float
    gram: float
    w2_layers: dict[str, float]
    rgb: float
    grain_lightness: float
    grain_color: float
    weave: float

    @property
    def w2(self) -> float:
        """Mean of ``w2_layers``."""
        return _mean(self.w2_layers.values())


class Judge:
    """Measures pictures with one backbone.

    Args:
        backbone: A VGG in float32, not the one that made the pictures where possible.
    """

    def __init__(self, backbone: Backbone) -> None:
        self.backbone = backbone

    @torch.no_grad()
    def __call__(self, image: Tensor, content: Tensor, style: Tensor) -> Distances:
        """Measure a picture.

        Args:
            image: ``(1, 3, H, W)``, RGB in [0, 1].
            content: ``(1, 3, H, W)``, the content image at the same size.
            style: ``(1, 3, h, w)``, the style image at the size that the picture's strokes
                should have, usually with the same longer side.
        """
        maps = self.backbone(image, {*CONTENT_LAYERS, *GRAM_LAYERS})
        content_maps = self.backbone(content, CONTENT_LAYERS)
        style_maps = self.backbone(style, GRAM_LAYERS)
        ours = {layer: moments(maps[layer]) for layer in GRAM_LAYERS}
        theirs = {layer: moments(style_maps[layer]) for layer in GRAM_LAYERS}
        (lightness, color), (art_lightness, art_color) = grain(image), grain(style)
        return Distances(
            content=_mean(
                perceptual_distance(maps[layer], content_maps[layer]) for layer in CONTENT_LAYERS
            ),
            ssim=ssim(image, content),
            gram=_mean(gram_distance(ours[layer], theirs[layer]) for layer in GRAM_LAYERS),
            w2_layers={layer: w2_distance(ours[layer], theirs[layer]) for layer in W2_LAYERS},
            rgb=w2_distance(moments(image), moments(style)),
            grain_lightness=lightness / max(art_lightness, LEVEL),
            grain_color=color / max(art_color, LEVEL),
            weave=weave(image) / max(weave(content), 1),
        )


def ssim(image: Tensor, target: Tensor) -> float:
    """Structural similarity of the lightness of two images (Wang et al. 2004).

    Gaussian windows of 11 x 11 pixels with sigma 1.5; only those that lie inside count.

    Args:
        image: ``(1, 3, H, W)``, RGB in [0, 1].
        target: The same of the other image.

    Returns:
        1 for equal images, about 0 for unrelated ones.

    Raises:
        InputError: If a side is below 11 pixels.
    """
    side = 2 * SSIM_RADIUS + 1
    if min(image.shape[2:]) < side:
        raise InputError(f"structural similarity needs pictures of at least {side} px")
    luma = torch.tensor(LUMA, dtype=torch.float64).view(1, 3, 1, 1)
    x, y = ((picture.double().cpu() * luma).sum(dim=1, keepdim=True) for picture in (image, target))
    offsets = torch.arange(-SSIM_RADIUS, SSIM_RADIUS + 1, dtype=torch.float64)
    window = (-offsets.square() / (2 * SSIM_SIGMA**2)).exp()
    window /= window.sum()

    def local_mean(plane: Tensor) -> Tensor:
        return F.conv2d(F.conv2d(plane, window.view(1, 1, 1, -1)), window.view(1, 1, -1, 1))

    mean_x, mean_y = local_mean(x), local_mean(y)
    variances = local_mean(x * x) - mean_x**2 + local_mean(y * y) - mean_y**2
    covariance = local_mean(x * y) - mean_x * mean_y
    # The paper's constants for a range of 1: 0.01 and 0.03, squared.
    lightness = (2 * mean_x * mean_y + 1e-4) / (mean_x**2 + mean_y**2 + 1e-4)
    structure = (2 * covariance + 9e-4) / (variances + 9e-4)
    return float((lightness * structure).mean())


def grain(image: Tensor) -> tuple[float, float]:
    """Fine energy of an image: what frequencies above a quarter of the sampling rate hold.

    Args:
        image: ``(1, 3, H, W)``, RGB in [0, 1].

    Returns:
        Root mean squares of lightness and of the two opponent colours together.
    """
    power, rows, columns = _spectrum(image)
    fine = torch.maximum(rows[:, None].abs(), columns.abs()) > FINE
    lightness, *colors = (power * fine).sum(dim=(1, 2)).tolist()
    return lightness**0.5, sum(colors) ** 0.5


def weave(image: Tensor) -> float:
    """How much a regular pattern of 2, 4 or 8 pixels stands out of an image's spectrum.

    Args:
        image: ``(1, 3, H, W)``, RGB in [0, 1], at least 64 pixels on each side to say anything.

    Returns:
        Mean power of lightness at the period's frequency, along the axes and both diagonals, over
        that around it; the largest of all periods. About 1 for none.
    """
    power = _spectrum(image)[0][0]
    height, width = power.shape
    found = []
    for period in PERIODS:
        y, x = round(height / period), round(width / period)
        places = [(y, 0), (0, x), (y, x), (-y, x)]
        peaks, around = (sum(_around(power, place, reach) for place in places) for reach in (1, 6))
        count = len(places) * (13**2 - 3**2)
        mean = max((around - peaks) / count, SILENCE)
        found.append(max(peaks / (len(places) * 3**2), SILENCE) / mean)
    return max(found)


def _around(power: Tensor, place: tuple[int, int], reach: int) -> float:
    """Power at a frequency and up to so many steps beside it."""
    offsets = torch.arange(-reach, reach + 1)
    rows, columns = ((offsets + at) % length for at, length in zip(place, power.shape, strict=True))
    return float(power[rows[:, None], columns].sum())


def _spectrum(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Power of lightness and opponent colours by frequency, and the frequencies of both axes.

    Seen through a window that fades towards the borders: else their jumps would count as fine.
    """
    planes = torch.einsum("kc,chw->khw", torch.tensor(OPPONENTS).double(), image[0].double().cpu())
    height, width = planes.shape[1:]
    window = torch.hann_window(height)[:, None] * torch.hann_window(width)
    planes = (planes - planes.mean(dim=(1, 2), keepdim=True)) * window
    power = torch.fft.fft2(planes).abs().square() / (height * width * window.square().sum())
    return power, torch.fft.fftfreq(height), torch.fft.fftfreq(width)


def perceptual_distance(maps: Tensor, target: Tensor) -> float:
    """Mean squared distance of two maps ``(1, C, h, w)`` of unit vectors."""
    difference = F.normalize(maps.double(), dim=1) - F.normalize(target.double(), dim=1)
    return float(difference.square().sum(dim=1).mean())


def gram_distance(image: Moments, style: Moments) -> float:
    """Squared distance of Gram matrices over the square of the style's."""
    ours, theirs = image.double().second, style.double().second
    return float((ours - theirs).square().sum() / theirs.square().sum())


def w2_distance(image: Moments, style: Moments) -> float:
    """Squared Wasserstein-2 distance over the style's second moment, in float64."""
    return float(wasserstein_loss(image.double(), style.double()))


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)


def warping_error(before: Tensor, after: Tensor, motion: Motion) -> float:
    """How much a video flickers from one frame to the next (Lai et al. 2018, eq. 9).

    Args:
        before: ``(1, 3, H, W)``, RGB in [0, 1], a finished frame.
        after: ``(1, 3, H, W)``, the next one.
        motion: The motion between the same frames of the source.

    Returns:
        The squared distance of colours between the frame and the warped one before, mean over
        the pixels that are visible in both; 0 where there are none.
    """
    change = (after - motion.warp(before)).double().square().sum(dim=1, keepdim=True)
    return float((motion.visible * change).sum() / motion.visible.sum().clamp_min(1))


def mean_warping_error(stylized: Iterable[Tensor], source: Iterable[Tensor]) -> float:
    """The warping error of a video, mean over all pairs of frames that follow each other.

    Cuts do not count.

    Args:
        stylized: The frames, each ``(1, 3, H, W)``, RGB in [0, 1].
        source: The frames of the source at the same size, which tell motion and occlusion.

    Raises:
        InputError: If there are no two frames of one scene.
        MissingExtraError: If OpenCV is not installed.
    """
    errors = []
    for (before, old), (after, new) in pairwise(zip(stylized, source, strict=True)):
        motion = estimate(_pixels(old), _pixels(new))
        if motion.same_scene:
            errors.append(warping_error(before, after, motion))
    if not errors:
        raise InputError("a warping error needs at least two frames of one scene")
    return _mean(errors)


def _pixels(image: Tensor) -> Pixels:
    rounded = (255 * image[0].permute(1, 2, 0)).round().byte()
    return rounded.contiguous().cpu().numpy()
