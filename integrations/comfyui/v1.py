"""The nodes as ComfyUI has always read them: classes in a mapping."""

from __future__ import annotations

from typing import Any

from .describe import CATEGORY, Node, Socket
from .nodes import NODES


def _class(node: Node) -> type:
    inputs: dict[str, dict[str, Any]] = {"required": {}, "optional": {}}
    for socket in node.inputs:
        inputs["optional" if socket.optional else "required"][socket.name] = _input(socket)
    members = {
        "INPUT_TYPES": classmethod(lambda _cls: inputs),
        "RETURN_TYPES": tuple(socket.kind for socket in node.outputs),
        "RETURN_NAMES": tuple(socket.name for socket in node.outputs),
        "OUTPUT_TOOLTIPS": tuple(socket.tooltip for socket in node.outputs),
        "FUNCTION": "run",
        "CATEGORY": CATEGORY,
        "DESCRIPTION": node.description,
        "run": staticmethod(node.run),
    }
    return type(node.id, (), members)


def _input(socket: Socket) -> tuple[Any, dict[str, Any]]:
    told = {"tooltip": socket.tooltip, **socket.widget}
    return told.pop("options", socket.kind), told


NODE_CLASS_MAPPINGS = {node.id: _class(node) for node in NODES}
NODE_DISPLAY_NAME_MAPPINGS = {node.id: node.title for node in NODES}
