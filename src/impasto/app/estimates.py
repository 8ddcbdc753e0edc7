"""How long a picture takes on this machine: a first guess, corrected by every job."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

# Seconds for a megapixel of a network's picture, or for a step at one megapixel: on one core, as
# measured with 451 x 300 px, and on a GPU, as a guess.
CORE = {"optimize": 0.8, "arbitrary": 2.0, "fast": 2.0}
GPU = {"optimize": 0.1, "arbitrary": 0.2, "fast": 0.2}
MOST_CORES = 4
# Seconds before the first step.
START = 0.7
# A step of these presets takes so many times as long as one of the others.
STEP_COST = {"best": 1.7, "gatys": 2.0}
# What enlarging a preview to a print costs, of what the preview did, for each time that the print
# is longer: its steps get fewer as its pixels get more. As measured with 1000 to 3600 px.
ENLARGING = 0.7
# Of a photo whose long side alone is known.
ASPECT = 2 / 3
# How far one job corrects the guess.
TRUST = 0.5


class Estimates:
    """How long pictures take on one kind of device.

    Args:
        device: Its name, as "cpu" or "cuda:0".
    """

    def __init__(self, device: str) -> None:
        self.where = "this computer's CPU" if device == "cpu" else "the GPU"
        cores = min(os.cpu_count() or 1, MOST_CORES) ** 0.5  # threads wait for each other
        self._rates = dict(GPU)
        if device == "cpu":
            self._rates = {method: rate / cores for method, rate in CORE.items()}

    def seconds(
        self,
        method: str,
        preset: str | None,
        options: Mapping[str, Any],
        size: tuple[int, int] | None = None,
    ) -> float:
        """How long a picture is going to take.

        Args:
            method: "optimize", "fast" or "arbitrary".
            preset: Of "optimize".
            options: With ``max_size``, and ``steps`` for "optimize".
            size: (height, width) of the result, where it is known; longer than ``max_size``: of a
                print, whose preview has that.
        """
        return START + self._rates[method] * _work(method, preset, options, size)

    def learn(
        self,
        seconds: float,
        method: str,
        preset: str | None,
        options: Mapping[str, Any],
        size: tuple[int, int],
    ) -> None:
        """Correct the guess by a job that ran to its end and took so long."""
        rate = max(seconds - START, 0.1 * seconds) / _work(method, preset, options, size)
        self._rates[method] += TRUST * (rate - self._rates[method])


def _work(
    method: str,
    preset: str | None,
    options: Mapping[str, Any],
    size: tuple[int, int] | None,
) -> float:
    """Megapixels to paint, times the steps where there are any."""
    height, width = size or (options["max_size"] * ASPECT, options["max_size"])
    longer: float = max(1.0, max(height, width) / options["max_size"])
    megapixels: float = height * width / longer**2 / 1e6
    if method != "optimize":
        return megapixels
    growth = 1 + ENLARGING * (longer - 1)
    return megapixels * growth * float(options["steps"]) * STEP_COST.get(str(preset), 1.0)
