"""Distillation of the embedded backbone: a thin network learns to see what VGG-16 sees.

1. A closed-form start (``closed_form``): chosen channels, least squares layer by layer.
2. A head behind each layer, by least squares: from the thin map to the leading principal
   coordinates of the teacher's map. They keep distances, so they are all that has to be matched.
3. Gradient steps on all weights: relative errors of the maps, their Gram and covariance matrices,
   over crops of photos and artworks, some noisy, and over pictures that the student itself has
   painted (*on policy*): style transfer drives a picture to where the student sees no difference
   to the style any more but the teacher does. The error of that difference counts apart.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from impasto.backbones.lite import Lite, load_lite
from impasto.backbones.vgg import VGG
from impasto.files import atomic
from impasto.image import Picture
from impasto.media.sheet import sheet
from impasto.options import OptimizeOptions
from impasto.stylizers.optimize import Optimize
from impasto.training.augment import grain
from impasto.training.data import Pictures
from impasto.training.recipes import DistillationRecipe
from impasto.training.students import Targets, make_student
from impasto.training.task import Task, exact

logger = logging.getLogger(__name__)

# What a layer's errors weigh: those that style transfer uses by default, and the others. The deep
# ones weigh more: a thin network errs most there.
LAYER_WEIGHTS = {
    "relu1_1": 1.0,
    "relu2_1": 1.0,
    "relu2_2": 0.3,
    "relu3_1": 1.2,
    "relu3_2": 0.5,
    "relu4_1": 2.2,
    "relu4_2": 1.0,
    "relu5_1": 3.5,
}
OTHER_WEIGHT = 0.2
COVARIANCE_WEIGHT = 0.5
DIFFERENCE_WEIGHT = 2.0

NOISY = 0.25  # share of the crops with noise on them: style transfer starts from, or passes, such
BLENDED = 0.1  # share of the crops that are two pictures on top of each other
LEAST_STEPS = 3  # of style transfer
COLUMNS = 6  # pictures on a sheet


@dataclass(frozen=True)
class DistillationBatch:
    """The data of one step.

    Attributes:
        crops: ``(2 * B, 3, size, size)``, RGB in [0, 1]: photos and artworks in turn.
        painted: Which painted pictures come with them: ``B`` numbers in [0, 1), of all.
    """

    crops: Tensor
    painted: list[float]


class DistillationTask(Task[DistillationBatch]):
    """Learning to see what a teacher sees.

    Args:
        recipe: What to do.
        photos: Folder of photos.
        artworks: Folder of artworks.
        teacher: VGG-16, frozen.
    """

    recipe: DistillationRecipe

    def __init__(
        self, recipe: DistillationRecipe, photos: Path, artworks: Path, teacher: VGG
    ) -> None:
        self.recipe = recipe
        self.folders = [Pictures(each, recipe.size) for each in (photos, artworks)]
        self.photos, self.artworks = self.folders
        self.teacher = teacher
        self.device = torch.device("cpu")
        self.pool = torch.zeros((0, 2, 3, recipe.size, recipe.size), dtype=torch.uint8)

    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move the teacher."""
        self.device = device
        self.teacher.to(device, dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.no_grad()
    def network(self, weights: Mapping[str, Tensor] | None = None) -> Lite:
        """Build the student, by default in closed form or of a trained one."""
        if weights is not None:
            return Lite(weights)
        start, seed = self.recipe.start, self.recipe.seed
        trained = None
        if start != "scratch":
            trained = load_lite(weights=None if start == "shipped" else Path(start))
        logger.info("fitting the student to its teacher ...")
        examples = range(self.recipe.batch)
        batches = [
            self._on_device(self.batch([Random(f"{seed} fit {i} {n}") for n in examples]).crops)
            for i in range(self.recipe.fit_batches)
        ]
        student, self.targets = make_student(self.teacher, batches, trained, self.recipe.width)
        return student

    def prepare(self, step: int, average: Lite) -> None:
        """Let the student paint another picture now and then."""
        if step % self.recipe.paint_every == 0:
            pair = self.paint(average, Random(f"{self.recipe.seed} paint {step}"))
            self.pool = torch.cat([self.pool, pair[None]])[-self.recipe.painted :]

    def paint(self, student: Lite, rng: Random) -> Tensor:
        """Stylize a random crop with a student, as users will: the default optimisation.

        The weight of the style and the number of steps vary.

        Args:
            student: The network whose errors the picture is to show; it stays as it is.
            rng: All randomness comes from here.

        Returns:
            ``(2, 3, size, size)`` uint8: the picture and its style.
        """
        most = self.recipe.paint_steps
        options = OptimizeOptions(
            max_size=self.recipe.size,
            steps=rng.randint(min(LEAST_STEPS, most), most),
            style_weight=10 ** rng.uniform(0.2, 1.0),
            motifs=1.0,  # a young student recognises nothing
            seed=rng.randrange(2**31),
            device=str(self.device),
            precision="float32" if self.teacher.dtype == torch.float32 else "bfloat16",
        )
        content, style = self.photos.draw(rng), self.artworks.draw(rng)
        stylizer = Optimize(options, backbone=student)
        stylizer.set_style(Picture.from_tensor(style))
        picture = stylizer(Picture.from_tensor(content)).picture
        pair = torch.cat([picture.tensor(), style[None]])
        return (pair * 255).round().to(torch.uint8)

    def batch(self, draws: Sequence[Random]) -> DistillationBatch:
        """Draw a batch, each example by its own generator."""
        crops = [self._crop(folder, rng) for rng in draws for folder in self.folders]
        return DistillationBatch(torch.stack(crops), [rng.random() for rng in draws])

    def _crop(self, folder: Pictures, rng: Random) -> Tensor:
        """A crop, perhaps noisy or blended with an artwork."""
        crop, kind = folder.draw(rng), rng.random()
        if kind < NOISY:
            return grain(crop, rng)
        if kind < NOISY + BLENDED:
            return torch.lerp(self.artworks.draw(rng), crop, rng.uniform(0.2, 0.8))
        return crop

    def terms(self, network: Lite, batch: DistillationBatch) -> dict[str, Tensor]:
        """The weighted errors of crops and of painted pictures, then their styles."""
        chosen = self.pool[[int(number * len(self.pool)) for number in batch.painted]]
        images = torch.cat([batch.crops, *(chosen.float() / 255).unbind(1)])
        return self._errors(network, images, len(chosen))

    def _errors(self, network: Lite, images: Tensor, pairs: int) -> dict[str, Tensor]:
        images = self._on_device(images)
        targets = self.targets(images)
        maps = network(images, targets)
        with exact(images):
            return weighted_errors(maps, targets, self.targets.power, pairs)

    def _on_device(self, images: Tensor) -> Tensor:
        return images.to(self.device).contiguous(memory_format=torch.channels_last)

    def held_out(self, network: Lite) -> float:
        """The error on held-out photos and artworks."""
        images = torch.cat([self.photos.held_out, self.artworks.held_out])
        return sum(map(float, self._errors(network, images, 0).values()))

    def sheet(self, network: Lite) -> Picture:
        """The student's latest pictures, the artworks below."""
        pictures = (self.pool[-COLUMNS:].float() / 255).unbind(1)
        return sheet([list(map(Picture.from_tensor, row)) for row in pictures])

    def write(self, network: Lite, path: Path, step: int) -> None:
        """Write the weights in half precision, as ``Lite`` reads them."""
        state = network.state_dict()
        half = {name: value.half().cpu().contiguous() for name, value in state.items()}
        with atomic(path) as temporary:
            save_file(half, temporary, {"architecture": "lite", "steps": str(step)})

    def state(self) -> dict[str, Any]:
        """The student's pictures and the state of its targets."""
        return {"pool": self.pool, "axes": self.targets.axes, "power": self.targets.power}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what a checkpoint kept."""
        self.pool = state["pool"]
        self.targets = Targets(self.teacher, state["axes"], state["power"])


def errors(maps: Tensor, target: Tensor, power: float) -> tuple[Tensor, Tensor, Tensor]:
    """Relative errors of a batch of maps, their Gram matrices and their covariances.

    Args:
        maps: ``(B, K, h, w)``, the student's.
        target: The same, the teacher's.
        power: Mean squared norm of the layer's features; keeps dark crops from mattering most.

    Returns:
        Three scalars. The map's error is squared, those of the matrices are not.
    """
    maps = maps.float()
    square = (maps - target).square().sum(dim=1).mean(dim=(1, 2))
    size = target.square().sum(dim=1).mean(dim=(1, 2))
    of_map = (square / (0.5 * size + 0.5 * power)).mean()
    (gram, covariance), (true_gram, true_covariance) = _matrices(maps), _matrices(target)
    gram_size = _norm(true_gram)
    of_gram = (_norm(gram - true_gram) / gram_size).mean()
    # A flat crop has almost no covariance: it must not decide.
    covariance_size = _norm(true_covariance) + 0.05 * gram_size
    return of_map, of_gram, (_norm(covariance - true_covariance) / covariance_size).mean()


def _matrices(maps: Tensor) -> tuple[Tensor, Tensor]:
    samples = maps.flatten(2)
    mean = samples.mean(dim=2, keepdim=True)
    centred = samples - mean
    covariance = centred @ centred.mT / samples.shape[2]
    return covariance + mean @ mean.mT, covariance


def _norm(matrices: Tensor) -> Tensor:
    # The small constant keeps the gradient at 0 finite.
    return (matrices.square().sum(dim=(1, 2)) + 1e-8).sqrt()


def difference_error(maps: Tensor, target: Tensor, pairs: int) -> Tensor:
    """Error of the difference of two images' Gram matrices over the norm of the second's.

    Args:
        maps: ``(B, K, h, w)``, the student's; those of the pairs come last: all pictures, then all
            styles.
        target: The same, the teacher's.
        pairs: How many pairs there are.

    Returns:
        A scalar, the mean over the pairs, not squared.
    """
    pictures, styles = _matrices(maps[-2 * pairs :].float())[0].chunk(2)
    true_pictures, true_styles = _matrices(target[-2 * pairs :])[0].chunk(2)
    error = _norm((pictures - styles) - (true_pictures - true_styles))
    return (error / _norm(true_styles)).mean()


def weighted_errors(
    maps: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    power: Mapping[str, float],
    pairs: int,
) -> dict[str, Tensor]:
    """The weighted sums of all layers' errors, by kind."""
    found: dict[str, list[Tensor]] = {"maps": [], "gram": [], "covariance": [], "difference": []}
    for layer, target in targets.items():
        weight = LAYER_WEIGHTS.get(layer, OTHER_WEIGHT)
        of_map, of_gram, of_covariance = errors(maps[layer], target, power[layer])
        found["maps"].append(weight * of_map)
        found["gram"].append(weight * of_gram)
        found["covariance"].append(weight * COVARIANCE_WEIGHT * of_covariance)
        if pairs:
            error = difference_error(maps[layer], target, pairs)
            found["difference"].append(weight * DIFFERENCE_WEIGHT * error)
    return {name: torch.stack(values).sum() for name, values in found.items() if values}
