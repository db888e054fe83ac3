"""Helpers shared by the domain's tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from casework.domain.casefile.casefile import CaseFile
from casework.domain.clocks.deadlines import Deadline
from casework.domain.errors import Refusal


def clocks(file: CaseFile, subject_id: UUID, kind: str | None = None) -> list[Deadline]:
    """Every clock a subject ever had, oldest first."""
    return [
        clock
        for clock in file.deadlines.values()
        if clock.subject_id == subject_id and kind in (None, clock.kind)
    ]


def last_clock(file: CaseFile, subject_id: UUID, kind: str) -> Deadline:
    """The newest clock of a kind on a subject."""
    return clocks(file, subject_id, kind)[-1]


def running(file: CaseFile, subject_id: UUID | None = None) -> list[str]:
    """The kinds of clock that run, of a subject or of the whole file."""
    return sorted(clock.kind for clock in file.running(subject_id))


def ends(file: CaseFile, subject_id: UUID) -> dict[str, str]:
    """The state of the newest clock of each kind: running, met or cancelled."""
    return {
        clock.kind: "met" if clock.met_at else "cancelled" if clock.cancelled_at else "running"
        for clock in clocks(file, subject_id)
    }


def event_names(file: CaseFile) -> list[str]:
    """What happened, in order."""
    return [event.name for event in file.events]


@contextmanager
def refused(
    error: type[Refusal], code: str, *unchanged: Any, **facts: Any
) -> Iterator[pytest.ExceptionInfo[Refusal]]:
    """Expect a refusal with its code and facts, and that none of these things has changed."""
    before = repr(unchanged)
    with pytest.raises(error) as caught:
        yield caught
    assert caught.value.code == code
    assert str(caught.value) == caught.value.detail, (
        "a refusal says in words what stands against it"
    )
    errors = caught.value.facts.get("errors", [])
    for named in errors:
        assert named["field"]
        assert named["message"]
    if [named["field"] for named in errors] == [named["field"].split(".")[0] for named in errors]:
        assert {named["message"] for named in errors} <= {caught.value.detail}
    assert {name: caught.value.facts.get(name) for name in facts} == facts
    assert repr(unchanged) == before, "a refused move changes nothing"


def field_of(caught: pytest.ExceptionInfo[Refusal]) -> str:
    """The field that an invalid request is refused for."""
    (error,) = caught.value.facts["errors"]
    assert isinstance(error["field"], str)
    return error["field"]


def last_event(file: CaseFile, *, clocks: bool = True) -> tuple[str, dict[str, Any]]:
    """What happened last, with all that was written down of it, or all but the clocks."""
    event = file.events[-1]
    kept = {name: fact for name, fact in event.data.items() if clocks or name != "clocks"}
    return event.name, kept
