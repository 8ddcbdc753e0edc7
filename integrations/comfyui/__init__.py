"""Impasto in ComfyUI: neural style transfer as nodes.

ComfyUI reads the mappings (V1) and, only where a folder has none, the entry point (V3): this one
offers what the ComfyUI that loads it speaks best. Both are made from the same descriptions.
"""

try:
    import impasto  # noqa: F401
except ImportError as error:
    raise ImportError(
        "the nodes of Impasto need the package impasto in ComfyUI's Python: pip install impasto"
    ) from error

try:
    from .v3 import comfy_entrypoint

    __all__ = ["comfy_entrypoint"]
except ImportError:  # a ComfyUI from before this schema
    from .v1 import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

    __all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
