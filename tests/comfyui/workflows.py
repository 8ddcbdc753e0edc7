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
        palette="",
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
        palette="",
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


class Page:
    """A workflow as the page saves it.

    Args:
        prompt: The workflow as the API takes it.
        nodes: All nodes.
    """

    def __init__(self, prompt: Prompt, nodes: dict[str, Loaded]) -> None:
        self.prompt, self.nodes = prompt, nodes
        self.links: list[list[Any]] = []
        self.made: dict[str, dict[str, Any]] = {}
        self.heights: dict[int, int] = {}  # of the columns so far
        for id in prompt:
            self.made[id] = self._node(id)

    def saved(self) -> dict[str, Any]:
        """What the file holds."""
        return {
            "last_node_id": len(self.made),
            "last_link_id": len(self.links),
            "nodes": list(self.made.values()),
            "links": self.links,
            "groups": [],
            "config": {},
            "extra": {},
            "version": 0.4,
        }

    def _node(self, id: str) -> dict[str, Any]:
        kind = self.prompt[id]["class_type"]
        sockets, widgets = self._inputs(id)
        outputs = [
            {"name": name, "type": of, "links": [], "slot_index": slot}
            for slot, (of, name) in enumerate(self.nodes[kind].outputs)
        ]
        picture = 220 * (kind in ("LoadImage", "SaveImage", "PreviewAny"))
        height = 60 + 26 * (max(len(sockets), len(outputs)) + len(widgets)) + picture
        return {
            "id": int(id),
            "type": kind,
            "pos": self._place(id, height),
            "size": [COLUMN - 80, height],
            "flags": {},
            "order": len(self.made),
            "mode": 0,
            "inputs": sockets,
            "outputs": outputs,
            "properties": {"Node name for S&R": kind},
            "widgets_values": widgets,
        }

    def _inputs(self, id: str) -> tuple[list[dict[str, Any]], list[Any]]:
        """The sockets of a node with their links, and the values of its widgets."""
        sockets: list[dict[str, Any]] = []
        widgets: list[Any] = []
        given, kind = self.prompt[id]["inputs"], self.prompt[id]["class_type"]
        for name, socket in self.nodes[kind].inputs.items():
            value = given.get(name)
            if value is None or isinstance(value, list):
                link = None if value is None else self._link(value, id, len(sockets))
                sockets.append({"name": name, "type": socket.kind, "link": link})
            else:
                widgets.append(value)
                widgets += ["fixed"] if socket.told.get("control_after_generate") else []
        if kind.startswith("LoadImage"):
            widgets.append("image")  # the button that uploads a file
        return sockets, widgets

    def _link(self, source: list[Any], target: str, slot: int) -> int:
        """The number of a new link."""
        id, output = source
        kind = self.nodes[self.prompt[id]["class_type"]].outputs[output][0]
        self.links.append([len(self.links) + 1, int(id), output, int(target), slot, kind])
        self.made[id]["outputs"][output]["links"].append(len(self.links))
        return len(self.links)

    def _place(self, id: str, height: int) -> list[int]:
        """To the right of all that it needs, below what is there."""
        values = self.prompt[id]["inputs"].values()
        sources = [self.made[value[0]] for value in values if isinstance(value, list)]
        x = max((source["pos"][0] + COLUMN for source in sources), default=0)
        y = self.heights.get(x, 0)
        self.heights[x] = y + height + GAP
        return [x, y]


def texts(nodes: dict[str, Loaded]) -> dict[Path, str]:
    """What each file of the workflows holds."""
    nodes = {**Core(INPUTS).nodes(), **nodes}
    files: dict[Path, Any] = {}
    for name, prompt in WORKFLOWS.items():
        files[API / f"{name}.json"] = prompt
        files[PAGES / f"{name}.json"] = Page(prompt, nodes).saved()
    return {path: json.dumps(holds, indent=1) + "\n" for path, holds in files.items()}


def regions(size: tuple[int, int]) -> Image.Image:
    """Masks for the left and the right of a photo (height, width), in red and in green."""
    height, width = size
    left = np.tile(np.linspace(382, -127, width).clip(0, 255).astype(np.uint8), (height, 1))
    return Image.fromarray(np.dstack([left, 255 - left, np.zeros_like(left)]))


def _write_inputs() -> None:
    import skimage.data

    INPUTS.mkdir(exist_ok=True)
    photo = load_image(skimage.data.chelsea(), long_side=PHOTO_SIDE)  # type: ignore[no-untyped-call]
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
