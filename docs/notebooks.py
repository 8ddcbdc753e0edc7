"""Puts the notebooks on the site, with their outputs; mkdocs-gen-files runs it."""

from __future__ import annotations

import re
from pathlib import Path

import mkdocs_gen_files
from nbconvert import MarkdownExporter

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
# What a notebook links to, and where that is on the site.
PLACES = {r"\(\.\./README\.md\)": "(../index.md)", r"\((\w+)\.ipynb\)": r"(\1.md)"}
# Its picture comes from elsewhere, and the site asks nothing of others.
BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]\(([^)]*)\)")


def publish(path: Path) -> None:
    """Write a notebook as a page with its pictures beside it, and its file to be downloaded."""
    text, resources = MarkdownExporter().from_filename(str(path))
    text = BADGE.sub(r"[Open in Colab](\1).", text)
    for ours, theirs in PLACES.items():
        text = re.sub(ours, theirs, text)
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
