"""The notebooks run from top to bottom, at a small size; their committed outputs are small."""

from __future__ import annotations

import runpy
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SMALL = "SIZE, STEPS = 32, 2"


def read(path: Path) -> NotebookNode:
    notebook: NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    return notebook


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # of the notebook machinery
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    notebook = read(path)
    (parameters,) = (
        cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])
    )
    assert {line.split(" =")[0] for line in parameters.source.splitlines()} == {"SIZE", "STEPS"}
    parameters.source = SMALL
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=resources).execute()
    assert not list(tmp_path.iterdir())  # nothing is left behind


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_committed_outputs_are_whole_and_small(path: Path) -> None:
    assert path.stat().st_size < 1_000_000
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    shown = {kind for output in outputs for kind in output.get("data", {})}
    assert shown & {"image/png", "image/jpeg"}


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) >= 3


def test_notebooks_open_and_run_on_colab_as_the_site_says_where_the_repository_is() -> None:
    colab = SimpleNamespace(**runpy.run_path(str(ROOT / "examples" / "colab.py")))
    address = colab.repository((ROOT / "mkdocs.yml").read_text())
    for path in NOTEBOOKS:
        first, second = read(path).cells[:2]
        assert colab.invitation(path.name, address) in first.source
        assert second.source == colab.installation(address)
    known = colab.repository("site_name: x\nrepo_url: https://github.com/someone/impasto/\n")
    link = "https://colab.research.google.com/github/someone/impasto/blob/main/notebooks/a.ipynb"
    assert f"({link})" in colab.invitation("a.ipynb", known)
    assert '@ git+https://github.com/someone/impasto"' in colab.installation(known)
    compile(colab.installation(known).replace("%pip", "pass  #"), "cell", "exec")
