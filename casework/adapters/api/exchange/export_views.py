"""The rows of exports: the items of the plain lists, one column per field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from casework.domain.exchange.exporting import ExportOf
from casework.locale import text

_WORK: Final = (
    "resident.name", "resident.phone", "resident.address", "kind", "held_by", "field",
    "centre_code", "provider.name", "provider.phone", "due_at", "overdue", "working_days_late",
    "case_number", "case_id", "deadline_id",
)  # fmt: skip
# Each column is a field of the list's items, and has its heading among the texts.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    ExportOf.WORKLIST: _WORK,
    ExportOf.OVERDUE: (*_WORK, "tier", "last_review.action", "last_review.cause", "excused"),
    ExportOf.CASES: (
        "number", "id", "resident.name", "resident_id", "status", "channel", "applied_on",
        "discharge_on", "urgent", "worker_id", "centre_code", "score", "route", "determination",
        "opened_at", "closed_at", "closed_reason",
    ),
    ExportOf.RESIDENTS: (
        "id", "name", "birth_date", "sex", "centre_code", "phone", "address", "open_case.number",
        "open_case.status",
    ),
    ExportOf.REFERRALS: (
        "id", "case_number", "case_id", "resident_id", "service_code", "field", "status",
        "priority", "centre_code", "provider.name", "provider.phone", "requested_at",
    ),
    ExportOf.FIGURES: ("group", "part", "of", "figure", "value"),
    ExportOf.PROVIDERS: (
        "slug", "name", "kind", "phone", "district_code", "lat", "lon", "designations",
    ),
    ExportOf.OFFERINGS: (
        "provider.name", "provider.phone", "service_code", "open", "capacity.maximum",
        "capacity.available", "capacity.free", "capacity.full_until", "capacity.waiting",
        "capacity.unit", "capacity.as_of", "capacity.age_days", "capacity.is_stale", "centres",
    ),
}  # fmt: skip
PARTS: Final = (
    "applications", "plans", "referrals", "clocks", "holders", "entered_late", "causes",
    "unmet_needs", "people_served",
)  # fmt: skip


def headings(what: str, language: str) -> list[str]:
    """The first line, in the reader's language."""
    of = ExportOf.WORKLIST if what == ExportOf.OVERDUE else what
    return [text(f"file.column.{of}.{name}", language) for name in COLUMNS[what]]


def line(what: str, item: Mapping[str, Any]) -> list[Any]:
    """An item of a plain list; what its reader does not see there is empty here."""
    return [_value(item, name) for name in COLUMNS[what]]


def _value(item: Mapping[str, Any], path: str) -> Any:
    found: Any = item
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def figure_lines(answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every number of an answer, one a line; what is hidden there is empty here."""
    yield from _of_group("", answer)
    for group in answer.get("groups", ()):
        yield from _of_group(str(group.get("key") or ""), group)


def _of_group(group: str, answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for part in PARTS:
        found = answer.get(part)
        rows = found if isinstance(found, list) else [found]
        for row in rows:
            numbers = row if isinstance(row, Mapping) else {part: row}
            of = " ".join(str(value) for value in numbers.values() if isinstance(value, str))
            for name, value in numbers.items():
                if not isinstance(value, str) and name != "status":
                    yield {
                        "group": group, "part": part, "of": of, "figure": name, "value": value,
                    }  # fmt: skip
