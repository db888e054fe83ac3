"""The lines of lists that leave as files: the items of the plain lists, one field a column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from casework.domain.exchange.exporting import ExportOf

Columns = tuple[tuple[str, str], ...]
_WORK: Final[Columns] = (
    ("resident.name", "성명"), ("resident.phone", "전화번호"), ("kind", "기한종류"),
    ("held_by", "담당"), ("field", "분야"), ("centre_code", "읍면동코드"),
    ("provider.name", "제공기관"), ("provider.phone", "기관전화"), ("due_at", "기한"),
    ("overdue", "기한경과"), ("working_days_late", "지연근무일"), ("case_id", "사례ID"),
    ("deadline_id", "기한ID"),
)  # fmt: skip
_OVERDUE: Final[Columns] = (
    *_WORK, ("tier", "상향단계"), ("last_review.action", "조치"), ("last_review.cause", "원인"),
    ("excused", "면책"),
)  # fmt: skip
_PROVIDERS: Final[Columns] = (
    ("slug", "기관코드"), ("name", "기관명"), ("kind", "기관유형"), ("phone", "전화번호"),
    ("district_code", "구군코드"), ("lat", "위도"), ("lon", "경도"), ("designations", "지정"),
)  # fmt: skip
_OFFERINGS: Final[Columns] = (
    ("provider.name", "기관명"), ("provider.phone", "전화번호"), ("service_code", "서비스코드"),
    ("open", "접수여부"), ("capacity.maximum", "정원"), ("capacity.available", "가능인원"),
    ("capacity.free", "빈자리"), ("capacity.full_until", "정원초과기한"),
    ("capacity.waiting", "대기인원"), ("capacity.unit", "단위"), ("capacity.as_of", "기준시각"),
    ("capacity.age_days", "경과일"), ("capacity.is_stale", "오래된수치"), ("centres", "제공지역"),
)  # fmt: skip
_FIGURES: Final[Columns] = (
    ("group", "구분"), ("part", "지표"), ("of", "대상"), ("figure", "항목"), ("value", "값"),
)  # fmt: skip
COLUMNS: Final[dict[str, Columns]] = {
    ExportOf.WORKLIST: _WORK,
    ExportOf.OVERDUE: _OVERDUE,
    ExportOf.FIGURES: _FIGURES,
    ExportOf.PROVIDERS: _PROVIDERS,
    ExportOf.OFFERINGS: _OFFERINGS,
}
PARTS: Final = (
    "applications", "plans", "referrals", "clocks", "holders", "causes", "unmet_needs",
    "people_served",
)  # fmt: skip


def headings(what: str, language: str) -> list[str]:
    """The first line, in the reader's language."""
    return [ko if language == "ko" else name for name, ko in COLUMNS[what]]


def line(what: str, item: Mapping[str, Any]) -> list[Any]:
    """An item of a plain list; what its reader does not see there is empty here."""
    return [_value(item, name) for name, _ in COLUMNS[what]]


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
                if not isinstance(value, str):
                    yield {
                        "group": group, "part": part, "of": of, "figure": name, "value": value,
                    }  # fmt: skip
