"""What is done to many cases at once costs as many statements for thirty as for three."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from casework.bench.statements import statements
from casework.domain.supervision import recounting
from casework.workflows.cases import caseload
from tests.api import acts
from tests.api.conftest import COLLEAGUE, DISTRICT, SUPERVISOR, WORKER, Api
from tests.api.recounting import events
from tests.api.shared.test_many_transactions import DAY

pytestmark = pytest.mark.both_stores
FEW, MANY = 3, 30


def handed_over(api: Api, cases: int) -> int:
    """Hand over that many cases; how many statements it took."""
    for _ in range(cases):
        acts.a_case(api)
    leaver, heir = api.id_of(WORKER), api.id_of(COLLEAGUE)
    body = {"from_worker_id": str(leaver), "to_worker_id": str(heir), "reason": "left"}
    with statements(api.application.engine) as sent:
        answer = api.as_(SUPERVISOR).post("/caseloads/handover", body)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["moved"]) == cases
    return len(sent)


def _days(api: Api, cases: int) -> int:
    """Declare a holiday within the clocks of all cases so far."""
    for _ in range(cases):
        acts.a_case(api)
    before = len(events(api, "DeadlineRecounted"))
    with statements(api.application.engine) as sent:
        answer = api.as_(SUPERVISOR).post("/holidays", DAY | {"on": f"2026-03-{5 + before % 2:02}"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["failed"] == 0
    assert len(events(api, "DeadlineRecounted")) - before == len(answer.json()["recounted"])
    assert len(answer.json()["recounted"]) >= cases
    return len(sent)


def recalculated(api: Api, cases: int) -> int:
    """Take a standard for the clocks of that many cases that run."""
    for _ in range(cases):
        acts.a_case(api)
    target = {"amount": 2 + cases % 2, "unit": "working_days"}
    listed = api.as_(SUPERVISOR).items("/standards", kind="survey", district=DISTRICT)
    own = next((one for one in listed if one["district_code"] == DISTRICT), None)
    supervisor = api.as_(SUPERVISOR)
    if own is None:
        own = supervisor.post(
            "/standards", {"kind": "survey", "district_code": DISTRICT, "target": target}
        ).json()
    else:
        tag = {"If-Match": f'"{own["version"]}"'}
        own = supervisor.patch(f"/standards/{own['id']}", {"target": target}, headers=tag).json()
    with statements(api.application.engine) as sent:
        answer = supervisor.post(f"/standards/{own['id']}/recalculate")
    assert answer.status_code == 200, answer.text
    assert answer.json()["failed"] == 0
    assert len(answer.json()["deadlines"]) >= cases
    return len(sent)


@pytest.mark.parametrize("act", [handed_over, _days, recalculated])
def test_thirty_cases_cost_as_many_statements_as_three(
    api: Api, act: Callable[[Api, int], int]
) -> None:
    few = act(api, FEW)
    many = act(api, MANY)
    assert many <= few + 2, (few, many)


def test_a_batch_of_which_one_fails_is_done_case_by_case(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = [acts.a_case(api) for _ in range(FEW)]
    renew, tried = recounting.renew, []

    def fails_once(file: Any, *given: Any) -> Any:
        tried.append(file.case.id)
        if file.case.id == cases[1]:
            raise RuntimeError("this one")
        return renew(file, *given)

    monkeypatch.setattr(recounting, "renew", fails_once)
    answer = api.as_(SUPERVISOR).post("/holidays", DAY).json()
    assert (answer["failed"], len(answer["recounted"])) == (1, FEW - 1)
    assert tried == [*cases[:2], *cases], "together first, and then each by itself"
    assert len(events(api, "DeadlineRecounted")) == FEW - 1


def test_more_cases_than_a_batch_go_to_the_receivers_in_turn(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caseload, "AT_ONCE", 2)
    cases = [acts.a_case(api) for _ in range(5)]
    ids = [api.id_of(COLLEAGUE), api.id_of(WORKER)]
    caseload.hand_over(api.context(SUPERVISOR), api.id_of(WORKER), ids, "left")
    worker = api.as_(SUPERVISOR)
    shown = [worker.get(f"/cases/{case}").json()["worker_id"] for case in cases]
    assert shown == [str(ids[n % 2]) for n in range(5)]
