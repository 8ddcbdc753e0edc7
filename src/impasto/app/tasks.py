"""A visitor's task: checked against the offer and the limits, then painted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from impasto.api import load
from impasto.app.limits import Limits
from impasto.errors import InputError
from impasto.events import Callback
from impasto.image import Picture
from impasto.image.prints import DPI, parse_print
from impasto.media import variations
from impasto.methods import OPTIONS, Choice
from impasto.names import must_be_known
from impasto.options import MAPS, OFF_OR_AUTO, PRESETS, OptimizeOptions, parse_colors
from impasto.palette import load_palette
from impasto.printing import PrintJob
from impasto.result import Result
from impasto.stylizers.body import StylePack, Works
from impasto.stylizers.networks.gallery import gallery, style_index

COLORS = ("preserve_color", "color_strength", "palette", "match_result", "match_mode")
# The options that visitors may set; files, devices and memory are the host's business.
OFFERED: dict[str, tuple[str, ...]] = {
    "arbitrary": (
        "max_size",
        "strength",
        "style_size",
        "stroke_map",
        "match",
        "wrap",
        *COLORS,
    ),
    "fast": ("max_size", "wrap", *COLORS),
    "optimize": (
        "max_size",
        "steps",
        "style_weight",
        "content_weight",
        "tv_weight",
        "style_scale",
        "forms",
        "motifs",
        "keep",
        "stroke_map",
        "stroke_direction",
        "match",
        "wrap",
        *COLORS,
        "init",
        "seed",
    ),
}
# What differs between variations.
VARIED = ("style_weight", "forms")
INITS = ("content", "noise", "style", "gray")
MOST_STYLES = 4
Style = Picture | StylePack | Works | str


@dataclass(frozen=True)
class PaintTask:
    """A picture that a visitor wants painted.

    Attributes:
        content: The photo.
        styles: Artworks and bodies of work, or for the method "fast" names of the gallery's styles.
        method: "optimize", "fast" or "arbitrary".
        style_weights: How much each style counts; all alike if None.
        preset: Where "optimize" starts from.
        options: Options by name, of those that are offered for the method.
        mask: Where to paint; None: everywhere.
        strength_map: How much style where; None: all of it everywhere.
        stroke_map: Strokes of which size where; None: as ``options`` say.
        stroke_direction: A drawing along whose lines strokes run; None: as ``options`` say.
        print: The format of a print, as 30x40cm; ``max_size`` is that of its preview.
        dpi: Pixels per inch of the print.
        variations: How many small pictures are wanted instead of one; 0: none.
    """

    content: Picture
    styles: Sequence[Style]
    method: str
    style_weights: Sequence[float] | None = None
    preset: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    mask: Picture | None = None
    strength_map: Picture | None = None
    stroke_map: Picture | None = None
    stroke_direction: Picture | None = None
    print: str | None = None
    dpi: int | None = None
    variations: int = 0

    def checked(self, limits: Limits) -> PaintTask:
        """This task, its size and steps set if they were left out.

        Raises:
            InputError: If it asks for what is not offered, or for more than the limits allow.
        """
        must_be_known("method", self.method, OFFERED)
        self._check_styles()
        if self.method == "fast" and (self.strength_map or self.stroke_map):
            raise InputError("the method fast takes masks, but no maps of strength or strokes")
        if self.method != "optimize" and self.stroke_direction:
            raise InputError("strokes follow a drawing with the method optimize alone")
        for name in self.options:
            must_be_known(f"option of the method {self.method}", name, OFFERED[self.method])
        options = dict(self.options)
        # Either might name a file.
        must_be_known("init", options.get("init", "content"), INITS)
        for name in MAPS:
            must_be_known(name, options.get(name, "off"), OFF_OR_AUTO)
        _check_palette(options.get("palette"))
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
        whole = replace(self, preset=preset, options=options)
        if job := whole.print_job:
            check_print(job, limits)
            whole._check_enlarging()
        whole._check_variations()
        return whole

    def _check_enlarging(self) -> None:
        if self.method == "optimize" and not all(isinstance(it, Picture) for it in self.styles):
            raise InputError(
                "a print grows with the strokes of single artworks, and of a body of work only "
                "statistics are known: take single artworks, or the instant method"
            )

    def _check_variations(self) -> None:
        if not self.variations:
            return
        if self.method != "optimize":
            raise InputError(f"variations are for the method optimize, not {self.method}")
        if self.print:
            raise InputError("variations are small: choose one first, then print it")
        self.variants()

    def _check_styles(self) -> None:
        """Let names be names: of the gallery, and for "fast" alone."""
        styles, weights = self.styles, self.style_weights
        if not 1 <= len(styles) <= MOST_STYLES:
            raise InputError(f"give from 1 to {MOST_STYLES} styles, not {len(styles)}")
        if weights is not None and not all(isinstance(weight, (int, float)) for weight in weights):
            raise InputError("every weight of a style has to be a number")
        if self.method != "fast":
            if any(isinstance(style, str) for style in styles):
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
        job = self.print_job
        side = max(job.size) if job else self.options.get("max_size")
        many = f", {self.variations} variations" if self.variations else ""
        return f"{self.method} at {side} px in {styles}{many}"

    @property
    def print_job(self) -> PrintJob | None:
        """The way to the print; None where none is wanted.

        Raises:
            InputError: If there cannot be such a print.
        """
        size = self.content.size
        return print_job(self.print, self.dpi, self.method, size, self.options["max_size"])

    def variants(self) -> list[PaintTask]:
        """The tasks of the variations that are wanted: small and quick.

        Raises:
            InputError: If there cannot be so many.
        """
        middle = {name: self.options.get(name) for name in VARIED}
        small = variations.quick(self.options["max_size"])
        small["steps"] = min(small["steps"], self.options["steps"])
        return [
            replace(self, variations=0, options={**self.options, **small, **changes})
            for changes in variations.variations(self.variations, self.preset, **middle)
        ]

    def whole(self, results: Sequence[Result]) -> Result:
        """What was wanted, of what was painted: of variants a contact sheet.

        Its settings have what differs between them.
        """
        if not self.variations:
            return results[0]
        pictures, labels = [result.picture for result in results], map(self.label, results)
        known = [{name: result.settings[name] for name in VARIED} for result in results]
        settings = {k: v for k, v in results[-1].settings.items() if k not in VARIED}
        return Result(
            variations.contact_sheet(pictures, [*labels], self.variations),
            {**settings, "variations": known},
            seconds=sum(result.seconds for result in results),
            stopped=results[-1].stopped,
        )

    def label(self, result: Result) -> str:
        """A variation in a few words, its style as on the page: times what the preset gives it."""
        settings: Mapping[str, Any] = result.settings
        usual = OptimizeOptions.preset(self.preset or "default").style_weight
        return f"Style {settings['style_weight'] / usual:.2g}, forms {settings['forms']:g}"

    def paint_all(self, device: str, callbacks: Sequence[Callback] = ()) -> Iterator[Result]:
        """Do it: one result, or each of the variants; errors are those of ``paint``."""
        for task in self.variants() if self.variations else [self]:
            yield task.paint(device, callbacks)

    def paint(self, device: str, callbacks: Sequence[Callback] = ()) -> Result:
        """Paint one picture.

        Raises:
            InputError: If a picture or a value cannot be used.
            ImpastoError: If memory runs out.
        """
        # The method was checked, and no string of a visitor's is ever taken for a file.
        choice, job = Choice(self.method, list(self.styles)), self.print_job
        options: dict[str, Any] = {**self.options, **(job.options if job else {})}
        stylizer = load(choice, preset=self.preset, device=device, **options)
        given = {name: getattr(self, name, None) or self.options.get(name) for name in MAPS}
        maps = {name: each for name, each in given.items() if each}
        stylizer.set_maps(**maps)
        stylizer.set_style(choice.styles, weights=self.style_weights)
        photo = job.enlarged(self.content) if job else self.content
        result = stylizer(photo, mask=self.mask, callback=callbacks)
        return job.finished(result) if job else result


def print_job(
    print: str | None, dpi: int | None, method: str, photo: tuple[int, int], preview: int
) -> PrintJob | None:
    """The way of a photo to a print; None where none is wanted.

    Args:
        print: The format, as 30x40cm.
        dpi: Pixels per inch.
        method: How it is painted.
        photo: (height, width) of the photo.
        preview: The longer side of its preview, in pixels.

    Raises:
        InputError: If there cannot be such a print.
    """
    if print is None:
        if dpi is not None:
            raise InputError("dpi is for prints: give print as well")
        return None
    if not isinstance(print, str):
        raise InputError(f"print has to be text, as 30x40cm, not {print!r}")
    return PrintJob(parse_print(print, DPI if dpi is None else dpi), method, photo, preview)


def check_print(job: PrintJob, limits: Limits) -> None:
    """Refuse a print that is too large.

    Raises:
        InputError: If it is; the line says what would do.
    """
    if (longest := max(job.size)) > limits.print_size:
        dpi = job.page.dpi * limits.print_size // longest
        raise InputError(
            f"this print is {longest} px long, and {limits.print_size} are the most here: "
            f"take {dpi} dpi at most"
        )


def _check_palette(colors: Any) -> None:
    """Let a palette be colours: whatever else it could name is no business of a visitor's."""
    if colors is None:
        return
    if not isinstance(colors, str) or parse_colors(colors) is None:
        raise InputError("a palette is given as colours: 1d3557,e63946,f1faee")
    load_palette(colors)
