"""What may be read at a replica is declared and only tells: no decision rests on it."""

from __future__ import annotations

import ast
from pathlib import Path

import casework
from casework.adapters.api.app import ROUTERS
from casework.adapters.http.call import MAY_BE_STALE

ROOT = Path(casework.__file__).parent
# Each only tells. A worklist, a case or a referral is what somebody acts on next, and is not here.
TOLD = {
    "GET /audit/affected",
    "GET /audit/summary",
    "GET /figures",
    "GET /figures/cases",
    "GET /figures/months",
    "GET /figures/months/{month}",
    "GET /unmet-needs",
    "GET /unmet-needs/summary",
    "POST /exports",
}
# The port, its adapters and the one place where a request chooses.
CHOOSE = {
    "adapters/http/call.py",
    "adapters/persistence/unit_of_work/batch.py",
    "adapters/persistence/unit_of_work/store.py",
    "workflows/context.py",
    "workflows/ports/unit_of_work.py",
}


def test_the_operations_that_may_be_stale_are_those_that_only_tell() -> None:
    declared = {
        f"{method} {route.path}"  # type: ignore[attr-defined]
        for router in ROUTERS
        for route in router.routes
        if (getattr(route, "openapi_extra", None) or {}).get(MAY_BE_STALE)
        for method in route.methods  # type: ignore[attr-defined]
    }
    assert declared == TOLD


def named_in(module: ast.Module) -> set[str]:
    """Every attribute and function that a module names."""
    return {
        node.attr if isinstance(node, ast.Attribute) else getattr(node, "name", "")
        for node in ast.walk(module)
    }


def test_no_use_case_reads_what_may_be_stale() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if "read_stale" in named_in(ast.parse(path.read_text()))
    }
    assert found == CHOOSE


def test_the_control_a_use_case_that_did_is_seen() -> None:
    assert "read_stale" in named_in(ast.parse("def f(ctx): return ctx.read_stale('a', g)"))
