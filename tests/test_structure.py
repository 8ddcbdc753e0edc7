"""The order of the source: no cycles, no two classes of one name, no long functions."""

from __future__ import annotations

import ast
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import impasto

ROOT = Path(impasto.__file__).parent
LONGEST = 45


def module_name(path: Path) -> str:
    """The dotted name of a file."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


TREES = {module_name(path): ast.parse(path.read_text()) for path in ROOT.rglob("*.py")}
NODES = [(name, node) for name, tree in TREES.items() for node in ast.walk(tree)]


def imported(node: ast.AST) -> list[str]:
    """The names that an import brings in, as names of modules where they are modules."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        names = [f"{node.module}.{alias.name}" for alias in node.names]
        return [name if name in TREES else str(node.module) for name in names]
    return []


def test_no_two_files_import_each_other_even_for_types_or_within_functions() -> None:
    graph: dict[str, set[str]] = {name: set() for name in TREES}
    for name, node in NODES:
        graph[name].update(set(imported(node)) & set(TREES))
    assert sum(map(len, graph.values())) > len(graph)
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the files


def test_no_two_classes_have_one_name() -> None:
    classes = Counter(node.name.lstrip("_") for _, node in NODES if isinstance(node, ast.ClassDef))
    assert [name for name, count in classes.items() if count > 1] == []


def test_no_function_is_long() -> None:
    long = [
        f"{name}.{node.name}"
        for name, node in NODES
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or 0) - node.lineno >= LONGEST
    ]
    assert long == []
