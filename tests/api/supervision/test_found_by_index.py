"""What is listed of clocks and needs is read along an index that has what is asked for, no more."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, text

from tests.api.acts import a_case, a_referral
from tests.api.agencies.test_inbox import plan_of
from tests.api.conftest import ASSESSOR, SUPERVISOR, Api

# Who asks, what, by which index, and which statement it is.
READ: dict[str, tuple[str, str, str, str]] = {
    "the worklist of an assessor": (
        ASSESSOR, "/worklist", "ix_deadline_district_assessor", "deadline.can_wait",
    ),
    "what is overdue of a kind": (
        SUPERVISOR, "/overdue?kind=response", "ix_deadline_district_kind", "deadline.kind =",
    ),
    "unmet needs": (SUPERVISOR, "/unmet-needs", "ix_planned_service_unmet", "settlement ="),
}  # fmt: skip


def sent_for(api: Api, who: str, path: str) -> list[tuple[str, Any]]:
    """The statements of a question, with their parameters."""
    engine, sent = api.application.engine, list[tuple[str, Any]]()

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        sent.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        assert api.as_(who).get(path).status_code == 200
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return sent


@pytest.mark.both_stores
@pytest.mark.parametrize("what", READ)
def test_a_list_is_read_along_the_index_of_what_is_asked_for(api: Api, what: str) -> None:
    who, path, index, of = READ[what]
    if what == "unmet needs" and api.engine.dialect.name == "sqlite":
        pytest.skip("SQLite reads the cases of the district, which are few where it is used")
    for _ in range(3):
        a_case(api)
    a_referral(api)
    api.clock.forward(days=20)
    with api.engine.begin() as connection:
        connection.execute(text("ANALYZE"))
    (page,) = [one for one in sent_for(api, who, path) if of in one[0]]
    assert [line for line in plan_of(api, *page) if index in line], plan_of(api, *page)
