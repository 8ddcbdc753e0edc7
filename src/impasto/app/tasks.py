"""A visitor's task: checked against the offer and the limits, then painted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from impasto.api import load
from impasto.app.limits import Limits
from impasto.errors import InputError
from impasto.events import Callback
from impasto.image import Picture
from impasto.methods import OPTIONS, Choice
from impasto.names import must_be_known
from impasto.options import OFF_OR_AUTO, PRESETS, OptimizeOptions
from impasto.result import Result
from impasto.stylizers.networks.gallery import gallery, style_index

# The options that visitors may set; files, devices and memory are the host's business.
OFFERED: dict[str, tuple[str, ...]] = {
    "arbitrary": (
        "max_size",
        "strength",
        "style_size",
        "stroke_map",
        "match",
        "preserve_color",
        "color_strength",
    ),
    "fast": ("max_size", "preserve_color", "color_strength"),
    "optimize": (
        "max_size",
        "steps",
        "style_weight",
        "content_weight",
        "tv_weight",
        "style_scale",
        "forms",
        "keep",
        "stroke_map",
        "match",
        "preserve_color",
        "color_strength",
        "init",
        "seed",
    ),
}
INITS = ("content", "noise", "style", "gray")
MOST_STYLES = 4


@dataclass(frozen=True)
class PaintTask:
    """A picture that a visitor wants painted.

    Attributes:
        content: The photo.
        styles: Artworks, or for the method "fast" names of the gallery's styles.
        method: "optimize", "fast" or "arbitrary".
        style_weights: How much each style counts; all alike if None.
        preset: Where "optimize" starts from.
        options: Options by name, of those that are offered for the method.
        mask: Where to paint; None: everywhere.
        strength_map: How much style where; None: all of it everywhere.
        stroke_map: Strokes of which size where; None: as ``options`` say.
    """

    content: Picture
    styles: Sequence[Picture | str]
    method: str
    style_weights: Sequence[float] | None = None
    preset: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    mask: Picture | None = None
    strength_map: Picture | None = None
    stroke_map: Picture | None = None

    def checked(self, limits: Limits) -> PaintTask:
        """This task, its size and steps set if they were left out.

        Raises:
            InputError: If it asks for what is not offered, or for more than the limits allow.
        """
        must_be_known("method", self.method, OFFERED)
        self._check_styles()
        if self.method == "fast" and (self.strength_map or self.stroke_map):
            raise InputError("the method fast takes masks, but no maps of strength or strokes")
        for name in self.options:
            must_be_known(f"option of the method {self.method}", name, OFFERED[self.method])
        options = dict(self.options)
        # Either might name a file.
        must_be_known("init", options.get("init", "content"), INITS)
        for name in ("keep", "stroke_map"):
            must_be_known(name, options.get(name, "off"), OFF_OR_AUTO)
        self._limit(options, "max_size", limits.size(self.method))
        preset = None
        if self.method == "optimize":
            preset = self.preset or "default"
            self._limit(options, "steps", limits.max_steps)
            checked = OptimizeOptions.preset(preset, **options)
            if self.strength_map:
                checked.check_content("strength_map")
        else:
            OPTIONS[self.method](**options)
        return replace(self, preset=preset, options=options)

    def _check_styles(self) -> None:
        """Let names be names: of the gallery, and for "fast" alone."""
        styles, weights = self.styles, self.style_weights
        if not 1 <= len(styles) <= MOST_STYLES:
            raise InputError(f"give from 1 to {MOST_STYLES} styles, not {len(styles)}")
        if weights is not None and not all(isinstance(weight, (int, float)) for weight in weights):
            raise InputError("every weight of a style has to be a number")
        if self.method != "fast":
            if not all(isinstance(style, Picture) for style in styles):
                raise InputError(f"the method {self.method} takes artworks, not names of styles")
            return
        for style in styles:
            if not isinstance(style, str):
                raise InputError("the method fast takes names of the gallery's styles, no artworks")
            style_index(style, gallery().styles)

    def _limit(self, options: dict[str, Any], name: str, most: int) -> None:
        """Refuse a value above a limit; where it was left out, let the limit bound the default."""
        default = self._defaults().get(name, getattr(OPTIONS[self.method], name))
        value = options.setdefault(name, min(default, most))
        if isinstance(value, (int, float)) and value > most:
            raise InputError(f"{name} may be at most {most} here, not {value:g}")

    def _defaults(self) -> Mapping[str, Any]:
        if self.method != "optimize":
            return {}
        preset = self.preset or "default"
        must_be_known("preset", preset, PRESETS)
        return PRESETS[preset]

    def describe(self) -> str:
        """The task in a few words, for the log."""
        count = len(self.styles)
        styles = "1 style" if count == 1 else f"{count} styles"
        return f"{self.method} at {self.options.get('max_size')} px in {styles}"

    def paint(self, device: str, callbacks: Sequence[Callback] = ()) -> Result:
        """Do it.

        Raises:
            InputError: If a picture or a value cannot be used.
            ImpastoError: If memory runs out.
        """
        # The method was checked, and no string of a visitor's is ever taken for a file.
        choice = Choice(self.method, list(self.styles))
        stylizer = load(choice, preset=self.preset, device=device, **self.options)
        if self.strength_map or self.stroke_map:
            strokes = self.stroke_map or self.options.get("stroke_map", "off")
            stylizer.set_maps(self.strength_map, strokes, self.options.get("keep", "off"))
        stylizer.set_style(choice.styles, weights=self.style_weights)
        return stylizer(self.content, mask=self.mask, callback=callbacks)
