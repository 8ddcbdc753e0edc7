"""Runs the notebooks from top to bottom and keeps their outputs, encoded small.

pip install -e ".[dev]"
python examples/run_notebooks.py                # all of them: a few minutes
python examples/run_notebooks.py recipes        # those whose names begin so
"""

from __future__ import annotations

import base64
import io
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


def run(*prefixes: str) -> None:
    """Run the notebooks whose name begins with one of the prefixes, or all."""
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        if path.name.startswith(prefixes or ""):
            notebook = nbformat.read(path, as_version=4)
            with tempfile.TemporaryDirectory() as folder:
                resources = {"metadata": {"path": folder}}
                client = NotebookClient(
                    notebook, timeout=3600, resources=resources, record_timing=False
                )
                client.execute()
            shrink(notebook)
            nbformat.write(notebook, path)
            print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")


def shrink(notebook: NotebookNode) -> None:
    """Keep pictures small, since a repository keeps every version.

    Painted pictures come as JPEG and PNG: JPEG is enough. Plots, PNG alone, do with 128 colours.
    """
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/jpeg" in data:
                data.pop("image/png", None)
            elif "image/png" in data:
                data["image/png"] = _with_palette(data["image/png"])


def _with_palette(png: str) -> str:
    image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    small = io.BytesIO()
    image = image.quantize(128, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    image.save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


if __name__ == "__main__":
    run(*sys.argv[1:])
