"""The nodes in the schema of newer versions of ComfyUI."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import ComfyExtension, io

from .describe import CATEGORY, Node
from .nodes import NODES

_TYPES = {
    "IMAGE": io.Image,
    "MASK": io.Mask,
    "INT": io.Int,
    "FLOAT": io.Float,
    "COMBO": io.Combo,
    "STRING": io.String,
}


def _class(node: Node) -> Any:
    class Made(io.ComfyNode):  # type: ignore[misc]  # ComfyUI is not there to be checked against
        @classmethod
        def define_schema(cls) -> Any:
            return io.Schema(
                node_id=node.id,
                display_name=node.title,
                category=CATEGORY,
                description=node.description,
                inputs=[
                    _TYPES[socket.kind].Input(
                        socket.name,
                        optional=socket.optional,
                        tooltip=socket.tooltip,
                        **socket.widget,
                    )
                    for socket in node.inputs
                ],
                outputs=[
                    _TYPES[socket.kind].Output(display_name=socket.name, tooltip=socket.tooltip)
                    for socket in node.outputs
                ],
            )

        @classmethod
        def execute(cls, **inputs: Any) -> Any:
            return io.NodeOutput(*node.run(**inputs))

    Made.__name__ = Made.__qualname__ = node.id
    return Made


class Extension(ComfyExtension):  # type: ignore[misc]
    """What ComfyUI asks for the nodes."""

    async def get_node_list(self) -> list[Any]:
        """The classes of the nodes."""
        return [_class(node) for node in NODES]


async def comfy_entrypoint() -> Extension:
    """What ComfyUI calls when it loads this folder."""
    return Extension()
