"""Makes the example workflows of the ComfyUI nodes, and with ``--pictures`` what they show.

    python -m tests.comfyui.workflows [--pictures]

A workflow stands here as it is sent to ComfyUI (the API's format); the page's format, with its
places and links, is made from that. Photo: the cat Chelsea (Stéfan van der Walt, CC0), from
scikit-image's samples. Artworks: drawn by examples/artworks.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from impasto.image import Picture, fit, load_image
from impasto.media.sheet import strip
from impasto.pictures import load_artwork
from tests.comfyui.runner import Core, Prompt, Runner
from tests.comfyui.standin import FOLDER, Comfy, Loaded, loaded

PAGES = FOLDER / "example_workflows"
API = PAGES / "api"
INPUTS = FOLDER / "inputs"
DOCS = FOLDER.parents[1] / "docs" / "images"

PHOTO, FIRST, SECOND = "impasto-cat.jpg", "impasto-night-wind.jpg", "impasto-stained-glass.jpg"
MASKS, CLIP = "impasto-regions.png", "impasto-clip.mp4"
PHOTO_SIDE, ARTWORK_SIDE, THUMBNAIL_SIDE = 256, 160, 200

# Between nodes of the page, in pixels.
COLUMN, GAP = 420, 40


def _node(class_type: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": class_type, "inputs": inputs}


def _save(source: str) -> dict[str, Any]:
    return _node("SaveImage", images=[source, 0], filename_prefix="impasto")


STYLIZE: Prompt = {
    "1": _node("LoadImage", image=PHOTO),
    "2": _node("LoadImage", image=FIRST),
    "3": _node(
        "ImpastoStylize",
        photo=["1", 0],
        artwork=["2", 0],
        preset="quick",
        max_size=512,
        steps=0,
        style_weight=0.0,
        style_scale=1.0,
        preserve_color="off",
        init="content",
        seed=0,
        consistency=0.0,
    ),
    "4": _save("3"),
}
ANY_STYLE: Prompt = {
    "1": _node("LoadImage", image=PHOTO),
    "2": _node("LoadImage", image=SECOND),
    "3": _node(
        "ImpastoAnyStyle",
        photo=["1", 0],
        artwork=["2", 0],
        strength=1.0,
        style_size=512,
        max_size=1024,
        preserve_color="off",
        consistency=0.0,
    ),
    "4": _node(
        "ImpastoKeepColours", painted=["3", 0], photo=["1", 0], mode="luminance", strength=0.8
    ),
    "5": _node(
        "ImpastoEvaluate",
        painted=["4", 0],
        photo=["1", 0],
        artwork=["2", 0],
        judge="lite",
        max_size=512,
    ),
    "6": _save("4"),
    "7": _node("PreviewAny", source=["5", 0]),
}
GALLERY_STYLE: Prompt = {
    "1": _node("LoadImage", image=PHOTO),
    "2": _node(
        "ImpastoGalleryStyle",
        photo=["1", 0],
        style="great-wave",
        max_size=1024,
        preserve_color="off",
        consistency=0.0,
    ),
    "3": _save("2"),
}
REGIONS: Prompt = {
    "1": _node("LoadImage", image=PHOTO),
    "2": _node("LoadImage", image=FIRST),
    "3": _node("LoadImage", image=SECOND),
    "4": _node("LoadImageMask", image=MASKS, channel="red"),
    "5": _node("LoadImageMask", image=MASKS, channel="green"),
    "6": _node(
        "ImpastoBlend",
        photo=["1", 0],
        method="optimize quick",
        max_size=512,
        preserve_color="off",
        **{f"weight_{i}": 1.0 for i in range(1, 5)},
        artwork_1=["2", 0],
        artwork_2=["3", 0],
        region_1=["4", 0],
        region_2=["5", 0],
    ),
    "7": _save("6"),
}
FILM: Prompt = {
    "1": _node("LoadVideo", file=CLIP),
    "2": _node("GetVideoComponents", video=["1", 0]),
    "3": _node(
        "ImpastoGalleryStyle",
        photo=["2", 0],
        style="starry-night",
        max_size=512,
        preserve_color="off",
        consistency=0.7,
    ),
    "4": _node("CreateVideo", images=["3", 0], fps=["2", 2], audio=["2", 1]),
    "5": _node(
        "SaveVideo", video=["4", 0], filename_prefix="video/impasto", format="auto", codec="auto"
    ),
}
WORKFLOWS = {
    "stylize": STYLIZE,
    "any-style": ANY_STYLE,
    "gallery-style": GALLERY_STYLE,
    "regions": REGIONS,
    "film": FILM,
}


def page(prompt: Prompt, nodes: dict[str, Loaded]) -> dict[str, Any]:
    """A workflow as the page saves it."""
    links: list[list[Any]] = []
    made: dict[str, dict[str, Any]] = {}
    heights: dict[int, int] = {}
    for order, (id, each) in enumerate(prompt.items()):
        node = nodes[each["class_type"]]
        sources = [value for value in each["inputs"].values() if isinstance(value, list)]
        column = max((made[source]["pos"][0] for source, _ in sources), default=-COLUMN) + COLUMN
        sockets, widgets = [], []
        for name, socket in node.inputs.items():
            value = each["inputs"].get(name)
            if isinstance(value, list) or value is None:
                link = None
                if value:
                    link = len(links) + 1
                    kind = nodes[prompt[value[0]]["class_type"]].outputs[value[1]][0]
                    links.append([link, int(value[0]), value[1], int(id), len(sockets), kind])
                    made[value[0]]["outputs"][value[1]]["links"].append(link)
                sockets.append({"name": name, "type": socket.kind, "link": link})
            else:
                widgets.append(value)
                widgets += ["fixed"] if socket.told.get("control_after_generate") else []
        if each["class_type"].startswith("LoadImage"):
            widgets.append("image")  # the button that uploads a file
        picture = 220 * (each["class_type"] in ("LoadImage", "SaveImage", "PreviewAny"))
        height = 60 + 26 * (max(len(sockets), len(node.outputs)) + len(widgets)) + picture
        made[id] = {
            "id": int(id),
            "type": each["class_type"],
            "pos": [column, heights.get(column, 0)],
            "size": [COLUMN - 80, height],
            "flags": {},
            "order": order,
            "mode": 0,
            "inputs": sockets,
            "outputs": [
                {"name": name, "type": kind, "links": [], "slot_index": slot}
                for slot, (kind, name) in enumerate(node.outputs)
            ],
            "properties": {"Node name for S&R": each["class_type"]},
            "widgets_values": widgets,
        }
        heights[column] = heights.get(column, 0) + height + GAP
    return {
        "last_node_id": len(prompt),
        "last_link_id": len(links),
        "nodes": list(made.values()),
        "links": links,
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
    }


def texts(nodes: dict[str, Loaded]) -> dict[Path, str]:
    """What each file of the workflows holds."""
    nodes = {**Core(INPUTS).nodes(), **nodes}
    files: dict[Path, Any] = {}
    for name, prompt in WORKFLOWS.items():
        files[API / f"{name}.json"] = prompt
        files[PAGES / f"{name}.json"] = page(prompt, nodes)
    return {path: json.dumps(holds, indent=1) + "\n" for path, holds in files.items()}


def regions(size: tuple[int, int]) -> Image.Image:
    """Masks for the left and the right of a photo (height, width), in red and in green."""
    height, width = size
    left = np.tile(np.linspace(382, -127, width).clip(0, 255).astype(np.uint8), (height, 1))
    return Image.fromarray(np.dstack([left, 255 - left, np.zeros_like(left)]))


def _write_inputs() -> None:
    import skimage.data

    INPUTS.mkdir(exist_ok=True)
    photo = load_image(skimage.data.chelsea(), long_side=PHOTO_SIDE)
    _save_small(photo, INPUTS / PHOTO)
    for file in (FIRST, SECOND):
        name = file.removeprefix("impasto-").removesuffix(".jpg")
        _save_small(load_artwork(name, ARTWORK_SIDE), INPUTS / file)
    regions(photo.size).save(INPUTS / MASKS, optimize=True)


def _write_pictures(runner: Runner) -> None:
    """What each workflow makes, beside it as ComfyUI shows it, and all of them for the docs."""
    painted = {
        name: load_image(runner(prompt)["SaveImage"][0].clone().permute(2, 0, 1))
        for name, prompt in WORKFLOWS.items()
        if name != "film"
    }
    for name, picture in painted.items():
        _save_small(picture.resized(*fit(picture.size, THUMBNAIL_SIDE)), PAGES / f"{name}.jpg")
    row = strip(list(painted.values()), list(painted), height=120)
    row.pil().save(DOCS / "comfyui.webp", quality=40, method=6)


def _save_small(picture: Picture, path: Path) -> None:
    picture.pil().save(path, quality=60, optimize=True)


def main() -> None:
    """Write the files."""
    API.mkdir(parents=True, exist_ok=True)
    with loaded(Comfy(Exception), schema=True) as nodes:
        for path, text in texts(nodes).items():
            path.write_text(text, encoding="utf-8", newline="\n")
        if "--pictures" in sys.argv[1:]:
            _write_inputs()
            _write_pictures(Runner(nodes, INPUTS))


if __name__ == "__main__":
    main()
