"""Makes the figures of the documentation, into docs/figures, with Impasto's own commands.

    pip install "impasto[plots]"
    python examples/docs_pictures.py              # all of them: about twenty minutes on one core
    python examples/docs_pictures.py features     # those whose names begin so

Photos: Grace Hopper (United States Navy, public domain), the cat and the cup of coffee that come
with Impasto (CC0, see impasto.pictures). Artworks: drawn by examples/artworks.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from impasto.cli import main
from impasto.image import load_image, save_image
from impasto.pictures import PHOTOS, load_artwork, load_portrait

FIGURES = Path(__file__).resolve().parents[1] / "docs" / "figures"
ARTWORKS = ("night-wind", "wave-print", "stained-glass", "dolphin-mosaic", "river-dots")
BOLD = "--style-weight 4"
# Her outline in the portrait, as shares of its width and height.
PERSON = (
    (0, 1.02),
    (0.05, 0.8),
    (0.1, 0.64),
    (0.25, 0.57),
    (0.385, 0.52),
    (0.33, 0.47),
    (0.3, 0.38),
    (0.315, 0.26),
    (0.31, 0.21),
    (0.335, 0.15),
    (0.38, 0.07),
    (0.5, 0.025),
    (0.62, 0.06),
    (0.68, 0.12),
    (0.72, 0.15),
    (0.725, 0.235),
    (0.735, 0.32),
    (0.7, 0.44),
    (0.665, 0.53),
    (0.8, 0.58),
    (0.95, 0.645),
    (0.98, 0.72),
    (1.02, 0.86),
    (1.02, 1.02),
)
# A box about her face.
FACE = ((0.28, 0.1), (0.76, 0.58))
# Large enough for strokes to be seen.
SMALL = ("--max-size", "288")

# Name of the figure: the command that makes it. Some are short for several commands, which the
# function of that name spells out.
COMMANDS = {
    "features": "features photo.png --max-size 256 "
    "-o figures/features.png --grams figures/grams.png",
    "reconstruct-content": "reconstruct content photo.png --max-size 208 --steps 120 "
    "-o figures/reconstruct-content.jpg",
    "reconstruct-style": "reconstruct style night-wind.png --max-size 208 --steps 120 "
    "-o figures/reconstruct-style.jpg",
    "progress": "stylize photo.png night-wind.png --max-size 288 -o out.png "
    f"{BOLD} --plot figures/losses.png --strip figures/progress.jpg",
    "tradeoff": "evaluate photo.png night-wind.png --sweep style_weight=0.3,1,3,10,30 "
    f"{' '.join(SMALL)} --plot figures/tradeoff.png --strip figures/style_weight.jpg",
    "style_scale": f"sweep style_scale=0.5,1,2 coffee.png wave-print.png {BOLD}",
    "style_loss": f"sweep style_loss=gram,w2,gram+w2 cat.png night-wind.png {BOLD}",
    "scales": f"sweep scales=1,2,3 coffee.png night-wind.png {BOLD}",
    "tv_weight": f"sweep tv_weight=0,30,300 cat.png dolphin-mosaic.png {BOLD}",
    "tones_weight": f"sweep tones_weight=0,0.3,3 coffee.png night-wind.png {BOLD}",
    "steps": f"sweep steps=10,30,60 coffee.png stained-glass.png {BOLD}",
    "init": f"sweep init=content,gray,noise photo.png night-wind.png {BOLD}",
    "optimizer": f"sweep optimizer=lbfgs,adam cat.png night-wind.png {BOLD}",
    "preserve_color": "sweep preserve_color=off,luminance,linear,histogram coffee.png "
    f"night-wind.png {BOLD}",
    "match_result": "matched coffee.png wave-print.png",
    "style_layers": "layers style_layers cat.png relu1_1,relu2_1 relu3_1 relu4_1,relu5_1",
    "content_layers": "layers content_layers photo.png relu1_2 relu3_2 relu5_1",
    "strength": "networks strength coffee.png wave-print.png 0 0.25 0.5 0.75 1",
    "style_size": "networks style_size cat.png dolphin-mosaic.png 192 384 768",
    "palette": "palette",
    "masks": "masks",
    "forms": "forms night-wind.png stained-glass.png",
    "keep": "keep night-wind.png",
    "maps": "maps night-wind.png dolphin-mosaic.png",
    "directions": "directions night-wind.png",
    "regions": "regions river-dots.png stained-glass.png",
    "variations": "variations dolphin-mosaic.png",
    "grid": "compare grid cat.png --styles night-wind.png wave-print.png stained-glass.png "
    f"dolphin-mosaic.png {' '.join(SMALL)} {BOLD} -o figures/grid.jpg",
}


def _commands(line: str) -> list[list[str]]:
    """The arguments of each command that a line stands for."""
    words = line.split()
    shorts = {"sweep": _sweep, "layers": _layers, "networks": _networks, "masks": _masks}
    shorts |= {"palette": _palettes, "forms": _forms, "keep": _keep, "maps": _maps}
    shorts |= {"regions": _regions, "variations": _variations, "directions": _directions}
    shorts |= {"matched": _matched}
    return shorts[words[0]](*words[1:]) if words[0] in shorts else [words]


def _sweep(option: str, photo: str, style: str, *rest: str) -> list[list[str]]:
    name = option.partition("=")[0]
    strip = f"figures/{name}.jpg"
    return [["evaluate", photo, style, "--sweep", option, "--strip", strip, *SMALL, *rest]]


def _layers(option: str, photo: str, *choices: str) -> list[list[str]]:
    """Stylize with each choice of layers and with the default, and put them side by side."""
    stylize = ["stylize", photo, "night-wind.png", *SMALL, *BOLD.split()]
    names = [f"{i}.png" for i in range(len(choices) + 1)]
    flag = f"--{option.replace('_', '-')}"
    runs = [
        [*stylize, flag, choice, "-o", name] for choice, name in zip(choices, names, strict=False)
    ]
    labels = [choice.replace(",", ", ") for choice in choices]
    last = _side_by_side(names, option, [*labels, "all (default)"])
    return [*runs, [*stylize, "-o", names[-1]], last]


def _networks(option: str, photo: str, style: str, *values: str) -> list[list[str]]:
    """Paint with the any-style network at each value of one of its options."""
    # At the default size: its strokes have a size in pixels of their own.
    stylize = ["stylize", photo, style, "--method", "arbitrary"]
    flag, names = f"--{option.replace('_', '-')}", [f"{value}.png" for value in values]
    runs = [[*stylize, flag, value, "-o", name] for value, name in zip(values, names, strict=True)]
    return [*runs, _side_by_side(names, option, [f"{option} {value}" for value in values])]


def _palettes() -> list[list[str]]:
    """Paint in the artwork's colours and in those of two palettes."""
    stylize = ["stylize", "photo.png", "night-wind.png", "--method", "arbitrary"]
    runs = [
        [*stylize, "-o", "plain.png"],
        [*stylize, "--palette", "1d3557,457b9d,f1faee,e63946,f4a261", "-o", "five.png"],
        [*stylize, "--palette", "wave-print.png", "-o", "wave.png"],
    ]
    names = ["night-wind.png", "plain.png", "five.png", "wave.png"]
    labels = ["artwork", "its colours", "five colours", "those of wave-print"]
    return [*runs, _side_by_side(names, "palette", labels, height=152)]


def _matched(photo: str, style: str) -> list[list[str]]:
    """Colours as painted, matched afterwards in two ways, and matched before and afterwards."""
    linear = ["--match-result", "content"]
    histogram = [*linear, "--match-mode", "histogram"]
    choices = {
        "as painted": [],
        "linear": linear,
        "histogram": histogram,
        "before and after": [*histogram, "--preserve-color", "histogram"],
    }
    names = [f"{i}.png" for i in range(len(choices))]
    runs = [
        ["stylize", photo, style, *SMALL, *options, "-o", name]
        for options, name in zip(choices.values(), names, strict=True)
    ]
    return [*runs, _side_by_side([photo, *names], "match_result", ["photo", *choices], height=200)]


def _masks() -> list[list[str]]:
    """Paint the background alone, then person and background in a style each."""
    stylize = ["stylize", "photo.png", "night-wind.png"]
    regions = ["stained-glass.png", "--content-masks", "background.png", "person.png"]
    # With more style than this a face this small is lost.
    gentle = ["--style-weight", "3"]
    return [
        [*stylize, *SMALL, *BOLD.split(), "--mask", "background.png", "-o", "behind.png"],
        [*stylize, *regions, *SMALL, *gentle, "-o", "both.png"],
        _side_by_side(
            ["photo.png", "person.png", "behind.png", "both.png"],
            "masks",
            ["photo", "person.png", "background alone", "a style for each"],
        ),
    ]


def _forms(*styles: str) -> list[list[str]]:
    """A row for each artwork, from its brushwork to its large shapes."""
    names = [(style, forms) for style in styles for forms in ("0", "0.25", "0.5", "0.75", "1")]
    files = [f"{forms}-{style}" for style, forms in names]
    runs = [
        ["stylize", "photo.png", style, "--max-size", "224", "--forms", forms, "-o", file]
        for (style, forms), file in zip(names, files, strict=True)
    ]
    labels = [f"forms {forms}" for _, forms in names]
    return [*runs, _side_by_side(files, "forms", labels, height=156, columns=5)]


def _keep(style: str) -> list[list[str]]:
    """Nothing kept, what Impasto finds, and the whole person by a mask."""
    choices = {"off": "off", "auto": "auto", "mask": "person.png"}
    runs = [
        ["stylize", "photo.png", style, *SMALL, *BOLD.split(), "--keep", keep, "-o", f"{name}.png"]
        for name, keep in choices.items()
    ]
    names = [f"{name}.png" for name in choices]
    return [*runs, _side_by_side(["photo.png", *names], "keep", ["photo", *choices], height=240)]


def _maps(strong: str, strokes: str) -> list[list[str]]:
    """How much style where, and strokes of which size where."""
    choices = {
        "faded.png": [strong, *BOLD.split(), "--strength-map", "soft.png"],
        "plain.png": [strokes],
        "sized.png": [strokes, "--stroke-map", "background.png"],
        "auto.png": [strokes, "--stroke-map", "auto"],
    }
    runs = [
        ["stylize", "photo.png", *choice, *SMALL, "-o", name] for name, choice in choices.items()
    ]
    labels = {
        "soft.png": "strength map",
        "faded.png": "painted with it",
        "plain.png": "no map",
        "background.png": "stroke map",
        "sized.png": "painted with it",
        "auto.png": "stroke map auto",
    }
    return [*runs, _side_by_side([*labels], "maps", [*labels.values()], height=230, columns=6)]


def _directions(style: str) -> list[list[str]]:
    """Strokes as they fall, along the photo's lines, and along those of a drawing."""
    labels = {"off": "off", "auto": "auto", "lines.png": "along drawn lines"}
    stylize = ["stylize", "photo.png", style, "--max-size", "384"]
    names = [f"along_{index}.png" for index in range(len(labels))]
    runs = [
        [*stylize, "--stroke-direction", along, "-o", name]
        for along, name in zip(labels, names, strict=True)
    ]
    strip = _side_by_side(names, "directions", [*labels.values()], height=290)
    return [*runs, [word.replace("directions.jpg", "directions.webp") for word in strip]]


def _regions(photo: str, style: str) -> list[list[str]]:
    """What is paired with what, and the pictures without and with it."""
    stylize = ["stylize", photo, style, *SMALL]
    names, labels = ["whole.png", "paired.png"], ["the artwork as a whole", "--match auto"]
    return [
        ["features", photo, style, "--regions", "-o", "pairing.png"],
        _small("pairing.png", "pairing", 260, "what --match auto pairs"),
        [*stylize, "-o", names[0]],
        [*stylize, "--match", "auto", "-o", names[1]],
        ["compare", "strip", *names, "-o", "figures/regions.webp", "--labels", *labels],
    ]


def _variations(style: str) -> list[list[str]]:
    """A contact sheet, as small as it is readable."""
    return [
        ["stylize", "photo.png", style, "--variations", "6", "-o", "sheet.png"],
        _small("sheet.png", "variations", 400, "--variations 6"),
    ]


def _small(name: str, figure: str, height: int, label: str) -> list[str]:
    output = f"figures/{figure}.webp"
    return ["compare", "strip", name, "--height", str(height), "-o", output, "--labels", label]


def _side_by_side(
    names: list[str], figure: str, labels: list[str], *, height: int = 384, columns: int = 6
) -> list[str]:
    output = ["--height", str(height), "--columns", str(columns), "-o", f"figures/{figure}.jpg"]
    return ["compare", "strip", *names, *output, "--labels", *labels]


def _draw_masks() -> None:
    """Masks and maps of the portrait, drawn by hand: head, shoulders, what is behind, her face."""
    person = Image.new("L", Image.open("photo.png").size)
    outline = [(x * person.width, y * person.height) for x, y in PERSON]
    ImageDraw.Draw(person).polygon(outline, fill=255)
    person = person.filter(ImageFilter.GaussianBlur(0.008 * person.height))
    person.save("person.png")
    ImageOps.invert(person).save("background.png")
    # A map of strength: none of it on her face, all of it at the borders.
    face = Image.new("L", person.size)
    box = [(x * face.width, y * face.height) for x, y in FACE]
    ImageDraw.Draw(face).ellipse(box, fill=255)
    face = face.filter(ImageFilter.GaussianBlur(0.09 * face.height))
    ImageOps.invert(face).save("soft.png")
    # Rings about it, for strokes to follow.
    lines = Image.new("L", person.size, 255)
    middle = [(low + high) / 2 for low, high in zip(*box, strict=True)]
    for radius in range(12, sum(person.size), 24):
        edges = [value + sign * radius for sign in (-1, 1) for value in middle]
        ImageDraw.Draw(lines).ellipse(edges, outline=0, width=6)
    lines.save("lines.png")


def make(*prefixes: str) -> None:
    """Make the figures whose name begins with one of the prefixes, or all."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("figures").mkdir()
        save_image(load_portrait(), "photo.png")
        _draw_masks()
        for name in ("cat", "coffee"):
            save_image(load_image(PHOTOS[name]), f"{name}.png")
        for name in ARTWORKS:
            save_image(load_artwork(name), f"{name}.png")
        chosen = [line for name, line in COMMANDS.items() if name.startswith(prefixes or "")]
        for command in (command for line in chosen for command in _commands(line)):
            print("impasto", *command, flush=True)
            if main(command):
                raise SystemExit("that failed")
        for path in Path("figures").iterdir():
            _publish(path)


def _publish(path: Path) -> None:
    """Encode a figure for a page: noise would make files of half a megabyte at full quality."""
    image = Image.open(path).convert("RGB")
    if path.suffix == ".png":
        image = image.quantize(256, dither=Image.Dither.NONE)
    image.save(FIGURES / path.name, quality=80, optimize=True)


if __name__ == "__main__":
    make(*sys.argv[1:])
