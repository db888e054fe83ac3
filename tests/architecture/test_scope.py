"""Scope (who sees which rows) is decided in one place only."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import casework

ROOT = Path(casework.__file__).parent
# The policy says how far a role reaches, and the registry which rows lie within.
DECIDE = {
    "domain/access/policy.py", "adapters/persistence/scope/who_sees_what.py",
    "adapters/persistence/scope/whose_rows.py",
}  # fmt: skip
# What of an actor decides about rows; the facts and the settings of the session are made of it.
BY_ROLE = {"adapters/persistence/scope/facts.py", "adapters/persistence/scope/session_context.py"}


def modules(under: str = "") -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / under).rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def is_of_a_scope(node: ast.AST) -> bool:
    """``scope.relation``, ``work.scope.relation``, ``self._scope.relation``."""
    if not (isinstance(node, ast.Attribute) and node.attr == "relation"):
        return False
    owner = node.value
    name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
    return name.endswith("scope")


def names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom):
        yield from (one.name for one in node.names)
    elif isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute):
        yield node.attr


def test_nobody_but_policy_and_registry_decides_by_relation() -> None:
    found = {
        f"{name}:{getattr(node, 'lineno', 0)}"
        for name, tree in modules()
        if name not in DECIDE
        for node in ast.walk(tree)
        if "Relation" in names(node) or is_of_a_scope(node)
    }
    assert found == set(), "take it from casework/adapters/persistence/scope/who_sees_what.py"


def test_no_statement_compares_the_role_of_who_reads() -> None:
    found = {
        f"{name}:{node.lineno}"
        for name, tree in modules("adapters/persistence")
        if name not in DECIDE | BY_ROLE
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        and any(
            isinstance(part, ast.Attribute)
            and part.attr in ("role", "stands_as")
            and "actor" in names(part.value)
            for part in (node.left, *node.comparators)
        )
    }
    assert found == set(), "take it from casework/adapters/persistence/scope/who_sees_what.py"
