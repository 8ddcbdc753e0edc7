"""How much a visitor of the web app may ask for. No heavy import here."""

from __future__ import annotations

from dataclasses import dataclass

from impasto.options import CheckedOptions, option


@dataclass(frozen=True, kw_only=True)
class Limits(CheckedOptions):
    """How much a visitor may ask for: the command line and the page tell them alike.

    Raises:
        InputError: If a value is of the wrong type or out of its range.
    """

    max_megapixels: float = option(
        50.0, "largest picture that is taken in, in megapixels", minimum=0.01, metavar="MP"
    )
    max_megabytes: int = option(
        30, "largest file that is taken in, in megabytes", minimum=1, metavar="MB"
    )
    max_seconds: int = option(
        600, "longest time a job may take; it ends with the best picture so far", minimum=1
    )
    max_waiting: int = option(
        20, "jobs that may wait for their turn; others are told to come back", minimum=1
    )
    optimize_size: int = option(
        1024, "longest side of an optimised picture", minimum=64, metavar="PX"
    )
    network_size: int = option(
        2048, "longest side of a picture painted by a network", minimum=64, metavar="PX"
    )
    print_size: int = option(5000, "longest side of a print", minimum=64, metavar="PX")
    max_steps: int = option(1000, "most steps of an optimisation", minimum=20)

    @property
    def max_pixels(self) -> int:
        """Pixels of the largest picture."""
        return int(self.max_megapixels * 1e6)

    def size(self, method: str) -> int:
        """Longest side of a result, in pixels."""
        return self.optimize_size if method == "optimize" else self.network_size

    def describe(self) -> str:
        """The limits in a sentence for the page."""
        return (
            f"Pictures up to {self.max_megapixels:g} megapixels and {self.max_megabytes} MB. "
            f"Optimised results up to {self.optimize_size} px and {self.max_steps} steps, "
            f"results of the networks up to {self.network_size} px, "
            f"prints up to {self.print_size} px, "
            f"{clock(self.max_seconds)} for each."
        )


def clock(seconds: float) -> str:
    """A time for a person: "12 s" or "3 min 20 s"."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
