"""Tells in each notebook how to open it on Colab.

    python examples/colab.py

Where the repository is published is said in one place, ``repo_url`` in mkdocs.yml. As long as that
is not set, the notebooks tell how to upload them; set it, run this, and their badges lead there.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
START, END = "<!-- Colab: written by examples/colab.py -->", "<!-- end -->"
BLOCK = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)


def repository(config: str) -> str | None:
    """The address of the repository that mkdocs.yml names, if it names one."""
    found = re.search(r"^repo_url: *(\S+)", config, re.MULTILINE)
    return found[1].rstrip("/") if found else None


def invitation(notebook: str, address: str | None) -> str:
    """What a notebook says about Colab.

    Args:
        notebook: Its file's name.
        address: The repository, such as https://github.com/someone/impasto; None if unknown.
    """
    if address is None:
        text = (
            f"{BADGE}(https://colab.research.google.com/) On Colab choose *Upload* and give it "
            "this notebook. Put the wheel that `pip wheel --no-deps .` makes in a checkout among "
            "its files, and run `%pip install impasto*.whl` in a cell of its own."
        )
    else:
        place = address.replace("https://github.com/", "github/")
        link = f"https://colab.research.google.com/{place}/blob/main/notebooks/{notebook}"
        text = (
            f"{BADGE}({link}) On Colab first run `%pip install git+{address}` in a cell of its own."
        )
    return f"{START}\n{text}\n{END}"


def main() -> None:
    """Bring all notebooks up to date."""
    address = repository((ROOT / "mkdocs.yml").read_text())
    for path in NOTEBOOKS.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        first = notebook.cells[0]
        text = invitation(path.name, address)
        first.source = BLOCK.sub(lambda _found, text=text: text, first.source)
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
