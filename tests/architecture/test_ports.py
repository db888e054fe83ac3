"""A docstring stands on the method of the port, and not again on the method of its adapter."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
# The adapters for which pyproject.toml lets a method go without a docstring.
SILENT = ("identity", "notifications", "persistence", "sheets", "vault")


class Method(NamedTuple):
    """A public method of a class, and what is said of it."""

    where: str
    name: str
    docstring: str | None


def classes(folder: Path) -> Iterator[tuple[Path, ast.ClassDef]]:
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield path, node


def is_protocol(found: ast.ClassDef) -> bool:
    return any("Protocol" in ast.unparse(base) for base in found.bases)


def methods(path: Path, found: ast.ClassDef) -> Iterator[Method]:
    for node in found.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            where = f"{path.relative_to(ROOT)}: {found.name}.{node.name}"
            yield Method(where, node.name, ast.get_docstring(node))


@pytest.fixture(scope="module")
def said() -> dict[str, set[str]]:
    """The docstrings of the methods of all ports, by the name of the method."""
    found: dict[str, set[str]] = {}
    for path, node in classes(ROOT / "casework"):
        for method in methods(path, node) if is_protocol(node) else ():
            found.setdefault(method.name, set()).add(method.docstring or "")
    return found


def adapted(folder: str) -> Iterator[Method]:
    """The methods of the classes of an adapter that are no ports themselves."""
    for path, node in classes(ROOT / "casework/adapters" / folder):
        if not is_protocol(node):
            yield from methods(path, node)


def test_every_method_of_a_port_has_a_docstring(said: dict[str, set[str]]) -> None:
    assert [name for name, docstrings in said.items() if "" in docstrings] == []


@pytest.mark.parametrize("folder", SILENT)
def test_a_method_without_a_docstring_is_one_of_a_port(
    folder: str, said: dict[str, set[str]]
) -> None:
    bare = [one.where for one in adapted(folder) if one.docstring is None and one.name not in said]
    assert bare == []


def test_no_adapter_repeats_the_docstring_of_a_port(said: dict[str, set[str]]) -> None:
    assert [one.where for one in adapted(".") if one.docstring in said.get(one.name, ())] == []
