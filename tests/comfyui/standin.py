"""A small stand-in for ComfyUI: the parts of ``comfy`` and ``comfy_api`` that nodes may use.

Written after what ComfyUI documents and does; where it is strict, so is this: an argument that
ComfyUI does not know, an id that stands twice, or an input out of its limits is an error.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import torch

FOLDER = Path(__file__).resolve().parents[2] / "integrations" / "comfyui"

SHARED = {"display_name", "optional", "tooltip", "lazy", "extra_dict", "raw_link"}
VALUE = SHARED | {"default", "socketless"}
NUMBER = VALUE | {"min", "max", "step", "control_after_generate", "display_mode", "force_input"}
ALLOWED = {
    "IMAGE": SHARED,
    "MASK": SHARED,
    "INT": NUMBER,
    "FLOAT": NUMBER - {"control_after_generate"} | {"round"},
    "STRING": VALUE | {"multiline", "placeholder", "dynamic_prompts", "force_input"},
    "COMBO": VALUE | {"options", "control_after_generate", "upload", "image_folder", "remote"},
}


class Comfy:
    """ComfyUI as nodes see it: what they told its progress bar, and whether it was cancelled."""

    def __init__(self, interrupted: type[BaseException]) -> None:
        self.InterruptProcessingException = interrupted
        self.told: list[tuple[int, int, Any]] = []
        self.cancel_at: int | None = None
        self.device = torch.device("cpu")

    def throw_exception_if_processing_interrupted(self) -> None:
        if self.cancel_at is not None and len(self.told) >= self.cancel_at:
            raise self.InterruptProcessingException

    def modules(self, *, schema: bool) -> dict[str, ModuleType | None]:
        """The modules that a node pack imports; without the schema as in older versions."""
        comfy = self

        class ProgressBar:
            def __init__(self, total: int, node_id: str | None = None) -> None:
                self.total = total

            def update_absolute(
                self, value: int, total: int | None = None, preview: Any = None
            ) -> None:
                comfy.told.append((value, total or self.total, preview))

        management = _module(
            "comfy.model_management",
            get_torch_device=lambda: comfy.device,
            InterruptProcessingException=self.InterruptProcessingException,
            throw_exception_if_processing_interrupted=(
                self.throw_exception_if_processing_interrupted
            ),
        )
        utils = _module("comfy.utils", ProgressBar=ProgressBar)
        found: dict[str, ModuleType | None] = {
            "comfy": _module("comfy", utils=utils, model_management=management),
            "comfy.utils": utils,
            "comfy.model_management": management,
            "comfy_api": None,  # makes importing it fail
            "comfy_api.latest": None,
        }
        if schema:
            latest = _module("comfy_api.latest", ComfyExtension=ComfyExtension, io=_io())
            found |= {"comfy_api": _module("comfy_api", latest=latest), "comfy_api.latest": latest}
        return found


def _module(name: str, **members: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(members)
    return module


class ComfyExtension(ABC):
    async def on_load(self) -> None:
        return None

    @abstractmethod
    async def get_node_list(self) -> list[type]:
        """The nodes."""


@dataclass
class Schema:
    node_id: str
    display_name: str | None = None
    category: str = "sd"
    inputs: list[Any] = field(default_factory=list)
    outputs: list[Any] = field(default_factory=list)
    description: str = ""
    is_output_node: bool = False

    def __post_init__(self) -> None:
        names = [socket.id for socket in self.inputs]
        assert len(set(names)) == len(names), f"ids of {self.node_id} are not unique"


class NodeOutput:
    def __init__(self, *args: Any, ui: Any = None) -> None:
        self.result = args


class ComfyNode(ABC):
    """The base of V3 nodes; nobody makes an instance of them."""

    @classmethod
    @abstractmethod
    def define_schema(cls) -> Schema: ...

    @classmethod
    @abstractmethod
    def execute(cls, **inputs: Any) -> NodeOutput: ...


def _io() -> SimpleNamespace:
    types = {name.capitalize(): _type(name) for name in ALLOWED}
    return SimpleNamespace(**types, ComfyNode=ComfyNode, Schema=Schema, NodeOutput=NodeOutput)


def _type(io_type: str) -> SimpleNamespace:
    def make_input(id: str, **told: Any) -> SimpleNamespace:
        unknown = set(told) - ALLOWED[io_type]
        if unknown:
            raise TypeError(f"{io_type}.Input got an unexpected keyword argument {unknown}")
        return SimpleNamespace(id=id, io_type=io_type, told=told)

    def make_output(
        id: str | None = None,
        display_name: str | None = None,
        tooltip: str | None = None,
        is_output_list: bool = False,
    ) -> SimpleNamespace:
        return SimpleNamespace(id=id, io_type=io_type, display_name=display_name, tooltip=tooltip)

    return SimpleNamespace(Input=make_input, Output=make_output)


@dataclass(frozen=True)
class Input:
    """An input as ComfyUI sees it: its type, whether it is needed, what is told of it."""

    kind: str
    required: bool
    told: dict[str, Any]


@dataclass(frozen=True)
class Loaded:
    """A node as ComfyUI has it, whatever contract it came by."""

    title: str
    description: str
    category: str
    inputs: dict[str, Input]
    outputs: list[tuple[str, str]]
    run: Any


@contextmanager
def loaded(comfy: Comfy, *, schema: bool) -> Iterator[dict[str, Loaded]]:
    """The nodes of the folder, loaded as ComfyUI does: by path, under a name made of it."""
    name = str(FOLDER).replace(".", "_x_")
    before = dict(sys.modules)
    modules: Any = comfy.modules(schema=schema)
    sys.modules.update(modules)
    try:
        spec = importlib.util.spec_from_file_location(name, FOLDER / "__init__.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        yield _nodes(module)
    finally:
        for each in [*modules, *(key for key in sys.modules if key.startswith(name))]:
            sys.modules.pop(each, None)
            if each in before:
                sys.modules[each] = before[each]


def _nodes(module: ModuleType) -> dict[str, Loaded]:
    """The nodes of a module; as in ComfyUI, mappings come first."""
    if getattr(module, "NODE_CLASS_MAPPINGS", None) is not None:
        titles = module.NODE_DISPLAY_NAME_MAPPINGS
        return {id: _old(node, titles[id]) for id, node in module.NODE_CLASS_MAPPINGS.items()}
    assert inspect.iscoroutinefunction(module.comfy_entrypoint)

    async def ask() -> list[Any]:
        extension = await module.comfy_entrypoint()
        assert isinstance(extension, ComfyExtension)
        await extension.on_load()
        return await extension.get_node_list()

    # In a thread of its own: a browser of other tests may keep the loop of this one.
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(asyncio.run, ask()).result()
    return {node.define_schema().node_id: _new(node) for node in found}


def _old(node: Any, title: str) -> Loaded:
    inputs = {}
    for part, sockets in node.INPUT_TYPES().items():
        for name, (kind, told) in sockets.items():
            combo = isinstance(kind, list)
            told = {**told, "options": kind} if combo else told
            inputs[name] = Input("COMBO" if combo else kind, part == "required", told)
    outputs = list(zip(node.RETURN_TYPES, node.RETURN_NAMES, strict=True))
    run = getattr(node(), node.FUNCTION)
    return Loaded(title, node.DESCRIPTION, node.CATEGORY, inputs, outputs, run)


def _new(node: Any) -> Loaded:
    schema = node.define_schema()
    inputs = {}
    for socket in schema.inputs:
        told = {key: value for key, value in socket.told.items() if key != "optional"}
        inputs[socket.id] = Input(socket.io_type, not socket.told.get("optional"), told)
    outputs = [(each.io_type, each.display_name) for each in schema.outputs]

    def run(**given: Any) -> Any:
        output = node.execute(**given)
        assert isinstance(output, NodeOutput)
        return output.result

    return Loaded(schema.display_name, schema.description, schema.category, inputs, outputs, run)
