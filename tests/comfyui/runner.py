"""Runs workflows as ComfyUI does: from the file, checked first, in inference mode."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps

from impasto.video.clip import open_clip
from tests.comfyui.standin import Input, Loaded

Prompt = dict[str, dict[str, Any]]

ANY = "*"


class Core:
    """The nodes of ComfyUI that the workflows use.

    Args:
        inputs: The folder of files to load.

    """

    def __init__(self, inputs: Path) -> None:
        self.inputs = inputs

    def nodes(self) -> dict[str, Loaded]:
        return {
            "LoadImage": _core(self.load_image, ["IMAGE", "MASK"], image="FILE"),
            "LoadImageMask": _core(self.load_mask, ["MASK"], image="FILE", channel="COMBO"),
            "SaveImage": _core(
                lambda images, filename_prefix: (images,),
                [],
                images="IMAGE",
                filename_prefix="STRING",
            ),
            "PreviewAny": _core(lambda source: (source,), [], source=ANY),
            "LoadVideo": _core(self.load_video, ["VIDEO"], file="FILE"),
            "GetVideoComponents": _core(
                lambda video: video, ["IMAGE", "AUDIO", "FLOAT"], video="VIDEO"
            ),
            "CreateVideo": _core(
                lambda images, fps, audio: ((images, audio, fps),),
                ["VIDEO"],
                images="IMAGE",
                fps="FLOAT",
                audio="AUDIO",
            ),
            "SaveVideo": _core(
                lambda video, filename_prefix, format, codec: (video,),
                [],
                video="VIDEO",
                filename_prefix="STRING",
                format="COMBO",
                codec="COMBO",
            ),
        }

    def load_image(self, image: str) -> tuple[Any, Any]:
        with Image.open(self.inputs / image) as file:
            pixels = np.asarray(ImageOps.exif_transpose(file).convert("RGB"), np.float32) / 255
        return torch.from_numpy(pixels)[None], torch.zeros(1, 64, 64)

    def load_mask(self, image: str, channel: str) -> tuple[Any]:
        with Image.open(self.inputs / image) as file:
            band = file.convert("RGBA").getchannel(channel[0].upper())
        return (torch.from_numpy(np.asarray(band, np.float32) / 255)[None],)

    def load_video(self, file: str) -> tuple[Any]:
        """Its frames, sound and frame rate."""
        clip = open_clip(self.inputs / file)
        frames = np.stack([frame.pixels for frame in clip.frames(clip.size)])
        images = torch.from_numpy(frames.astype(np.float32) / 255)
        return ((images, None, float(clip.rate)),)


def _core(run: Any, outputs: list[str], **inputs: str) -> Loaded:
    sockets = {name: Input(kind, True, {}) for name, kind in inputs.items()}
    return Loaded("", "", "", sockets, [(kind, kind) for kind in outputs], run)


class Runner:
    """Runs prompts.

    Args:
        nodes: Those of a pack.
        inputs: The folder of files to load.
    """

    def __init__(self, nodes: dict[str, Loaded], inputs: Path) -> None:
        self.nodes = {**Core(inputs).nodes(), **nodes}

    def __call__(self, prompt: Prompt) -> dict[str, Any]:
        """What the nodes without outputs, which save and show, were given; by their class."""
        for id in prompt:
            self._check(prompt, id)
        done: dict[str, Any] = {}
        with torch.inference_mode():
            for id in prompt:
                self._run(prompt, id, done)
        ends = {
            id: node for id, node in prompt.items() if not self.nodes[node["class_type"]].outputs
        }
        return {node["class_type"]: done[id][0] for id, node in ends.items()}

    def _run(self, prompt: Prompt, id: str, done: dict[str, Any]) -> None:
        if id in done:
            return
        given = {}
        for name, value in prompt[id]["inputs"].items():
            if isinstance(value, list):
                self._run(prompt, value[0], done)
                value = done[value[0]][value[1]]
            given[name] = value
        done[id] = self.nodes[prompt[id]["class_type"]].run(**given)

    def _check(self, prompt: Prompt, id: str) -> None:
        """What ComfyUI checks before it runs anything."""
        node, given = self.nodes[prompt[id]["class_type"]], prompt[id]["inputs"]
        unknown = set(given) - set(node.inputs)
        missing = {name for name, each in node.inputs.items() if each.required} - set(given)
        assert not unknown and not missing, (id, unknown, missing)
        for name, value in given.items():
            socket = node.inputs[name]
            if isinstance(value, list):
                source = self.nodes[prompt[value[0]]["class_type"]]
                assert socket.kind in (ANY, source.outputs[value[1]][0]), (id, name)
            elif socket.kind in ("INT", "FLOAT"):
                assert isinstance(value, int if socket.kind == "INT" else (int, float))
                low, high = (socket.told.get(key, math.nan) for key in ("min", "max"))
                assert not (value < low or value > high), (id, name, value)
            elif socket.told.get("options"):
                assert value in socket.told["options"], (id, name, value)


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def as_prompt(workflow: dict[str, Any], nodes: dict[str, Loaded]) -> Prompt:
    """A workflow of the page as the page sends it: links and widgets become inputs."""
    links = {link[0]: [str(link[1]), link[2]] for link in workflow["links"]}
    prompt: Prompt = {}
    for node in workflow["nodes"]:
        sockets = {each["name"]: each["link"] for each in node.get("inputs", ())}
        values = iter(node.get("widgets_values", ()))
        inputs: dict[str, Any] = {}
        for name, socket in nodes[node["type"]].inputs.items():
            if name in sockets:
                if sockets[name] is not None:
                    inputs[name] = links[sockets[name]]
                continue
            inputs[name] = next(values)
            if socket.told.get("control_after_generate"):
                assert next(values) in ("fixed", "increment", "decrement", "randomize")
        rest = list(values)  # the button that uploads a file has a value of its own
        assert rest == (["image"] if node["type"].startswith("LoadImage") else []), node
        prompt[str(node["id"])] = {"class_type": node["type"], "inputs": inputs}
    return prompt
