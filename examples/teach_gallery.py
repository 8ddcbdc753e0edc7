"""Lets the gallery's network learn from another one that paints the same styles better.

    python examples/teach_gallery.py old.onnx --photos photos --artworks starry-night.jpg ...
        --start fast.safetensors -o taught.safetensors --minutes 45

The teacher is a per-style network in ONNX whose inputs are ``image`` and ``style_weights`` and
whose styles are the first of the gallery's; artworks are given for all styles, in their order. In
four steps of five the content is what the teacher made of the photo, as VGG-16 sees it: where which
stroke lies is then known, and not only which strokes there are. In the fifth, styles that the
teacher lacks are learnt as ``impasto train fast`` learns them.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnxruntime
import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.backbones import load_backbone
from impasto.image import load_image
from impasto.stylizers.networks.description import describe
from impasto.stylizers.networks.model_files import save_model
from impasto.training.fast import FastTask, NamedStyle
from impasto.training.muon import optimizers_of
from impasto.training.perceptual import PerceptualLoss
from impasto.training.recipes import FastRecipe

RATE = 2e-3
FALLING = 0.35  # of the time, after which the learning rate falls
AVERAGING = 0.995
OWN = 5  # every so many steps styles that the teacher lacks
PIXELS = 8.0  # weight of the mean difference in pixels, averaged over 4x4
STYLE_LAYERS = {"relu1_1": 1.6, "relu2_1": 1.2, "relu3_1": 0.85, "relu4_1": 0.65, "relu5_1": 0.25}
TAUGHT: dict[str, Any] = {
    "content_layers": {"relu1_2": 1.0, "relu2_2": 1.0, "relu3_3": 1.5, "relu4_2": 1.5},
    "content_weight": 20.0,
    "style_weight": 12.0,
}


class Teacher:
    """Paints as the other network does.

    Args:
        path: Its file.
    """

    def __init__(self, path: Path) -> None:
        self._session = onnxruntime.InferenceSession(path)
        _, shares = self._session.get_inputs()
        self.styles = int(shares.shape[1])

    def __call__(self, photos: Tensor, styles: Sequence[int]) -> Tensor:
        """Photos ``(B, 3, H, W)``, each in the style of its number."""
        shares = np.eye(self.styles, dtype=np.float32)
        feeds = [
            {"image": photo[None].numpy(), "style_weights": shares[None, style]}
            for photo, style in zip(photos, styles, strict=True)
        ]
        painted = [torch.from_numpy(self._session.run(None, each)[0]) for each in feeds]
        return torch.cat(painted).clamp(0, 1)


class Lessons:
    """The losses of one step after the other.

    Args:
        task: What ``impasto train fast`` would do.
        teacher: The other network.
    """

    def __init__(self, task: FastTask, teacher: Teacher) -> None:
        self.task, self.teacher = task, teacher
        self.taught = PerceptualLoss(task.loss.backbone, replace(task.recipe, **TAUGHT))

    def loss(self, network: Any, step: int) -> Tensor:
        """The loss of a step: what it draws depends on its number alone."""
        known, all_styles = self.teacher.styles, len(self.task.pictures)
        own = step % OWN == OWN - 1 and known < all_styles
        draws = [Random(f"{step} {number}") for number in range(self.task.recipe.batch)]
        photos = self.task.photos.batch(draws)
        styles = [draw.randrange(*((known, all_styles) if own else (0, known))) for draw in draws]
        paint, target = self.task.painter(network, torch.tensor(styles))
        painted = paint(photos)
        if own:
            return torch.stack(list(self.task.loss(painted, photos, target).values())).sum()
        goal = self.teacher(photos, styles)
        terms = list(self.taught(painted, goal, target).values())
        small, wanted = (F.avg_pool2d(each.float(), 4) for each in (painted, goal))
        return torch.stack([*terms, PIXELS * (small - wanted).abs().mean()]).sum()


def teach(lessons: Lessons, seconds: float) -> Any:
    """Learn for a time; return the network with moving averages of its weights."""
    network = lessons.task.network().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(network).eval().requires_grad_(False)
    optimizers, began, step = optimizers_of(network, RATE), time.monotonic(), 0
    while (part := (time.monotonic() - began) / seconds) < 1:
        falling = math.pi * max(0.0, part - FALLING) / (1 - FALLING)
        rate = RATE * min(1, (step + 1) / 50) * (0.03 + 0.97 * (1 + math.cos(falling)) / 2)
        network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            loss = lessons.loss(network, step)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), lessons.task.recipe.clip)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["pace"] * rate
            optimizer.step()
        step += 1
        with torch.no_grad():
            keep = min(AVERAGING, (1 + step) / (10 + step))
            for mean, value in zip(average.parameters(), network.parameters(), strict=True):
                mean.lerp_(value, 1 - keep)
        if step % 50 == 0:
            print(f"step {step}, loss {float(loss):.2f}, {part:.0%} of the time", flush=True)
    return average


def main() -> None:
    """Read the command line, teach, and write the model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("teacher", type=Path)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--artworks", type=Path, nargs="+", required=True)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=45)
    args = parser.parse_args()
    gallery = describe(args.start)
    recipe = FastRecipe(
        batch=2,
        size=256,
        backbone="vgg16",
        start=str(args.start),
        style_size=512,
        style_layers=STYLE_LAYERS,
        style_weight=30.0,
        color_weight=30.0,
        bands_weight=5.0,
    )
    named = zip(gallery.styles, args.artworks, gallery.attributions, strict=True)
    styles = [NamedStyle(name, load_image(path), by) for name, path, by in named]
    task = FastTask(recipe, args.photos, styles, load_backbone("vgg16"))
    task.to(torch.device("cpu"), torch.bfloat16)
    network = teach(Lessons(task, Teacher(args.teacher)), 60 * args.minutes)
    save_model(network, replace(gallery, recipe={**asdict(recipe), "taught": TAUGHT}), args.output)


if __name__ == "__main__":
    main()
