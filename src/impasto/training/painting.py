"""Pictures half-way through style transfer, as training data for the network that paints them."""

from __future__ import annotations

from random import Random

import torch
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.losses import content_loss, gram_loss, moments
from impasto.training.crops import Crops, generator

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYER = "relu4_2"
KEPT_AFTER = (4, 12, 32)  # steps after which pictures are kept


def paint(student: Backbone, crops: Crops, rng: Random, count: int) -> Tensor:
    """Stylize random crops with a student for a few steps.

    Half of the rounds start from the content, the others from noise or from a blend of content
    and style; the weight of the content and the step size vary from round to round.

    Args:
        student: The frozen network whose errors the pictures are to show.
        crops: Where content and style come from.
        rng: All randomness comes from here.
        count: Pictures to paint side by side.

    Returns:
        ``(3 * count, 3, size, size)`` uint8: the pictures after 4, 12 and 32 steps.
    """
    content = torch.stack([crops.photo(rng) for _ in range(count)])
    style = torch.stack([crops.artwork(rng) for _ in range(count)])
    image = _start(content, style, rng)
    content_weight, step_size = 10 ** rng.uniform(-2, 0.3), rng.uniform(0.02, 0.06)
    with torch.no_grad():
        style_maps = student(style, STYLE_LAYERS)
        style_moments = {layer: moments(style_maps[layer]) for layer in STYLE_LAYERS}
        content_maps = student(content, [CONTENT_LAYER])[CONTENT_LAYER]
    optimizer = torch.optim.Adam([image.requires_grad_()], lr=step_size, betas=(0.9, 0.99))
    kept = []
    for step in range(1, max(KEPT_AFTER) + 1):
        maps = student(image, (*STYLE_LAYERS, CONTENT_LAYER))
        loss = content_weight * content_loss(maps[CONTENT_LAYER], content_maps)
        for layer in STYLE_LAYERS:
            loss = loss + gram_loss(moments(maps[layer]), style_moments[layer]) / len(STYLE_LAYERS)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        with torch.no_grad():
            image.clamp_(0, 1)
        if step in KEPT_AFTER:
            kept.append((image.detach() * 255).round().to(torch.uint8))
    return torch.cat(kept)


def _start(content: Tensor, style: Tensor, rng: Random) -> Tensor:
    kind = rng.random()
    if kind < 0.5:
        image = content
    elif kind < 0.75:
        image = 0.25 + 0.5 * torch.rand(content.shape, generator=generator(rng))
    else:
        image = (content + style) / 2
    return image.clone(memory_format=torch.channels_last)
