"""The coarse-to-fine plan of a run: sizes and steps.

Large forms are found where they are cheap, on a small image; finer scales only add detail. It is
faster than one scale and cleaner, since a long way at full size is what leaves coloured noise.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# The coarsest scale is about this long: below it the deepest layers see next to nothing.
COARSEST = 96
# Steps at a scale relative to the next finer one: coarse steps cost little and decide much; but
# with many of them more of the artwork's objects come over.
STEP_RATIO = 1.4
# The same for scales finer than a preview, of which each costs four times as much.
ENLARGED_RATIO = 2.0
# Threads wait for each other after every small operation: one with fewer pixels than these to work
# on costs its processor time and gains next to nothing.
THREAD_PIXELS = 128 * 128
# What a step costs apart from its pixels, as if the image were larger by this many.
OVERHEAD_PIXELS = 160 * 160


@dataclass(frozen=True)
class Scale:
    """One level of the pyramid.

    Attributes:
        size: (height, width) of the image, in pixels.
        steps: Evaluations of loss and gradient.
    """

    size: tuple[int, int]
    steps: int

    @property
    def work(self) -> int:
        """Cost of one step, in pixels."""
        return self.size[0] * self.size[1] + OVERHEAD_PIXELS

    def threads(self) -> int:
        """Threads that have enough to do."""
        return max(1, self.size[0] * self.size[1] // THREAD_PIXELS)


def plan(size: tuple[int, int], steps: int, scales: int = 0, smallest: int = 1) -> list[Scale]:
    """Lay out a run, coarsest scale first, each twice as large as the one before.

    Args:
        size: (height, width) of the result, in pixels.
        steps: Steps of the whole run.
        scales: Number of scales; 0 for as many as lead down to about 96 pixels.
        smallest: The shorter side is never below this many pixels.

    Returns:
        At least one scale; never more scales than steps, so that each has one.
    """
    levels = scales or _levels(max(size))
    sizes = []
    for level in range(levels):
        shrunk = (round(size[0] / 2**level) or 1, round(size[1] / 2**level) or 1)
        if level and (min(shrunk) < smallest or level >= steps):
            break
        sizes.append(shrunk)
    weights = [STEP_RATIO**level for level in range(len(sizes))]
    shares = share(steps, weights)
    return [Scale(size, count) for size, count in zip(sizes, shares, strict=True)][::-1]


def plan_enlarged(
    size: tuple[int, int], steps: int, scales: int, smallest: int, preview: int
) -> list[Scale]:
    """Lay out a run as for a smaller result, then enlarge that, in few steps at each finer scale.

    Args:
        size: (height, width) of the result, in pixels.
        steps: Steps until the preview is done.
        scales: Scales of the preview; 0 as for ``plan``.
        smallest: The shorter side is never below this many pixels.
        preview: The longer side of the smaller result, in pixels.
    """
    longest = max(size)
    if not 0 < preview < longest:
        return plan(size, steps, scales, smallest)
    small = (round(size[0] * preview / longest) or 1, round(size[1] * preview / longest) or 1)
    coarse = plan(small, steps, scales, smallest)
    last = coarse[-1]
    count = max(1, round(math.log2(longest / max(last.size))))
    finer = []
    for number in range(1, count + 1):
        shrink = (longest / max(last.size)) ** (1 - number / count)
        between = (round(size[0] / shrink), round(size[1] / shrink))
        finer.append(Scale(between, max(1, round(last.steps / ENLARGED_RATIO**number))))
    return [*coarse, *finer]


def _levels(long_side: int) -> int:
    levels = 1
    while long_side / 2**levels >= COARSEST * 0.75:
        levels += 1
    return levels


def share(total: int, weights: Sequence[float]) -> list[int]:
    """Divide a whole number in proportion to weights, each part at least 1."""
    parts: list[int] = []
    before = 0.0
    for index, weight in enumerate(weights):
        left = len(weights) - index - 1
        before += weight
        until = round(total * before / sum(weights))
        parts.append(max(1, min(until, total - left) - sum(parts)))
    return parts
