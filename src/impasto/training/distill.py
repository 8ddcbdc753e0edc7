"""Distillation of the embedded backbone: a thin network learns to see what VGG-16 sees.

1. A closed-form start (``closed_form``): chosen channels, least squares layer by layer.
2. A head behind each layer, by least squares: from the thin map to the leading principal
   coordinates of the teacher's map. They keep distances, so they are all that has to be matched.
3. Gradient steps on all weights: relative errors of the maps, their Gram and covariance matrices,
   over crops of photos and artworks, some noisy, and over pictures that the student itself has
   painted (*on policy*): style transfer drives a picture to where the student sees no difference
   to the style any more but the teacher does. The error of that difference counts apart.

Everything random depends on the seed and the step alone, so that a run that was interrupted and
resumed from its checkpoint gives the weights that the unbroken run gives.
"""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from impasto.backbones.lite import PLAN, Lite
from impasto.backbones.vgg import VGG
from impasto.errors import InputError
from impasto.files import atomic
from impasto.training.closed_form import (
    LeastSquares,
    columns,
    fit_trunk,
    second_moments,
)
from impasto.training.crops import Crops
from impasto.training.muon import optimizers_of
from impasto.training.painting import paint

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

WARM_UP = 60  # steps over which the learning rate rises
AVERAGING = 0.998  # of the exponential moving average of the weights


@dataclass(frozen=True)
class Recipe:
    """What determines the weights, besides the pictures and the teacher.

    Attributes:
        start: "scratch" for the closed form, or what it started from instead.
        widths: Channels of the eleven convolutions conv1_1 to conv5_1 in closed form.
        steps: Gradient steps.
        learning_rate: Its value between a short warm-up and the cool-down.
        cool_down: Last steps, over which the learning rate falls to 0.
        batch: Crops in a batch.
        size: Side of a crop in pixels.
        fit_batches: Batches for the closed-form start.
        on_policy_every: Steps after which the student paints another picture.
        on_policy_steps: Steps of style transfer for it, at most.
        on_policy_pool: How many of these pictures are kept, the newest.
        seed: Of everything random.

    Raises:
        InputError: If batch, size or learning rate are too small.
    """

    start: str = "scratch"
    widths: tuple[int, ...] = (16, 16, 48, 32, 96, 64, 96, 256, 256, 256, 256)
    steps: int = 5500
    learning_rate: float = 6e-4
    cool_down: int = 4500
    batch: int = 12
    size: int = 128
    fit_batches: int = 32
    on_policy_every: int = 30
    on_policy_steps: int = 80
    on_policy_pool: int = 96
    seed: int = 0

    def __post_init__(self) -> None:
        """Check what users choose."""
        for name, least in (("batch", 3), ("size", 32)):
            if getattr(self, name) < least:
                raise InputError(f"the {name} {getattr(self, name)} is too small: at least {least}")
        if not 0 < self.learning_rate < math.inf:
            raise InputError(f"the learning rate {self.learning_rate} is not above 0")

    @property
    def pairs(self) -> int:
        """Pictures that the student painted in a batch, each with its style."""
        return max(1, self.batch // 4)


class Targets:
    """What the student shall say: the teacher's maps in their leading principal coordinates.

    Args:
        teacher: The wide network.
        axes: Per layer the axes of the coordinates that are kept, ``(K, C, 1, 1)``.
        power: Per layer the mean squared norm of the teacher's features.
    """

    def __init__(
        self, teacher: VGG, axes: Mapping[str, Tensor], power: Mapping[str, float]
    ) -> None:
        self.teacher = teacher
        self.axes = dict(axes)
        self.power = dict(power)

    @classmethod
    def from_moments(
        cls, teacher: VGG, moments: Mapping[str, Tensor], counts: Mapping[str, int]
    ) -> Targets:
        """Keep the given number of principal coordinates per layer.

        Args:
            teacher: The wide network.
            moments: Second moments of its maps, ``(C, C)`` per layer.
            counts: Coordinates to keep per layer.
        """
        axes = {}
        for layer, count in counts.items():
            ascending = torch.linalg.eigh(moments[layer])[1]
            axes[layer] = ascending.flip(1)[:, :count].T[:, :, None, None].float()
        return cls(teacher, axes, {layer: float(moments[layer].trace()) for layer in counts})

    @torch.no_grad()
    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Return ``(B, K, h, w)`` per layer in float32 for images ``(B, 3, H, W)``."""
        maps = self.teacher(images, self.axes)
        return {
            layer: F.conv2d(maps[layer], axes.to(maps[layer])).float()
            for layer, axes in self.axes.items()
        }


def closed_form(teacher: VGG, recipe: Recipe, batches: Sequence[Tensor]) -> tuple[Lite, Targets]:
    """Make the student that training starts from, and its targets."""
    layers = [layer for layer in teacher.layers if layer.startswith("relu")]
    layers = layers[: len(recipe.widths)]
    moments = second_moments(teacher, layers, batches)
    state = fit_trunk(teacher, PLAN, recipe.widths, moments, batches)
    counts = dict(zip(layers, recipe.widths, strict=True))
    targets = Targets.from_moments(teacher, moments, counts)
    return fit_heads(state, targets, batches), targets


def from_trained(teacher: VGG, trained: Lite, batches: Sequence[Tensor]) -> tuple[Lite, Targets]:
    """Make a student of a trained one, and its targets.

    The axes behind its heads are not known any more, so its heads are fitted anew.
    """
    counts = {layer: trained.head(layer).shape[0] for layer in trained.layers}
    moments = second_moments(teacher, trained.layers, batches)
    targets = Targets.from_moments(teacher, moments, counts)
    state = trained.state_dict().items()
    trunk = {name: value for name, value in state if name.startswith("features.")}
    return fit_heads(trunk, targets, batches), targets


def fit_heads(trunk: Mapping[str, Tensor], targets: Targets, batches: Sequence[Tensor]) -> Lite:
    """Fit the heads behind a thin trunk's layers to the targets by least squares."""
    thin = VGG("thin", trunk, plan=PLAN).requires_grad_(False).to(targets.teacher.dtype)
    equations = {layer: LeastSquares() for layer in targets.axes}
    for images in batches:
        seen, wanted = thin(images, targets.axes), targets(images)
        for layer, each in equations.items():
            each.add(columns(seen[layer]), columns(wanted[layer]))
    heads = {
        f"heads.{layer}.weight": each.solve().T[:, :, None, None]
        for layer, each in equations.items()
    }
    return Lite({**trunk, **heads})


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


def total_error(
    maps: Mapping[str, Tensor],
    targets: Mapping[str, Tensor],
    power: Mapping[str, float],
    pairs: int = 0,
) -> Tensor:
    """The training loss: the weighted sum of all layers' errors."""
    total = torch.zeros(())
    for layer, target in targets.items():
        of_map, of_gram, of_covariance = errors(maps[layer], target, power[layer])
        error = of_map + of_gram + COVARIANCE_WEIGHT * of_covariance
        if pairs:
            error = error + DIFFERENCE_WEIGHT * difference_error(maps[layer], target, pairs)
        total = total + LAYER_WEIGHTS.get(layer, OTHER_WEIGHT) * error
    return total


class Distillation:
    """A training run, step by step.

    Args:
        recipe: What to do.
        teacher: VGG-16, frozen. The student computes in the dtype that this one has: bfloat16
            takes half of the time where hardware multiplies it, and thrice the time elsewhere.
        crops: What to learn on.

    Attributes:
        step: Gradient steps done.
        average: Moving average of the student's weights: the result.
        loss: Moving average of the training loss.
    """

    def __init__(self, recipe: Recipe, teacher: VGG, crops: Crops) -> None:
        self.recipe = recipe
        self.teacher = teacher.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.crops = crops
        self.step = 0
        self.loss = math.nan
        self.pool = torch.zeros((0, 2, 3, recipe.size, recipe.size), dtype=torch.uint8)

    def start(self, trained: Lite | None = None) -> None:
        """Begin with the closed-form student, or with a trained one."""
        rng = self._rng("start")
        count = self.recipe.fit_batches
        batches = [self.crops.batch(self.recipe.batch, rng) for _ in range(count)]
        with torch.no_grad():
            if trained is None:
                student, self.targets = closed_form(self.teacher, self.recipe, batches)
            else:
                student, self.targets = from_trained(self.teacher, trained, batches)
        self._use(student)

    def _use(self, student: Lite) -> None:
        self.student = student.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.student).freeze()
        self.student.requires_grad_(True)
        self.optimizers = optimizers_of(self.student, self.recipe.learning_rate, (0.9, 0.98))

    def advance(self) -> None:
        """Take one gradient step."""
        if self.step and self.step % self.recipe.on_policy_every == 0:
            self._paint()
        images, pairs = self._batch()
        targets = self.targets(images)
        with self._precision():
            maps = self.student(images, targets)
        loss = total_error(maps, targets, self.targets.power, pairs)
        self.student.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.student.parameters(), 2.0)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self._learning_rate()
            optimizer.step()
        self.step += 1
        decay = min(AVERAGING, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, value in zip(
                self.average.parameters(), self.student.parameters(), strict=True
            ):
                mean.lerp_(value, 1 - decay)
        value = float(loss.detach())
        self.loss = value if math.isnan(self.loss) else 0.98 * self.loss + 0.02 * value

    def _precision(self) -> torch.autocast:
        dtype = self.teacher.dtype
        return torch.autocast("cpu", dtype, enabled=dtype != torch.float32)

    def _rng(self, purpose: object) -> Random:
        return Random(f"{self.recipe.seed} {purpose}")

    def _learning_rate(self) -> float:
        warm_up = (self.step + 1) / WARM_UP
        cool_down = (self.recipe.steps - self.step) / self.recipe.cool_down
        return self.recipe.learning_rate * min(1.0, warm_up, cool_down)

    def _paint(self) -> None:
        rng, most = self._rng(f"paint {self.step}"), self.recipe.on_policy_steps
        pair = paint(self.average, self.crops, rng, most, self.teacher.dtype)
        self.pool = torch.cat([self.pool, pair[None]])[-self.recipe.on_policy_pool :]

    def _batch(self) -> tuple[Tensor, int]:
        """Crops, the last of them pairs: what the student painted, then the styles."""
        rng = self._rng(self.step)
        pairs = self.recipe.pairs if len(self.pool) else 0
        images = self.crops.batch(self.recipe.batch - 2 * pairs, rng)
        if pairs:
            chosen = [rng.randrange(len(self.pool)) for _ in range(pairs)]
            images = torch.cat([images, *(self.pool[chosen].float() / 255).unbind(1)])
        return images.contiguous(memory_format=torch.channels_last), pairs

    def save(self, path: Path) -> None:
        """Write a checkpoint from which ``resume`` goes on exactly."""
        state = {
            "recipe": asdict(self.recipe),
            "dtype": self.teacher.dtype,
            "step": self.step,
            "loss": self.loss,
            "pool": self.pool,
            "axes": self.targets.axes,
            "power": self.targets.power,
            "student": self.student.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }
        with atomic(path) as temporary:
            torch.save(state, temporary)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint, in the dtype in which it was begun.

        Raises:
            InputError: If it cannot be read, or belongs to another recipe.
        """
        try:
            state = torch.load(path, weights_only=True)
            recipe, dtype = state["recipe"], state["dtype"]
        except (OSError, EOFError, RuntimeError, LookupError, pickle.UnpicklingError) as error:
            raise InputError(f"cannot resume from '{path}': it is no checkpoint") from error
        ours = asdict(self.recipe)
        if changed := [name for name in ours if recipe.get(name) != ours[name]]:
            was = ", ".join(f"{name} {recipe.get(name)}" for name in changed)
            raise InputError(f"the checkpoint '{path}' was made with other settings: {was}")
        self.step, self.loss, self.pool = state["step"], state["loss"], state["pool"]
        self.teacher.to(dtype)
        self.targets = Targets(self.teacher, state["axes"], state["power"])
        self._use(Lite(state["average"]))
        self.student.load_state_dict(state["student"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)

    def write(self, path: Path) -> None:
        """Write the averaged weights in half precision, as ``Lite`` reads them."""
        from safetensors.torch import save_file

        state = self.average.state_dict()
        half = {name: value.half().contiguous() for name, value in state.items()}
        with atomic(path) as temporary:
            save_file(half, temporary, {"architecture": "lite", "steps": str(self.step)})
