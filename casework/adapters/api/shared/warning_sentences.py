"""What the catalogue warns of, in one sentence that a person reads: Korean or English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from casework.domain.directory.eligibility import Comparison
from casework.domain.planning.warnings import CatalogueWarning
from casework.locale import find_text, text


def warning_said(of: CatalogueWarning, language: str) -> str:
    """What is planned or known, and what the catalogue says, in ``ko`` or ``en``."""
    return text(f"sentence.warning.{of.code}", language, **_figures(of, language))


def _figures(of: CatalogueWarning, language: str) -> dict[str, object]:
    """What the sentences of all codes can name."""
    fact, limit = of.fact, of.limit or {}
    found: dict[str, object] = {
        "planned": fact.get("quantity"),
        "allowed": limit.get("quantity"),
        "planned_unit": _word(fact.get("unit"), language),
        "unit": _word(limit.get("unit"), language),
        "referrals": len(fact.get("referrals", ())),
        "lines": len(fact.get("planned_services", ())),
        "fact": _word(fact.get("name"), language),
        "value": _word(fact.get("value"), language),
    }
    if "per" in limit:
        found["per"] = text(f"sentence.warning.per.{limit['per']}", language)
    if "comparison" in limit:
        found |= {"rule": _rule(limit, language), "basis": limit["basis"]}
    return found


def _rule(limit: Mapping[str, Any], language: str) -> str:
    if limit["comparison"] == Comparison.KNOWN:
        return text("sentence.warning.rule.known", language)
    values = ", ".join(_word(one, language) for one in limit["values"])
    return text(f"sentence.warning.rule.{limit['comparison']}", language, values=values)


def _word(code: str | None, language: str) -> str:
    """The word for a code where there is one, else the code."""
    return (code and find_text(f"document.code.{code}", language)) or code or ""
