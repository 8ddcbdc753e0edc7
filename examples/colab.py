"""Lets each notebook be opened on Colab and run there as it is.

    python examples/colab.py

Writes the badge and a first cell that installs Impasto where it is missing. Where the repository is
published is said in one place, ``repo_url`` in mkdocs.yml: set it, run this, and the badges lead
there. Until then they lead to Colab's upload, and Impasto comes from the package index.
"""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
BADGE = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
FIRST = "# Where Impasto is missing, as on Colab."
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
        text = f"{BADGE}(https://colab.research.google.com/) On Colab, *Upload* this notebook."
    else:
        place = address.replace("https://github.com/", "github/")
        link = f"https://colab.research.google.com/{place}/blob/main/notebooks/{notebook}"
        text = f"{BADGE}({link})"
    return f"{START}\n{text}\n{END}"


def installation(address: str | None) -> str:
    """The cell that installs Impasto where it is missing; the address as above."""
    source = f"impasto[plots] @ git+{address}" if address else "impasto[plots]"
    return f"""{FIRST}
import importlib.util

if importlib.util.find_spec("impasto") is None:
    %pip install --quiet "{source}\""""


def install_first(notebook: NotebookNode, address: str | None) -> None:
    """Make the installation the first code of a notebook, and count its cells anew."""
    cells = [cell for cell in notebook.cells if not cell.source.startswith(FIRST)]
    cells.insert(1, nbformat.v4.new_code_cell(installation(address), id="installation"))
    code = [cell for cell in cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        cell.execution_count = number
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number
    notebook.cells = cells


def main() -> None:
    """Bring all notebooks up to date."""
    address = repository((ROOT / "mkdocs.yml").read_text())
    for path in NOTEBOOKS.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        first = notebook.cells[0]
        text = invitation(path.name, address)
        first.source = BLOCK.sub(lambda _found, text=text: text, first.source)
        install_first(notebook, address)
        nbformat.write(notebook, path)


if __name__ == "__main__":
    main()
