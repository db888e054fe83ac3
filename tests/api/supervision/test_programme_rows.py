"""Rows of the city's programme among those of care: counted apart, and about nobody."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from casework.adapters.persistence import tables as t
from casework.adapters.persistence.supervision.clock_counts import count_clocks
from casework.bench.statements import statements
from casework.domain.clocks.standards import ClockKind
from tests.adapters.looking import the_clock
from tests.api.acts import a_case, clock
from tests.api.conftest import (
    HERE,
    SUPERVISOR,
    WORKER,
    Api,
)
from tests.api.programme import owed

LATE = "2026-03-20T09:00"


@pytest.mark.both_stores
def test_they_count_in_no_figure_of_care(api: Api) -> None:
    with api.engine.begin() as connection:
        connection.execute(delete(t.figure_change))
    task = owed(api)
    with api.engine.begin() as connection:
        connection.execute(update(t.deadline).values(excused=True).where(t.deadline.c.id == task))
        waiting = connection.scalar(select(func.count()).select_from(t.figure_change))
    assert waiting == 0
    api.clock.set(LATE)
    answer = api.as_(SUPERVISOR).get("/figures?from=2026-03-01&to=2026-03-31").json()
    assert all(row["kind"] != "task" for row in answer["clocks"])


def test_the_backlog_names_each_kind_of_them(api: Api) -> None:
    owed(api, area="city")
    found = count_clocks(api.application.engine, api.clock.now)
    backlog = {one.kind: one for one in found.clocks}
    assert (backlog[ClockKind.TASK].running, backlog[ClockKind.TASK].overdue) == (1, {})


@pytest.mark.both_stores
def test_a_clock_of_care_without_a_case_and_one_of_the_programme_with_one_are_refused(
    api: Api,
) -> None:
    survey, task = clock(api, "survey", a_case(api)), owed(api)
    case, resident = the_clock(api, survey).case_id, the_clock(api, survey).resident_id
    wrong: list[tuple[UUID, dict[str, Any]]] = [
        (survey, {"case_id": None}),
        (survey, {"resident_id": None}),
        (survey, {"centre_code": None}),
        (survey, {"subject_type": "task"}),
        (task, {"case_id": case}),
        (task, {"resident_id": resident}),
        (task, {"centre_code": HERE}),
        (task, {"case_id": case, "resident_id": resident, "centre_code": HERE}),
        (task, {"subject_type": "case"}),
    ]
    for id, values in wrong:
        with pytest.raises(IntegrityError), api.engine.begin() as connection:
            connection.execute(update(t.deadline).where(t.deadline.c.id == id).values(values))


def test_lists_take_as_many_statements_with_them_as_without(api: Api) -> None:
    a_case(api)
    api.clock.forward(minutes=1)
    asked = ((WORKER, "/worklist"), (SUPERVISOR, "/worklist"), (SUPERVISOR, "/overdue"))
    for username, path in asked:
        sent = []
        api.as_(username).get(path)
        for _ in range(2):
            with statements(api.application.engine) as found:
                api.as_(username).get(path)
            sent.append(len(found))
            owed(api)
        assert sent[0] == sent[1], path
