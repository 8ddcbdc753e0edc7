"""Puts the notebooks on the site, with their outputs; mkdocs-gen-files runs it."""

from __future__ import annotations

from pathlib import Path

import mkdocs_gen_files
from nbconvert import MarkdownExporter

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
# What a notebook links to, and where that is on the site.
PLACES = {"../README.md": "../index.md", ".ipynb)": ".md)"}


def publish(path: Path) -> None:
    """Write a notebook as a page with its pictures beside it, and its file to be downloaded."""
    text, resources = MarkdownExporter().from_filename(str(path))
    for ours, theirs in PLACES.items():
        text = text.replace(ours, theirs)
    for name, data in resources["outputs"].items():
        picture = f"{path.stem}_{name}"
        text = text.replace(f"({name})", f"({picture})")
        with mkdocs_gen_files.open(f"notebooks/{picture}", "wb") as file:
            file.write(data)
    title, _, rest = text.lstrip().partition("\n")
    download = f"[Download this notebook]({path.name}){{ download }}"
    with mkdocs_gen_files.open(f"notebooks/{path.stem}.md", "w") as page:
        page.write(f"{title}\n\n{download}\n{rest}")
    with mkdocs_gen_files.open(f"notebooks/{path.name}", "wb") as file:
        file.write(path.read_bytes())


for notebook in NOTEBOOKS.glob("*.ipynb"):
    publish(notebook)
